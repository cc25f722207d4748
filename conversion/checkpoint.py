"""Weights as Keras 3 lays them out: ``layers/<class>_<number>/.../vars/0, 1, ...``.

Folders are named after classes and counted within their container, never after layers. The
groups called ``vars`` carry the layer's name in newer files; it is only checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import h5py

from conversion.assign import Assigned
from conversion.errors import ModelConfigError
from conversion.hdf5 import array, attribute, subgroup
from conversion.slots import Slot
from conversion.spec import Array
from conversion.tree import Graph, Layer, raw_slots

Twins = dict[str, tuple[Layer, dict[str, Array]]]
_CONTAINERS = (
    "layers",
    "_layer_checkpoint_dependencies",
    "_operations",
    "_self_tracked_trackables",
)


def is_checkpoint(root: h5py.Group) -> bool:
    """Tell whether a group is laid out as a Keras 3 checkpoint."""
    return any(name in root for name in _CONTAINERS)


def assign_checkpoint(graph: Graph, root: h5py.Group, size: int, source: str) -> Assigned:
    """Return each layer's arrays by role, see `conversion.assign.assign_lists`."""
    found: Assigned = {}
    _read_graph(graph, root, "", size, source, found, {})
    return found


def directories(layers: Sequence[Layer]) -> list[str]:
    """Return the folder of each layer in a container of these layers."""
    counts: dict[str, int] = {}
    places = []
    for layer in layers:
        name = snake_case(layer.saved_class_name.rpartition(">")[2])
        count = counts.get(name, -1) + 1
        counts[name] = count
        places.append(f"{name}_{count}" if count else name)
    return places


def snake_case(name: str) -> str:
    """Return a class's name as its folder: ``Conv1DTranspose`` is ``conv1d_transpose``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _read_graph(
    graph: Graph,
    group: h5py.Group,
    prefix: str,
    size: int,
    source: str,
    found: Assigned,
    twins: Twins,
) -> None:
    layers = [layer for layer in graph.layers if not layer.class_name.startswith("ops.")]
    containers = [subgroup(group, name) for name in _CONTAINERS]
    places = directories(layers)
    for layer, place in zip(layers, places, strict=True):
        home = next(
            (item for box in containers if box is not None and (item := subgroup(box, place))),
            None,
        )
        if home is None:
            home = _by_name(containers, layer.name)
        _read_layer(
            layer, home, prefix, size, f"{source}: layer {prefix + layer.name!r}", found, twins
        )


def _by_name(containers: list[h5py.Group | None], name: str) -> h5py.Group | None:
    """Find a folder by the layer's name that newer files note in ``vars``."""
    for box in containers:
        for place in box or ():
            home = subgroup(box, place)
            own = subgroup(home, "vars") if home is not None else None
            if own is not None and attribute(own, "name") == name:
                return home
    return None


def _read_layer(
    layer: Layer,
    home: h5py.Group | None,
    prefix: str,
    size: int,
    where: str,
    found: Assigned,
    twins: Twins,
) -> None:
    path = prefix + layer.name
    if layer.graph is not None:
        if home is not None:
            _read_graph(layer.graph, home, path + "/", size, where, found, twins)
        return
    slots = raw_slots(layer)
    if slots is None:
        found[path] = _everything(home, size) if home is not None else {}
    elif slots:
        shared = twins.get(layer.name)
        if shared is not None and shared[0].config == layer.config and _is_bare(home):
            found[path] = dict(shared[1])  # two models share it: it is saved with the first alone
        else:
            found[path] = _by_slots(layer, slots, home, size, where)
            twins[layer.name] = (layer, found[path])
    for place, part in layer.parts:
        inner = subgroup(home, place) if home is not None else None
        _read_layer(part, inner, path + "/", size, f"{where}, its {place}", found, twins)


def _is_bare(home: h5py.Group | None) -> bool:
    """Tell whether a folder holds no arrays at all."""
    return home is None or not home.visititems(
        lambda _, item: True if isinstance(item, h5py.Dataset) else None
    )


def _by_slots(
    layer: Layer, slots: tuple[Slot, ...], home: h5py.Group | None, size: int, where: str
) -> dict[str, Array]:
    result: dict[str, Array] = {}
    for part in dict.fromkeys(slot.part for slot in slots):
        wanted = [slot for slot in slots if slot.part == part]
        arrays = _variables(home, part, size)
        if part == "cell" and not arrays:  # a cell's own folder is missing in some versions
            arrays = _variables(home, "", size)
        if layer.class_name == "SpectralNormalization":
            arrays = arrays[-1:]  # before it stands the wrapped layer's kernel once more
        if len(arrays) != len(wanted):
            met = [values.shape for values in arrays] or "none"
            problem = "too many weights" if len(arrays) > len(wanted) else "weights are missing"
            raise ModelConfigError(
                f"{where}: {problem}: {len(arrays)} arrays are saved in {part or 'vars'} ({met}),"
                f" expected {[slot.role for slot in wanted]}."
                " Do architecture and weights belong together?"
            )
        result |= {slot.role: values for slot, values in zip(wanted, arrays, strict=True)}
    return result


def _variables(home: h5py.Group | None, part: str, size: int) -> list[Array]:
    if home is None:
        return []
    for place in (part, f"_{part}") if part else ("",):
        inner = subgroup(home, place) if place else home
        own = subgroup(inner, "vars") if inner is not None else None
        if own is not None:
            numbers = sorted((key for key in own if key.isdigit()), key=int)
            items = [own.get(key) for key in numbers]
            return [array(item, size) for item in items if isinstance(item, h5py.Dataset)]
    return []


def _everything(home: h5py.Group, size: int, prefix: str = "") -> dict[str, Array]:
    """Return all arrays of a custom layer, by their paths inside its folder."""
    result: dict[str, Array] = {}
    for key in home:
        inner = subgroup(home, key)
        if inner is None or key.startswith("seed_generator"):
            continue
        if key == "vars":
            for number, values in enumerate(_variables(home, "", size)):
                result[f"{prefix}{number}"] = values
        else:
            result |= _everything(inner, size, f"{prefix}{key}/")
    return result
