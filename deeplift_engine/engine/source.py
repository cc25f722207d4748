"""Data of a run that are read part by part: whatever has a length and gives slices."""

from __future__ import annotations

import mmap
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import InputInfo, arrays, by_input, by_name
from deeplift_engine.util.typing import Array

_FORGET = getattr(mmap, "MADV_DONTNEED", None)


class Source:
    """The inputs of many samples, of which only slices are held.

    Parameters
    ----------
    x
        What `Explainer.run` takes, where each array may be anything that has a length and gives
        numpy arrays for slices: a memory map, a data set of an open HDF5 file, a zarr array, an
        object of your own. Of several inputs, an object whose slices are mappings by name will do.
    inputs
        The network's.
    dtype
        What the network computes in; a slice is cast to it when it is read, and no sooner.

    Raises
    ------
    InputError
        If something has no length, or the lengths differ; no samples.
    """

    def __init__(self, x: Any, inputs: Sequence[InputInfo], dtype: str) -> None:
        self.inputs, self.dtype = tuple(inputs), dtype
        single = len(self.inputs) > 1 and not isinstance(x, Mapping | Sequence | np.ndarray)
        self.values: list[Any] = [x] if single else by_input(x, self.inputs, "x")
        self.single = single or len(self.values) == 1
        lengths = [_length(value) for value in self.values]
        if len(set(lengths)) > 1:
            named = dict(zip((info.name for info in inputs), lengths, strict=True))
            raise InputError(f"The inputs have different numbers of samples: {named}.")
        if not lengths[0]:
            raise InputError("The inputs have no samples; give at least one.")
        self.samples = lengths[0]

    def __len__(self) -> int:
        """N."""
        return self.samples

    def raw(self, rows: slice) -> Any:
        """The samples ``rows`` as they come: the only array, or several by name."""
        parts = [_read(value, rows) for value in self.values]
        return parts[0] if self.single else by_name(parts, self.inputs)

    def checked(self, raw: Any, first: int) -> list[Array]:
        """Arrays (n, ...) of what `raw` gave from sample ``first`` on; errors as for `arrays`."""
        return arrays(raw, self.inputs, self.dtype, own=True, first=first)

    def parts(self, parts: Sequence[slice]) -> Generator[tuple[slice, Any]]:
        """`raw` of each of these slices; the next one is read while one is worked on."""
        with ThreadPoolExecutor(1, "deeplift_engine-read") as reader:
            coming = [reader.submit(self.raw, rows) for rows in parts[:1]]
            for number, rows in enumerate(parts):
                raw = coming.pop().result()
                coming = [reader.submit(self.raw, after) for after in parts[number + 1 :][:1]]
                yield rows, raw


def _read(value: Any, rows: slice) -> Any:
    """A slice; of a memory map a copy, whose pages count no longer as memory of the process."""
    part: Any = value[rows]
    if not isinstance(part, np.memmap):
        return part
    copy, pages = np.array(part), getattr(part, "_mmap", None)
    if part.mode != "c" and pages is not None and _FORGET is not None:
        pages.madvise(_FORGET)  # of a map of mode "c" it would forget what was written to it
    return copy


def _length(value: Any) -> int:
    if hasattr(value, "__getitem__"):
        with suppress(TypeError):  # of an array without axes
            return len(value)
    raise InputError(
        f"x: expected what has a length and gives arrays for slices, such as an array, a memory "
        f"map or an HDF5 data set, not {type(value).__name__}"
    )


__all__ = ["Source"]
