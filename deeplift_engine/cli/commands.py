"""What each command does: from its options, through the library, to what it prints."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.cli import arguments as asked
from deeplift_engine.cli import console
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError, UnsupportedModelError
from deeplift_engine.figures import draw_sweep
from deeplift_engine.util import storage
from deeplift_engine.util import tables as exports

if TYPE_CHECKING:
    from deeplift_engine.results.attribution import Attribution

SCORES_ALONE = ("map", "perturbation")
"""Families of methods that have no multipliers."""


def inspect(options: argparse.Namespace) -> int:
    """Print a line for each layer, also where some are refused; the error is raised then."""
    rules, pooling = asked.rules(options) or "rescale", options.max_pooling or "exact"
    network, unsupported = None, None
    custom = asked.custom(options)
    try:
        network = asked.load(options, custom)
    except UnsupportedModelError as error:
        import deeplift_engine

        unsupported = error
        found = deeplift_engine.coverage(
            options.model,
            architecture=options.architecture,
            backend=options.backend,
            theano_kernels=options.theano_kernels,
            data_format=options.data_format,
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
        print_json(
            {
                **about,
                "supported": found.supported,
                "coverage": [asdict(row) for row in found.rows],
                "layers": [asdict(row) for row in described],
            }
        )
    else:
        print_lines(about)
        console.say(f"\n{found}")
    if unsupported is not None:
        raise unsupported
    return 0


def score(options: argparse.Namespace) -> int:
    """Score the inputs and save the result."""
    storage.check_destination(options.output, overwrite=options.overwrite)
    console.start_tensorflow()
    from deeplift_engine.explainers.catalogue import find

    method = find(options.method)
    given = asked.method_options(options, method)
    if options.hypothetical and (options.layers or method.family in SCORES_ALONE):
        raise InputError(
            "--hypothetical contributions are those of letters at an input, from multipliers: "
            + (
                "run without --layers"
                if options.layers
                else f"{method.name} has none; leave it out"
            )
        )
    network = asked.load(options)
    explainer = network.explainer(
        options.method, target=options.target_layer, layers=options.layers, **given
    )
    result = explainer.run(
        asked.inputs(options, network),
        target=asked.target(options),
        references=asked.references(options, network),
        batch_size=options.batch_size,
        average=not options.keep_references_apart,
        standard_errors=options.standard_errors,
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
        print_json(summary)
    else:
        print_lines(summary)
    return 0


def compare(options: argparse.Namespace) -> int:
    """Score by several methods, judge the scores, print the table and write what is wanted."""
    console.start_tensorflow()
    from deeplift_engine.evaluate.compare_methods import METHODS, METRICS, TABLES
    from deeplift_engine.evaluate.compare_methods import compare as compared
    from deeplift_engine.evaluate.metrics import find_metric
    from deeplift_engine.explainers.catalogue import find

    for path in options.output:
        exports.checked_suffix(path, "comparisons", TABLES)
        storage.check_place(path, overwrite=options.overwrite)
    methods = [(name, make()) for name, make in options.method] or [(name, {}) for name in METHODS]
    metrics = [(name, make()) for name, make in options.metric] or [(name, {}) for name in METRICS]
    seed = options.seed
    network = asked.load(options)
    found = compared(
        network,
        asked.inputs(options, network),
        [(name, asked.seeded(given, find(name).options, seed)) for name, given in methods],
        target=asked.target(options),
        references=asked.references(options, network),
        metrics=[
            (name, asked.seeded(given, find_metric(name).options, seed)) for name, given in metrics
        ],
        groups=options.groups and options.groups(),
        target_layer=options.target_layer,
        layers=options.layers,
        batch_size=options.batch_size,
        progress=False if options.quiet else None,
    )
    console.say(found.to_json() if options.json else str(found))
    for path in options.output:
        found.save(path, overwrite=options.overwrite)
    return 0


def sweep(options: argparse.Namespace) -> int:
    """Score under several references and rules, print the table and write what is wanted."""
    for path in options.output:
        exports.checked_suffix(path, "sweeps", (".csv",))
        storage.check_place(path, overwrite=options.overwrite)
    network = asked.load(options)
    names, seed = asked.names(network), options.seed or 0
    found = network.sweep(
        asked.inputs(options, network),
        {
            text: asked.by_input(given, seed, names)
            for text, given in options.references or [("zeros", ())]
        },
        options.rules or "rescale",
        target=asked.target(options),
        target_layer=options.target_layer,
        layers=options.layers,
        max_pooling=options.max_pooling,
        batch_size=options.batch_size,
        progress=False if options.quiet else None,
    )
    if options.json:
        print_json({"rows": found.rows()})
    else:
        console.say(str(found))
    for path in options.output:
        if (kind := path.suffix.lower()) in exports.PICTURES:
            picture = exports.to_picture(draw_sweep(found), kind)
            storage.write_bytes(path, picture, overwrite=options.overwrite)
        else:
            found.save(path, overwrite=options.overwrite)
    return 0


def check(options: argparse.Namespace) -> int:
    """Compare the network with Keras, and its contributions with the target's difference."""
    network = asked.load(options)
    from deeplift_engine.engine.probe_inputs import random_inputs

    if options.inputs is None:
        drawn = random_inputs(network.inputs, network.dtype, options.samples, options.seed or 0)
        inputs: asked.Inputs = dict(zip(asked.names(network), drawn, strict=True))
    else:
        inputs = asked.first(asked.inputs(options, network), options.samples)
    target = asked.target(options)
    if target is None:
        target = asked.all_units(network, inputs, options)
    verification = network.verify(inputs)
    audit = network.audit(
        inputs,
        references=asked.references(options, network),
        target=target,
        rules=asked.rules(options) or "rescale",
        target_layer=options.target_layer,
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
