"""Conversion of saved models."""

from __future__ import annotations

from deeplift_engine.compat.conversion import kerasapi_conversion

__all__ = ["kerasapi_conversion"]
