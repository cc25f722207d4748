"""Spans of positions that a change can reach, and how windows and strides carry them.

Changes are followed in frames. Frame f covers the first positions f·step, f·step + 1, … of an
input; at a tensor behind it the positions that may have changed are

    f·step + start, … , f·step + start + width - 1

with numbers that are the same for all frames, because ``step`` is a multiple of all the strides on
the way. Positions before the first or behind the last hold nothing. Along several axes, as of an
image, frames are numbered along each, and what can change is a box: one span for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Window:
    """A window: output position j reads j·stride - before + i·dilation, for i below ``size``."""

    size: int
    dilation: int = 1
    stride: int = 1
    before: int = 0

    @classmethod
    def padded(
        cls, padding: str, length: int, size: int, dilation: int = 1, stride: int = 1
    ) -> Window:
        """The window of a layer with ``"valid"``, ``"same"`` or ``"causal"`` padding."""
        return cls(size, dilation, stride, margins(padding, length, size, dilation, stride)[0])

    @property
    def reach(self) -> int:
        """Length of the window less one."""
        return (self.size - 1) * self.dilation


def margins(
    padding: str, length: int, size: int, dilation: int = 1, stride: int = 1
) -> tuple[int, int]:
    """Positions that ``"valid"``, ``"same"`` or ``"causal"`` padding adds before and after."""
    reach = (size - 1) * dilation
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach, 0
    total = max((-(-length // stride) - 1) * stride + reach + 1 - length, 0)
    return total // 2, total - total // 2


@dataclass(frozen=True)
class Span:
    """Positions along feature axis ``axis`` (from 0) of a tensor that a change can reach.

    Attributes
    ----------
    step, start, width
        See the module.
    length
        Of the tensor's axis.
    """

    axis: int
    step: int
    start: int
    width: int
    length: int

    @property
    def stop(self) -> int:
        """End of the span in frame 0."""
        return self.start + self.width

    def through(self, window: Window, length: int) -> Span | None:
        """The span behind windows, on an axis of ``length``; None if strides separate frames."""
        if self.step % window.stride:
            return None
        first = -(-(self.start + window.before - window.reach) // window.stride)
        last = (self.stop - 1 + window.before) // window.stride
        step = self.step // window.stride
        return replace(self, step=step, start=first, width=last - first + 1, length=length)

    def read_by(self, window: Window, outputs: Span) -> Span:
        """The positions of this axis that ``outputs`` read."""
        first = outputs.start * window.stride - window.before
        width = (outputs.width - 1) * window.stride + window.reach + 1
        return replace(self, start=first, width=width)

    def margins(self, inner: Span) -> tuple[int, int]:
        """Positions in excess of ``inner``, before and after; below 0 where there are fewer."""
        return inner.start - self.start, self.stop - inner.stop

    def moved(self, positions: int, length: int) -> Span:
        """The span moved by ``positions``, on an axis of another length."""
        return replace(self, start=self.start + positions, length=length)

    def repeated(self, times: int) -> Span:
        """Every position ``times`` times."""
        return replace(
            self,
            step=self.step * times,
            start=self.start * times,
            width=self.width * times,
            length=self.length * times,
        )


Box = tuple[Span, ...]
"""A span along each of some axes, in the order of the frames' numbers."""


def union(boxes: Iterable[Box]) -> Box | None:
    """The box that holds all of them; None where they are not along the same axes."""
    joined = [_union(spans) for spans in zip(*boxes, strict=True)]
    spans = tuple(span for span in joined if span is not None)
    return spans if joined and len(spans) == len(joined) else None


def _union(spans: Iterable[Span]) -> Span | None:
    several = list(spans)
    if len({(span.axis, span.step, span.length) for span in several}) > 1:
        return None
    start, stop = min(span.start for span in several), max(span.stop for span in several)
    return replace(several[0], start=start, width=stop - start)


def reshaped(span: Span, before: tuple[int, ...], after: tuple[int, ...]) -> Span | None:
    """The span once features of shape ``before`` are read, row by row, as ``after``.

    None where the positions of a span would no longer lie side by side.
    """
    leading = math.prod(before[: span.axis])
    axis = 0
    while axis < len(after) and math.prod(after[:axis]) != leading:
        axis += 1
    while axis < len(after) and after[axis] == 1 != span.length:
        axis += 1
    if axis == len(after) or after[axis] % span.length:
        return None
    return replace(span.repeated(after[axis] // span.length), axis=axis)
