"""Scores while a model trains: a Keras callback, and explainers whose weights are refilled.

docs/IMAGES.md shows the callback at work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplift_engine.util.lazy import lazy

if TYPE_CHECKING:
    from deeplift_engine.training.refilled_explainer import RefilledExplainer
    from deeplift_engine.training.score_callback import ScoreCallback

_LAZY = {"RefilledExplainer": "refilled_explainer", "ScoreCallback": "score_callback"}
"""Modules of this room by the names that they define."""

__getattr__ = lazy(__name__, _LAZY)


__all__ = ["RefilledExplainer", "ScoreCallback"]
