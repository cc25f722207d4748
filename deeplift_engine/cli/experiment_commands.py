"""The commands of in-silico experiments: each prints its table, and writes files of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import genomics
from deeplift_engine.cli import arguments, console
from deeplift_engine.cli.listing import print_json
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.figures import draw_design, draw_effects, draw_spacing
from deeplift_engine.util import storage, tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.genomics.experiment_results import ExperimentResult
    from deeplift_engine.network import Network


def marginalise(options: argparse.Namespace) -> int:
    """Put motifs into backgrounds."""
    if not options.motif:
        raise InputError("--motif: name at least one")
    motifs = {name or word: word for name, word in options.motif}

    def run(network: Network, x: Any, how: dict[str, Any]) -> Any:
        progress = arguments.progress(options)
        return genomics.marginalise(
            network, motifs, x, position=options.position, progress=progress, **how
        )

    def draw(result: Any) -> Figure:
        return draw_effects(list(result.motifs), result.effects)

    return _run(options, run, draw)


def spacing(options: argparse.Namespace) -> int:
    """Put two motifs into backgrounds, at several distances."""

    def run(network: Network, x: Any, how: dict[str, Any]) -> Any:
        words, distances = (options.first, options.second), options.distances
        return genomics.spacing(network, *words, x, distances, position=options.position, **how)

    def draw(result: Any) -> Figure:
        effects = {
            f"{result.first} alone": np.broadcast_to(result.first_alone, result.both.shape),
            f"{result.second} alone": result.second_alone,
            "both": result.both,
        }
        return draw_spacing(result.distances, effects, result.cooperativity)

    return _run(options, run, draw)


def ablate(options: argparse.Namespace) -> int:
    """Shuffle spans of sequences."""

    def run(network: Network, x: Any, how: dict[str, Any]) -> Any:
        progress, seed = arguments.progress(options), options.seed or 0
        spans, shuffles = dict(options.span), options.shuffles
        return genomics.ablate(
            network, x, spans, shuffles=shuffles, seed=seed, progress=progress, **how
        )

    def draw(result: Any) -> Figure:
        return draw_effects(list(result.spans), result.effects, unit="sequence")

    return _run(options, run, draw)


def design(options: argparse.Namespace) -> int:
    """Change one letter after the other, each time the one that changes the target most."""
    if options.sequences is not None:
        if options.sequences.suffix.lower() != ".npy":
            raise OutputError(f"--sequences {options.sequences}: expected a .npy file")
        storage.check_writable(options.sequences, overwrite=options.overwrite)

    def run(network: Network, x: Any, how: dict[str, Any]) -> Any:
        result = genomics.design(
            network,
            x,
            options.steps,
            maximise=not options.minimise,
            positions=options.positions,
            progress=arguments.progress(options),
            **how,
        )
        if options.sequences is not None:
            with storage.output_file(options.sequences, overwrite=options.overwrite) as disk:
                np.save(disk, result.sequences)
        return result

    def draw(result: Any) -> Figure:
        changed = result.positions[:, 0]
        rows = result.one_hot(0)
        return draw_design(result.values, rows, changed[changed >= 0], result.letters)

    return _run(options, run, draw)


COMMANDS: tuple[tuple[Callable[[argparse.Namespace], int], str, tuple[str, ...]], ...] = (
    (
        marginalise,
        "put motifs into backgrounds, and say what each changes",
        (
            "marginalise model.h5 backgrounds.npy --motif GATA=AGATAAG --motif TGASTCA \\\n"
            "      --target 0 -o table.csv -o figure.png",
        ),
    ),
    (
        spacing,
        "put two motifs into backgrounds at several distances from each other",
        (
            "spacing model.h5 backgrounds.npy --first AGATAAG --second TGACTCA \\\n"
            "      --distances 0-30 --target 0 -o figure.png",
        ),
    ),
    (
        ablate,
        "shuffle spans of sequences, and say what each changes",
        ("ablate model.h5 sequences.npy --span site=95-107 --span 120-130 --target 0",),
    ),
    (
        design,
        "change letters of sequences one by one so that the target rises or falls",
        (
            "design model.h5 sequences.npy --steps 20 --target 0 -o steps.csv -o figure.png \\\n"
            "      --sequences designed.npy",
        ),
    ),
)
"""Each command, its summary and its examples."""


def _run(
    options: argparse.Namespace,
    run: Callable[[Network, Any, dict[str, Any]], ExperimentResult],
    draw: Callable[[Any], Figure],
) -> int:
    """Run an experiment on a network and its inputs, print its table and write its files."""
    for path in options.output:
        tables.checked_suffix(path, "experiments", (".csv",))
        storage.check_writable(path, overwrite=options.overwrite)
    network = arguments.load(options)
    target = arguments.target(options)
    how = {
        "target": "logits" if target is None else target,
        "letters": options.letters,
        "input": options.input,
        "first_code": options.first_code,
        "batch_size": options.batch_size,
    }
    result = run(network, arguments.inputs(options, network), how)
    if options.json:
        print_json({"rows": result.rows()})
    else:
        console.say(str(result))
    for path in options.output:
        _write(path, result, draw, overwrite=options.overwrite)
    return 0


def _write(
    path: Path, result: ExperimentResult, draw: Callable[[Any], Figure], *, overwrite: bool
) -> None:
    kind = path.suffix.lower()
    if kind in tables.PICTURES:
        picture = tables.to_picture(draw(result), kind)
        storage.write_bytes(path, picture, overwrite=overwrite)
    else:
        result.save(path, overwrite=overwrite)


__all__ = ["COMMANDS", "ablate", "design", "marginalise", "spacing"]
