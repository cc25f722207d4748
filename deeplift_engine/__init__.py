"""DeepLIFT and its kin for saved Keras models of every age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deeplift_engine import errors, references
from deeplift_engine.engine import targets
from deeplift_engine.errors import DeepliftEngineError
from deeplift_engine.loading import convert, coverage, load
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.translate.user_layers import forward_only, register_layer, unregister_layer
from deeplift_engine.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deeplift_engine import (
        evaluate,
        genomics,
        images,
        report,
        tables,
        text,
        training,
        visualize,
    )
    from deeplift_engine.evaluate import compare
    from deeplift_engine.explainers.explainer import Explainer
    from deeplift_engine.explainers.folds import folds
    from deeplift_engine.explainers.method import Method
    from deeplift_engine.explainers.relevance.fit_patterns import Patterns, fit_patterns
    from deeplift_engine.jobs.job import Job
    from deeplift_engine.jobs.reader import open_store
    from deeplift_engine.network import Network
    from deeplift_engine.translate.custom_layer import CustomLayer

_LAZY = {
    "CustomLayer": "deeplift_engine.translate.custom_layer",
    "Explainer": "deeplift_engine.explainers.explainer",
    "Job": "deeplift_engine.jobs.job",
    "Network": "deeplift_engine.network",
    "Patterns": "deeplift_engine.explainers.relevance.fit_patterns",
    "fit_patterns": "deeplift_engine.explainers.relevance.fit_patterns",
    "folds": "deeplift_engine.explainers.folds",
    "compare": "deeplift_engine.evaluate",
    "open_store": "deeplift_engine.jobs.reader",
}

_ROOMS = ("evaluate", "genomics", "images", "report", "tables", "text", "training", "visualize")


def methods() -> Mapping[str, Method]:
    """Every attribution method by name: what it is, its options, and what it costs."""
    from deeplift_engine.explainers.catalogue import TABLE

    return TABLE


def __getattr__(name: str) -> Any:
    """Import what needs TensorFlow, or long, when it is first asked for."""
    from importlib import import_module

    if name in _ROOMS:
        return import_module(f"deeplift_engine.{name}")
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Attribution",
    "CustomLayer",
    "DeepliftEngineError",
    "Explainer",
    "Job",
    "Network",
    "Patterns",
    "__version__",
    "compare",
    "convert",
    "coverage",
    "errors",
    "evaluate",
    "fit_patterns",
    "folds",
    "forward_only",
    "genomics",
    "images",
    "load",
    "methods",
    "open_store",
    "references",
    "register_layer",
    "report",
    "tables",
    "targets",
    "text",
    "training",
    "unregister_layer",
    "visualize",
]
