"""Libraries that only some methods need, imported on demand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from deeplift_engine.errors import DeepliftEngineError


def optional(module: str, package: str, extra: str = "methods") -> Any:
    """Import a module of a package that one of the extras installs.

    Raises
    ------
    DeepliftEngineError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise DeepliftEngineError(
            f'This needs {package}: pip install "deeplift_engine[{extra}]" brings it.'
        ) from error
