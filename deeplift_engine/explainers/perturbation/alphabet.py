"""The choices at the positions of an input: letters of one-hot rows, or tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.letters import letter_rows
from deeplift_engine.util.typing import Array

FEW_TOKENS = 64
"""The largest table of which all tokens are tried unless some are named."""


@dataclass(frozen=True)
class Alphabet:
    """The choices at each position of one input: letters of one-hot rows, or tokens.

    Attributes
    ----------
    name
        Of the input.
    shape
        Of a sample, None where free.
    positions, letters
        The axes of a sample (from 0) of positions and of letters, None of tokens.
    choices
        Numbers of letters, or tokens.
    """

    name: str
    shape: tuple[int | None, ...]
    positions: int
    letters: int | None
    choices: Array

    def present(self, data: Array) -> Array:
        """The number of the present choice (N, L), -1 where no single one is present.

        Raises
        ------
        InputError
            If a row of letters is neither zeros nor adds up to one.
        """
        if self.letters is None:
            there = data[..., np.newaxis] == self.choices
        else:
            rows = np.moveaxis(data, (self.positions + 1, self.letters + 1), (-2, -1))
            rows = rows.reshape(len(data), *rows.shape[-2:])
            letters = letter_rows(rows, -1)
            if not letters.all():
                sample, position = (int(number) for number in np.argwhere(~letters)[0])
                raise InputError(
                    f"Input {self.name!r}, sample {sample}, position {position}: "
                    f"{rows[sample, position].tolist()} are no letters. Mutagenesis takes one-hot "
                    "rows, rows of shares that add up to 1, or zeros; say with letters= which axis "
                    "of a sample is that of letters, and with layers= which inputs to mutate."
                )
            there = rows == 1
        return np.where(there.any(axis=-1), there.argmax(axis=-1), -1)

    def length(self, data: Array) -> int:
        """How many positions a sample has."""
        return int(data.shape[self.positions + 1])

    def written(self, choices: Array) -> Array:
        """Windows of one position each (M, *features) that hold these of the choices (M,)."""
        if self.letters is None:
            return np.asarray(self.choices[choices, np.newaxis])
        rows = np.eye(len(self.choices))[choices]
        features = [1] * len(self.shape)
        features[self.letters] = len(self.choices)
        return rows.reshape(-1, *features)

    def shaped(self, values: Array) -> Array:
        """Values (T, N, L, A) as the input has its axes; of tokens, as they are."""
        if self.letters is None:
            return values
        if self.letters < self.positions:
            values = np.moveaxis(values, 3, 2)
        sizes = [1] * len(self.shape)
        for axis, size in zip(
            sorted((self.positions, self.letters)), values.shape[2:], strict=True
        ):
            sizes[axis] = size
        return values.reshape(*values.shape[:2], *sizes)


def alphabet(info: InputInfo, letters: int, candidates: Sequence[int] | None) -> Alphabet:
    """The choices at the positions of an input.

    Raises
    ------
    InputError, RuleError
        If that cannot be known.
    """
    rank = len(info.shape)
    if info.table is not None or not info.dtype.startswith("float"):
        if candidates is None and (info.table is None or info.table.rows > FEW_TOKENS):
            rows = "unknown" if info.table is None else info.table.rows
            raise RuleError(
                f"Input {info.name!r} takes tokens, {rows} of them: say with candidates= which to "
                "put in place of those that are there."
            )
        if rank != 1:
            raise InputError(
                f"Input {info.name!r} has tokens of shape {info.shape}; mutagenesis takes one "
                "token at each position."
            )
        chosen = range(info.table.rows) if candidates is None and info.table else candidates
        return Alphabet(info.name, info.shape, 0, None, np.array(chosen, info.dtype))
    if candidates is not None:
        raise RuleError(f"candidates= are tokens, and input {info.name!r} takes none.")
    axis = letters % rank if -rank <= letters < rank else -1
    others = [other for other in range(rank) if other != axis and info.shape[other] != 1]
    size = info.shape[axis] if axis >= 0 else None
    if size is None or size < 2 or len(others) > 1 or rank < 2:
        raise InputError(
            f"Input {info.name!r} of shape {info.shape} has no letters along axis {letters} with "
            "positions along one other: say with letters= which axis of a sample they have, and "
            "with layers= which inputs to mutate."
        )
    positions = others[0] if others else next(other for other in range(rank) if other != axis)
    return Alphabet(info.name, info.shape, positions, axis, np.arange(size))
