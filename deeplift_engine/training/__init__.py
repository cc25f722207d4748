"""Scores while a model trains: a Keras callback, and explainers whose weights are refilled.

docs/IMAGES.md shows the callback at work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deeplift_engine.training.refilled_explainer import RefilledExplainer
    from deeplift_engine.training.score_callback import ScoreCallback

_LAZY = {"RefilledExplainer": "refilled_explainer", "ScoreCallback": "score_callback"}
"""Modules of this room by the names that they define."""


def __getattr__(name: str) -> Any:
    """Import what needs Keras when it is first asked for."""
    if name in _LAZY:
        return getattr(import_module(f"deeplift_engine.training.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["RefilledExplainer", "ScoreCallback"]
