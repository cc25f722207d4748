"""Keyword arguments of functions and classes, with what their docstrings say about them.

Methods, metrics and kinds of references are functions or classes whose keyword-only arguments are
options that users set. Their docstrings, in numpydoc form, explain the options to readers of the
code; the command line and the pages show the same sentences.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from deeplift_engine.errors import RuleError
from deeplift_engine.util.suggestions import suggest

FEW = 3
"""An error lists up to so many options, and otherwise those that resemble the wrong name."""


@dataclass(frozen=True)
class Option:
    """A keyword argument: its name, its default and its explanation."""

    name: str
    default: Any
    text: str
    variadic: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty

    def __str__(self) -> str:
        """As in a signature: ``steps=50``."""
        if self.required:
            return f"*{self.name}" if self.variadic else self.name
        return f"{self.name}={self.default!r}"


def options_of(create: Callable[..., Any]) -> dict[str, Option]:
    """The keyword-only arguments of a function or class, as its docstrings explain them."""
    return _arguments(create, {inspect.Parameter.KEYWORD_ONLY})


def arguments_of(create: Callable[..., Any]) -> dict[str, Option]:
    """All arguments of a function or class, as its docstrings explain them."""
    return _arguments(create, set(inspect._ParameterKind))


def _arguments(create: Callable[..., Any], kinds: Collection[Any]) -> dict[str, Option]:
    """Arguments of some kinds; the docstrings are those of a class and its bases."""
    texts: dict[str, str] = {}
    for documented in reversed(getattr(create, "__mro__", (create,))):
        texts |= parameter_texts(inspect.getdoc(documented) or "")
    return {
        parameter.name: Option(
            parameter.name,
            parameter.default,
            texts.get(parameter.name, ""),
            parameter.kind is inspect.Parameter.VAR_POSITIONAL,
        )
        for parameter in inspect.signature(create).parameters.values()
        if parameter.kind in kinds
    }


def check_names(owner: str, names: Mapping[str, Any], known: Mapping[str, Option]) -> None:
    """Refuse options that ``owner``, a method or a metric, does not take.

    Raises
    ------
    RuleError
        For the first of them.
    """
    for name in names:
        if name not in known:
            near = known if len(known) > FEW else ()
            advice = suggest(name, near, f"It takes: {', '.join(known) or 'none'}.")
            raise RuleError(f"{owner} takes no option {name!r}. {advice}")


def summary_of(create: Callable[..., Any]) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(create) or "").partition("\n\n")[0].split())


def parameter_texts(docstring: str) -> dict[str, str]:
    """The explanations in the Parameters section of a numpydoc docstring, by name."""
    texts: dict[str, str] = {}
    names: list[str] = []
    lines = docstring.splitlines()
    inside = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following.startswith("---"):
            inside, names = line.strip() == "Parameters", []
        elif inside and line and not line.startswith((" ", "---")):
            names = [name.strip() for name in line.partition(":")[0].split(",")]
        elif inside and line.strip():
            for name in names:
                texts[name] = f"{texts.get(name, '')} {line.strip()}".strip()
    return texts


__all__ = ["Option", "arguments_of", "check_names", "options_of", "parameter_texts", "summary_of"]
