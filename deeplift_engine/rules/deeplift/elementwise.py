"""Nonlinear functions of one element: Rescale, RevealCancel and the gradient-style rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Protocol

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Elementwise
from deeplift_engine.rules.rule import Ends, Multiplier, Rule, collapsed
from deeplift_engine.tensors.tensor_ops import scaled, stabilised
from deeplift_engine.util.typing import Tensor


class ElementwiseRule(Rule, Protocol):
    """A rule of nonlinear functions of one element, which users choose by its name."""

    @property
    def at_input(self) -> bool:
        """Whether it ignores references; other nonlinear layers then have the gradient's rule."""


@dataclass(frozen=True)
class Factor:
    """Multipliers times one factor an element, the negative ones dropped if ``positive_only``.

    ``factor`` is ``"slope"`` (of the chord, the Rescale rule: equation 14 of the paper),
    ``"derivative"`` (at the input) or ``"one"``. As in the original, every nonlinearity is
    treated as a ReLU is.
    """

    name: str
    factor: str
    positive_only: bool = False

    @property
    def complete(self) -> bool:
        """Only the chord sums to the difference, and only if nothing is dropped."""
        return self.factor == "slope" and not self.positive_only

    @property
    def at_input(self) -> bool:
        """The chord alone compares with the reference."""
        return self.factor != "slope"

    @property
    def additive(self) -> bool:
        """Unless something is dropped."""
        return not self.positive_only

    def cross(self, layer: Elementwise, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the input."""
        if self.positive_only:
            arrived = _positive(arrived)
        if self.factor == "one":
            return [arrived]

        multiplied = partial(scaled, singular=layer.singular, bounded=ends.bounded())
        if ends.known() and self.factor == "slope":
            x, x0 = ends.inputs()[0], ends.references()[0]
            factor = layer.chord(x, x0, ends.output(), ends.output_reference())
            half = (
                None
                if arrived.half_difference is None
                else multiplied(arrived.half_difference, tf.abs(factor))
            )
            return [Multiplier(multiplied(arrived.mean, factor), half)]

        def crossing(points: list[Tensor], mean: Tensor, *half: Tensor) -> tuple[Tensor, ...]:
            factor = getattr(layer, self.factor)(*points)
            sizes = [tf.abs(factor)] if half else []
            return tuple(
                multiplied(each, slope)
                for each, slope in zip((mean, *half), (factor, *sizes), strict=True)
            )

        half = [] if arrived.half_difference is None else [arrived.half_difference]
        return [Multiplier(*ends.fuse(crossing)(self._points(ends), arrived.mean, *half))]

    def _points(self, ends: Ends) -> list[Tensor]:
        inputs = ends.inputs()
        return inputs if self.factor == "derivative" else [*inputs, *ends.references()]

    def spread(self, layer: Elementwise, ends: Ends) -> Tensor:
        """The input's spread times the size of the factor."""
        kind, spread = self.factor, ends.spreads()[0]
        if kind == "one":
            return spread
        points = [*ends.inputs(), *ends.references()][: 1 if kind == "derivative" else 2]
        return spread * tf.abs(getattr(layer, kind)(*points))


def _positive(arrived: Multiplier) -> Multiplier:
    if arrived.half_difference is None:
        return Multiplier(tf.nn.relu(arrived.mean))
    above = tf.nn.relu(arrived.mean + arrived.half_difference)
    below = tf.nn.relu(arrived.mean - arrived.half_difference)
    return Multiplier((above + below) / 2, (above - below) / 2)


@dataclass(frozen=True)
class Deconvolution:
    """The nonlinearity itself, applied to what arrives: for a ReLU, the positive part."""

    name: str = "deconvnet"
    complete: bool = False
    at_input: bool = True
    additive: ClassVar[bool] = False

    def cross(self, layer: Elementwise, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the input."""
        if arrived.half_difference is None:
            return [Multiplier(layer.function(arrived.mean))]
        above = layer.function(arrived.mean + arrived.half_difference)
        below = layer.function(arrived.mean - arrived.half_difference)
        return [Multiplier((above + below) / 2, (above - below) / 2)]

    def spread(self, layer: Elementwise, ends: Ends) -> Tensor:
        """The input's spread."""
        return ends.spreads()[0]


@dataclass(frozen=True)
class EpsilonRatio:
    """Multipliers times f(x) / (x + ε·sign x), with the sign of 0 as 1.

    The form that Ancona 2018 gives epsilon-LRP (arXiv:1711.06104, proposition 1), and in which
    DeepExplain has it: ε stabilises the nonlinearities and nothing else.
    """

    name: str = "epsilon_ratio"
    epsilon: float = 1e-4
    complete: bool = False
    additive: ClassVar[bool] = True

    def cross(self, layer: Elementwise, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the input."""

        def crossing(x: Tensor, mean: Tensor) -> Tensor:
            return mean * layer.function(x) / stabilised(x, self.epsilon)

        return [Multiplier(ends.fuse(crossing)(ends.inputs()[0], arrived.mean))]

    def spread(self, layer: Elementwise, ends: Ends) -> Tensor:
        """Not used: nothing keeps parts apart."""
        return collapsed(ends)


@dataclass(frozen=True)
class RevealCancel:
    """Positive and negative parts apart (section 3.5.3 of the paper).

    The paper's Δy⁺ / Δx⁺ is the mean of two chords, from x₀ to x₀ + Δ⁺ and from x₀ + Δ⁻ to x,
    and Δy⁻ / Δx⁻ likewise: no part is divided by, so a part of zero has its limit.
    """

    name: str = "reveal_cancel"
    complete: bool = True
    at_input: bool = False
    additive: ClassVar[bool] = True

    def cross(self, layer: Elementwise, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the input."""

        def crossing(
            x: Tensor, x0: Tensor, spread: Tensor, mean: Tensor, *half: Tensor
        ) -> tuple[Tensor, Tensor]:
            above, below = _factors(layer, x, x0, spread)
            common, apart = (above + below) / 2, (above - below) / 2
            if not half:
                return common * mean, apart * mean
            return common * mean + apart * half[0], apart * mean + common * half[0]

        points = [ends.inputs()[0], ends.references()[0], ends.spreads()[0]]
        half = [] if arrived.half_difference is None else [arrived.half_difference]
        return [Multiplier(*ends.fuse(crossing)(*points, arrived.mean, *half))]

    def spread(self, layer: Elementwise, ends: Ends) -> Tensor:
        """Δ⁺ - Δ⁻ of the output."""
        x, x0, spread = ends.inputs()[0], ends.references()[0], ends.spreads()[0]
        above, below = _factors(layer, x, x0, spread)
        delta = x - x0
        return (above * (delta + spread) - below * (delta - spread)) / 2


def _factors(layer: Elementwise, x: Tensor, x0: Tensor, spread: Tensor) -> tuple[Tensor, Tensor]:
    """The slopes of the positive and of the negative part.

    A part that is nothing but the rounding of the other, such as 1e-17 beside 1, is taken to be
    zero: across a step it would have a slope of 1e17, and contributions would lose their digits.
    """
    delta = x - x0
    x0, x = x0 + tf.zeros_like(delta), x + tf.zeros_like(delta)
    up, down = (delta + spread) / 2, (delta - spread) / 2
    noise = 4 * float(np.finfo(delta.dtype.as_numpy_dtype).eps) * (tf.abs(up) + tf.abs(down))
    rises, falls = tf.abs(up) > noise, tf.abs(down) > noise
    raised = tf.where(rises, tf.where(falls, x0 + up, x), x0)
    lowered = tf.where(falls, tf.where(rises, x0 + down, x), x0)
    above = (layer.slope(raised, x0) + layer.slope(x, lowered)) / 2
    below = (layer.slope(lowered, x0) + layer.slope(x, raised)) / 2
    return above, below
