"""Sequences as a kind of inputs: logos. Commands read them by `sequence_inputs`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from deeplift_engine.cli import console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import NAMES, Group, option, several, switch
from deeplift_engine.cli.input_kind import Kind
from deeplift_engine.errors import InputError

if TYPE_CHECKING:
    from deeplift_engine.jobs.scored_run import ScoredRun

DRAWING = Group(
    "logos of sequences: a .pdf of all windows, a .png or .svg of one, or without suffix a new "
    "folder of .png files",
    (
        option(
            "--samples N",
            values.at_least_one,
            "without --sample, draw the first N windows (default: 1000)",
            default=1000,
        ),
        option(
            "--width N",
            values.at_least_one,
            "draw the N positions with the largest contributions (default: 200)",
            default=200,
        ),
        switch("--whole", "draw all positions"),
        option(
            "--span FIRST-END",
            values.span,
            "draw these positions of the windows, from 0, the end excluded",
        ),
        switch("--hypothetical", "draw hypothetical contributions, too"),
        several("--label TEXT", str, "what a store is called, one for each (default: their names)"),
        option(
            "--motifs FILE",
            Path,
            "boxes of motifs' sites: a result of `modisco motifs`, a BED file, or finemo's "
            "hits.tsv",
        ),
        option("--names FILE", Path, NAMES),
    ),
)


def draw(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """Draw windows of a store, or of several one under another."""
    from deeplift_engine.genomics.drawn_windows import draw as draw_windows
    from deeplift_engine.genomics.motif_matches import labels_of, match_motifs
    from deeplift_engine.genomics.motifs import read_motifs
    from deeplift_engine.genomics.scored_windows import ScoredWindows

    names = None
    if options.names is not None:
        if options.motifs is None or options.motifs.suffix.lower() not in (".h5", ".hdf5"):
            raise InputError("--names is for the motifs of --motifs FILE.h5, of modisco motifs")
        length = ScoredWindows(run.source).length
        names = labels_of(match_motifs(read_motifs(options.motifs, length), options.names))
    drawn = draw_windows(
        options.scores,
        options.output,
        heads=options.head,
        samples=options.sample,
        most=options.samples,
        width=None if options.whole else options.width,
        span=options.span and options.span[1],
        hypothetical=options.hypothetical,
        motifs=options.motifs,
        names=names,
        labels=options.label,
        overwrite=options.overwrite,
    )
    if not options.json:
        console.say(f"windows: {drawn.windows}")
    for note in drawn.notes:
        console.complain("note", note)
    return [drawn.path]


SEQUENCE = Kind("sequence", (), Group("sequences", ()), DRAWING, None, draw, None, several=True)

__all__ = ["SEQUENCE"]
