"""Whether the characters that a tokenizer names for a token are those of the token."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

from deeplift_engine.text.tokenizer import ABSENT

_MARKS = ("##", "▁", "Ġ", "</w>")
"""What vocabularies write for the beginning or the inside of a word."""
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
Span = tuple[int, int]


def checked_spans(
    text: str,
    pieces: Sequence[str],
    spans: Sequence[Span],
    unknown: Sequence[bool],
    normalize: Callable[[str], str],
) -> list[Span]:
    """Spans of tokens that hold them, blanks at their ends left out.

    A span that does not hold its token is looked for again behind the one before; a token that is
    not there either has no span.

    Parameters
    ----------
    text
        The text.
    pieces
        The tokens, as the vocabulary spells them; empty for those that are not of the text.
    spans
        What the tokenizer says of each.
    unknown
        Which of them stand for a word that is not in the vocabulary, and so may be anything.
    normalize
        What the tokenizer does to characters before it splits.

    Returns
    -------
    list of (begin, end)
        ``(ABSENT, ABSENT)`` where there is none.
    """
    checked: list[Span] = []
    last = 0
    for piece, span, is_unknown in zip(pieces, spans, unknown, strict=True):
        begin, end = _without_blanks(text, *span)
        bare = piece if is_unknown else _bare(piece)
        if bare and not is_unknown and not _holds(text[begin:end], bare, normalize):
            begin, end = _searched(text, bare, last, normalize)
        if bare == "" or begin >= end:
            begin = end = ABSENT
        checked.append((begin, end))
        last = max(last, end)
    return checked


def _without_blanks(text: str, begin: int, end: int) -> Span:
    inside = text[begin:end]
    begin += len(inside) - len(inside.lstrip())
    return begin, max(begin, end - len(inside) + len(inside.rstrip()))


def _bare(piece: str) -> str | None:
    """A token without the marks of its vocabulary, None where it is bytes within a character."""
    if _BYTE.fullmatch(piece):
        return None
    alphabet = _byte_alphabet()
    if any(ord(character) > 255 and character in alphabet for character in piece):
        decoded = _of_bytes(piece)
        if decoded is None:
            return None
        piece = decoded
    for mark in _MARKS:
        piece = piece.removeprefix(mark).removesuffix(mark)
    return piece.replace("▁", " ").strip()


def _of_bytes(piece: str) -> str | None:
    """A token of a ByteLevel vocabulary; None where it ends within a character."""
    alphabet = _byte_alphabet()
    if not all(character in alphabet for character in piece):
        return piece
    try:
        return bytes(alphabet[character] for character in piece).decode()
    except UnicodeDecodeError:
        return None


@cache
def _byte_alphabet() -> dict[str, int]:
    """The characters that stand for bytes in ByteLevel vocabularies: printable ones as they are."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    return alphabet | {chr(256 + number): byte for number, byte in enumerate(others)}


def _holds(characters: str, piece: str, normalize: Callable[[str], str]) -> bool:
    """Whether characters are a token, or what it was replaced by ends in them."""
    return bool(characters) and _plain(piece) in (
        _plain(characters),
        _plain(normalize(characters)),
    )


def _plain(text: str) -> str:
    """Without case, accents and the form of characters."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    kept = (one for one in decomposed if not unicodedata.combining(one) and not one.isspace())
    return "".join(kept)


def _searched(text: str, piece: str, start: int, normalize: Callable[[str], str]) -> Span:
    """The next stretch of the text that is a token, of as many characters."""
    for begin in range(start, len(text) - len(piece) + 1):
        if _holds(text[begin : begin + len(piece)], piece, normalize):
            return begin, begin + len(piece)
    return ABSENT, ABSENT


__all__ = ["checked_spans"]
