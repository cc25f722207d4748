"""Layers of several elements together: selections, products, softmax, user functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from deeplift_engine.layers import Composite, Joint, Layer, Selection
from deeplift_engine.rules.rule import Ends, Multiplier, collapsed, deltas, folded, pulled_back
from deeplift_engine.tensors.tensor_ops import safe_divide
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class GradientAtInput:
    """The gradient at the input, whatever the reference. Not complete."""

    name: str = "gradient"
    complete: bool = False

    def cross(self, layer: Layer, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        return [
            Multiplier(sent) for sent in pulled_back(layer, ends.inputs(), folded(ends, arrived))
        ]

    def spread(self, layer: Layer, ends: Ends) -> Tensor:
        """Size of the output's delta."""
        return collapsed(ends)


@dataclass(frozen=True)
class Winner:
    """Max pooling and its kin, complete: the winner takes Δy / Δx_w.

    The winner w is that of the input where the output rose above its reference, that of the
    reference where it fell. Then Δx_w lies on the same side and is at least as large as Δy,
    so the quotient is in [0, 1] and nothing divides by zero. Where Δy = 0 it is 0 (the same
    largest value may have moved to another place, with Δx_w ≠ 0), and only where the input's
    winner has no difference either the derivative at the input. Windows that share a winner
    add before the division, which depends on w alone.
    """

    name: str = "winner"
    complete: bool = True

    def cross(self, layer: Selection, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Multipliers of the inputs."""
        multiplier = folded(ends, arrived)
        delta = ends.delta()
        rose, fell = (delta > 0, delta < 0) if layer.sign > 0 else (delta < 0, delta > 0)
        nothing = tf.zeros_like(delta)
        by_input = multiplier * tf.where(rose, delta, nothing)
        by_reference = multiplier * tf.where(fell, delta, nothing)
        level = multiplier * tf.cast(delta == 0, multiplier.dtype)
        sent = zip(
            pulled_back(layer, ends.inputs(), by_input),
            pulled_back(layer, ends.references(), by_reference),
            pulled_back(layer, ends.inputs(), level),
            deltas(ends),
            strict=True,
        )
        return [
            Multiplier(
                tf.where(
                    change == 0, even, safe_divide(risen + fallen, change + tf.zeros_like(even))
                )
            )
            for risen, fallen, even, change in sent
        ]

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
