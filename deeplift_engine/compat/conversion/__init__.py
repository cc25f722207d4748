"""Conversion of saved models, and of models in memory."""

from __future__ import annotations

from deeplift_engine.compat.conversion import keras_conversion, kerasapi_conversion

__all__ = ["keras_conversion", "kerasapi_conversion"]
