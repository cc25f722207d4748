"""Some samples of a run beside their references, as blocks of a run hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from deeplift_engine.engine.blocks import Block
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Samples:
    """n samples of a run, with k references of each.

    Attributes
    ----------
    request
        The run.
    block
        Where in the run they are.
    data
        Of each input (n, *S).
    references
        Of each input (n, k, *S).
    weights
        Over the target's units (T, n or 1, *shape).
    tick
        Function that is told how many points were evaluated.
    chosen
        Which samples of the block these are, by number; None where they are all.
    """

    request: Request
    block: Block
    data: list[Array]
    references: list[Array]
    weights: Array
    tick: Callable[[int], object] = lambda count: None
    chosen: Array | None = None

    @property
    def count(self) -> int:
        """How many samples there are, n."""
        return len(self.data[0])

    def number(self, sample: int) -> int:
        """The number in the run of a sample of these, for errors."""
        own = sample if self.chosen is None else int(self.chosen[sample])
        return self.request.number(self.block.rows.start + own)

    @property
    def differences(self) -> list[Array]:
        """Samples minus their first references (n, *S)."""
        pairs = zip(self.data, self.references, strict=True)
        return [array - references[:, 0] for array, references in pairs]

    def only(self, numbers: Array) -> Samples:
        """Some of them, by their numbers."""
        return replace(
            self,
            data=[array[numbers] for array in self.data],
            references=[array[numbers] for array in self.references],
            weights=of_samples(self.weights, numbers),
            chosen=numbers if self.chosen is None else self.chosen[numbers],
        )

    def paired(self) -> Samples:
        """Each of the block's pairs as a sample with one reference, a sample's in a row."""
        columns = self.block.shape[1]
        return replace(
            self,
            data=[np.repeat(array, columns, axis=0) for array in self.data],
            references=[
                array[:, self.block.columns].reshape(-1, 1, *array.shape[2:])
                for array in self.references
            ],
            weights=repeated(self.weights, columns),
        )


def samples_of(request: Request, blocks: Iterable[Block]) -> Iterator[Samples]:
    """The samples of each block and all their references, which blocks in a row share."""
    rows, references = slice(0, 0), list[Array]()
    for block in blocks:
        if block.rows != rows:
            rows = block.rows
            references = request.block_references(rows.start, rows.stop - rows.start)
        data = [array[rows] for array in request.data]
        yield Samples(request, block, data, references, of_samples(request.weights, rows))
