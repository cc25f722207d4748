"""Models in memory as graphs of layers: subclassed ones by calling them on symbols."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError

ADVICE = (
    "What it does must be calls of Keras layers and operations on tensors, without reading their "
    "values; write it as a Functional model, or save it with such layers."
)


def graph_of(model: Any, example: Any = None) -> Any:
    """A Sequential or Functional model with the layers of ``model``.

    Parameters
    ----------
    model
        A Keras model.
    example
        What a subclassed model is called with, (n, ...): an array, or a list or mapping of them.
        Only shapes behind the first axis and dtypes are read. Not needed for other models.

    Raises
    ------
    InputError
        If it is no Keras model, is not built, or cannot be called on symbols.
    """
    if not callable(getattr(model, "to_json", None)) or not hasattr(model, "layers"):
        raise InputError(f"convert takes a Keras model, not {type(model).__name__}.")
    if _is_graph(model):
        return model
    kind = type(model).__name__
    if type(model).__name__ == "Sequential":
        if example is None:
            raise InputError(
                f"The Sequential model {model.name!r} has no input shape yet: call it on data "
                "once, or give convert(model, example=x)."
            )
        return _traced(model, example, kind, lambda inputs: _in_turn(model, inputs))
    if example is None:
        raise InputError(
            f"{kind} is a subclass of keras.Model, whose graph is known only from a call: give "
            "convert(model, example=x), with x as you call it."
        )
    return _traced(model, example, kind, lambda inputs: _called(model, inputs))


def _is_graph(model: Any) -> bool:
    """Whether Keras itself knows the graph: its configuration has layers and connections."""
    try:
        config = model.get_config()
    except (NotImplementedError, TypeError, ValueError):
        return False
    known = isinstance(config, Mapping) and "layers" in config
    return known and bool(getattr(model, "inputs", None))


def _in_turn(model: Any, inputs: Any) -> Any:
    for layer in model.layers:
        inputs = layer(inputs)
    return inputs


def _called(model: Any, inputs: Any) -> Any:
    """What ``call`` gives for symbols: each layer in it is a node of the graph."""
    takes = inspect.signature(model.call).parameters
    return model.call(inputs, **({"training": False} if "training" in takes else {}))


def _traced(model: Any, example: Any, kind: str, call: Any) -> Any:
    import keras

    if not isinstance(model, keras.Model):
        raise InputError(
            f"{kind} is no model of the installed Keras {keras.__version__}: only its own "
            "subclasses can be called on symbols."
        )
    if not model.built:
        model(example)  # weights are made when a model is first called
    inputs = _symbols(example)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = call(inputs)
            return keras.Model(inputs, outputs, name=model.name)
    except Exception as error:
        raise InputError(f"{kind} cannot be called on symbols: {error} {ADVICE}") from error


def _symbols(example: Any) -> Any:
    """Symbols with the names of a mapping, or in the order of a list."""
    if isinstance(example, Mapping):
        return {name: _symbol(array, name) for name, array in example.items()}
    if isinstance(example, list | tuple):
        return [_symbol(array, f"input_{number}") for number, array in enumerate(example)]
    return _symbol(example, "input")


def _symbol(array: Any, name: str) -> Any:
    import keras

    values = np.asarray(array)
    if values.ndim == 0:
        raise InputError("example has a number where an array (n, ...) belongs.")
    dtype = "float32" if values.dtype.kind == "f" else values.dtype.name
    return keras.Input(values.shape[1:], dtype=dtype, name=name)
