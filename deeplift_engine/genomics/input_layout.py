"""How a network's input holds sequences: which axis has positions, which letters, or codes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.typing import Array

NAMES = {"L": "position", "C": "letter"}
"""What the axes of a sample are called in a store."""


@dataclass(frozen=True)
class InputLayout:
    """The axes of an array of sequences.

    Attributes
    ----------
    axes
        A letter for each: N samples, which is the first, L positions, C letters of the alphabet,
        1 for an axis of size 1. Without C it has whole numbers.

    Raises
    ------
    InputError
        For other words.
    """

    axes: str = "NLC"

    def __post_init__(self) -> None:
        axes = self.axes.upper() if isinstance(self.axes, str) else ""
        if axes[:1] != "N" or sorted(axes.replace("1", "")) not in (["L", "N"], ["C", "L", "N"]):
            raise InputError(
                f"axes={self.axes!r}: expected a letter for each axis of the array, N (samples) "
                "first, L (positions), C (letters) and 1 (an axis of size 1), such as NLC, NCL or "
                "NLC1; NL for whole numbers."
            )
        object.__setattr__(self, "axes", axes)

    @property
    def has_codes(self) -> bool:
        """Whether a letter is a whole number, and no row."""
        return "C" not in self.axes

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of one sample."""
        return tuple(NAMES.get(axis, f"unit_{number}") for number, axis in enumerate(self.axes[1:]))

    def arrange(self, block: Array) -> Array:
        """(n, L, C), or (n, L), in these axes."""
        plain = self.axes.replace("1", "")
        if plain == "NCL":
            block = block.swapaxes(1, 2)
        ones = [axis for axis, name in enumerate(self.axes) if name == "1"]
        return np.ascontiguousarray(np.expand_dims(block, ones))

    def normalize(self, block: Array) -> Array:
        """An array in these axes as (n, L, C), or (n, L).

        Raises
        ------
        InputError
            If it has another number of axes, or an axis of size 1 has another size.
        """
        ones = [axis for axis, name in enumerate(self.axes) if name == "1"]
        if block.ndim != len(self.axes) or any(block.shape[axis] != 1 for axis in ones):
            raise InputError(
                f"axes={self.axes!r}: the array has shape {block.shape}, and these are "
                f"{len(self.axes)} axes{', of size 1 where they say 1' if ones else ''}."
            )
        block = block.squeeze(tuple(ones))
        return block.swapaxes(1, 2) if self.axes.replace("1", "") == "NCL" else block

    def length(self, shape: Sequence[int | None]) -> int | None:
        """The size of the axis of positions of one sample; None where it is free."""
        return shape[self.axes.index("L") - 1]

    def fits(self, shape: Sequence[int | None], letters: int) -> bool:
        """Whether one sample may have this shape, with so many letters."""
        sizes = {"L": None, "C": letters, "1": 1}
        return len(shape) == len(self.axes) - 1 and all(
            axis == "L" or size in (None, sizes[axis])
            for axis, size in zip(self.axes[1:], shape, strict=True)
        )


def layout_of(info: InputInfo, letters: int, axes: str | None = None) -> InputLayout:
    """The layout of an input for sequences of so many letters.

    Raises
    ------
    InputError
        If none fits, or ``axes`` does not; if several fit and none is named.
    """
    shape = ", ".join("any" if size is None else str(size) for size in info.shape)
    what = f"the input {info.name!r} of shape ({shape}) and {letters} letters"
    if axes is not None:
        layout = InputLayout(axes)
        if not layout.fits(info.shape, letters):
            raise InputError(f"axes={axes!r} does not fit {what}.")
        return layout
    fitting = _candidates(info, letters)
    if len(fitting) != 1:
        several = f"may be {' or '.join(fitting)}" if fitting else "holds no sequences"
        raise InputError(
            f"{what}: it {several}; say which axis is which, axes= (--axes), such as 'NLC' or "
            "'NCL'" + ("." if fitting else ", or name the input that reads them.")
        )
    return InputLayout(fitting[0])


def _candidates(info: InputInfo, letters: int) -> list[str]:
    """The axes that may be those of an input, where sizes tell."""
    rank = len(info.shape)
    if info.table is not None or not info.dtype.startswith("float"):
        return ["NL"] if rank == 1 else []
    fitting = []
    for position, channel in itertools.permutations(range(rank), 2):
        others = [size for axis, size in enumerate(info.shape) if axis not in (position, channel)]
        if info.shape[channel] == letters and all(size == 1 for size in others):
            names = {position: "L", channel: "C"}
            fitting.append("N" + "".join(names.get(axis, "1") for axis in range(rank)))
    longer = [axes for axes in fitting if InputLayout(axes).length(info.shape) != 1]
    return longer or fitting


__all__ = ["InputLayout", "layout_of"]
