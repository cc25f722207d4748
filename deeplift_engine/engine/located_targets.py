"""Targets in words: the layer that a text names, and the units of it."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from deeplift_engine.engine.profile_target import Counts, Profile
from deeplift_engine.engine.targets import UNITS, difference, mean_normalised
from deeplift_engine.errors import TargetError
from deeplift_engine.graph.known_heads import KnownHeads
from deeplift_engine.util.options import shown

logger = logging.getLogger(__name__)

HEADS: Mapping[str, Any] = MappingProxyType(
    {"counts": Counts(), "profile": Profile(), "profile:pair": Profile("pair")}
)
"""Words for units that are also heads of a model of profiles."""


def units_in(text: str) -> Any:
    """The units that a text stands for, None where it is none of `UNITS`."""
    if text == "all":
        return text
    if text in HEADS:
        return HEADS[text]
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"(-?\d+|:)(,(-?\d+|:))+", text):
        return tuple(slice(None) if index == ":" else int(index) for index in text.split(","))
    if match := re.fullmatch(r"(\d+)-(\d+)", text):
        return difference(*map(int, match.groups()))
    if match := re.fullmatch(r"mean:(\d+)", text):
        return mean_normalised(int(match[1]))
    return None


def located(target: Any, node_of: Callable[[str], str]) -> tuple[str | None, Any]:
    """The layer that a target names, and its units; each is None where the target says nothing.

    Parameters
    ----------
    target
        What `deeplift_engine.targets.resolve` takes; or a text, or a list with texts, of the form
        ``LAYER``, ``UNITS`` or ``LAYER:UNITS``, as ``"logcounts"``, ``"3-5"``, ``"logcounts:0"``.
    node_of
        Returns the node of a layer's name, or raises `TargetError`.

    Raises
    ------
    TargetError
        If a text has none of these forms, or can be read in two ways; for units of two layers.
    """
    if isinstance(target, list):
        pairs = [located(one, node_of) for one in target]
        layers = {node_of(layer): layer for layer, _ in pairs if layer is not None}
        if len(layers) > 1:
            raise TargetError(_as_heads(target, [layer for layer, _ in pairs], node_of))
        return next(iter(layers.values()), None), [units for _, units in pairs]
    if not isinstance(target, str):
        return None, target
    if target in HEADS:
        return _word(target, node_of)
    readings = list(_readings(target, node_of))
    if len(readings) > 1:
        raise TargetError(
            f"target={target!r} could be units or the layer of that name: say 'layer:{target}' "
            f"for the layer, and 'logits:{target}' for units of the logits."
        )
    if readings:
        return readings[0]
    layer = next((layer for layer, units in _splits(target) if units is not None), target)
    try:
        node_of(layer)
    except TargetError as error:
        if layer in ("logits", "output"):
            raise
        raise TargetError(
            f"target={target!r}: {error} Units are {UNITS}; of another layer, LAYER:UNITS."
        ) from None
    raise TargetError(f"target={target!r} is none of {UNITS}.")


def _as_heads(
    targets: Sequence[Any], layers: Sequence[str | None], node_of: Callable[[str], str]
) -> str:
    """How units of several layers are said: as heads, each with all the units of its layer."""
    heads: dict[str, list[str]] = {}
    for target, layer in zip(targets, layers, strict=True):
        if layer is not None:
            heads.setdefault(node_of(layer), []).append(target)
    named = {node: units if len(units) > 1 else units[0] for node, units in heads.items()}
    options = " ".join(
        shlex.join(["--target", f"{node}={target}"])
        for node, units in heads.items()
        for target in units
    )
    bare = [target for target, layer in zip(targets, layers, strict=True) if layer is None]
    told = f" Of {', '.join(map(shown, bare))} say the layer too, LAYER:UNITS." if bare else ""
    return (
        f"target={list(targets)!r} names units of several layers, {' and '.join(heads)}: name each "
        f"as a head, network.explainer(target={named}); on the command line {options}.{told}"
    )


def layer_and_units(
    target: Any,
    layer: Any,
    node_of: Callable[[str], str],
    known_heads: KnownHeads | None = None,
) -> tuple[Any, Any]:
    """The layer and the units of a target; ``layer``, by default the logits, where it names none.

    Heads name their layers themselves: a mapping of them stands in place of the layer. So it does
    where nothing is named, and the heads of the model are known.

    Raises
    ------
    TargetError
        For a layer that does not exist, or another one than ``layer``.
    """
    unnamed = target is None or (isinstance(target, str) and target == "logits")
    if known_heads is not None and unnamed and layer == "logits":
        logger.info("%s", known_heads)
        return known_heads.targets, None
    if isinstance(target, Mapping):
        if layer != "logits":
            raise TargetError(
                f"target= has the layers of several heads and target_layer= names {layer!r}: "
                "leave target_layer out."
            )
        return target, None
    if known_heads is not None and isinstance(target, str):
        target = known_heads.targets.get(target, target)
    named, units = located(target, node_of)
    if named is None and layer == "logits":
        named = _layer_of(units, node_of, known_heads)
    if named is None or layer == "logits":
        return named or layer, units
    if node_of(named) != node_of(layer):
        raise TargetError(
            f"target={target!r} names the layer {named!r} and target_layer= names {layer!r}: "
            "leave one of them out."
        )
    return layer, units


def _word(text: str, node_of: Callable[[str], str]) -> tuple[str | None, Any]:
    """A word of `HEADS`: the layer that is called so, units of it, or units alone."""
    name, colon, _ = text.partition(":")
    with suppress(TargetError):
        node_of(name)
        return name, HEADS[text] if colon else None
    return None, HEADS[text]


def _layer_of(
    units: Any, node_of: Callable[[str], str], known_heads: KnownHeads | None
) -> str | None:
    """The layer of a profile or of counts: of a known head, or one that is called so."""
    if not isinstance(units, Profile | Counts):
        return None
    name = "profile" if isinstance(units, Profile) else "counts"
    if known_heads is not None and name in known_heads.outputs:
        return known_heads.outputs[name]
    with suppress(TargetError):
        node_of(name)
        return name
    return None


def _readings(text: str, node_of: Callable[[str], str]) -> Iterator[tuple[str | None, Any]]:
    """All that a text can mean."""
    if (units := units_in(text)) is not None:
        yield None, units
    for layer, units in ((text, None), *(pair for pair in _splits(text) if pair[1] is not None)):
        with suppress(TargetError):
            node_of(layer)
            yield layer, units


def _splits(text: str) -> Iterator[tuple[str, Any]]:
    """The text before each colon, and the units behind it."""
    for match in re.finditer(":", text):
        yield text[: match.start()], units_in(text[match.end() :])


__all__ = ["HEADS", "layer_and_units", "located", "units_in"]
