"""What inputs that front ends read tell of themselves: names, kinds and units beside the scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def read_by_front_ends(inputs: Any) -> dict[str, Any]:
    """Those of one or several inputs that tell of themselves, by name; nothing of plain arrays."""
    named = inputs if isinstance(inputs, Mapping) else {"": inputs}
    return {name: each for name, each in named.items() if hasattr(each, "constants")}


def told_by(inputs: Any) -> dict[str, Any]:
    """What a run keeps beside the scores of inputs that have names: arguments of `Job`.

    Parameters
    ----------
    inputs
        What a front end read, one or several by the names of a network's inputs, or arrays.

    Returns
    -------
    dict
        ``constants``, ``dimensions`` by input and ``about``; nothing of plain arrays.
    """
    told = read_by_front_ends(inputs)
    if not told:
        return {}
    return {
        "constants": _together(each.constants for each in told.values()),
        "dimensions": {name: each.dimensions for name, each in told.items()},
        "about": _together(each.about for each in told.values()),
    }


def _together(several: Any) -> dict[str, Any]:
    return {name: value for each in several for name, value in each.items()}


__all__ = ["read_by_front_ends", "told_by"]
