"""What methods, mutagenesis, references and sweeps cost: ``python -m benchmarks.methods``.

Methods are run on the genomics model beside as many forward passes as their row in the table of
methods says.
"""

from __future__ import annotations

import argparse
import ast
import operator
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import mutagenesis, references
from benchmarks.architectures import GENOMICS, build_keras
from benchmarks.turns import timed
from benchmarks.work import Problem, make_data

SAMPLES, FEW, BAR = 256, 64, 1.3
MANY = 20_000
"""A method that needs more forward passes is run on few samples."""
REPEATS = 7
OPERATIONS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class Setting:
    """How a method is run here: its options, and numbers of its formula that are no options.

    ``each`` are those that are so much for each sample.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    each: Mapping[str, float] = field(default_factory=dict)


SMOOTH = Setting({"of": "gradient", "samples": 10}, each={"P": 2.0})
POSITIONS = {"groups": 200}
SETTINGS: Mapping[str, Setting] = {
    "integrated_gradients": Setting({"steps": 10}),
    "expected_gradients": Setting({"samples": 10}),
    "guided_integrated_gradients": Setting({"steps": 10}),
    "blur_integrated_gradients": Setting({"steps": 10}),
    "smoothgrad": SMOOTH,
    "squaregrad": SMOOTH,
    "vargrad": SMOOTH,
    "layer_conductance": Setting({"steps": 10}),
    "internal_influence": Setting({"steps": 10}),
    "neuron_conductance": Setting({"layer": "dense", "steps": 10}),
    "concept_sensitivity": Setting({"vector": "random"}),
    "score_cam": Setting({}, {"channels": 50}),
    "lrp_epsilon_gamma_box": Setting({"low": 0, "high": 1}),
    "pattern_net": Setting({"patterns": "fitted"}),
    "pattern_attribution": Setting({"patterns": "fitted"}),
    "occlusion": Setting({"window": (1, 4), "way": "whole"}, {"windows": 200}),
    "feature_ablation": Setting({"groups": "positions"}, POSITIONS),
    "feature_permutation": Setting({"groups": "positions", "repeats": 1}, POSITIONS),
    "shapley_sampling": Setting({"groups": 10, "samples": 10}),
    "exact_shapley": Setting({"groups": 6}),
    "kernel_shap": Setting({"groups": 10, "samples": 100}),
    "partition_shap": Setting({"groups": "positions", "samples": 100}),
    "shapley_interactions": Setting({"groups": 6}),
    "lime": Setting({"groups": 10, "samples": 100}),
    "rise": Setting({"samples": 100}),
    "sobol": Setting({"groups": 10, "samples": 8}),
    "hsic": Setting({"groups": 10, "samples": 100}),
    "saturation_mutagenesis": Setting({"way": "whole"}, {"L": 200, "A": 4}),
    "pairwise_mutagenesis": Setting(
        {"positions": range(5), "others": range(5, 10), "way": "whole"}, {"P": 5, "Q": 5, "A": 4}
    ),
}
"""Methods that are not named are run as they are."""
ELSEWHERE = ("xrai",)
"""Methods of images, whose time is not that of passes."""


HEAD = """\
# What methods cost

Written by `python -m benchmarks.methods --write docs/METHOD_COSTS.md`; with `--part NAME` that
part is measured again, and the others stay."""
NOTES = """\
Each method on the genomics model, sequences of 200 x 4: its time over that of as many forward
passes by `Network.predict` as its row in [METHODS.md](METHODS.md) says. Both are sampled in turns
in one process, a sample being as many runs as take a quarter of a second; the time is that of the
fastest sample, the quotient the median over the turns. A pass back counts as one forward."""


def count(formula: str, numbers: Mapping[str, float]) -> float:
    """The value of a formula such as ``"2·N·K·steps + N"``."""

    def value(node: ast.AST) -> float:
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.BinOp):
            return OPERATIONS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name):
            return float(numbers[node.id])
        raise ValueError(f"{formula!r} is no formula of numbers and names")

    counted = formula.partition(";")[0].replace("·", "*").replace("^", "**")
    return value(ast.parse(counted, mode="eval"))


def methods_table(repeats: int = REPEATS, only: Sequence[str] | None = None) -> str:
    """A Markdown table, a line a method."""
    import deeplift_engine as de

    problem = Problem("genomics", GENOMICS, SAMPLES, 1, ())
    made = make_data(problem)
    with TemporaryDirectory(prefix="deeplift-benchmark-") as name:
        path = Path(name) / "model.h5"
        build_keras(problem.architecture, made.weights).save(path)
        network = de.load(path)
    lines = [
        "| method | options | forward passes | N | as many | time | ÷ | bar |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for method in de.methods().values():
        if method.name in ELSEWHERE or (only is not None and method.name not in only):
            continue
        setting = SETTINGS.get(method.name, Setting())
        lines.append(_line(network, method, setting, made.inputs, repeats))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def _line(network: Any, method: Any, setting: Setting, x: Any, repeats: int) -> str:
    options = {name: option.default for name, option in method.options.items()}
    numbers = {"N": len(x), "K": 1, "T": 1, **options, **setting.options, **setting.numbers}
    numbers |= {name: number * len(x) for name, number in setting.each.items()}
    passes = round(count(method.passes, numbers))
    if passes > MANY and len(x) > FEW:
        return _line(network, method, setting, x[:FEW], repeats)
    explainer = network.explainer(method.name, **_options(network, setting, x))
    many = np.resize(x, (passes, *x.shape[1:]))
    works: list[Callable[[], Any]] = [
        lambda: explainer.run(x, target=0, progress=False),
        lambda: network.predict(many, progress=False),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        taken, as_many = timed(works, repeats)
    ratio = taken.over(as_many)
    options = ", ".join(f"{name}={value}" for name, value in setting.options.items())
    verdict = "met" if ratio <= BAR else "**missed**"
    return (
        f"| `{method.name}` | {options} | {method.passes} | {len(x)} | {passes} "
        f"| {taken.seconds * 1e3:.0f} ms | {ratio:.2f} | at most {BAR}: {verdict} |"
    )


def _options(network: Any, setting: Setting, x: Any) -> dict[str, Any]:
    """The options, with what has the inputs' shape or is fitted from them where that is wanted."""
    import deeplift_engine as de

    made: dict[Any, Callable[[], Any]] = {
        "random": lambda: np.random.default_rng(0).normal(size=x.shape[1:]),
        "fitted": lambda: de.fit_patterns(network, x),
    }
    return {
        name: made[said]() if isinstance(said, str) and said in made else said
        for name, said in setting.options.items()
    }


def methods_part(options: argparse.Namespace) -> str:
    """What methods take."""
    return f"{NOTES}\n\n{methods_table(options.repeats, options.only)}"


def mutagenesis_part(options: argparse.Namespace) -> str:
    """What mutagenesis takes."""
    return f"{mutagenesis.NOTES}\n\n{mutagenesis.table(options.repeats)}"


def references_part(options: argparse.Namespace) -> str:
    """What shuffles and sweeps take."""
    sized = argparse.Namespace(quick=False, repeats=options.repeats)
    tables = [*references.shuffle_table(sized), "", *references.sweep_table(sized)]
    return "\n".join([references.NOTES, "", *tables])


PARTS: Mapping[str, tuple[str, Callable[[argparse.Namespace], str]]] = {
    "methods": ("Methods", methods_part),
    "mutagenesis": ("Saturation mutagenesis", mutagenesis_part),
    "references": ("References and sweeps", references_part),
}
"""Headings of the page, and what is measured below them."""


def renewed(page: str, parts: Mapping[str, str]) -> str:
    """The page with these parts, by heading; others stay as they are in it."""
    there = dict(section.rstrip("\n").split("\n\n", 1) for section in page.split("\n## ")[1:])
    there |= parts
    headings = [heading for heading, _ in PARTS.values() if heading in there]
    return "\n\n".join([HEAD, *(f"## {name}\n\n{there[name]}" for name in headings)]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and on request write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.methods", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="timed runs of each")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there")
    parser.add_argument("--part", action="append", choices=PARTS, help="this one; repeatable")
    parser.add_argument(
        "--only", action="append", metavar="METHOD", help="this one, not written; repeatable"
    )
    options = parser.parse_args(arguments)
    if options.only and options.write:
        parser.error("--write takes whole parts: leave --only out")
    chosen = options.part or (["methods"] if options.only else list(PARTS))
    parts = {}
    for name in chosen:
        heading, measure = PARTS[name]
        parts[heading] = measure(options)
        print(renewed("", {heading: parts[heading]}), flush=True)
    if options.write is not None:
        there = options.write.read_text() if options.write.exists() else ""
        options.write.write_text(renewed(there, parts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
