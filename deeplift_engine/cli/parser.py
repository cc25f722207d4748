"""The options of every command, and the help that explains them with examples."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from deeplift_engine.cli import commands, listing
from deeplift_engine.cli import help_texts as texts
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.console import PROGRAM
from deeplift_engine.version import __version__


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    parser = argparse.ArgumentParser(prog=PROGRAM, **_texts(texts.DESCRIPTION, texts.EXAMPLES))
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_inspect, _score, _compare, _sweep, _methods, _metrics, _check):
        add(subparsers)
    return parser


class Once(argparse.Action):
    """Collect pairs (name, value), of which each name may be there once."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Add one, or stop where its name is there."""
        found = getattr(namespace, self.dest)
        if values[0] in dict(found):
            name = f"{values[0]}=" if values[0] else "a name"
            raise argparse.ArgumentError(self, f"{name} is given twice; leave one out")
        setattr(namespace, self.dest, [*found, values])


def _inspect(subparsers: Any) -> None:
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


def _score(subparsers: Any) -> None:
    score = subparsers.add_parser(
        "score",
        help="compute contribution scores and save them",
        **_texts(
            "Score inputs: what each of their elements contributes to the target.", texts.SCORE
        ),
    )
    _add_model(score)
    _add_inputs(score)
    score.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="a .h5 or .npz file"
    )
    score.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    _add_rules(score)
    _add_run(score)
    _add_references(score)
    score.add_argument(
        "--method",
        default="deeplift",
        metavar="NAME",
        help="the method (default: deeplift); `methods` lists all",
    )
    score.add_argument(
        "--option",
        type=values.option,
        action=Once,
        default=[],
        metavar="NAME=VALUE",
        help="an option of the method; may be repeated; `methods NAME` explains them",
    )
    _add_layers(score, "score the outputs of these layers instead of the inputs")
    score.add_argument(
        "--keep-references-apart",
        action="store_true",
        help="one score for each reference, instead of their average",
    )
    score.add_argument(
        "--standard-errors",
        action="store_true",
        help="also save the standard errors of averages over references",
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


def _compare(subparsers: Any) -> None:
    compare = subparsers.add_parser(
        "compare",
        help="score by several methods and judge the scores",
        **_texts(
            "Score the same samples by several methods, and judge the scores by several metrics.",
            texts.COMPARE,
        ),
    )
    _add_model(compare)
    _add_inputs(compare)
    for what in ("method", "metric"):
        compare.add_argument(
            f"--{what}",
            type=values.named,
            action="append",
            default=[],
            metavar="NAME[:OPTION=VALUE;...]",
            help=f"a {what}, with its options (in quotes); may be repeated",
        )
    compare.add_argument(
        "--groups",
        type=values.groups,
        metavar="GROUPS",
        help="what is erased together: positions (all letters of each), a number of cells, or "
        "@FILE, numbers of groups in one sample's shape (default: each element by itself)",
    )
    _add_layers(
        compare,
        "judge scores of the outputs of these layers, as of an embedding, not of the inputs",
    )
    _add_outputs(compare, ".json, .csv")
    _add_run(compare)
    _add_references(compare)
    compare.set_defaults(run=commands.compare)


def _sweep(subparsers: Any) -> None:
    sweep = subparsers.add_parser(
        "sweep",
        help="score under several references and rules, and say how far they agree",
        **_texts(
            "DeepLIFT scores under all pairs of references and rules at once, in one table.",
            texts.SWEEP,
        ),
    )
    _add_model(sweep)
    _add_inputs(sweep)
    sweep.add_argument(
        "--references",
        type=values.setting,
        action=Once,
        default=[],
        metavar="REFERENCES",
        help="one kind of references (default: zeros), of several inputs INPUT=REFERENCES;...; "
        "may be repeated, for one setting each; see below",
    )
    sweep.add_argument(
        "--rules",
        action="append",
        metavar="RULE",
        help="rules of the whole model (default: rescale); may be repeated",
    )
    sweep.add_argument(
        "--max-pooling",
        choices=("exact", "gradient"),
        default="exact",
        help="exact sums (default), or the gradient, as the original implementation",
    )
    _add_layers(sweep, "score the outputs of these layers instead of the inputs")
    _add_outputs(sweep, ".csv")
    _add_run(sweep)
    sweep.set_defaults(run=commands.sweep)


def _methods(subparsers: Any) -> None:
    methods = subparsers.add_parser(
        "methods",
        help="list the methods, or explain one and its options",
        **_texts("List every method, or explain one and its options.", texts.METHODS),
    )
    _add_listing(methods)
    methods.set_defaults(run=listing.methods)


def _metrics(subparsers: Any) -> None:
    metrics = subparsers.add_parser(
        "metrics",
        help="list the metrics, or explain one and its options",
        **_texts("List every metric, or explain one and its options.", texts.METRICS),
    )
    _add_listing(metrics)
    metrics.set_defaults(run=listing.metrics)


def _check(subparsers: Any) -> None:
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
    _add_references(check)
    check.add_argument(
        "--samples",
        type=values.at_least_one,
        default=8,
        metavar="N",
        help="how many samples, the first of INPUTS or random ones (default: 8)",
    )
    check.set_defaults(run=commands.check)


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
        "--backend",
        metavar="NAME",
        help="what the model was trained on, where the file does not say: tensorflow, theano,"
        " torch, jax ...; Theano's kernels are flipped, and its borders and windows are others",
    )
    group.add_argument(
        "--theano-kernels",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the same as --backend theano",
    )
    group.add_argument(
        "--data-format",
        choices=("channels_first", "channels_last"),
        help="axes of UpSampling, ZeroPadding and Cropping of Keras 1, where nothing tells",
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


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("inputs", type=Path, metavar="INPUTS", help="a .npy, .npz or .h5 file")


def _add_layers(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--layers", type=values.names, metavar="NAME,...", help=text)


def _add_outputs(parser: argparse.ArgumentParser, tables: str) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=f"a table ({tables}) or a figure (.png, .pdf, .svg); may be repeated",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")


def _add_listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="explain this one")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help=argparse.SUPPRESS)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the rules")
    group.add_argument(
        "--rules",
        metavar="RULE",
        help="the rules of the whole model (default: the method's own); see below",
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
        action=Once,
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
        "--seed",
        type=int,
        metavar="N",
        help="for everything random, references, methods and metrics, where its own options do "
        "not say (default: 0)",
    )
    group.add_argument(
        "--batch-size",
        type=values.at_least_one,
        metavar="N",
        help="how many to walk together (default: by the size of the network)",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="no progress bar")


def _add_references(parser: argparse.ArgumentParser) -> None:
    parser.add_argument_group("the references").add_argument(
        "--references",
        type=values.input_references,
        action="append",
        default=[],
        metavar="[INPUT=]REFERENCES",
        help="what to compare with (default: zeros); several of one input are one set; see below",
    )
