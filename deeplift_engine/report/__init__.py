"""Old names of `deeplift_engine.figures`, kept for one release."""

from __future__ import annotations

from typing import Any

from deeplift_engine import figures
from deeplift_engine.util.warn import warn


def __getattr__(name: str) -> Any:
    if name not in figures.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warn(f"deeplift_engine.report.{name} is deeplift_engine.figures.{name}", DeprecationWarning)
    return getattr(figures, name)
