"""A tensor of the network under construction, in the hands of a user's function."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from deeplift_engine.layers import Difference, Layer, LinearFunction, Product, Scale, Sum
from deeplift_engine.translate.layer_context import LayerContext, NodeName

Shape = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Symbol:
    """A tensor that has no values yet: it can be indexed, added, subtracted and multiplied.

    Each of these is exact. Nothing else can be done to it but to give it to
    `CustomLayer.apply` and its kin: functions of TensorFlow do not know it. What operators and
    indices give has no mask, as in Keras; `CustomLayer.masked` gives it one.
    """

    context: LayerContext = field(repr=False)
    node: str

    __array_ufunc__ = None  # numpy's operators leave it to those here
    __iter__ = None
    __hash__ = None  # type: ignore[assignment]

    @property
    def shape(self) -> Shape:
        """Shape with the batch axis in front; None where free."""
        return (None, *self.context.shape(self.node))

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self.context.builder.nodes[self.node].dtype

    @property
    def mask(self) -> Symbol | None:
        """The mask, 1 for steps that are used and 0 for the rest; None where all are used."""
        node = self.context.builder.masks.get(self.node)
        return None if node is None else Symbol(self.context, node)

    def __getitem__(self, key: Any) -> Symbol:
        """Elements: ``x[:, 4:-4]``, ``x[..., ::-1]``, ``x[:, :, 0]``; the first index is ``:``."""
        keys = key if isinstance(key, tuple) else (key,)
        if not keys or not (keys[0] is Ellipsis or keys[0] == slice(None)):
            raise IndexError(f"the batch axis stays whole: x[:, ...], not x[{key}]")
        if not all(_is_index(entry) for entry in keys):
            raise IndexError(f"x[{key}]: indices are numbers, slices, ... and None")
        _check_bounds(keys, self.shape)
        elements = self._added(LinearFunction(_Indexed(keys), moves=True), self, label="elements")
        if 0 in elements.shape:
            raise IndexError(f"x[{key}] leaves nothing of shape {self.shape}")
        return elements

    def __add__(self, other: Any) -> Symbol:
        if isinstance(other, Symbol):
            return self._together(Sum(), other, "sum")
        return self._scaled(1.0, self._number(other))

    def __sub__(self, other: Any) -> Symbol:
        if isinstance(other, Symbol):
            return self._together(Difference(), other, "difference")
        return self._scaled(1.0, -self._number(other))

    def __mul__(self, other: Any) -> Symbol:
        if isinstance(other, Symbol):
            return self._together(Product(2), other, "product")
        return self._scaled(self._number(other), None)

    def __truediv__(self, other: Any) -> Symbol:
        return self._scaled(1.0 / self._number(other), None)

    def __rsub__(self, other: Any) -> Symbol:
        return self._scaled(-1.0, self._number(other))

    def __neg__(self) -> Symbol:
        return self._scaled(-1.0, None)

    __radd__ = __add__
    __rmul__ = __mul__

    def _unknown(self, *_: Any) -> NoReturn:
        raise TypeError(
            "a symbol has no values: it can be indexed, added, subtracted and multiplied; "
            "layer.forward_only(function) takes any function of tensors"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __len__ = _unknown
    __pow__ = __rtruediv__ = __matmul__ = __mod__ = __floordiv__ = __abs__ = _unknown

    def _number(self, value: Any) -> Any:
        """A constant that broadcasts into this tensor's shape."""
        if not isinstance(value, numbers.Real | np.ndarray | np.generic):
            raise TypeError(f"{type(value).__name__} is neither a symbol nor a number")
        array = np.asarray(value, self.context.builder.dtype)
        shape = self.shape[1:]
        fits = array.ndim <= len(shape) and all(
            size == 1 or size == met
            for size, met in zip(array.shape[::-1], shape[::-1], strict=False)
        )
        if not fits:
            raise TypeError(f"an array of shape {array.shape} does not fit into {shape}")
        return array

    def _scaled(self, factor: Any, offset: Any) -> Symbol:
        dtype = self.context.builder.dtype
        shift = None if offset is None else np.asarray(offset, dtype)
        return self._put(Scale(np.asarray(factor, dtype), shift), self, label="scaled")

    def _together(self, layer: Layer, other: Symbol, label: str) -> Symbol:
        if other.context.builder is not self.context.builder:
            raise TypeError("the symbols belong to two networks")
        if len(other.shape) != len(self.shape):
            raise TypeError(f"shapes {self.shape} and {other.shape} differ in their axes")
        return self._put(layer, self, other, label=label)

    def _put(self, layer: Layer, *inputs: Symbol, label: str) -> Symbol:
        if any(self.context.builder.nodes[symbol.node].tokens for symbol in inputs):
            raise TypeError("tokens (integers or booleans) can only be indexed and looked up")
        return self._added(layer, *inputs, label=label)

    def _added(self, layer: Layer, *inputs: Symbol, label: str) -> Symbol:
        nodes = [symbol.node for symbol in inputs]
        return Symbol(self.context, self.context.add(layer, *nodes, suffix=f"/{label}"))


@dataclass(frozen=True)
class _Indexed:
    """The function x → x[keys]."""

    keys: tuple[Any, ...]

    def __call__(self, x: Any) -> Any:
        return x[self.keys]


def _is_index(entry: Any) -> bool:
    if isinstance(entry, slice):
        return all(
            bound is None or _is_integer(bound) for bound in (entry.start, entry.stop, entry.step)
        )
    return entry is None or entry is Ellipsis or _is_integer(entry)


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _check_bounds(keys: Sequence[Any], shape: Shape) -> None:
    """Refuse a number beyond the end, which TensorFlow may find out too late."""
    counted = [entry for entry in keys if entry is not None and entry is not Ellipsis]
    if len(counted) > len(shape):
        raise IndexError(f"{len(counted)} indices for shape {shape}")
    gap = len(shape) - len(counted) if Ellipsis in keys else 0
    axis = 0
    for entry in keys:
        if entry is Ellipsis:
            axis += gap
        elif entry is not None:
            size = shape[axis]
            if _is_integer(entry) and size is not None and not -size <= entry < size:
                raise IndexError(f"index {entry} is beyond axis {axis} of shape {shape}")
            axis += 1


def symbols(context: LayerContext, value: Any) -> Any:
    """A call's argument with a symbol for every tensor."""
    if isinstance(value, NodeName):
        return Symbol(context, str(value))
    if isinstance(value, tuple):
        return tuple(symbols(context, entry) for entry in value)
    return value


__all__ = ["Symbol", "symbols"]
