"""The table of methods: every name that `Network.explainer` takes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deeplift_engine.errors import RuleError
from deeplift_engine.explainers import (
    activation_maps,
    blur,
    concepts,
    contrastive,
    difference,
    gradient,
    guided,
    lrp,
    mutagenesis,
    neurons,
    noise,
    occlusion,
    path,
    patterns,
    random_masks,
    regions,
    score_cam,
    shapley,
    surrogate,
)
from deeplift_engine.explainers.base import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.setup import Setup

FILES = (
    difference,
    gradient,
    path,
    guided,
    blur,
    noise,
    neurons,
    concepts,
    activation_maps,
    score_cam,
    regions,
    lrp,
    contrastive,
    patterns,
    occlusion,
    shapley,
    surrogate,
    random_masks,
    mutagenesis,
)

TABLE: Mapping[str, Method] = MappingProxyType(
    {method.name: method for file in FILES for method in file.METHODS}
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
    found = TABLE.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if found is None:
        known = [*TABLE, *ALIASES]
        near = difflib.get_close_matches(str(name), known, n=3)
        said = f"Near it: {', '.join(near)}." if near else "deeplift_engine.methods() has them all."
        raise RuleError(f"There is no method {name!r}. {said}")
    return found


def make(name: str, setup: Setup, options: Mapping[str, Any]) -> Explainer:
    """The method called ``name``, made for ``setup``.

    Raises
    ------
    RuleError
        If there is no such method, or for options that it does not take.
    """
    return find(name).made(setup, options)
