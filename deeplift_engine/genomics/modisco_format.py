"""The files that ``modisco motifs -s … -a …`` takes, with the regions of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from deeplift_engine.genomics import array_rows
from deeplift_engine.genomics.exported import (
    HYPOTHETICAL,
    MOST_SEQLETS,
    Choices,
    Exported,
    Exporter,
    command,
    even_width,
    finemo_notes,
    read_back,
    row_order,
    settings_of,
)
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.genomics.scratch import Scratch
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array

_HOLDS = {"one_hot": "one-hot sequences", "hypothetical": HYPOTHETICAL}
_BLOCK = 256
"""Rows that are read together from a shuffled copy."""


def files(windows: ScoredWindows) -> list[str]:
    """The names of the files behind the prefix."""
    arrays = ["ohe.npz", *(f"{label}attr.npz" for label in windows.labels.values()), "kept.npy"]
    return [*arrays, *(["regions.bed"] if windows.located is not None else [])]


def write(windows: ScoredWindows, choices: Choices) -> Exported:
    """Write sequences, hypothetical contributions, kept records and regions."""
    exported = Exported("modisco")
    sequences = choices.file("ohe.npz")
    first = next(iter(windows.heads))
    _write_array(windows, first, "one_hot", np.int8, choices, sequences)
    exported.files[sequences] = f"{_HOLDS['one_hot']}, int8 (N, 4, L)"
    for head, label in windows.labels.items():
        file = choices.file(f"{label}attr.npz")
        _write_array(windows, head, "hypothetical", np.float32, choices, file)
        exported.files[file] = f"{HYPOTHETICAL}, float32 (N, 4, L)"
    _write_beside(windows, choices, exported)
    exported.hints = hints(windows, choices, exported)
    exported.notes += finemo_notes(windows)
    return exported


def hints(windows: ScoredWindows, choices: Choices, exported: Exported) -> list[str]:
    """Commands that read the files, for this length of windows, and what they give back."""
    sequences, regions = choices.file("ohe.npz"), choices.file("regions.bed")
    width = even_width(windows.length)
    peaks = ["-p", regions] if regions in exported.files else []
    rows: list[object] = [windows.run.store.path]
    if choices.shuffle is not None:
        rows = ["--regions", regions, "--sequences", sequences]
    commands = []
    for label in windows.labels.values():
        pair = ["-s", sequences, "-a", choices.file(f"{label}attr.npz")]
        result, hits = choices.file(f"{label}motifs.h5"), choices.file(f"{label}finemo.npz")
        commands += [
            command("modisco motifs", *pair, "-n", MOST_SEQLETS, "-w", width, "-o", result),
            command("finemo extract-regions-modisco-fmt", *pair, *peaks, "-o", hits, "-w", width),
        ]
        if choices.shuffle is None or regions in exported.files:
            back = [*rows, "--motifs", result, "-o", choices.folder]
            commands.append(command("deeplift-engine export", *back))
    return commands


def _write_array(
    windows: ScoredWindows, head: str, content: str, dtype: type, choices: Choices, path: Path
) -> None:
    shape = (len(windows.samples), 4, windows.length)
    settings = settings_of(windows, head, _HOLDS[content])
    with ExitStack() as stack:
        disk = stack.enter_context(output_file(path, overwrite=choices.overwrite))
        if choices.shuffle is None:
            in_order = partial(_stored, windows, head, content)
        else:
            scratch = stack.enter_context(Scratch(choices.folder, shape[1:], dtype))
            for rows, (block,) in windows.blocks(head, [content]):
                scratch.write(np.arange(rows.start, rows.stop), block)
            in_order = partial(_shuffled, scratch, row_order(windows, choices.shuffle))
        entries = {array_rows.ENTRY: array_rows.Entry(shape, dtype, in_order())}
        array_rows.write_npz(disk, entries, settings)
        read_back(disk, ".npz", {array_rows.ENTRY: in_order()}, path)


def _stored(windows: ScoredWindows, head: str, content: str) -> Iterator[Array]:
    """Blocks of rows as the store has them."""
    for _, (block,) in windows.blocks(head, [content]):
        yield block


def _shuffled(scratch: Scratch, order: Array) -> Iterator[Array]:
    """Blocks of rows in another order, from a copy of the array."""
    for start in range(0, len(order), _BLOCK):
        yield scratch.read(order[start : start + _BLOCK])


def _write_beside(windows: ScoredWindows, choices: Choices, exported: Exported) -> None:
    kept = choices.file("kept.npy")
    with output_file(kept, overwrite=choices.overwrite) as disk:
        np.lib.format.write_array(disk, windows.kept)
    exported.files[kept] = "which records of the regions file are rows, bool"
    if choices.shuffle is not None:
        exported.notes.append(
            f"rows are in a random order (seed {choices.shuffle}), that of the regions file "
            "written; motif sites are read with it"
        )
    if windows.located is None:
        exported.notes.append("the store has no coordinates: no regions file was written")
        return
    regions = choices.file("regions.bed")
    with output_file(regions, overwrite=choices.overwrite) as disk:
        for line in windows.located[row_order(windows, choices.shuffle)].lines():
            disk.write(line.encode())
    exported.files[regions] = "the window of each row, 10 columns"


MODISCO = Exporter(
    "modisco-lite's and finemo's npz files", ("hypothetical", "inputs"), False, files, write
)

__all__ = ["MODISCO"]
