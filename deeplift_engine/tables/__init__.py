"""From tables and signals to the inputs of a network by name, and from scores to their figures.

`read` takes a table, `read_signals` recordings; `scores` gives a result the names of its features,
and their figures. docs/TABLES.md goes the whole way.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deeplift_engine.tables.feature_scores import FeatureScores, open_scores, scores
    from deeplift_engine.tables.signal_drawing import draw_signal
    from deeplift_engine.tables.signal_input import SignalInput, read_signals
    from deeplift_engine.tables.table_input import Table, read
    from deeplift_engine.tables.transformed_columns import encoded_columns

_LAZY = {
    "FeatureScores": "feature_scores",
    "SignalInput": "signal_input",
    "Table": "table_input",
    "draw_signal": "signal_drawing",
    "encoded_columns": "transformed_columns",
    "open_scores": "feature_scores",
    "read": "table_input",
    "read_signals": "signal_input",
    "scores": "feature_scores",
}
"""Modules of this room by the names that they define."""


def __getattr__(name: str) -> Any:
    """Import what may need other libraries when it is first asked for."""
    if name in _LAZY:
        return getattr(import_module(f"deeplift_engine.tables.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "FeatureScores",
    "SignalInput",
    "Table",
    "draw_signal",
    "encoded_columns",
    "open_scores",
    "read",
    "read_signals",
    "scores",
]
