"""A tokenizer from whatever holds one: a file of one of the libraries, a layer, an object."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.text.keras_tokenizer import keras_tokenizer
from deeplift_engine.text.library_tokenizer import library_tokenizer
from deeplift_engine.text.sentence_pieces import of_processor, sentence_pieces
from deeplift_engine.text.text_vectorization import text_vectorization
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.utf8_text import decoded

if TYPE_CHECKING:
    from deeplift_engine.text.tokenizer import Tokenizer

_EXPECTED = (
    "expected the JSON of Keras's Tokenizer or of the library tokenizers, a .model of "
    "sentencepiece, or a vocabulary, a word a line"
)
_PICKLES = (".pickle", ".pkl", ".p", ".joblib")


def read_tokenizer(source: Any, layer: Mapping[str, Any] | None = None) -> Tokenizer:
    """A tokenizer of a file, a layer or an object.

    Parameters
    ----------
    source
        The name of a file: JSON of Keras's ``Tokenizer.to_json()``, once or twice encoded; JSON of
        the library ``tokenizers``; a ``.model`` of sentencepiece; or a vocabulary of
        TextVectorization, a word a line. Or in memory: a Tokenizer of Keras, a
        ``tokenizers.Tokenizer``, a SentencePieceProcessor or a TextVectorization; or anything with
        the attributes of `Tokenizer`.
    layer
        The configuration of the layer whose vocabulary a file holds, or options of it; without
        them the defaults of TextVectorization.

    Raises
    ------
    InputError
        If it holds no tokenizer.
    """
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source), layer)
    if hasattr(source, "to_json"):
        return _of_text(source.to_json(), "the Tokenizer in memory")
    if hasattr(source, "get_vocabulary"):
        config = {**source.get_config(), **(layer or {}), **_weights(source)}
        return text_vectorization(config, source.get_vocabulary(), source.name)
    if hasattr(source, "id_to_piece"):
        return of_processor(source, "SentencePieceProcessor in memory")
    if hasattr(source, "to_str"):
        return _of_text(source.to_str(), "the tokenizer in memory")
    if hasattr(source, "encode") and hasattr(source, "special"):
        tokenizer: Tokenizer = source
        return tokenizer
    raise InputError(f"tokenizer= is of type {type(source).__name__}; {_EXPECTED}.")


def _of_file(path: Path, layer: Mapping[str, Any] | None) -> Tokenizer:
    if path.suffix.lower() in (".model", ".spm"):
        return sentence_pieces(_read_bytes(path), str(path))
    if path.suffix.lower() in _PICKLES:
        raise InputError(
            f"{path}: a pickle may run any program and is not read; load it where it was made, and "
            "write tokenizer.to_json() into a .json file."
        )
    text = read_text(path)
    if path.suffix.lower() == ".json" or text.startswith(("{", '"{')):
        return _of_text(text.removeprefix("\ufeff"), str(path))
    options = {"standardize": _DEFAULT, **(layer or {})}
    vocabulary = vocabulary_of(text, str(path))
    return text_vectorization(options, vocabulary, f"the vocabulary in {path}")


_DEFAULT = "lower_and_strip_punctuation"


def _weights(layer: Any) -> dict[str, Any]:
    """The idf weights of a layer in memory, which its configuration lacks once it was adapted."""
    lookup = getattr(layer, "_lookup_layer", layer)
    weights = getattr(lookup, "idf_weights_const", None)
    return {} if weights is None else {"idf_weights": np.asarray(weights).tolist()}


def read_text(path: Path) -> str:
    """The text of a file, with its ends of lines.

    Raises
    ------
    InputError
        If there is none, or it is not UTF-8.
    """
    return decoded(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        here = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(
            f"{path}: no such file. {suggest(path.name, here, '')}".rstrip()
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def vocabulary_of(text: str, source: str) -> list[str]:
    """The words of a vocabulary file, cut at line feeds alone, as TensorFlow reads it.

    Raises
    ------
    InputError
        For an empty file, and an empty line, but the first one, which stands for padding.
    """
    if not text.strip():
        raise InputError(f"{source} is empty: expected a word a line.")
    words = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    empty = [number for number, word in enumerate(words) if not word and number]
    if empty:
        raise InputError(f"{source}, line {empty[0] + 1}: empty, which no word is.")
    return words


def _of_text(text: str, source: str) -> Tokenizer:
    try:
        document = json.loads(text)
        document = json.loads(document) if isinstance(document, str) else document
    except json.JSONDecodeError as error:
        raise InputError(f"{source}: damaged JSON ({error}); {_EXPECTED}.") from error
    if isinstance(document, Mapping) and "config" in document:
        return keras_tokenizer(document, source)
    if isinstance(document, Mapping) and "model" in document:
        return library_tokenizer(document, source)
    raise InputError(f"{source}: JSON of something else; {_EXPECTED}.")


__all__ = ["read_text", "read_tokenizer", "vocabulary_of"]
