"""Random masks over the whole input: RISE and Sobol indices."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import even_slices
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.draw_counts import check_fields
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.masking.smooth_fields import Fields, fields
from deeplift_engine.explainers.perturbation.perturbation_explainer import (
    Grouped,
    Perturbation,
    group_scores,
    joined,
)
from deeplift_engine.explainers.perturbation.sobol_designs import Designs, check_rows
from deeplift_engine.tensors.products import product
from deeplift_engine.util.options import Among, Count, Number, Seed, TwoOrMore
from deeplift_engine.util.typing import Array

ELEMENTS = 1 << 22
"""How many elements of masks are held at a time."""
MOST_INDICES = 10_600
"""Groups at most: scipy's sequence has 21,201 dimensions, and there are two designs."""


class Rise(Perturbation):
    """The target's mean over random smooth masks, weighted by how far they leave an element.

    S = Σ f(m·x + (1 - m)·r)·m / (D·p) over D masks m with mean p (equation 6). Masked elements are
    the reference's, zeros by default. The masks are the same for all samples.

    Parameters
    ----------
    samples
        How many masks, D; so few that an element is masked alike in all of them are refused.
    cells
        How many cells a mask's grid has along each axis but the last of several.
    keep
        The chance p that a corner of a cell stays.
    seed
        Of the masks.
    """

    traits = replace(Perturbation.traits, attributes_of=None)

    def __init__(
        self,
        task: Task,
        *,
        samples: TwoOrMore = 4000,
        cells: Count = 7,
        keep: Annotated[float, Number(above=0, below=1)] = 0.5,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task)
        self.samples, self.cells, self.keep, self.seed = samples, cells, keep, seed

    def attribute(self, request: Request) -> MethodResult:
        """Weighted means and their standard errors."""
        drawn = self._fields(request, self.samples)
        for number, info in enumerate(request.inputs):
            check_fields(info.name, self.samples, functools.partial(self._field, request, number))
        means: list[list[Array]] = [[] for _ in drawn]
        errors: list[list[Array]] = [[] for _ in drawn]
        for samples in self.blocks(request, self.samples):
            values = self.masked(
                samples,
                self.samples,
                lambda draws: [field.masks(draws)[np.newaxis] for field in drawn],
            )
            for number, field in enumerate(drawn):
                mean, error = self._weighted(values, field)
                means[number].append(mean)
                errors[number].append(error)
        return MethodResult(
            self._joined(request, means),
            standard_errors=self._joined(request, errors),
            per_reference=not request.average,
        )

    def _field(self, request: Request, number: int, samples: int) -> Fields:
        """So many masks of one input."""
        return self._fields(request, samples)[number]

    def _fields(self, request: Request, samples: int) -> list[Fields]:
        """So many masks of each input."""
        generator = np.random.default_rng(self.seed)
        return [
            fields(
                array.shape[1:],
                info.positions,
                samples,
                self.cells,
                self.keep,
                generator,
                smooth=array.dtype.kind == "f",
            )
            for info, array in zip(request.inputs, request.data, strict=True)
        ]

    def _weighted(self, values: Array, field: Fields) -> tuple[Array, Array]:
        """Of values (T, n, k, D) the score of each element (T, n, k, *S), and its error."""
        size = math.prod(field.shape)
        total, squares = np.zeros((2, *values.shape[:3], size))
        for block in even_slices(self.samples, max(1, ELEMENTS // max(1, size))):
            masks = field.masks(block).reshape(-1, size).astype(float) / self.keep
            total += product(values[..., block], masks)
            squares += product(values[..., block] ** 2, masks**2)
        mean = total / self.samples
        variance = np.maximum(0, squares / self.samples - mean**2)
        shape = (*values.shape[:3], *field.shape)
        return mean.reshape(shape), np.sqrt(variance / (self.samples - 1)).reshape(shape)

    def _joined(self, request: Request, blocks: Sequence[Sequence[Array]]) -> list[Array]:
        return [joined(request, arrays).astype(self.task.dtype) for arrays in blocks]


class Sobol(Grouped):
    """How much of the target's variance under random masks is a group's.

    Masks are uniform between 0 and 1 for each group, by a scrambled Sobol sequence; the same for
    all samples. Indices are Jansen's estimates: total ones count what a group does together with
    others, so they sum to 1 or more; first-order ones leave it out and sum to 1 or less.

    Parameters
    ----------
    samples
        Rows of a design, a power of two; each takes as many masks as there are groups, and two.
    order
        ``"total"`` or ``"first"``.
    groups
        As for ``feature_ablation``; by default 8 cells along each axis but the last.
    divide
        As for ``feature_ablation``; by default each element has its group's index.
    seed
        Of the sequence.
    """

    traits = replace(Grouped.traits, attributes_of=None)

    def __init__(
        self,
        task: Task,
        *,
        samples: TwoOrMore = 32,
        order: Annotated[str, Among(("total", "first"))] = "total",
        groups: Any = 8,
        divide: bool = False,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        check_rows(samples)
        self.samples, self.order, self.seed = samples, order, seed

    def mask_count(self, count: int) -> int:
        """Those of two designs, and of the first with each column of the second."""
        if count > MOST_INDICES:
            raise RuleError(
                f"sobol of {count} groups: {MOST_INDICES} are the most; say groups=, such as "
                "'positions' or a number of cells along each axis."
            )
        return self.samples * (count + 2)

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """The indices (Jansen 1999; Saltelli 2010, table 2)."""
        designs = Designs.of(groups.count, self.samples, self.seed)
        values = self.masked(
            samples, designs.draws, lambda draws: groups.masks(designs.masks(draws)[np.newaxis])
        )
        return group_scores(designs.indices(values, self.order))


METHODS = (
    Method(
        "rise",
        "perturbation",
        Rise,
        "The target's mean over random smooth masks, weighted by the masks.",
        "Petsiuk 2018, arXiv:1806.07421",
        "N·K·samples",
    ),
    Method(
        "sobol",
        "perturbation",
        Sobol,
        "Sobol indices: shares of the target's variance under random masks.",
        "Fel 2021, arXiv:2111.04138",
        "N·K·samples·(groups + 2)",
    ),
)
