"""Users' data as a list of checked arrays in the order of the network's inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_conversion.spec import Path
from deeplift_engine.errors import InputError
from deeplift_engine.graph.input_advice import fits, no_numbers, wrong_shape
from deeplift_engine.graph.structure import has_keys, unpacked
from deeplift_engine.util.owned import owned
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
    the channels of one sample, from the end, where it has several axes. ``path`` leads to it in
    the structure of the model's inputs, () for the only one, or a position in a list where it is
    left out. ``layer`` is the name of its Input layer, where ``name`` is a key of a mapping.
    ``padding`` is the token that a mask leaves out, of tokens that are masked.
    ``held`` says that it is a mask made within the network, which stays what a sample makes it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    table: Table | None = None
    channels: int = -1
    path: Path = ()
    layer: str = ""
    padding: int | None = None
    held: bool = False

    @property
    def positions(self) -> tuple[int, ...]:
        """The axes of one sample that are not the channels', or its only one."""
        rank = len(self.shape)
        return tuple(axis for axis in range(rank) if rank == 1 or axis != rank + self.channels)


def by_input(value: Any, inputs: Sequence[InputInfo], what: str, absent: Any = None) -> list[Any]:
    """One value per input, in the network's order.

    Parameters
    ----------
    value
        A mapping by the names of the inputs (their keys in the model's structure, or else the
        names of its Input layers), a value in the model's own structure, a list where that has no
        keys, or the value of the only input.
    inputs
        The network's.
    what
        What the values are, for messages.
    absent
        The value of an input that a mapping by names leaves out; None where it has to have all.

    Raises
    ------
    InputError
        If the value does not fit, or a list is given for inputs that have keys.
    """
    names = [info.name for info in inputs]
    paths = [info.path for info in inputs]
    nested = unpacked(value, paths) if all(paths) and len(set(paths)) == len(paths) else None
    if isinstance(value, Mapping):
        return nested or _by_names(value, inputs, what, absent)
    if isinstance(value, list | tuple) and len(inputs) > 1:
        if nested is not None:
            return nested
        if has_keys(paths):
            raise InputError(
                f"{what}: {len(value)} values in a list, but the model's inputs have the keys "
                f"{names}, and a list does not say which value is whose. Give a mapping: "
                f"{{{', '.join(f'{name!r}: ...' for name in names)}}}."
            )
        if len(value) != len(inputs):
            raise InputError(
                f"{what}: {len(value)} given, the network has {len(inputs)} inputs: {names}."
            )
        return list(value)
    if len(inputs) > 1:
        if hasattr(value, "columns") and hasattr(value, "to_numpy"):
            columns = ", ".join(f"{name!r}: x[{name!r}].to_numpy()" for name in names)
            raise InputError(
                f"{what}: a table, and the network has {len(inputs)} inputs; give a mapping of "
                f"its columns: {{{columns}}}."
            )
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


def _by_names(
    value: Mapping[str, Any], inputs: Sequence[InputInfo], what: str, absent: Any
) -> list[Any]:
    names = [info.name for info in inputs]
    layers = [info.layer or info.name for info in inputs]

    def fits(expected: Sequence[str]) -> bool:
        return set(value) == set(expected) or (
            absent is not None and bool(value) and set(value) <= set(expected)
        )

    if fits(names):
        return [value.get(name, absent) for name in names]
    if fits(layers):
        for layer, info in zip(layers, inputs, strict=True):
            if layer in names and layer != info.name:
                raise InputError(
                    f"{what}: {layer!r} is a key of the model's inputs, and the name of the Input "
                    f"layer at another key, {info.name!r}. Use the keys: {names}."
                )
        return [value.get(layer, absent) for layer in layers]
    unknown = sorted(set(value) - set(names))
    missing = [name for name in names if name not in value]
    raise InputError(
        f"{what} is a mapping by input name: the inputs are {names}; "
        f"missing {missing}, unknown {unknown}."
    )


def key_of(name: str, inputs: Sequence[InputInfo]) -> str:
    """Return the name of the input whose name or, second, whose Input layer is called ``name``."""
    if name in [info.name for info in inputs]:
        return name
    return next((info.name for info in inputs if info.layer == name), name)


def by_name(values: Sequence[Any], inputs: Sequence[InputInfo]) -> Any:
    """Return the only value, or several as a mapping by the names of their inputs."""
    if len(inputs) == 1:
        return values[0]
    return {info.name: value for info, value in zip(inputs, values, strict=True)}


def arrays(
    x: Any, inputs: Sequence[InputInfo], dtype: str, *, own: bool = False, first: int = 0
) -> list[Array]:
    """Checked arrays (N, ...), one per input, in ``dtype`` or the integer dtype of the input.

    With ``own`` they are kept longer than the call, so they are `owned`. ``first`` is the number of
    the first sample, for messages.

    Raises
    ------
    InputError
        Wrong rank or size, no samples, numbers of samples that differ, NaN or infinity; tokens
        that are not in the table that the input is looked up in.
    """
    values = by_input(x, inputs, "x")
    checked = [
        _array(value, info, dtype, first) for value, info in zip(values, inputs, strict=True)
    ]
    if own:
        checked = [owned(array, value) for array, value in zip(checked, values, strict=True)]
    counts = [len(array) for array in checked]
    if len(set(counts)) > 1:
        by_name = dict(zip((info.name for info in inputs), counts, strict=True))
        raise InputError(f"The inputs have different numbers of samples: {by_name}.")
    return checked


def _array(value: Any, info: InputInfo, dtype: str, first: int) -> Array:
    tokens = info.table is not None or not info.dtype.startswith("float")
    try:
        array = np.asarray(value)
    except Exception as error:  # other libraries' containers raise what they like
        advice = no_numbers(value, info.shape, tokens)
        raise InputError(f"Input {info.name!r} {advice}") from error
    if array.dtype.kind not in "biuf":
        raise InputError(f"Input {info.name!r} {no_numbers(value, info.shape, tokens)}")
    array = _of_rank(array, info.shape)
    if not fits(array.shape[1:], info.shape) or not array.ndim:
        columns = list(getattr(value, "columns", ()))
        expected = ("samples", *("any" if size is None else size for size in info.shape))
        raise InputError(
            f"Input {info.name!r} has shape {array.shape}; expected "
            f"({', '.join(map(str, expected))}).{wrong_shape(array, info.shape)}"
            + (f" Its columns are {', '.join(map(str, columns))}." if len(columns) else "")
        )
    if len(array) == 0:
        raise InputError(f"Input {info.name!r} has no samples; give at least one.")
    floats = info.dtype.startswith("float")
    with np.errstate(over="ignore"):
        cast = array.astype(dtype, copy=False) if floats else array
    if cast.dtype.kind == "f" and not np.isfinite(cast).all():
        index = tuple(np.argwhere(~np.isfinite(cast))[0])
        raise InputError(
            f"Input {info.name!r} holds {array[index]}, first in sample {first + index[0]}, which "
            f"is no finite number in {cast.dtype}; scores of it would mean nothing."
        )
    if info.table is not None and (problem := info.table.outside(array)):
        (sample, *position), text = problem
        where = f" at {tuple(position)}" if position else ""
        raise InputError(
            f"Input {info.name!r}, sample {first + sample}: the token{where} is {text}."
        )
    if floats:
        return cast
    integers = array.astype(info.dtype, copy=False)
    if not np.array_equal(integers, array):
        index = tuple(int(axis) for axis in np.argwhere(integers != array)[0])
        at = (first + index[0], *index[1:])
        raise InputError(
            f"Input {info.name!r} takes {info.dtype} values, whole numbers, and the one at {at} "
            f"is {array[index]:.10g}."
            + (
                f" They are looked up in {info.table.layer!r}, so round or encode them first."
                if info.table is not None
                else ""
            )
        )
    return integers


def _of_rank(array: Array, shape: tuple[int | None, ...]) -> Array:
    """The array with a last axis of size 1 that it lacks, as Keras adds it.

    What could be one sample without its batch axis stays as it is, and is refused.
    """
    lacks = array.ndim == len(shape) > 0 and shape[-1] == 1
    is_sample = len(shape) > 1 and fits(array.shape, shape)
    return array[..., np.newaxis] if lacks and not is_sample else array


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

    As many of ``most`` as there are, or of the power of two below it, whichever fills up less, then
    powers of two, until no more than a quarter of all (or one) is filled up: few sizes, and little
    that is computed for nothing.
    """
    below = 1 << (most.bit_length() - 1)
    ways = [list(_block_starts(samples, size)) for size in (most, below)]
    yield from min(ways, key=lambda blocks: sum(size for _, size in blocks))


def _block_starts(samples: int, most: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < samples:
        left = samples - start
        size = min(most, 1 << (left - 1).bit_length())
        if size - left > max(1, samples // 4):
            size = 1 << (left.bit_length() - 1)
        yield start, size
        start += size
