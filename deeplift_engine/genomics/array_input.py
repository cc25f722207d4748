"""Arrays of sequences in the axes in which users keep them, as a network reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.input_layout import InputLayout, layout_of
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.genomics.sequence_input import SequenceInput, sequence_input_of, sequences
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network

_TEXT = "SUOT"
"""Kinds of dtypes that hold letters."""


@dataclass(frozen=True, eq=False)
class ArrangedArray:
    """An array in other axes, of which slices are turned when they are asked for.

    Attributes
    ----------
    array
        Anything that has a shape and gives arrays for slices.
    present, wanted
        Its axes, and those of the network.
    """

    array: Any
    present: InputLayout
    wanted: InputLayout

    def __len__(self) -> int:
        """N."""
        return len(self.array)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        return (len(self), *self[:0].shape[1:])

    @property
    def ndim(self) -> int:
        """Of the whole array."""
        return len(self.wanted.axes)

    @property
    def dtype(self) -> Any:
        """Of the array."""
        return self.array.dtype

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice."""
        return self.wanted.arrange(self.present.normalize(np.asarray(self.array[rows])))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)


def as_input(
    x: Any,
    network: Network,
    *,
    axes: str | None = None,
    input: str | None = None,
    letters: str = LETTERS,
    unknown: str = "zeros",
    first_code: int = 0,
) -> SequenceInput | ArrangedArray | Any:
    """Sequences as they are kept, as an input of a network: whatever the axes, or letters.

    Parameters
    ----------
    x
        Numbers, with ``axes``; or letters: a list or a column of strings, an array of ``S200``, or
        (N, L) of single letters.
    network
        The network that reads them.
    axes
        What the axes of ``x`` are, such as ``"NCL"`` for (N, 4, L); None leaves numbers as they
        are.
    input, letters, unknown, first_code
        As for `regions`, of letters.

    Returns
    -------
    object
        What all calls of a network take, with slices that are made when they are asked for.

    Raises
    ------
    InputError
        If the array has other axes, or the network's input has none that fit.
    """
    if is_text(x):
        return sequences(
            x, network=network, input=input, letters=letters, unknown=unknown,
            first_code=first_code, axes=axes,
        )  # fmt: skip
    if axes is None:
        return x
    present = InputLayout(axes)
    array = x if hasattr(x, "shape") else np.asarray(x)
    shape = tuple(array.shape)
    if len(shape) != len(present.axes):
        raise InputError(
            f"axes={axes!r} are {len(present.axes)} axes, and the array has shape {shape}."
        )
    if present.has_codes:
        info = sequence_input_of(network, len(letters), input)
        return ArrangedArray(array, present, layout_of(info, len(letters)))
    channels = int(shape[present.axes.index("C")])
    info = sequence_input_of(network, channels, input)
    return ArrangedArray(array, present, _wanted(info, channels, present))


def _wanted(info: InputInfo, channels: int, present: InputLayout) -> InputLayout:
    """The network's axes: by its shape, or where that does not tell, those of the array."""
    try:
        return layout_of(info, channels)
    except InputError:
        if present.fits(info.shape, channels):
            return present
        raise


def is_text(x: Any) -> bool:
    """Whether values are letters, and no numbers."""
    dtype = getattr(x, "dtype", None)
    kind = getattr(dtype, "kind", None)
    if kind is not None and kind not in _TEXT:
        return False
    if isinstance(x, str | bytes) or not isinstance(x, Iterable):
        return False
    first = next(iter(x), None)
    return isinstance(first, str | bytes) or (
        isinstance(first, np.ndarray) and first.dtype.kind in _TEXT
    )


__all__ = ["ArrangedArray", "as_input", "is_text"]
