"""The targets of the field of genomics: a profile's logits weighted by their softmax, and counts.

A profile's weights are made of the activations of the target's layer and held constant: no share
of a score goes to how they came about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.errors import TargetError
from deeplift_engine.util.probabilities import softmax
from deeplift_engine.util.typing import Array

Shape = tuple[int, ...]
WEIGHTS = ("input", "pair")
STRANDS = 2
FEWEST_POSITIONS = 2


@dataclass(frozen=True)
class Counts:
    """All units of a layer, added; see `deeplift_engine.targets.counts`."""

    def __repr__(self) -> str:
        """The call that makes it."""
        return "counts()"


@dataclass(frozen=True)
class Profile:
    """Logits weighted by their own softmax; see `deeplift_engine.targets.profile`."""

    weights: str = "input"
    track: int | None = None

    def __post_init__(self) -> None:
        if self.weights not in WEIGHTS:
            raise TargetError(
                f"profile(weights={self.weights!r}): expected 'input', the softmax at the input, "
                "or 'pair', the mean of those at the input and at the reference."
            )

    def __repr__(self) -> str:
        """The call that makes it."""
        track = "" if self.track is None else f", track={self.track}"
        return f"profile(weights={self.weights!r}{track})"

    @property
    def reads_references(self) -> bool:
        """Whether the weights are made of activations at the reference too."""
        return self.weights == "pair"

    def at(self, level: Array, shape: Shape) -> Array:
        """One end's part of the weights: all of them, or half where they are those of a pair.

        The weight of a position is its softmax minus the mean of all softmaxes, which is the same
        as taking the mean off the logits.

        Parameters
        ----------
        level
            Activations (..., *shape) of the target's layer.
        shape
            Of one sample: positions, and behind them tracks, if any.

        Raises
        ------
        TargetError
            If there are no positions, or no such track.
        """
        if not shape or shape[0] < FEWEST_POSITIONS:
            raise TargetError(
                f"A profile has positions along the first axis of its layer; this one has the "
                f"shape {shape}: name the layer of the profile's logits, as in 'LAYER:profile'."
            )
        axis = level.ndim - len(shape)
        shares = softmax(np.asarray(level, float), axis)
        weights = shares - shares.mean(axis=axis, keepdims=True)
        return self._of_track(weights, shape) * (0.5 if self.reads_references else 1.0)

    def on_other_strand(self, shape: Shape) -> Profile:
        """The same of the reverse complement: of two tracks the other one."""
        two = len(shape) > 1 and shape[-1] == STRANDS
        return self if self.track is None or not two else replace(self, track=1 - self.track % 2)

    def _of_track(self, weights: Array, shape: Shape) -> Array:
        """The weights with zeros on other tracks, those of the last axis."""
        if self.track is None:
            return np.asarray(weights)
        tracks = shape[-1] if len(shape) > 1 else 1
        if not -tracks <= self.track < tracks:
            raise TargetError(
                f"{self!r}: the profile has {tracks} tracks, counted from 0, along the last axis "
                f"of its layer's shape {shape}."
            )
        chosen = np.arange(tracks) == self.track % tracks
        return np.asarray(weights * chosen if len(shape) > 1 else weights)


def on_other_strand(weights: Array, shape: Shape) -> Array:
    """Weights (..., *shape) of units on the reverse complement.

    Positions are the first axis of a layer that has several, and of two tracks along the last each
    is the other strand's.
    """
    if len(shape) <= 1:
        return weights
    mirrored = np.flip(weights, weights.ndim - len(shape))
    return np.flip(mirrored, -1) if shape[-1] == STRANDS else mirrored


def reads_references(target: Any) -> bool:
    """Whether a target, or one of several, is weighted by its layer's activations at references."""
    each = target if isinstance(target, list) else [target]
    return any(isinstance(one, Profile) and one.reads_references for one in each)


def at_references(target: Any, level: Array, shape: Shape, mirrored: bool = False) -> Array:
    """The part of the weights (T, ..., *shape) that references make; zeros for other targets.

    ``level`` are the activations (..., *shape) of the target's layer on the references;
    ``mirrored`` is as for `deeplift_engine.targets.resolve`.
    """
    each = target if isinstance(target, list) else [target]
    return np.stack(
        [
            (one.on_other_strand(shape) if mirrored else one).at(level, shape)
            if isinstance(one, Profile) and one.reads_references
            else np.zeros_like(level, float)
            for one in each
        ]
    )


__all__ = ["Counts", "Profile", "at_references", "on_other_strand", "reads_references"]
