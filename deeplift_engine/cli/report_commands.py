"""The command that writes a page of a run: `report`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deeplift_engine.cli import arguments, console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import (
    JSON,
    MODEL,
    OVERWRITE,
    VERBOSE,
    Option,
    option,
    switch,
)
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError

EVERY = "all"


def samples(text: str) -> Any:
    """``all``, how many, or numbers and spans of them: ``0-9,17``."""
    if text == EVERY:
        return None
    if text.isdecimal():
        return values.at_least_one(text)
    return [n for part in text.split(",") if part for n in values.whole_range(part)]


def source(text: str) -> tuple[str, Path]:
    """``NAME=FILE``, or ``FILE`` with no name."""
    name, equals, path = text.partition("=")
    return (name, Path(path)) if equals and not Path(text).exists() else ("", Path(text))


OPTIONS = (
    Option(
        ["sources"],
        {
            "type": source,
            "metavar": "[NAME=]SCORES",
            "nargs": "+",
            "help": "a store, RUN.zarr, or a .h5 or .npz file of scores; several of the same "
            "samples, between which the page switches",
        },
    ),
    option(
        "-o --output FILE", Path, "the page, .html; or a new folder, for many samples",
        required=True,
    ),
    OVERWRITE,
    option(
        "--samples N",
        samples,
        "how many samples the page shows (default: 100), all, or their numbers: 0-9,17",
        default=100,
    ),
    option(
        "--activations N",
        int,
        "of how many samples layers open to their activations (default: 4)",
        default=4,
    ),
    option("--motifs FILE", Path, "a result of `modisco motifs` on the run's export"),
    option(
        "--kind KIND",
        str,
        "what a sample is, where that is not found: sequence, text, image, signal, table",
    ),
    option("--title TEXT", str, "the page's heading"),
    option(
        "--model FILE", Path, "the model that is drawn (default: the file that the run names)"
    ),
    switch("--no-model", "draw no model"),
    JSON,
    VERBOSE,
    MODEL[-1],
)  # fmt: skip

EXAMPLES = (
    "report run.zarr -o report.html",
    "report scores.h5 -o report.html --model model.h5",
    "report rescale=a.zarr gradient=b.zarr -o report.html --samples 0-9,17",
    "report run.zarr -o report --samples all",
)


def report(options: argparse.Namespace) -> int:
    """Write a page that shows a run."""
    from deeplift_engine.jobs.scored_run import open_scored
    from deeplift_engine.report import write
    from deeplift_engine.util.optional import optional

    if options.model is not None and options.no_model:
        raise InputError("--model and --no-model say the opposite: leave one of them out")
    names = [name for name, _ in options.sources]
    if any(names) and not all(names):
        raise InputError("name all of the files, NAME=FILE, or none")
    if len({*names}) < len(names) and any(names):
        raise InputError("two files have the same name: give each its own, NAME=FILE")
    optional("jinja2", "jinja2", "report")
    runs = [open_scored(path) for _, path in options.sources]
    if not options.no_model:  # most runs name theirs
        console.postpone_tensorflow()
    write(
        dict(zip(names, runs, strict=True)) if any(names) else runs,
        options.output,
        model=_model(options),
        motifs=options.motifs,
        samples=options.samples,
        activations=options.activations,
        kind=options.kind,
        title=options.title,
        overwrite=options.overwrite,
    )
    (print_json if options.json else print_lines)({"written": str(options.output)})
    return 0


def _model(options: argparse.Namespace) -> Any:
    if options.no_model:
        return False
    return None if options.model is None else arguments.load(options)


__all__ = ["EXAMPLES", "OPTIONS", "report"]
