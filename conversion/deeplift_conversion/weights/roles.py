"""The arrays of a layer: those of the table, for its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.keras_layer import Slot
from deeplift_conversion.layers.table import LAYERS

OWN = " Or is the class one of your own, which Keras has too? Then say so: load(..., layers={...})."
"""Advice where arrays do not fit a class."""
_WITHOUT_ARRAYS = ("Functional", "Lambda", "Merge")
_OPERATIONS = ("ops.", "TFOp", "SlicingOp", "TensorFlowOp")


def slots_of(class_name: str, config: Mapping[str, Any]) -> tuple[Slot, ...] | None:
    """Return the arrays of a layer in Keras's order, None where the class is not known."""
    layer = LAYERS.get(class_name)
    if layer is None:
        weightless = class_name in _WITHOUT_ARRAYS or class_name.startswith(_OPERATIONS)
        return () if weightless else None
    if layer.family in ("recurrent", "cell") and config.get("units", 0) is None:
        raise ModelConfigError(
            f"{config.get('name') or class_name} ({class_name}): its options are not in the file;"
            " Keras before 2.1 saves none of a cell's. Save the model again with a later Keras, or"
            " with LSTM, GRU or SimpleRNN in place of RNN."
        )
    return tuple(layer.arrays(config))
