"""Warnings that name the line of the user's program, from any depth of calls."""

from __future__ import annotations

import inspect
import warnings


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost caller outside this package."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and _ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)


def _ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]
