"""Values of any kind as JSON can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any, most: int | None = None) -> Any:
    """A value as JSON can hold it: arrays as lists, what has no form in JSON in words.

    An array of more than ``most`` elements is told by its shape and type.
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
