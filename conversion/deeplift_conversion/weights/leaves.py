"""The layers of a configuration that have arrays of their own, in the order of their arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from deeplift_conversion.layers.keras_layer import Slot
from deeplift_conversion.layers.table import LAYERS, family
from deeplift_conversion.tree import Layer
from deeplift_conversion.weights.quantized import stored_slots
from deeplift_conversion.weights.roles import slots_of


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
    for _, sublayer in layer.sublayers:
        yield from leaves(sublayer, path + "/", trainable)


def raw_slots(layer: Layer, merged: bool = False) -> tuple[Slot, ...] | None:
    """Return the arrays of a layer as its file holds them (Keras 1: one for each gate).

    ``merged`` says that the file has no arrays of LoRA, but their product in the kernel.
    """
    slots = slots_of(layer.class_name, layer.config)
    if layer.era >= 3 and slots:
        return stored_slots(layer, slots, merged)
    if layer.era < 2 and slots and family(layer.class_name) == "convolution":
        return tuple(replace(slot, shape=None) for slot in slots)  # kernels of more or less axes
    gates = LAYERS[layer.class_name].gates if layer.class_name in LAYERS else ""
    if layer.era < 2 and gates:
        if layer.saved.get("consume_less") == "gpu" and family(layer.class_name) == "recurrent":
            return slots
        gates = "icfo" if gates == "ifco" else gates
        return tuple(
            Slot(f"{kind}_{gate}", None, (f"{kind}_{gate}",)) for gate in gates for kind in "WUb"
        )
    if slots and layer.saved.get("renorm"):
        extra = ("moving_stddev", "renorm_mean", "renorm_stddev")
        return (*slots, *(Slot(role, None, (role,), False) for role in extra))
    if layer.saved_class_name.startswith("CuDNN") and slots:
        return tuple(Slot(slot.role, None, slot.names) for slot in slots)
    return slots
