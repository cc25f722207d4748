"""From saved files to models with the original's calls."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_conversion import LayerSpec, ModelSpec, read_model
from deeplift_engine.compat import naming
from deeplift_engine.compat.layers import (
    RULES,
    ConvMxtsMode,
    DenseMxtsMode,
    Layer,
    MaxPoolDeepLiftMode,
    NonlinearMxtsMode,
)
from deeplift_engine.compat.models import GraphModel, SequentialModel
from deeplift_engine.errors import InputError, RuleError

if TYPE_CHECKING:
    from deeplift_engine.network import Network

logger = logging.getLogger("deeplift_engine")
Pairs = list[tuple[str, str]]
OVERRIDES = ("nonlinear_mxts_mode", "dense_mxts_mode", "conv_mxts_mode")


def convert_model_from_saved_files(
    h5_file: str | Path,
    json_file: str | Path | None = None,
    yaml_file: str | Path | None = None,
    *,
    nonlinear_mxts_mode: str = NonlinearMxtsMode.DeepLIFT_GenomicsDefault,
    verbose: bool = True,
    dense_mxts_mode: str = DenseMxtsMode.Linear,
    conv_mxts_mode: str = ConvMxtsMode.Linear,
    maxpool_deeplift_mode: str = MaxPoolDeepLiftMode.gradient,
    layer_overrides: Mapping[Any, Mapping[str, str]] | None = None,
    custom_conversion_funcs: Mapping[str, Callable[..., Any]] | None = None,
    theano_kernels: bool | None = None,
    dtype: str = "float32",
) -> SequentialModel | GraphModel:
    """Convert a saved model.

    Parameters
    ----------
    h5_file
        A model or weights; files of any age, as for `deeplift_engine.load`.
    json_file, yaml_file
        The architecture, where ``h5_file`` holds weights alone; at most one of them.
    nonlinear_mxts_mode
        One of `deeplift_engine.compat.layers.NonlinearMxtsMode`.
    verbose
        Whether to log the mode.
    dense_mxts_mode, conv_mxts_mode
        ``"Linear"``; there is no other.
    maxpool_deeplift_mode
        ``"gradient"`` as in the original, or ``"exact"``, which sums to the difference for
        every reference.
    layer_overrides
        ``{layer: {"nonlinear_mxts_mode": mode}}``. A layer is what the original takes (its
        position in the list of a Sequential model, its name in any other), or Keras's name.
    custom_conversion_funcs
        By class name, as in the file: the forward pass of such layers, on tensors (n, ...). A
        function with a parameter ``config`` is called once for each layer with ``config`` (the
        options, and the arrays as ``"weights"``) and ``name``, and returns the forward pass.
        The original wanted a function that returns its own layer objects.
    theano_kernels, dtype
        As for `deeplift_engine.load`.

    Returns
    -------
    SequentialModel or GraphModel
        The second for models that are no Sequential.

    Raises
    ------
    DeepliftEngineError
        What `deeplift_engine.load` raises; RuleError for a mode or layer that is not known.
    """
    from deeplift_engine.network import Network

    if json_file is not None and yaml_file is not None:
        raise InputError("Give json_file or yaml_file, not both.")
    rule = chosen_rule(nonlinear_mxts_mode, dense_mxts_mode, conv_mxts_mode, verbose)
    architecture = json_file if json_file is not None else yaml_file
    spec = read_model(h5_file, architecture, theano_kernels=theano_kernels)
    document = naming.saved_configuration(h5_file, architecture)
    network = Network(
        spec, functions=_functions(spec, dict(custom_conversion_funcs or {})), dtype=dtype
    )
    return converted(network, document, rule, maxpool_deeplift_mode, layer_overrides or {})


def converted(
    network: Network,
    document: Mapping[str, Any],
    rule: str,
    max_pooling: str,
    overrides: Mapping[Any, Mapping[str, str]],
) -> SequentialModel | GraphModel:
    """The original's model of a network, whose configuration as saved is ``document``."""
    layers = naming.named_layers(network, document)
    pairs = [
        pair for key, modes in overrides.items() for pair in _override(network, layers, key, modes)
    ]
    rules = [*pairs, *_pairs(rule)] if pairs else rule
    kind = SequentialModel if naming.is_sequential(document) else GraphModel
    return kind(network, layers, rules, max_pooling)


def chosen_rule(mode: str, dense_mode: str, conv_mode: str, verbose: bool) -> str:
    """The engine's name of a mode.

    Raises
    ------
    RuleError
        For a mode that is not known.
    """
    _check_linear({"dense_mxts_mode": dense_mode, "conv_mxts_mode": conv_mode})
    if verbose:
        logger.info("nonlinear_mxts_mode is %s", mode)
    return _rule(mode)


def _rule(mode: str) -> str:
    if mode not in RULES:
        raise RuleError(f"nonlinear_mxts_mode={mode!r} is none of {', '.join(RULES)}.")
    return RULES[mode]


def _pairs(rule: str) -> Pairs:
    from deeplift_engine.rules.deeplift.assign import COMPOSITES

    return COMPOSITES.get(rule, [("default", rule)])


def _check_linear(modes: Mapping[str, str]) -> None:
    for name, mode in modes.items():
        if mode != "Linear":
            raise RuleError(f"{name}={mode!r}: there is only 'Linear'.")


def _override(network: Network, layers: list[Layer], key: Any, modes: Mapping[str, str]) -> Pairs:
    """(node, rule) for every node of a layer."""
    unknown = set(modes) - set(OVERRIDES)
    if unknown:
        raise RuleError(
            f"layer_overrides[{key!r}] has {sorted(unknown)}; it may have {', '.join(OVERRIDES)}."
        )
    _check_linear({name: mode for name, mode in modes.items() if name != OVERRIDES[0]})
    named = [layer for layer in layers if str(key) in (layer.name, layer.keras_layer)]
    if not named:
        raise RuleError(
            f"layer_overrides: there is no layer {key!r}. The layers, with Keras's names: "
            + ", ".join(f"{layer.name} ({layer.keras_layer})" for layer in layers)
        )
    if OVERRIDES[0] not in modes:
        return []
    rule = _rule(modes[OVERRIDES[0]])
    calls = [layer.node.removesuffix("/pre_activation") for layer in named]
    nodes = [
        name
        for name in network.nodes
        for call in calls
        if name == call or name.startswith(f"{call}/")
    ]
    if rule in [pair[1] for pair in _pairs(rule)]:
        return [(name, rule) for name in nodes]
    resolved = {row.name: row.rule for row in network.describe(rules=rule)}
    known = set(RULES.values())
    return [(name, resolved[name]) for name in nodes if resolved[name] in known]


def _functions(
    spec: ModelSpec, custom: dict[str, Callable[..., Any]]
) -> dict[str, Callable[..., Any]]:
    functions, met = {}, set()
    for layer in spec.layers.values():
        saved = layer.saved_class_name
        names = (saved, saved.rpartition(">")[2], layer.class_name)  # "Package>Class" in Keras 3
        name = next((name for name in names if name in custom), None)
        if name is not None:
            met.add(name)
            functions[layer.name] = _forward(layer, custom[name])
    for name in custom.keys() - met:
        logger.info("custom_conversion_funcs: the model has no layer of class %s", name)
    return functions


def _forward(layer: LayerSpec, function: Callable[..., Any]) -> Callable[..., Any]:
    if "config" not in inspect.signature(function).parameters:
        return function
    config = {**layer.config, "weights": list(layer.weights.values())}
    forward: Callable[..., Any] = function(config=config, name=layer.name)
    if not callable(forward):
        raise InputError(
            f"custom_conversion_funcs: the function for {layer.saved_class_name} returned "
            f"{type(forward).__name__} for layer {layer.name!r}; it must return the layer's "
            "forward pass, a function of tensors (n, ...)."
        )
    return forward
