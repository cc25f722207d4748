"""How a network takes sequences: its axes, the order of its letters, and what else it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.nucleotides import LETTERS, Alphabet, byte_rows, reverse_complement
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.network import Network
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class SequenceInputs:
    """The inputs of a network that reads one sequence; `sequence_inputs` makes it.

    Attributes
    ----------
    inputs
        The network's.
    name
        Of the input that is the sequence.
    positions, channels
        The axes of one sample of it.
    length
        How many positions it has.
    alphabet
        The order of its letters; all others are rows of zeros.
    fixed
        What all other inputs are for all samples, by their names.
    """

    inputs: tuple[InputInfo, ...]
    name: str
    positions: int
    channels: int
    length: int
    alphabet: Alphabet
    fixed: Mapping[str, Array] = field(default_factory=dict)

    def encoded(self, sequences: Sequence[str]) -> Array:
        """One-hot rows (N, L, C) of sequences."""
        return self.alphabet.encode(byte_rows(sequences))

    def arranged(self, one_hot: Array) -> Array:
        """One-hot rows (N, L, C), or (N, K, L, C), with the axes of the sequence's input."""
        info = next(info for info in self.inputs if info.name == self.name)
        lead = one_hot.ndim - 2
        if self.channels < self.positions:
            one_hot = np.swapaxes(one_hot, -1, -2)
        sizes = [1] * len(info.shape)
        for axis, size in zip(
            sorted((self.positions, self.channels)), one_hot.shape[lead:], strict=True
        ):
            sizes[axis] = size
        return one_hot.reshape(*one_hot.shape[:lead], *sizes)

    def rows(self, array: Array) -> Array:
        """Arrays (N, *axes of the input) as rows (N, L, C)."""
        rows = np.moveaxis(array, (self.positions + 1, self.channels + 1), (-2, -1))
        return rows.reshape(len(array), *rows.shape[-2:])

    def batch(self, one_hot: Array) -> dict[str, Array]:
        """Inputs by name for one-hot rows (N, L, C)."""
        return {
            info.name: self.arranged(one_hot)
            if info.name == self.name
            else np.broadcast_to(self.fixed[info.name], (len(one_hot), *map(int, info.shape)))  # type: ignore[arg-type]
            for info in self.inputs
        }

    def mirrored(self, one_hot: Array) -> Array:
        """Rows (..., L, C) of the reverse complements."""
        letters = self.alphabet.letters.replace("U", "T")
        partners = [letters.index(reverse_complement(letter)) for letter in letters]
        return one_hot[..., ::-1, :][..., partners]


def sequence_inputs(
    network: Network,
    *,
    length: int | None = None,
    letters: str = LETTERS,
    sequence: str | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> SequenceInputs:
    """How a network takes sequences.

    Parameters
    ----------
    network
        The network.
    length
        Of the sequences, where the network takes any.
    letters
        The order of its letters.
    sequence
        The input that is the sequence, where more than one could be.
    fixed
        A number or one sample's array for every other input, such as the control tracks of BPNet.

    Raises
    ------
    InputError
        If it is not clear which input is the sequence or what the others are.
    """
    alphabet, fixed = Alphabet(letters), dict(fixed or {})
    axes = {info.name: _axes(info, len(letters)) for info in network.inputs}
    names = [name for name, each in axes.items() if each is not None and name not in fixed]
    if sequence is not None:
        names = [name for name in names if name == sequence]
    if len(names) != 1:
        listed = ", ".join(f"{info.name} {info.shape}" for info in network.inputs)
        raise InputError(
            f"The model's inputs are {listed}; expected one with {len(letters)} letters along an "
            "axis and positions along another"
            + (
                f", and {' and '.join(names)} could be: say which with sequence="
                if names
                else f", with the letters {letters}: say others with letters="
            )
        )
    (name,) = names
    positions, channels = axes[name]  # type: ignore[misc]
    (info,) = (info for info in network.inputs if info.name == name)
    size = info.shape[positions]
    if size is None and length is None:
        raise InputError(f"Input {name!r} takes sequences of any length: say which with length=.")
    if None not in (size, length) and size != length:
        raise InputError(f"Input {name!r} takes sequences of {size}, and length={length} is asked.")
    return SequenceInputs(
        network.inputs,
        name,
        positions,
        channels,
        int(size or length or 0),
        alphabet,
        _fixed(network, name, fixed),
    )


def _axes(info: InputInfo, letters: int) -> tuple[int, int] | None:
    """The axes of positions and of letters of one sample; None where it has none."""
    if info.table is not None or not info.dtype.startswith("float"):
        return None
    for channels in reversed(range(len(info.shape))):
        others = [axis for axis, size in enumerate(info.shape) if axis != channels and size != 1]
        if info.shape[channels] == letters and len(others) == 1:
            return others[0], channels
    return None


def _fixed(network: Network, name: str, fixed: Mapping[str, Any]) -> dict[str, Array]:
    """One sample of each other input."""
    others = {info.name: info for info in network.inputs if info.name != name}
    if set(others) != set(fixed):
        raise InputError(
            f"The inputs beside {name!r} are {', '.join(others) or 'none'}, and fixed= has "
            f"{', '.join(fixed) or 'none'}: say what each is, a number or the array of one sample, "
            f"such as fixed={dict.fromkeys(others, 0)}; on the command line --fixed NAME=NUMBER."
        )
    arrays = {}
    for other, info in others.items():
        sizes = tuple(info.shape)
        array = np.asarray(fixed[other], dtype=info.dtype)
        if None in sizes or (array.ndim and array.shape != sizes):
            raise InputError(
                f"fixed={{{other!r}: ...}} has shape {array.shape}; expected a number, or an array "
                f"of shape {sizes}, all of it known."
            )
        arrays[other] = array
    return arrays


__all__ = ["SequenceInputs", "sequence_inputs"]
