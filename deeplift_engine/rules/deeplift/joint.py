"""Layers of several elements together: selections, products, softmax, user functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Composite, Joint, Layer, Selection
from deeplift_engine.rules.rule import (
    Ends,
    Multiplier,
    at_input,
    collapsed,
    folded,
    pulled_back,
    pulled_back_by_tensorflow,
)
from deeplift_engine.tensors.tensor_ops import safe_divide, scaled
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class GradientAtInput:
    """The gradient at the input, whatever the reference. Not complete."""

    name: str = "gradient"
    complete: bool = False
    additive: ClassVar[bool] = True

    def cross(self, layer: Layer, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        return [Multiplier(sent) for sent in at_input(layer, ends, folded(ends, arrived))]

    def spread(self, layer: Layer, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)


@dataclass(frozen=True)
class FirstWinner:
    """The gradient at the input as TensorFlow has it, all to the first winner of a window.

    That is what the original implementation does with max pooling. Not complete.
    """

    name: str = "gradient"
    complete: bool = False
    additive: ClassVar[bool] = True

    def cross(self, layer: Selection, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        sent = pulled_back_by_tensorflow(layer, ends.inputs(), folded(ends, arrived))
        return [Multiplier(gradient) for gradient in sent]

    def spread(self, layer: Selection, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)


@dataclass(frozen=True)
class Winner:
    """Max pooling and its kin, complete: the winner takes Δy / Δx_w.

    The winner w is that of max(x, x0): where the output rose above its reference that of the
    input, where it fell that of the reference. Then Δx_w lies on the same side and is at least
    as large as Δy, so the quotient is in [0, 1] and nothing divides by zero. Winners that tie
    have equal shares of Δy. Where Δy = 0 a winner takes 0 (the same largest value may have moved
    to another place, with Δx_w ≠ 0), and only where it has no difference either its share of
    the derivative. Windows that share a winner add before the division, which depends on w
    alone.
    """

    name: str = "winner"
    complete: bool = True
    additive: ClassVar[bool] = True

    def cross(self, layer: Selection, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        extreme = tf.maximum if layer.sign > 0 else tf.minimum

        def crossing(
            inputs: list[Tensor], references: list[Tensor], delta: Tensor, multiplier: Tensor
        ) -> list[Tensor]:
            pairs = list(zip(inputs, references, strict=True))
            points = [extreme(x, x0) for x, x0 in pairs]
            level = pulled_back(layer, points, multiplier)
            moved = pulled_back(layer, points, scaled(multiplier, delta))
            # a winner without a difference wins only where the output has none either
            return [
                tf.where(x == x0, even, safe_divide(contribution, x - x0 + tf.zeros_like(even)))
                for even, contribution, (x, x0) in zip(level, moved, pairs, strict=True)
            ]

        multiplier = folded(ends, arrived)
        crossed = ends.fuse(crossing, layer.many_steps)
        sent = crossed(ends.inputs(), ends.references(), ends.delta(), multiplier)
        return [Multiplier(gradient) for gradient in sent]

    def spread(self, layer: Selection, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)


@dataclass(frozen=True)
class Path:
    """The gradient averaged along the straight path from reference to input.

    At ``layer.nodes`` Gauss-Legendre points. One point is the product rule
    m_x = m·(y₀ + Δy/2), for any bilinear map; more are exact for longer products
    (Owen's diagonal formula of the Shapley value).
    """

    name: str = "path"
    complete: bool = True
    additive: ClassVar[bool] = True

    def cross(self, layer: Joint, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        return self.send(layer, ends, arrived, self.prepare(layer, ends))

    def prepare(self, layer: Joint, ends: Ends) -> list[Tensor]:
        """The points on the path, one after the other, each with all inputs."""
        positions, _ = np.polynomial.legendre.leggauss(layer.nodes)

        def points(inputs: list[Tensor], references: list[Tensor]) -> list[Tensor]:
            return [
                x0 + float(position) * (x - x0)
                for position in (positions + 1) / 2
                for x, x0 in zip(inputs, references, strict=True)
            ]

        between: list[Tensor] = ends.fuse(points)(ends.inputs(), ends.references())
        return between

    def send(
        self, layer: Joint, ends: Ends, arrived: Multiplier, prepared: list[Tensor]
    ) -> list[Multiplier]:
        """As `cross`, with what `prepare` gave."""
        multiplier = folded(ends, arrived)
        _, weights = np.polynomial.legendre.leggauss(layer.nodes)
        count = len(prepared) // layer.nodes
        total: list[Tensor] = []
        for number, weight in enumerate(weights / 2):
            points = prepared[number * count : (number + 1) * count]
            sent = pulled_back(layer, points, multiplier)
            if layer.nodes > 1:
                sent = [float(weight) * gradient for gradient in sent]
            total = [a + b for a, b in zip(total, sent, strict=True)] if total else sent
        return [Multiplier(gradient) for gradient in total]

    def spread(self, layer: Joint, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)


@dataclass(frozen=True)
class OwnRule:
    """The rule that the layer brings with it."""

    name: str = "own"
    complete: bool = True
    additive: ClassVar[bool] = True

    def cross(self, layer: Composite, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        outputs = [ends.output(), ends.output_reference()] if layer.reads_outputs else []

        def crossing(
            inputs: list[Tensor], references: list[Tensor], outputs: list[Tensor], arrived: Tensor
        ) -> list[Tensor]:
            return layer.cross_from(inputs, references, outputs, arrived)

        multiplier = folded(ends, arrived)
        sent = ends.fuse(crossing)(ends.inputs(), ends.references(), outputs, multiplier)
        return [Multiplier(gradient) for gradient in sent]

    def spread(self, layer: Composite, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)
