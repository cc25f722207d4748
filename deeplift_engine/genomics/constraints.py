"""What designed sequences must keep: fixed positions, a share of G and C, words left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

TRIES = 100
"""How often a sequence is drawn anew before it is given up."""


@dataclass(frozen=True)
class Constraints:
    """What sequences must keep while they are designed.

    Attributes
    ----------
    fixed
        Positions that stay as they are, from 0.
    gc
        The smallest and the largest share of G and C, or None.
    forbidden
        Words that must not occur. Name both strands of a word where both count.
    letters
        The letters, by their numbers.

    Raises
    ------
    InputError
        For bounds that are no shares, and words of other letters.
    """

    fixed: Sequence[int] = ()
    gc: tuple[float, float] | None = None
    forbidden: Sequence[str] = ()
    letters: str = "ACGT"

    def __post_init__(self) -> None:
        if self.gc is not None and not 0 <= self.gc[0] <= self.gc[1] <= 1:
            raise InputError(f"gc={self.gc!r}: expected two shares from 0 to 1, the smaller first.")
        if self.gc is not None and not {"G", "C"} <= set(self.letters):
            raise InputError(f"gc={self.gc!r}: the letters {self.letters!r} have no G and C.")
        for word in self.forbidden:
            if not word or not set(word) <= set(self.letters):
                raise InputError(
                    f"forbidden word {word!r}: expected one or more letters of {self.letters!r}."
                )

    @property
    def words(self) -> list[Array]:
        """The forbidden words as numbers of letters."""
        return [np.array([self.letters.index(letter) for letter in w]) for w in self.forbidden]

    @property
    def strong(self) -> Array:
        """Whether each letter is G or C (A + 1,); the last entry stands for no letter."""
        return np.array([letter in "GC" for letter in self.letters] + [False])

    def bounds(self, length: int) -> tuple[int, int]:
        """The fewest and the most letters G and C of a sequence.

        Raises
        ------
        InputError
            Where no number of letters lies between the shares.
        """
        if self.gc is None:
            return 0, length
        low, high = np.ceil(self.gc[0] * length - 1e-9), np.floor(self.gc[1] * length + 1e-9)
        if low > high:
            raise InputError(f"gc={self.gc!r}: no number of {length} letters has such a share.")
        return int(low), int(high)

    def check(self, codes: Array) -> None:
        """Refuse sequences (N, L), numbers of letters, that break a constraint.

        Raises
        ------
        InputError
            Naming the first, and what it breaks.
        """
        length = codes.shape[1]
        if len(self.fixed) and not 0 <= min(self.fixed) <= max(self.fixed) < length:
            raise InputError(f"fixed={list(self.fixed)!r}: expected positions 0 to {length - 1}.")
        low, high = self.bounds(length)
        counts = self.strong[codes].sum(axis=1)
        for sample in np.flatnonzero((counts < low) | (counts > high)):
            raise InputError(
                f"Sequence {sample} has {counts[sample]} letters G and C of {length}; expected "
                f"{low} to {high}. Give another to begin with, or other bounds gc=."
            )
        for text, word in zip(self.forbidden, self.words, strict=True):
            for sample, position in np.argwhere(_misses(codes, word).sum(axis=2) == 0)[:1]:
                raise InputError(
                    f"Sequence {sample} has the forbidden word {text} at position {position}: "
                    "give another to begin with."
                )

    def allowed(self, codes: Array) -> Array:
        """Which single changes of sequences (N, L) keep all constraints, (N, L, A)."""
        length = codes.shape[1]
        letters = np.arange(len(self.letters))
        low, high = self.bounds(length)
        strong = self.strong
        after = (
            strong[codes].sum(axis=1)[:, np.newaxis, np.newaxis]
            - strong[codes][..., np.newaxis]
            + strong[letters]
        )
        allowed = np.asarray((after >= low) & (after <= high))
        allowed[:, list(self.fixed)] = False
        for word in self.words:
            misses = _misses(codes, word)
            others = misses.sum(axis=2, keepdims=True) - misses
            for offset, letter in enumerate(word):
                end = length - len(word) + 1 + offset
                allowed[:, offset:end, letter] &= others[:, :, offset] > 0
        return allowed

    def toward(self, codes: Array, wanted: Array, gains: Array) -> Array:
        """Sequences (N, L) changed to others letter by letter, as far as all constraints hold.

        Parameters
        ----------
        codes
            Sequences that keep the constraints.
        wanted
            Their letters if there were no constraints (N, L).
        gains
            What each change is worth (N, L): the largest comes first.
        """
        free = np.ones(codes.shape[1], bool)
        free[list(self.fixed)] = False
        if self.gc is None and not self.forbidden:
            return np.where(free, wanted, codes)
        result = codes.copy()
        bounds, strong = self.bounds(codes.shape[1]), self.strong
        for row, target, gain in zip(result, wanted, gains, strict=True):
            count = int(strong[row].sum())
            for position in np.argsort(-gain, kind="stable"):
                before, after = row[position], target[position]
                change = int(strong[after]) - int(strong[before])
                inside = bounds[0] <= count + change <= bounds[1]
                if before == after or not free[position] or not inside:
                    continue
                row[position] = after
                if self._has_word(row, position):
                    row[position] = before
                else:
                    count += change
        return result

    def draw(self, count: int, length: int, generator: np.random.Generator) -> Array:
        """Random sequences (N, L) that keep the constraints.

        Raises
        ------
        InputError
            Where a hundred tries find none.
        """
        return np.stack([self._draw_one(length, generator) for _ in range(count)])

    def _draw_one(self, length: int, generator: np.random.Generator) -> Array:
        low, high = self.bounds(length)
        strong = self.strong[:-1]
        for _ in range(TRIES):
            many = strong[np.arange(len(strong))]
            share = generator.uniform(low, high) / length if self.gc is not None else many.mean()
            odds = np.where(many, share / max(1, many.sum()), (1 - share) / max(1, (~many).sum()))
            row = generator.choice(len(strong), size=length, p=odds / odds.sum())
            for position in generator.permutation(length):
                for letter in generator.permutation(len(strong)):
                    if not self._has_word(row, position):
                        break
                    row[position] = letter
            clean = not any(self._has_word(row, position) for position in range(length))
            if clean and low <= strong[row].sum() <= high:
                return row
        raise InputError(
            f"No sequence of {length} letters that keeps gc={self.gc} and lacks "
            f"{list(self.forbidden)} was met in {TRIES} draws: give x= to begin with."
        )

    def _has_word(self, row: Array, position: int) -> bool:
        """Whether a forbidden word covers a position of a sequence (L,)."""
        for word in self.words:
            first = max(0, position - len(word) + 1)
            near = row[np.newaxis, first : position + len(word)]
            if near.shape[1] >= len(word) and (_misses(near, word).sum(axis=2) == 0).any():
                return True
        return False


def _misses(codes: Array, word: Array) -> Array:
    """Where sequences (N, L) differ from a word that begins at each position, (N, L - W + 1, W)."""
    if codes.shape[1] < len(word):
        return np.ones((len(codes), 0, len(word)), bool)
    windows = np.lib.stride_tricks.sliding_window_view(codes, len(word), axis=1)
    return np.asarray(windows != word)


__all__ = ["Constraints"]
