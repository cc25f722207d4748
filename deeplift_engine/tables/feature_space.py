"""The columns that Keras's FeatureSpace gives, from its file or from memory, as groups."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from deeplift_conversion.files.keras_members import unpacked
from deeplift_conversion.files.source import container, read_bytes
from deeplift_conversion.files.untrusted import Budget, plain
from deeplift_conversion.weights.checkpoint import snake_case
from deeplift_engine.errors import InputError, ModelFileError

_LOOKUPS = ("StringLookup", "IntegerLookup")
_NUMBERS = ("Normalization", "Rescaling", "TFDIdentity")


def is_feature_space(source: Any) -> bool:
    """Whether it is a FeatureSpace, or the name of a file that may hold one."""
    return isinstance(source, str | os.PathLike) or hasattr(source, "get_encoded_features")


def space_columns(source: Any) -> list[tuple[str, str]]:
    """The name of each column that a FeatureSpace gives, and the feature or cross it is of.

    Columns are sorted by the names of features, those of crosses last, as ``"concat"`` puts them,
    whatever order the features were given in. No code of a file is run.

    Parameters
    ----------
    source
        The name of a ``.keras`` file, or a FeatureSpace in memory.

    Raises
    ------
    InputError
        If it holds no FeatureSpace, or one whose columns are not together or not known.
    ModelFileError
        If the file cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        name, (config, words) = str(source), _of_file(Path(source))
    else:
        name, config, words = "the FeatureSpace", source.get_config(), _of_memory(source)
    if config.get("output_mode") != "concat":
        raise InputError(
            f"{name} gives its features apart (output_mode='dict'): expected 'concat', one row of "
            "columns. Name the columns of each input yourself, columns={input: [...]}."
        )
    features = {key: _inner(each) for key, each in _plain(config["features"]).items()}
    crosses = [_inner(each) for each in _plain(config.get("crosses") or [])]
    named = {"_X_".join(each["feature_names"]): each for each in crosses}
    pairs: list[tuple[str, str]] = []
    for key in sorted(features):
        labels = _labels(key, features[key], words.get(key), name)
        pairs += [(label, key) for label in labels]
    for key in sorted(named):
        pairs += [(f"{key}, hash {n}", key) for n in range(int(named[key]["crossing_dim"]))]
    return pairs


def _labels(
    key: str, feature: Mapping[str, Any], words: Sequence[str] | None, name: str
) -> list[str]:
    """What the columns of a feature are called."""
    layer = feature["preprocessor"]
    kind, config = layer["class_name"], layer["config"]
    if feature["output_mode"] == "float" and kind in _NUMBERS:
        return [key]
    if feature["output_mode"] == "one_hot" and kind in _LOOKUPS:
        if words is None:
            raise InputError(
                f"{name}: the vocabulary of {key!r} is not in it: adapt, and save again."
            )
        return [f"{key} = {word}" for word in words]
    if feature["output_mode"] == "one_hot" and kind == "Hashing":
        return [f"{key}, hash {number}" for number in range(int(config["num_bins"]))]
    if feature["output_mode"] == "one_hot" and kind == "Discretization":
        return [f"{key} {each}" for each in _intervals(config["bin_boundaries"])]
    raise InputError(
        f"{name}: how many columns {key!r} has is not known, {kind} with the output "
        f"{feature['output_mode']!r}: name columns and groups yourself, columns= and groups=."
    )


def _intervals(edges: Sequence[float]) -> Iterator[str]:
    """Bins in words; a value on an edge is of the upper one."""
    if not edges:
        yield "any"
        return
    yield f"< {edges[0]:.6g}"
    for low, high in pairwise(edges):
        yield f"{low:.6g} to {high:.6g}"
    yield f">= {edges[-1]:.6g}"


def _of_file(path: Path) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The configuration, and the words of lookups by feature."""
    data = read_bytes(path)
    if container(data, path) != "zip":
        raise InputError(f"{path} is no .keras file: expected what FeatureSpace.save wrote.")
    content = unpacked(data, Budget(len(data)), str(path), _parsed)
    if content.config.get("class_name") != "FeatureSpace":
        raise InputError(
            f"{path} holds {content.config.get('class_name')!r}: expected a FeatureSpace, as its "
            "save wrote it. Of a model that has one inside, the inputs are its features."
        )
    config = content.config["config"]
    counts: Counter[str] = Counter()
    words = {}
    for key, feature in _plain(config["features"]).items():
        layer = _inner(feature)["preprocessor"]
        folder = snake_case(layer["class_name"])
        suffix = f"_{counts[folder]}" if counts[folder] else ""
        counts[folder] += 1
        saved = content.vocabularies.get(f"preprocessors/{folder}{suffix}")
        if saved is not None:
            words[key] = saved.decode().split("\n")
        elif layer["config"].get("vocabulary"):
            words[key] = _given_words(layer["config"])
    return config, words


def _parsed(content: bytes, source: str) -> dict[str, Any]:
    try:
        return dict(plain(json.loads(content), source))
    except (ValueError, TypeError) as error:
        raise ModelFileError(f"{source}: its config.json is damaged ({error}).") from error


def _given_words(config: Mapping[str, Any]) -> list[str]:
    """A vocabulary that was handed in, behind its special words."""
    special = [] if config.get("mask_token") is None else [config["mask_token"]]
    special += [config["oov_token"]] * int(config["num_oov_indices"])
    given = list(config["vocabulary"])
    return [str(word) for word in (given if given[: len(special)] == special else special + given)]


def _of_memory(space: Any) -> dict[str, list[str]]:
    return {
        name: [str(word) for word in layer.get_vocabulary()]
        for name, layer in space.preprocessors.items()
        if hasattr(layer, "get_vocabulary")
    }


def _plain(value: Any) -> Any:
    """What was serialized, without the mark that Keras puts around it."""
    return value["config"] if isinstance(value, dict) and "class_name" in value else value


def _inner(value: Any) -> dict[str, Any]:
    return dict(_plain(value))


__all__ = ["is_feature_space", "space_columns"]
