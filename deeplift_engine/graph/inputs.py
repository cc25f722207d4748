"""Users' data as a list of checked arrays in the order of the network's inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Table:
    """The embedding that an input's tokens are looked up in: its layer, and its rows."""

    layer: str
    rows: int

    def outside(self, tokens: Array) -> tuple[tuple[int, ...], str] | None:
        """Index of the first token without a row in the table, and a message on it."""
        beyond = (tokens <= -1) | (tokens >= self.rows)
        if not beyond.any():
            return None
        index = tuple(int(number) for number in np.argwhere(beyond)[0])
        return index, (
            f"{tokens[index]:.10g}, but the table of {self.layer!r} has {self.rows} rows, for "
            f"tokens 0 to {self.rows - 1}"
        )


@dataclass(frozen=True)
class InputInfo:
    """One input of a network: its name, its shape without batch axis, its dtype.

    ``table`` is what its values are looked up in, where they are tokens; ``channels`` the axis of
    the channels of one sample, from the end, where it has several axes.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    table: Table | None = None
    channels: int = -1

    @property
    def positions(self) -> tuple[int, ...]:
        """The axes of one sample that are not the channels', or its only one."""
        rank = len(self.shape)
        return tuple(axis for axis in range(rank) if rank == 1 or axis != rank + self.channels)


def by_input(value: Any, inputs: Sequence[InputInfo], what: str) -> list[Any]:
    """One value per input, from a list, a mapping by input name, or the value of the only one."""
    names = [info.name for info in inputs]
    if isinstance(value, Mapping):
        unknown = sorted(set(value) - set(names))
        missing = [name for name in names if name not in value]
        if unknown or missing:
            raise InputError(
                f"{what} is a mapping by input name: the inputs are {names}; "
                f"missing {missing}, unknown {unknown}."
            )
        return [value[name] for name in names]
    if isinstance(value, list | tuple) and len(inputs) > 1:
        if len(value) != len(inputs):
            raise InputError(
                f"{what}: {len(value)} given, the network has {len(inputs)} inputs: {names}."
            )
        return list(value)
    if len(inputs) > 1:
        raise InputError(
            f"{what}: the network has {len(inputs)} inputs {names}; give a list in this order or "
            "a mapping by name."
        )
    if (
        isinstance(value, list | tuple)
        and len(value) == 1
        and np.ndim(value[0]) > len(inputs[0].shape)
    ):
        return [value[0]]
    return [value]


def arrays(x: Any, inputs: Sequence[InputInfo], dtype: str) -> list[Array]:
    """Checked arrays (N, ...), one per input, in ``dtype`` or the integer dtype of the input.

    Raises
    ------
    InputError
        Wrong rank or size, no samples, numbers of samples that differ, NaN or infinity; tokens
        that are not in the table that the input is looked up in.
    """
    checked = [
        _array(value, info, dtype)
        for value, info in zip(by_input(x, inputs, "x"), inputs, strict=True)
    ]
    counts = [len(array) for array in checked]
    if len(set(counts)) > 1:
        by_name = dict(zip((info.name for info in inputs), counts, strict=True))
        raise InputError(f"The inputs have different numbers of samples: {by_name}.")
    return checked


def _array(value: Any, info: InputInfo, dtype: str) -> Array:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"Input {info.name!r} is no array: {error}.") from error
    if array.dtype.kind not in "biuf":
        raise InputError(f"Input {info.name!r} holds {array.dtype}, not numbers.")
    expected = tuple("any" if size is None else size for size in info.shape)
    if array.ndim != len(info.shape) + 1 or any(
        size is not None and size != met
        for size, met in zip(info.shape, array.shape[1:], strict=True)
    ):
        raise InputError(
            f"Input {info.name!r} has shape {array.shape}; expected (samples, "
            f"{', '.join(map(str, expected))})."
            + (
                " One sample needs a batch axis: x[np.newaxis]."
                if array.ndim == len(info.shape)
                else ""
            )
        )
    if len(array) == 0:
        raise InputError(f"Input {info.name!r} has no samples; give at least one.")
    floats = info.dtype.startswith("float")
    with np.errstate(over="ignore"):
        cast = array.astype(dtype, copy=False) if floats else array
    if cast.dtype.kind == "f" and not np.isfinite(cast).all():
        index = tuple(np.argwhere(~np.isfinite(cast))[0])
        raise InputError(
            f"Input {info.name!r} holds {array[index]}, first in sample {int(index[0])}, which is "
            f"no finite number in {cast.dtype}; scores of it would mean nothing."
        )
    if info.table is not None and (problem := info.table.outside(array)):
        (sample, *position), text = problem
        where = f" at {tuple(position)}" if position else ""
        raise InputError(f"Input {info.name!r}, sample {sample}: the token{where} is {text}.")
    if floats:
        return cast
    integers = array.astype(info.dtype, copy=False)
    if not np.array_equal(integers, array):
        raise InputError(
            f"Input {info.name!r} takes {info.dtype} values, and some are not whole numbers of "
            "that range."
        )
    return integers


def padded(array: Array, start: int, size: int) -> Array:
    """``size`` samples from ``start``, the last one repeated past the end."""
    block = array[start : start + size]
    missing = size - len(block)
    if missing == 0:
        return block
    return np.concatenate([block, np.repeat(block[-1:], missing, axis=0)])


def block_size(samples: int, most: int) -> int:
    """Samples per block, at most ``most``; the last block is filled up.

    A power of two that holds all of them; where that is too much, ``most`` or the power of two
    below it, whichever fills up less. So few sizes keep the number of compiled kernels small.
    """
    above = 1 << (samples - 1).bit_length()
    if above <= most or samples <= most:
        return min(above, most)
    below = 1 << (most.bit_length() - 1)
    return min((most, below), key=lambda size: -(-samples // size) * size)


def block_starts(samples: int, most: int) -> Iterator[tuple[int, int]]:
    """Starts and sizes of blocks of samples; the last block is filled up.

    As many of ``most`` as there are, then powers of two, until no more than a quarter of all (or
    one) is filled up: few sizes, and little that is computed for nothing.
    """
    start = 0
    while start < samples:
        left = samples - start
        size = min(most, 1 << (left - 1).bit_length())
        if size - left > max(1, samples // 4):
            size = 1 << (left.bit_length() - 1)
        yield start, size
        start += size
