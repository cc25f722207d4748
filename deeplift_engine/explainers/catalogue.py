"""The catalogue of methods: every name that `Network.explainer` takes.

A method is in it as soon as a module of this room has its row in ``METHODS``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from deeplift_engine import explainers
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method

FAMILIES = ("difference", "gradient", "map", "relevance", "perturbation")
"""The order of the catalogue; within a family that of the modules' names, then of their rows."""


def _rows() -> Iterator[Method]:
    """The rows of all modules of this room, in the order of their names."""
    for module in pkgutil.walk_packages(explainers.__path__, f"{explainers.__name__}."):
        if module.name != __name__:
            yield from getattr(importlib.import_module(module.name), "METHODS", ())


TABLE: Mapping[str, Method] = MappingProxyType(
    {row.name: row for row in sorted(_rows(), key=lambda row: FAMILIES.index(row.family))}
)
"""Methods by name, in the order of their families."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {alias: method.name for method in TABLE.values() for alias in method.aliases}
)
"""Other names, of other packages, and the method that each stands for."""


def find(name: str) -> Method:
    """The method of a name or alias.

    Raises
    ------
    RuleError
        If there is none.
    """
    method = TABLE.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if method is None:
        known = [*TABLE, *ALIASES]
        near = difflib.get_close_matches(str(name), known, n=3)
        hint = f"Near it: {', '.join(near)}." if near else "deeplift_engine.methods() has them all."
        raise RuleError(f"There is no method {name!r}. {hint}")
    return method


def create(name: str, task: Task, options: Mapping[str, Any]) -> Explainer:
    """The method called ``name`` for ``task``.

    Raises
    ------
    RuleError
        If there is no such method, or for options that it does not take.
    """
    return find(name).create(task, options)
