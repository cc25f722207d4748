"""One scoring run: blocks of inputs and references through the compiled walks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.attribution import Attribution
from deeplift_engine.comparison import AT_REFERENCE
from deeplift_engine.compiled import Compiled
from deeplift_engine.convergence import TOLERANCE, judge, relative_error
from deeplift_engine.data import block_size, padded
from deeplift_engine.means import Mean
from deeplift_engine.packaging import at_places, by_name, packaged
from deeplift_engine.plan import Plan
from deeplift_engine.progress import bar
from deeplift_engine.request import Request

Array = NDArray[Any]


@dataclass
class Scoring:
    """Walks over pairs of inputs and references in blocks of ``rows`` x ``columns``.

    Inputs are the rows, each one's references the columns. A block of inputs is forwarded
    once; so is a block of references that are shared, which are therefore the outer loop.
    Targets are walked ``depth`` at a time over the same activations.
    Results are written into arrays of their final size: means over references add up there.
    """

    plan: Plan
    compiled: Compiled
    request: Request
    found: dict[str, list[Array]] = field(default_factory=dict)
    outputs: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        request = self.request
        self.data, self.seeds, self.average = request.data, request.seeds, request.average
        self.samples, self.count = request.samples, request.count
        pairs = request.batch_size or self.plan.pairs
        self.columns = min(self.count, pairs)
        self.rows = block_size(self.samples, max(1, pairs // self.columns))
        self.depth = max(1, self.plan.pairs // (self.rows * self.columns))

    def run(self, settings: Mapping[str, Any]) -> Attribution:
        """All blocks, and the result."""
        self.walk()
        return self._result(settings)

    def walk(self) -> None:
        """All blocks, into ``found`` and ``outputs``."""
        with bar(self.samples * self.count, self.request.progress) as tick:
            for block in self._blocks():
                row, column, at_input, at_reference, seeds, rows, shares = block
                for first in range(0, len(seeds), self.depth):
                    part = self.compiled.backward(
                        at_input, at_reference, seeds[first : first + self.depth], rows, shares
                    )
                    self._write(part, first, row, column)
                tick(min(self.rows, self.samples - row) * min(self.columns, self.count - column))

    @property
    def standard_errors(self) -> list[Array] | None:
        """Of the mean scores, by cut, (targets, samples, ...); None where they are not kept."""
        return None

    def _blocks(self) -> Iterator[tuple[Any, ...]]:
        """First row, first column, and what `Compiled.backward` takes."""
        if self.request.shared:
            whole = self.request.of_all()
            for column in range(0, self.count, self.columns):
                at_reference = self.compiled.forward(
                    [padded(array, column, self.columns) for array in whole], AT_REFERENCE
                )
                for row in range(0, self.samples, self.rows):
                    at_input, seeds = self._at_input(row)
                    yield row, column, at_input, at_reference, seeds, 1, self._shares(column)
            return
        for row in range(0, self.samples, self.rows):
            at_input, seeds = self._at_input(row)
            own = self.request.own(row, self.rows)
            for column in range(0, self.count, self.columns):
                at_reference = self.compiled.forward(
                    [self._paired(array, column) for array in own], AT_REFERENCE
                )
                shares = self._shares(column)
                yield row, column, at_input, at_reference, seeds, self.rows, shares

    def _at_input(self, row: int) -> tuple[Mapping[str, Any], Array]:
        at_input = self.compiled.forward([padded(array, row, self.rows) for array in self.data])
        for name in self.plan.graph.outputs:
            block = at_input[name].numpy()[: self.samples - row]
            shape = (self.samples, *block.shape[1:])
            self.outputs.setdefault(name, np.zeros(shape, block.dtype))[row : row + self.rows] = (
                block
            )
        return at_input, self.seeds.block(row, self.rows)

    def _paired(self, own: Array, column: int) -> Array:
        """One block of columns as one batch, the last column repeated past the end."""
        numbers = np.minimum(np.arange(column, column + self.columns), self.count - 1)
        block = own if self.columns == self.count else own[:, numbers]
        return block.reshape(-1, *own.shape[2:])

    def _shares(self, column: int) -> Array:
        """Weight of each column in the mean; none for those past the end."""
        inside = np.arange(column, column + self.columns) < self.count
        return np.where(inside, 1.0 / self.count, 0.0)

    def _write(self, part: Mapping[str, Any], target: int, row: int, column: int) -> None:
        """Put one block's results where they belong, without its padding."""
        for kind, value in part.items():
            for number, tensor in enumerate(value if isinstance(value, list) else [value]):
                mean = self.average and kind in ("scores", "multipliers")
                start = (target, row) if mean else (target, row, column)
                self._add(kind, number, tensor.numpy(), start)

    def _add(self, kind: str, number: int, block: Array, start: Sequence[int]) -> None:
        """Add a block into the array of that kind; axes of size 1 stand for all."""
        axes = len(start)
        totals = (len(self.seeds.values), self.samples, self.count)[:axes]
        sizes = (self.depth, self.rows, self.columns)[:axes]
        held = self.found.setdefault(kind, [])
        if number == len(held):
            held.append(np.zeros((*totals, *block.shape[axes:]), block.dtype))
        kept = [
            min(size, total - first)
            for first, size, total in zip(start, sizes, totals, strict=True)
        ]
        where = tuple(slice(first, first + size) for first, size in zip(start, kept, strict=True))
        inside = tuple(slice(0, size) for size in kept)
        held[number][where] += block[inside]

    def _result(self, settings: Mapping[str, Any]) -> Attribution:
        stacked = self.seeds.stacked

        def shaped(values: Array) -> Array:
            return values if stacked else values[0]

        sums = self.found["sums"][0]
        change, error, relative = self.found["deltas"][0], None, None
        if self.plan.complete:
            error = sums - change
            relative = relative_error(
                error, change, self.found["levels"][0], self.found["sizes"][0]
            )
            judge(relative, error, change, TOLERANCE[self.plan.dtype], self.request.strict)
            if self.average:
                error, relative = error.mean(axis=2), relative.max(axis=2)
        if self.average:
            change = change.mean(axis=2)
        errors = self.standard_errors
        return packaged(
            self.request,
            settings,
            standard_errors=errors and at_places(self.plan.places, errors, self.request),
            scores=at_places(self.plan.places, self.found["scores"], self.request),
            multipliers=at_places(self.plan.places, self.found["multipliers"], self.request),
            convergence_delta=None if error is None else shaped(error),
            target_delta=shaped(change),
            relative_error=None if relative is None else shaped(relative),
            predictions=by_name(list(self.outputs), list(self.outputs.values())),
        )


@dataclass
class Spreading(Scoring):
    """A run that keeps means over the references, and how far the references spread.

    Its walk back is not averaged: what leaves it is one block, as large as memory allows.
    """

    means: dict[tuple[str, int], Mean] = field(default_factory=dict)

    def walk(self) -> None:
        """All blocks, into ``found`` and ``outputs``."""
        super().walk()
        for (kind, _), mean in self.means.items():
            self.found.setdefault(kind, []).append(mean.mean)

    @property
    def standard_errors(self) -> list[Array] | None:
        """Of the mean scores, by cut, (targets, samples, ...)."""
        return [mean.standard_error for (kind, _), mean in self.means.items() if kind == "scores"]

    def _write(self, part: Mapping[str, Any], target: int, row: int, column: int) -> None:
        kinds = ("scores", "multipliers")
        super()._write(
            {name: part[name] for name in part if name not in kinds}, target, row, column
        )
        n = min(self.rows, self.samples - row)
        k = min(self.columns, self.count - column)
        targets = slice(target, min(target + self.depth, len(self.seeds.values)))
        where = (targets, slice(row, row + n))
        for kind in kinds:
            for number, tensor in enumerate(part[kind]):
                values = tensor.numpy()[:, :n, :k]
                totals = (len(self.seeds.values), self.samples)
                mean = self.means.setdefault((kind, number), Mean(totals))
                mean.add(where, column, values)
