"""Layers, inputs and arguments of a model in memory, in the form of a ``.keras`` file."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from deeplift_conversion.eras.user_classes import MARK

Config = dict[str, Any]


def is_symbol(value: Any) -> bool:
    """Whether a value is a symbolic tensor."""
    return isinstance(value, keras.KerasTensor)


def input_layer(name: str, tensor: Any) -> Config:
    """Return the configuration of an Input layer."""
    config = {"name": name, "batch_shape": [None, *tensor.shape[1:]], "dtype": tensor.dtype}
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


def own_activations(layer: Any) -> Config:
    """Mark activations that are functions of the user's own: Keras saves their names alone."""
    marks = {}
    for option in ("activation", "recurrent_activation"):
        function = getattr(layer, option, None)
        module = (getattr(function, "__module__", None) or "keras").split(".")[0]
        if inspect.isfunction(function) and module not in ("keras", "tensorflow"):
            marks[option] = MARK + function.__name__
    return marks


def written(origins: Mapping[int, tuple[str, int, int]], value: Any) -> Any:
    """Arguments of a call in the form of a ``.keras`` file; arrays stay arrays."""
    if is_symbol(value):
        history = list(origins[id(value)])
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [written(origins, entry) for entry in value]}
    if isinstance(value, list):
        return [written(origins, entry) for entry in value]
    if isinstance(value, dict):
        return {key: written(origins, entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | keras.Variable) or keras.ops.is_tensor(value):
        array = keras.ops.convert_to_numpy(value)
        return {"class_name": "__numpy__", "config": {"value": array, "dtype": array.dtype.name}}
    return keras.saving.serialize_keras_object(value)
