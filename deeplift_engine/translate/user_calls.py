"""Calls of functions that a user gave: what each parameter gets, and errors that name the layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from deeplift_engine.translate.layer_context import NodeName, Place, Refused
from deeplift_engine.util.typing import Array

OFFERED = ("config", "weights", "mask", "training")
"""Parameters that are given something by their names, beside the arguments of the call."""
UNTOLD = ("name", "trainable", "dtype")


def options(place: Place) -> dict[str, Any]:
    """The saved options of a layer, without its name."""
    return {key: value for key, value in place.spec.config.items() if key not in UNTOLD}


def arrays(place: Place) -> dict[str, Array]:
    """The saved arrays of a layer in the network's dtype."""
    return {role: place.weight(role) for role in place.spec.weights}


@dataclass(frozen=True, eq=False)
class Call:
    """A function and all that it is called with; tensors come last, when they are there.

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


def call_of(place: Place, function: Callable[..., Any]) -> Call:
    """How a function is called in the place of a layer.

    Raises
    ------
    Refused
        If its parameters do not fit the layer's inputs, arguments and options.
    """
    positional = [str(name) for name in place.inputs]
    given = {key: value for key, value in place.arguments.items() if key not in ("args", "mask")}
    fixed = place.argument("args")
    if fixed is not None:
        raise Refused(
            "called with numbers among its tensors",
            f"Say what it is made of instead: layers={{{place.spec.name!r}: made}}, where "
            "layer.argument('args') has them.",
        )
    saved = place.option("arguments") if place.spec.class_name == "Lambda" else None
    given |= dict(saved or {})
    given.pop("training", None)
    offers = {"config": options(place), "weights": arrays(place), "mask": None, "training": False}
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C do not say
        parameters = None
    if parameters is None:
        taken, listed = dict(given), False
    else:
        takes_all = any(entry.kind is entry.VAR_KEYWORD for entry in parameters.values())
        keywords = {name for name, entry in parameters.items() if _by_keyword(entry)}
        first = next(iter(parameters), "")
        taken = {key: value for key, value in given.items() if key in keywords or takes_all}
        taken |= {
            key: offers[key] for key in OFFERED if key in keywords - {first} and key not in given
        }
        left = sorted(set(given) - set(taken))
        if left:
            raise Refused(
                f"saved with the arguments {left}, which the function given for it does not take",
                "Give it parameters of these names.",
            )
        listed = _is_listed(function, len(positional), taken)
    if "mask" in taken and taken["mask"] is None and place.mask() is not None:
        raise Refused(
            "its function takes the mask, whose share is not known",
            f"Say what it is made of instead: layers={{{place.spec.name!r}: made}}.",
        )
    place.used.update(place.arguments)
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
    raise Refused(
        f"its function cannot be called with {count} input{'s' if count != 1 else ''}"
        + (f" and {sorted(taken)}" if taken else "")
        + f": {reasons[0]}",
        "It gets one tensor for each input, or one list of them, and parameters called config and "
        "weights are given the layer's.",
    )


def called(place: Place, what: str, function: Callable[..., Any], values: Sequence[Any]) -> Any:
    """The function's value; whatever it raises is `Refused` with its words."""
    try:
        return function(*values)
    except Refused:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or ["no message"]
        text = lines[-1 if lines[0].startswith("in user code") else 0].strip().rstrip(".")
        raise Refused(
            f"{what} raised {type(error).__name__}: {text}",
            f"It was called for inputs of shape {shapes(place)} (without batch axis).",
        ) from error


def shapes(place: Place) -> str:
    """The feature shapes of a call's inputs, in words."""
    return ", ".join(str(place.shape(name)) for name in place.inputs)
