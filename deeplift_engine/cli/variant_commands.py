"""The command that scores variants."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import arguments, console, store_commands
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError

if TYPE_CHECKING:
    from deeplift_engine.genomics import Genome, VariantJob
    from deeplift_engine.genomics.variants.variant_scoring import Survey
    from deeplift_engine.network import Network


def variants(options: argparse.Namespace) -> int:
    """Score the variants of a file, and write the table, the annotated VCF and contributions.

    Or all of it into a store, shard by shard.
    """
    if store_commands.is_store(options.output):
        return store_commands.into_store(options, job_of, _of_variants)
    store_commands.refuse_options_of_a_store(options)
    console.postpone_tensorflow()
    from deeplift_engine import genomics

    networks, genome, scoring = _scoring(options)
    run = genomics.score_variants(
        networks,
        options.variants,
        genome,
        options.output,
        overwrite=options.overwrite,
        progress=arguments.progress(options),
        **scoring,
    )
    summary: dict[str, Any] = {
        "written": list(run.files),
        "models": list(map(str, options.models)),
        **_counts(run.survey),
        "effects": list(run.columns),
    }
    if scoring["peaks"] is not None:
        summary["peaks"] = len(scoring["peaks"])
    if options.json:
        print_json(summary)
    else:
        print_lines({name: value for name, value in summary.items() if value})
    return 0


def job_of(options: argparse.Namespace) -> VariantJob:
    """The job that the options of ``variants`` describe, here or on a worker."""
    console.postpone_tensorflow()
    from deeplift_engine import genomics

    networks, genome, scoring = _scoring(options)
    job: VariantJob = genomics.VariantJob(
        networks,
        options.variants,
        genome,
        dtype=options.stored_dtype or "float32",
        shard=options.shard_size,
        about={"genome": str(options.genome)},
        **scoring,
    )
    return job


def _scoring(options: argparse.Namespace) -> tuple[list[Network], Genome, dict[str, Any]]:
    """The networks, the genome, and what both ways of scoring take beside them."""
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
    return (
        networks,
        genome,
        {
            "kinds": dict(options.kind),
            "peaks": peaks,
            "fixed": {name: _number(name, text) for name, text in options.fixed},
            "reverse_complement": not options.forward_only,
            **form,
            "batch_size": options.batch_size,
            "target": _heads(options),
            "references": arguments.references(options, networks[0]),
            "strict": options.strict,
            "skip_mismatches": options.skip_mismatches,
        },
    )


def _of_variants(job: VariantJob) -> dict[str, Any]:
    """What a job scores, for the summary."""
    return {"effects": list(job.description["run"]["columns"]), **_counts(job.survey)}


def _counts(survey: Survey) -> dict[str, Any]:
    return {
        "records": survey.records,
        "variants": survey.variants,
        "scored": survey.scored,
        "skipped": dict(survey.skipped),
    }


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
