"""Options of the commands on variants, of in-silico experiments, and of logos."""

from __future__ import annotations

from pathlib import Path

from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import (
    INPUTS,
    MODEL,
    OVERWRITE,
    REFERENCES,
    RUN,
    SEQUENCES,
    STORED,
    Group,
    Once,
    Option,
    option,
    output,
    several,
    switch,
)


def _of_run(*flags: str) -> tuple[Option, ...]:
    """Some of the options of a run."""
    return tuple(each for each in RUN.options if each.flags[0] in flags)


VARIANTS: tuple[Option | Group, ...] = (
    Option(
        ["models"],
        {"type": Path, "metavar": "MODEL", "nargs": "+", "help": "the model, or its folds"},
    ),
    option(
        "variants VARIANTS",
        Path,
        "a VCF, plain or compressed, or a table without header: chr pos allele1 allele2 id",
    ),
    *MODEL[1:],
    option("--genome FASTA", Path, "the genome of the variants", required=True),
    option(
        "-o --output PREFIX",
        Path,
        "of PREFIX.variants.tsv, PREFIX.variants.vcf and PREFIX.variant_contribs.h5; or a store, "
        "RUN.zarr",
        required=True,
    ),
    OVERWRITE,
    Group(
        "the effects",
        (
            several(
                "--kind OUTPUT=KIND",
                values.pair,
                "what an output is, where its name does not tell: counts, log_counts, profile, "
                "probabilities, track, value; may be repeated",
                Once,
            ),
            option(
                "--peaks FILE",
                Path,
                "a BED or narrowPeak file: adds the quantile of the more active allele",
            ),
            switch("--forward-only", "no means over both strands"),
            switch("--strict", "fail where a variant would be skipped"),
            switch("--skip-mismatches", "skip variants whose REF is not the genome's"),
        ),
    ),
    Group(
        "the windows",
        (
            option("--length N", values.at_least_one, "of windows, where the model takes any"),
            option(
                "--letters LETTERS",
                str,
                "in the order of the model's channels (default: ACGT)",
                default="ACGT",
            ),
            option("--axes AXES", str, "of the model's input, such as NCL, if unclear"),
            option("--input NAME", str, "the input that reads the sequence, if unclear"),
            several(
                "--fixed INPUT=NUMBER",
                values.pair,
                "what another input is for all variants; may be repeated",
                Once,
            ),
        ),
    ),
    Group(
        "contributions of both alleles, where a target is named",
        _of_run("--target", "--seed", "--batch-size", "-q"),
    ),
    REFERENCES,
    Group(
        STORED.title,
        tuple(each for each in STORED.options if each.flags[0] not in ("--arrays", "--memory")),
    ),
)

_MOTIF = "letters; N leaves what is there"
_OWN: dict[str, tuple[Option, ...]] = {
    "marginalise": (
        several(
            "--motif [NAME=]LETTERS",
            values.optional_pair,
            f"a motif, {_MOTIF}; may be repeated",
        ),
        option("--position N", int, "of its first letter, from 0 (default: in the middle)"),
    ),
    "spacing": (
        option("--first LETTERS", str, f"the first motif, {_MOTIF}", required=True),
        option("--second LETTERS", str, "the one behind it", required=True),
        option(
            "--distances FIRST-LAST",
            values.whole_range,
            "numbers of letters between them (default: 0-20)",
            default=range(21),
        ),
        option("--position N", int, "of the first motif, from 0 (default: in the middle)"),
    ),
    "ablate": (
        several(
            "--span [NAME=]FIRST-END",
            values.span,
            "positions to shuffle, from 0, the end excluded; may be repeated",
        ),
        option(
            "--shuffles N", values.at_least_one, "shuffles of each span (default: 20)", default=20
        ),
    ),
    "design": (
        option("--steps N", values.at_least_one, "letters to change (default: 10)", default=10),
        switch("--minimise", "let the target fall, not rise"),
        option(
            "--positions FIRST-LAST", values.whole_range, "those that may change (default: all)"
        ),
        option(
            "--sequences FILE",
            Path,
            "a .npy file for the last sequences, with the axes of the model's input",
        ),
    ),
}

EXPERIMENTS: dict[str, tuple[Option | Group, ...]] = {
    name: (
        *MODEL,
        INPUTS,
        *own,
        SEQUENCES,
        output(".csv"),
        OVERWRITE,
        Group("the run", _of_run("--key", "--target", "--seed", "--batch-size", "-q")),
    )
    for name, own in _OWN.items()
}

__all__ = ["EXPERIMENTS", "VARIANTS"]
