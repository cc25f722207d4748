"""The order of axes that Keras 1 does not save of UpSampling, ZeroPadding and Cropping.

The layers around them tell: what reads or feeds them through layers that keep axes where they are.
Where nobody tells, the caller must.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.keras_layer import UNSAID
from deeplift_conversion.layers.table import LAYERS
from deeplift_conversion.spec import LayerSpec, ModelSpec

logger = logging.getLogger("deeplift_engine")

ORDERS = ("channels_first", "channels_last")
_GUESS = (
    "layer %r: neither the file nor a layer around says its order of axes; %s is taken, by which"
    " the input has fewer channels than rows and columns. If it is the other, say so: data_format"
    "=..., and data_format=%r silences this."
)
_MIXING = {"Lambda", *(layer.name for layer in LAYERS.values() if layer.mixes_axes)}


def with_axis_orders(spec: ModelSpec, data_format: str | None) -> ModelSpec:
    """Return a model whose layers all have an order of axes.

    Parameters
    ----------
    spec
        The model.
    data_format
        The order of those layers that nothing tells; None if the caller does not know.

    Raises
    ------
    ModelConfigError
        For an order that is none, and where it must be known and nothing tells it.
    """
    if data_format is not None and data_format not in ORDERS:
        raise ModelConfigError(f"data_format={data_format!r} is none of {', '.join(ORDERS)}.")
    unsaid = [name for name, layer in spec.layers.items() if _order(layer) == UNSAID]
    if not unsaid:
        return spec
    neighbours = _neighbours(spec)
    layers, unknown = dict(spec.layers), []
    for name in unsaid:
        order = _nearest(name, spec.layers, neighbours) or data_format
        if order is None:
            order = _by_shape(name, spec.layers, neighbours)
            if order is not None:
                logger.warning(_GUESS, name, order, order)
        if order is None:
            unknown.append(name)
        else:
            layers[name] = _with_order(layers[name], order)
    if unknown:
        raise ModelConfigError(
            f"layer{'s' if len(unknown) > 1 else ''} {', '.join(map(repr, unknown))}: Keras 1 saves"
            " no dim_ordering for UpSampling, ZeroPadding and Cropping, and no layer around tells"
            ' it. Was the model built with dim_ordering "th" (channels first) or "tf" (channels'
            ' last)? Say so: data_format="channels_first" or data_format="channels_last".'
        )
    return replace(spec, layers=layers)


def _order(layer: LayerSpec) -> str | None:
    if layer.class_name == "TimeDistributed":
        return _order(layer.children[0])
    order = layer.config.get("data_format")
    # Flatten has the option since Keras 2, and an order of its own here.
    return str(order) if order and layer.class_name not in _MIXING else None


def _with_order(layer: LayerSpec, order: str) -> LayerSpec:
    if layer.class_name == "TimeDistributed":
        return replace(layer, children=(_with_order(layer.children[0], order),))
    return replace(layer, config={**layer.config, "data_format": order})


def _neighbours(spec: ModelSpec) -> Mapping[str, list[str]]:
    """Layers by the layers that feed or read them."""
    layer_of = {node.name: node.layer for node in spec.nodes}
    neighbours: dict[str, list[str]] = {name: [] for name in spec.layers}
    for node in spec.nodes:
        for source in node.inputs:
            neighbours[node.layer].append(layer_of[source.node])
            neighbours[layer_of[source.node]].append(node.layer)
    return neighbours


def _nearest(
    name: str, layers: Mapping[str, LayerSpec], neighbours: Mapping[str, list[str]]
) -> str | None:
    """The order that the nearest layers tell, if they agree."""
    for ring in _rings(name, layers, neighbours):
        orders = {_order(layers[other]) for other in ring} & set(ORDERS)
        if len(orders) == 1:
            return orders.pop()
        if orders:
            return None
    return None


def _by_shape(
    name: str, layers: Mapping[str, LayerSpec], neighbours: Mapping[str, list[str]]
) -> str | None:
    """The order by which the model's input has fewer channels than rows and columns."""
    inputs = [
        layers[other].config["batch_shape"]
        for ring in _rings(name, layers, neighbours)
        for other in ring
        if layers[other].class_name == "InputLayer"
    ]
    orders = set()
    for shape in inputs:
        first, *middle, last = shape[1:]
        if None in shape[1:] or first == last:
            return None
        fewest = min(first, last)
        if fewest >= min(middle, default=fewest + 1):
            return None
        orders.add(ORDERS[0] if first == fewest else ORDERS[1])
    return orders.pop() if len(orders) == 1 else None


def _rings(
    name: str, layers: Mapping[str, LayerSpec], neighbours: Mapping[str, list[str]]
) -> Iterator[list[str]]:
    """Yield the layers at a distance of 1, 2 ... of a layer, not beyond those that mix axes."""
    seen, ring = {name}, [name]
    while ring:
        ring = [
            other
            for near in ring
            if near == name or layers[near].class_name not in _MIXING
            for other in dict.fromkeys(neighbours[near])
            if other not in seen
        ]
        ring = list(dict.fromkeys(ring))
        seen.update(ring)
        if ring:
            yield ring


__all__ = ["ORDERS", "with_axis_orders"]
