"""Metrics that move the inputs a little: infidelity, and how much scores change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.measured import Measured
from deeplift_engine.evaluate.subject import Subject

Array = NDArray[Any]


def infidelity(
    subject: Subject,
    *,
    by: str = "erasing",
    share: float = 0.5,
    noise: float = 0.1,
    draws: int = 100,
    seed: int = 0,
    scaled: bool = False,
) -> Measured:
    """Mean squared difference of what scores say of a perturbation, and what it does.

    Parameters
    ----------
    by
        ``"erasing"``: each feature is replaced by the reference with probability ``share``, and
        the scores say that the target drops by their sum over those. ``"noise"``: Gaussian noise I
        is taken off, and the scores say that the target drops by I times the scores per unit of
        input: the multipliers, or scores over difference-from-reference where there are none.
    share
        Probability that a feature is erased.
    noise
        Standard deviation of the noise, as a share of each sample's range.
    draws
        Perturbations of each sample.
    seed
        Of the perturbations, which are the same for all samples.
    scaled
        Whether the scores of each sample are first multiplied by the one number that serves them
        best, so that only their proportions count.

    Notes
    -----
    Yeh 2019, arXiv:1901.09392, definition 2.1, and section 3 for the scaling.
    """
    if by not in ("erasing", "noise"):
        raise InputError(f"by is 'erasing' or 'noise', not {by!r}.")
    if draws < 1:
        raise InputError(f"draws is 1 or more, not {draws!r}.")
    if by == "erasing":
        said, done = _erasing(subject, share, draws, seed)
    else:
        said, done = _noise(subject, noise, draws, seed)
    if scaled:
        size = (said**2).mean(axis=-1, keepdims=True)
        best = (said * done).mean(axis=-1, keepdims=True)
        said = said * np.divide(best, size, out=np.zeros_like(best), where=size > 0)
    return Measured(subject.given(((said - done) ** 2).mean(axis=-1)))


def _erasing(subject: Subject, share: float, draws: int, seed: int) -> tuple[Array, Array]:
    """What scores say of each draw, and the drop of the target: (T, N, D) both."""
    if not 0 < share <= 1:
        raise InputError(f"share is above 0 and at most 1, not {share!r}.")
    bench = subject.bench
    chosen = np.random.default_rng(seed).random((draws, bench.groups.count)) < share
    values = bench.once(
        ("infidelity, erasing", share, draws, seed),
        lambda: bench.erased(lambda rows, block: chosen[np.newaxis, block], draws),
    )
    return subject.sums @ chosen.T, bench.at_inputs[..., np.newaxis] - values


def _noise(subject: Subject, noise: float, draws: int, seed: int) -> tuple[Array, Array]:
    """The same for noise."""
    bench = subject.bench
    rng = np.random.default_rng(seed)
    moves = _moves(bench, draws, lambda shape: noise * rng.standard_normal(shape))
    said = np.zeros((len(bench.seeds), bench.request.samples, draws))
    done = np.zeros_like(said)
    for rows in _rows(bench, draws):
        near, steps = _near(bench, moves, rows, -1.0)
        values = bench.at(near, _origins(bench, rows, draws)).astype(float)
        done[:, rows] = bench.at_inputs[:, rows, np.newaxis] - values.reshape(done[:, rows].shape)
        for step, slope in zip(steps, _per_unit(subject, rows), strict=True):
            flat = step.reshape(*step.shape[:2], -1)
            said[:, rows] += np.einsum(
                "ndf,tnf->tnd", flat, slope.reshape(len(slope), len(step), -1)
            )
    return said, done


def _per_unit(subject: Subject, rows: slice) -> list[Array]:
    """Scores per unit of input of some samples, (T, n, *S) of each input.

    Scores that are multipliers, or their magnitudes, are per unit themselves.
    """
    scores = [score[:, rows] for score in subject.scores]
    if subject.multipliers is not None:
        multipliers = [multiplier[:, rows] for multiplier in subject.multipliers]
        same = all(
            np.array_equal(np.abs(score), np.abs(multiplier))
            for score, multiplier in zip(scores, multipliers, strict=True)
        )
        return scores if same else multipliers
    request = subject.bench.request
    data = [array[rows] for array in request.data]
    own = [part.astype(float).mean(axis=1) for part in request.own(rows.start, len(data[0]))]
    differences = [x - x0 for x, x0 in zip(data, own, strict=True)]
    return [
        np.divide(score, delta, out=np.zeros(score.shape), where=delta != 0)
        for score, delta in zip(scores, differences, strict=True)
    ]


def max_sensitivity(
    subject: Subject, *, radius: float = 0.02, draws: int = 10, seed: int = 0
) -> Measured:
    """The largest change of the scores when the input moves a little, relative to their size.

    Parameters
    ----------
    radius
        How far each element may move, as a share of its sample's range.
    draws
        Points around each sample, drawn uniformly.
    seed
        Of the points, which are the same for all samples.

    Notes
    -----
    Yeh 2019, arXiv:1901.09392, definition 3.1: the norm of the difference over the norm of the
    scores.
    """
    if draws < 1 or radius <= 0:
        raise InputError(f"draws is 1 or more and radius above 0, not {draws!r} and {radius!r}.")
    bench = subject.bench
    rng = np.random.default_rng(seed)
    moves = _moves(bench, draws, lambda shape: radius * rng.uniform(-1, 1, shape))
    largest = np.zeros((len(bench.seeds), bench.request.samples))
    for rows in _rows(bench, draws):
        near, _ = _near(bench, moves, rows, 1.0)
        found = subject.again(near, _origins(bench, rows, draws))
        apart = sum(
            _squares(
                moved.reshape(len(moved), -1, draws, *moved.shape[2:]) - score[:, rows, np.newaxis],
                3,
            )
            for moved, score in zip(found, subject.scores, strict=True)
        )
        largest[:, rows] = np.sqrt(np.max(apart, axis=2))
    size = np.sqrt(sum(_squares(score, 2) for score in subject.scores))
    return Measured(
        subject.given(np.divide(largest, size, out=np.full_like(size, np.nan), where=size > 0))
    )


def _squares(values: Array, leading: int) -> Array:
    return np.asarray((values.astype(float) ** 2).sum(axis=tuple(range(leading, values.ndim))))


def _moves(bench: Bench, draws: int, draw: Any) -> list[Array]:
    """Steps (D, *S) of each input, per unit of a sample's range."""
    for info in bench.network.inputs:
        if not info.dtype.startswith("float"):
            raise InputError(
                f"Input {info.name!r} holds tokens, which cannot move a little; choose "
                "metrics that erase."
            )
    return [draw((draws, *array.shape[1:])) for array in bench.request.data]


def _rows(bench: Bench, draws: int) -> list[slice]:
    """Samples whose points are made together."""
    rows = max(1, (bench.request.batch_size or bench.values.most) // draws)
    return [slice(row, row + rows) for row in range(0, bench.request.samples, rows)]


def _near(
    bench: Bench, moves: list[Array], rows: slice, sign: float
) -> tuple[list[Array], list[Array]]:
    """Points (n·D, *S) of each input around samples, and the steps (n, D, *S) that lead there."""
    points, steps = [], []
    for array, move in zip(bench.request.data, moves, strict=True):
        block = array[rows]
        axes = tuple(range(1, block.ndim))
        span = block.max(axis=axes, keepdims=True) - block.min(axis=axes, keepdims=True)
        span = np.where(span > 0, span, 1)[:, np.newaxis]
        step = (span * move).astype(array.dtype)
        steps.append(step.astype(float))
        points.append((block[:, np.newaxis] + sign * step).reshape(-1, *array.shape[1:]))
    return [
        part.astype(array.dtype) for part, array in zip(points, bench.request.data, strict=True)
    ], steps


def _origins(bench: Bench, rows: slice, draws: int) -> Array:
    return np.repeat(np.arange(bench.request.samples)[rows], draws)
