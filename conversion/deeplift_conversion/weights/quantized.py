"""Weights that are stored as small integers, or with a product of low rank beside them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from deeplift_conversion.eras.quantization import mode_of
from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.keras_layer import Slot
from deeplift_conversion.spec import Array
from deeplift_conversion.tree import Layer


def is_quantized(arrays: Iterable[Array]) -> bool:
    """Tell arrays with some of small integers, which no layer has unless it is quantised."""
    return any(array.dtype.kind in "iu" and array.dtype.itemsize == 1 for array in arrays)


def stored_slots(layer: Layer, slots: tuple[Slot, ...], merged: bool) -> tuple[Slot, ...]:
    """Return the arrays of a layer as they are stored.

    Parameters
    ----------
    layer, slots
        A layer of Keras 3 and its arrays.
    merged
        Whether LoRA's product is in the kernel already, as in ``.keras`` files.
    """
    mode, main = mode_of(layer.saved), slots[0].role
    extra = []
    if mode:
        slots = tuple(Slot(slot.role, None, slot.names, slot.role != main) for slot in slots)
        grouped = "/" in mode and not mode.endswith("/-1")
        extra = [f"{main}_scale", *([f"{main}_zero", "g_idx"] if grouped else [])]
    if layer.saved.get("lora_rank") and not merged:
        extra += [f"lora_{main}_a", f"lora_{main}_b"]
    return (*slots, *(Slot(role, None, (role,), False) for role in extra))


def plain_weights(layer: Layer, weights: dict[str, Array], where: str) -> dict[str, Array]:
    """Return a layer's arrays with its kernel or table as floats, LoRA's product added.

    Raises
    ------
    ModelConfigError
        If arrays do not fit each other.
    """
    main = "embeddings" if "embeddings" in weights else "kernel"
    try:
        if f"{main}_scale" in weights:
            weights = {**weights, main: _dequantized(layer, weights, main)}
        if f"lora_{main}_a" in weights:
            rank = layer.saved["lora_rank"]
            scale = (layer.saved.get("lora_alpha") or rank) / rank
            product = np.matmul(weights[f"lora_{main}_a"], weights[f"lora_{main}_b"])
            values = weights[main]
            weights = {**weights, main: (values + scale * product).astype(values.dtype)}
    except (ValueError, IndexError, TypeError, ZeroDivisionError) as error:
        raise ModelConfigError(
            f"{where} ({layer.saved_class_name}): its quantised or low-rank arrays do not fit each"
            f" other ({error}). Fetch or save the file again."
        ) from error
    return weights


def _dequantized(layer: Layer, weights: dict[str, Array], main: str) -> Array:
    values, scale = weights[main], weights[f"{main}_scale"]
    if mode_of(layer.saved).startswith("int4"):
        values = _unpacked(values, layer.config["output_dim" if main == "embeddings" else "units"])
    floats = values.astype(scale.dtype)
    axis = -1 if main == "embeddings" else 0
    if f"{main}_zero" in weights:
        groups = weights["g_idx"].astype(np.int64)
        zero = np.take(weights[f"{main}_zero"], groups, axis).astype(scale.dtype)
        grouped: Array = (floats - zero) * np.take(scale, groups, axis)
        return grouped
    if layer.class_name == "EinsumDense":
        return floats / _along_kernel(scale, layer.config["equation"])
    return floats / (scale[:, np.newaxis] if main == "embeddings" else scale)


def _along_kernel(scale: Array, equation: str) -> Array:
    """Return scales that broadcast against the output as they broadcast against the kernel."""
    inputs, _, output = equation.replace(" ", "").partition("->")
    kernel = inputs.partition(",")[2]
    axes = [output[-scale.ndim :].find(label) for label in kernel]
    if "." in kernel or scale.size != np.prod([scale.shape[axis] for axis in axes if axis >= 0]):
        raise ValueError(f"scales of shape {scale.shape} for the equation {equation!r}")
    order = [axis for axis in axes if axis >= 0]
    rest = [axis for axis in range(scale.ndim) if axis not in order]
    moved = scale.transpose([*rest, *order]).reshape([scale.shape[axis] for axis in order])
    return moved.reshape([scale.shape[axis] if axis >= 0 else 1 for axis in axes])


def _unpacked(packed: Array, size: int) -> Array:
    """Return two numbers of four bits for each byte along the last axis, the lower half first."""
    if packed.shape[-1] != (size + 1) // 2:
        raise ValueError(f"shape {packed.shape} for {size} numbers, two a byte")
    halves = np.stack([packed & 15, (packed >> 4) & 15], axis=-1).astype(np.int8)
    values = halves.reshape(*packed.shape[:-1], -1)[..., :size]
    signed: Array = np.where(values > 7, values - 16, values)
    return signed


__all__ = ["is_quantized", "plain_weights", "stored_slots"]
