"""Targets: units of one layer, weighted and added, one target or several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine.profile_target import Counts, Profile, on_other_strand
from deeplift_engine.engine.task_names import tasks as tasks
from deeplift_engine.errors import TargetError
from deeplift_engine.util.options import shown
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


def profile(weights: str = "input", track: int | None = None) -> Profile:
    """The logits of a profile, their mean taken off, weighted by their softmax, which is held.

    It is what BPNet and ChromBPNet are explained by: the sum over positions of
    ``softmax(z) * (z - mean(z))``, in which the softmax is a constant. Positions are the first axis
    of the layer; each track behind it, such as a strand, has a softmax and a mean of its own, and
    all are added.

    Parameters
    ----------
    weights
        ``"input"``: the softmax at the input, whatever the method. ``"pair"``: the mean of those at
        the input and at the reference, pair by pair, as the fork of SHAP does that chrombpnet and
        basepairmodels use; of methods that keep references apart.
    track
        The only track that counts; None is all.

    Raises
    ------
    TargetError
        For other weights.
    """
    return Profile(weights, track)


def counts() -> Counts:
    """The counts output of a model of profiles: all units of the layer, added."""
    return Counts()


UNITS = (
    "3, 2,5 (an index of two axes), 3-5 (a difference), counts (all added), profile and "
    "profile:pair (logits weighted by their softmax), mean:3 or all"
)


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


def _unknown() -> Array:
    raise TargetError(
        "This needs units or weights that are known before: profile() has weights that are made of "
        "the layer's activations in a run."
    )


def resolve(
    target: Any,
    shape: Shape,
    samples: int,
    dtype: str = "float32",
    rows: Any = EVERY,
    level: Callable[[], Array] = _unknown,
    mirrored: bool = False,
) -> Array:
    """Weights over units for a user's ``target``.

    Parameters
    ----------
    target
        A unit as int, or as tuple (index, slices allowed) where the layer has several axes; an
        int array (N,), one unit per sample; a float array of weights, ``(*shape)`` or
        ``(N, *shape)``; what `difference`, `mean_normalised`, `weights`, `profile` and `counts`
        make; a list of these, all explained in one pass; ``"all"``, every unit; None, the only
        unit.
    shape
        Of the layer's output, without batch axis.
    samples
        N.
    rows
        Slice or numbers (n,) of the samples whose weights are wanted; by default of all.
    level
        Gives the layer's activations (n, *shape) on these samples, for what is weighted by them.
    mirrored
        Whether the inputs are reverse complements of those that the target is said of: of a layer
        with positions and tracks, units are those of the mirrored position, of two tracks those of
        the other. A layer with one axis has no positions, but for a profile.

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
        every = np.eye(size, dtype=dtype).reshape(size, 1, *shape)
        return on_other_strand(every, shape) if mirrored else every
    if isinstance(target, list):
        if not target:
            raise TargetError("target=[] names no unit; give at least one.")
        each = [_one(one, shape, samples, rows, level, mirrored) for one in target]
        most = max(map(len, each))
        stacked = np.stack([np.broadcast_to(one, (most, *shape)) for one in each])
        return stacked.astype(dtype)
    return _one(target, shape, samples, rows, level, mirrored)[np.newaxis].astype(dtype)


def _one(
    target: Any,
    shape: Shape,
    samples: int,
    rows: Any,
    level: Callable[[], Array],
    mirrored: bool,
) -> Array:
    """Weights (n or 1, *shape) of one target."""
    if isinstance(target, Profile):
        return (target.on_other_strand(shape) if mirrored else target).at(level(), shape)
    weights = _fixed(target, shape, samples, rows)
    return on_other_strand(weights, shape) if mirrored else weights


def _fixed(target: Any, shape: Shape, samples: int, rows: Any) -> Array:
    """Weights that no activations make."""
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
    if isinstance(target, Counts):
        return np.ones((1, *shape))
    if isinstance(target, Weights):
        return _weights(target.values, shape, samples, rows)
    if isinstance(target, np.ndarray) and target.ndim:
        if target.dtype.kind not in "biuf":
            raise TargetError(
                f"target is {shown(target)}: expected numbers, weights over units or the number of "
                "a unit for each sample; names of classes as their numbers in the layer."
            )
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
