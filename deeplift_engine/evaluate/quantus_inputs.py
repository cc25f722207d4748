"""Samples, scores, masks and models in the form that Quantus reads: channels first, one input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Layout:
    """Samples (N, ...) in the model's layout, and in that of Quantus: (N, channels, *positions)."""

    samples: Array
    moved: bool
    is_table: bool

    @classmethod
    def of(cls, samples: Array, info: InputInfo) -> Layout:
        """That of samples of an input."""
        return cls(samples, samples.ndim > 2 and info.channels == -1, samples.ndim == 2)

    def first(self, values: Array, *, added: bool = False) -> Array:
        """Values with channels first, of a table one; added over them where that is wanted."""
        if self.is_table:
            return values[:, np.newaxis]
        first = np.moveaxis(values, -1, 1) if self.moved else values
        return np.asarray(first.sum(axis=1, keepdims=True) if added else first)

    def own(self, values: Any) -> Array:
        """The other way round."""
        array = np.asarray(values)
        if self.is_table:
            return array[:, 0]
        return np.moveaxis(array, 1, -1) if self.moved else array

    def added(self, scores: Array) -> Array:
        """Scores in either layout, added over channels, of which one is left."""
        if self.is_table:
            return scores
        last = self.moved and scores.shape[1:] == self.samples.shape[1:]
        return np.asarray(scores.sum(axis=-1 if last else 1, keepdims=True))


def functional(model: Any) -> Any:
    """The same layers as a model that has an input, as Quantus asks for, where that can be."""
    import keras

    return keras.Model(model.inputs, model.outputs) if model.inputs else model


def engine_model(forward: Callable[[Array], Array]) -> Any:
    """A Keras model that predicts by a function, as Quantus reads one: its end is linear."""
    import keras

    class EngineModel(keras.Model):  # type: ignore[misc]
        """The network's forward pass, to the layer that is scored."""

        def __init__(self) -> None:
            super().__init__()
            self.top = keras.layers.Activation("linear")

        def predict(self, x: Any, **others: Any) -> Array:
            """The target's layer (N, units)."""
            return np.asarray(forward(np.asarray(x)))

    return EngineModel()


def masks_of(masks: Any, inputs: Array) -> Array:
    """Masks (N, 1, *positions) for inputs (N, channels, *positions)."""
    array, expected = np.asarray(masks), (len(inputs), *inputs.shape[2:])
    if array.shape != expected or array.dtype.kind not in "bui":
        raise InputError(
            f"masks of shape {array.shape}, {array.dtype}: expected True and False, {expected}."
        )
    return array.astype(bool)[:, np.newaxis]


__all__ = ["Layout", "engine_model", "functional", "masks_of"]
