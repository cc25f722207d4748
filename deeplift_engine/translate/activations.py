"""Activations by name, as saved objects and as layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from deeplift_engine.layers import Activation, Identity, Layer, PathFunction, PReLU, ReLU, Softmax
from deeplift_engine.layers.activations import FUNCTIONS
from deeplift_engine.layers.gated import GatedLinear
from deeplift_engine.layers.sparsemax import Sparsemax
from deeplift_engine.translate.forward_functions import put_function
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.own_activations import PREFIX, function_of, is_own, saved_name
from deeplift_engine.translate.user_layers import NODES
from deeplift_engine.util.options import shown

ALIASES = {
    "swish": "silu",
    "hard_swish": "hard_silu",
    "exp": "exponential",
    "logsigmoid": "log_sigmoid",
    "Addons>hardshrink": "hard_shrink",
    "Addons>mish": "mish",
    "Addons>softshrink": "soft_shrink",
    "Addons>tanhshrink": "tanh_shrink",
}
NAMED: dict[str, Callable[[], Layer]] = {
    "linear": Identity,
    "relu": ReLU,
    "relu6": lambda: ReLU(max_value=6.0),
    "softmax": Softmax,
    "log_softmax": lambda: Softmax(logarithm=True),
    "glu": GatedLinear,
    "sparsemax": Sparsemax,
    "Addons>rrelu": lambda: Activation("leaky_relu", (("negative_slope", (1 / 8 + 1 / 3) / 2),)),
    "Addons>sparsemax": lambda: Sparsemax(on_simplex=True),
}


def named_activation(value: Any, definitions: Mapping[str, Any] | None = None) -> Layer:
    """The attribution layer of what a layer's ``activation`` option holds.

    ``definitions`` are the user's, among them those of activations by name.

    Raises
    ------
    Refusal
        For a function of the user's own without a definition, or a name that no Keras has.
    """
    if value is None:
        return Identity()
    function, definition = function_of(value), _definition(value, definitions or {})
    if definition is not None:
        return PathFunction(definition.function, definition.nodes or NODES)
    advice = (
        f"Give the function, functions={{{function or 'name'!r}: f}}, for all layers that use it."
    )
    if is_own(value):
        raise Refusal(
            f"activation {function!r} is not Keras's: the Keras that wrote the file had none of "
            "this name",
            advice,
        )
    if ">" in (saved_name(value) or ""):  # registered by a package
        value = saved_name(value)
    if isinstance(value, Mapping):
        maker = LAYERS.get(str(value.get("class_name")))
        if maker is not None and not isinstance(value.get("config"), str):
            return maker(dict(value.get("config") or {}))
        value = value.get("config", value)
    name = ALIASES.get(value, value) if isinstance(value, str) else value
    if isinstance(name, str) and name in NAMED:
        return NAMED[name]()
    if isinstance(name, str) and name in FUNCTIONS:
        return Activation(name)
    raise Refusal(f"activation {saved_name(value) or shown(value)!r} is none of Keras's", advice)


def _definition(value: Any, definitions: Mapping[str, Any]) -> Any:
    """The user's definition of an activation, if any."""
    return definitions.get(f"{PREFIX}{function_of(value)}")


def put_named(context: LayerContext, value: Any, source: str, suffix: str) -> str:
    """Add the activation that an option holds, a user's own as the operations it is made of."""
    definition = _definition(value, context.builder.functions)
    if definition is None:
        return context.add(named_activation(value), source, suffix=suffix)
    function, nodes = definition.function, definition.nodes
    return put_function(context, function, nodes, [source], suffix=suffix)[0]


def own_or_named(context: LayerContext, option: str) -> Layer:
    """The attribution layer of a layer's activation, the user's definition first."""
    return named_activation(context.option(option), context.builder.functions)


def put_activation(context: LayerContext, layer: Layer, *inputs: str) -> str:
    """Add an activation as the layer's output, noting where the logits are."""
    source = inputs[0] if inputs else context.inputs[0]
    if isinstance(layer, PathFunction):
        definition = _definition(context.option("activation"), context.builder.functions)
        nodes = definition.nodes if definition else layer.points
        return put_function(context, layer.function, nodes, [source])[0]
    name = context.add(layer, source)
    if layer.reads_logits:
        context.builder.logits[name] = source
    return name


def _relu(options: Mapping[str, Any]) -> Layer:
    return ReLU(
        max_value=options.get("max_value"),
        negative_slope=float(options.get("negative_slope") or 0.0),
        threshold=float(options.get("threshold") or 0.0),
    )


def _softmax(options: Mapping[str, Any]) -> Layer:
    return Softmax(softmax_axes(options))


def softmax_axes(options: Mapping[str, Any], rank: int = 0) -> tuple[int, ...]:
    """Axes of a Softmax layer, those above 0 from the end of ``rank`` feature axes."""
    axis = options.get("axis", -1)
    axes = axis if isinstance(axis, list | tuple) else (int(axis),)
    return tuple(axis if axis < 0 or not rank else axis - 1 - rank for axis in axes)


def _with(
    name: str, option: str, default: float, key: str = ""
) -> Callable[[Mapping[str, Any]], Layer]:
    def make(options: Mapping[str, Any]) -> Layer:
        value = options.get(option)
        return Activation(name, ((key or option, default if value is None else float(value)),))

    return make


LAYERS: dict[str, Callable[[Mapping[str, Any]], Layer]] = {
    "ReLU": _relu,
    "LeakyReLU": _with("leaky_relu", "negative_slope", 0.3),
    "ELU": _with("elu", "alpha", 1.0),
    "Softmax": _softmax,
    "ThresholdedReLU": _with("threshold", "theta", 1.0, "threshold"),
}
"""Activation layers without weights, by class."""


def activation(context: LayerContext) -> str:
    """Activation by any name that Keras has."""
    return put_activation(context, own_or_named(context, "activation"))


def activation_layer(context: LayerContext) -> str:
    """ReLU, LeakyReLU, ELU, ThresholdedReLU."""
    return put_activation(context, LAYERS[context.spec.class_name](context.spec.config))


def prelu(context: LayerContext) -> str:
    """PReLU: ``alpha`` has size 1 along shared axes."""
    return context.add(PReLU(context.weight("alpha")))


__all__ = [
    "activation",
    "activation_layer",
    "named_activation",
    "own_or_named",
    "prelu",
    "put_activation",
    "put_named",
    "softmax_axes",
]
