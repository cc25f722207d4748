"""What perturbation methods share: samples in blocks, and values of groups as scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.setup import Setup
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.perturbation.masked_values import Perturbed, Samples
from deeplift_engine.explainers.perturbation.masking.groups import Grouping, Groups, grouping
from deeplift_engine.util.typing import Array


class Perturbation(Explainer):
    """A method that looks at nothing but the target where parts of the inputs are replaced.

    They are replaced by references, zeros unless others are given. Scores of several references
    are those of the target's mean over them, or are kept apart. At ``layers=`` it is the layers'
    outputs that are replaced.
    """

    entered = True

    rounds: int = 1
    """How often the masks are evaluated, each time others."""

    def blocks(
        self, request: Request, draws: int, alone: bool = False
    ) -> Iterator[tuple[slice, Samples]]:
        """See `Perturbed.blocks`."""
        perturbed = Perturbed(request, self.values, self.setup.pairs)
        return perturbed.blocks(draws, alone, self.rounds)


def joined(request: Request, blocks: Sequence[Array]) -> Array:
    """Results (T, n, k, ...) of blocks of samples; k is left out unless references are apart."""
    whole = np.concatenate(blocks, axis=1)
    return whole[:, :, 0] if request.average else whole


@dataclass(frozen=True)
class Valued:
    """What P groups are worth to some samples.

    Attributes
    ----------
    values
        (T, n, k, P).
    errors
        Their standard errors, or None.
    ends
        The target (T, n, k) with all groups and with none, whose difference is what the values
        must sum to; None where nothing is.
    """

    values: Array
    errors: Array | None = None
    ends: tuple[Array, Array] | None = None


class Grouped(Perturbation):
    """A method that gives a value to each group of elements.

    Subclasses say how many ``masks`` they evaluate of so many groups, and what groups are
    ``valued``.

    Parameters
    ----------
    groups
        What is replaced together. None: each element by itself. ``"positions"``: all along the
        last axis, such as the letters of a position or the channels of a pixel. A whole number:
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

    def __init__(self, setup: Setup, *, groups: Any = None, divide: bool = True) -> None:
        super().__init__(setup)
        self.groups, self.divide = groups, divide

    def grouping(self, request: Request) -> Grouping:
        """How the samples of a run are grouped."""
        return grouping(self.groups, request.inputs, request.data)

    def masks(self, count: int) -> int:
        """About how many masks are evaluated for ``count`` groups."""
        raise NotImplementedError

    def valued(self, samples: Samples, groups: Groups) -> Valued:
        """What the groups are worth to the samples."""
        raise NotImplementedError

    def attribute(self, request: Request) -> Found:
        """Scores of the elements from values of their groups."""
        how = self.grouping(request)
        groups = how.of(request.data, 0)
        parts: list[tuple[Groups, Valued]] = []
        for rows, samples in self.blocks(request, self.masks(groups.count), alone=how.own):
            if how.own:
                groups = how.of(samples.data, rows.start)
            parts.append((groups, self.valued(samples, groups)))
        errors = [(own, part.errors) for own, part in parts if part.errors is not None]
        return Found(
            self._elements(request, [(own, part.values) for own, part in parts]),
            standard_errors=self._elements(request, errors) if errors else None,
            sums=_sums([part for _, part in parts]),
            apart=not request.average,
        )

    def _elements(self, request: Request, parts: Sequence[tuple[Groups, Array]]) -> list[Array]:
        """Values of groups (T, n, k, P), block by block, as those of elements."""
        spread = [
            groups.spread(values / groups.sizes if self.divide else values)
            for groups, values in parts
        ]
        return [
            joined(request, blocks).astype(self.setup.dtype) for blocks in zip(*spread, strict=True)
        ]


def _sums(parts: Sequence[Valued]) -> Sums | None:
    """Of the values of all blocks, if there is something that they must sum to."""
    ends = [part.ends for part in parts if part.ends is not None]
    if not ends:
        return None
    found = [part.values.sum(axis=-1) for part in parts]
    size = [np.abs(part.values).sum(axis=-1) for part in parts]
    arrays = (*zip(*ends, strict=True), found, size)
    return Sums.between(*(np.concatenate(array, axis=1) for array in arrays))
