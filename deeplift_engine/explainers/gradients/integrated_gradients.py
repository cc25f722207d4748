"""Gradients integrated along straight paths: integrated gradients, expected gradients."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import blocks
from deeplift_engine.engine.convergence import Sums, relative_error, summed
from deeplift_engine.engine.mean_gradients import PathGradients
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.engine.samples import Samples, samples_of
from deeplift_engine.engine.scoring import PairResults
from deeplift_engine.engine.target_weights import repeated
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.draws import streams, uniform
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.paths import (
    add_paths,
    paths,
    per_path,
    points_per_path,
    target_at_ends,
    without_tokens,
)
from deeplift_engine.explainers.gradients.quadrature import RULES, quadrature, refinement
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
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
        ``"nested"`` (trapezoids that are narrow at both ends), ``"midpoint"``, ``"trapezoid"``,
        ``"left"`` or ``"right"``. None is ``"nested"`` with a tolerance, whose points are among
        those of more steps, and ``"gauss_legendre"`` without.
    steps
        How many points each path has, or has first.
    tolerance
        The relative error of the sum that is wanted: paths that miss it get more steps, about
        twice as many (``"midpoint"``: three times) each time, until they meet it or would have
        more than ``most_steps``; all rules but Gauss and Legendre's keep the gradients that they
        have. How many a path gets depends on its own sum alone. None takes ``steps`` as they are,
        and warns from an error of 5 percent on.
    most_steps
        The most steps that a tolerance may lead to.
    """

    traits = Traits(
        attributes_layer_outputs=True,
        holds_masks=True,
        has_reference_errors=True,
        advice="More steps= (or, with a tolerance=, more most_steps=) make the sum more exact.",
    )

    def __init__(
        self,
        task: Task,
        *,
        rule: Annotated[str, Among(tuple(RULES))] | None = None,
        steps: Count = 50,
        tolerance: Positive | None = None,
        most_steps: Count = 2000,
    ) -> None:
        super().__init__(task)
        without_tokens(self.task)
        rule = rule or ("gauss_legendre" if tolerance is None else "nested")
        quadrature(rule, steps)
        if tolerance is not None and most_steps < steps:
            raise RuleError(
                f"most_steps={most_steps} is below steps={steps}: a tolerance would add no step."
            )
        self.rule, self.steps, self.most_steps = rule, steps, most_steps
        self._tolerance = tolerance
        self._gradients = PathGradients(self.task)

    @property
    def tolerance(self) -> float:
        """The one of the options, or 5 percent."""
        return CLOSE if self._tolerance is None else self._tolerance

    def attribute(self, request: Request) -> MethodResult:
        """Scores, mean gradients, and the sums that they should have."""
        results, at_ends = PairResults(request), target_at_ends(self.values, request)
        most = self.steps
        for samples in paths(request, points_per_path(request, self.task.pairs, self.steps)):
            ends = at_ends(samples)
            multipliers = self._along(samples, *quadrature(self.rule, self.steps))
            steps, missing = self.steps, self._missing(samples, multipliers, ends)
            while len(missing) and (more := refinement(self.rule, steps, self.most_steps)):
                steps, left = more.steps, samples.only(missing)
                added = self._along(left, more.positions, more.weights)
                better = [
                    more.kept * values[:, missing] + new
                    for values, new in zip(multipliers, added, strict=True)
                ]
                for values, new in zip(multipliers, better, strict=True):
                    values[:, missing] = new
                still = self._missing(left, better, [end[:, missing] for end in ends])
                missing = missing[still]
            scores = _times(multipliers, samples.differences)
            add_paths(results, samples.block, scores, multipliers, ends)
            most = max(most, steps)
        return results.result(most_steps_taken=most)

    def _missing(self, samples: Samples, multipliers: list[Array], ends: Any) -> Array:
        """Numbers of the paths whose sums miss by more than the tolerance of the options."""
        if self._tolerance is None:
            return np.zeros(0, int)
        sums, sizes = summed(_times(multipliers, samples.differences))
        change = ends[0] - ends[1]
        level = np.abs(ends[0]) + np.abs(ends[1])
        relative = relative_error(sums - change, change, level, sizes)
        return np.flatnonzero((relative > self._tolerance).any(axis=0))

    def _along(self, samples: Samples, positions: Array, weights: Array) -> list[Array]:
        """Weighted sums (T, P, *S) of the gradients at these points of the paths."""
        return self._gradients(samples, positions, weights, samples.request.batch_size)


class ExpectedGradients(Explainer):
    """The gradient at points drawn between a drawn reference and the sample.

    Its mean over the draws, each times its difference, is integrated gradients averaged over the
    references; with the error of that mean.

    Parameters
    ----------
    samples
        How many draws each sample has.
    seed
        Of the draws; a sample's depend on it and on the sample alone.
    """

    traits = Traits(attributes_layer_outputs=True, holds_masks=True, supports_per_reference=False)

    def __init__(self, task: Task, *, samples: Count = 200, seed: Seed = 0) -> None:
        super().__init__(task)
        without_tokens(self.task)
        self.samples, self.seed = samples, seed
        self._backward = self.backward_pass()

    @property
    def tolerance(self) -> float:
        """Sums are as far off as so many draws make them, which their standard errors tell."""
        return np.inf

    def attribute(self, request: Request) -> MethodResult:
        """Means over the draws, and their standard errors."""
        leading = (len(request.weights), request.samples)
        scores, multipliers = ([RunningMean(leading) for _ in request.data] for _ in range(2))
        most = points_per_path(request, self.task.pairs)
        for samples in samples_of(request, blocks(request, self.samples, most)):
            block, (n, d) = samples.block, samples.block.shape
            drawn = uniform(streams(request, block, self.seed), 2)
            number = (drawn[..., 0] * request.count).astype(int)
            starts = [array[np.arange(n)[:, np.newaxis], number] for array in samples.references]
            deltas = [
                array[:, np.newaxis] - start
                for array, start in zip(samples.data, starts, strict=True)
            ]
            points = [
                start
                + drawn[..., 1].astype(start.dtype).reshape(n, d, *[1] * (start.ndim - 2)) * delta
                for start, delta in zip(starts, deltas, strict=True)
            ]
            result = self._backward(
                [array.reshape(-1, *array.shape[2:]) for array in points],
                repeated(samples.weights, d),
                request.batch_size,
            )
            where = (slice(None), block.rows)
            for values, delta, score, multiplier in zip(
                result.multipliers, deltas, scores, multipliers, strict=True
            ):
                gradients = per_path(values, d)
                score.add(where, gradients * delta)
                multiplier.add(where, gradients)
        means = [score.mean for score in scores]
        return MethodResult(
            means,
            [multiplier.mean for multiplier in multipliers],
            [score.standard_error for score in scores] if self.samples > 1 else None,
            sums=Sums.of(means, *self._ends(request)),
        )

    def _ends(self, request: Request) -> Array:
        """The target on the samples, and its mean on all their references: (2, T, N)."""
        values = np.zeros((2, len(request.weights), request.samples, request.count))
        at_ends = target_at_ends(self.values, request)
        for samples in paths(request, self.task.pairs):
            block = samples.block
            for end, level in zip(values, at_ends(samples), strict=True):
                end[:, block.rows, block.columns] = level.reshape(len(level), *block.shape)
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
