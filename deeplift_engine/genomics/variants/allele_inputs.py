"""How a network takes windows of letters: the axes of its sequence, and what else it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.nucleotides import LETTERS, Alphabet, byte_rows
from deeplift_engine.genomics.sequence_input import InputForm, input_form, sequence_input_of
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.network import Network
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class AlleleInputs:
    """The inputs of a network that reads one sequence; `allele_inputs` makes it.

    Attributes
    ----------
    inputs
        The network's.
    name
        Of the input that is the sequence.
    form
        The axes of that input, and the order of its letters; all others are rows of zeros.
    length
        How many positions it has.
    fixed
        What all other inputs are for all samples, by their names.
    """

    inputs: tuple[InputInfo, ...]
    name: str
    form: InputForm
    length: int
    fixed: Mapping[str, Array] = field(default_factory=dict)

    @property
    def letters(self) -> str:
        """The letters in the order of the channels."""
        return self.form.alphabet.letters

    @property
    def letter_axis(self) -> int:
        """The axis of the letters in an array (N, ...) of the input."""
        return self.form.layout.axes.index("C")

    def encoded(self, sequences: Sequence[str]) -> Array:
        """One-hot rows (N, L, C) of sequences."""
        return self.form.alphabet.encode(byte_rows(sequences))

    def arranged(self, one_hot: Array) -> Array:
        """One-hot rows (..., L, C) with the axes of the sequence's input."""
        flat = self.form.layout.arrange(one_hot.reshape(-1, *one_hot.shape[-2:]))
        return flat.reshape(*one_hot.shape[:-2], *flat.shape[1:])

    def rows(self, array: Array) -> Array:
        """Arrays (N, *axes of the input) as rows (N, L, C)."""
        return self.form.layout.normalize(array)

    def batch(self, one_hot: Array) -> dict[str, Array]:
        """Inputs by name for one-hot rows (N, L, C)."""
        others = {
            name: np.broadcast_to(array, (len(one_hot), *array.shape))
            for name, array in self.fixed.items()
        }
        return {self.name: self.arranged(one_hot), **others}

    def mirrored(self, one_hot: Array) -> Array:
        """Rows (..., L, C) of the reverse complements."""
        return one_hot[..., ::-1, :][..., Alphabet(self.letters).complements]


def allele_inputs(
    network: Network,
    *,
    length: int | None = None,
    letters: str = LETTERS,
    axes: str | None = None,
    input: str | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> AlleleInputs:
    """How a network takes sequences.

    Parameters
    ----------
    network
        The network.
    length, letters, axes, input
        As for `deeplift_engine.genomics.regions`.
    fixed
        A number or one sample's array for every other input, such as the control tracks of BPNet.

    Raises
    ------
    InputError
        If it is not clear which input is the sequence or what the others are.
    """
    form = input_form(network, input=input, length=length, letters=letters, axes=axes)
    name = sequence_input_of(network, len(form.alphabet.letters), input).name
    if form.layout.has_codes:
        raise InputError(
            f"The input {name!r} takes whole numbers; variants are of one-hot letters."
        )
    if form.length is None:
        raise InputError(f"The input {name!r} takes any length: say which, length= (--length).")
    return AlleleInputs(
        network.inputs, name, form, form.length, _fixed(network, name, dict(fixed or {}))
    )


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
        array = np.asarray(fixed[other], dtype=info.dtype)
        sizes = tuple(size for size in info.shape if size is not None)
        if len(sizes) < len(info.shape) or array.shape not in ((), sizes):
            raise InputError(
                f"fixed={{{other!r}: ...}} has shape {array.shape}; expected a number or an array "
                f"for an input of shape {info.shape}, all of it known."
            )
        arrays[other] = np.broadcast_to(array, sizes)
    return arrays


__all__ = ["AlleleInputs", "allele_inputs"]
