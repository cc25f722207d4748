"""Layer-wise relevance propagation: rules that send relevance itself, across maps with a kernel.

Relevance R of the outputs y = x·W + b is shared by the inputs. Bach 2015 and Montavon 2017 write
their rules with positive and negative parts of x, W and b; here two of the layer's maps are enough,

    R_x = u ⊙ (a·Wᵀ) + v ⊙ (c·|W|ᵀ)

because contributions above 0 sum to P = (y + T) / 2 and those below it to N = (y - T) / 2, with
T = |x|·|W| + |b|, in which the bias is one more input:

| rule | u, v | a, c |
| --- | --- | --- |
| z, epsilon | x, 0 | R / (y + ε·sign y) |
| alpha-beta | x, abs(x) | (α·R/P ∓ β·R/N) / 2 |
| gamma | x, abs(x) | s·(1 + γ/2), s·sign(y)·γ/2 with s = R / (y + γ·(P or N, by sign y)) |
| z-box | x - (h+l)/2, (h-l)/2 | R / (u·W + v·abs(W)), both |
| w-square, flat | 0, 1 | R / (1·W'), with W' = W² or ones instead of abs(W) |

Where a rule divides by zero nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import Layer, Linear
from deeplift_engine.rules.rule import Ends, Multiplier, collapsed, full, merged, pairwise, unmerged
from deeplift_engine.tensors.tensor_ops import epsilon, safe_divide, stabilised
from deeplift_engine.util.typing import Array, Tensor

ROUNDING = 16
"""Times the dtype's epsilon: a part smaller than that share of its terms is what rounding left."""
UNSAID = ("change", "complete", "name")
"""Fields that are no parameters of a rule."""


@dataclass(frozen=True)
class RelevanceRule:
    """How relevance crosses one layer; it reads the input's end alone.

    ``complete`` says whether as much is sent as arrived; `of` sets it for a layer.
    """

    name: ClassVar[str] = "relevance"
    additive: ClassVar[bool] = True
    complete: bool = field(default=False, kw_only=True)

    def __str__(self) -> str:
        """Its name and parameters."""
        parameters = [entry.name for entry in fields(self) if entry.name not in UNSAID]
        listed = ", ".join(f"{name}={getattr(self, name)!r}" for name in parameters)
        return f"{self.name}({listed})" if listed else self.name

    def of(self, layer: Layer) -> RelevanceRule:
        """The rule for one layer."""
        return replace(self, complete=self.conserves(layer))

    def conserves(self, layer: Any) -> bool:
        """Whether as much is sent as arrived, but where the rule divides by zero."""
        return True

    def cross(self, layer: Any, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Relevance of the inputs."""
        raise NotImplementedError

    def spread(self, layer: Layer, ends: Ends) -> Tensor:
        """Not used: relevance has no positive and negative parts."""
        return collapsed(ends)


@dataclass(frozen=True)
class Epsilon(RelevanceRule):
    """R_x = x·Wᵀ(R / (y + ε·sign y)): Bach 2015, equation 58; LRP-0, or z, with ε = 0.

    What ε and, with ``bias``, the bias take of it is lost.
    """

    name: ClassVar[str] = "epsilon"
    epsilon: float = 1e-6
    bias: bool = True

    def conserves(self, layer: Linear) -> bool:
        """Without ε and bias."""
        return self.epsilon == 0 and (not self.bias or layer.homogeneous)

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Shares in proportion to what each input adds."""
        level = _output(layer, ends, self.bias)
        share = _fused_quotient(ends, arrived, level, self.epsilon)
        sent = unmerged(layer.transpose(merged(share), ends.shapes()), share)
        return [Multiplier(each, scale=x) for x, each in zip(ends.inputs(), sent, strict=True)]


@dataclass(frozen=True)
class AlphaBeta(RelevanceRule):
    """α of the relevance by the positive contributions, less β by the negative ones.

    Bach 2015, equation 60. With ``alpha=1, beta=0`` it is z-plus (Montavon 2017). What is lost:
    the bias's shares, and the share of a part that is zero.
    """

    name: ClassVar[str] = "alpha_beta"
    alpha: float = 2.0
    beta: float = 1.0
    bias: bool = True

    def __post_init__(self) -> None:
        if not (self.beta >= 0 and abs(self.alpha - self.beta - 1) <= 1e-9):
            raise RuleError(
                f"alpha={self.alpha:g} and beta={self.beta:g}: alpha - beta is 1, and beta 0 or "
                "more, so that relevance is kept."
            )

    def conserves(self, layer: Linear) -> bool:
        """As z-plus without a bias; β·R is lost where nothing is negative."""
        return self.beta == 0 and (not self.bias or layer.homogeneous)

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Both parts in one: see the table above."""
        alpha, beta = self.alpha, self.beta

        def shares(relevance: Tensor, output: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
            positive, negative = _by_sign(output, size)
            above = safe_divide(alpha * relevance, positive) / 2
            below = safe_divide(beta * relevance, negative) / 2
            return above - below, above + below

        output, size = _output(layer, ends, self.bias), _size(layer, ends, self.bias)
        factors = ends.fuse(shares)(full(arrived.mean, ends), output, size)
        points = ends.inputs()
        return _sent(layer, ends, points, factors[0], [tf.abs(x) for x in points], factors[1])


@dataclass(frozen=True)
class Gamma(RelevanceRule):
    """Contributions of the output's own sign count 1 + γ times.

    Montavon 2019, for inputs and outputs of any sign as Andéol 2021 (arXiv:2110.04158). What the
    bias takes is lost.
    """

    name: ClassVar[str] = "gamma"
    gamma: float = 0.25
    bias: bool = True

    def __post_init__(self) -> None:
        if not self.gamma >= 0:
            raise RuleError(f"gamma is 0 or more, not {self.gamma!r}.")

    def conserves(self, layer: Linear) -> bool:
        """Without bias."""
        return not self.bias or layer.homogeneous

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Both maps in one: see the table above."""
        gamma = self.gamma

        def shares(relevance: Tensor, output: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
            positive, negative = _by_sign(output, size)
            level = output + gamma * tf.where(output > 0, positive, negative)
            share = safe_divide(relevance, level)
            return share * (1 + gamma / 2), share * tf.sign(output) * (gamma / 2)

        output, size = _output(layer, ends, self.bias), _size(layer, ends, self.bias)
        factors = ends.fuse(shares)(full(arrived.mean, ends), output, size)
        points = ends.inputs()
        return _sent(layer, ends, points, factors[0], [tf.abs(x) for x in points], factors[1])


@dataclass(frozen=True, eq=False)
class Box(RelevanceRule):
    """z-box, for inputs between ``low`` and ``high``: Montavon 2017, equation 19.

    The bounds are those of what the layer reads, numbers or arrays that are broadcast against
    one sample of it.
    """

    name: ClassVar[str] = "z_box"
    low: Array | float
    high: Array | float

    def __post_init__(self) -> None:
        if not np.all(np.asarray(self.low) <= np.asarray(self.high)):
            raise RuleError("z_box needs a low that is nowhere above its high.")

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Distances from the middle of the box, and half its width."""
        low, high = np.asarray(self.low, float), np.asarray(self.high, float)
        points = ends.inputs()
        if max(low.ndim, high.ndim) > points[0].shape.rank - 2:
            raise RuleError(
                f"z_box: low and high have shapes {low.shape} and {high.shape}; expected numbers, "
                f"or arrays of one sample of what the layer reads, {tuple(points[0].shape[2:])}."
            )
        away = [x - tf.cast((low + high) / 2, x.dtype) for x in points]
        half = [tf.cast((high - low) / 2, x.dtype) + tf.zeros_like(x[:1]) for x in points]
        width = pairwise(layer.absolute().linear, half)
        level = _without_rounding(pairwise(layer.linear, away) + width, width)
        share = _fused_quotient(ends, arrived, level)
        return _sent(layer, ends, away, share, half, share)


@dataclass(frozen=True)
class ByCoefficients(RelevanceRule):
    """Shares in proportion to a function of the coefficients alone, whatever the inputs are.

    Their squares are the w-square rule (Montavon 2017, equation 12), ones the flat rule
    (Lapuschkin 2019, arXiv:1902.10178); both for the first layer.
    """

    name: str = "w_square"  # type: ignore[misc]
    change: Callable[[Array], Array] = np.square

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """The share of every coefficient in the sum over those of an output."""
        changed = layer.absolute().reweighted(self.change)
        level = pairwise(changed.linear, [tf.ones_like(x[:1]) for x in ends.inputs()])
        share = _fused_quotient(ends, arrived, level)
        sent = changed.transpose(merged(share), ends.shapes())
        return [Multiplier(each) for each in unmerged(sent, share)]


W_SQUARE = ByCoefficients()
FLAT = ByCoefficients("flat", np.ones_like)


def quotient(relevance: Tensor, level: Tensor, stabiliser: float = 0.0) -> Tensor:
    """R / (y + ε·sign y), with the sign of 0 as 1; 0 where that divides by zero."""
    if stabiliser == 0:
        return safe_divide(relevance, level)
    return relevance / stabilised(level, stabiliser)


def _fused_quotient(
    ends: Ends, arrived: Multiplier, level: Tensor, stabiliser: float = 0.0
) -> Tensor:
    """The relevance that arrived over the level; a product is multiplied in the same kernel."""
    scale = arrived.scale

    def divided(level: Tensor, relevance: Tensor, *scale: Tensor) -> Tensor:
        return quotient(relevance * scale[0] if scale else relevance, level, stabiliser)

    if scale is None:
        return ends.fuse(divided)(level, full(arrived.mean, ends))
    return ends.fuse(divided)(level, arrived.unscaled, scale)


def _output(layer: Linear, ends: Ends, bias: bool) -> Tensor:
    """The layer's output, without its constant unless ``bias``."""
    if bias or layer.homogeneous:
        return ends.output()
    return pairwise(layer.linear, ends.inputs())


def _size(layer: Linear, ends: Ends, bias: bool) -> Tensor:
    """T, the sum of the magnitudes of what is added to the output."""
    magnitudes = layer.absolute()
    points = [tf.abs(x) for x in ends.inputs()]
    return pairwise(magnitudes.forward if bias else magnitudes.linear, points)


def _by_sign(output: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """P and N, the sums of what is above and below 0."""
    return (
        _without_rounding((output + size) / 2, size),
        _without_rounding((output - size) / 2, size),
    )


def _without_rounding(total: Tensor, size: Tensor) -> Tensor:
    noise = ROUNDING * epsilon(total.dtype) * size
    return tf.where(tf.abs(total) <= noise, tf.zeros_like(total), total)


def _sent(
    layer: Linear,
    ends: Ends,
    points: Sequence[Tensor],
    share: Tensor,
    sizes: Sequence[Tensor],
    by_size: Tensor,
) -> list[Multiplier]:
    """``points`` times ``share`` through W, plus ``sizes`` times ``by_size`` through abs(W)."""
    shapes = ends.shapes()
    straight = unmerged(layer.transpose(merged(share), shapes), share)
    magnitudes = unmerged(layer.absolute().transpose(merged(by_size), shapes), by_size)
    return [
        Multiplier(x * each + size * other)
        for x, each, size, other in zip(points, straight, sizes, magnitudes, strict=True)
    ]


__all__ = [
    "FLAT",
    "W_SQUARE",
    "AlphaBeta",
    "Box",
    "ByCoefficients",
    "Epsilon",
    "Gamma",
    "RelevanceRule",
    "quotient",
]
