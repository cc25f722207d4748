"""What each command does: from its options, through the library, to what it prints."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import storage, targets
from deeplift_engine.cli import console
from deeplift_engine.cli.custom import read_custom
from deeplift_engine.cli.data import Array, read_inputs
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.plain import plain

if TYPE_CHECKING:
    from deeplift_engine.attribution import Attribution
    from deeplift_engine.explainers.method import Option
    from deeplift_engine.network import Network

Inputs = Array | dict[str, Array]


def inspect(options: argparse.Namespace) -> int:
    """Print a line for each layer, also where some are refused; the error is raised then."""
    rules, pooling = _rules(options) or "rescale", options.max_pooling or "exact"
    network, unsupported = None, None
    custom = _custom(options)
    try:
        network = _load(options, custom)
    except UnsupportedModelError as error:
        import deeplift_engine

        unsupported = error
        found = deeplift_engine.coverage(
            options.model,
            architecture=options.architecture,
            theano_kernels=options.theano_kernels,
            **custom,
            rules=rules,
            max_pooling=pooling,
        )
        about: dict[str, Any] = {"model": found.source}
    else:
        found = network.coverage(rules, pooling)
        about = {
            "model": found.source,
            "keras_version": network.spec.keras_version or "not said",
            "sha256": network.spec.sha256,
            "outputs": list(network.outputs),
        }
    if options.json:
        described = network.describe(rules, pooling) if network else []
        _print_json(
            {
                **about,
                "supported": found.supported,
                "coverage": [asdict(row) for row in found.rows],
                "layers": [asdict(row) for row in described],
            }
        )
    else:
        _print_lines(about)
        console.say(f"\n{found}")
    if unsupported is not None:
        raise unsupported
    return 0


def score(options: argparse.Namespace) -> int:
    """Score the inputs and save the result."""
    storage.check_destination(options.output, overwrite=options.overwrite)
    network = _load(options)
    explainer = network.explainer(
        options.method,
        target=options.target_layer,
        layers=options.layers,
        **_said(rules=_rules(options), max_pooling=options.max_pooling),
        **{name: make() for name, make in options.option},
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
    if options.strict and result.convergence_delta is None:
        console.complain(
            "warning", "--strict checked nothing: these rules need not sum to anything"
        )
    summary = {"written": str(options.output), **_summary(result)}
    if options.json:
        _print_json(summary)
    else:
        _print_lines(summary)
    return 0


def compare(options: argparse.Namespace) -> int:
    """Score by several methods, judge the scores, print the table and write what is wanted."""
    console.start_tensorflow()
    from deeplift_engine.evaluate.comparing import METHODS, METRICS, checked_suffix
    from deeplift_engine.evaluate.comparing import compare as compared

    for path in options.output:
        checked_suffix(path)
        storage.check_place(path, overwrite=options.overwrite)
    network = _load(options)
    found = compared(
        network,
        _read_inputs(options, network),
        [(name, make()) for name, make in options.method] or METHODS,
        target=_target(options),
        references=_references(options),
        metrics=[(name, make()) for name, make in options.metric] or METRICS,
        target_layer=options.target_layer,
        batch_size=options.batch_size,
        progress=False if options.quiet else None,
    )
    for path in options.output:
        found.save(path, overwrite=options.overwrite)
    console.say(found.to_json() if options.json else str(found))
    return 0


def methods(options: argparse.Namespace) -> int:
    """List the methods, or explain one."""
    console.start_tensorflow()
    from deeplift_engine.explainers.table import TABLE, find

    if options.name is None:
        rows = [
            {"name": method.name, "family": method.family, "summary": method.summary}
            for method in TABLE.values()
        ]
        if options.json:
            _print_json({"methods": rows})
        else:
            for row in rows:
                console.say(f"{row['name']:32} {row['summary']}")
        return 0
    method = find(options.name)
    about: dict[str, Any] = {
        "name": method.name,
        "also called": list(method.aliases),
        "family": method.family,
        "summary": method.summary,
        "source": method.source,
        "forward passes": method.passes,
        "sums to the target's difference": method.complete,
    }
    if options.json:
        _print_json({**about, "options": [_option(o) for o in method.options.values()]})
        return 0
    _print_lines({name: value for name, value in about.items() if value != []})
    for name, option in method.options.items():
        value = "...   (must be given)" if option.required else option.default
        console.say(f"\n--option {name}={value}\n{console.wrapped(option.text)}")
    return 0


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "required": option.required,
        "default": None if option.required else option.default,
        "text": option.text,
    }


def check(options: argparse.Namespace) -> int:
    """Compare the network with Keras, and its contributions with the target's difference."""
    network = _load(options)
    from deeplift_engine.verify import random_inputs

    if options.inputs is None:
        drawn = random_inputs(network, options.samples, options.seed)
        inputs: Inputs = dict(zip(_names(network), drawn, strict=True))
    else:
        inputs = _first(_read_inputs(options, network), options.samples)
    target = _target(options)
    if target is None:
        target = _all_units(network, inputs, options)
    verification = network.verify(inputs)
    audit = network.audit(
        inputs,
        references=_references(options),
        target=target,
        rules=_rules(options) or "rescale",
        target_layer=options.target_layer,
        max_pooling=options.max_pooling or "exact",
    )
    if options.json:
        _print_json({"forward": asdict(verification), "sums": {"ok": audit.ok, **asdict(audit)}})
    else:
        console.say(f"{verification.message}\n\n{audit}\n")
        broken = audit.first_break
        console.say(
            f"Contributions sum to the target's difference at every layer (largest relative error "
            f"{audit.worst.error:.2g})."
            if broken is None
            else f"Contributions do not sum to the target's difference: {broken.layer} "
            f"({broken.class_name}, {broken.rule}) is the first layer to break it, by "
            f"{broken.error:.2g} (tolerance {audit.tolerance:g})."
        )
    return 0 if verification.ok is not False and audit.ok else 1


def _load(
    options: argparse.Namespace, custom: Mapping[str, Mapping[str, Any]] | None = None
) -> Network:
    given = _custom(options) if custom is None else custom
    import deeplift_engine

    network: Network = deeplift_engine.load(
        options.model,
        architecture=options.architecture,
        theano_kernels=options.theano_kernels,
        **given,
        dtype=options.dtype,
    )
    return network


def _custom(options: argparse.Namespace) -> dict[str, Mapping[str, Any]]:
    console.start_tensorflow()
    return read_custom(options.custom)


def _rules(options: argparse.Namespace) -> Any:
    """What the user says of rules; None for nothing."""
    if not options.rule:
        return options.rules
    from deeplift_engine.rules.assign import COMPOSITES

    rest = options.rules or "rescale"
    return [*options.rule, *COMPOSITES.get(rest, [("default", rest)])]


def _said(**values: Any) -> dict[str, Any]:
    """Those that the user gave; a method that does not take them says so."""
    return {name: value for name, value in values.items() if value is not None}


def _target(options: argparse.Namespace) -> Any:
    made = [make() for make in options.target or ()]
    return made if len(made) > 1 else made[0] if made else None


def _all_units(network: Network, inputs: Inputs, options: argparse.Namespace) -> Any:
    """Take a weighted sum of all units, drawn at random, so that a check passes none over."""
    node = network.target_node(options.target_layer)
    shape = network.activations(_first(inputs, 1), [node])[node].shape[1:]
    return targets.weights(np.random.default_rng(options.seed).normal(size=shape))


def _references(options: argparse.Namespace) -> Any:
    made = {name: make(options.seed) for name, make in options.references}
    return made.get("") if set(made) <= {""} else made


def _names(network: Network) -> list[str]:
    return [info.name for info in network.inputs]


def _read_inputs(options: argparse.Namespace, network: Network) -> Inputs:
    return read_inputs(options.inputs, dict(options.key), _names(network))


def _first(inputs: Inputs, samples: int) -> Inputs:
    if isinstance(inputs, Mapping):
        return {name: array[:samples] for name, array in inputs.items()}
    return inputs[:samples]


def _summary(result: Attribution) -> dict[str, Any]:
    """Say what was computed, and how well it sums."""
    scores = result.scores if isinstance(result.scores, Mapping) else {"": result.scores}
    summary: dict[str, Any] = {
        f"scores of {name}" if name else "scores": list(array.shape)
        for name, array in scores.items()
    }
    if result.target_delta is not None:
        summary["target_delta_mean"] = float(np.mean(result.target_delta))
    if result.relative_error is not None:
        summary["largest_relative_error"] = float(np.max(result.relative_error))
    return summary


def _print_json(value: Mapping[str, Any]) -> None:
    console.say(json.dumps(value, indent=2, default=plain))


def _print_lines(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        console.say(f"{name}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, tuple):
        return " x ".join("any" if size is None else str(size) for size in value)
    return str(value or "")
