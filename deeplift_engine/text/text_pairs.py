"""Pairs of texts, such as a question and a passage: in two inputs, or in one with a separator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.record_table import RecordTable
from deeplift_engine.text.input_choice import named_input, token_inputs
from deeplift_engine.text.text_files import named_texts
from deeplift_engine.text.text_input import WORDLESS, TextInput, input_form, tokenizer_of
from deeplift_engine.text.tokenizer import Side, Token

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network
    from deeplift_engine.text.tokenizer import Tokenizer

_TWO = 2


class TextPair(NamedTuple):
    """Two texts of a sample."""

    first: str
    second: str

    @property
    def shown(self) -> str:
        """Both, the second on a line of its own."""
        return f"{self.first}\n{self.second}"


@dataclass(frozen=True, eq=False, kw_only=True)
class PairInput(TextInput):
    """N pairs of texts in one input, put together by the tokenizer; see `TextInput`.

    Characters are counted in ``texts``, where the second follows the first on a line of its own.

    Attributes
    ----------
    pairs
        The pairs.
    """

    pairs: Sequence[TextPair]

    def encoded(self, number: int) -> list[Token]:
        """The tokens of both, neither cut nor filled up."""
        return encode_pair(self.tokenizer, self.pairs[number])


def encode_pair(tokenizer: Tokenizer, pair: TextPair) -> list[Token]:
    """The tokens of two texts in one input.

    Raises
    ------
    InputError
        If the tokenizer puts no texts together.
    """
    encode = getattr(tokenizer, "encode_pair", None)
    if encode is None:
        raise InputError(
            f"{tokenizer.name} does not put two texts into one input: tokenizers of the library "
            "tokenizers do. Put the texts together as for the training, and score them as one."
        )
    tokens: list[Token] = encode(pair.first, pair.second)
    return tokens


@dataclass(frozen=True, eq=False)
class TextPairs:
    """N pairs of texts as the inputs of a network.

    Attributes
    ----------
    by_input
        The texts by the names of the inputs that read them: two, or one that reads both.
    inputs
        What `Explainer.run`, `Explainer.stream` and `Job` take: these, and inputs of their form.
    read_by
        Which input reads which text, in words.
    """

    by_input: Mapping[str, TextInput]
    inputs: Any
    read_by: str = ""

    def __len__(self) -> int:
        """N."""
        return len(self._first)

    @property
    def _first(self) -> TextInput:
        return next(iter(self.by_input.values()))

    @property
    def names(self) -> list[str]:
        """Names of the samples."""
        return self._first.names

    @property
    def records(self) -> RecordTable:
        """Which pairs of the file they are."""
        return self._first.records

    @property
    def references(self) -> Any:
        """What the texts are compared with unless told otherwise, as `Explainer.run` takes it."""
        if not isinstance(self.inputs, Mapping):
            return self._first.references
        return {name: texts.references for name, texts in self.by_input.items()}

    @property
    def notes(self) -> list[str]:
        """What a reader of scores must know, in sentences."""
        several = len(self.by_input) > 1
        notes = [
            f"{name}: {note}" if several else note
            for name, texts in self.by_input.items()
            for note in texts.notes[:-1]
        ]
        compared = [texts.notes[-1] for texts in self.by_input.values()]
        return [*([self.read_by] if self.read_by else []), *notes, *dict.fromkeys(compared)]

    @property
    def about(self) -> dict[str, str]:
        """What the description of a run tells of them."""
        return self._first.about

    @property
    def constants(self) -> dict[str, Any]:
        """What is kept beside the scores, as `Job` takes it; see `TextInput.constants`."""
        return {
            k: value for texts in self.by_input.values() for k, value in texts.constants.items()
        }


def pairs(
    source: Any,
    *,
    network: Network,
    tokenizer: Any = None,
    columns: Sequence[str] | None = None,
    names: str | None = None,
    inputs: Sequence[str] | None = None,
    length: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
    strict: bool = False,
) -> TextPairs:
    """Pairs of texts as the inputs of a network: one for each text, or one for both.

    One input reads both where the tokenizer, of the library ``tokenizers``, puts them together;
    inputs for the types of tokens and for a mask of padding, by the names that transformers and
    keras-hub give them, are made, too. A pair of which a text has no token is left out.

    Parameters
    ----------
    source
        Pairs (first, second) in a list, an array (N, 2) or by name; or a file with ``columns``.
    network
        The network.
    tokenizer
        As for `texts`, of both texts; or one for each. By default the text layer in front of each
        input.
    columns
        Names of the columns of first and second texts.
    names
        The column that holds the names of pairs.
    inputs
        Names of the inputs that read them, the first text's first, or of the only one. By default
        those that may hold tokens: by the names of the columns, else in the model's order.
    length, padding, truncating, strict
        As for `texts`; of both.

    Raises
    ------
    InputError
        If the source has no pairs, or it is not clear which inputs read them; and as `texts`.
    """
    labels, both, path = _read(source, columns, names)
    chosen = _chosen(network, inputs, columns)
    each = list(tokenizer) if isinstance(tokenizer, list | tuple) else [tokenizer] * len(chosen)
    if len(each) != len(chosen):
        raise InputError(
            f"tokenizer= has {len(each)}, and {len(chosen)} inputs read texts: "
            f"{', '.join(info.name for info in chosen)}."
        )
    words = [tokenizer_of(network, *one) for one in zip(chosen, each, strict=True)]
    encoded = [_encoded(words, pair) for pair in both]
    records = RecordTable(["" if _has_both(tokens) else WORDLESS for tokens in encoded])
    records.check(lambda number: f"{path or 'the texts'}, pair {number}", strict=strict)
    scored = [both[number] for number in records.numbers]
    by_input = {}
    for number, (info, own) in enumerate(zip(chosen, words, strict=True)):
        lengths = [len(encoded[row][number]) for row in records.numbers]
        read: dict[str, Any] = {
            "tokenizer": own,
            "records": records,
            "labels": {"sample": np.array([labels[row] for row in records.numbers], object)},
            "path": path,
            "input": info.name,
            **input_form(info, own, lengths, length, padding, truncating),
        }
        by_input[info.name] = (
            TextInput(**read, texts=[pair[number] for pair in scored], suffix=f".{info.name}")
            if len(chosen) > 1
            else PairInput(**read, texts=[pair.shown for pair in scored], pairs=scored)
        )
    if len(chosen) == 1:
        return TextPairs(by_input, by_input[chosen[0].name].with_forms(network))
    read_by = f"{chosen[0].name} reads the first text, {chosen[1].name} the second"
    return TextPairs(by_input, dict(by_input), read_by)


def _read(
    source: Any, columns: Sequence[str] | None, names: str | None
) -> tuple[Sequence[str], list[TextPair], str]:
    """Names of pairs, the pairs, and their file."""
    if isinstance(source, str | os.PathLike):
        if columns is None or len(columns) != _TWO:
            raise InputError(
                f"{source}: say the two columns that hold the texts, columns=('question', "
                "'passage') (--column and --second-column)."
            )
        first, second = (named_texts(source, column, names) for column in columns)
        pairs = [TextPair(*both) for both in zip(first.texts, second.texts, strict=True)]
        return first.names, pairs, first.path
    labels = list(source) if isinstance(source, Mapping) else range(len(source))
    values = source.values() if isinstance(source, Mapping) else source
    pairs = []
    for label, value in zip(labels, values, strict=True):
        if (
            isinstance(value, str)
            or len(value) != _TWO
            or not all(isinstance(text, str) for text in value)
        ):
            raise InputError(f"pair {label} is {value!r}; expected two strings, first and second.")
        pairs.append(TextPair(*map(str, value)))
    return [str(label) for label in labels], pairs, ""


def _chosen(
    network: Network, names: Sequence[str] | None, columns: Sequence[str] | None
) -> list[InputInfo]:
    """The one or two inputs that read pairs, the first text's first."""
    if names is None:
        fitting = token_inputs(network)
        by_name = {info.name: info for info in fitting}
        if columns is not None and set(columns) == set(by_name):
            fitting = [by_name[column] for column in columns]
    else:
        fitting = [named_input(network, name) for name in names]
    if len(fitting) not in (1, _TWO):
        shapes = ", ".join(f"{info.name} {info.shape}" for info in network.inputs)
        raise InputError(
            f"{len(fitting)} inputs may hold tokens of pairs; the network has {shapes}. Say the "
            "one or two that read them, inputs= (--input, --second-input)."
        )
    return fitting


def _encoded(tokenizers: Sequence[Tokenizer], pair: TextPair) -> list[list[Token]]:
    """The tokens of a pair, for each input."""
    if len(tokenizers) == 1:
        return [encode_pair(tokenizers[0], pair)]
    return [words.encode(text) for words, text in zip(tokenizers, pair, strict=True)]


def _has_both(encoded: Sequence[Sequence[Token]]) -> bool:
    """Whether both texts have tokens that are theirs."""
    texts = {
        (number, token.sequence)
        for number, tokens in enumerate(encoded)
        for token in tokens
        if not token.fixed
    }
    return len(texts) == _TWO


__all__ = ["PairInput", "TextPair", "TextPairs", "pairs"]
