"""zarr, with a zstd that compresses to the same bytes beside TensorFlow and without it.

TensorFlow shows its copy of zstd to every library that is loaded behind it. numcodecs, which
compresses for zarr, then calls that in place of its own, which is of another version: what it
writes has other bytes of the same values.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deeplift_engine.util.optional import optional


def zarr_module(name: str = "zarr") -> Any:
    """A module of zarr, for which numcodecs calls its own zstd.

    A program that loads numcodecs before, and behind TensorFlow, has TensorFlow's.

    Raises
    ------
    DeepliftEngineError
        If zarr is not installed.
    """
    with _own_functions_first():
        optional("numcodecs", "zarr 3", "jobs")
    return optional(name, "zarr 3", "jobs")


@contextmanager
def _own_functions_first() -> Iterator[None]:
    """Libraries loaded in the block find their own functions before others' of the same names.

    What is shared so by Linux is not by other systems, which have no such flag.
    """
    if not hasattr(os, "RTLD_DEEPBIND"):
        yield
        return
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | os.RTLD_DEEPBIND)
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


__all__ = ["zarr_module"]
