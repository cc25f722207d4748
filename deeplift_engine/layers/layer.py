"""What a layer is, and the facts that each layer tells of itself.

A layer is frozen data and pure functions of tensors with one batch axis in front. Rules decide
what crosses it backwards (`deeplift_engine.rules`). They, the graph and the explainers know the
families (`families`) and no single layer: whatever else they need to know, the layer says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deeplift_engine.layers.spans import Span, Window
from deeplift_engine.util.typing import Array, Tensor

ELEMENT_WORK = 10
"""Cost of one output element of a layer without a kernel, in multiply-adds of a convolution."""

Shape = Sequence[Any]
"""Sizes without the batch axis."""


@dataclass(frozen=True)
class Layer:
    """Anything with a forward pass, and the facts about it.

    Facts are attributes of the class, or properties where instances differ. Nothing outside this
    package lists classes of layers to tell a fact. A wrapper answers for its ``core`` only where
    it says so; ask the core about all else.

    Attributes
    ----------
    kind
        Family: ``"input"``, ``"linear"``, ``"elementwise"``, ``"selection"``, ``"joint"``,
        ``"composite"``, ``"lookup"`` or ``"recurrent"``.
    exact
        Whether a complete rule sums up to rounding, or to the accuracy of a path.
    has_kernel
        Whether the layer mixes elements by a kernel.
    kernel_family
        ``"convolution"`` or ``"dense"`` for the kernels that rules select by these words.
    learns_pattern
        Whether a pattern can be fitted to the kernel, by `Linear.with_kernel`.
    moves
        Whether each output element is one input element, unchanged, or a constant. Tokens stay
        tokens, relevance goes back to where an element came from.
    pads
        Whether some output elements are constants, so that relevance can be lost there.
    transparent
        Whether ``"after:dense"`` and ``"after:convolution"`` look through the layer.
    is_identity
        Whether the layer does nothing at inference.
    elementwise
        Whether each output element depends on the input element at its position alone.
    uniform
        Whether the layer is one function of each element, the same for all elements.
    is_gate
        Whether the outputs are shares from 0 to 1, which relevance takes as constants.
    is_condition
        Whether each output is 1 where a condition on its input holds, else 0, as masks are made.
    keeps_gates
        Whether the outputs are shares if all inputs are.
    singular
        Whether a slope of the layer may be infinite, or have no value, where its output is read.
    rectifies
        Whether the layer is a ReLU of some kind.
    reads_logits
        Whether the input is what a classifier's explanation usually starts from.
    pools
        Whether the layer takes maxima over windows.
    any_rank
        Whether the layer works on trailing axes alone, so that it does the same to every step of
        a sequence of its inputs.
    fuses
        Whether TensorFlow computes the layer well in one kernel with the next layer.
    fuses_activation
        Whether ``forward_then`` computes an activation within the layer's own operation.
    note
        What tables say of the layer beside its rule.
    """

    kind: ClassVar[str] = "layer"
    exact: ClassVar[bool] = True
    has_kernel: ClassVar[bool] = False
    kernel_family: ClassVar[str | None] = None
    learns_pattern: ClassVar[bool] = False
    moves: ClassVar[bool] = False
    pads: ClassVar[bool] = False
    transparent: ClassVar[bool] = False
    is_identity: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False
    uniform: ClassVar[bool] = False
    is_gate: ClassVar[bool] = False
    is_condition: ClassVar[bool] = False
    singular: ClassVar[bool] = False
    rectifies: ClassVar[bool] = False
    reads_logits: ClassVar[bool] = False
    pools: ClassVar[bool] = False
    any_rank: ClassVar[bool] = True
    fuses: ClassVar[bool] = False
    fuses_activation: ClassVar[bool] = False

    @property
    def note(self) -> str:
        """What tables say of the layer beside its rule."""
        return ""

    @property
    def keeps_gates(self) -> bool:
        """Whether the outputs are shares if all inputs are."""
        return self.moves

    @property
    def core(self) -> Layer:
        """The layer itself, or the one that it wraps."""
        return self

    @property
    def input_map(self) -> Layer:
        """The layer itself, or of several steps the one that reads the input."""
        return self

    @property
    def label(self) -> str:
        """Name of the layer in tables."""
        return type(self).__name__

    @property
    def permutation(self) -> tuple[int, ...] | None:
        """Order of the feature axes (from 1) if the layer only permutes them."""
        return None

    @property
    def rows(self) -> Array | None:
        """Matrix (in, out) if the layer multiplies the last axis by one."""
        return None

    @property
    def vocabulary(self) -> int | None:
        """Number of tokens for which the layer holds a row."""
        return None

    def forward(self, *inputs: Tensor) -> Tensor:
        """Output (n, ...) of the layer for inputs (n, ...)."""
        raise NotImplementedError

    def joined(self, count: int) -> Layer | None:
        """The layer of ``count`` inputs that is this one of others of its kind; None if none is."""
        return None

    def gradient(self, points: Sequence[Tensor], multiplier: Tensor) -> list[Tensor] | None:
        """Gradient at ``points`` against ``multiplier``, with any leading axes, broadcast.

        Not yet summed over features along which a point was broadcast. None where
        TensorFlow's own gradient is to be taken.
        """
        return None

    def scaled_before(self, factor: Array, offset: Array | None) -> Layer | None:
        """The layer with ``x * factor + offset`` in front of it; None if it cannot be merged."""
        return None

    def scaled_after(self, factor: Array, offset: Array | None) -> Layer | None:
        """The layer with ``y * factor + offset`` behind it; None if it cannot be merged."""
        return None

    def inner_shapes(self, shape: Shape) -> list[tuple[Any, ...]]:
        """Shapes of the activations within the layer for an output of ``shape``."""
        return []

    def work(self, inputs: Sequence[Shape], output: Shape) -> float:
        """Approximate cost of one sample's forward pass, in multiply-adds."""
        return float(ELEMENT_WORK * math.prod(output))

    # ------------------------------------------- how a change along one axis crosses the layer

    def pointwise_along(self, axis: int, rank: int) -> bool:
        """Whether the layer treats positions along a feature axis alike, each by itself.

        ``axis`` counts from 0, ``rank`` is the number of feature axes of the first input.
        """
        return False

    def sliding_window(self, axis: int, length: int) -> Window | None:
        """The window that slides along feature axis ``axis`` (from 0) of ``length``, if any."""
        return None

    def moved_span(self, span: Span, before: Shape, after: Shape) -> Span | None:
        """The span of a change behind a layer that moves; None if it does not stay a span.

        ``before`` and ``after`` are the shapes of input and output.
        """
        return None

    def averages(
        self, axis: int, before: Shape, after: Shape
    ) -> tuple[int, tuple[int, ...]] | None:
        """Number of positions along ``axis`` (from 0) that one mean covers, and the mean's axes.

        None where the output keeps positions along the axis.
        """
        return None

    def greatest_along(self, axis: int) -> bool:
        """Whether the layer takes one maximum over feature axis ``axis`` (from 0)."""
        return False


@dataclass(frozen=True)
class Input(Layer):
    """An input of the graph; ``shape`` is without the batch axis, None where free."""

    shape: tuple[int | None, ...]
    dtype: str
    kind: ClassVar[str] = "input"

    @property
    def label(self) -> str:
        """Name in tables."""
        return "input"


def constant_along(array: Array, axis: int, rank: int) -> bool:
    """Whether an array that broadcasts against ``rank`` features is constant along one axis."""
    shape = np.shape(array)
    from_end = axis - rank
    return len(shape) < -from_end or shape[from_end] == 1


def kernel_work(kernel: Array, output: Shape) -> float:
    """Multiply-adds of a kernel (..., out), all of whose other elements meet each output."""
    return float(math.prod(output) * kernel.size / kernel.shape[-1])


def contraction_work(inputs: Sequence[Shape], output: Shape) -> float:
    """About the multiply-adds of a product of two activations, of unknown common axes."""
    return 8.0 * math.sqrt(sum(map(math.prod, inputs)) * math.prod(output))
