"""Values of any type as values of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any, most: int | None = None) -> Any:
    """A value as JSON holds it: arrays as lists, other types without a form in JSON as text.

    An array of more than ``most`` elements becomes a text with its shape and type.
    """
    if isinstance(value, np.ndarray) and most is not None and value.size > most:
        return f"array {value.shape} of {value.dtype}"
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(inner, most) for key, inner in value.items()}
    if isinstance(value, list | tuple | range):
        return [plain(inner, most) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    name = getattr(value, "__qualname__", None)  # of a function or a class
    return str(value) if name is None else str(name)
