"""The base of perturbation methods: samples in blocks, scores of groups as those of elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.perturbation.masked_values import (
    Masks,
    masked_values,
    sample_blocks,
)
from deeplift_engine.explainers.perturbation.masking.groups import Grouping, Groups, grouping
from deeplift_engine.explainers.perturbation.tiles.tiled_values import TiledValues
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.util.typing import Array


class Perturbation(Explainer):
    """A method that reads nothing but the target where elements of the inputs are replaced.

    They are replaced by references, zeros by default. Scores of several references are those of
    the target's mean over them, or of each. At ``layers=`` it is the layers' outputs that are
    replaced.
    """

    traits = Traits(attributes_layer_outputs=True)

    rounds: int = 1
    """How often the masks are evaluated, each time others."""

    @cached_property
    def tiled(self) -> TiledValues:
        """What masks leave alike, computed once."""
        return TiledValues(self.task, self.values)

    def blocks(self, request: Request, draws: int, alone: bool = False) -> Iterator[Samples]:
        """See `sample_blocks`."""
        return sample_blocks(request, self.values.most, draws, alone, self.rounds)

    def masked(
        self, samples: Samples, draws: int, masks: Masks, choice: Array | None = None
    ) -> Array:
        """See `masked_values`; by tiles where that looks cheaper."""
        tiled = self.tiled(samples, draws, masks) if choice is None else None
        if tiled is not None:
            return tiled
        return masked_values(self.values, samples, draws, masks, choice)


def joined(request: Request, blocks: Sequence[Array]) -> Array:
    """Results (T, n, k, ...) of blocks of samples; k is left out if the run averages."""
    values = np.concatenate(blocks, axis=1)
    return values[:, :, 0] if request.average else values


def group_scores(
    values: Array, errors: Array | None = None, ends: tuple[Array, Array] | None = None
) -> MethodResult:
    """The result for some samples whose scores are those of P groups.

    Parameters
    ----------
    values
        (T, n, k, P).
    errors
        Their standard errors, or None.
    ends
        The target (T, n, k) with all groups and with none, whose difference is what the values
        must sum to; None where nothing is.
    """
    sums = None
    if ends is not None:
        sums = Sums.between(*ends, values.sum(axis=-1), np.abs(values).sum(axis=-1))
    return MethodResult([values], None, None if errors is None else [errors], sums)


class Grouped(Perturbation):
    """A method that gives a value to each group of elements.

    Subclasses define how many masks they evaluate for so many groups, `mask_count`, and
    `score_groups`.

    Parameters
    ----------
    groups
        The elements that are replaced together. None: each by itself. ``"positions"``: all along
        the last axis, such as the letters of a position or the channels of a pixel. An integer:
        so many cells along each axis but the last. ``"segments"``: about 50 segments of images
        (scikit-image; other numbers of them by ``segments`` of
        `deeplift_engine.explainers.perturbation.masking.groups`).
        ``"auto"``: segments of images, positions of sequences, else elements. Whole numbers of
        the input's shape that are equal within a group, negative for what is never replaced
        (Captum's ``feature_mask``). A function of one sample that gives such. Of several inputs
        a list of these or a mapping by name.
    divide
        Whether the elements of a group share its value, so that scores sum up; else each has
        the whole, as in Captum.
    """

    def __init__(self, task: Task, *, groups: Any = None, divide: bool = True) -> None:
        super().__init__(task)
        self.groups, self.divide = groups, divide

    def grouping(self, request: Request) -> Grouping:
        """How the samples of a run are grouped."""
        return grouping(self.groups, request.inputs, request.data)

    def mask_count(self, count: int) -> int:
        """About how many masks are evaluated for ``count`` groups."""
        raise NotImplementedError

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """Scores of the groups for some samples, (T, n, k, P)."""
        raise NotImplementedError

    def _without(self, samples: Samples, groups: Groups) -> Array:
        """The target's values where all groups are replaced, (T, n, k)."""
        nothing = np.zeros((1, 1, groups.count), bool)
        return self.masked(samples, 1, lambda draws: groups.masks(nothing))[..., 0]

    def attribute(self, request: Request) -> MethodResult:
        """Scores of the elements from those of their groups."""
        how = self.grouping(request)
        groups = how.of(request.data, 0)
        blocks: list[tuple[Groups, MethodResult]] = []
        for samples in self.blocks(request, self.mask_count(groups.count), alone=how.own):
            if how.own:
                groups = how.of(samples.data, samples.block.rows.start)
            blocks.append((groups, self.score_groups(samples, groups)))
        errors = [(own, each.standard_errors[0]) for own, each in blocks if each.standard_errors]
        sums = [each.sums for _, each in blocks if each.sums is not None]
        return MethodResult(
            self._elements(request, [(own, each.scores[0]) for own, each in blocks]),
            standard_errors=self._elements(request, errors) if errors else None,
            sums=Sums.joined(sums) if sums else None,
            per_reference=not request.average,
            settings={"masks": max(self.mask_count(own.count) for own, _ in blocks)},
        )

    def _elements(self, request: Request, blocks: Sequence[tuple[Groups, Array]]) -> list[Array]:
        """Values of groups (T, n, k, P), block by block, as those of elements."""
        spread = [
            groups.spread(values / groups.sizes if self.divide else values)
            for groups, values in blocks
        ]
        return [
            joined(request, arrays).astype(self.task.dtype) for arrays in zip(*spread, strict=True)
        ]
