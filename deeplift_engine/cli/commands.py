"""The commands that compute: each takes parsed options, calls the library and prints a result."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.cli import arguments, console, sequence_inputs, store_commands
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import (
    DeepliftEngineError,
    InputError,
    ModelFileError,
    OutputError,
    UnsupportedModelError,
)
from deeplift_engine.figures import draw_sweep
from deeplift_engine.results.head_results import target_in_words
from deeplift_engine.util import storage, tables
from deeplift_engine.util.letters import has_letters
from deeplift_engine.util.named_inputs import told_by

if TYPE_CHECKING:
    from deeplift_engine.network import Network
    from deeplift_engine.results.attribution import Arrays, Attribution
    from deeplift_engine.util.typing import Array

FEW = 100
"""Samples that are looked at to tell one-hot sequences."""
SCORES_ALONE = ("map", "perturbation")
"""Families of methods without multipliers."""


def inspect(options: argparse.Namespace) -> int:
    """Print a line for each layer; raise the error afterwards where some are refused."""
    rules, pooling = arguments.rules(options) or "rescale", options.max_pooling or "exact"
    network: Network | None = None
    unsupported: DeepliftEngineError | None = None
    custom = arguments.custom_definitions(options)
    try:
        network = arguments.load(options, custom)
    except (ModelFileError, UnsupportedModelError) as error:
        import deeplift_engine

        unsupported = error
        coverage = deeplift_engine.coverage(
            options.model,
            architecture=options.architecture,
            backend=options.backend,
            theano_kernels=options.theano_kernels,
            data_format=options.data_format,
            **custom,
            behind=arguments.behind(options.behind),
            rules=rules,
            max_pooling=pooling,
        )
        about: dict[str, Any] = {"model": coverage.source}
    else:
        coverage = network.coverage(rules, pooling)
        about = {
            "model": coverage.source,
            "keras_version": network.spec.keras_version or "unknown",
            "sha256": network.spec.sha256,
            "outputs": list(network.output_names),
        }
        if network.spec.fronts:
            about["applied beforehand"] = [
                f"{name} ({front.class_name})" for name, front in network.spec.fronts.items()
            ]
    if options.json:
        described = network.describe(rules, pooling) if network else []
        print_json(
            {
                **about,
                "supported": coverage.supported,
                "coverage": [asdict(row) for row in coverage.rows],
                "layers": [asdict(row) for row in described],
            }
        )
    else:
        print_lines(about)
        console.say(f"\n{coverage}")
    if unsupported is not None:
        raise unsupported
    return 0


def score(options: argparse.Namespace) -> int:
    """Score the inputs and save the result."""
    if store_commands.is_store(options.output):
        return store_commands.score(options)
    store_commands.refuse_options_of_a_store(options)
    storage.check_destination(options.output, overwrite=options.overwrite)
    console.postpone_tensorflow()
    from deeplift_engine.explainers.catalogue import find

    method = find(options.method)
    chosen = arguments.method_options(options, method)
    axis = options.hypothetical_axis
    hypothetical = options.hypothetical or axis is not None
    if hypothetical and (options.layers or method.family in SCORES_ALONE):
        raise InputError(
            "--hypothetical contributions are those of letters at an input, from multipliers: "
            + (
                "run without --layers"
                if options.layers
                else f"{method.name} has none; leave it out"
            )
        )
    network, explainer, units = arguments.explainer(options, chosen)
    inputs = arguments.inputs(options, network)
    if hypothetical and axis is None:
        arguments.check_letters(inputs)
    result = explainer.run(inputs, **arguments.scoring_options(options, network, units, inputs))
    known = told_by(inputs)
    constants = known.get("constants", {})
    result = replace(result, settings={**result.settings, **known.get("about", {})})
    result.save(
        options.output,
        overwrite=options.overwrite,
        hypothetical=hypothetical if axis is None else result.hypothetical_contributions(axis),
        command_line=options.command_line,
        constants=constants,
    )
    if options.strict and result.convergence_delta is None:
        console.complain(
            "warning", "--strict checked nothing: these rules need not sum to anything"
        )
    records = sequence_inputs.records_in_words(constants)
    summary = {
        "written": str(options.output),
        **_about(result, options),
        **records,
        **_summary(result),
    }
    if options.json:
        print_json(summary)
    else:
        print_lines(summary)
    return 0


def compare(options: argparse.Namespace) -> int:
    """Score by several methods, judge the scores, print the table and write files of it."""
    console.postpone_tensorflow()
    from deeplift_engine.evaluate.compare_methods import METHODS, METRICS, TABLES
    from deeplift_engine.evaluate.compare_methods import compare as compare_methods
    from deeplift_engine.evaluate.metrics import find_metric
    from deeplift_engine.explainers.catalogue import find

    _check_outputs(options, "comparisons", TABLES)
    methods, metrics = (
        [
            (name, arguments.seeded(value(), look_up(name).options, options.seed))
            for name, value in chosen or [(name, dict) for name in defaults]
        ]
        for chosen, defaults, look_up in (
            (options.method, METHODS, find),
            (options.metric, METRICS, find_metric),
        )
    )
    network = arguments.load(options)
    inputs = arguments.inputs(options, network)
    comparison = compare_methods(
        network,
        inputs,
        methods,
        references=arguments.references(options, network, inputs),
        metrics=metrics,
        groups=options.groups and options.groups(),
        target_layer=options.target_layer,
        layers=options.layers,
        **arguments.run_options(options),
    )
    console.say(comparison.to_json() if options.json else str(comparison))
    for path in options.output:
        comparison.save(path, overwrite=options.overwrite)
    return 0


def sweep(options: argparse.Namespace) -> int:
    """Score under several references and rules, print the table and write files of it."""
    _check_outputs(options, "sweeps", (".csv",))
    network = arguments.load(options)
    names, seed = arguments.names(network), options.seed or 0
    inputs = arguments.inputs(options, network)
    result = network.sweep(
        inputs,
        {
            text: arguments.by_input(arguments.keyed(pairs, network), seed, names, inputs)
            for text, pairs in options.references or [(_default_references(network), ())]
        },
        options.rules or "rescale",
        target_layer=options.target_layer,
        layers=options.layers,
        max_pooling=options.max_pooling or "exact",
        **arguments.run_options(options),
    )
    if options.json:
        print_json({"rows": result.rows()})
    else:
        console.say(str(result))
    for path in options.output:
        if (kind := path.suffix.lower()) in tables.PICTURES:
            picture = tables.to_picture(draw_sweep(result), kind)
            storage.write_bytes(path, picture, overwrite=options.overwrite)
        else:
            result.save(path, overwrite=options.overwrite)
    return 0


def check(options: argparse.Namespace) -> int:
    """Compare the network with Keras, and sums of contributions with the target's difference."""
    network = arguments.load(options)
    from deeplift_engine.engine.probe_inputs import random_inputs

    read: Any = None
    if options.inputs is None:
        drawn = random_inputs(network.inputs, network.dtype, options.samples, options.seed or 0)
        inputs: arguments.Inputs = dict(zip(arguments.names(network), drawn, strict=True))
    else:
        read = arguments.inputs(options, network)
        inputs = arguments.first(read, options.samples)
    layer, target = arguments.one_target(options, network)
    if target is None:
        target = arguments.all_units(network, inputs, layer, options)
    verification = network.verify(inputs)
    audit = network.audit(
        inputs,
        references=arguments.references(options, network, read),
        target=target,
        rules=arguments.rules(options) or "rescale",
        target_layer=layer,
        max_pooling=options.max_pooling or "exact",
    )
    if options.json:
        print_json({"forward": asdict(verification), "sums": {"ok": audit.ok, **asdict(audit)}})
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


def _check_outputs(options: argparse.Namespace, what: str, suffixes: Sequence[str]) -> None:
    """Refuse files that cannot be written, before any work."""
    for path in options.output:
        tables.checked_suffix(path, what, suffixes)
        storage.check_writable(path, overwrite=options.overwrite)
    files = [path.resolve() for path in options.output]
    if twice := [path for path in options.output if files.count(path.resolve()) > 1]:
        raise OutputError(f"{twice[0]} is an output more than once: name each file once.")


def _about(result: Attribution, options: argparse.Namespace) -> dict[str, Any]:
    """What was explained, how, and against what, also where the user left it to the defaults."""
    settings = result.settings
    rules = settings["options"].get("rules")
    if isinstance(rules, list):
        rules = [f"{layers}={rule}" for layers, rule in rules]
    about = {
        "method": settings["method"],
        "target": target_in_words(settings),
        "references": settings["references"],
        "rules": rules,
    }
    letters = _have_letters(result.inputs)
    if letters and result.multipliers is not None:
        saved = "saved" if options.hypothetical else "not saved; --hypothetical adds them"
        about["hypothetical"] = saved
    if letters and not options.references and "zeros" in str(settings["references"]):
        about["note"] = (
            "zeros are no sequence; --references dinucleotide_shuffle:20 compares the one-hot "
            "inputs with shuffles of themselves"
        )
    return {name: value for name, value in about.items() if value}


def _by_name(arrays: Arrays) -> Mapping[str, Array]:
    return arrays if isinstance(arrays, Mapping) else {"": arrays}


def _have_letters(inputs: Arrays) -> bool:
    """Whether some inputs are sequences of letters, (N, positions, letters)."""
    few = [np.asarray(array[:FEW], "float32") for array in _by_name(inputs).values()]
    return any(array.ndim == 3 and has_letters(array, -1) for array in few)


def _default_references(network: Network) -> str:
    """A name for what samples are compared with where the user says nothing."""
    masked = any(info.padding is not None for info in network.inputs)
    return "default" if masked else "zeros"


def _summary(result: Attribution) -> dict[str, Any]:
    """The shapes of the scores, and how well they sum."""
    scores = _by_name(result.scores)
    summary: dict[str, Any] = {
        f"scores of {name}" if name else "scores": list(array.shape)
        for name, array in scores.items()
    }
    if result.target_delta is not None:
        summary["target_delta_mean"] = float(np.mean(result.target_delta))
    if result.relative_error is not None:
        summary["largest_relative_error"] = float(np.max(result.relative_error))
    return summary
