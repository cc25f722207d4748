"""What users say of their own layers: how they are made, or their forward pass alone.

`deeplift_engine.load` and `deeplift_engine.convert` take it as ``layers=`` and ``functions=``,
where it is needed and seen. `register_layer` is for the other case, a package whose users load
models with its layers and should not have to know of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from deeplift_engine.errors import InputError

NODES = 16
"""Points on the path from reference to input, where nothing else is said."""
MOST_NODES = 1000


@dataclass(frozen=True)
class ForwardOnly:
    """A forward pass of which nothing else is known; made by `forward_only`."""

    function: Callable[..., Any]
    nodes: int = NODES

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise InputError(f"forward_only() takes a function, not {self.function!r}.")
        whole = isinstance(self.nodes, int) and not isinstance(self.nodes, bool)
        if not whole or not 1 <= self.nodes <= MOST_NODES:
            raise InputError(f"nodes is a whole number from 1 to {MOST_NODES}, not {self.nodes!r}.")


def forward_only(function: Callable[..., Any], nodes: int = NODES) -> ForwardOnly:
    """A layer's forward pass; its multipliers are averaged along the path to the reference.

    Contributions then sum up to the accuracy of that average, so the layer is *approximate*. A run
    checks the sum like any other: it warns, or raises with ``strict=True``, where a relative error
    of 1e-3 (float64: 1e-8) is exceeded, and more ``nodes`` make it smaller.

    Parameters
    ----------
    function
        ``function(x, ...)``: one tensor (n, ...) for each input, or one list of them, as Keras's
        Lambda has it. Parameters called ``config`` and ``weights`` are given the layer's saved
        options and arrays (by role), others by the names of the call's arguments (or of a Lambda's
        ``arguments``) those. It returns a tensor (n, ...), or a tuple of them, made with TensorFlow
        operations, and treats every sample by itself.
    nodes
        Gauss-Legendre points on the straight path (Sundararajan, Taly, Yan: *Axiomatic Attribution
        for Deep Networks*, ICML 2017). Its cost is that many gradients of the function.
    """
    return ForwardOnly(function, nodes)


Made: TypeAlias = Callable[..., Any] | ForwardOnly
Function = TypeVar("Function", bound=Made)

# Replaced as a whole, never changed: the one thing that this package remembers between two calls.
_registered: Mapping[str, Made] = MappingProxyType({})


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

    def register(given: Function) -> Function:
        global _registered
        check_made(given, f"register_layer({class_name!r})")
        if not isinstance(class_name, str) or not class_name:
            raise InputError(f"register_layer() takes the name of a class, not {class_name!r}.")
        known = _registered.get(class_name, given)
        if known is not given:
            raise InputError(
                f"{class_name!r} is registered already, with {said(known)}; "
                f"unregister_layer({class_name!r}) forgets it."
            )
        _registered = MappingProxyType({**_registered, class_name: given})
        return given

    return register if made is None else register(made)


def unregister_layer(class_name: str) -> None:
    """Forget what `register_layer` was told of a class.

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
        {name: made for name, made in _registered.items() if name != class_name}
    )


def registered_layers() -> Mapping[str, Made]:
    """What is registered now, by class name; it does not change."""
    return _registered


def own_classes(*given: Mapping[str, Made] | None) -> frozenset[str]:
    """Classes that are a user's own by what he says of them, though Keras may have their names."""
    keys = [key for mapping in (*given, _registered) for key in mapping or ()]
    return frozenset(key.rpartition(">")[2] for key in keys if isinstance(key, str))


def check_made(made: Any, where: str) -> None:
    """Refuse what is neither a function nor `forward_only`."""
    if isinstance(made, type) or not (callable(made) or isinstance(made, ForwardOnly)):
        raise InputError(f"{where}: expected a function or forward_only(function), not {made!r}.")


def said(made: Made) -> str:
    """What a function is called, for messages."""
    function = made.function if isinstance(made, ForwardOnly) else made
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return f"{getattr(function, '__module__', None) or '?'}.{name}"


__all__ = [
    "ForwardOnly",
    "forward_only",
    "register_layer",
    "registered_layers",
    "unregister_layer",
]
