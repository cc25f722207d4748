"""Calls of users' functions: the value of each parameter, and errors that name the layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_conversion.eras.user_classes import MARK
from deeplift_engine.translate.layer_context import LayerContext, NodeName, Refusal
from deeplift_engine.util.typing import Array

OFFERED = ("config", "weights", "mask", "training")
"""Parameters that are filled by name, besides the arguments of the call."""
UNTOLD = ("name", "trainable", "dtype")


def options(context: LayerContext) -> dict[str, Any]:
    """The saved options of a layer, without its name."""
    return {
        key: value.removeprefix(MARK) if isinstance(value, str) else value
        for key, value in context.spec.config.items()
        if key not in UNTOLD
    }


def arrays(context: LayerContext) -> dict[str, Array]:
    """The saved arrays of a layer in the network's dtype."""
    return {role: context.weight(role) for role in context.spec.weights}


@dataclass(frozen=True, eq=False)
class Call:
    """A function and its arguments; the tensors are passed when it is called.

    ``sources`` are the nodes of the tensors: first the positional ones, in one list if
    ``listed``, then those of the parameters ``named``.
    """

    function: Callable[..., Any]
    sources: tuple[str, ...]
    listed: bool
    named: tuple[str, ...]
    constants: Mapping[str, Any]

    def __call__(self, *tensors: Any) -> Any:
        """The function's value."""
        count = len(tensors) - len(self.named)
        first, others = tensors[:count], tensors[count:]
        by_name = dict(zip(self.named, others, strict=True))
        return self.function(
            *([list(first)] if self.listed else first), **by_name, **self.constants
        )


def call_of(context: LayerContext, function: Callable[..., Any]) -> Call:
    """Return the call of a user's function that replaces a layer.

    Raises
    ------
    Refusal
        If its parameters do not fit the layer's inputs, arguments and options.
    """
    function = getattr(function, "python_function", function)  # of a tf.function
    positional = [str(name) for name in context.inputs]
    arguments = {
        key: value for key, value in context.arguments.items() if key not in ("args", "mask")
    }
    fixed = context.argument("args")
    if fixed is not None:
        raise Refusal(
            "called with numbers among its tensors",
            f"Say what it is made of instead: layers={{{context.spec.name!r}: made}}, where "
            "layer.argument('args') has them.",
        )
    saved = context.option("arguments") if context.spec.class_name == "Lambda" else None
    arguments |= dict(saved or {})
    arguments.pop("training", None)
    offers = {
        "config": options(context),
        "weights": arrays(context),
        "mask": None,
        "training": False,
    }
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C do not say
        parameters = None
    if parameters is None:
        taken, listed = dict(arguments), False
    else:
        takes_all = any(entry.kind is entry.VAR_KEYWORD for entry in parameters.values())
        keywords = {name for name, entry in parameters.items() if _by_keyword(entry)}
        first = next(iter(parameters), "")
        taken = {key: value for key, value in arguments.items() if key in keywords or takes_all}
        taken |= {
            key: offers[key]
            for key in OFFERED
            if key in keywords - {first} and key not in arguments
        }
        left = sorted(set(arguments) - set(taken))
        if left:
            raise Refusal(
                f"saved with the arguments {left}, which the function given for it does not take",
                "Give it parameters of these names.",
            )
        listed = _is_listed(function, len(positional), taken)
    if "mask" in taken and taken["mask"] is None and context.mask() is not None:
        raise Refusal(
            "its function takes the mask, whose share is not known",
            f"Say what it is made of instead: layers={{{context.spec.name!r}: made}}.",
        )
    context.used.update(context.arguments)
    nodes = {key: value for key, value in taken.items() if isinstance(value, NodeName)}
    constants = {key: value for key, value in taken.items() if key not in nodes}
    if getattr(function, "__name__", "") == "<lambda>":  # TensorFlow cannot read its source, and
        function = tf.autograph.experimental.do_not_convert(function)  # needs not: no statements
    return Call(function, (*positional, *nodes.values()), listed, tuple(nodes), constants)


def _by_keyword(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def _is_listed(function: Callable[..., Any], count: int, taken: Mapping[str, Any]) -> bool:
    """Whether the inputs come in one list, as Keras's Lambda has them; one alone never does."""
    signature = inspect.signature(function)
    reasons = []
    for listed in (False, True) if count > 1 else (False,):
        try:
            signature.bind(*[None] * (1 if listed else count), **taken)
        except TypeError as error:
            reasons.append(str(error))
        else:
            return listed
    raise Refusal(
        f"its function cannot be called with {count} input{'s' if count != 1 else ''}"
        + (f" and {sorted(taken)}" if taken else "")
        + f": {reasons[0]}",
        "It gets one tensor for each input, or one list of them, and parameters called config and "
        "weights are given the layer's.",
    )


def called(
    context: LayerContext, what: str, function: Callable[..., Any], values: Sequence[Any]
) -> Any:
    """Return the function's value; any exception becomes a `Refusal` with its message."""
    try:
        return function(*values)
    except Refusal:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or ["no message"]
        text = lines[-1 if lines[0].startswith("in user code") else 0].strip().rstrip(".")
        raise Refusal(
            f"{what} raised {type(error).__name__}: {text}",
            f"It was called for inputs of shape {shapes(context)} (without batch axis).",
        ) from error


def shapes(context: LayerContext) -> str:
    """The feature shapes of a call's inputs, in words."""
    return ", ".join(str(context.shape(name)) for name in context.inputs)
