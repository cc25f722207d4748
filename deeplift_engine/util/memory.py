"""How much memory this process has, and may take."""

from __future__ import annotations

import os
from pathlib import Path

from deeplift_engine.errors import InputError

WORKING_SETS = 4
"""Blocks as large as that of a forward pass that a backward pass holds at once, measured."""


def resident_bytes() -> int:
    """What the process holds now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def activations_within(memory: int) -> int:
    """Bytes that the activations of a block may take so that the process stays within ``memory``.

    Raises
    ------
    InputError
        If the process holds as much already.
    """
    resident = resident_bytes()
    if memory <= resident:
        raise InputError(
            f"memory={memory}: the process holds {resident:,} bytes before it computes anything; "
            f"give more, such as {2 * resident >> 20}M"
        )
    return (memory - resident) // WORKING_SETS
