"""Texts as a run reads them: tokens in the form of a network's input, made when asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.record_table import RecordTable
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.text.text_files import NamedTexts, named_texts
from deeplift_engine.text.text_layout import TextLayout, empty_columns
from deeplift_engine.text.text_references import TextReferences, text_references
from deeplift_engine.text.text_vectorization import text_vectorization
from deeplift_engine.text.tokenizer import Side, Token
from deeplift_engine.text.tokenizer_files import read_tokenizer
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network
    from deeplift_engine.references.reference_set import References
    from deeplift_engine.text.tokenizer import Tokenizer

WORDLESS = "no tokens"
TEXT_LAYERS = ("TextVectorization", "StringLookup")
"""Layers in front of an input that tell how texts become tokens."""


@dataclass(frozen=True, eq=False)
class TextInput:
    """N texts as an array (N, L) of tokens, of which slices are made when they are asked for.

    It is what `Explainer.run`, `Explainer.stream` and `Job` take; ``numpy.asarray`` makes the
    whole array.

    Attributes
    ----------
    texts
        The texts.
    tokenizer
        How they become tokens.
    layout
        L, where they are cut and where filled up.
    records
        Which texts of the file they are; those without any token are left out.
    labels
        Names of the samples, ``sample``.
    path
        The file that they are from; empty of texts in memory.
    compared
        What they are compared with by default.
    cut
        How many texts are longer than L tokens.
    input
        The name of the network's input that reads them; empty without a network.
    """

    texts: Sequence[str]
    tokenizer: Tokenizer
    layout: TextLayout
    records: RecordTable
    labels: Mapping[str, Any]
    path: str
    compared: TextReferences
    cut: int = 0
    input: str = ""

    def __len__(self) -> int:
        """N."""
        return len(self.texts)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        return (len(self), self.layout.length)

    @property
    def ndim(self) -> int:
        """Of the whole array."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of whole numbers."""
        return np.dtype(self.layout.dtype)

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice, of an array of numbers, or one sample."""
        numbers = np.arange(len(self))[rows]
        block = [self.layout.numbers(self.tokens(number)) for number in np.atleast_1d(numbers)]
        array = np.array(block, self.layout.dtype).reshape(-1, self.layout.length)
        return array if np.ndim(numbers) else np.asarray(array[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)

    def tokens(self, number: int) -> list[Token]:
        """The L tokens of a text."""
        return self.layout.arrange(self.tokenizer.encode(self.texts[number]))

    @property
    def names(self) -> list[str]:
        """Names of the samples."""
        return list(self.labels["sample"])

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of a sample, as `Job` takes them."""
        return ("position",)

    @property
    def references(self) -> References:
        """What texts are compared with unless told otherwise; `notes` say it in words."""
        return self.compared.references

    @property
    def notes(self) -> list[str]:
        """What a reader of scores must know, in sentences."""
        end = {"pre": "beginning", "post": "end"}[self.layout.truncating]
        cut = (
            f"{self.cut} of {len(self)} texts are cut to {self.layout.length} tokens, at the {end}"
        )
        return [
            *self.tokenizer.notes,
            *([cut] if self.cut else []),
            f"by default texts are compared with {self.compared.words}",
        ]

    @property
    def about(self) -> dict[str, str]:
        """What the description of a run tells of them."""
        return {
            "kind": "text",
            "tokenizer": self.tokenizer.name,
            "padding": self.layout.padding,
            "truncating": self.layout.truncating,
            **({"texts": self.path} if self.path else {}),
            **({"text_input": self.input} if self.input else {}),
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
        texts = np.array(self.texts, object)
        return {**self.labels, "text": texts, **columns, **self.records.constants}


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
    input: str | None = None,
    strict: bool = False,
) -> TextInput:
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
    input
        The name of the network's input that reads the texts, where several may.
    strict
        Whether a text without any token is an error; else it is left out.

    Raises
    ------
    InputError
        If the file or the tokenizer cannot be read, no input or several may read the texts, or
        nothing is left to score.
    """
    info = None if network is None else text_input_of(network, input)
    words = _tokenizer(network, info, tokenizer)
    named = named_texts(source, column, names)
    counts = [len(words.encode(text)) for text in named.texts]
    fixed = len(words.special.fixed)
    records = RecordTable(["" if count > fixed else WORDLESS for count in counts])
    records.check(lambda number: f"{named.path or 'the texts'}, text {number}", strict=strict)
    lengths = [counts[number] for number in records.numbers]
    layout = TextLayout(
        _length(info, length, words, max(lengths)),
        padding or words.padding,
        truncating or words.truncating,
        words.special.padding,
        info.dtype if info is not None and info.dtype.startswith("int") else "int32",
    )
    left_out = None if info is None else info.padding
    rows = None if info is None or info.table is None else info.table.rows
    return TextInput(
        [named.texts[number] for number in records.numbers],
        words,
        layout,
        records,
        {"sample": np.array([named.names[number] for number in records.numbers], object)},
        named.path,
        text_references(words, left_out, rows),
        sum(count > layout.length for count in lengths),
        "" if info is None else info.name,
    )


def text_input_of(network: Network, name: str | None = None) -> InputInfo:
    """The input that is named, or the only one that may hold tokens of a text.

    Raises
    ------
    InputError
        If there is no such input, or none is named where none or several may hold them.
    """
    known = {info.name: info for info in network.inputs}
    if name is not None:
        if (key := key_of(name, network.inputs)) not in known:
            raise InputError(f"input={name!r}: the network's inputs are {', '.join(known)}.")
        return known[key]
    fitting = [info for info in known.values() if _may_hold_tokens(network, info)]
    if len(fitting) > 1:  # an input with a text layer of its own comes first
        fitting = [info for info in fitting if _front(network, info)] or fitting
    if len(fitting) != 1:
        shapes = ", ".join(f"{info.name} {info.shape}" for info in network.inputs)
        which = "several inputs may hold texts" if fitting else "no input holds tokens"
        raise InputError(
            f"{which}: the network has {shapes}. Say which one reads them, input= (--input)."
        )
    return fitting[0]


def _may_hold_tokens(network: Network, info: InputInfo) -> bool:
    is_whole = info.table is not None or not info.dtype.startswith("float")
    return len(info.shape) == 1 and (is_whole or bool(_front(network, info)))


def _front(network: Network, info: InputInfo) -> Any:
    """The text layer that the network is cut behind at an input; None where there is none."""
    front = network.spec.fronts.get(info.layer or info.name)
    return front if front is not None and front.class_name in TEXT_LAYERS else None


def _tokenizer(network: Network | None, info: InputInfo | None, source: Any) -> Tokenizer:
    front = None if network is None or info is None else _front(network, info)
    if source is not None:
        return read_tokenizer(source, None if front is None else front.config)
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


__all__ = ["NamedTexts", "TextInput", "text_input_of", "texts"]
