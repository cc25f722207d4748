"""A model's configuration as a tree: layers, wrapped layers, and the calls that connect them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
    """One saved layer, in Keras 3's terms.

    Attributes
    ----------
    sublayers
        Wrapped layers, each with the attribute that holds it in a ``.keras`` file.
    graph
        The layers inside, where the layer is a model.
    trainable
        The layer's own option ``trainable``.
    era
        Age of the configuration, see `deeplift_conversion.eras.generations`.
    saved
        The options as saved.
    foreign
        Why the class is not Keras's though it has a name of Keras's; ``""`` where it is.
    """

    name: str
    class_name: str
    saved_class_name: str
    config: Mapping[str, Any]
    sublayers: tuple[tuple[str, Layer], ...] = ()
    graph: Graph | None = None
    trainable: bool = True
    era: int = 3
    saved: Mapping[str, Any] = field(default_factory=dict)
    foreign: str = ""
