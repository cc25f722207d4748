"""The command that draws the scores of a run: `draw`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from deeplift_engine.cli import console
from deeplift_engine.cli.input_kind import Kind
from deeplift_engine.cli.kinds import KINDS, kind_of_run
from deeplift_engine.cli.listing import print_json
from deeplift_engine.errors import InputError
from deeplift_engine.util import tables
from deeplift_engine.util.output_file import check_writable


def draw(options: argparse.Namespace) -> int:
    """Draw the scores of a run in the form of their kind."""
    from deeplift_engine.jobs.scored_run import open_scored

    run = open_scored(options.scores[0])
    kind = kind_of_run(options, run)
    if kind is None:
        raise InputError(
            f"{run.source} does not say what its inputs are: say --kind {'|'.join(KINDS)}"
        )
    if not kind.several:
        _one("SCORES", options.scores, kind)
        options.head = _one("--head", options.head, kind)
    if options.output is None:
        if kind.show is None:
            raise InputError("say where to draw: -o FILE, a figure (.png, .pdf, .svg)")
        console.say(kind.show(options, run))
        return 0
    if kind.pages is not None:
        tables.checked_suffix(options.output, "scores", kind.pages)
    check_writable(options.output, overwrite=options.overwrite)
    written = kind.draw(options, run)
    if options.json:
        print_json({"written": [str(path) for path in written]})
    for path in () if options.json else written:
        console.say(f"written: {path}")
    return 0


def _one(name: str, given: Sequence[Any], kind: Kind) -> Any:
    """The only one of what is given, or None."""
    if len(given) > 1:
        raise InputError(f"{name}: of the kind {kind.name} one is drawn, not {len(given)}")
    return next(iter(given), None)


__all__ = ["draw"]
