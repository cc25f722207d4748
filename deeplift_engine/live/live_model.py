"""A Keras 3 or tf_keras model in memory as a configuration and arrays."""

from __future__ import annotations

import fnmatch
import json
import sys
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from deeplift_conversion import ModelSpec
from deeplift_engine.engine.probe_inputs import random_inputs
from deeplift_engine.errors import InputError, UnsupportedModelError
from deeplift_engine.graph.inputs import by_input, by_name
from deeplift_engine.graph.structure import leaves, packed
from deeplift_engine.live.tracing import TracedModel, Weights, trace
from deeplift_engine.verify import ModelInMemory, behind, precision

if TYPE_CHECKING:
    from deeplift_engine.network import Network

TOLERANCE = 1e-4
SAMPLES = 2


@dataclass(frozen=True)
class ModelContents:
    """Configuration, arrays and Keras version of a model in memory.

    ``trace`` is None where no Python code of the model was run.
    """

    config: dict[str, Any]
    weights: Weights
    version: str
    trace: TracedModel | None = None


def read_live_model(
    model: Any, example: Any, input_shape: Any, keys: Iterable[str]
) -> ModelContents:
    """Read configuration and arrays of a model in memory; see `deeplift_engine.convert`.

    ``keys`` are the names, patterns and classes of layers that the user defines.
    """
    legacy = sys.modules.get("tf_keras")
    if legacy is not None and isinstance(model, legacy.Model):
        return _of_tf_keras(legacy, model, example, input_shape)
    if not isinstance(model, keras.Model):
        raise InputError(
            f"convert() takes a model of Keras or tf_keras in memory, not {type(model).__name__};"
            " a saved one is read by load()."
        )
    keys = list(keys)

    def covered(path: str, kind: str) -> bool:
        return any(
            key in (path, kind) or key.rpartition(">")[2] == kind or fnmatch.fnmatchcase(path, key)
            for key in keys
        )

    model_trace = trace(model, example, input_shape, covered)
    return ModelContents(
        model_trace.config,
        model_trace.weights,
        keras.__version__,
        model_trace if model_trace.ran else None,
    )


def check_trace(network: Network, model: Any, model_trace: TracedModel, example: Any) -> None:
    """Compare the outputs of the network with those of the traced model.

    Raises
    ------
    UnsupportedModelError
        If they differ: ``call`` treats symbolic tensors and data differently.
    """
    kwargs = model_trace.arguments[1] if model_trace.arguments else {}
    if example is not None:
        few = keras.tree.map_structure(lambda value: np.asarray(value)[:SAMPLES], example)
        values = by_input([few[name] for name in kwargs] if kwargs else few, network.inputs, "x")
    else:
        values = random_inputs(network.inputs, network.dtype, SAMPLES)
    x = packed([info.path for info in network.inputs], values)
    expected = [np.asarray(value) for value in leaves(_called(model, model_trace, x))]
    ours = network.output_arrays(by_name(values, network.inputs))
    for number, (a, b) in enumerate(zip(ours, expected, strict=True)):
        scale = float(np.max(np.abs(b), initial=0)) or 1.0
        error = float(np.max(np.abs(a - b), initial=0)) / scale if a.shape == b.shape else np.inf
        if not error < TOLERANCE:
            raise UnsupportedModelError(
                f"{type(model).__name__} {model.name!r}: the traced network computes something else"
                f" than the model (output {number} is off by {error:.2g} of its largest): its"
                " call, or the call of a layer in it, depends on values or sizes. Write that layer"
                " in terms of existing layers, or define it by layers= or functions=."
            )


def in_memory(model: Any, model_trace: TracedModel | None, spec: ModelSpec) -> ModelInMemory:
    """The model that a network of ``spec`` is converted from, as `Network.verify` calls it."""
    alive = weakref.ref(model)

    def call(x: Any) -> Any:
        model = alive()
        if model is None:
            return None
        return behind(model, spec.inputs)(x) if spec.fronts else _called(model, model_trace, x)

    return ModelInMemory(call, precision(model), spec.fronts)


def _called(model: Any, model_trace: TracedModel | None, x: Any) -> Any:
    """Call a model as it was called when it was traced; ``x`` is in the structure of its inputs."""
    args, kwargs = (model_trace and model_trace.arguments) or ((None,), {})
    if kwargs:
        return model(**dict(zip(kwargs, x, strict=True)))
    return model(*x) if len(args) > 1 else model(x)


def _of_tf_keras(legacy: Any, model: Any, example: Any, input_shape: Any) -> ModelContents:
    """Read a model of tf_keras from its own configuration; a subclassed one is called first."""
    if not model.built or not model.weights:
        raise InputError(f"The model {model.name!r} has no weights yet: call it once on data.")
    try:
        if not isinstance(model, legacy.Sequential) and not model.inputs:
            symbols = _legacy_inputs(legacy, model, example, input_shape)
            model = legacy.Model(symbols, model.call(symbols))
        config = json.loads(model.to_json())
    except InputError:
        raise
    except Exception as error:  # whatever the user's code raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise UnsupportedModelError(
            f"The tf_keras model {model.name!r} cannot be told by layers: {reason}"
        ) from error
    weights = {
        layer.name: [
            (weight.name, array)
            for weight, array in zip(layer.weights, layer.get_weights(), strict=True)
        ]
        for layer in model.layers
    }
    return ModelContents(config, weights, str(config.get("keras_version") or legacy.__version__))


def _legacy_inputs(legacy: Any, model: Any, example: Any, input_shape: Any) -> Any:
    if example is None and input_shape is None:
        raise InputError(
            f"Nothing tells what the model {model.name!r} is called with: give an example of it,"
            " convert(model, example=x), or input_shape= without the samples."
        )
    if example is None:
        return legacy.Input(tuple(input_shape))
    arrays = keras.tree.map_structure(np.asarray, example)
    return keras.tree.map_structure(
        lambda array: legacy.Input(
            array.shape[1:], dtype="float32" if array.dtype.kind == "f" else array.dtype.name
        ),
        arrays,
    )
