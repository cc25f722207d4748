"""Straight paths from references to samples, and results along them, pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from deeplift_engine.engine.blocks import Block, blocks
from deeplift_engine.engine.convergence import SUMS, Sums, summed
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples, samples_of
from deeplift_engine.engine.scoring import PairResults
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

BLOCKS = 4
"""How many blocks of a backward pass are prepared together."""


def without_tokens(task: Task) -> None:
    """See that there are points between any two inputs.

    Raises
    ------
    InputError
        Where an input holds tokens.
    """
    tokens = list(task.token_inputs)
    if tokens:
        readers = [
            node.name for node in task.graph.nodes.values() if set(tokens) & set(node.inputs)
        ]
        raise InputError(
            f"The inputs {tokens} hold tokens, and there is nothing between two tokens: give "
            f"layers=, the embedding where they are looked up. They are read by {readers}."
        )


def points_per_path(request: Request, pairs: int, points: int = 1) -> int:
    """How many paths of ``points`` points to take together, where ``pairs`` points are by default.

    Several blocks of a backward pass: points are small beside what it computes at them.
    """
    targets = len(request.weights)
    return max(1, BLOCKS * (request.batch_size or pairs) // (points * targets))


def paths(request: Request, most: int) -> Iterator[Samples]:
    """All pairs of sample and reference, ``most`` at a time, each as a sample of its own."""
    for samples in samples_of(request, blocks(request, request.count, most)):
        yield samples.paired()


def on_paths(samples: Samples, positions: Array) -> list[Array]:
    """Points (P · s, *S) at ``positions`` (s,) of P straight paths, a path's next to each other."""
    arrays = []
    for references, end in zip(samples.references, samples.data, strict=True):
        at = positions.astype(end.dtype).reshape(-1, *[1] * (end.ndim - 1))
        points = references + at * (end - references[:, 0])[:, np.newaxis]
        arrays.append(points.reshape(-1, *end.shape[1:]))
    return arrays


def target_at_ends(
    values: ForwardPass, request: Request
) -> Callable[[Samples], tuple[Array, Array]]:
    """A function of paths to the target (T, P) at samples and references.

    Samples, and references that are shared, are sent forward once, here.
    """
    weights, count = request.weights, request.count
    at_data = values(request.data, weights, request.batch_size)
    at_shared = None
    if request.shared:
        flat = weights.reshape(-1, 1, *weights.shape[2:])
        at_shared = values(request.shared_references(), flat, request.batch_size)
        at_shared = np.broadcast_to(
            at_shared.reshape(*weights.shape[:2], -1), (*at_data.shape, count)
        )

    def at_ends(samples: Samples) -> tuple[Array, Array]:
        block = samples.block
        at_end = np.repeat(at_data[:, block.rows], block.shape[1], axis=1)
        if at_shared is None:
            references = [array[:, 0] for array in samples.references]
            return at_end, values(references, samples.weights, request.batch_size)
        return at_end, at_shared[:, block.rows, block.columns].reshape(at_end.shape)

    return at_ends


def add_paths(
    results: PairResults,
    block: Block,
    scores: Sequence[Array],
    multipliers: Sequence[Array] = (),
    ends: tuple[Array, Array] | None = None,
) -> None:
    """Add a block (T, P, *S), and the target (T, P) at both ends, if sums must meet it."""
    arrays: dict[str, list[Array]] = {"scores": list(scores), "multipliers": list(multipliers)}
    if ends is not None:
        sums = Sums.between(*ends, *summed(scores))
        arrays |= {name: [getattr(sums, name)] for name in SUMS}
    results.add(
        block,
        {
            name: [values.reshape(len(values), *block.shape, *values.shape[2:]) for values in each]
            for name, each in arrays.items()
        },
    )


def per_path(values: Array, points: int) -> Array:
    """Values (T, P · s, *S) at the s points of paths as (T, P, s, *S)."""
    return values.reshape(len(values), -1, points, *values.shape[2:])


def mean_over(gradients: Array, weights: Array) -> Array:
    """Weighted sum (T, P, *S) over the points of each path of gradients (T, P, s, *S)."""
    return np.asarray(np.einsum("s,tps...->tp...", weights.astype(gradients.dtype), gradients))


def along(gradients: Array, points: Array) -> Array:
    """Integral (T, P, *S) over a path's points of gradients (T, P, s, *S), by trapezoids."""
    widths = np.empty_like(points)  # twice each, from the point before to the point behind
    np.subtract(points[:, 1], points[:, 0], out=widths[:, 0])
    np.subtract(points[:, 2:], points[:, :-2], out=widths[:, 1:-1])
    np.subtract(points[:, -1], points[:, -2], out=widths[:, -1])
    widths /= 2
    return np.asarray(np.einsum("tps...,ps...->tp...", gradients, widths))
