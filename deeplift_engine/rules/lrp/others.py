"""Relevance across layers without a kernel: what moves, what chooses, what multiplies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import tensorflow as tf

from deeplift_engine.layers import Composite, Elementwise, Joint, Linear, Lookup, Selection
from deeplift_engine.rules.deeplift.linear import Transposed
from deeplift_engine.rules.deeplift.tokens import summed_to_shape
from deeplift_engine.rules.lrp.kernels import RelevanceRule, quotient
from deeplift_engine.rules.rule import (
    LEADING,
    Ends,
    Multiplier,
    at_input,
    full,
    pairwise,
    pulled_back,
)
from deeplift_engine.tensors.tensor_ops import jvp
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Moved(RelevanceRule):
    """Each output is one input, moved: its relevance goes back to it."""

    name: ClassVar[str] = "moved"

    def conserves(self, layer: Linear) -> bool:
        """Relevance that arrives at a padding is lost."""
        return not layer.core.pads

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """The transposed map, of coefficients 0 and 1."""
        return Transposed().cross(layer, ends, arrived)


@dataclass(frozen=True)
class Passed(RelevanceRule):
    """A function of one element passes relevance on as it is (Bach 2015, section 2.3)."""

    name: ClassVar[str] = "passed"

    def cross(self, layer: Elementwise, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """The relevance that arrived."""
        return [arrived]


@dataclass(frozen=True)
class TakesAll(RelevanceRule):
    """The winner of a maximum takes all the relevance; those that tie have equal shares."""

    name: ClassVar[str] = "winner"

    def cross(self, layer: Selection, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """The gradient of the choice."""
        sent = at_input(layer, ends, full(arrived.mean, ends))
        return [Multiplier(gradient) for gradient in sent]


@dataclass(frozen=True)
class Signals(RelevanceRule):
    """A product's relevance goes to its factors in equal shares, but none to ``gates``.

    Equal shares are the Shapley value of a product at a reference of zero. A factor that is a
    gate, between 0 and 1 (a sigmoid, the weights of a softmax, a mask), is taken as a constant:
    the signal takes all (Arras 2017, arXiv:1706.07206; for attention Ali 2022, arXiv:2202.07304).
    Equal shares would halve what a memory cell keeps at every step.

    In general an element has the share x·∂f/∂x in the sum of these, the derivative of f along x.
    """

    name: ClassVar[str] = "signals"
    gates: tuple[int, ...] = ()
    epsilon: float = 0.0

    def conserves(self, layer: Joint) -> bool:
        """Without a stabiliser."""
        return self.epsilon == 0

    def cross(self, layer: Joint, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """x times the gradient, in proportion."""
        points = ends.inputs()
        weights = [0.0 if number in self.gates else 1.0 for number in range(len(points))]

        def along(*merged: Tensor) -> Tensor:
            ways = [weight * x for weight, x in zip(weights, merged, strict=True)]
            return jvp(layer.forward, merged, ways)

        level = pairwise(along, points)
        share = quotient(full(arrived.mean, ends), level, self.epsilon)
        sent = pulled_back(layer, points, share)
        return [
            Multiplier(weight * x * gradient)
            for weight, x, gradient in zip(weights, points, sent, strict=True)
        ]


@dataclass(frozen=True)
class OwnShares(RelevanceRule):
    """The shares that the layer brings with it."""

    name: ClassVar[str] = "own"

    def cross(self, layer: Composite, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """See `Composite.share`."""
        sent = layer.share(ends.inputs(), full(arrived.mean, ends))
        return [Multiplier(gradient) for gradient in sent]


@dataclass(frozen=True)
class Summed(RelevanceRule):
    """A token has the relevance of all that was looked up for it; several have equal shares."""

    name: ClassVar[str] = "tokens"

    def cross(self, layer: Lookup, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Sums over the features of each token."""
        relevance, shapes, output = full(arrived.mean, ends), ends.shapes(), ends.shape()
        if len(shapes) > 1:
            each = relevance / len(shapes)
            return [Multiplier(summed_to_shape(each, shape, output)) for shape in shapes]
        rank = len(shapes[0]) + LEADING
        return [Multiplier(tf.reduce_sum(relevance, axis=list(range(rank, relevance.shape.rank))))]


__all__ = ["Moved", "OwnShares", "Passed", "Signals", "Summed", "TakesAll"]
