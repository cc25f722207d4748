"""The table of kinds of inputs beside arrays and sequences, and which of them a file is."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli.declarations import (
    JSON,
    OVERWRITE,
    VERBOSE,
    Group,
    Option,
    choice,
    option,
    several,
)
from deeplift_engine.cli.image_kind import IMAGE
from deeplift_engine.cli.input_kind import Kind
from deeplift_engine.cli.sequence_inputs import FASTA, is_fasta
from deeplift_engine.cli.sequence_kind import SEQUENCE
from deeplift_engine.cli.table_kind import SIGNAL, TABLE
from deeplift_engine.cli.text_kind import TEXT
from deeplift_engine.errors import InputError
from deeplift_engine.util.array_files import SUFFIXES as ARRAYS
from deeplift_engine.util.folders import visible_files

if TYPE_CHECKING:
    from deeplift_engine.jobs.scored_run import ScoredRun

_ROWS: tuple[Kind, ...] = (SEQUENCE, IMAGE, SIGNAL, TABLE, TEXT)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ROWS}
"""The kinds by name."""

EXPORTS = frozenset(suffix for kind in _ROWS for suffix in kind.exports)
"""Suffixes of files of scores that some kind writes."""

KIND = choice("--kind", "what INPUTS are, where their suffix does not tell", *KINDS)
READING = (Group("what INPUTS are", (KIND,)), *(kind.options for kind in _ROWS if kind.read))
"""Options of the commands that read inputs."""
DRAWING: tuple[Option | Group, ...] = (
    Option(
        ["scores"],
        {
            "type": Path,
            "metavar": "SCORES",
            "nargs": "+",
            "help": "what `score` wrote: a store, RUN.zarr, or a .h5 or .npz file; of sequences "
            "several, as of methods or folds, are drawn one under another on one scale",
        },
    ),
    option(
        "-o --output FILE",
        Path,
        "a figure (.png, .pdf, .svg); of texts a page too (.html), and without it the terminal",
    ),
    OVERWRITE,
    KIND,
    several("--sample NAME", str, "a sample, or its number from 0; may be repeated"),
    several("--head NAME", str, "of several heads; of sequences it may be repeated (default: all)"),
    option("--input NAME", str, "of several inputs"),
    option("--target-number N", int, "of several targets, from 0 (default: 0)", default=0),
    *(kind.drawing for kind in _ROWS),
    JSON,
    VERBOSE,
)
"""Options of ``draw``."""


def kind_of(options: argparse.Namespace, has_text: bool) -> Kind | None:
    """The kind of the inputs, by ``--kind`` or by their suffix; None of arrays and sequences.

    The column of a table is one of texts where the model reads them, ``has_text``, or options of
    texts are given; else one of sequences.

    Raises
    ------
    InputError
        If options of another kind are given, or nothing tells what a file or a folder holds.
    """
    path = Path(options.inputs)
    name = getattr(options, "kind", None) or _by_suffix(path, options, has_text)
    own = _own(name) if name else ()
    for kind in KINDS.values():
        for each in kind.options.options:
            if each not in own and (flag := _given(each, options)):
                if not path.exists():
                    raise InputError(f"{path}: no such file or folder")
                raise InputError(
                    f"{flag} is for inputs of the kind {kind.name}, and {path} holds "
                    f"{name or 'arrays or sequences'}: say --kind {kind.name}, or leave it out"
                )
    return KINDS[name] if name and KINDS[name].read else None


def _by_suffix(path: Path, options: argparse.Namespace, has_text: bool) -> str | None:
    """The kind of a file, or of the files in a folder and its folders.

    Of several kinds it is that with options of its own; else the first of a suffix, where all
    files of a folder are of one.
    """
    if getattr(options, "genome", None) is not None:  # a file of regions may have any suffix
        return None
    suffix = path.suffix.lower()
    is_folder = path.is_dir() and suffix != ".zarr" and not _of_suffix(suffix)
    suffixes = {each.suffix.lower() for each in visible_files(path)} if is_folder else {suffix}
    known = [names for each in sorted(suffixes) if (names := _of_suffix(each, is_folder))]
    told = (name for names in known for name in names if any(_flags(name, options)))
    if getattr(options, "column", None) is not None:
        return next(told, TEXT.name if has_text else None)
    first = {names[0] for names in known}
    name = next(told, first.pop() if len(first) == 1 else None)
    if name is None and path.exists() and not _holds_arrays_or_sequences(path):
        raise InputError(_unknown(path, first))
    return name


def _holds_arrays_or_sequences(path: Path) -> bool:
    """Whether a file is none of a kind, by its name."""
    from deeplift_engine.genomics.region_files import is_region_file
    from deeplift_engine.genomics.table_column import is_table

    tests = (is_fasta, is_region_file, is_table)
    return path.suffix.lower() in ARRAYS or any(test(path) for test in tests)


def _unknown(path: Path, found: Collection[str]) -> str:
    """Why nothing tells what a file or a folder holds, and what is read."""
    if found:
        names = " or ".join(sorted(found))
        return f"{path} holds files of several kinds: say which, --kind {names}"
    if path.is_dir():
        return f"{path} holds no files that are read in folders: {_listed({}, in_folder=True)}"
    known = _listed({"sequence": FASTA, "arrays": ARRAYS})
    return f"{path} is no file that is read: {known}; regions of any suffix with --genome"


def _listed(more: Mapping[str, Sequence[str]], in_folder: bool = False) -> str:
    """The kinds with their suffixes, behind more of such."""
    own = {kind.name: kind.in_folder if in_folder else kind.suffixes for kind in _ROWS}
    rows = [f"{name}: {' '.join(each)}" for name, each in {**own, **more}.items() if each]
    return "; ".join(rows)


def _flags(name: str, options: argparse.Namespace) -> Iterator[str]:
    """The flags of a kind's own options that are given."""
    return filter(None, (_given(each, options) for each in _own(name)))


def _of_suffix(suffix: str, in_folder: bool = False) -> list[str]:
    """The names of the kinds that a suffix may be of, of a file by itself or in a folder."""
    return [
        kind.name
        for kind in KINDS.values()
        if suffix in (kind.in_folder if in_folder else kind.suffixes)
    ]


def _own(name: str) -> Sequence[Option]:
    return KINDS[name].options.options


def _given(option: Any, options: argparse.Namespace) -> str:
    """The flag of an option that has another value than its default; else nothing."""
    flag = str(option.flags[-1])
    name = option.settings.get("dest", flag.lstrip("-").replace("-", "_"))
    default = option.settings.get("default")
    return flag if getattr(options, name, default) not in (default, False) else ""


def kind_of_run(options: argparse.Namespace, run: ScoredRun) -> Kind | None:
    """The kind of a run's inputs, by ``--kind`` or as the run says; None where neither does."""
    return KINDS.get(options.kind or run.kind or "")


__all__ = ["DRAWING", "EXPORTS", "KIND", "KINDS", "READING", "kind_of", "kind_of_run"]
