"""TensorFlow's functions as tf.keras saved them, in Keras 3's words.

``TFOpLambda`` keeps a function's name (``"math.reduce_mean"``) and its arguments by TensorFlow's
names, the first one apart; ``SlicingOpLambda`` does so for slices. ``TensorFlowOpLayer``, of
TensorFlow 2.2 and 2.3, keeps the definition of a graph's node and the constants among its inputs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from deeplift_conversion import LayerSpec
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.operations import composed
from deeplift_engine.translate.operations.call import Operation
from deeplift_engine.translate.operations.keras3 import bound, in_words
from deeplift_engine.translate.operations.spellings import GRAPH, RENAMED, SPELLINGS, Spelling

MODULES = frozenset(
    {
        "math",
        "nn",
        "linalg",
        "compat",
        "v1",
        "debugging",
        "dtypes",
        "__operators__",
        "keras",
        "backend",
    }
)
"""Parts of names that tell nothing; a function of any other module keeps its whole name."""
CLASSES = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")
TYPES = {"double": "float64", "float": "float32", "half": "float16"}
"""Dtypes of a graph's definition that numpy calls otherwise."""


def name_of(spec: LayerSpec) -> str:
    """Keras 3's name of a function: ``"math.reduce_mean"`` is ``"mean"``."""
    return _spelling(spec).name


def _spelling(spec: LayerSpec) -> Spelling:
    if spec.class_name == "TensorFlowOpLayer":
        kind = str(spec.config.get("node_def", {}).get("op", ""))
        word = in_words(kind)
        return GRAPH.get(kind) or Spelling(RENAMED.get(word, word), {})
    function = str(spec.config.get("function", ""))
    word = _word(function)
    if word in COMPOSED:
        return composed.spelling(COMPOSED[word])
    return SPELLINGS.get(word) or Spelling(RENAMED.get(word, word), {})


def _word(function: str) -> str:
    """A function's name without the modules that tell nothing."""
    *modules, last = function.split(".")
    return last if MODULES.issuperset(modules) else function


COMPOSED = {_word(path): path for path in composed.PATHS.split()}
"""Functions made of others by name, where TensorFlow has them."""


def read(context: LayerContext) -> Operation:
    """The operation that a layer of `CLASSES` is."""
    spelling = _spelling(context.spec)
    args = tuple(context.arguments["args"])
    arguments = {key: value for key, value in context.arguments.items() if key != "args"}
    if context.spec.class_name == "TensorFlowOpLayer":
        args = _with_constants(args, context.spec.config.get("constants") or {})
        arguments = _attributes(context.spec.config["node_def"].get("attr") or {}, spelling)
    own = spelling.parameters if spelling.name in composed.OPERATIONS else {}
    arguments = {
        key: value
        for key, value in arguments.items()
        if value is not None and (value is not False or key in own)
    }
    parameters = spelling.parameters
    if not parameters:
        two = len(args) > 1 or "y" in arguments
        parameters = {"x": "x1", "y": "x2"} if two else {"x": "x"}
    theirs = bound(spelling.name, args, tuple(parameters))
    arguments |= {key.removeprefix("*"): value for key, value in theirs.items()}
    known = {key.removeprefix("*"): ours for key, ours in parameters.items()}
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise Refusal(f"{spelling.name} with the arguments {unknown}, whose meaning is not known")
    ours = {**spelling.fixed, **{known[key]: value for key, value in arguments.items()}}
    return Operation(spelling.name, spelling.adapted(ours), context)


# ---------------------------------------------------------------- definitions of a graph's nodes


def _with_constants(args: tuple[Any, ...], constants: Mapping[str, Any]) -> tuple[Any, ...]:
    """All inputs of a node in their order."""
    inputs = list(args)
    for index, value in sorted((int(key), value) for key, value in constants.items()):
        inputs.insert(index, value)
    return tuple(inputs)


def _attributes(attributes: Mapping[str, Any], spelling: Spelling) -> dict[str, Any]:
    """The attributes of a node that say something: the others tell dtypes and counts."""
    return {key: _value(value) for key, value in attributes.items() if key in spelling.parameters}


def _value(attribute: Mapping[str, Any]) -> Any:
    """An attribute as protobuf's JSON has it: ``{"i": "2"}``, ``{"list": {"i": [...]}}``."""
    ((kind, value),) = attribute.items()
    if kind == "list":
        return tuple(
            _value({inner: entry}) for inner, entries in value.items() for entry in entries
        )
    if kind == "i":
        return int(value)
    if kind == "s":
        return base64.b64decode(value).decode()
    if kind == "type":
        name = str(value).removeprefix("DT_").lower()
        return TYPES.get(name, name)
    return value
