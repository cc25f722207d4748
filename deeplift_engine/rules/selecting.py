"""Which layers a key of ``rules=`` means: one small language for every table of rules.

A key is the name of a layer, ``"class:Conv1D"``, or one of the words that the table allows.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from deeplift_engine.errors import RuleError
from deeplift_engine.layers import Layer


class NodeLike(Protocol):
    """The fields of a node that selectors read."""

    @property
    def name(self) -> str:
        """Unique name."""

    @property
    def layer(self) -> Layer:
        """The attribution layer."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what it reads."""

    @property
    def tokens(self) -> bool:
        """Whether its output are integers or booleans."""

    @property
    def class_name(self) -> str:
        """Keras class."""

    @property
    def keras_layer(self) -> str:
        """Keras layer."""


Nodes: TypeAlias = Mapping[str, NodeLike]
Test: TypeAlias = Callable[[NodeLike], bool]

FAMILIES = ("convolution", "dense")
"""Families of kernels that rules select by a word; see `Layer.kernel_family`."""


def pairs_of(rules: Any, single: type | tuple[type, ...], example: str) -> list[tuple[Any, Any]]:
    """Any form of ``rules`` as pairs (which layers, rule); ``single`` is a rule of all layers.

    Raises
    ------
    RuleError
        For anything else.
    """
    if isinstance(rules, single):
        return [("default", rules)]
    try:
        pairs = rules.items() if isinstance(rules, Mapping) else rules
        return [(which, rule) for which, rule in pairs]
    except (TypeError, ValueError) as error:
        raise RuleError(
            f"rules is a name, or pairs (which layers, rule) such as {example}, not {rules!r}."
        ) from error


@dataclass(frozen=True)
class Selector:
    """Which layers a key means: those that it names, and those of its word, where it is one."""

    key: str
    word: Test | None = None

    def names(self, node: NodeLike) -> bool:
        """Whether the key is the node's name, its Keras layer's or its class."""
        return self.key in (node.name, node.keras_layer, f"class:{node.class_name}")

    def __call__(self, node: NodeLike) -> bool:
        """Whether the key means the node."""
        return self.names(node) or (self.word is not None and self.word(node))


def select(
    key: Any,
    nodes: Nodes,
    words: Mapping[str, Test],
    counted: Mapping[str, Callable[[int], Test]] | None = None,
) -> Selector:
    """Read a key.

    Parameters
    ----------
    key
        What the user said.
    nodes
        All nodes by name, which say what layers and classes there are.
    words
        The table's own keys. A layer that is called like one is meant as well.
    counted
        Words that a number may follow, ``"first:3"``, and what they make of it; 1 without one.

    Raises
    ------
    RuleError
        For a key that means nothing in this model.
    """
    counted = counted or {}
    named = {node.keras_layer for node in nodes.values()} | set(nodes)
    classes = {f"class:{node.class_name}" for node in nodes.values()}
    if isinstance(key, str):
        if key in words:
            return Selector(key, words[key])
        word, colon, number = key.partition(":")
        if word in counted:
            if colon and not (number.isdecimal() and int(number)):
                raise RuleError(f"{key!r}: the number is 1 or more, as in '{word}:2'.")
            return Selector(key, counted[word](int(number) if colon else 1))
        if key in named or key in classes:
            return Selector(key)
    known = [*words, *counted, *sorted(classes), *sorted(named)]
    raise RuleError(unknown_name("layer of this model, nor a class or a word", str(key), known))


def unknown_name(what: str, name: str, known: list[str]) -> str:
    """A message on an unknown name, with known names near it."""
    near = difflib.get_close_matches(name, known, n=3) or known[:10]
    return f"{name!r} is no {what}. Near it: {', '.join(near)}."
