"""Text that is changed step by step, and knows of each character where the original has it."""

from __future__ import annotations

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
        lengths = (len(character.lower()) for character in self.characters)
        origins = (
            origin
            for origin, length in zip(self.origins, lengths, strict=True)
            for _ in range(length)
        )
        return TracedText(self.characters.lower(), tuple(origins))

    def translated(self, replacements: Mapping[str, str]) -> TracedText:
        """With some characters replaced by none, one or several others."""
        changed = [replacements.get(character, character) for character in self.characters]
        origins = (origin for origin, text in zip(self.origins, changed, strict=True) for _ in text)
        return TracedText("".join(changed), tuple(origins))

    def words(self, separators: Iterable[str]) -> Iterator[TracedText]:
        """What stands between separators, empty words left out."""
        first, end = 0, 0
        alternatives = tuple(separators)
        while end < len(self):
            width = self._separator_at(end, alternatives)
            if width:
                if end > first:
                    yield self[first:end]
                first = end + width
            end += width or 1
        if end > first:
            yield self[first:end]

    def each_character(self) -> Iterator[TracedText]:
        """Every character by itself."""
        return (self[number : number + 1] for number in range(len(self)))

    def _separator_at(self, start: int, separators: tuple[str, ...]) -> int:
        """The length of the separator that begins at ``start``; 0 where there is none."""
        return next((len(s) for s in separators if self.characters.startswith(s, start)), 0)


__all__ = ["TracedText"]
