"""The catalogue of methods: every name that `Network.explainer` takes.

A method is in it as soon as a module of this room has its row in ``METHODS``.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from deeplift_engine import explainers
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.rules.deeplift.assign import named_rules
from deeplift_engine.util.suggestions import suggest

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


OTHER_PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "deconvolution": "deconvnet",
        "deepexplainer": "deepshap",
        "deepliftshap": "deepshap",
        "deepliftrescale": "deeplift",
        "deepliftwrapper": "deeplift",
        "gradientexplainer": "expected_gradients",
        "ig": "integrated_gradients",
        "inputtgradient": "gradient_times_input",
        "inputxgrad": "gradient_times_input",
        "kernelexplainer": "kernel_shap",
        "layergradcam": "grad_cam",
        "layergradientxactivation": "gradient_times_input",
        "layerwiserelevancepropagation": "lrp",
        "noisetunnel": "smoothgrad",
        "partitionexplainer": "partition_shap",
        "permutationexplainer": "shapley_sampling",
        "samplingexplainer": "shapley_sampling",
        "shap": "deepshap",
        "sobolattributionmethod": "sobol",
        "vanillagradient": "gradient",
    }
)
"""Names of other packages, in lower case without signs, and the method that is meant."""


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
        spelt = {**OTHER_PACKAGES} | {_plain(each): ALIASES.get(each, each) for each in known}
        if here := spelt.get(_plain(str(name))):
            raise RuleError(f"There is no method {name!r}: it is called {here!r} here.")
        if name in named_rules():
            raise RuleError(
                f"{name!r} is no method but rules of one: method 'deeplift' with rules={name!r}."
            )
        raise RuleError(
            f"There is no method {name!r}. "
            f"{suggest(name, known, 'deeplift_engine.methods() has them all.')}"
        )
    return method


def _plain(name: str) -> str:
    """A name in lower case, letters and digits alone."""
    return re.sub("[^a-z0-9]", "", name.lower().replace("+", "plus"))


def create(name: str, task: Task, options: Mapping[str, Any]) -> Explainer:
    """The method called ``name`` for ``task``.

    Raises
    ------
    RuleError
        If there is no such method, or for options that it does not take.
    """
    return find(name).create(task, options)
