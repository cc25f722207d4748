"""A tokenizer of the library ``tokenizers`` from its JSON, read so that it only splits a text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.text.span_check import Span, checked_spans
from deeplift_engine.text.tokenizer import ABSENT, Side, SpecialTokens, Token
from deeplift_engine.util.optional import optional

PADDING = ("[PAD]", "<pad>", "<PAD>", "<|pad|>")
MASKS = ("[MASK]", "<mask>", "<MASK>", "<|mask|>")
UNKNOWN = ("[UNK]", "<unk>", "<UNK>", "<|unk|>")
_SIDES: Mapping[str, Side] = {"Left": "pre", "Right": "post"}


@dataclass(frozen=True)
class LibraryTokenizer:
    """Tokens of a ``tokenizers.Tokenizer``, neither cut nor filled up.

    Attributes
    ----------
    tokenizer
        The library's, without truncation, padding and dropout.
    name, special, padding, truncating, length, notes
        As in `Tokenizer`: sides and length are those of its file.
    added
        Tokens that were added to the vocabulary, which the library may spell otherwise.
    """

    tokenizer: Any
    name: str
    special: SpecialTokens
    padding: Side
    truncating: Side
    length: int | None
    notes: tuple[str, ...]
    added: Mapping[int, str]

    @property
    def size(self) -> int:
        """One more than the greatest number of its vocabulary, added tokens counted."""
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    @property
    def capacity(self) -> int:
        """The same."""
        return self.size

    def encode(self, text: str) -> list[Token]:
        """The tokens, with start and end where it adds such; spans are compared with the text."""
        return self._tokens(self.tokenizer.encode(text), (text,))

    def encode_pair(self, first: str, second: str) -> list[Token]:
        """The tokens of two texts, as the file puts them together.

        Characters are counted as if the second followed the first on a line of its own.
        """
        return self._tokens(self.tokenizer.encode(first, second), (first, second))

    def _tokens(self, encoded: Any, texts: Sequence[str]) -> list[Token]:
        content = [not special for special in encoded.special_tokens_mask]
        spans = [(ABSENT, ABSENT)] * len(content)
        start = 0
        for number, text in enumerate(texts):
            own = [
                index
                for index, sequence in enumerate(encoded.sequence_ids)
                if content[index] and sequence == number
            ]
            for index, (begin, end) in zip(own, self._spans(encoded, own, text), strict=True):
                spans[index] = (begin, end) if begin == ABSENT else (begin + start, end + start)
            start += len(text) + 1
        rows = zip(encoded.ids, content, spans, encoded.type_ids, encoded.sequence_ids, strict=True)
        return [
            Token(number, self.word(number), *span, not own, kind, sequence or 0)
            for number, own, span, kind, sequence in rows
        ]

    def _spans(self, encoded: Any, own: Sequence[int], text: str) -> list[Span]:
        """Spans of some of the tokens, compared with their text."""
        normalizer = self.tokenizer.normalizer
        normalize = normalizer.normalize_str if normalizer is not None else str
        numbers = [encoded.ids[index] for index in own]
        unknown = [number == self.special.unknown for number in numbers]
        offsets = [encoded.offsets[index] for index in own]
        return checked_spans(text, list(map(self.word, numbers)), offsets, unknown, normalize)

    def word(self, token: int) -> str:
        """The entry of the vocabulary; empty of a number that it does not have."""
        return self.added.get(token) or str(self.tokenizer.id_to_token(token) or "")


def library_tokenizer(document: Mapping[str, Any], source: str) -> LibraryTokenizer:
    """A tokenizer of the JSON that ``Tokenizer.save`` writes, with what it adds switched off.

    Parameters
    ----------
    document
        The JSON.
    source
        Its file, for messages.

    Raises
    ------
    InputError
        If the library does not take it.
    DeepliftEngineError
        If the library is not installed.
    """
    tokenizers = optional("tokenizers", "tokenizers", "text")
    try:
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(document))
    except Exception as error:  # the library raises plain exceptions
        raise InputError(f"{source}: the library tokenizers does not take it: {error}") from error
    truncation, padding = tokenizer.truncation, tokenizer.padding
    tokenizer.no_truncation()
    tokenizer.no_padding()
    notes = []
    if truncation:
        notes.append(
            f"{source} cuts texts to {truncation['max_length']} tokens: they are cut to the "
            "length of the model instead"
        )
    if padding:
        notes.append(f"{source} pads texts by itself: they are padded to the length of the model")
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
        notes.append(f"{source} has dropout, by which a text has other tokens each time: it is off")
    filler = int(padding["pad_id"]) if padding else _first(tokenizer, PADDING)
    if filler is None:
        notes.append(f"{source} has no token of padding: texts are filled up with token 0")
    special = SpecialTokens(
        filler or 0,
        _unknown(tokenizer, document["model"]),
        _first(tokenizer, MASKS),
        tuple(tokenizer.encode("").ids),
    )
    return LibraryTokenizer(
        tokenizer,
        f"the tokenizer in {source}",
        special,
        _side(padding),
        _side(truncation),
        (truncation or {}).get("max_length") or (padding or {}).get("length"),
        tuple(notes),
        {number: added.content for number, added in tokenizer.get_added_tokens_decoder().items()},
    )


def _first(tokenizer: Any, names: tuple[str, ...]) -> int | None:
    """The number of the first of some tokens that it has."""
    numbers = (tokenizer.token_to_id(name) for name in names)
    return next((int(number) for number in numbers if number is not None), None)


def _unknown(tokenizer: Any, model: Mapping[str, Any]) -> int | None:
    """The number of the unknown token: of Unigram by its number, of others by its name."""
    if isinstance(number := model.get("unk_id"), int):
        return number
    own = model.get("unk_token")
    return _first(tokenizer, (own,) if own else UNKNOWN)


def _side(options: Mapping[str, Any] | None) -> Side:
    return _SIDES.get(str((options or {}).get("direction", "right")).title(), "post")


__all__ = ["LibraryTokenizer", "library_tokenizer"]
