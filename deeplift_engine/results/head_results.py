"""Heads in results: which targets of a run are of which head, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deeplift_engine.util.typing import Array

PER_TARGET = ("tcav_scores",)
"""Settings that are lists with an entry for each target."""


def of_head(values: Any, rows: Sequence[int], stacked: bool) -> Any:
    """The targets ``rows`` (start, stop) of arrays (T, ...), by name or not; one if not stacked."""
    if isinstance(values, Mapping):
        return {name: of_head(array, rows, stacked) for name, array in values.items()}
    if values is None:
        return None
    start, stop = rows
    chosen: Array = values[start:stop]
    return chosen if stacked else chosen[0]


def settings_of_head(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A result's settings as those of a run of the head alone."""
    own = {key: settings[key][name] for key in ("target", "target_layer")}
    start, stop = settings["heads"][name]["rows"]
    own |= {key: settings[key][start:stop] for key in PER_TARGET if key in settings}
    return {key: value for key, value in settings.items() if key != "heads"} | own


def target_in_words(settings: Mapping[str, Any]) -> str:
    """What a result explains, such as ``"0 of logcounts"``; of several heads by their names."""
    if settings.get("heads"):
        each = ((name, settings_of_head(settings, name)) for name in settings["heads"])
        return "; ".join(f"{name}: {target_in_words(own)}" for name, own in each)
    units = settings.get("target")
    words = "the only unit" if units == "None" else units
    return f"{words} of {settings.get('target_layer')}"


__all__ = ["of_head", "settings_of_head", "target_in_words"]
