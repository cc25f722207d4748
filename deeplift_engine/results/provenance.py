"""Where a result came from: the model, the project and the libraries it computes with."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from deeplift_conversion.spec import ModelSpec
from deeplift_engine.version import __version__

_LIBRARIES = ("tensorflow", "keras", "numpy")


def model_settings(spec: ModelSpec, dtype: str, custom: Mapping[str, str]) -> dict[str, Any]:
    """The model, and what it was computed with, in a result's settings.

    ``custom`` are the user's definitions of layers in words, by their keys.
    """
    return {
        **({"custom_layers": custom} if custom else {}),
        "model": spec.source,
        "model_sha256": spec.sha256,
        "model_keras_version": spec.keras_version,
        "dtype": dtype,
        **provenance(),
        "python_version": platform.python_version(),
    }


def provenance() -> dict[str, str]:
    """Give the versions of the project and of the libraries that it computes with."""
    return {
        "deeplift_engine_version": __version__,
        **{f"{name}_version": metadata.version(name) for name in _LIBRARIES},
    }


__all__ = ["model_settings", "provenance"]
