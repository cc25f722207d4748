"""What the exporters share: what a user chooses, what comes of it, and which array a file holds."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.genomics import array_rows
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.util.output_file import OutputFile
from deeplift_engine.util.typing import Array

HYPOTHETICAL = "hypothetical contributions, means over references, not projected"
PROJECTED = "projected contributions: hypothetical x one-hot, 0 where no letter is known"

MOST_SEQLETS = 100_000
"""What commands name as ``-n`` of modisco."""


@dataclass(frozen=True)
class Choices:
    """What a user chooses for exports.

    Attributes
    ----------
    folder, prefix
        Files are ``folder/PREFIX.…``.
    overlaps
        A rule of `OVERLAPS`.
    sizes
        A table of chromosome sizes, or a FASTA file; the run's genome by default.
    shuffle
        A seed for rows in random order; None keeps the order of the regions.
    overwrite
        Whether existing files may be replaced.
    """

    folder: Path
    prefix: str
    overlaps: str = "nearest"
    sizes: str | None = None
    shuffle: int | None = None
    overwrite: bool = False

    def file(self, name: str) -> Path:
        """The path of a file by what stands behind the prefix."""
        return self.folder / f"{self.prefix}.{name}"


@dataclass
class Exported:
    """What an exporter wrote.

    Attributes
    ----------
    format
        Its name.
    files
        What each file holds.
    notes
        What a user should know, a sentence each.
    hints
        Commands of other tools that read the files.
    """

    format: str
    files: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Exporter:
    """A format of exports.

    Attributes
    ----------
    summary
        What it is.
    needs
        The arrays that it reads.
    located
        Whether rows must have places in a genome.
    files
        The names of its files behind the prefix.
    write
        Writes them.
    ready
        Raises an error where something beside the store is missing, before any format is written.
    """

    summary: str
    needs: tuple[str, ...]
    located: bool
    files: Callable[[ScoredWindows], list[str]]
    write: Callable[[ScoredWindows, Choices], Exported]
    ready: Callable[[ScoredWindows, Choices], object] | None = None


def settings_of(windows: ScoredWindows, head: str, holds: str) -> dict[str, Any]:
    """The settings of a run beside what a file holds of it."""
    return {**windows.run.settings, "head": head, "holds": holds}


def command(program: str, *arguments: object) -> str:
    """A command line, its arguments quoted for a shell."""
    return f"{program} {shlex.join(map(str, arguments))}"


def even_width(length: int) -> int:
    """The largest ``-w`` of modisco that a window has: an odd one fails."""
    return length - length % 2


def finemo_notes(windows: ScoredWindows) -> list[str]:
    """That finemo, which passes over strands, puts hits of windows on "-" elsewhere."""
    turned = 0 if windows.located is None else int((windows.located.strand == "-").sum())
    if not turned:
        return []
    return [
        f"{turned} windows lie on -, and their rows are reverse complements: finemo takes them for "
        "forward and gives their hits other places; `draw --motifs hits.tsv` puts them right, and "
        "`score --ignore-strand` has all windows forward"
    ]


def read_back(
    disk: OutputFile, suffix: str, expected: Mapping[str, Iterable[Array]], path: Path
) -> None:
    """Compare the arrays of a file that has no name yet with what they should be.

    Raises
    ------
    OutputError
        For an error of the disk, and the first array that differs.
    """
    if disk.failure is not None:
        raise disk.failure
    arrays = array_rows.open_rows(os.fspath(disk.name), suffix)
    for name, blocks in expected.items():
        if array_rows.differs(arrays[name], blocks):
            raise OutputError(
                f"{path} was not written: read back, {name} differs from the store. Check the disk"
            )


def row_order(windows: ScoredWindows, seed: int | None) -> Array:
    """Rows in the order of a file: as they are, or shuffled by a seed."""
    rows = np.arange(len(windows.samples))
    return rows if seed is None else np.random.default_rng(seed).permutation(rows)


__all__ = [
    "HYPOTHETICAL",
    "MOST_SEQLETS",
    "PROJECTED",
    "Choices",
    "Exported",
    "Exporter",
    "command",
    "even_width",
    "finemo_notes",
    "read_back",
    "row_order",
    "settings_of",
]
