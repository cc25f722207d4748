"""The command that grows inputs that make a target large."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.cli import arguments, console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import (
    MODEL,
    OVERWRITE,
    RUN,
    Group,
    Option,
    choice,
    option,
    several,
)
from deeplift_engine.cli.listing import print_json
from deeplift_engine.util import storage, tables

OPTIONS: tuple[Option | Group, ...] = (
    *MODEL,
    choice(
        "--form",
        "pixels, or letters by gradient or by mutation (default: by the shape of the input)",
        *("pixels", "letters", "mutation"),
    ),
    option("--samples N", values.at_least_one, "for each target (default: 4)", default=4),
    option(
        "--steps N",
        values.at_least_one,
        "of the ascent, or letters to change (default: 256)",
        default=256,
    ),
    option("--low NUMBER", float, "the least value of pixels (default: 0)", default=0.0),
    option("--high NUMBER", float, "the largest value of pixels (default: 1)", default=1.0),
    option("--size N", values.at_least_one, "of axes of positions that the model leaves free"),
    option("--letters LETTERS", str, "of the channels (default: ACGT)", default="ACGT"),
    option("--gc LOW-HIGH", values.span, "bounds of the percent of G and C, such as 40-60"),
    several("--forbidden WORD", str, "a word that must not occur; may be repeated"),
    option("--input NAME", str, "the input to grow, of several"),
    several("-o --output FILE", Path, "a figure (.png, .pdf, .svg), or the inputs (.npy)"),
    OVERWRITE,
    Group(
        "the run",
        tuple(
            each
            for each in RUN.options
            if each.flags[0] in ("--target", "--seed", "--batch-size", "-q")
        ),
    ),
)
EXAMPLES = (
    "maximize model.h5 --target conv2d_3::,:,7 -o channel.png",
    "maximize model.h5 --target all --samples 1 --low -1 --high 1 -o classes.png -o images.npy",
    "maximize model.h5 --target 0 --form mutation --gc 40-60 --forbidden GAATTC -o designed.png",
)


def maximize(options: argparse.Namespace) -> int:
    """Grow inputs, print the target at each, and write a figure or the inputs."""
    from deeplift_engine import visualize

    for path in options.output:
        tables.checked_suffix(path, "grown inputs", (".npy",))
        storage.check_writable(path, overwrite=options.overwrite)
    target = arguments.target(options)
    network = arguments.load(options)
    result = visualize.maximize(
        network,
        "logits" if target is None else target,
        form=_form(options),
        samples=options.samples,
        steps=options.steps,
        input=options.input,
        batch_size=options.batch_size,
        seed=options.seed or 0,
        progress=arguments.progress(options),
    )
    start, reached = result.history[0].reshape(-1), result.values.reshape(-1)
    texts = result.texts if isinstance(result.form, visualize.Letters) else [""] * len(start)
    rows: list[dict[str, Any]] = [
        {"number": number, "start": float(before), "target": float(after)}
        | ({"sequence": text} if text else {})
        for number, (before, after, text) in enumerate(zip(start, reached, texts, strict=True))
    ]
    if options.json:
        print_json({"rows": rows})
    else:
        lines = [list(rows[0])]
        lines += [
            [f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row.values()]
            for row in rows
        ]
        console.say(tables.aligned(lines, right=(0, 1, 2)))
    for path in options.output:
        kind = path.suffix.lower()
        if kind in tables.PICTURES:
            picture = tables.to_picture(result.figure(), kind)
            storage.write_bytes(path, picture, overwrite=options.overwrite)
        else:
            with storage.output_file(path, overwrite=options.overwrite) as disk:
                np.save(disk, result.inputs)
    return 0


def _form(options: argparse.Namespace) -> Any:
    """The form of the inputs; None where nothing is said of it."""
    from deeplift_engine.visualize import Letters, Pixels

    constrained = options.gc is not None or options.forbidden
    if options.form in ("letters", "mutation") or constrained:
        low, high = options.gc[1] if options.gc is not None else (0, 100)
        return Letters(
            by="mutation" if options.form == "mutation" else "gradient",
            letters=options.letters,
            gc=(low / 100, high / 100) if options.gc is not None else None,
            forbidden=options.forbidden,
            length=options.size,
        )
    if options.form == "pixels" or (options.low, options.high) != (0.0, 1.0) or options.size:
        return Pixels(low=options.low, high=options.high, size=options.size)
    return None


__all__ = ["EXAMPLES", "OPTIONS", "maximize"]
