"""The table of methods: every name that `Network.explainer` takes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers import deeplift as difference
from deeplift_engine.explainers import noise
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients import (
    blur_path as blur,
)
from deeplift_engine.explainers.gradients import (
    concepts,
    gradient,
    neurons,
)
from deeplift_engine.explainers.gradients import (
    guided_path as guided,
)
from deeplift_engine.explainers.gradients import (
    integrated_gradients as path,
)
from deeplift_engine.explainers.maps import activation_maps, regions, score_cam
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation import (
    mutagenesis,
    occlusion,
    random_masks,
    shapley,
    surrogate,
)
from deeplift_engine.explainers.relevance import contrastive, lrp
from deeplift_engine.explainers.relevance import pattern_attribution as patterns

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


def create(name: str, setup: Setup, options: Mapping[str, Any]) -> Explainer:
    """The method called ``name``, made for ``setup``.

    Raises
    ------
    RuleError
        If there is no such method, or for options that it does not take.
    """
    return find(name).create(setup, options)
