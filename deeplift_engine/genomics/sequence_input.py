"""Sequences as a run reads them: one-hot blocks in the axes of a network, made when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.genome import read_fasta
from deeplift_engine.genomics.input_layout import InputLayout, layout_of
from deeplift_engine.genomics.nucleotides import LETTERS, Alphabet, byte_texts, first_unreadable
from deeplift_engine.genomics.record_table import LENGTH, UNKNOWN, RecordTable
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network


class Letters(Protocol):
    """N sequences of one length, as bytes."""

    def __len__(self) -> int:
        """N."""

    @property
    def length(self) -> int:
        """L."""

    def read(self, numbers: Array) -> Array:
        """The letters of some sequences (n, L) uint8."""


@dataclass(frozen=True)
class InputForm:
    """How sequences become the values of an input.

    Attributes
    ----------
    alphabet
        The letters in the network's order, and the rule for others.
    layout
        The axes.
    length
        L, None where it is free.
    first_code
        The number of the first letter, where letters are whole numbers.
    """

    alphabet: Alphabet
    layout: InputLayout = field(default_factory=InputLayout)
    length: int | None = None
    first_code: int = 0

    @property
    def refuses_unknown(self) -> bool:
        """Whether N and other codes of several letters have no value."""
        return self.layout.has_codes or self.alphabet.unknown == "refuse"

    def encode(self, letters: Array) -> Array:
        """The values of (n, L) bytes."""
        if self.layout.has_codes:
            codes = self.alphabet.codes[letters].astype(np.int32) + self.first_code
            return self.layout.arrange(codes)
        return self.layout.arrange(self.alphabet.encode(letters))


@dataclass(frozen=True, eq=False)
class SequenceInput:
    """N sequences as an array of an input, of which slices are made when they are asked for.

    It is what `Explainer.stream` and `Job` take; ``numpy.asarray`` makes the whole array. It is
    pickled without its sequences where they are those of a genome.

    Attributes
    ----------
    letters
        The sequences.
    form
        How they become numbers.
    records
        Which records of the file they are, and why others are left out.
    labels
        What is known of each sample: ``sample``, and of regions ``chrom``, ``start``, ``end`` and
        ``strand``.
    files
        Paths of the files that they are from, by ``regions``, ``genome`` or ``sequences``.
    missing_summits
        How many records of a narrowPeak have none, so that their middle is the centre.
    """

    letters: Letters
    form: InputForm
    records: RecordTable
    labels: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    missing_summits: int = 0

    def __len__(self) -> int:
        """N."""
        return len(self.letters)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        return (len(self), *self[:0].shape[1:])

    @property
    def ndim(self) -> int:
        """Of the whole array."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """int8 of letters, float32 where they have shares, int32 of codes."""
        return self[:0].dtype

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice, of an array of numbers, or one sample."""
        numbers = np.arange(len(self))[rows]
        block = self.form.encode(self.letters.read(np.atleast_1d(numbers)))
        return block if np.ndim(numbers) else np.asarray(block[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)

    @property
    def names(self) -> list[str]:
        """Names of the samples."""
        return list(self.labels["sample"])

    @property
    def about(self) -> dict[str, Any]:
        """What a store's description tells beside how it was scored: the files and L."""
        return {**self.files, "length": self.letters.length}

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of a sample, as `Job` takes them."""
        return self.form.layout.dimensions

    @property
    def constants(self) -> dict[str, Any]:
        """What a store keeps beside the scores, as `Job` takes it: labels, records and letters.

        ``sample``, ``chrom``, ``start``, ``end``, ``strand`` and ``record`` have an entry for each
        sample, ``kept`` and ``reason`` for each record of the file, ``letter`` for each letter.
        """
        letter = list(self.form.alphabet.letters)
        return {**self.labels, **self.records.constants, "letter": letter}


@dataclass(frozen=True)
class Texts:
    """Sequences in memory (N, L) uint8."""

    array: Array

    def __len__(self) -> int:
        """N."""
        return len(self.array)

    @property
    def length(self) -> int:
        """L."""
        return int(self.array.shape[1])

    def read(self, numbers: Array) -> Array:
        """The letters of some of them."""
        return np.asarray(self.array[numbers])


def input_form(
    network: Network | None,
    *,
    input: str | None = None,
    length: int | None = None,
    letters: str = LETTERS,
    unknown: str = "zeros",
    axes: str | None = None,
    first_code: int = 0,
) -> InputForm:
    """The form of the input of a network that reads sequences, or of arrays (N, L, C).

    Parameters
    ----------
    network
        Its length and axes are taken; None for those of the other arguments.
    input
        The name of the input; by default the only one that may hold sequences.
    length, letters, unknown, axes, first_code
        As for `regions`.

    Raises
    ------
    InputError
        If none of the inputs, or several, may hold sequences, or the arguments do not fit it.
    """
    alphabet = Alphabet(letters, unknown)
    if length is not None:
        length = int(checked("length", length, Integer(1), InputError))
    if network is None:
        return InputForm(alphabet, InputLayout(axes or "NLC"), length, first_code)
    count = len(alphabet.letters)
    info = sequence_input_of(network, count, input)
    layout = layout_of(info, count, axes)
    own = layout.length(info.shape)
    if None not in (own, length) and own != length:
        raise InputError(
            f"length={length}: the input {info.name!r} reads {own} positions; leave it out."
        )
    return InputForm(alphabet, layout, length if own is None else own, first_code)


def sequence_input_of(network: Network, letters: int, name: str | None = None) -> InputInfo:
    """The input that is named, or the only one that may hold sequences of so many letters.

    Raises
    ------
    InputError
        If there is no such input, or none is named where none or several may hold them.
    """
    known = {info.name: info for info in network.inputs}
    if name is not None:
        if (key := key_of(name, network.inputs)) not in known:
            raise InputError(f"input={name!r}: the network's inputs are {', '.join(known)}.")
        return known[key]
    if len(known) == 1:
        return next(iter(known.values()))
    fitting = [info for info in known.values() if _may_hold(info, letters)]
    if len(fitting) != 1:
        raise InputError(
            f"the network has the inputs {', '.join(known)}; say which one reads the sequences, "
            "input= (--input)."
        )
    return fitting[0]


def _may_hold(info: InputInfo, letters: int) -> bool:
    try:
        layout_of(info, letters)
    except InputError:
        return False
    return True


def sequences(
    source: str | os.PathLike[str] | Mapping[str, str] | Iterable[Any],
    *,
    network: Network | None = None,
    length: int | None = None,
    letters: str = LETTERS,
    unknown: str = "zeros",
    axes: str | None = None,
    input: str | None = None,
    first_code: int = 0,
    strict: bool = False,
) -> SequenceInput:
    """Sequences of a FASTA file, or in memory, as an input of a network.

    Parameters
    ----------
    source
        A FASTA file; or sequences by name, or a list, an array or a column of them.
    network, length, letters, unknown, axes, input, first_code, strict
        As for `regions`. Without a length all have to have the same.

    Raises
    ------
    InputError
        If the file cannot be read or nothing is left to score; if strict, where any sequence has
        another length or letters that the rule refuses.
    """
    form = input_form(
        network, input=input, length=length, letters=letters, unknown=unknown, axes=axes,
        first_code=first_code,
    )  # fmt: skip
    path = str(source) if isinstance(source, str | os.PathLike) else ""
    if isinstance(source, str | os.PathLike):
        named: Mapping[str, Any] = read_fasta(Path(source))
    elif isinstance(source, Mapping):
        named = source
    else:
        named = {str(number): text for number, text in enumerate(byte_texts(source))}
    texts = byte_texts(named.values())
    names = list(named)

    def locate(number: int) -> str:
        return f"{path or 'the sequences'}, record {number} ({names[number]})"

    for number, text in enumerate(texts):
        if unreadable := first_unreadable(text):
            index, letter = unreadable
            raise InputError(
                f"{locate(number)} has {letter} at position {index}, which is no IUPAC letter."
            )
    wanted = form.length or _common_length(texts, path or "the sequences")
    records = RecordTable([_reason(text, wanted, form) for text in texts])
    records.check(locate, strict=strict)
    array = np.frombuffer(b"".join(texts[number] for number in records.numbers), np.uint8)
    return SequenceInput(
        Texts(array.reshape(len(records.numbers), wanted)),
        form,
        records,
        {"sample": [names[number] for number in records.numbers]},
        {"sequences": path} if path else {},
    )


def _common_length(texts: Iterable[bytes], what: str) -> int:
    lengths = {len(text) for text in texts}
    if len(lengths) != 1 or 0 in lengths:
        spread = f"{min(lengths)} to {max(lengths)}" if lengths else "no"
        raise InputError(
            f"{what}: sequences of {spread} letters; say which length is scored, length= "
            "(--length), or give sequences of one length."
        )
    return lengths.pop()


def _reason(text: bytes, length: int, form: InputForm) -> str:
    """Why a sequence is left out; empty where it is not."""
    if len(text) != length:
        return f"{LENGTH}: {len(text)} letters, not {length}"
    return unknown_letter(text, form)


def unknown_letter(text: bytes, form: InputForm) -> str:
    """The reason that names the first letter without a value; empty where there is none."""
    if form.refuses_unknown and (unknown := form.alphabet.first_unknown(text)):
        index, letter = unknown
        return f"{UNKNOWN}: {letter} at position {index}"
    return ""


__all__ = [
    "InputForm",
    "Letters",
    "SequenceInput",
    "input_form",
    "sequence_input_of",
    "sequences",
    "unknown_letter",
]
