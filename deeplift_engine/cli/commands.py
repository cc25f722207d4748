"""What each command does: from its options, through the library, to what it prints."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import storage
from deeplift_engine.cli import console
from deeplift_engine.cli.data import Array, read_inputs

if TYPE_CHECKING:
    from deeplift_engine.attribution import Attribution
    from deeplift_engine.network import Network

FREE_LENGTH = 64
"""How long a free axis of random inputs is made."""


def inspect(options: argparse.Namespace) -> int:
    """Print a line for each layer."""
    network = _load(options)
    rows = network.describe(rules=_rules(options), max_pooling=options.max_pooling)
    columns = ("name", "class_name", "kind", "shape", "rule", "note")
    cells = [tuple(getattr(row, column) for column in columns) for row in rows]
    about = {
        "model": network.spec.source,
        "keras_version": network.spec.keras_version or "not said",
        "sha256": network.spec.sha256,
        "outputs": list(network.outputs),
    }
    if options.json:
        listed = [dict(zip(columns, row, strict=True)) for row in cells]
        _print_json({**about, "layers": listed})
        return 0
    _print_lines(about)
    console.say("")
    console.say(console.table(columns, [[_text(cell) for cell in row] for row in cells]))
    return 0


def score(options: argparse.Namespace) -> int:
    """Score the inputs and save the result."""
    storage.check_destination(options.output, overwrite=options.overwrite)
    network = _load(options)
    explainer = network.explainer(
        options.method,
        rules=_rules(options),
        target=options.target_layer,
        max_pooling=options.max_pooling,
        layers=options.layers,
    )
    result = explainer.run(
        _read_inputs(options, network),
        target=_target(options),
        references=_references(options),
        batch_size=options.batch_size,
        average=not options.keep_references_apart,
        strict=options.strict,
        progress=False if options.quiet else None,
    )
    result.save(
        options.output,
        overwrite=options.overwrite,
        hypothetical=options.hypothetical,
        command_line=options.command_line,
    )
    summary = {"written": str(options.output), **_summary(result)}
    if options.json:
        _print_json(summary)
    else:
        _print_lines(summary)
    return 0


def check(options: argparse.Namespace) -> int:
    """Compare the network with Keras, and its contributions with the target's difference."""
    network = _load(options)
    if options.inputs is None:
        inputs: Array | dict[str, Array] = _random_inputs(network, options.samples, options.seed)
    else:
        inputs = _first(_read_inputs(options, network), options.samples)
    verification = network.verify(inputs)
    audit = network.audit(
        inputs,
        references=_references(options),
        target=_target(options),
        rules=_rules(options),
    )
    complete = audit.first_break is None
    if options.json:
        _print_json(
            {
                "forward": {"ok": verification.ok, "max_error": verification.max_error},
                "sums": {"ok": complete, "worst": audit.worst, "first_break": audit.first_break},
            }
        )
    else:
        console.say(f"forward: {verification.message}")
        console.say(f"sums:\n{audit}")
    return 0 if verification.ok and complete else 1


def _load(options: argparse.Namespace) -> Network:
    console.start_tensorflow()
    import deeplift_engine

    network: Network = deeplift_engine.load(
        options.model,
        architecture=options.architecture,
        theano_kernels=options.theano_kernels,
        dtype=options.dtype,
    )
    return network


def _rules(options: argparse.Namespace) -> Any:
    if not options.rule:
        return options.rules
    from deeplift_engine.rules.assign import COMPOSITES

    return [*options.rule, *COMPOSITES.get(options.rules, [("default", options.rules)])]


def _target(options: argparse.Namespace) -> Any:
    targets = [make() for make in options.target or ()]
    return targets if len(targets) > 1 else targets[0] if targets else 0


def _references(options: argparse.Namespace) -> Any:
    made = {name: make(options.seed) for name, make in options.references}
    return made.get("") if set(made) <= {""} else made


def _read_inputs(options: argparse.Namespace, network: Network) -> Array | dict[str, Array]:
    names = [info.name for info in network.inputs]
    return read_inputs(options.inputs, dict(options.key), names)


def _first(inputs: Array | dict[str, Array], samples: int) -> Array | dict[str, Array]:
    if isinstance(inputs, Mapping):
        return {name: array[:samples] for name, array in inputs.items()}
    return inputs[:samples]


def _random_inputs(network: Network, samples: int, seed: int) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    return {
        info.name: generator.normal(size=(samples, *(size or FREE_LENGTH for size in info.shape)))
        for info in network.inputs
    }


def _summary(result: Attribution) -> dict[str, Any]:
    """Say what was computed, and how well it sums."""
    scores = result.scores if isinstance(result.scores, Mapping) else {"": result.scores}
    summary: dict[str, Any] = {
        f"scores of {name}" if name else "scores": list(array.shape)
        for name, array in scores.items()
    }
    summary["target_delta_mean"] = float(np.mean(result.target_delta))
    if result.relative_error is not None:
        summary["largest_relative_error"] = float(np.max(result.relative_error))
    return summary


def _print_json(value: Mapping[str, Any]) -> None:
    console.say(json.dumps(value, indent=2, default=str))


def _print_lines(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        console.say(f"{name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, tuple):
        return " x ".join("any" if size is None else str(size) for size in value)
    return str(value or "")
