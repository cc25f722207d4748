"""Finds in a configuration what Keras would run, or import, if it loaded the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from deeplift_conversion.files.architecture import parse_json
from deeplift_conversion.files.hdf5 import attribute, opened
from deeplift_conversion.files.keras_members import unpacked
from deeplift_conversion.files.source import container
from deeplift_conversion.files.untrusted import Budget

_CODE = frozenset({"Lambda", "__lambda__"})
_MARSHAL = re.compile(r"\s*(4w|Yw)[A-Za-z0-9+/]AAA")
"""How the base64 of a marshalled code object begins: its type, four bytes of a small number."""
_FUNCTIONS = frozenset({"builtins", "keras.activations", "keras.initializers", "keras.ops"})


def code_in_file(data: bytes, source: str, is_registered: Callable[[str], bool]) -> str:
    """Name the first piece of code in the configuration of a model file, ``""`` if it has none.

    Parameters
    ----------
    data
        The file.
    source
        Its name, for messages.
    is_registered
        Whether the caller knows a class or function of the user's own, by its registered name, so
        that Keras does not look for it in a module that the file names.

    Raises
    ------
    ModelFileError
        If the file cannot be read.
    """
    if container(data, source) == "zip":
        document = unpacked(data, Budget(len(data)), source)[0]
    else:
        with opened(data, source) as file:
            config = attribute(file, "model_config")
        document = {} if config is None else parse_json(config, source)
    document.pop("compile_config", None)  # which is not loaded
    return next(_code(document, "the model", is_registered), "")


def _code(value: Any, where: str, is_registered: Callable[[str], bool]) -> Iterator[str]:
    """Describe every piece of code in a configuration."""
    if isinstance(value, list):
        for entry in value:
            yield from _code(entry, where, is_registered)
    if isinstance(value, str) and (value in _CODE or _MARSHAL.match(value)):
        yield f"code in {where}"
    if not isinstance(value, dict):
        return
    config = value.get("config")
    name = value.get("name") or (config.get("name") if isinstance(config, dict) else None)
    kind = value.get("class_name")
    named = isinstance(kind, str) and isinstance(name, str)
    where = f"{kind} {name!r}" if named else where
    if isinstance(kind, str):
        if kind.rpartition(">")[2] in _CODE:
            yield where if named else f"code in {where}"
        elif not _is_known(kind, value, is_registered):
            yield f"{kind!r} of the module {value.get('module')!r}"
    for key, entry in value.items():
        if key in _CODE or (key.endswith("_type") and entry == "lambda"):
            yield f"code in {where}"
        yield from _code(entry, where, is_registered)


def _is_known(kind: str, value: dict[str, Any], is_registered: Callable[[str], bool]) -> bool:
    """Whether an object is Keras's own, or registered by the user."""
    module = value.get("module")
    name = value.get("config") if kind == "function" else value.get("registered_name")
    if module is None or (isinstance(name, str) and is_registered(name)):
        return True
    if kind == "function":
        return module in _FUNCTIONS
    return isinstance(module, str) and module.partition(".")[0] in ("keras", "builtins")


__all__ = ["code_in_file"]
