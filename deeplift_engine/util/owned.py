"""Arrays that callers cannot change: copied once where they enter, and read-only from then on."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_engine.util.typing import Array


def owned(array: Array, source: Any = None) -> Array:
    """``array``, read-only and in memory that no caller writes to.

    It is copied unless it is read-only already (a memory map of mode ``"r"``, say), or numpy made
    it anew.

    Parameters
    ----------
    array
        What came of the caller's value.
    source
        The value, or an array that came of it earlier, where that tells whether ``array`` is new:
        numpy makes arrays anew of lists and numbers, and where it converts their type.
    """
    if _read_only(array):
        return array
    anew = isinstance(source, list | tuple | float | int) or (
        isinstance(source, np.ndarray) and not np.may_share_memory(array, source)
    )
    own = array if anew else np.array(array)
    own.setflags(write=False)
    return own


def owned_values(value: Any) -> Any:
    """``value`` with every array in it `owned`, also in lists, tuples and mappings."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        return owned(value)
    if type(value) in (list, tuple):
        return type(value)(owned_values(each) for each in value)
    if isinstance(value, Mapping) and type(value) is dict:
        return {name: owned_values(each) for name, each in value.items()}
    return value


def digest(array: Array) -> str:
    """Eight digits that stand for the contents of an array, for names and settings."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:8]


def _read_only(array: Array) -> bool:
    """Whether neither the array nor what it is a view of can be written to."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return False
        base = base.base
    return base is None or isinstance(base, bytes | mmap.mmap)
