"""Weights as Keras 3 lays them out: ``layers/<class>_<number>/.../vars/0, 1, ...``.

Folders are named after classes and counted within their container, never after layers. The
groups called ``vars`` carry the layer's name in newer files; it is only checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import h5py

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.files.hdf5 import array, attribute, child, subgroup
from deeplift_conversion.files.untrusted import Budget
from deeplift_conversion.layers.keras_layer import Slot
from deeplift_conversion.spec import Array
from deeplift_conversion.tree import Graph, Layer
from deeplift_conversion.weights.assign import Assigned
from deeplift_conversion.weights.leaves import raw_slots
from deeplift_conversion.weights.quantized import is_quantized
from deeplift_conversion.weights.roles import OWN

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
"""Folders of the layers of a model; the second is that of Keras 2."""


_GROUP = 4096
"""Bytes that a group counts as."""


def is_checkpoint(root: h5py.Group) -> bool:
    """Tell whether a group is laid out as a Keras 3 checkpoint."""
    return any(name in root for name in CONTAINERS)


def assign_checkpoint(graph: Graph, root: h5py.Group, budget: Budget, source: str) -> Assigned:
    """Return each layer's arrays by role, see `deeplift_conversion.weights.assign.assign_lists`."""
    reading = _Reading(budget)
    reading.graph(graph, root, "", source)
    return reading.assigned


def has_folder(layer: Layer) -> bool:
    """Tell a layer from an operation, which counts for no folder."""
    return not layer.class_name.startswith("ops.")


def directories(layers: Sequence[Layer]) -> list[str]:
    """Return the folder of each layer in a container of these layers."""
    counts: dict[str, int] = {}
    folders = []
    for layer in layers:
        name = snake_case(layer.saved_class_name.rpartition(">")[2])
        count = counts.get(name, -1) + 1
        counts[name] = count
        folders.append(f"{name}_{count}" if count else name)
    return folders


def snake_case(name: str) -> str:
    """Return a class's name as its folder: ``Conv1DTranspose`` is ``conv1d_transpose``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class _Reading:
    """State of one reading: arrays by path, and layers by name for shared ones."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.assigned: Assigned = {}
        self.twins: dict[str, tuple[Layer, dict[str, Array]]] = {}

    def graph(self, graph: Graph, group: h5py.Group | None, prefix: str, source: str) -> None:
        """Read the layers of a model from its folder (None where it has none)."""
        layers = [layer for layer in graph.layers if has_folder(layer)]
        boxes = [box for name in CONTAINERS if group is not None and (box := subgroup(group, name))]
        used: set[str] = set()
        for layer, folder in zip(layers, directories(layers), strict=True):
            homes = (subgroup(box, folder) for box in boxes)
            home = next((item for item in homes if item is not None), None)
            home = _by_name(boxes, layer.name) if home is None else home
            if home is not None:
                used.add(home.name.rpartition("/")[2])
            self.layer(layer, home, prefix, f"{source}: layer {prefix + layer.name!r}")
        for box in boxes:
            for folder in box:
                if folder not in used and not _is_bare(subgroup(box, folder)):
                    raise ModelConfigError(
                        f"{source}: weights are saved in {box.name}/{folder}, for which the"
                        f" configuration has no layer (it has {sorted(used)[:8]})."
                        " Do architecture and weights belong together?"
                    )

    def layer(self, layer: Layer, home: h5py.Group | None, prefix: str, where: str) -> None:
        """Read one layer, and what it wraps, from its folder."""
        path = prefix + layer.name
        if layer.graph is not None:
            self.graph(layer.graph, home, path + "/", where)
            return
        slots = raw_slots(layer, merged=True)
        if slots is None:
            self.assigned[path] = _everything(home, self.budget) if home is not None else {}
        elif slots:
            twin = self.twins.get(layer.name)
            if twin is not None and twin[0].config == layer.config and _is_bare(home):
                self.assigned[path] = dict(twin[1])  # shared by two models, saved with the first
            else:
                self.assigned[path] = _by_slots(layer, slots, home, self.budget, where)
                self.twins[layer.name] = (layer, self.assigned[path])
        for folder, sublayer in layer.sublayers:
            inner = subgroup(home, folder) if home is not None else None
            self.layer(sublayer, inner, path + "/", f"{where}, its {folder}")


def _by_name(boxes: list[h5py.Group], name: str) -> h5py.Group | None:
    """Find a folder by the layer's name that newer files note in ``vars``."""
    for box in boxes:
        for folder in box:
            home = subgroup(box, folder)
            own = subgroup(home, "vars") if home is not None else None
            if own is not None and attribute(own, "name") == name:
                return home
    return None


def _is_bare(home: h5py.Group | None) -> bool:
    """Tell whether a folder holds no arrays at all."""
    return home is None or not home.visititems(
        lambda _, item: True if isinstance(item, h5py.Dataset) else None
    )


def _by_slots(
    layer: Layer, slots: tuple[Slot, ...], home: h5py.Group | None, budget: Budget, where: str
) -> dict[str, Array]:
    result: dict[str, Array] = {}
    for sublayer in dict.fromkeys(slot.sublayer for slot in slots):
        wanted = [slot for slot in slots if slot.sublayer == sublayer]
        arrays = _variables(home, sublayer, budget)
        if sublayer == "cell" and not arrays:  # a cell's own folder is missing in some versions
            arrays = _variables(home, "", budget)
        if layer.sublayers:
            arrays = arrays[-1:]  # before it stands the wrapped layer's kernel once more
        if home is not None and len(arrays) != len(wanted) and is_quantized(arrays):
            return _everything(home, budget)  # of layers within it, whose policies no file has
        if len(arrays) != len(wanted):
            met = [values.shape for values in arrays] or "none"
            problem = "too many weights" if len(arrays) > len(wanted) else "weights are missing"
            raise ModelConfigError(
                f"{where}: {problem}: {len(arrays)} arrays are saved in"
                f" {sublayer or 'vars'} ({met}), expected {[slot.role for slot in wanted]}."
                f" Do architecture and weights belong together?{OWN}"
            )
        result |= {slot.role: values for slot, values in zip(wanted, arrays, strict=True)}
    return result


def _variables(home: h5py.Group | None, sublayer: str, budget: Budget) -> list[Array]:
    if home is None:
        return []
    for folder in (sublayer, f"_{sublayer}") if sublayer else ("",):
        inner = subgroup(home, folder) if folder else home
        own = subgroup(inner, "vars") if inner is not None else None
        if own is not None:
            numbers = sorted((key for key in own if key.isdigit()), key=int)
            items = [child(own, key) for key in numbers]
            return [array(item, budget) for item in items if isinstance(item, h5py.Dataset)]
    return []


def _everything(home: h5py.Group, budget: Budget, prefix: str = "") -> dict[str, Array]:
    """Return all arrays of a custom layer, by their paths inside its folder."""
    result: dict[str, Array] = {}
    for key in home:
        budget.take(_GROUP, f"group {home.name}/{key}")  # which may hold itself by another name
        inner = subgroup(home, key)
        if inner is None or key.startswith("seed_generator"):
            continue
        if key == "vars":
            for number, values in enumerate(_variables(home, "", budget)):
                result[f"{prefix}{number}"] = values
        else:
            folder = CONTAINERS[0] if key in CONTAINERS else key
            result |= _everything(inner, budget, f"{prefix}{folder}/")
    return result
