"""The command that scores variants."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import arguments, console
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError

if TYPE_CHECKING:
    from deeplift_engine.network import Network


def variants(options: argparse.Namespace) -> int:
    """Score the variants of a file and write the table, the annotated VCF and contributions."""
    console.start_tensorflow()
    from deeplift_engine import genomics

    genome = genomics.Genome(options.genome)
    networks: list[Network] = [
        arguments.load(argparse.Namespace(**{**vars(options), "model": model}))
        for model in options.models
    ]
    form = {name: getattr(options, name) for name in ("length", "letters", "axes", "input")}
    peaks = None
    if options.peaks is not None:
        peaks = genomics.regions(options.peaks, genome, network=networks[0], **form)
    run = genomics.score_variants(
        networks,
        options.variants,
        genome,
        options.output,
        kinds=dict(options.kind),
        peaks=peaks,
        fixed={name: _number(name, text) for name, text in options.fixed},
        reverse_complement=not options.forward_only,
        **form,
        batch_size=options.batch_size,
        target=_heads(options),
        references=arguments.references(options, networks[0]),
        strict=options.strict,
        skip_mismatches=options.skip_mismatches,
        overwrite=options.overwrite,
        progress=arguments.progress(options),
    )
    counts = run.survey
    summary: dict[str, Any] = {
        "written": list(run.files),
        "models": list(map(str, options.models)),
        "records": counts.records,
        "variants": counts.variants,
        "scored": counts.scored,
        "skipped": dict(counts.skipped),
        "effects": list(run.columns),
    }
    if peaks is not None:
        summary["peaks"] = len(peaks)
    if options.json:
        print_json(summary)
    else:
        print_lines({name: value for name, value in summary.items() if value})
    return 0


def _heads(options: argparse.Namespace) -> Any:
    """The target of contributions, or None where there are none."""
    if not options.target and options.references:
        raise InputError(
            "--references are those of contributions, which need a target: say --target, such as "
            "--target logcounts:0, or leave the references out"
        )
    target = arguments.target(options)
    if isinstance(target, list):
        raise InputError(
            "--target: several targets of no head; say HEAD=TARGET for each, with names of your own"
        )
    return target


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--fixed {name}={text}: expected a number") from None
