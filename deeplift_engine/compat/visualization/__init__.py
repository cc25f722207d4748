"""Pictures of scores."""

from __future__ import annotations

from deeplift_engine.compat.visualization import viz_sequence

__all__ = ["viz_sequence"]
