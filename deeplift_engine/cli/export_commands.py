"""The command that writes a run to other files, and checks such files: `export`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import console
from deeplift_engine.cli.kinds import EXPORTS, kind_of_run
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError

if TYPE_CHECKING:
    from deeplift_engine.genomics.exported import Exported

CHECK_FAILED = 1
VARIANTS = "variants"
"""The format of a store of variants."""
_FOLDER = ("to", "motifs")
"""Options that make the output a folder."""
_OF_A_FOLDER = {
    "prefix": "--prefix",
    "overlaps": "--overlaps",
    "sizes": "--sizes",
    "shuffle_rows": "--shuffle-rows",
    "regions": "--regions",
    "sequences": "--sequences",
    "names": "--names",
}


def export(options: argparse.Namespace) -> int:
    """Write a complete run to files of another format, or check files of one."""
    if options.check:
        return _check(options)
    if options.genome is not None:
        raise InputError("--genome goes with --check; the sizes of a bigWig file are --sizes FILE")
    own = _of_its_kind(options)
    into_folder = any(getattr(options, name) for name in _FOLDER)
    if options.output is None:
        raise InputError(
            "say where to write: -o " + ("FOLDER" if into_folder else "FILE, or --to FORMAT")
        )
    if not into_folder:
        return _to_file(options, own)
    if options.arrays:
        raise InputError("--arrays is for one file; a format of --to has its own arrays")
    written = [*_variants(options), *_to_formats(options), *_motifs(options)]
    if options.json:
        print_json({"written": [_as_json(each) for each in written]})
        return 0
    for each in written:
        print_lines({"format": each.format})
        for path, about in each.files.items():
            console.say(f"written: {path}: {about}")
        for command in each.hints:
            console.say(f"next: {command}")
    for note in dict.fromkeys(note for each in written for note in each.notes):
        console.complain("note", note)
    return 0


def _of_its_kind(options: argparse.Namespace) -> Callable[[], object] | None:
    """What writes scores with the names of features, words …, to ``--output``, or None.

    A format of a kind in ``--to``, as csv, is taken off it: the suffix of the output says it.

    Raises
    ------
    InputError
        If the output has another suffix, or there are formats of other programs beside it.
    """
    from deeplift_engine.jobs.scored_run import open_scored

    suffix = "" if options.output is None else options.output.suffix.lower()
    named = [name for name in options.to if f".{name}" in EXPORTS]
    if options.store is None or not (named or (suffix in EXPORTS and not options.arrays)):
        return None
    run = open_scored(options.store)
    kind = kind_of_run(options, run)
    if kind is None or kind.export is None:
        return None
    if named and (len(options.to) > 1 or suffix != f".{named[0]}"):
        raise InputError(f"--to {named[0]} writes one file, by itself: -o FILE.{named[0]}")
    options.to = [] if named else options.to
    fits = suffix in kind.exports and not options.arrays
    return partial(kind.export, options, run) if fits else None


def _to_file(options: argparse.Namespace, own: Callable[[], object] | None) -> int:
    from deeplift_engine.jobs.export import export as export_store

    for name, flag in _OF_A_FOLDER.items():
        if getattr(options, name) is not None:
            raise InputError(f"{flag} goes with --to or --motifs")
    if options.store is None:
        raise InputError("name the store that is to be exported")
    if own is not None:
        own()
    else:
        export_store(
            options.store,
            options.output,
            arrays=options.arrays or None,
            overwrite=options.overwrite,
        )
    if options.json:
        print_json({"written": str(options.output)})
    else:
        print_lines({"written": str(options.output)})
    return 0


def _variants(options: argparse.Namespace) -> list[Exported]:
    if VARIANTS not in options.to:
        return []
    from deeplift_engine.genomics.exported import Exported
    from deeplift_engine.genomics.variants.variant_export import export_variants

    if options.store is None:
        raise InputError("name the store that is to be exported")
    options.output.mkdir(parents=True, exist_ok=True)
    prefix = options.output / (options.prefix or options.store.stem)
    run = export_variants(options.store, prefix, overwrite=options.overwrite, progress=False)
    about = f"{run.survey.scored} variants, {', '.join(run.columns)}"
    return [Exported(VARIANTS, {Path(file): about for file in run.files})]


def _to_formats(options: argparse.Namespace) -> list[Exported]:
    formats = [name for name in options.to if name != VARIANTS]
    if not formats:
        return []
    from deeplift_engine.genomics.exporters import export as export_windows

    if options.store is None:
        raise InputError("name the store that is to be exported")
    return export_windows(
        options.store,
        options.output,
        formats,
        prefix=options.prefix,
        overlaps=options.overlaps or "nearest",
        sizes=options.sizes,
        shuffle=options.shuffle_rows,
        overwrite=options.overwrite,
    )


def _motifs(options: argparse.Namespace) -> list[Exported]:
    if not options.motifs:
        return []
    from deeplift_engine.genomics.motifs import export_motifs

    return [
        export_motifs(
            options.motifs,
            options.output,
            store=options.store,
            regions=options.regions,
            sequences=options.sequences,
            names=options.names,
            prefix=options.prefix if not options.to else None,
            overwrite=options.overwrite,
        )
    ]


def _check(options: argparse.Namespace) -> int:
    """Check files that may be others'; 1 where one verdict is not right."""
    from deeplift_engine.genomics.checked_files import check
    from deeplift_engine.genomics.verdicts import RIGHT, worst

    verdicts = check(options.check, options.genome)
    level = worst(verdicts)
    if options.json:
        print_json({"verdict": level, "checks": [vars(verdict) for verdict in verdicts]})
    else:
        for verdict in verdicts:
            console.say(str(verdict))
        print_lines({"verdict": level})
    return 0 if level == RIGHT else CHECK_FAILED


def _as_json(exported: Exported) -> dict[str, Any]:
    return {
        "format": exported.format,
        "files": {str(path): about for path, about in exported.files.items()},
        "notes": exported.notes,
        "next": exported.hints,
    }


__all__ = ["export"]
