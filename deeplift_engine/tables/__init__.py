"""From tables and signals to the inputs of a network by name, and from scores to their figures.

`read` takes a table, `read_signals` recordings; `scores` gives a result the names of its features,
and their figures. docs/TABLES.md goes the whole way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deeplift_engine.util.lazy import lazy

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

__getattr__ = lazy(__name__, _LAZY)


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
