"""Text that is changed step by step, and knows of each character where the original has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TracedText:
    """A text, or a word cut out of one.

    Attributes
    ----------
    characters
        As they are now.
    origins
        For each of them the number of the character of the original that it comes from.
    """

    characters: str
    origins: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> TracedText:
        """A text as it is."""
        return cls(text, tuple(range(len(text))))

    def __len__(self) -> int:
        """Number of characters."""
        return len(self.characters)

    def __getitem__(self, span: slice) -> TracedText:
        """A stretch of it."""
        return TracedText(self.characters[span], self.origins[span])

    @property
    def span(self) -> tuple[int, int]:
        """Where the original has it: first character, and the one behind the last."""
        return self.origins[0], self.origins[-1] + 1

    def lowered(self) -> TracedText:
        """In Python's lower case, of which one character may become two."""
        lowered = self.characters.lower()
        if len(lowered) == len(self):  # no character becomes none
            return TracedText(lowered, self.origins)
        return TracedText(lowered, self._repeated(len(each.lower()) for each in self.characters))

    def translated(self, replacements: Mapping[str, str]) -> TracedText:
        """With some characters replaced by none, one or several others."""
        changed = self.characters.translate({ord(old): new for old, new in replacements.items()})
        if all(len(new) == 1 for new in replacements.values()):
            return TracedText(changed, self.origins)
        lengths = {old: len(new) for old, new in replacements.items()}
        return TracedText(changed, self._repeated(lengths.get(each, 1) for each in self.characters))

    def words(self, separators: Iterable[str]) -> Iterator[TracedText]:
        """What stands between separators, empty words left out."""
        first = 0
        for match in re.finditer("|".join(map(re.escape, separators)), self.characters):
            if match.start() > first:
                yield self[first : match.start()]
            first = match.end()
        if first < len(self):
            yield self[first:]

    def each_character(self) -> Iterator[TracedText]:
        """Every character by itself."""
        return (self[number : number + 1] for number in range(len(self)))

    def _repeated(self, lengths: Iterable[int]) -> tuple[int, ...]:
        """The origins, each for as many characters as came of its own."""
        each = zip(self.origins, lengths, strict=True)
        return tuple(origin for origin, length in each for _ in range(length))


__all__ = ["TracedText"]
