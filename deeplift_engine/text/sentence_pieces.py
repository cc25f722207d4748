"""A tokenizer of sentencepiece, from its ``.model`` file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.text.span_check import checked_spans
from deeplift_engine.text.tokenizer import Side, SpecialTokens, Token
from deeplift_engine.util.optional import optional

MASKS = ("[MASK]", "<mask>")
_BLANK = "▁"


@dataclass(frozen=True)
class SentencePieces:
    """Pieces of a ``sentencepiece.SentencePieceProcessor``, without start and end.

    Attributes
    ----------
    processor
        The library's.
    name, special, padding, truncating, length, notes
        As in `Tokenizer`.
    """

    processor: Any
    name: str
    special: SpecialTokens
    notes: tuple[str, ...] = ()
    padding: Side = "post"
    truncating: Side = "post"
    length: int | None = None

    @property
    def size(self) -> int:
        """How many pieces there are."""
        return int(self.processor.get_piece_size())

    @property
    def capacity(self) -> int:
        """The same."""
        return self.size

    def encode(self, text: str) -> list[Token]:
        """The pieces; their characters are compared with the text."""
        encoded = self.processor.encode(text, out_type="offset_mapping")
        numbers = [int(number) for number in encoded["ids"]]
        pieces = [self.word(number) for number in numbers]
        unknown = [number == self.special.unknown for number in numbers]
        spans = checked_spans(text, pieces, encoded["offsets"], unknown, self._normalized)
        return [
            Token(number, piece, *span)
            for number, piece, span in zip(numbers, pieces, spans, strict=True)
        ]

    def word(self, token: int) -> str:
        """The entry of the vocabulary; empty of a number that it does not have."""
        known = 0 <= token < self.processor.get_piece_size()
        return str(self.processor.id_to_piece(token)) if known else ""

    def _normalized(self, characters: str) -> str:
        """What the file's normaliser makes of characters, without its marks of blanks."""
        return str(self.processor.normalize(characters)).replace(_BLANK, " ").strip()


def sentence_pieces(content: bytes, source: str) -> SentencePieces:
    """A tokenizer of what is in a ``.model`` file.

    Parameters
    ----------
    content
        The file's bytes.
    source
        Its name, for messages.

    Raises
    ------
    InputError
        If sentencepiece does not take it, or is too old to tell the characters of pieces.
    DeepliftEngineError
        If sentencepiece is not installed.
    """
    library = optional("sentencepiece", "sentencepiece", "sentencepiece")
    try:
        processor = library.SentencePieceProcessor()
        processor.load_from_serialized_proto(content)
        processor.encode("a", out_type="offset_mapping")
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"{source}: sentencepiece {library.__version__} does not take it ({error}); expected a "
            ".model file, and sentencepiece 0.2.3 or later."
        ) from error
    return of_processor(processor, source)


def of_processor(processor: Any, source: str) -> SentencePieces:
    """A tokenizer of a ``SentencePieceProcessor`` in memory."""
    padding, unknown = int(processor.pad_id()), int(processor.unk_id())
    pieces = [processor.piece_to_id(name) for name in MASKS]
    masks = [int(number) for number in pieces if number != unknown]
    notes = [f"{source} has no piece of padding: texts are filled up with token 0"]
    special = SpecialTokens(max(padding, 0), unknown, masks[0] if masks else None)
    return SentencePieces(
        processor, f"sentencepiece's {source}", special, tuple(notes if padding < 0 else ())
    )


__all__ = ["SentencePieces", "of_processor", "sentence_pieces"]
