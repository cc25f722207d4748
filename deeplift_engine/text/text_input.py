"""Texts as a run reads them: tokens in the form of a network's input, made when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.record_table import RecordTable
from deeplift_engine.references.fixed import unchanged
from deeplift_engine.text.bag_input import NO_WORDS, BagInput, bag_columns
from deeplift_engine.text.input_choice import bag_mode, form_inputs, front_of, text_input_of
from deeplift_engine.text.text_array import TextArray
from deeplift_engine.text.text_files import NamedTexts, named_texts
from deeplift_engine.text.text_layout import TextLayout, empty_columns
from deeplift_engine.text.text_references import text_references
from deeplift_engine.text.text_vectorization import text_vectorization
from deeplift_engine.text.tokenizer import Side, Token
from deeplift_engine.text.tokenizer_files import read_tokenizer
from deeplift_engine.text.vocabulary_size import check_size, doubts
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network
    from deeplift_engine.references.reference_set import References
    from deeplift_engine.text.tokenizer import Tokenizer

WORDLESS = "no tokens"


@dataclass(frozen=True, eq=False, kw_only=True)
class TextInput(TextArray):
    """N texts as an array (N, L) of tokens; see `TextArray`.

    Attributes
    ----------
    tokenizer
        How they become tokens.
    layout
        L, where they are cut and where filled up.
    cut
        How many texts are longer than L tokens.
    doubts
        What speaks against the tokenizer being that of the training, in sentences.
    suffix
        Of the names of what is kept for each token: of two texts of a sample that the network
        reads apart, a dot and the name of the input; else nothing.
    """

    tokenizer: Tokenizer
    layout: TextLayout
    cut: int = 0
    doubts: Sequence[str] = ()
    suffix: str = ""

    @property
    def width(self) -> int:
        """L."""
        return self.layout.length

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of whole numbers."""
        return np.dtype(self.layout.dtype)

    def row(self, number: int) -> Array:
        """The numbers of the tokens of a text."""
        return self.layout.numbers(self.tokens(number))

    def tokens(self, number: int) -> list[Token]:
        """The L tokens of a text."""
        return self.layout.arrange(self.encoded(number))

    def encoded(self, number: int) -> list[Token]:
        """The tokens of a text, neither cut nor filled up."""
        return self.tokenizer.encode(self.texts[number])

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The axis of positions."""
        return (f"position{self.suffix}",)

    @property
    def notes(self) -> list[str]:
        """What a reader of scores must know, in sentences."""
        end = {"pre": "beginning", "post": "end"}[self.layout.truncating]
        cut = (
            f"{self.cut} of {len(self)} texts are cut to {self.layout.length} tokens, at the {end}"
        )
        return [
            *self.tokenizer.notes,
            *self.doubts,
            *([cut] if self.cut else []),
            f"by default texts are compared with {self.compared.words}",
        ]

    @property
    def about(self) -> dict[str, str]:
        """What the description of a run tells of them."""
        own = self.input and not self.suffix
        return {
            "kind": "text",
            "tokenizer": self.tokenizer.name,
            "padding": self.layout.padding,
            "truncating": self.layout.truncating,
            **({"texts": self.path} if self.path else {}),
            **({"text_input": self.input} if own else {}),
        }

    @cached_property
    def constants(self) -> dict[str, Any]:
        """What is kept beside the scores, as `Job` takes it.

        ``sample``, ``text`` and ``record`` have an entry for each text; ``token``, ``begin`` and
        ``end`` (N, L) one for each token: its name, empty of padding, and its characters of the
        text, -1 where it has none; ``kept`` and ``reason`` one for each text of the file.
        """
        columns = empty_columns(*self.shape)
        for row in range(len(self)):
            for column, token in enumerate(self.tokens(row)):
                columns["token"][row, column] = token.text
                columns["begin"][row, column] = token.begin
                columns["end"][row, column] = token.end
        named = {"text": np.array(self.texts, object), **columns}
        return {
            **self.labels,
            **{f"{name}{self.suffix}": values for name, values in named.items()},
            **self.records.constants,
        }

    def with_forms(self, network: Network) -> Any:
        """What the network takes: these texts, or a mapping of them and of their form.

        Inputs that are called as in ``input_choice.TYPES`` and ``MASKS`` read which of two texts
        a token is of, and which tokens are no padding.
        """
        forms = form_inputs(network, [self.input])
        if not forms:
            return self
        return {self.input: self, **{name: TokenForm(self, forms[name]) for name in forms}}


@dataclass(frozen=True, eq=False)
class TokenForm:
    """Of each token of texts its type, or whether it is no padding, (N, L).

    Attributes
    ----------
    texts
        The texts.
    is_type
        Which of both.
    """

    texts: TextInput
    is_type: bool
    ndim = 2

    def __len__(self) -> int:
        """N."""
        return len(self.texts)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, L)."""
        return self.texts.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of whole numbers."""
        return self.texts.dtype

    @property
    def references(self) -> References:
        """The form stays what it is."""
        return unchanged()

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice, of an array of numbers, or one sample."""
        numbers = np.arange(len(self))[rows]
        block = [self._row(number) for number in np.atleast_1d(numbers)]
        array = np.array(block, self.dtype).reshape(-1, self.shape[1])
        return array if np.ndim(numbers) else np.asarray(array[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype)

    def _row(self, number: int) -> list[int]:
        tokens = self.texts.tokens(number)
        return [token.type if self.is_type else int(not token.is_padding) for token in tokens]


def texts(
    source: Any,
    *,
    network: Network | None = None,
    tokenizer: Any = None,
    column: str | None = None,
    names: str | None = None,
    length: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
    bag: str | None = None,
    input: str | None = None,
    strict: bool = False,
) -> TextArray:
    """Texts of a file, or in memory, as an input of a network.

    Parameters
    ----------
    source, column, names
        As for `named_texts`: a ``.txt``, ``.csv``, ``.tsv`` or ``.jsonl`` file, or strings.
    network
        The network whose length is taken, and whose own text layer, where it has one.
    tokenizer
        As for `read_tokenizer`: a file or an object. By default the TextVectorization or
        StringLookup that the network is cut behind.
    length
        L, where the network leaves it free; by default the tokenizer's, else the longest text's.
    padding, truncating
        Whether texts are filled up, and cut, at the beginning (``"pre"``) or the end (``"post"``).
        By default as for training: Keras's ``pad_sequences`` does both at the beginning,
        TextVectorization at the end, and a file of ``tokenizers`` says it.
    bag
        How words are counted, where the network reads a column for each word of a vocabulary
        (a bag of words) and has no layer that says it: ``"binary"``, ``"count"``, ``"freq"`` or
        ``"tfidf"`` as ``Tokenizer.texts_to_matrix``; ``"multi_hot"``, ``"count"`` or ``"tf_idf"``
        as TextVectorization.
    input
        The name of the network's input that reads the texts, where several may.
    strict
        Whether a text without any token is an error; else it is left out.

    Returns
    -------
    TextInput or BagInput
        By what the network reads.

    Raises
    ------
    InputError
        If the file or the tokenizer cannot be read, no input or several may read the texts, or
        nothing is left to score.
    """
    info = None if network is None else text_input_of(network, input)
    mode = bag_mode(network, info, bag)
    words = tokenizer_of(network, info, tokenizer, mode)
    named = named_texts(source, column, names)
    encoded = [words.encode(text) for text in named.texts]
    records = RecordTable(
        ["" if any(not token.fixed for token in tokens) else WORDLESS for tokens in encoded]
    )
    records.check(lambda number: f"{named.path or 'the texts'}, text {number}", strict=strict)
    read: dict[str, Any] = {
        "texts": [named.texts[number] for number in records.numbers],
        "tokenizer": words,
        "records": records,
        "labels": {"sample": np.array([named.names[n] for n in records.numbers], object)},
        "path": named.path,
        "input": "" if info is None else info.name,
    }
    if mode is not None:
        width = None if info is None else info.shape[0]
        columns = bag_columns(words, mode, width, read["input"])
        return BagInput(**read, columns=columns, compared=NO_WORDS)
    lengths = [len(encoded[number]) for number in records.numbers]
    return TextInput(**read, **input_form(info, words, lengths, length, padding, truncating))


def input_form(
    info: InputInfo | None,
    words: Tokenizer,
    lengths: Sequence[int],
    length: int | None = None,
    padding: Side | None = None,
    truncating: Side | None = None,
) -> dict[str, Any]:
    """How tokens become a network's input: arguments of `TextInput`.

    Parameters
    ----------
    info
        The input, where there is a network.
    words
        The tokenizer.
    lengths
        How many tokens each text has.
    length, padding, truncating
        As for `texts`.

    Raises
    ------
    InputError
        If the input has another length.
    """
    layout = TextLayout(
        _length(info, length, words, max(lengths)),
        padding or words.padding,
        truncating or words.truncating,
        words.special.padding,
        info.dtype if info is not None and info.dtype.startswith("int") else "int32",
    )
    left_out = None if info is None else info.padding
    rows = None if info is None or info.table is None else info.table.rows
    return {
        "layout": layout,
        "compared": text_references(words, left_out, rows),
        "cut": sum(count > layout.length for count in lengths),
        "doubts": doubts(words, info),
    }


def tokenizer_of(
    network: Network | None, info: InputInfo | None, source: Any, mode: str | None = None
) -> Tokenizer:
    """The tokenizer that is named, or the text layer in front of an input.

    Raises
    ------
    InputError
        If there is none, it cannot be read, or it gives numbers that the network has no row for.
    """
    front = front_of(network, info)
    if source is not None:
        options = {} if front is None else front.config
        counting = {} if mode is None else {"output_mode": mode}
        words = read_tokenizer(source, {**options, **counting})
        check_size(words, info, "the model" if network is None else network.spec.source)
        return words
    if front is None:
        raise InputError(
            "how texts become tokens is not in the model: say the tokenizer of its training, "
            "tokenizer= (--tokenizer): the JSON of Keras's Tokenizer or of the library tokenizers, "
            "or the vocabulary of a TextVectorization."
        )
    return text_vectorization(front.config, name=front.name)


def _length(info: InputInfo | None, length: int | None, words: Tokenizer, longest: int) -> int:
    own = None if info is None else info.shape[0]
    if length is not None:
        length = int(checked("length", length, Integer(1), InputError))
    if None not in (own, length) and own != length:
        raise InputError(
            f"length={length}: the input {info.name if info else ''!r} reads {own} tokens; leave "
            "it out."
        )
    return own or length or words.length or longest


__all__ = [
    "NamedTexts",
    "TextInput",
    "TokenForm",
    "input_form",
    "text_input_of",
    "texts",
    "tokenizer_of",
]
