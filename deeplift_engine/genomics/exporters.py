"""Exports of a store of sequences to the files of other programs: a table, and its runner."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics.bigwig import BIGWIG
from deeplift_engine.genomics.exported import Choices, Exported, Exporter
from deeplift_engine.genomics.hdf5_formats import BPNET, CHROMBPNET
from deeplift_engine.genomics.letter_tables import TABLES
from deeplift_engine.genomics.modisco_format import MODISCO
from deeplift_engine.genomics.overlaps import OVERLAPS
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.genomics.seqlets import SEQLETS
from deeplift_engine.genomics.shap_format import SHAP
from deeplift_engine.genomics.verdicts import RIGHT, WRONG, PairTest, SumTest, Verdict
from deeplift_engine.util.durable import disk_errors
from deeplift_engine.util.output_file import check_writable
from deeplift_engine.util.suggestions import suggest

EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "modisco": MODISCO,
        "chrombpnet": CHROMBPNET,
        "bpnet": BPNET,
        "bigwig": BIGWIG,
        "seqlets": SEQLETS,
        "shap": SHAP,
        **TABLES,
    }
)


def export(
    store: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    to: Sequence[str],
    *,
    prefix: str | None = None,
    overlaps: str = "nearest",
    sizes: str | os.PathLike[str] | None = None,
    shuffle: int | None = None,
    overwrite: bool = False,
) -> list[Exported]:
    """Write a complete run on sequences as files of other programs.

    Memory holds a shard at a time. Before, the scores are tested: that they are finite and
    hypothetical, and add up to the store's scores. Every file is read back and compared with the
    store before it takes its name. Samples without scores are no rows of any file.

    Parameters
    ----------
    store
        The store.
    folder
        Where the files go; made where it is not there.
    to
        Formats: ``"modisco"``, ``"chrombpnet"``, ``"bpnet"``, ``"bigwig"``, ``"seqlets"``,
        ``"shap"``, ``"csv"``, ``"parquet"``, ``"json"``.
    prefix
        What the files' names begin with; the store's name by default.
    overlaps
        Of bigWig, what a base takes that several windows cover: ``"nearest"``, ``"mean"``,
        ``"max_abs"`` or ``"first"``.
    sizes
        Of bigWig, a table of chromosome sizes or the genome's FASTA file; by default the genome
        that the run names.
    shuffle
        Of modisco, a seed for rows in random order: ``modisco motifs -n`` takes seqlets from the
        first rows on.
    overwrite
        Whether existing files may be replaced.

    Returns
    -------
    list of Exported
        What was written, one entry a format.

    Raises
    ------
    InputError
        For an unknown format or rule, a store that lacks what a format needs (the message says
        with which ``--arrays`` to score), and windows outside of the chromosomes.
    OutputError
        For samples that are not computed yet, existing files, scores that fail a test, and any
        error of the disk.
    """
    chosen = {name: _exporter(name) for name in dict.fromkeys(to)}
    if not chosen:
        raise InputError(f"to=[] writes nothing: name some of {', '.join(EXPORTERS)}")
    if overlaps not in OVERLAPS:
        raise InputError(f"overlaps={overlaps!r}. {suggest(overlaps, OVERLAPS, _listed(OVERLAPS))}")
    windows = ScoredWindows(store)
    for name, exporter in chosen.items():
        windows.needed(exporter.needs, f"--to {name}")
        if exporter.located and windows.located is None:
            raise InputError(
                f"--to {name} needs the place of each sequence in a genome, and {store} has none: "
                "score regions with their genome (score MODEL regions.bed --genome genome.fa)"
            )
    target = Path(folder)
    choices = Choices(
        target,
        prefix or windows.run.store.path.stem,
        overlaps,
        None if sizes is None else os.fspath(sizes),
        shuffle,
        overwrite,
    )
    for exporter in chosen.values():
        if exporter.ready is not None:
            exporter.ready(windows, choices)
    with disk_errors(target, "written"):
        target.mkdir(parents=True, exist_ok=True)
    for exporter in chosen.values():
        for file in exporter.files(windows):
            check_writable(choices.file(file), overwrite=overwrite)
    notes = _tested(windows)
    if windows.failed:
        notes.append(f"{len(windows.failed)} samples have no scores and are no rows")
    written = [exporter.write(windows, choices) for exporter in chosen.values()]
    for each in written:
        each.notes[:0] = notes
    return written


def self_test(windows: ScoredWindows, head: str) -> list[Verdict]:
    """Test the scores of a head, as far as the store has what a test reads."""
    arrays = windows.heads[head]
    label = f"{head}/" if head else ""
    if not windows.gives(head, "hypothetical", "inputs"):
        return []
    pair, sums = PairTest("inputs", f"{label}hypothetical"), SumTest()
    both = "scores" in arrays
    halves = any(arrays[name].plan.dtype == "float16" for name in arrays)
    contents = ["one_hot", "hypothetical", *(["scores"] if both else [])]
    for _, (one_hot, hypothetical, *scores) in windows.blocks(head, contents):
        pair.take(one_hot, hypothetical)
        for array in scores:
            sums.take(one_hot, hypothetical, array, halves=halves)
    return [*pair.verdicts(), *([sums.verdict()] if both else [])]


def _tested(windows: ScoredWindows) -> list[str]:
    """Test all heads, and give what is doubtful in words.

    Raises
    ------
    OutputError
        For what is wrong.
    """
    verdicts = [verdict for head in windows.heads for verdict in self_test(windows, head)]
    for verdict in verdicts:
        if verdict.level == WRONG:
            raise OutputError(f"{windows.run.store.path} was not exported: {verdict.text}")
    return [str(verdict) for verdict in verdicts if verdict.level != RIGHT]


def _exporter(name: str) -> Exporter:
    if name not in EXPORTERS:
        raise InputError(
            f"there is no export to {name!r}. {suggest(name, EXPORTERS, _listed(EXPORTERS))}"
        )
    return EXPORTERS[name]


def _listed(names: Mapping[str, object]) -> str:
    return f"There are: {', '.join(names)}."


__all__ = ["EXPORTERS", "export", "self_test"]
