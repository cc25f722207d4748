"""The report of a run: one page without a network that shows its model, samples and sums.

`write` is what users call; the names of `deeplift_engine.figures` stay here for one release.
"""

from __future__ import annotations

from typing import Any

from deeplift_engine.report.written_report import SAMPLES, write


def __getattr__(name: str) -> Any:
    from deeplift_engine import figures

    if name not in figures.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from deeplift_engine.util.warn import warn

    warn(f"deeplift_engine.report.{name} is deeplift_engine.figures.{name}", DeprecationWarning)
    return getattr(figures, name)


__all__ = ["SAMPLES", "write"]
