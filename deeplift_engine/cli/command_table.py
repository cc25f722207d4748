"""The table of commands: their options, and the help that explains them with examples."""

from __future__ import annotations

from pathlib import Path

from deeplift_engine.cli import (
    commands,
    draw_commands,
    experiment_commands,
    export_commands,
    genomics_options,
    layer_commands,
    listing,
    maximize_command,
    report_commands,
    store_commands,
    variant_commands,
)
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.command import Command
from deeplift_engine.cli.declarations import (
    EXPORTS,
    INPUTS,
    JSON,
    LISTING,
    MAX_POOLING,
    MODEL,
    MODELS,
    OVERWRITE,
    REFERENCES,
    RULES,
    RUN,
    SEQUENCES,
    STORED,
    STRANDS,
    VERBOSE,
    Once,
    Option,
    layers,
    option,
    output,
    several,
    switch,
)
from deeplift_engine.cli.kinds import DRAWING, KIND, READING

INSPECT = Command(
    commands.inspect,
    "show a model's layers and the rule each gets",
    (*MODEL, RULES),
    (
        "inspect model.h5",
        "inspect weights.h5 --architecture model.json --theano-kernels",
        "inspect model.keras --rules genomics_default --rule conv1d_1=gradient --json",
        "inspect model.h5 --custom my_layers.py",
    ),
    ("rules",),
    "Show what becomes of each layer: exact, approximate or refused, and by which rule.",
)

SCORE = Command(
    commands.score,
    "compute contribution scores and save them",
    (
        MODELS,
        *MODEL[1:],
        INPUTS,
        SEQUENCES,
        option("-o --output FILE", Path, "a .h5 or .npz file, or a store, RUN.zarr", required=True),
        OVERWRITE,
        RULES,
        RUN,
        REFERENCES,
        option(
            "--method NAME",
            str,
            "the method (default: deeplift); `methods` lists all",
            default="deeplift",
        ),
        several(
            "--option NAME=VALUE",
            values.option,
            "an option of the method; may be repeated; `methods NAME` explains them",
            Once,
        ),
        layers("score the outputs of these layers instead of the inputs"),
        switch("--keep-references-apart", "one score for each reference, instead of their average"),
        switch("--standard-errors", "also save the standard errors of averages over references"),
        switch("--hypothetical", "also save hypothetical contributions of inputs with letters"),
        option(
            "--hypothetical-axis AXIS",
            int,
            "also save those along this axis of the inputs' array, of letters or of anything else",
        ),
        switch(
            "--strict",
            "fail, and write nothing, where contributions do not sum to the target's difference; "
            "into a store, where a sample cannot be scored; where a sequence or region is left out",
        ),
        STRANDS,
        *READING,
        STORED,
    ),
    (
        "score model.h5 sequences.npy -o scores.h5 --rules genomics_default",
        "score model.h5 sequences.h5 --key onehot -o scores.npz --target 0 --target 2 \\\n"
        "      --references dinucleotide_shuffle:20 --seed 1 --hypothetical",
        "score model.h5 sequences.npy -o scores.h5 --target counts=logcounts:0 \\\n"
        "      --target profile=profile:mean:3 --references dinucleotide_shuffle:20",
        "score model.h5 images.npy -o scores.h5 --target 8-3 \\\n"
        "      --rule dense_1=reveal_cancel --strict",
        "score model.h5 images.npy -o scores.h5 --target 3 --method integrated_gradients \\\n"
        "      --option steps=50 --option rule=midpoint",
        "score model.h5 both.npz -o scores.h5 --key left=a --key right=b \\\n"
        "      --references left=zeros --references right=constant:0.5",
        "score fold_0.h5 fold_1.h5 sequences.npy -o run.zarr --reverse-complement \\\n"
        "      --target counts --target profile --references dinucleotide_shuffle:20 \\\n"
        "      --arrays hypothetical,hypothetical_spread",
        "score model.h5 sequences.npy -o run.zarr --references dinucleotide_shuffle:20 \\\n"
        "      --arrays hypothetical,inputs --stored-dtype float16 --shard 3/10",
        "score model.h5 photos/ -o scores.h5 --preprocess vgg16 --target 3 \\\n"
        "      --references per_channel:-103.939,-116.779,-123.68",
        "score model.h5 table.csv -o scores.h5 --columns age,dose,sex_f,sex_m --group 'sex=sex_*'",
        "score model.h5 reviews.csv --column review --tokenizer tokenizer.json -o scores.h5",
        "score model.h5 peaks.narrowPeak --genome hg38.fa -o run.zarr \\\n"
        "      --references dinucleotide_shuffle:20 --arrays hypothetical,inputs",
    ),
    ("targets", "references", "rules", "options of methods and metrics"),
)

COMPARE = Command(
    commands.compare,
    "score the same samples by several methods, and judge the scores by several metrics",
    (
        *MODEL,
        INPUTS,
        *(
            several(
                f"--{row} NAME[:OPTION=VALUE;...]",
                values.name_with_options,
                f"a {row}, with its options; may be repeated (default: several); "
                f"`{row}s` lists all",
            )
            for row in ("method", "metric")
        ),
        option(
            "--groups GROUPS",
            values.groups,
            "elements that are erased together: positions (all letters of each), a number of "
            "cells, or @FILE, numbers of groups in one sample's shape (default: each element "
            "by itself)",
        ),
        layers(
            "judge scores of the outputs of these layers, as of an embedding, not of the inputs"
        ),
        output(".json, .csv"),
        OVERWRITE,
        SEQUENCES,
        *READING,
        RUN,
        REFERENCES,
    ),
    (
        "compare model.h5 sequences.npy --target 0",
        "compare model.h5 images.npy --target 3 --method deeplift --method occlusion:window=3 \\\n"
        "      --method deeplift:rules=reveal_cancel --metric deletion -o table.csv -o figure.png",
        "compare model.h5 tokens.npy --target 0 --layers embedding",
        "compare model.h5 sequences.npy --target 0 --groups positions \\\n"
        "      --method deeplift --method 'integrated_gradients:steps=20;rule=left'",
    ),
    ("targets", "references", "options of methods and metrics"),
)

SWEEP = Command(
    commands.sweep,
    "score under all pairs of several references and rules, and say how far they agree",
    (
        *MODEL,
        INPUTS,
        several(
            "--references REFERENCES",
            values.setting,
            "one kind of references (default: as score), of several inputs INPUT=REFERENCES;...; "
            "may be repeated, for one setting each; see below",
            Once,
        ),
        several("--rules RULE", str, "rules of the model (default: rescale); may be repeated"),
        MAX_POOLING,
        layers("score the outputs of these layers instead of the inputs"),
        output(".csv"),
        OVERWRITE,
        SEQUENCES,
        *READING,
        RUN,
    ),
    (
        "sweep model.h5 sequences.npy --target 0 --references zeros \\\n"
        "      --references dinucleotide_shuffle:20 --rules rescale --rules reveal_cancel \\\n"
        "      -o table.csv -o figure.png",
        "sweep model.h5 both.npz --references 'left=zeros;right=shuffle:10' --references zeros",
    ),
    ("targets", "references"),
)

METHODS, METRICS = (
    Command(
        run,
        f"list the {run.__name__}, or explain one and its options",
        LISTING,
        (run.__name__, f"{run.__name__} {example}"),
        ("options of methods and metrics",),
    )
    for run, example in ((listing.methods, "integrated_gradients"), (listing.metrics, "deletion"))
)

CHECK = Command(
    commands.check,
    "check that the conversion and the sums are right",
    (
        *MODEL,
        option("inputs INPUTS", Path, "a data file (default: random)", nargs="?"),
        option(
            "--samples N",
            values.at_least_one,
            "number of samples, the first of INPUTS or random ones (default: 8)",
            default=8,
        ),
        SEQUENCES,
        *READING,
        RULES,
        RUN,
        REFERENCES,
    ),
    (
        "check model.h5",
        "check model.h5 sequences.npy --samples 32 --references shuffle:1 --dtype float64",
    ),
    ("targets", "references", "rules"),
    "Check that the network computes what Keras computes from the same file, where Keras\n"
    "can load it, and that contributions sum to the target's difference at every layer.",
)

STATUS = Command(
    store_commands.status,
    "tell how far a run in a store is",
    (option("store STORE", Path, "the store, RUN.zarr"), JSON, VERBOSE),
    ("status run.zarr",),
    (),
    "Tell what of a run is done and by whom, how fast it goes, and what failed and why.\n"
    "The exit code is 0 where all is done, and 75 where something is left.",
)

MERGE = Command(
    store_commands.merge,
    "put stores of one run together that were filled in different places",
    (
        Option(["stores"], {"type": Path, "metavar": "STORE", "nargs": "+", "help": "a store"}),
        option("-o --output STORE", Path, "the store of all", required=True),
        VERBOSE,
    ),
    ("merge a.zarr b.zarr -o run.zarr",),
)

EXPORT = Command(
    export_commands.export,
    "write a complete run to files of another format, or check such files",
    (
        option("store STORE", Path, "the store, RUN.zarr", nargs="?"),
        option(
            "-o --output FILE",
            Path,
            "a .h5, .npz or .csv file, or .parquet; with --to or --motifs, a folder",
        ),
        option("--arrays NAME,...", values.names, "these arrays only", default=[]),
        KIND,
        OVERWRITE,
        JSON,
        VERBOSE,
        EXPORTS,
    ),
    (
        "export run.zarr -o scores.h5",
        "export run.zarr -o table.csv --arrays predictions",
        "export scores.h5 --to jsonl -o reviews.jsonl",
        "export run.zarr --to modisco --to bigwig -o out/",
        "export run.zarr --motifs out/motifs.h5 -o out/",
        "export --check out/run.ohe.npz out/run.attr.npz out/run.regions.bed --genome hg38.fa",
    ),
    ("formats of exports",),
    "Write a complete run to one file, or to the files of other programs that read one-hot\n"
    "sequences and their contributions. docs/GENOMICS.md says what is in each.",
)

DRAW = Command(
    draw_commands.draw,
    "draw the scores of a run in the form of their kind",
    DRAWING,
    (
        "draw run.zarr -o logos.pdf",
        "draw fold_0.zarr fold_1.zarr -o peak7.png --sample peak7 --hypothetical",
        "draw run.zarr -o logos --motifs out/run.motifs.h5",
        "draw scores.h5 -o heat_maps.png --sample cat.png --style blend",
        "draw table.h5 -o swarm.png",
        "draw reviews.h5 -o reviews.html --target-number 1 --contrast 0",
    ),
    (),
    "Draw sequences as logos of windows on the forward strand, a page each, or a run of\n"
    "saturation_mutagenesis as a heat map under a logo; heat maps over pictures; bars and more of\n"
    "tables; traces of signals; words.",
)

REPORT = Command(
    report_commands.report,
    "write a page that shows a run: its samples, sums, predictions and model",
    report_commands.OPTIONS,
    report_commands.EXAMPLES,
)

VARIANTS = Command(
    variant_commands.variants,
    "score what variants change in a model's outputs",
    genomics_options.VARIANTS,
    (
        "variants model.h5 variants.vcf.gz --genome hg38.fa -o out",
        "variants fold_0.h5 fold_1.h5 variants.vcf --genome hg38.fa -o out --peaks peaks.bed",
        "variants model.h5 variants.tsv --genome hg38.fa -o out --target logcounts:0 \\\n"
        "      --references dinucleotide_shuffle:20",
    ),
    ("targets", "references"),
    "Predict both alleles of each variant in the middle of a window, on both strands, and write\n"
    "what changes: log2 ratios of counts, distances of profiles, differences of other outputs.",
)

MARGINALISE, SPACING, ABLATE, DESIGN = (
    Command(run, summary, genomics_options.EXPERIMENTS[run.__name__], examples, ("targets",))
    for run, summary, examples in experiment_commands.COMMANDS
)

MAXIMIZE = Command(
    maximize_command.maximize,
    "grow images or sequences that make a target large",
    maximize_command.OPTIONS,
    maximize_command.EXAMPLES,
    ("targets",),
)

SIMILARITY = Command(
    layer_commands.similarity,
    "tell how alike the activations of layers are, within a model or between two",
    layer_commands.SIMILARITY_OPTIONS,
    layer_commands.SIMILARITY_EXAMPLES,
)

FILTERS = Command(
    layer_commands.filters,
    "count the letters that filters fire at, and write their motifs",
    layer_commands.FILTERS_OPTIONS,
    layer_commands.FILTERS_EXAMPLES,
)

COMMANDS = (
    *(INSPECT, SCORE, COMPARE, SWEEP, METHODS, METRICS, CHECK, STATUS, MERGE, EXPORT, DRAW, REPORT),
    *(VARIANTS, MARGINALISE, SPACING, ABLATE, DESIGN, MAXIMIZE, SIMILARITY, FILTERS),
)

__all__ = ["COMMANDS"]
