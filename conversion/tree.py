"""A model's configuration as a tree: layers, wrapped layers, and the calls that connect them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conversion.slots import Slot, slots_of


@dataclass(frozen=True)
class SavedTensor:
    """A tensor as a configuration names it: layer, call of the layer, output."""

    layer: str
    node: int
    tensor: int


@dataclass(frozen=True)
class Call:
    """One call of a layer in a graph.

    Attributes
    ----------
    layer
        Name of the layer in the graph.
    index
        0 for its first call in this graph.
    args
        Positional arguments; `SavedTensor` where a tensor was passed, also inside lists and dicts.
    kwargs
        Keyword arguments, likewise.
    """

    layer: str
    index: int
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A Sequential or Functional model: layers in saved order, calls, inputs and outputs."""

    layers: tuple[Layer, ...]
    calls: tuple[Call, ...]
    inputs: Any
    outputs: Any

    def layer(self, name: str) -> Layer:
        """Return the layer called ``name``."""
        return next(layer for layer in self.layers if layer.name == name)


@dataclass(frozen=True)
class Layer:
    """One layer as saved, told in Keras 3's words.

    Attributes
    ----------
    parts
        Wrapped layers, each with the attribute that holds it in a ``.keras`` file.
    graph
        The layers inside, where the layer is a model.
    trainable
        What the layer's own configuration says.
    era
        Age of the configuration, see `conversion.eras`.
    saved
        The options as saved.
    """

    name: str
    class_name: str
    saved_class_name: str
    config: Mapping[str, Any]
    parts: tuple[tuple[str, Layer], ...] = ()
    graph: Graph | None = None
    trainable: bool = True
    era: int = 3
    saved: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Leaf:
    """A layer with arrays of its own, somewhere inside another.

    Attributes
    ----------
    path
        Names from the outermost layer inwards, joined by ``/``.
    slots
        Its arrays, None where its class is not known.
    trainable
        False if it or a layer around it is frozen.
    """

    path: str
    layer: Layer
    slots: tuple[Slot, ...] | None
    trainable: bool


def leaves(layer: Layer, prefix: str = "", trainable: bool = True) -> Iterator[Leaf]:
    """Yield the layers inside ``layer`` (itself included) that have or may have arrays."""
    path = prefix + layer.name
    trainable = trainable and layer.trainable
    if layer.graph is not None:
        for inner in layer.graph.layers:
            yield from leaves(inner, path + "/", trainable)
        return
    slots = raw_slots(layer)
    if slots is None or slots:
        yield Leaf(path, layer, slots, trainable)
    for _, part in layer.parts:
        yield from leaves(part, path + "/", trainable)


def raw_slots(layer: Layer) -> tuple[Slot, ...] | None:
    """Return the arrays of a layer as its file holds them (Keras 1: one for each gate)."""
    slots = slots_of(layer.class_name, layer.config)
    if layer.era < 2 and layer.class_name in ("LSTM", "GRU"):
        if layer.saved.get("consume_less") == "gpu":
            return slots
        gates = "icfo" if layer.class_name == "LSTM" else "zrh"
        return tuple(
            Slot(f"{kind}_{gate}", None, (f"{kind}_{gate}",)) for gate in gates for kind in "WUb"
        )
    if layer.class_name == "BatchNormalization" and layer.saved.get("renorm"):
        extra = ("moving_stddev", "renorm_mean", "renorm_stddev")
        return (*(slots or ()), *(Slot(role, None, (role,), False) for role in extra))
    if layer.saved_class_name.startswith("CuDNN") and slots:
        return tuple(Slot(slot.role, None, slot.names) for slot in slots)
    return slots
