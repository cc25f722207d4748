"""Metrics that move the inputs a little: infidelity, and the change of the scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.blocks import Block, blocks
from deeplift_engine.errors import InapplicableError
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.options import (
    Among,
    Count,
    NotNegative,
    Positive,
    Seed,
    Share,
    validates_options,
)
from deeplift_engine.util.typing import Array


@validates_options
def infidelity(
    subject: Subject,
    *,
    by: Annotated[str, Among(("erasing", "noise"))] = "erasing",
    share: Share = 0.5,
    noise: NotNegative = 0.1,
    draws: Count = 100,
    seed: Seed = 0,
    scaled: bool = False,
) -> Measured:
    """Mean squared difference of a perturbation's effect, as scores predict it and as it is.

    Parameters
    ----------
    by
        ``"erasing"``: the reference replaces each feature with probability ``share``; scores
        predict that the target drops by their sum over those. ``"noise"``: Gaussian noise I is
        subtracted; scores predict that the target drops by I times the scores per unit of input.
        Scores that are shares of the input, or of its difference from the reference, are divided
        by it; multipliers stand for the latter where they exist.
    share
        Probability that a feature is erased.
    noise
        Standard deviation of the noise, as a share of each sample's range.
    draws
        Perturbations of each sample.
    seed
        Seed of the perturbations, which are the same for all samples.
    scaled
        Whether the scores of each sample are first multiplied by the number that minimises the
        result, so that only their proportions count.

    Notes
    -----
    Yeh 2019, arXiv:1901.09392, definition 2.1, and section 3 for the scaling.
    """
    if by == "erasing":
        predicted, observed = _erasing(subject, share, draws, seed)
    else:
        predicted, observed = _noise(subject, noise, draws, seed)
    if scaled:
        size = (predicted**2).mean(axis=-1, keepdims=True)
        best = (predicted * observed).mean(axis=-1, keepdims=True)
        predicted = predicted * np.divide(best, size, out=np.zeros_like(best), where=size > 0)
    return Measured(subject.as_requested(((predicted - observed) ** 2).mean(axis=-1)))


def _erasing(subject: Subject, share: float, draws: int, seed: int) -> tuple[Array, Array]:
    """The drop of the target for each draw, predicted and observed: (T, N, D) both."""
    bench = subject.bench
    chosen = np.random.default_rng(seed).random((draws, bench.groups.count)) < share
    values = bench.once(
        ("infidelity, erasing", share, draws, seed),
        lambda: bench.erased(lambda rows, block: chosen[np.newaxis, block], draws),
    )
    return subject.sums @ chosen.T, bench.at_inputs[..., np.newaxis] - values


def _noise(subject: Subject, noise: float, draws: int, seed: int) -> tuple[Array, Array]:
    """As `_erasing`, for noise."""
    bench = subject.bench
    if subject.per is None:
        raise InapplicableError(
            "Scores that are no shares of the input, nor of its difference from the references, do "
            "not say what noise does; take by='erasing'."
        )
    rng = np.random.default_rng(seed)
    moves = _moves(bench, draws, lambda shape: noise * rng.standard_normal(shape))
    predicted = np.zeros((len(bench.weights), bench.request.samples, draws))
    observed = np.zeros_like(predicted)
    for block in _blocks(bench, draws):
        rows, columns = block.rows, block.columns
        near, steps = _near(bench, moves, block, -1.0)
        values = bench.at(near, _origins(block)).reshape(-1, *block.shape)
        observed[:, rows, columns] = bench.at_inputs[:, rows, np.newaxis] - values.astype(float)
        for step, slope in zip(steps, _per_unit(subject, rows), strict=True):
            flat = step.reshape(*step.shape[:2], -1)
            predicted[:, rows, columns] += np.einsum(
                "ndf,tnf->tnd", flat, slope.reshape(len(slope), len(step), -1)
            )
    return predicted, observed


def _per_unit(subject: Subject, rows: slice) -> list[Array]:
    """Scores per unit of input of some samples, (T, n, *S) of each input.

    They are 0 where the input, or its difference, is 0, unless multipliers are known.
    """
    scores = [score[:, rows] for score in subject.scores]
    if subject.per == "unit":
        return scores
    known = [np.zeros(score.shape) for score in scores]
    if subject.multipliers is not None:
        known = [multiplier[:, rows].astype(float) for multiplier in subject.multipliers]
        if subject.per == "difference":
            return known
    request = subject.bench.request
    factors = [array[rows].astype(float) for array in request.data]
    if subject.per == "difference":
        own = request.block_references(rows.start, len(factors[0]))
        factors = [x - x0.astype(float).mean(axis=1) for x, x0 in zip(factors, own, strict=True)]
    return [
        np.divide(score, share, out=slope, where=share != 0)
        for score, share, slope in zip(scores, factors, known, strict=True)
    ]


@validates_options
def max_sensitivity(
    subject: Subject, *, radius: Positive = 0.02, draws: Count = 10, seed: Seed = 0
) -> Measured:
    """The largest change of the scores when the input moves a little, relative to their size.

    Parameters
    ----------
    radius
        The largest move of an element, as a share of its sample's range.
    draws
        Points around each sample, drawn uniformly.
    seed
        Seed of the points, which are the same for all samples.

    Notes
    -----
    Yeh 2019, arXiv:1901.09392, definition 3.1: the norm of the difference over the norm of the
    scores.
    """
    return Measured(subject.as_requested(_changes(subject, radius, draws, seed, np.max)))


@validates_options
def average_sensitivity(
    subject: Subject, *, radius: Positive = 0.02, draws: Count = 10, seed: Seed = 0
) -> Measured:
    """The mean change of the scores when the input moves a little, relative to their size.

    Parameters
    ----------
    radius
        The largest move of an element, as a share of its sample's range.
    draws
        Points around each sample, drawn uniformly.
    seed
        Seed of the points, which are the same for all samples.

    Notes
    -----
    Bhatt 2020, arXiv:2005.00631; Xplique's average stability is not relative.
    """
    return Measured(subject.as_requested(_changes(subject, radius, draws, seed, np.mean)))


def _changes(subject: Subject, radius: float, draws: int, seed: int, summary: Any) -> Array:
    """A summary over points near a sample of how far its scores move, over their norm: (T, N)."""
    runner = subject.runner
    if runner is not None and runner.traits.depends_on_batch:
        raise InapplicableError(
            "Scores of a sample that depend on the others of its set mean nothing at points near "
            "it: this metric is not for them."
        )
    if runner is not None and not runner.traits.accepts_noise:
        raise InapplicableError("Letters cannot move a little; choose metrics that erase.")
    bench = subject.bench
    rng = np.random.default_rng(seed)
    moves = _moves(bench, draws, lambda shape: radius * rng.uniform(-1, 1, shape))
    apart = np.zeros((len(bench.weights), bench.request.samples, draws))
    for block in _blocks(bench, draws):
        rows = block.rows
        near, _ = _near(bench, moves, block, 1.0)
        moved_scores = subject.again(near, _origins(block))
        squares = sum(
            _squares(
                moved.reshape(len(moved), *block.shape, *moved.shape[2:])
                - score[:, rows, np.newaxis],
                3,
            )
            for moved, score in zip(moved_scores, subject.scores, strict=True)
        )
        apart[:, rows, block.columns] = np.sqrt(squares)
    size = np.sqrt(sum(_squares(score, 2) for score in subject.scores))
    unknown = np.full_like(size, np.nan)
    return np.asarray(np.divide(summary(apart, axis=2), size, out=unknown, where=size > 0))


def _squares(values: Array, leading: int) -> Array:
    return np.asarray((values.astype(float) ** 2).sum(axis=tuple(range(leading, values.ndim))))


def _moves(bench: Bench, draws: int, draw: Any) -> list[Array]:
    """Steps (D, *S) of each input, per unit of a sample's range."""
    if tokens := bench.task.token_inputs:
        raise InapplicableError(
            f"Input {tokens[0]!r} holds tokens, which cannot move a little; choose metrics that "
            "erase."
        )
    return [draw((draws, *array.shape[1:])) for array in bench.request.data]


def _blocks(bench: Bench, draws: int) -> Iterator[Block]:
    """Samples and draws whose points are computed together."""
    return blocks(bench.request, draws, bench.request.batch_size or bench.values.most)


def _near(
    bench: Bench, moves: list[Array], block: Block, sign: float
) -> tuple[list[Array], list[Array]]:
    """Points (n·d, *S) of each input around the block's samples, and the steps (n, d, *S)."""
    points, steps = [], []
    for array, move in zip(bench.request.data, moves, strict=True):
        rows = array[block.rows]
        axes = tuple(range(1, rows.ndim))
        span = rows.max(axis=axes, keepdims=True) - rows.min(axis=axes, keepdims=True)
        span = np.where(span > 0, span, 1)[:, np.newaxis]
        step = (span * move[block.columns]).astype(array.dtype)
        steps.append(step.astype(float))
        points.append((rows[:, np.newaxis] + sign * step).reshape(-1, *array.shape[1:]))
    return [
        point.astype(array.dtype) for point, array in zip(points, bench.request.data, strict=True)
    ], steps


def _origins(block: Block) -> Array:
    return np.repeat(np.arange(block.rows.start, block.rows.stop), block.shape[1])
