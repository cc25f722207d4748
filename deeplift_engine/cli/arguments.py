"""Arguments of the library from options of the command line: network, data, references, options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.cli import console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.custom_file import read_custom
from deeplift_engine.cli.input_files import read_inputs
from deeplift_engine.cli.kinds import kind_of
from deeplift_engine.cli.sequence_inputs import arranged, column_of, sequences_of
from deeplift_engine.engine import targets
from deeplift_engine.engine.located_targets import HEADS
from deeplift_engine.errors import InputError, RuleError, TargetError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.references import References, combined
from deeplift_engine.references.resolution import is_single
from deeplift_engine.util.array_files import NUMBERS, TEXT, read_array
from deeplift_engine.util.letters import letter_axis
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.explainers.explainer import Explainer
    from deeplift_engine.explainers.method import Method
    from deeplift_engine.network import Network
    from deeplift_engine.util.signatures import Option

Inputs = Array | dict[str, Array]
InputReferences = Iterable[tuple[str, Callable[..., Any]]]
"""Pairs of an input's name, empty where the user named none, and what makes references from a seed
and from what reads files."""


def load(
    options: argparse.Namespace,
    custom: Mapping[str, Any] | None = None,
    model: Path | None = None,
) -> Network:
    """The network of the model, or of another; ``custom`` is what `custom_definitions` gave."""
    definitions = custom_definitions(options) if custom is None else custom
    import deeplift_engine

    network: Network = deeplift_engine.load(
        model or options.model,
        architecture=options.architecture,
        backend=options.backend,
        theano_kernels=options.theano_kernels,
        data_format=options.data_format,
        **definitions,
        behind=behind(options.behind),
        dtype=options.dtype,
    )
    return network


def behind(layers: Sequence[tuple[str, Any]]) -> Any:
    """The layers of ``--behind`` as `deeplift_engine.load` takes them."""
    return dict(layers) or None


def custom_definitions(options: argparse.Namespace) -> dict[str, Any]:
    """The custom layers and functions in the file of ``--custom``, or those of ``--functions``.

    Raises
    ------
    InputError
        If both say functions, and as for `read_custom`.
    """
    console.postpone_tensorflow()
    custom = dict(read_custom(options.custom))
    if options.functions is not None:
        if "functions" in custom:
            raise InputError(
                f"--functions {options.functions} and FUNCTIONS of --custom {options.custom} say "
                "the same: leave one of them out"
            )
        custom["functions"] = options.functions
    return custom


def rules(options: argparse.Namespace, default: Any = "rescale") -> Any:
    """The rules of ``--rules`` and ``--rule``, or None; ``default`` is for layers not named."""
    if not options.rule:
        return options.rules
    from deeplift_engine.rules.deeplift.assign import COMPOSITES

    others = options.rules or default
    return [*options.rule, *COMPOSITES.get(others, [("default", others)])]


def method_options(options: argparse.Namespace, method: Method) -> dict[str, Any]:
    """The options of the method of ``score``, validated.

    Raises
    ------
    RuleError
        For an option that the method does not take, or that two flags set.
    """
    chosen = {name: value() for name, value in options.option}
    known = method.options
    default = known["rules"].default if "rules" in known else "rescale"
    for name, value in (
        ("rules", rules(options, default)),
        ("max_pooling", options.max_pooling),
    ):
        if value is not None and name in chosen:
            raise RuleError(
                f"--option {name}= says the same as --{name.replace('_', '-')}"
                f"{' and --rule' if name == 'rules' else ''}: give one of them."
            )
        if value is not None:
            chosen[name] = value
    chosen = seeded(chosen, known, options.seed)
    method.validate(chosen)
    return chosen


def seeded(chosen: dict[str, Any], known: Mapping[str, Option], seed: int | None) -> dict[str, Any]:
    """Options with the seed of the command, where they take one and set none."""
    return chosen if seed is None or "seed" not in known else {"seed": seed, **chosen}


def run_options(options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments that `Explainer.run`, `compare` and `Network.sweep` share."""
    return {
        "target": target(options),
        "batch_size": options.batch_size,
        "progress": progress(options),
    }


def progress(options: argparse.Namespace) -> bool | None:
    """Whether there is a bar: None, on a terminal."""
    return False if options.quiet else None


def explainer(
    options: argparse.Namespace, chosen: Mapping[str, Any]
) -> tuple[Network, Explainer, Any]:
    """The network, the method of ``score`` made for it, and the units of its target or None.

    Of several models the first network, and the method for all of them.
    """
    from deeplift_engine.explainers.folds import folds
    from deeplift_engine.genomics.both_strands import both_strands

    custom = custom_definitions(options)
    networks = [load(options, custom, model) for model in options.model]
    layer, units = located_target(options, networks[0])
    each = [
        network.explainer(options.method, target=layer, layers=options.layers, **chosen)
        for network in networks
    ]
    made: Explainer = folds(each) if len(each) > 1 else each[0]
    if options.reverse_complement:
        made = both_strands(made, options.letters, dict(options.other_strand))
    elif options.other_strand:
        raise InputError("--other-strand says nothing without --reverse-complement")
    return networks[0], made, units


def scoring_options(
    options: argparse.Namespace, network: Network, units: Any, inputs: Any
) -> dict[str, Any]:
    """The keyword arguments of `Explainer.run` that ``score`` sets."""
    return {
        **run_options(options),
        "target": units,
        "references": references(options, network, inputs),
        "average": not options.keep_references_apart,
        "standard_errors": options.standard_errors,
        "strict": options.strict,
    }


def target(options: argparse.Namespace) -> Any:
    """The target, a list of several, or None; by the names of heads where they have some.

    Raises
    ------
    TargetError
        If some have the name of a head and others none.
    """
    heads: dict[str, list[Any]] = {}
    for name, value in options.target:
        heads.setdefault(name, []).append(value())
    chosen = {name: each if len(each) > 1 else each[0] for name, each in heads.items()}
    if set(chosen) <= {""}:
        return chosen.get("")
    if "" in chosen:
        raise TargetError(
            f"--target has the heads {', '.join(name for name in chosen if name)}, and targets of "
            "no head: say HEAD=TARGET for each, with names of your own"
        )
    return chosen


def one_target(options: argparse.Namespace, network: Network) -> tuple[str, Any]:
    """As `located_target`, for what looks at one layer.

    Raises
    ------
    TargetError
        For heads.
    """
    layer, units = located_target(options, network)
    if isinstance(layer, Mapping):
        raise TargetError(
            f"this looks at one target, not at the heads {', '.join(layer)}: say --target TARGET "
            "for each of them in turn"
        )
    return layer, units


def located_target(options: argparse.Namespace, network: Network) -> tuple[Any, Any]:
    """The layer of ``--target`` or ``--target-layer``, and the units or None.

    Several of the field's heads, as ``counts`` and ``profile``, and tasks of ``--tasks`` are heads
    of these names.
    """
    chosen = target(options)
    if options.tasks is not None:
        layer = options.target_layer
        *_, units = network.nodes[network.target_node(layer)].shape
        return targets.tasks(options.tasks, chosen, layer=layer, units=units), None
    if chosen is None and options.target_layer == "logits" and network.known_heads:
        console.complain("note", f"this explains {network.known_heads}")
    known = {*HEADS, *(network.known_heads.outputs if network.known_heads else ())}
    if isinstance(chosen, list) and all(isinstance(one, str) and one in known for one in chosen):
        names = [one.partition(":")[0] for one in chosen]
        distinct = len(set(names)) == len(names)
        chosen = dict(zip(names if distinct else chosen, chosen, strict=True))
    return network.located_target(chosen, options.target_layer)


def all_units(network: Network, inputs: Inputs, layer: str, options: argparse.Namespace) -> Any:
    """A random weighted sum of all units, so that a check covers each of them."""
    node = network.target_node(layer)
    shape = network.activations(first(inputs, 1), [node])[node].shape[1:]
    return targets.weights(np.random.default_rng(options.seed or 0).normal(size=shape))


def references(options: argparse.Namespace, network: Network, inputs: Any = None) -> Any:
    """The references of all ``--references`` together; else those that inputs bring, or None."""
    pairs = keyed(options.references, network)
    chosen = by_input(pairs, options.seed or 0, names(network), inputs)
    return own_references(inputs) if chosen is None else chosen


def own_references(inputs: Any) -> Any:
    """What inputs are compared with by themselves, as texts are; None where none brings it."""
    if not isinstance(inputs, Mapping):
        return getattr(inputs, "references", None)
    each = {name: getattr(value, "references", None) for name, value in inputs.items()}
    return each if any(value is not None for value in each.values()) else None


def keyed(pairs: InputReferences, network: Network) -> InputReferences:
    """References by the names of inputs, where the user may have named their Input layers."""
    return [(key_of(name, network.inputs), make) for name, make in pairs or ()]


def by_input(pairs: InputReferences, seed: int, inputs: Sequence[str], data: Any = None) -> Any:
    """References of each input; several kinds for one input are one set.

    References without an input's name are for the only input that has none of its own; a single
    shared reference, and rows of a table, are for all such inputs.

    Parameters
    ----------
    pairs
        References with the names of inputs.
    seed
        Of all that are drawn.
    inputs
        Names of the network's inputs.
    data
        What the inputs read: that of a table reads references that are a table.

    Raises
    ------
    InputError
        Where the input is ambiguous.
    """
    kinds: dict[str, list[Callable[..., Any]]] = {}
    for name, create in pairs:
        kinds.setdefault(name, []).append(create)

    def of(key: str, name: str) -> Any:
        several = [create(seed, _reader(data, name)) for create in kinds[key]]
        return several[0] if len(several) == 1 else combined(*several)

    if set(kinds) <= {""} and len(inputs) == 1:
        return of("", inputs[0]) if kinds else None
    chosen = {name: of(name, name) for name in kinds if name}
    if "" in kinds:
        common = {name: of("", name) for name in inputs if name not in chosen}
        fits_all = (is_single(each) or _is_of_table(data, each) for each in common.values())
        if len(common) != 1 and not (common and all(fits_all)):
            raise InputError(
                f"--references: the model has the inputs {', '.join(inputs)}, and it is not clear "
                "which is meant; say --references INPUT=REFERENCES for each"
            )
        chosen |= common
    return chosen or None


def _reader(data: Any, name: str) -> values.Read:
    """What reads files of references of an input: arrays, and tables as its own columns are."""
    own = data.get(name) if isinstance(data, Mapping) else data
    rows_of = getattr(own, "rows_of", None)

    def read(text: str) -> Any:
        if not values.is_table(text):
            return values.read_file(text)
        if rows_of is None:
            raise InputError(
                f"--references {text}: a table is read by the names of columns, which the inputs "
                "do not have: expected inputs of a table too, or references in a .npy file"
            )
        return rows_of(text)

    return read


def _is_of_table(data: Any, references: Any) -> bool:
    """Whether these are rows that all samples share, of which each input has its own columns."""
    columns = data.values() if isinstance(data, Mapping) else [data]
    is_shared = isinstance(references, References) and references.shared
    return is_shared and all(hasattr(each, "rows_of") for each in columns)


def names(network: Network) -> list[str]:
    """The names of the network's inputs."""
    return [info.name for info in network.inputs]


def inputs(
    options: argparse.Namespace,
    network: Network,
    read: Callable[..., Any] = read_array,
) -> Any:
    """The data in the file of inputs, whole, or opened by ``read``; sequences are read lazily."""
    kind = kind_of(options, has_text=_reads_words(options, network))
    if kind is not None and kind.read is not None:
        return kind.read(options, network)
    if (sequences := sequences_of(options, network)) is not None:
        return sequences
    if (texts := column_of(options)) is not None:
        return arranged(texts, options, network)
    keys = {key_of(name, network.inputs): array for name, array in options.key}
    layers = [info.layer or info.name for info in network.inputs]
    read_any = partial(read, kinds=NUMBERS + TEXT)
    data = read_inputs(options.inputs, keys, names(network), layers, read_any)
    return arranged(data, options, network)


def _reads_words(options: argparse.Namespace, network: Network) -> bool:
    """Whether a model has a layer of text, or looks up more tokens than letters, N and padding."""
    codes = len(options.letters) + 2
    looked_up = [info.table.rows for info in network.inputs if info.table is not None]
    return bool(network.spec.fronts) or max(looked_up, default=0) > codes


def check_letters(data: Inputs) -> None:
    """Refuse inputs without letters before they are scored.

    Raises
    ------
    InputError
        If no array has an axis of letters.
    """
    arrays = data.values() if isinstance(data, Mapping) else [data]
    if all(letter_axis(np.asarray(array, "float32")) is None for array in arrays):
        raise InputError(
            "--hypothetical: no input has letters, rows that are one-hot, sum to 1 or are zeros; "
            "say --hypothetical-axis AXIS to have the same along any axis"
        )


def first(data: Inputs, samples: int) -> Inputs:
    """The first samples."""
    if isinstance(data, Mapping):
        return {name: array[:samples] for name, array in data.items()}
    return data[:samples]
