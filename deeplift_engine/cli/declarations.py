"""The options of the command line, each declared once; commands take them by groups."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeplift_engine.cli import value_syntax as values
from deeplift_engine.jobs.contents import CONTENTS, DEFAULT, OF_SEQUENCES
from deeplift_engine.translate.function_sets import FUNCTION_SETS


class Once(argparse.Action):
    """Collects pairs (name, value); each name may occur once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one pair, or stop where its name already exists."""
        pairs = getattr(namespace, self.dest)
        if values[0] in dict(pairs):
            name = f"{values[0]}=" if values[0] else "a name"
            raise argparse.ArgumentError(self, f"{name} is given twice; leave one out")
        setattr(namespace, self.dest, [*pairs, values])


@dataclass(frozen=True)
class Option:
    """One option: its flags, or its name, and the keyword arguments of ``add_argument``."""

    flags: Sequence[str]
    settings: Mapping[str, Any]

    def add_to(self, container: Any) -> None:
        """Add the option to a parser or a group."""
        container.add_argument(*self.flags, **self.settings)


@dataclass(frozen=True)
class Group:
    """Options that commands take together, under a title in ``--help``."""

    title: str
    options: tuple[Option, ...]

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Add the options to the parser of a command."""
        group = parser.add_argument_group(self.title)
        for option in self.options:
            option.add_to(group)


def option(form: str, read: Callable[[str], Any], text: str, **settings: Any) -> Option:
    """An option with a value, or a positional argument; ``form`` is as ``-o --output FILE``."""
    *flags, metavar = form.split()
    return Option(flags, {"type": read, "metavar": metavar, "help": text, **settings})


def several(form: str, read: Callable[[str], Any], text: str, action: Any = "append") -> Option:
    """An option that may be repeated; its values are a list."""
    return option(form, read, text, action=action, default=[])


def choice(flag: str, text: str, *choices: str, default: str | None = None) -> Option:
    """An option whose value is one of some words."""
    return Option([flag], {"choices": choices, "default": default, "help": text})


def switch(flags: str, text: str, action: Any = "store_true") -> Option:
    """An option without a value."""
    return Option(flags.split(), {"action": action, "help": text})


JSON = switch("--json", "print the result as JSON")
INPUTS = option(
    "inputs INPUTS",
    Path,
    "a .npy, .npz, .h5 or .zarr file of arrays, a FASTA file, with --genome a BED or narrowPeak "
    "file, with --column a table",
)
MODELS = option(
    "model MODEL",
    Path,
    "the saved model, or its weights; several are folds, whose scores are averaged",
    nargs="+",
)
STRANDS = Group(
    "both strands",
    (
        switch(
            "--reverse-complement",
            "average the scores of each sequence with those of its reverse complement",
        ),
        several(
            "--other-strand INPUT=HOW",
            values.pair,
            "another input of the reverse complement: same, positions (reversed) or tracks (of two "
            "strands too)",
            Once,
        ),
    ),
)
OVERWRITE = switch("--overwrite", "replace existing files")
MAX_POOLING = choice(
    "--max-pooling",
    "exact sums (default), or the gradient, as the original implementation",
    "exact",
    "gradient",
)
MODEL = (
    option("model MODEL", Path, "the saved model, or its weights"),
    JSON,
    switch("-v --verbose", "report automatic choices"),
    Group(
        "the model",
        (
            option(
                "--architecture FILE", Path, "JSON or YAML file, where MODEL holds weights only"
            ),
            option(
                "--backend NAME",
                str,
                "what the model was trained on, where the file does not say: tensorflow, theano, "
                "torch, jax ...",
            ),
            switch(
                "--theano-kernels", "the same as --backend theano", argparse.BooleanOptionalAction
            ),
            choice(
                "--data-format",
                "axes of UpSampling, ZeroPadding and Cropping of Keras 1, where nothing tells",
                "channels_first",
                "channels_last",
            ),
            option(
                "--custom FILE",
                Path,
                "your Python file that defines custom layers and Lambdas by LAYERS = {...} and "
                "FUNCTIONS = {...} as load() takes them; it is run",
            ),
            choice(
                "--functions",
                "the functions of the Lambdas in this program's own files",
                *FUNCTION_SETS,
            ),
            several(
                "--behind LAYER[=SIZE,...]",
                values.layer_and_shape,
                "begin behind this layer and read what it gives, of this shape where the file does "
                "not tell it; may be repeated",
                Once,
            ),
            choice(
                "--dtype", "precision (default: float32)", "float32", "float64", default="float32"
            ),
        ),
    ),
)
RULES = Group(
    "the rules",
    (
        option("--rules RULE", str, "rules of the whole model (default: the method's); see below"),
        several(
            "--rule LAYER=RULE",
            values.pair,
            "another rule for one layer, or a family of layers; may be repeated",
        ),
        MAX_POOLING,
    ),
)
RUN = Group(
    "the run",
    (
        several(
            "--key [INPUT=]NAME",
            values.optional_pair,
            "name of the array in INPUTS; with several inputs, one for each",
            Once,
        ),
        several(
            "--target [HEAD=]TARGET",
            values.target,
            "the unit, or the layer, or both as LAYER:UNIT; may be repeated; see below",
        ),
        option(
            "--tasks FILE",
            Path,
            "names of the units of a model of many tasks, a line each, as heads of the results: "
            "all, or those that --target names",
        ),
        option(
            "--target-layer NAME",
            str,
            "logits (default): before a final softmax or sigmoid; output; or a layer's name",
            default="logits",
        ),
        option(
            "--seed N",
            values.seed,
            "the seed of all random numbers, of references, methods and metrics, where their own "
            "options set none (default: 0)",
        ),
        option(
            "--batch-size N",
            values.at_least_one,
            "samples computed together (default: by the size of the network)",
        ),
        switch("-q --quiet", "no progress bar"),
    ),
)
SEQUENCES = Group(
    "sequences",
    (
        option("--genome FASTA", Path, "the genome of the regions in INPUTS; plain, gzip or bgzip"),
        option(
            "--length N",
            values.at_least_one,
            "positions of a window, where the model leaves them free",
        ),
        option(
            "--letters LETTERS",
            str,
            "the letters in the order of the model's channels (default: ACGT); with N, where the "
            "model has it",
            default="ACGT",
        ),
        option(
            "--unknown RULE",
            str,
            "what N and other IUPAC letters are: zeros (default), uniform (shares of the letters "
            "that they stand for), refuse (the sequence is left out)",
            default="zeros",
        ),
        option(
            "--axes AXES",
            str,
            "the axes of the array in INPUTS, NCL for (N, 4, L); of the model's input, where its "
            "shape does not tell: N samples, L positions, C letters, 1 an axis of size 1",
        ),
        option("--input NAME", str, "the input of the model that reads the sequences"),
        option(
            "--column NAME",
            str,
            "of a table with the names of its columns on top, the one with sequences or texts",
        ),
        several(
            "--beside INPUT=FILE",
            values.pair,
            "another input of the model: an array with a row for each record of INPUTS, or bigWig "
            "files with commas between; may be repeated",
            Once,
        ),
        option(
            "--first-code N",
            int,
            "the number of the first letter, where the model reads whole numbers (default: 0)",
            default=0,
        ),
        Option(
            ["--ignore-strand"],
            {
                "action": "store_false",
                "dest": "stranded",
                "help": "read regions on the strand - as the others, not as reverse complements",
            },
        ),
    ),
)
REFERENCES = several(
    "--references [INPUT=]REFERENCES",
    values.input_references,
    "references to compare with (default: zeros, of tokens with a mask every token but padding "
    "replaced); several of one input are one set; see below",
)
VERBOSE = switch("-v --verbose", argparse.SUPPRESS)
LISTING = (option("name NAME", str, "explain this one", nargs="?"), JSON, VERBOSE)
STORED = Group(
    "into a store (-o RUN.zarr), shard by shard",
    (
        switch("--resume", "do what is not done of a store that is there"),
        option(
            "--shard I/N",
            values.share,
            "do the I-th of N shares of the shards, from 1; in a job of a SLURM array: slurm",
        ),
        option(
            "--arrays NAME,...",
            values.names,
            f"what to keep: {', '.join(CONTENTS)} (default: {','.join(DEFAULT)}; "
            f"of regions and FASTA files {','.join(OF_SEQUENCES)}, too)",
            default=[],
        ),
        choice("--stored-dtype", "of scores (default: float32)", "float32", "float16"),
        option("--shard-size N", values.at_least_one, "samples of a shard, made whole blocks"),
        option("--memory SIZE", values.size, "what blocks may take in all, such as 4G"),
        option("--threads N", values.at_least_one, "threads of TensorFlow (default: all cores)"),
        option("--workers N", values.at_least_one, "do it in N processes (extra: cluster)"),
        option("--scheduler ADDRESS", str, "do it on the workers of a Dask cluster"),
        switch("--slurm", "with --workers N: in N SLURM jobs, as dask-jobqueue is configured"),
    ),
)

NAMES = (
    "a MEME file of known motifs, such as JASPAR's, whose names motifs take that resemble them "
    "(TOMTOM; extra: motifs)"
)
EXPORTS = Group(
    "for other programs (-o FOLDER), of sequences",
    (
        several(
            "--to FORMAT",
            str,
            "modisco, chrombpnet, bpnet, bigwig, seqlets, shap, csv, parquet or json; of a run of "
            "variants, variants; of texts csv, jsonl or html, to one file; may be repeated",
        ),
        option("--prefix NAME", str, "what names of files begin with (default: the store's)"),
        option(
            "--overlaps RULE",
            str,
            "of bigwig, for bases in several windows: nearest (default: cut half-way between "
            "centres), mean, max_abs, or first in the regions file",
        ),
        option(
            "--sizes FILE",
            Path,
            "of bigwig, a table of chromosome sizes, or the FASTA file (default: the run's genome)",
        ),
        option(
            "--shuffle-rows SEED",
            values.seed,
            "of modisco, rows in random order: its -n takes seqlets from the first rows on",
        ),
        option(
            "--motifs FILE",
            Path,
            "a result of `modisco motifs`: write its sites as BED, their sequences, its motifs as "
            "MEME",
        ),
        option(
            "--regions FILE",
            Path,
            "with --motifs, the regions of its rows, PREFIX.regions.bed (default: the store's)",
        ),
        option(
            "--sequences FILE",
            Path,
            "with --motifs, the array that it was given by -s, to compare with",
        ),
        option("--names FILE", Path, f"with --motifs, {NAMES}"),
        Option(
            ["--check"],
            {
                "type": Path,
                "metavar": "FILE",
                "nargs": "+",
                "default": [],
                "help": "check files that belong together, whoever wrote them; write nothing",
            },
        ),
        option("--genome FILE", Path, "with --check, a FASTA file: compare sequences with regions"),
    ),
)


def layers(text: str) -> Option:
    """``--layers``, explained by ``text``."""
    return option("--layers NAME,...", values.names, text)


def output(tables: str) -> Option:
    """``--output`` for tables with some suffixes and for figures."""
    text = f"a table ({tables}) or a figure (.png, .pdf, .svg); may be repeated"
    return several("-o --output FILE", Path, text)
