"""One scoring run: blocks of inputs and references through the compiled walks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.engine.activation_pairs import AT_INPUT, AT_REFERENCE
from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.compiled import Compiled, Forward
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.plan import Plan
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import Mean
from deeplift_engine.graph.inputs import block_size, padded
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

Place = tuple[int, int, int]


@dataclass(frozen=True)
class Block:
    """Inputs from ``row`` and references from ``column`` on, and what `Compiled.backward` takes.

    ``pairs`` of them are not padding.
    """

    row: int
    column: int
    at_input: Mapping[str, Any]
    at_reference: Mapping[str, Any]
    seeds: Array
    leading: int
    shares: Array
    pairs: int


@dataclass
class Scoring:
    """Walks over pairs of inputs and references in blocks of ``rows`` x ``columns``.

    Inputs are the rows, each one's references the columns. A block of inputs is forwarded
    once; so is a block of references that are shared, which are therefore the outer loop.
    Targets are walked ``depth`` at a time over the same activations.
    Results are written into arrays of their final size: means over references add up there.
    The walk there is that of ``compiled`` unless another is given.
    """

    plan: Plan
    compiled: Compiled
    request: Request
    forward: Forward | None = None
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

    def _forward(self, values: Sequence[Any], end: str = AT_INPUT) -> dict[str, Any]:
        return (self.forward or self.compiled.forward)(values, end)

    def run(self) -> Found:
        """All blocks, and what was found."""
        with bar(self.samples * self.count, self.request.progress) as tick:
            for block in self.blocks():
                self.take(self.compiled, block)
                tick(block.pairs)
        return self.gathered()

    def take(self, compiled: Compiled, block: Block) -> None:
        """Walk back over a block, and write what comes of it."""
        for first in range(0, len(block.seeds), self.depth):
            part = compiled.backward(
                block.at_input,
                block.at_reference,
                block.seeds[first : first + self.depth],
                block.leading,
                block.shares,
            )
            start, size = (first, block.row, block.column), (self.depth, self.rows, self.columns)
            self.write(part, start, size)

    @property
    def standard_errors(self) -> list[Array] | None:
        """Of the mean scores, by cut, (targets, samples, ...); None where they are not kept."""
        return None

    def blocks(self) -> Iterator[Block]:
        """All there is to walk, forwarded."""
        if self.request.shared:
            whole = self.request.of_all()
            for column in range(0, self.count, self.columns):
                at_reference = self._forward(
                    [padded(array, column, self.columns) for array in whole], AT_REFERENCE
                )
                for row in range(0, self.samples, self.rows):
                    yield self._block(row, column, self._at_input(row), at_reference, 1)
            return
        for row in range(0, self.samples, self.rows):
            at_input = self._at_input(row)
            own = self.request.own(row, self.rows)
            for column in range(0, self.count, self.columns):
                at_reference = self._forward(
                    [self._paired(array, column) for array in own], AT_REFERENCE
                )
                yield self._block(row, column, at_input, at_reference, self.rows)

    def _block(
        self,
        row: int,
        column: int,
        at_input: Mapping[str, Any],
        at_reference: Mapping[str, Any],
        leading: int,
    ) -> Block:
        pairs = min(self.rows, self.samples - row) * min(self.columns, self.count - column)
        seeds = self.seeds.block(row, self.rows)
        shares = self._shares(column)
        return Block(row, column, at_input, at_reference, seeds, leading, shares, pairs)

    def _at_input(self, row: int) -> Mapping[str, Any]:
        at_input = self._forward([padded(array, row, self.rows) for array in self.data])
        for name in self.plan.graph.outputs:
            block = np.asarray(at_input[name])[: self.samples - row]
            shape = (self.samples, *block.shape[1:])
            self.outputs.setdefault(name, np.zeros(shape, block.dtype))[row : row + self.rows] = (
                block
            )
        return at_input

    def _paired(self, own: Array, column: int) -> Array:
        """One block of columns as one batch, the last column repeated past the end."""
        numbers = np.minimum(np.arange(column, column + self.columns), self.count - 1)
        block = own if self.columns == self.count else own[:, numbers]
        return block.reshape(-1, *own.shape[2:])

    def _shares(self, column: int) -> Array:
        """Weight of each column in the mean; none for those past the end."""
        inside = np.arange(column, column + self.columns) < self.count
        return np.where(inside, 1.0 / self.count, 0.0)

    def write(self, part: Mapping[str, Any], start: Place, size: Place) -> None:
        """Put one block's results where they belong, without its padding.

        ``start`` and ``size`` count targets, samples and references.
        """
        for kind, value in part.items():
            for number, tensor in enumerate(value if isinstance(value, list) else [value]):
                axes = 2 if self.average and kind in ("scores", "multipliers") else 3
                self._add(kind, number, np.asarray(tensor), start[:axes], size[:axes])

    def _add(
        self, kind: str, number: int, block: Array, start: Sequence[int], size: Sequence[int]
    ) -> None:
        """Add a block into the array of that kind; axes of size 1 stand for all."""
        axes = len(start)
        totals = (len(self.seeds.values), self.samples, self.count)[:axes]
        held = self.found.setdefault(kind, [])
        if number == len(held):
            held.append(np.zeros((*totals, *block.shape[axes:]), block.dtype))
        where = inside(start, size, totals)
        kept = tuple(slice(0, part.stop - part.start) for part in where)
        held[number][where] += block[kept]

    def gathered(self) -> Found:
        """What was found."""
        found, complete = self.found, self.plan.complete
        return Found(
            found["scores"],
            found["multipliers"],
            self.standard_errors,
            sums=Sums(
                change=found["deltas"][0],
                level=found["levels"][0],
                found=found["sums"][0] if complete else None,
                size=found["sizes"][0] if complete else None,
            ),
            predictions=self.outputs,
            apart=not self.average,
        )


@dataclass
class Spreading(Scoring):
    """A run that keeps means over the references, and how far the references spread.

    Its walk back is not averaged: what leaves it is one block, as large as memory allows.
    """

    means: dict[tuple[str, int], Mean] = field(default_factory=dict)

    def gathered(self) -> Found:
        """What was found, means among it."""
        for (kind, _), mean in self.means.items():
            self.found.setdefault(kind, []).append(mean.mean)
        return super().gathered()

    @property
    def standard_errors(self) -> list[Array] | None:
        """Of the mean scores, by cut, (targets, samples, ...); None of less than two references."""
        if self.count < 2:
            return None
        return [mean.standard_error for (kind, _), mean in self.means.items() if kind == "scores"]

    def write(self, part: Mapping[str, Any], start: Place, size: Place) -> None:
        """Put one block's results where they belong, without its padding."""
        kinds = ("scores", "multipliers")
        super().write({name: part[name] for name in part if name not in kinds}, start, size)
        totals = (len(self.seeds.values), self.samples, self.count)
        targets, rows, columns = inside(start, size, totals)
        n, k = rows.stop - rows.start, columns.stop - columns.start
        for kind in kinds:
            for number, tensor in enumerate(part[kind]):
                values = np.asarray(tensor)[:, :n, :k]
                mean = self.means.setdefault((kind, number), Mean(totals[:2]))
                mean.add((targets, rows), values)


def inside(start: Sequence[int], size: Sequence[int], totals: Sequence[int]) -> tuple[slice, ...]:
    """Where a block lies, without what is past the end."""
    return tuple(
        slice(first, min(first + many, total))
        for first, many, total in zip(start, size, totals, strict=True)
    )
