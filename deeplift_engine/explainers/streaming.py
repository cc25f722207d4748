"""Long runs part by part: what is read, scored and handed on is never the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.request import Request, checked_batch_size
from deeplift_engine.engine.source import Source
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.other_words import RUN, advice_on, refuse
from deeplift_engine.graph.inputs import block_size
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util.memory import activations_within
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.explainers.explainer import Explainer

FIRST = 16
"""Samples that are tried for one that fits the network."""
PART_SAMPLES = 512
"""Samples of a part at most: enough to make what a part costs once cheap."""
PART_BYTES = 32 << 20
"""Bytes of a part's inputs at most; its scores, multipliers and others are as large each."""


class Stream:
    """A long run of an explainer, of which any part can be scored by itself.

    Parts begin at fixed samples whatever is asked for, and are computed in the shapes of the whole
    run, so that scores of a sample are the same bits in any order of parts.

    Parameters
    ----------
    explainer, x
        As for `Explainer.stream`.
    rows
        Samples of a part; None chooses by the network and the size of a sample alone.
    **arguments
        Of `Explainer.run`; and ``memory``, bytes that the process is to stay within.

    Attributes
    ----------
    source
        The inputs.
    rows
        Samples of a part.
    first
        The number of the first sample that fits the network: usually 0.
    request
        Of it.
    """

    def __init__(
        self, explainer: Explainer, x: Any, *, rows: int | None = None, **arguments: Any
    ) -> None:
        if explainer.traits.depends_on_batch:
            raise InputError(
                f"Scores by {explainer.name} depend on which samples are scored together, so that "
                "a run of parts is another than the whole: use run()."
            )
        options = explainer.origin.settings.get("options", {})
        taken = (*RUN, "rows", "memory")
        others = [name for name in arguments if name not in taken]
        refuse("stream", others, taken, lambda name: advice_on(name, options))
        self.explainer = explainer
        self.source = Source(x, explainer.origin.inputs, explainer.origin.dtype)
        self.progress = arguments.pop("progress", None)
        if (memory := arguments.pop("memory", None)) is not None:
            arguments["memory"] = activations_within(memory)
        self.first, self.request = self._first_request(arguments)
        self.rows = checked_batch_size(rows) or self._rows()

    @property
    def parts(self) -> list[slice]:
        """The slices of samples, in order."""
        return list(slices(len(self.source), self.rows))

    def __iter__(self) -> Iterator[tuple[slice, Attribution]]:
        """Every part, with a bar."""
        with bar(len(self.source), self.progress, " samples") as tick:
            for rows, raw in self.source.parts(self.parts):
                yield rows, self.score(raw, np.arange(rows.start, rows.stop))
                tick(rows.stop - rows.start)

    def score(self, raw: Any, numbers: Array) -> Attribution:
        """Samples of these numbers (n,), as the source gives them."""
        data = self.source.checked(raw, int(numbers[0]))
        return self.explainer.answer(self.request.part(data, numbers))

    def _first_request(self, arguments: Mapping[str, Any]) -> tuple[int, Request]:
        """The number of the first sample that fits, and its request."""
        source, refused = self.source, []
        for number in range(min(FIRST, len(source))):
            try:
                some = source.raw(slice(number, number + 1))
                return number, self.explainer.request(
                    some, samples=len(source), first=number, progress=False, **arguments
                )
            except InputError as error:
                refused.append(error)
        raise refused[0]

    def _rows(self) -> int:
        """Whole blocks of pairs, so that none is filled up but the last."""
        request = self.request
        pairs = request.batch_size or self.explainer.task.pairs
        block = block_size(len(self.source), max(1, pairs // min(request.count, pairs)))
        bytes_each = sum(array[0].nbytes for array in request.data)
        most = min(PART_SAMPLES, PART_BYTES // max(1, bytes_each))
        return int(block * max(1, most // block))


__all__ = ["Stream"]
