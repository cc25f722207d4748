"""Definitions of users' own layers: by existing layers, or by their forward pass alone.

`deeplift_engine.load` and `deeplift_engine.convert` take them as ``layers=`` and ``functions=``.
`register_layer` serves packages whose users load models with the package's layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from deeplift_engine.errors import InputError

NODES = 16
"""Default number of points on the path from reference to input."""
MOST_NODES = 1000


@dataclass(frozen=True)
class ForwardOnly:
    """A forward pass; created by `forward_only`."""

    function: Callable[..., Any]
    nodes: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError(f"forward_only() takes a function, not {self.function!r}.")
        if self.nodes is None:
            return
        is_integer = isinstance(self.nodes, int) and not isinstance(self.nodes, bool)
        if not is_integer or not 1 <= self.nodes <= MOST_NODES:
            raise InputError(f"nodes is a whole number from 1 to {MOST_NODES}, not {self.nodes!r}.")


def forward_only(function: Callable[..., Any], nodes: int | None = None) -> ForwardOnly:
    """A layer's forward pass, traced into operations, or one step averaged along a path.

    The function is called once on symbolic tensors. Where all that TensorFlow traced is in the
    table of operations (docs/LAYERS.md), and gives the function's values on random numbers, each
    operation has its rule and the layer is exact, as if Keras's operations had been saved.

    Else, and where ``nodes`` are given, the layer is one step: its multipliers are averaged along
    the path to the reference, contributions sum up to the accuracy of that average, and
    `Network.coverage` says *approximate*, and why. A run checks the sum like any other: it warns,
    or raises with ``strict=True``, where a relative error of 1e-3 (float64: 1e-8) is exceeded, and
    more ``nodes`` make it smaller.

    Parameters
    ----------
    function
        ``function(x, ...)``: one tensor (n, ...) for each input, or one list of them, as Keras's
        Lambda has it. Parameters called ``config`` and ``weights`` are given the layer's saved
        options and arrays (by role), others by the names of the call's arguments (or of a Lambda's
        ``arguments``) those. It returns a tensor (n, ...), or a tuple of them, made with TensorFlow
        operations, and treats every sample by itself. What it returns has no mask, as behind
        Keras's Lambda; `CustomLayer.masked` gives it one.
    nodes
        Gauss-Legendre points on the straight path (Sundararajan, Taly, Yan: *Axiomatic Attribution
        for Deep Networks*, ICML 2017), whose cost is that many gradients of the function. None
        traces the function, and takes 16 points where that is not possible.
    """
    return ForwardOnly(function, nodes)


LayerFunction: TypeAlias = Callable[..., Any] | ForwardOnly
Function = TypeVar("Function", bound=LayerFunction)

# Replaced, never mutated: the only state that this package keeps between two calls.
_registered: Mapping[str, LayerFunction] = MappingProxyType({})


def register_layer(class_name: str, made: Any = None) -> Any:
    """Say for every later `load` and `convert` how layers of a class of one's own are made.

    This is remembered by the process, so it belongs into the module that defines the class, as
    Keras's own ``register_keras_serializable`` does: whoever imports the module can then load its
    models. For one model say it where it is loaded, ``load(path, layers={class_name: made})``;
    what is said there goes first. Networks that are built already do not change.

    Parameters
    ----------
    class_name
        The class's name, with or without the package it was saved under
        (``"Custom>RevCompConv1D"``, ``"RevCompConv1D"``).
    made
        ``made(layer)``, which says by `CustomLayer` what the layer is made of; or
        `forward_only`. Left out, what comes back is a decorator.

    Returns
    -------
    function
        ``made`` itself.

    Raises
    ------
    InputError
        If the class is registered already, and in another way: `unregister_layer` it first.
    """

    def register(function: Function) -> Function:
        global _registered
        check_definition(function, f"register_layer({class_name!r})")
        if not isinstance(class_name, str) or not class_name:
            raise InputError(f"register_layer() takes the name of a class, not {class_name!r}.")
        known = _registered.get(class_name, function)
        if known is not function:
            raise InputError(
                f"{class_name!r} is registered already, with {function_name(known)}; "
                f"unregister_layer({class_name!r}) forgets it."
            )
        _registered = MappingProxyType({**_registered, class_name: function})
        return function

    return register if made is None else register(made)


def unregister_layer(class_name: str) -> None:
    """Remove the definition of a class that `register_layer` added.

    Raises
    ------
    InputError
        If it is not registered.
    """
    global _registered
    if class_name not in _registered:
        raise InputError(
            f"{class_name!r} is not registered; registered are {', '.join(_registered) or 'none'}."
        )
    _registered = MappingProxyType(
        {name: function for name, function in _registered.items() if name != class_name}
    )


def registered_layers() -> Mapping[str, LayerFunction]:
    """The registered definitions by class name; a snapshot that does not change."""
    return _registered


def own_classes(*mappings: Mapping[str, LayerFunction] | None) -> frozenset[str]:
    """Class names that the user defines, though Keras may have classes of these names."""
    keys = [key for mapping in (*mappings, _registered) for key in mapping or ()]
    return frozenset(key.rpartition(">")[2] for key in keys if isinstance(key, str))


def check_definition(definition: Any, where: str) -> None:
    """Refuse a definition that is neither a function nor `forward_only`."""
    if isinstance(definition, type) or not (
        callable(definition) or isinstance(definition, ForwardOnly)
    ):
        raise InputError(
            f"{where}: expected a function or forward_only(function), not {definition!r}."
        )


def function_name(definition: LayerFunction) -> str:
    """The name of a definition's function, for messages."""
    function = definition.function if isinstance(definition, ForwardOnly) else definition
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return f"{getattr(function, '__module__', None) or '?'}.{name}"


__all__ = [
    "ForwardOnly",
    "forward_only",
    "register_layer",
    "registered_layers",
    "unregister_layer",
]
