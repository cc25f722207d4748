"""The options of every command, and the help that explains them with examples."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deeplift_engine.cli import commands, texts, values
from deeplift_engine.cli.console import PROGRAM
from deeplift_engine.version import __version__


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog=PROGRAM, **_texts(texts.DESCRIPTION, texts.EXAMPLES))
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)

    inspect = subparsers.add_parser(
        "inspect",
        help="show a model's layers and the rule each gets",
        **_texts(
            "Show what becomes of each layer: exact, approximate or refused, and by which rule.",
            texts.INSPECT,
        ),
    )
    _add_model(inspect)
    _add_rules(inspect)
    inspect.set_defaults(run=commands.inspect)

    score = subparsers.add_parser(
        "score",
        help="compute contribution scores and save them",
        **_texts(
            "Score inputs: what each of their elements contributes to the target.", texts.SCORE
        ),
    )
    _add_model(score)
    score.add_argument("inputs", type=Path, metavar="INPUTS", help="a .npy, .npz or .h5 file")
    score.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="a .h5 or .npz file"
    )
    score.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    _add_rules(score)
    _add_run(score)
    score.add_argument(
        "--method",
        default="deeplift",
        metavar="NAME",
        help="the method (default: deeplift); `methods` lists all",
    )
    score.add_argument(
        "--option",
        type=values.option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the method; may be repeated; `methods NAME` explains them",
    )
    score.add_argument(
        "--layers",
        type=values.names,
        metavar="NAME,...",
        help="score the outputs of these layers instead of the inputs",
    )
    score.add_argument(
        "--keep-references-apart",
        action="store_true",
        help="one score for each reference, instead of their average",
    )
    score.add_argument(
        "--hypothetical", action="store_true", help="also save hypothetical contributions"
    )
    score.add_argument(
        "--strict",
        action="store_true",
        help="fail, and write nothing, where contributions do not sum to the target's difference",
    )
    score.set_defaults(run=commands.score)

    compare = subparsers.add_parser(
        "compare",
        help="score by several methods and judge the scores",
        **_texts(
            "Score the same samples by several methods, and judge the scores by several metrics.",
            texts.COMPARE,
        ),
    )
    _add_model(compare)
    compare.add_argument("inputs", type=Path, metavar="INPUTS", help="a .npy, .npz or .h5 file")
    compare.add_argument(
        "--method",
        type=values.named,
        action="append",
        default=[],
        metavar="NAME[:OPTION=VALUE;...]",
        help="a method, with its options; may be repeated",
    )
    compare.add_argument(
        "--metric",
        type=values.named,
        action="append",
        default=[],
        metavar="NAME[:OPTION=VALUE;...]",
        help="a metric, with its options; may be repeated",
    )
    compare.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a table (.json, .csv) or a figure (.png, .pdf, .svg); may be repeated",
    )
    compare.add_argument("--overwrite", action="store_true", help="replace files that are there")
    _add_run(compare)
    compare.set_defaults(run=commands.compare)

    methods = subparsers.add_parser(
        "methods",
        help="list the methods, or explain one and its options",
        **_texts("List every method, or explain one and its options.", texts.METHODS),
    )
    methods.add_argument("name", nargs="?", metavar="NAME", help="explain this one")
    methods.add_argument("--json", action="store_true", help="print the result as JSON")
    methods.add_argument("-v", "--verbose", action="store_true", help=argparse.SUPPRESS)
    methods.set_defaults(run=commands.methods)

    check = subparsers.add_parser(
        "check",
        help="check that the conversion and the sums are right",
        **_texts(
            "Check that the network computes what Keras computes from the same file, where Keras\n"
            "can load it, and that contributions sum to the target's difference at every layer.",
            texts.CHECK,
        ),
    )
    _add_model(check)
    check.add_argument(
        "inputs", type=Path, nargs="?", metavar="INPUTS", help="a data file (default: random)"
    )
    _add_rules(check)
    _add_run(check)
    check.add_argument(
        "--samples",
        type=values.at_least_one,
        default=8,
        metavar="N",
        help="how many samples, the first of INPUTS or random ones (default: 8)",
    )
    check.set_defaults(run=commands.check)
    return parser


def _texts(description: str, epilog: str) -> dict[str, Any]:
    return {
        "description": description,
        "epilog": epilog,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="the saved model, or its weights")
    group = parser.add_argument_group("the model")
    group.add_argument(
        "--architecture",
        type=Path,
        metavar="FILE",
        help="JSON or YAML configuration, where MODEL holds weights only",
    )
    group.add_argument(
        "--theano-kernels",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the kernels were trained under Theano, which flips them in space",
    )
    group.add_argument(
        "--custom",
        type=Path,
        metavar="FILE",
        help="a Python file of yours that says what custom layers and Lambdas are, by "
        "LAYERS = {...} and FUNCTIONS = {...} as load() takes them; it is run",
    )
    group.add_argument(
        "--dtype",
        choices=("float32", "float64"),
        default="float32",
        help="what to compute in (default: float32)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="tell of choices made")


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the rules")
    group.add_argument(
        "--rules",
        metavar="RULE",
        help="the rules of the whole model (default: the method's, rescale); see below",
    )
    group.add_argument(
        "--rule",
        type=values.pair,
        action="append",
        default=[],
        metavar="LAYER=RULE",
        help="another rule for one layer, or a family of layers; may be repeated",
    )
    group.add_argument(
        "--max-pooling",
        choices=("exact", "gradient"),
        help="exact sums (default), or the gradient, as the original implementation",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the run")
    group.add_argument(
        "--key",
        type=values.optional_pair,
        action="append",
        default=[],
        metavar="[INPUT=]NAME",
        help="name of the array in INPUTS; with several inputs, one for each",
    )
    group.add_argument(
        "--target",
        type=values.target,
        action="append",
        metavar="TARGET",
        help="what to explain; may be repeated; see below",
    )
    group.add_argument(
        "--target-layer",
        default="logits",
        metavar="NAME",
        help="logits (default): before a final softmax or sigmoid; output; or a layer's name",
    )
    group.add_argument(
        "--references",
        type=values.input_references,
        action="append",
        default=[],
        metavar="[INPUT=]REFERENCES",
        help="what to compare with (default: zeros); see below",
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="for everything random (default: 0)"
    )
    group.add_argument(
        "--batch-size",
        type=values.at_least_one,
        metavar="N",
        help="how many to walk together (default: by the size of the network)",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
