"""Gives each layer its arrays from the flat, named lists of HDF5 files and live models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.keras_layer import Slot
from deeplift_conversion.spec import Array
from deeplift_conversion.tree import Graph, Layer
from deeplift_conversion.weights.leaves import Leaf, leaves
from deeplift_conversion.weights.quantized import is_quantized
from deeplift_conversion.weights.roles import OWN

Named = Sequence[tuple[str, Array]]
Assigned = dict[str, dict[str, Array]]

_LAST = re.compile(
    r"(?:^|_)(lora_(?:kernel|embeddings)_[ab]|(?:kernel|embeddings)_(?:scale|zero)|g_idx"
    r"|(?:W|U|b|V)(?:_[a-z])?|gamma|beta|running_mean|running_std|moving_mean"
    r"|moving_variance|moving_stddev|renorm_mean|renorm_stddev|alphas?|kernel|bias|recurrent_kernel|depthwise_kernel|pointwise_kernel"
    r"|real_kernel|imag_kernel"
    r"|embeddings|reverse_embeddings|scale|mean|variance|count|vector_u|sn_u|concat_score_weight)(?:_\d+)?$"
)
_SEEDS = ("seed_generator", "seed_generator_state")


def assign_lists(graph: Graph, lists: Mapping[str, Named], source: str) -> Assigned:
    """Return each layer's arrays by the names its class has for them.

    Parameters
    ----------
    graph
        The model.
    lists
        (name, array) pairs in the file's order, by layer name; those of a nested model under
        the model's name, or under the path of each layer in it.
    source
        The file, for messages.

    Returns
    -------
    dict
        Path of a layer to role to array, as the file has them.
    """
    assigned: Assigned = {}
    used: set[str] = set()
    lists = _matched_to(graph, lists, source)
    for path, layer in _holders(graph, lists, ""):
        used.add(path)
        named = [
            (name, array)
            for name, array in lists.get(path, ())
            if not any(piece.startswith(_SEEDS) for piece in name.split("/"))
        ]
        prefix = path[: -len(layer.name)]
        assigned |= _distribute(list(leaves(layer, prefix)), named, f"{source}: layer {path!r}")
    surplus = {path: [name for name, _ in lists[path]] for path in lists.keys() - used}
    surplus = {path: names for path, names in surplus.items() if names}
    if surplus:
        path, names = next(iter(sorted(surplus.items())))
        raise ModelConfigError(
            f"{source}: weights {names} are saved for layer {path!r}, which the configuration does"
            f" not have (and for {len(surplus) - 1} more). Do architecture and weights belong"
            " together?"
        )
    return assigned


def _holders(graph: Graph, lists: Mapping[str, Named], prefix: str) -> Iterator[tuple[str, Layer]]:
    """Yield the layers whose arrays come as one list, outermost first."""
    for layer in graph.layers:
        path = prefix + layer.name
        nested = layer.graph is not None and path not in lists
        if nested and any(key.startswith(path + "/") for key in lists):
            assert layer.graph is not None
            yield from _holders(layer.graph, lists, path + "/")
        else:
            yield path, layer


def _matched_to(graph: Graph, lists: Mapping[str, Named], source: str) -> Mapping[str, Named]:
    """Rename lists by order, as Keras loads them, where no saved name is a layer's name."""
    holding = [layer.name for layer in graph.layers if next(leaves(layer), None) is not None]
    known = [layer.name for layer in graph.layers if any(leaf.slots for leaf in leaves(layer))]
    saved = [name for name, named in lists.items() if named]
    if not known or not saved or any("/" in name for name in saved):
        return lists
    if set(known) <= set(saved) <= set(holding):
        return lists
    for order in (known, holding):
        if len(order) == len(saved):
            return {layer: lists[name] for layer, name in zip(order, saved, strict=True)}
    if set(saved) & set(holding):
        return lists  # the layer in which they differ is named later
    raise ModelConfigError(
        f"{source}: weights are saved for {len(saved)} layers ({_first(saved)}), but the"
        f" architecture has {len(known)} with weights ({_first(known)})."
        " They do not belong together."
    )


def _first(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _distribute(inside: list[Leaf], named: Named, where: str) -> Assigned:
    """Share out one list among the layers inside one outermost layer."""
    if not inside:
        if named:
            raise ModelConfigError(
                f"{where}: this layer has no weights, but {[name for name, _ in named]} are saved"
                f" for it. Do architecture and weights belong together?{OWN}"
            )
        return {}
    if len(inside) == 1:
        return {inside[0].path: _one_layer(inside[0], named, where)}
    owned = _by_owner(inside, named)
    if owned is not None:
        return {
            leaf.path: _one_layer(leaf, group, f"{where}: {leaf.path!r}")
            for leaf, group in zip(inside, owned, strict=True)
        }
    natural = [(leaf, slot) for leaf in inside for slot in leaf.slots or ()]
    trained = [(leaf, slot) for leaf, slot in natural if slot.trainable and leaf.trainable]
    fixed = [(leaf, slot) for leaf, slot in natural if not (slot.trainable and leaf.trainable)]
    all_known = all(leaf.slots is not None for leaf in inside)
    if all_known:
        for order in (trained + fixed, natural):
            if len(order) == len(named) and _agree(order, named):
                result: Assigned = {leaf.path: {} for leaf in inside}
                for (leaf, slot), (_, array) in zip(order, named, strict=True):
                    result[leaf.path][slot.role] = array
                return result
    grouped = _by_prefix(inside, named)
    if grouped is not None:
        return {
            leaf.path: _one_layer(leaf, group, f"{where}: {leaf.path!r}")
            for leaf, group in zip(inside, grouped, strict=True)
        }
    expected = [f"{leaf.path}: {slot.role}" for leaf, slot in natural]
    raise ModelConfigError(
        f"{where}: {len(named)} weights are saved {_names(named)}, expected {len(natural)}:"
        f" {expected[:12]}{' ...' if len(expected) > 12 else ''}."
        " Do architecture and weights belong together?"
    )


def _agree(order: list[tuple[Leaf, Slot]], named: Named) -> bool:
    """Tell whether every name and number of axes fits its place."""
    return all(
        _fits(slot, name) is not False and (slot.shape is None or len(slot.shape) == array.ndim)
        for (_, slot), (name, array) in zip(order, named, strict=True)
    )


def _by_owner(inside: list[Leaf], named: Named) -> list[Named] | None:
    """Group weights by the names of their layers, where every name tells one layer.

    Keras lists arrays in the order of the layers, but those of frozen layers last, and a layer may
    be frozen after it was wrapped: names tell what the order does not.
    """
    groups: list[list[tuple[str, Array]]] = [[] for _ in inside]
    for name, array in named:
        pieces = name.split("/")[:-1]
        depths = [_depth(leaf.layer.name, pieces) for leaf in inside]
        deepest = max(depths)
        if deepest < 0 or depths.count(deepest) > 1:
            return None
        groups[depths.index(deepest)].append((name, array))
    complete = all(
        leaf.slots is not None
        and len(leaf.slots) == len(group)
        and all(any(_fits(slot, name) is not False for slot in leaf.slots) for name, _ in group)
        for leaf, group in zip(inside, groups, strict=True)
    )
    return list(groups) if complete else None


def _depth(name: str, pieces: list[str]) -> int:
    """Return where a layer's name, which may have slashes, ends last in the path of an array.

    -1 where it is not there.
    """
    parts = name.split("/")
    starts = range(len(pieces) - len(parts), -1, -1)
    last = next((start for start in starts if pieces[start : start + len(parts)] == parts), None)
    return -1 if last is None else last + len(parts) - 1


def _by_prefix(inside: list[Leaf], named: Named) -> list[Named] | None:
    """Group weights by the layer's name in their own, else by the path before their last name."""
    owned: list[list[tuple[str, Array]]] = [[] for _ in inside]
    for name, array in named:
        pieces = name.split("/")[:-1]
        depths = [_depth(leaf.layer.name, pieces) for leaf in inside]
        if max(depths) < 0:
            break
        owned[depths.index(max(depths))].append((name, array))
    else:
        return list(owned)
    groups: dict[str, list[tuple[str, Array]]] = {}
    for name, array in named:
        groups.setdefault(name.rpartition("/")[0], []).append((name, array))
    return list(groups.values()) if len(groups) == len(inside) else None


def _one_layer(leaf: Leaf, named: Named, where: str) -> dict[str, Array]:
    if leaf.slots is None:
        return _unknown(named)
    by_name: dict[str, Array] = {}
    for name, array in named:
        fitting = [slot.role for slot in leaf.slots if _fits(slot, name)]
        if len(fitting) == 1 and fitting[0] not in by_name:
            by_name[fitting[0]] = array
    if len(by_name) == len(leaf.slots) == len(named):
        return by_name
    if len(named) != len(leaf.slots) and is_quantized(array for _, array in named):
        return _unknown(named)  # of layers within it, whose policies no file has
    if len(named) != len(leaf.slots):
        saved = f"saved are {_names(named)}" if named else "none are saved"
        problem = "too many weights" if len(named) > len(leaf.slots) else "weights are missing"
        raise ModelConfigError(
            f"{where} ({leaf.layer.saved_class_name}): {problem}: {saved}, expected"
            f" {[slot.role for slot in leaf.slots]}."
            f" Do architecture and weights belong together?{OWN}"
        )
    for slot, (name, _) in zip(leaf.slots, named, strict=True):
        if _fits(slot, name) is False:
            raise ModelConfigError(
                f"{where} ({leaf.layer.saved_class_name}): saved are {_names(named)}, expected"
                f" {[entry.role for entry in leaf.slots]}: {name!r} is no {slot.role}."
            )
    return {slot.role: array for slot, (_, array) in zip(leaf.slots, named, strict=True)}


def _unknown(named: Named) -> dict[str, Array]:
    """Name the arrays of a custom layer by the last parts of their names, made unique."""
    lists = [_clean(name).split("/") for name, _ in named]
    roles: dict[str, Array] = {}
    for pieces, (_, array) in zip(lists, named, strict=True):
        role = pieces[-1]
        if sum(other[-1] == role for other in lists) > 1 and len(pieces) > 1:
            role = "/".join(pieces[-2:])
        base, count = role, 1
        while role in roles:
            role, count = f"{base}_{count}", count + 1
        roles[role] = array
    return roles


def _clean(name: str) -> str:
    return re.sub(r":\d+$", "", name)


def _fits(slot: Slot, name: str) -> bool | None:
    """Tell whether a weight's name is one of the slot's; None where the name says nothing."""
    pieces = _clean(name).split("/")
    match = _LAST.search(pieces[-1])
    if match is None:
        return None
    last = match.group(1)
    for known in slot.names:
        *before, role = known.split("/")
        if role != last:
            continue
        if not before or (len(pieces) > 1 and re.sub(r"_\d+$", "", pieces[-2]) == before[0]):
            return True
        if len(pieces) == 1:  # a bare "kernel" says nothing about which sublayer's
            return None
    return False


def _names(named: Sequence[tuple[str, Any]]) -> list[str]:
    names = [name for name, _ in named]
    return names if len(names) <= 12 else [*names[:12], f"... {len(names) - 12} more"]
