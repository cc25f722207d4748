"""The Python file of ``--custom``, in which users define custom layers."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.translate.user_layers import registered_layers

NAMES = {"LAYERS": "layers", "FUNCTIONS": "functions"}


def read_custom(path: Path | None) -> dict[str, Mapping[str, Any]]:
    """Run the file, and return its ``LAYERS`` and ``FUNCTIONS`` as `load` takes them.

    Modules beside the file can be imported by it.

    Raises
    ------
    InputError
        If the file does not exist, raises an error, or defines no layer.
    """
    if path is None:
        return {}
    if not path.is_file():
        raise InputError(f"--custom {path}: no such file")
    known = registered_layers()
    sys.path.insert(0, str(path.resolve().parent))
    try:
        namespace = runpy.run_path(str(path), run_name=path.stem)
    except Exception as error:
        text = (str(error).strip() or "no message").splitlines()[0]
        raise InputError(f"--custom {path} raised {type(error).__name__}: {text}") from error
    finally:
        sys.path.pop(0)
    definitions = {option: namespace[name] for name, option in NAMES.items() if name in namespace}
    if not definitions and registered_layers() is known:
        raise InputError(
            f"--custom {path} defines no layer: it needs LAYERS = {{...}} or "
            "FUNCTIONS = {...}, which are what deeplift_engine.load takes, or calls of "
            "deeplift_engine.register_layer"
        )
    return definitions


__all__ = ["read_custom"]
