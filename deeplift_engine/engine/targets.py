"""Targets: units of one layer, weighted and added, one target or several at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import TargetError
from deeplift_engine.util.owned import digest, owned
from deeplift_engine.util.typing import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """One unit minus another; see `difference`."""

    first: Any
    second: Any


@dataclass(frozen=True)
class MeanNormalised:
    """One unit minus the mean of all; see `mean_normalised`."""

    unit: Any


@dataclass(frozen=True)
class Weights:
    """Weights over all units; see `weights`."""

    values: Array


def difference(first: int | tuple[int, ...], second: int | tuple[int, ...]) -> Difference:
    """Unit ``first`` minus unit ``second``: what speaks for the one and against the other."""
    return Difference(first, second)


def mean_normalised(unit: int | tuple[int, ...]) -> MeanNormalised:
    """A unit minus the mean over the last axis of the layer, for logits before a softmax."""
    return MeanNormalised(unit)


def weights(values: Any) -> Weights:
    """A weighted sum of units: ``(*shape)`` for all samples, or ``(N, *shape)``."""
    return Weights(owned(np.array(values, dtype=float), []))


UNITS = "3, 2,5 (an index of two axes), 3-5 (a difference), mean:3 or all"


def units_in(text: str) -> Any:
    """The units that a text stands for, None where it is none of `UNITS`."""
    if text == "all":
        return text
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"(-?\d+|:)(,(-?\d+|:))+", text):
        return tuple(slice(None) if index == ":" else int(index) for index in text.split(","))
    if match := re.fullmatch(r"(\d+)-(\d+)", text):
        return difference(*map(int, match.groups()))
    if match := re.fullmatch(r"mean:(\d+)", text):
        return mean_normalised(int(match[1]))
    return None


def located(target: Any, node_of: Callable[[str], str]) -> tuple[str | None, Any]:
    """The layer that a target names, and its units; each is None where the target says nothing.

    Parameters
    ----------
    target
        What `resolve` takes; or a text, or a list with texts, of the form ``LAYER``, ``UNITS`` or
        ``LAYER:UNITS``, such as ``"logcounts"``, ``"3-5"`` and ``"logcounts:0"``.
    node_of
        Returns the node of a layer's name, or raises `TargetError`.

    Raises
    ------
    TargetError
        If a text has none of these forms, or can be read in two ways; for units of two layers.
    """
    if isinstance(target, list):
        pairs = [located(one, node_of) for one in target]
        layers = {node_of(layer): layer for layer, _ in pairs if layer is not None}
        if len(layers) > 1:
            raise TargetError(
                f"target={target!r} names units of several layers, {' and '.join(layers)}: name "
                "each as a head, target={'one': 'LAYER:UNITS', 'other': ...}; on the command line "
                "--target one=LAYER:UNITS --target other=..."
            )
        return next(iter(layers.values()), None), [units for _, units in pairs]
    if not isinstance(target, str):
        return None, target
    readings = list(_readings(target, node_of))
    if len(readings) > 1:
        raise TargetError(
            f"target={target!r} could be units or the layer of that name: say 'layer:{target}' "
            f"for the layer, and 'logits:{target}' for units of the logits."
        )
    if readings:
        return readings[0]
    layer = next((layer for layer, units in _splits(target) if units is not None), target)
    try:
        node_of(layer)
    except TargetError as error:
        if layer in ("logits", "output"):
            raise
        raise TargetError(
            f"target={target!r}: {error} Units are {UNITS}; of another layer, LAYER:UNITS."
        ) from None
    raise TargetError(f"target={target!r} is none of {UNITS}.")


def layer_and_units(target: Any, layer: Any, node_of: Callable[[str], str]) -> tuple[Any, Any]:
    """The layer and the units of a target; ``layer``, by default the logits, where it names none.

    Heads name their layers themselves: a mapping of them stands in place of the layer.

    Raises
    ------
    TargetError
        For a layer that does not exist, or another one than ``layer``.
    """
    if isinstance(target, Mapping):
        if layer != "logits":
            raise TargetError(
                f"target= has the layers of several heads and target_layer= names {layer!r}: "
                "leave target_layer out."
            )
        return target, None
    named, units = located(target, node_of)
    if named is None or layer == "logits":
        return named or layer, units
    if node_of(named) != node_of(layer):
        raise TargetError(
            f"target={target!r} names the layer {named!r} and target_layer= names {layer!r}: "
            "leave one of them out."
        )
    return layer, units


def _readings(text: str, node_of: Callable[[str], str]) -> Iterator[tuple[str | None, Any]]:
    """All that a text can mean."""
    if (units := units_in(text)) is not None:
        yield None, units
    for layer, units in ((text, None), *(pair for pair in _splits(text) if pair[1] is not None)):
        with suppress(TargetError):
            node_of(layer)
            yield layer, units


def _splits(text: str) -> Iterator[tuple[str, Any]]:
    """The text before each colon, and the units behind it."""
    for match in re.finditer(":", text):
        yield text[: match.start()], units_in(text[match.end() :])


def several(target: Any) -> bool:
    """Whether a target stands for several, so that results have an axis of targets."""
    return isinstance(target, list | str)


def in_words(target: Any) -> Any:
    """A target in words, for saved settings; that of each head by name."""
    if isinstance(target, Mapping):
        return {name: in_words(units) for name, units in target.items()}
    if isinstance(target, list):
        return f"[{', '.join(map(in_words, target))}]"
    if isinstance(target, Weights | np.ndarray):
        values = target.values if isinstance(target, Weights) else target
        return f"array of shape {values.shape}, sha256={digest(values)}"
    return target if isinstance(target, str) else repr(target)


EVERY = slice(None)


def resolve(
    target: Any, shape: Shape, samples: int, dtype: str = "float32", rows: Any = EVERY
) -> Array:
    """Weights over units for a user's ``target``.

    Parameters
    ----------
    target
        A unit as int, or as tuple (index, slices allowed) where the layer has several axes; an
        int array (N,), one unit per sample; a float array of weights, ``(*shape)`` or
        ``(N, *shape)``; what `difference`, `mean_normalised` and `weights` make; a list of
        these, all explained in one pass; ``"all"``, every unit; None, the only unit.
    shape
        Of the layer's output, without batch axis.
    samples
        N.
    rows
        Slice or numbers (n,) of the samples whose weights are wanted; by default of all.

    Returns
    -------
    array
        (T, n or 1, *shape).

    Raises
    ------
    TargetError
        No such unit, or a form that does not fit the layer.
    """
    if isinstance(target, str):
        if target != "all":
            raise TargetError(f"target={target!r} is none of {UNITS}.")
        size = int(np.prod(shape))
        return np.eye(size, dtype=dtype).reshape(size, 1, *shape)
    if isinstance(target, list):
        if not target:
            raise TargetError("target=[] names no unit; give at least one.")
        each = [_one(one, shape, samples, rows) for one in target]
        most = max(map(len, each))
        stacked = np.stack([np.broadcast_to(one, (most, *shape)) for one in each])
        return stacked.astype(dtype)
    return _one(target, shape, samples, rows)[np.newaxis].astype(dtype)


def _one(target: Any, shape: Shape, samples: int, rows: Any) -> Array:
    """Weights (n or 1, *shape) of one target."""
    if target is None:
        if int(np.prod(shape)) != 1:
            raise TargetError(
                f"The layer has units of shape {shape}; say which with target=, for instance "
                "target=0, 'all', de.targets.difference(0, 1) or 'LAYER:0'; on the command line "
                "--target 0, all, 0-1 or LAYER:0."
            )
        return np.ones((1, *shape))
    if isinstance(target, Difference):
        return _unit(target.first, shape) - _unit(target.second, shape)
    if isinstance(target, MeanNormalised):
        unit = _unit(target.unit, shape)
        normalised: Array = unit - unit.sum(-1, keepdims=True) / shape[-1]
        return normalised
    if isinstance(target, Weights):
        return _weights(target.values, shape, samples, rows)
    if isinstance(target, np.ndarray) and target.ndim:
        if target.dtype.kind in "iu":
            return _per_sample(target, shape, samples, rows)
        return _weights(target, shape, samples, rows)
    return _unit(target, shape)


def _unit(target: Any, shape: Shape) -> Array:
    index = target if isinstance(target, tuple) else (target,)
    if any(isinstance(entry, bool | float | str) or entry is None for entry in index):
        raise TargetError(f"target={target!r} is no unit: give an int, or a tuple of ints.")
    if len(index) != len(shape) and Ellipsis not in index:
        raise TargetError(
            f"target={target!r} has {len(index)} of the {len(shape)} indices that a layer of "
            f"shape {shape} needs; slices add up units, as in (slice(None), 0)."
        )
    values = np.zeros((1, *shape))
    try:
        values[(0, *index)] = 1.0
    except IndexError as error:
        raise TargetError(f"target={target!r} is outside a layer of shape {shape}.") from error
    return values


def _per_sample(units: Array, shape: Shape, samples: int, rows: Any) -> Array:
    if len(shape) != 1 or units.shape != (samples,):
        raise TargetError(
            f"An int array as target is one unit per sample: shape ({samples},) for a layer with "
            f"one axis. This one has shape {units.shape}, the layer {shape}. Several targets for "
            "all samples are a list."
        )
    if units.min() < 0 or units.max() >= shape[0]:
        raise TargetError(
            f"target: units {units.min()} to {units.max()} are asked for, the layer has 0 to "
            f"{shape[0] - 1}."
        )
    return np.asarray(np.eye(shape[0])[units[rows]])


def _weights(values: Array, shape: Shape, samples: int, rows: Any) -> Array:
    if not np.isfinite(values).all():
        raise TargetError("Weights over units must be finite; these hold NaN or infinity.")
    if values.shape == shape:
        return np.asarray(values, float)[np.newaxis]
    if values.shape == (samples, *shape):
        return np.asarray(values[rows], float)
    raise TargetError(
        f"Weights over units have the layer's shape {shape}, or {(samples, *shape)} for one set "
        f"per sample; these have {values.shape}."
    )
