"""A Keras 3 model made from a `ModelSpec` alone: what its forward pass gives is the meaning of
the canonical form, independently of the engine."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from deeplift_conversion import LayerSpec, ModelSpec
from deeplift_conversion.layers.table import known

_CHANNELS_FIRST = {"Conv2D", "MaxPooling2D", "AveragePooling2D"}  # TensorFlow's CPU has none


@keras.saving.register_keras_serializable("deeplift_engine_tests")
def hard_sigmoid_keras2(x: Any) -> Any:
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def _activation(value: Any) -> Any:
    return hard_sigmoid_keras2 if value == "hard_sigmoid_keras2" else value


def make_layer(spec: LayerSpec) -> Any:
    # options that tell a version's behaviour are none of Keras's
    layer = known(spec.class_name)
    names = spec.config if layer is None else layer.defaults(3)
    options = {
        key: _activation(value) if key.endswith("activation") else value
        for key, value in spec.config.items()
        if key not in ("dtype", "name") and key in names
    }
    kind = getattr(keras.layers, spec.class_name)
    children = [make_layer(child) for child in spec.children]
    if spec.class_name == "Bidirectional":
        return kind(children[0], backward_layer=children[1], **options)
    if children:
        return kind(*children, **options)
    return kind(**options)


def set_arrays(layer: Any, spec: LayerSpec) -> None:
    children = [layer.forward_layer, layer.backward_layer] if len(spec.children) == 2 else []
    if len(spec.children) == 1:
        children = [layer.layer]
    for inner, child in zip(children, spec.children, strict=True):
        set_arrays(inner, child)
    if not spec.children:
        by_name = {weight.name: weight for weight in layer.weights}
        assert by_name.keys() == spec.weights.keys(), spec.name
        for role, weight in by_name.items():
            weight.assign(spec.weights[role])


def twin(spec: ModelSpec, outputs: list[str]) -> Any:
    """The Keras model whose outputs are those of the named nodes."""
    tensors: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    for node in spec.nodes:
        spec_layer = spec.layers[node.layer]
        if spec_layer.class_name == "InputLayer":
            shape, dtype = spec_layer.config["batch_shape"], spec_layer.config["dtype"]
            tensors[node.name] = keras.Input(shape[1:], dtype=dtype)
            continue
        inputs = [tensors[ref.node] for ref in node.inputs]
        swap = (
            spec_layer.class_name in _CHANNELS_FIRST
            and spec_layer.config["data_format"] == "channels_first"
        )
        if node.layer not in layers:
            if swap:
                options = {**spec_layer.config, "data_format": "channels_last"}
                layers[node.layer] = make_layer(
                    LayerSpec(spec_layer.name, spec_layer.class_name, options)
                )
            else:
                layers[node.layer] = make_layer(spec_layer)
        layer = layers[node.layer]
        if swap:
            last = keras.ops.transpose(inputs[0], (0, 2, 3, 1))
            tensors[node.name] = keras.ops.transpose(layer(last), (0, 3, 1, 2))
        else:
            tensors[node.name] = layer(inputs[0] if len(inputs) == 1 else inputs)
    for name, layer in layers.items():
        set_arrays(layer, spec.layers[name])
    return keras.Model([tensors[name] for name in spec.inputs], [tensors[name] for name in outputs])


def predict(spec: ModelSpec, outputs: list[str], inputs: list[np.ndarray]) -> list[np.ndarray]:
    outputs_of_twin = twin(spec, outputs)(inputs, training=False)
    return [np.asarray(values) for values in keras.tree.flatten(outputs_of_twin)]
