"""Gradients integrated along straight paths: integrated gradients, expected gradients."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.convergence import Sums, relative_error, summed
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import Mean
from deeplift_engine.engine.setup import Setup
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.draws import streams, uniform
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.paths import (
    RULES,
    Ends,
    Pairs,
    Paths,
    block_of,
    mean_over,
    paths,
    quadrature,
    with_references,
    without_tokens,
)
from deeplift_engine.explainers.method import Method
from deeplift_engine.util.options import Among, Count, Positive, Seed
from deeplift_engine.util.typing import Array

CLOSE = 0.05
"""Relative error of the sum from which a run with so many steps warns (Sundararajan 2017, 5)."""


class IntegratedGradients(Explainer):
    """The gradient's mean along the straight path from the reference, times the difference.

    Parameters
    ----------
    rule
        Where on the path gradients are taken, and their weights: ``"gauss_legendre"``,
        ``"midpoint"``, ``"trapezoid"``, ``"left"`` or ``"right"``.
    steps
        How many points each path has.
    tolerance
        The relative error of the sum that is wanted: paths that miss it are taken again with
        twice the steps, until they meet it or have ``most_steps``. None takes ``steps`` as they
        are, and warns from an error of 5 percent on.
    most_steps
        The most steps that a tolerance may lead to.
    """

    entered = True
    averages = True
    advice = "More steps= (or, with a tolerance=, more most_steps=) make the sum more exact."

    def __init__(
        self,
        setup: Setup,
        *,
        rule: Annotated[str, Among(RULES)] = "gauss_legendre",
        steps: Count = 50,
        tolerance: Positive | None = None,
        most_steps: Count = 1600,
    ) -> None:
        super().__init__(setup)
        without_tokens(self.setup)
        quadrature(rule, steps)
        if tolerance is not None and most_steps < steps:
            raise RuleError(
                f"most_steps={most_steps} is below steps={steps}: a tolerance would add no step."
            )
        self.rule, self.steps, self.asked, self.most_steps = rule, steps, tolerance, most_steps
        self._walk = self.walk()

    @property
    def tolerance(self) -> float:
        """What was asked for, or 5 percent."""
        return CLOSE if self.asked is None else self.asked

    def attribute(self, request: Request) -> Found:
        """Scores, mean gradients, and the sums that they should have."""
        pairs, at_ends, most = Pairs(request), Ends(self.values, request), self.steps
        for part in paths(request, block_of(request, self.setup.pairs, self.steps)):
            ends = at_ends.of(part)
            multipliers, steps = self._refined(part, ends, request.batch_size)
            pairs.add(part.block, _times(multipliers, part.differences), multipliers, ends)
            most = max(most, steps)
        return pairs.found(most_steps_taken=most)

    def _refined(
        self, part: Paths, ends: tuple[Array, Array], batch_size: int | None
    ) -> tuple[list[Array], int]:
        """Mean gradients (T, P, *S) along the paths, and the most steps that one of them took."""
        steps = self.steps
        found = self._mean_gradients(part, steps, batch_size)
        missing = self._missing(part, found, ends)
        while len(missing) and steps < self.most_steps:
            steps = min(2 * steps, self.most_steps)
            left = part.chosen(missing)
            again = self._mean_gradients(left, steps, batch_size)
            for values, better in zip(found, again, strict=True):
                values[:, missing] = better
            missing = missing[self._missing(left, again, [end[:, missing] for end in ends])]
        return found, steps

    def _missing(self, part: Paths, multipliers: list[Array], ends: Any) -> Array:
        """Numbers of the paths whose sums are further off than was asked for."""
        if self.asked is None:
            return np.zeros(0, int)
        sums, sizes = summed(_times(multipliers, part.differences))
        change = ends[0] - ends[1]
        level = np.abs(ends[0]) + np.abs(ends[1])
        relative = relative_error(sums - change, change, level, sizes)
        return np.flatnonzero((relative > self.asked).any(axis=0))

    def _mean_gradients(self, part: Paths, steps: int, batch_size: int | None) -> list[Array]:
        positions, weights = quadrature(self.rule, steps)
        together = max(1, (batch_size or self.setup.pairs) // part.count)
        total: list[Array] = []
        for first in range(0, steps, together):
            taken = slice(first, first + together)
            count = len(positions[taken])
            walked = self._walk(
                part.points(positions[taken]), repeated(part.seeds, count), batch_size
            )
            means = [
                mean_over(
                    values.reshape(len(values), part.count, count, *values.shape[2:]),
                    weights[taken],
                )
                for values in walked.multipliers
            ]
            total = [a + b for a, b in zip(total, means, strict=True)] if total else means
        return total


class ExpectedGradients(Explainer):
    """The gradient at points drawn between a reference that is drawn and the sample.

    Its mean over the draws, each times its difference, is integrated gradients averaged over the
    references; with the error of that mean.

    Parameters
    ----------
    samples
        How many draws each sample has.
    seed
        Of the draws; a sample's depend on it and on the sample alone.
    """

    entered = True
    keeps_apart = False

    def __init__(self, setup: Setup, *, samples: Count = 200, seed: Seed = 0) -> None:
        super().__init__(setup)
        without_tokens(self.setup)
        self.samples, self.seed = samples, seed
        self._walk = self.walk()

    @property
    def tolerance(self) -> float:
        """Sums are as far off as so many draws make them, which their standard errors tell."""
        return np.inf

    def attribute(self, request: Request) -> Found:
        """Means over the draws, and their standard errors."""
        seeds = request.seeds.values
        leading = (len(seeds), request.samples)
        scores, multipliers = ([Mean(leading) for _ in request.data] for _ in range(2))
        most = block_of(request, self.setup.pairs)
        for block, own in with_references(request, self.samples, most):
            n, d = block.shape
            drawn = uniform(streams(request, block, self.seed), 2)
            number = (drawn[..., 0] * request.count).astype(int)
            starts = [array[np.arange(n)[:, np.newaxis], number] for array in own]
            deltas = [
                array[block.rows][:, np.newaxis] - start
                for array, start in zip(request.data, starts, strict=True)
            ]
            points = [
                start
                + drawn[..., 1].astype(start.dtype).reshape(n, d, *[1] * (start.ndim - 2)) * delta
                for start, delta in zip(starts, deltas, strict=True)
            ]
            walked = self._walk(
                [array.reshape(-1, *array.shape[2:]) for array in points],
                repeated(of_samples(seeds, block.rows), d),
                request.batch_size,
            )
            where = (slice(None), block.rows)
            for values, delta, score, multiplier in zip(
                walked.multipliers, deltas, scores, multipliers, strict=True
            ):
                gradients = values.reshape(len(seeds), n, d, *values.shape[2:])
                score.add(where, gradients * delta)
                multiplier.add(where, gradients)
        found = [score.mean for score in scores]
        return Found(
            found,
            [multiplier.mean for multiplier in multipliers],
            [score.standard_error for score in scores] if self.samples > 1 else None,
            sums=Sums.of(found, *self._ends(request)),
        )

    def _ends(self, request: Request) -> Array:
        """The target on the samples, and its mean on all their references: (2, T, N)."""
        values = np.zeros((2, len(request.seeds.values), request.samples, request.count))
        at_ends = Ends(self.values, request)
        for part in paths(request, self.setup.pairs):
            for end, found in zip(values, at_ends.of(part), strict=True):
                block = found.reshape(len(found), *part.block.shape)
                end[:, part.block.rows, part.block.columns] = block
        return np.asarray(values.mean(axis=3))


def _times(multipliers: list[Array], differences: list[Array]) -> list[Array]:
    """Multipliers (T, P, *S) times differences (P, *S)."""
    return [values * delta for values, delta in zip(multipliers, differences, strict=True)]


METHODS = (
    Method(
        "integrated_gradients",
        "gradient",
        IntegratedGradients,
        "The gradient's mean along the straight path from the reference, times the difference.",
        "Sundararajan 2017, arXiv:1703.01365",
        "2·N·K·steps + N + N·K",
        complete=True,
        aliases=("intgrad",),
    ),
    Method(
        "expected_gradients",
        "gradient",
        ExpectedGradients,
        "Integrated gradients averaged over references, by draws of reference and position.",
        "Erion 2021, arXiv:1906.10670",
        "2·N·samples + N + N·K",
        aliases=("gradient_shap",),
    ),
)
