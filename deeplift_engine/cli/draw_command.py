"""The command that draws scored windows as logos: `draw`."""

from __future__ import annotations

import argparse

from deeplift_engine.cli import console
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError


def draw(options: argparse.Namespace) -> int:
    """Draw windows of a store, or of several next to each other."""
    from deeplift_engine.genomics.drawn_windows import draw as draw_windows
    from deeplift_engine.genomics.motif_matches import labels_of, match_motifs
    from deeplift_engine.genomics.motifs import read_motifs
    from deeplift_engine.genomics.scored_windows import ScoredWindows

    names = None
    if options.names is not None:
        if options.motifs is None or options.motifs.suffix.lower() not in (".h5", ".hdf5"):
            raise InputError("--names is for the motifs of --motifs FILE.h5, of modisco motifs")
        length = ScoredWindows(options.stores[0]).length
        names = labels_of(match_motifs(read_motifs(options.motifs, length), options.names))
    drawn = draw_windows(
        options.stores,
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
    about = {"written": str(drawn.path), "windows": drawn.windows}
    if options.json:
        print_json({**about, "notes": list(drawn.notes), "names": names or {}})
        return 0
    print_lines(about)
    for note in drawn.notes:
        console.complain("note", note)
    return 0


__all__ = ["draw"]
