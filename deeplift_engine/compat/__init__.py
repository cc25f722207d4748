"""The calls of kundajelab/deeplift 0.6 over this engine.

A script runs after its imports are changed from ``deeplift...`` to
``deeplift_engine.compat...`` (or ``import deeplift_engine.compat as deeplift``). New code has
no use for this package: docs/MIGRATING.md says each call in both ways.
"""

from __future__ import annotations

from deeplift_engine.compat import conversion, dinuc_shuffle, layers, models, util, visualization

__version__: str = "0.6.13.0"
"""The version of deeplift whose calls these are; that of this package is its own."""

__all__ = ["conversion", "dinuc_shuffle", "layers", "models", "util", "visualization"]
