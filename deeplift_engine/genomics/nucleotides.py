"""Letters of nucleotides as numbers: one-hot rows, whole numbers, and the other strand.

Lower case, as of soft-masked repeats, is read as upper case. U and T are one letter. What is no
letter of the model (N, or another code of IUPAC for several letters) is treated by one of three
rules: ``"zeros"``, a row of zeros; ``"uniform"``, equal shares of the letters that the code stands
for; ``"refuse"``, an error. Where N itself is among the letters, all of them are N.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.options import shown
from deeplift_engine.util.typing import Array

IUPAC = {
    "A": "A",
    "C": "C",
    "G": "G",
    "T": "T",
    "U": "T",
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "ACGT",
}
"""The letters that each code of IUPAC stands for."""
LETTERS = "ACGT"
"""The order of letters, where nothing else is said."""
RULES = ("zeros", "uniform", "refuse")
"""What becomes of codes that are no letter of the model."""

_CODES = "".join(IUPAC) + "".join(IUPAC).lower()
_PAIRS = bytes.maketrans(b"ACGTURYSWKMBDHVNacgturyswkmbdhvn", b"TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn")
_UNREADABLE = 255


def reverse_complement(sequence: str) -> str:
    """The other strand of a sequence, read in its own direction; case is kept.

    >>> reverse_complement("AACGn")
    'nCGTT'

    Raises
    ------
    InputError
        For what is no code of IUPAC.
    """
    letters = sequence.encode("latin-1", "replace")
    if unreadable := first_unreadable(letters):
        index, text = unreadable
        raise InputError(f"a sequence has {text} at position {index}, which is no IUPAC letter.")
    return complement_bytes(letters).decode()


def complement_bytes(sequence: bytes) -> bytes:
    """`reverse_complement` of bytes that are all codes of IUPAC."""
    return sequence.translate(_PAIRS)[::-1]


def first_unreadable(sequence: bytes) -> tuple[int, str] | None:
    """Position from 0 of the first byte that is no code of IUPAC, and that byte in quotes."""
    others = sequence.translate(None, _CODES.encode())
    if not others:
        return None
    return sequence.index(others[:1]), repr(others[:1].decode("latin-1"))


@dataclass(frozen=True)
class Alphabet:
    """The letters of a model in its order, and the rule for all others.

    Attributes
    ----------
    letters
        C letters: A, C, G and T or U in any order, and N where the model has it.
    unknown
        One of `RULES`.

    Raises
    ------
    InputError
        For other letters, or another rule.
    """

    letters: str = LETTERS
    unknown: str = "zeros"

    def __post_init__(self) -> None:
        plain = self.letters.upper().replace("U", "T") if isinstance(self.letters, str) else ""
        if sorted(plain.replace("N", "", 1)) != sorted(LETTERS):
            raise InputError(
                f"letters={self.letters!r}: expected A, C, G and T (or U), each once, in the order "
                "of the model's channels, such as 'ACGT' or 'ATCG', and N where it has one."
            )
        if self.unknown not in RULES:
            raise InputError(
                f"unknown={self.unknown!r}: the rules for N and other IUPAC letters are "
                f"{', '.join(RULES)}."
            )
        object.__setattr__(self, "letters", self.letters.upper())

    @property
    def complements(self) -> tuple[int, ...]:
        """For each letter's number that of its complement."""
        plain = self.letters.replace("U", "T")
        return tuple(plain.index(reverse_complement(letter)) for letter in plain)

    @property
    def table(self) -> Array:
        """The row of each byte (256, C): int8, or float32 where letters have shares."""
        return _table(self.letters, self.unknown)

    @property
    def codes(self) -> Array:
        """The number of each byte (256,) among the letters; `_UNREADABLE` for all others."""
        return _codes(self.letters)

    def encode(self, sequences: Array) -> Array:
        """One-hot rows (..., C) of bytes (...), all codes of IUPAC."""
        table = self.table
        if table.nbytes != 1024:  # 256 rows that are not four bytes each
            return np.asarray(table[sequences])
        # one machine number a row is several times as fast
        rows = table.view(np.uint32)[:, 0][sequences]
        return np.asarray(rows.view(np.int8).reshape(*sequences.shape, len(self.letters)))

    def first_unknown(self, sequence: bytes) -> tuple[int, str] | None:
        """Position from 0 of the first byte that is no letter of the model, and it in quotes."""
        unknown = self.codes[np.frombuffer(sequence, np.uint8)] == _UNREADABLE
        if not unknown.any():
            return None
        index = int(unknown.argmax())
        return index, repr(chr(sequence[index]))


def one_hot(
    sequences: str | bytes | Iterable[Any] | Array,
    letters: str = LETTERS,
    *,
    unknown: str = "zeros",
) -> Array:
    """Encode sequences of one length one-hot.

    Parameters
    ----------
    sequences
        Strings or bytes: a list, a column of a table, an array of them or (N, L) of single
        letters; one string is one sequence.
    letters
        The letters in the order of the channels.
    unknown
        What N and other codes of IUPAC for several letters are: ``"zeros"``, ``"uniform"`` (equal
        shares of the letters that they stand for; the result is float32) or ``"refuse"``.

    Returns
    -------
    array
        (N, L, C), int8, or float32 for shares.

    Raises
    ------
    InputError
        No sequences, different lengths, what is no letter; the message has the sequence's number,
        from 0, and the position.
    """
    alphabet = Alphabet(letters, unknown)
    texts = byte_rows(sequences)
    if unknown == "refuse":
        _refuse_unknown(texts, alphabet)
    return alphabet.encode(texts)


def integer_codes(
    sequences: str | bytes | Iterable[Any] | Array, letters: str = LETTERS, *, first: int = 0
) -> Array:
    """Encode sequences of one length as whole numbers, as embeddings read them.

    Parameters
    ----------
    sequences
        As for `one_hot`.
    letters
        The letters in the order of their codes; ``"NACGT"`` gives N and all other codes of IUPAC
        the first one, ``"ACGTN"`` the last.
    first
        The code of the first letter.

    Returns
    -------
    array
        (N, L) int32.

    Raises
    ------
    InputError
        As for `one_hot`, and for unknown letters where N is none of the letters.
    """
    alphabet = Alphabet(letters, "refuse")
    texts = byte_rows(sequences)
    _refuse_unknown(texts, alphabet)
    return np.asarray(alphabet.codes[texts].astype(np.int32) + first)


def byte_rows(sequences: str | bytes | Iterable[Any] | Array) -> Array:
    """Sequences as bytes (N, L) uint8, all of them codes of IUPAC.

    Raises
    ------
    InputError
        No sequences, what is no text, different lengths, what is no letter.
    """
    texts = byte_texts(sequences)
    if not texts:
        raise InputError("no sequences: give at least one.")
    length = len(texts[0])
    for number, text in enumerate(texts):
        if len(text) != length:
            raise InputError(
                f"sequence {number} has {len(text)} letters and sequence 0 has {length}: give "
                "sequences of one length, or those of each length by themselves."
            )
        if unreadable := first_unreadable(text):
            index, letter = unreadable
            raise InputError(
                f"sequence {number} has {letter} at position {index}, which is no IUPAC letter."
            )
    return np.frombuffer(b"".join(texts), np.uint8).reshape(len(texts), length)


def byte_texts(sequences: str | bytes | Iterable[Any] | Array) -> list[bytes]:
    """Sequences as bytes, one each."""
    if isinstance(sequences, str | bytes):
        return [_bytes(sequences, 0)]
    if isinstance(sequences, np.ndarray) and sequences.ndim == 2:
        return [b"".join(_bytes(letter, n) for letter in row) for n, row in enumerate(sequences)]
    return [_bytes(text, number) for number, text in enumerate(sequences)]


def _bytes(text: Any, number: int) -> bytes:
    if isinstance(text, bytes):
        return bytes(text)
    if isinstance(text, str):
        return text.encode("latin-1", "replace")
    raise InputError(f"sequence {number} is {shown(text)}, no text: give strings of letters.")


def _refuse_unknown(texts: Array, alphabet: Alphabet) -> None:
    """Refuse letters that are none of the model's.

    Raises
    ------
    InputError
        Naming the first of them.
    """
    unknown = alphabet.codes[texts] == _UNREADABLE
    if unknown.any():
        number, index = (int(axis) for axis in np.argwhere(unknown)[0])
        raise InputError(
            f"sequence {number} has {chr(texts[number, index])!r} at position {index}, which is "
            f"none of the letters {alphabet.letters}: leave the sequence out, or choose a rule, "
            "unknown='zeros' or 'uniform' of one_hot, or letters with N."
        )


@lru_cache
def _codes(letters: str) -> Array:
    """The number of each byte among the letters (256,) uint8."""
    plain = letters.replace("U", "T")
    codes = np.full(256, _UNREADABLE, np.uint8)
    for code, stands_for in IUPAC.items():
        letter = stands_for if len(stands_for) == 1 else "N"
        if letter in plain:
            codes[[ord(code), ord(code.lower())]] = plain.index(letter)
    codes.setflags(write=False)
    return codes


@lru_cache
def _table(letters: str, unknown: str) -> Array:
    """The row of each byte (256, C)."""
    plain, shares = letters.replace("U", "T"), unknown == "uniform"
    table = np.zeros((256, len(letters)), np.float32 if shares else np.int8)
    known = np.flatnonzero(_codes(letters) != _UNREADABLE)
    table[known, _codes(letters)[known]] = 1
    if shares and "N" not in plain:
        for code, stands_for in IUPAC.items():
            row = [(letter in stands_for) / len(stands_for) for letter in plain]
            table[[ord(code), ord(code.lower())]] = row
    table.setflags(write=False)
    return table


__all__ = [
    "IUPAC",
    "LETTERS",
    "RULES",
    "Alphabet",
    "byte_rows",
    "byte_texts",
    "complement_bytes",
    "first_unreadable",
    "integer_codes",
    "one_hot",
    "reverse_complement",
]
