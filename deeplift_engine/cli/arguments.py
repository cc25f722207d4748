"""What the user asked for, as the library takes it: the network, data, references, options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import references as kinds
from deeplift_engine.cli import console
from deeplift_engine.cli.custom_file import read_custom
from deeplift_engine.cli.input_files import read_inputs
from deeplift_engine.engine import targets
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.explainers.method import Method, Option
    from deeplift_engine.network import Network

Inputs = Array | dict[str, Array]
Given = Iterable[tuple[str, Callable[[int], Any]]]
"""References by the name of an input, empty where none was said, made of a seed."""


def load(
    options: argparse.Namespace, layers: Mapping[str, Mapping[str, Any]] | None = None
) -> Network:
    """The network of the model's options; ``layers`` are what `custom` read before."""
    given = custom(options) if layers is None else layers
    import deeplift_engine

    network: Network = deeplift_engine.load(
        options.model,
        architecture=options.architecture,
        backend=options.backend,
        theano_kernels=options.theano_kernels,
        data_format=options.data_format,
        **given,
        dtype=options.dtype,
    )
    return network


def custom(options: argparse.Namespace) -> dict[str, Mapping[str, Any]]:
    """What the file of ``--custom`` says."""
    console.start_tensorflow()
    return read_custom(options.custom)


def rules(options: argparse.Namespace, rest: Any = "rescale") -> Any:
    """What the user says of rules, None for nothing; ``rest`` is that of layers not named."""
    if not options.rule:
        return options.rules
    from deeplift_engine.rules.deeplift.assign import COMPOSITES

    rest = options.rules or rest
    return [*options.rule, *COMPOSITES.get(rest, [("default", rest)])]


def method_options(options: argparse.Namespace, method: Method) -> dict[str, Any]:
    """The options of the method of ``score``, checked.

    Raises
    ------
    RuleError
        For one that the method does not take, or that is said in two ways.
    """
    given = {name: make() for name, make in options.option}
    known = method.options
    rest = known["rules"].default if "rules" in known else "rescale"
    for name, value in (
        ("rules", rules(options, rest)),
        ("max_pooling", options.max_pooling),
    ):
        if value is not None and name in given:
            raise RuleError(
                f"--option {name}= says the same as --{name.replace('_', '-')}"
                f"{' and --rule' if name == 'rules' else ''}: give one of them."
            )
        if value is not None:
            given[name] = value
    given = seeded(given, known, options.seed)
    method.check(given)
    return given


def seeded(given: dict[str, Any], known: Mapping[str, Option], seed: int | None) -> dict[str, Any]:
    """Options with the seed, where there is one and they have none of their own."""
    return given if seed is None or "seed" not in known else {"seed": seed, **given}


def target(options: argparse.Namespace) -> Any:
    """What is explained; None where nothing was said."""
    made = [make() for make in options.target or ()]
    return made if len(made) > 1 else made[0] if made else None


def all_units(network: Network, inputs: Inputs, options: argparse.Namespace) -> Any:
    """Take a weighted sum of all units, drawn at random, so that a check passes none over."""
    node = network.target_node(options.target_layer)
    shape = network.activations(first(inputs, 1), [node])[node].shape[1:]
    return targets.weights(np.random.default_rng(options.seed or 0).normal(size=shape))


def references(options: argparse.Namespace, network: Network) -> Any:
    """What every ``--references`` said together; None for nothing."""
    return by_input(options.references, options.seed or 0, names(network))


def by_input(given: Given, seed: int, inputs: Sequence[str]) -> Any:
    """References of each input: several kinds of one input are one set.

    What was said without an input is that of the only one that has no references of its own, or of
    all of these where it is the same value everywhere.

    Raises
    ------
    InputError
        Where it is not clear which input is meant.
    """
    several: dict[str, list[Any]] = {}
    for name, make in given:
        several.setdefault(name, []).append(make(seed))
    made = {
        name: parts[0] if len(parts) == 1 else kinds.combined(*parts)
        for name, parts in several.items()
    }
    if set(made) <= {""} and len(inputs) == 1:
        return made.get("")
    if "" in made:
        common = made.pop("")
        rest = [name for name in inputs if name not in made]
        one = isinstance(common, kinds.References) and common.shared and common.count == 1
        if not rest or not (one or len(rest) == 1):
            raise InputError(
                f"--references: the model has the inputs {', '.join(inputs)}, and it is not clear "
                "which is meant; say --references INPUT=REFERENCES for each"
            )
        made |= dict.fromkeys(rest, common)
    return made or None


def names(network: Network) -> list[str]:
    """Of the network's inputs."""
    return [info.name for info in network.inputs]


def inputs(options: argparse.Namespace, network: Network) -> Inputs:
    """The data of the file."""
    return read_inputs(options.inputs, dict(options.key), names(network))


def first(data: Inputs, samples: int) -> Inputs:
    """The first samples."""
    if isinstance(data, Mapping):
        return {name: array[:samples] for name, array in data.items()}
    return data[:samples]
