"""Bounds what is not trusted: configurations, as plain data, and the bytes of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_conversion.errors import ModelConfigError, ModelFileError

_DEEPEST = 150
_MOST_VALUES = 500_000
_MOST_CONTAINERS = 3_000_000
_FREE_BYTES, _BYTES_A_BYTE = 64 << 20, 100
_MOST_NUMBERS = 20_000_000
"""Of all arrays together that are saved in a configuration."""


class Budget:
    """The bytes that all of a file may still unpack to, by its size."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.left = _FREE_BYTES + _BYTES_A_BYTE * size

    def take(self, count: int, what: str) -> None:
        """Spend some of the bytes.

        Raises
        ------
        ModelFileError
            If they are more than are left.
        """
        self.left -= count
        if self.left < 0:
            raise ModelFileError(
                f"{what}, {count:,} bytes: with it the file would unpack to more than"
                f" {_FREE_BYTES + _BYTES_A_BYTE * self.size:,} bytes, and it has {self.size:,}. It"
                " is damaged or made to exhaust memory."
            )


def short_text(text: str | bytes, what: str) -> None:
    """Refuse a text of far more lists and mappings than any configuration, before it is parsed.

    Raises
    ------
    ModelConfigError
        If it is.
    """
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    count = data.count(b"[") + data.count(b"{")
    if count > _MOST_CONTAINERS:
        raise ModelConfigError(
            f"{what}: a configuration of {count:,} lists and mappings; no saved model has one of"
            f" more than {_MOST_CONTAINERS:,}. Is the file damaged?"
        )


def plain(value: Any, what: str) -> Any:
    """Copy ``value`` as dicts, lists, strings, numbers, booleans and None.

    Arrays become lists, but for those that Keras saves as such (``"__numpy__"``).

    Parameters
    ----------
    value
        A parsed JSON or YAML document, or what a live layer's ``get_config`` gave.
    what
        What the document is, for the message.

    Raises
    ------
    ModelConfigError
        If it is nested too deeply, refers to itself, is absurdly large, or holds text that is no
        Unicode.
    """
    seen = numbers = 0

    def copy(item: Any, depth: int) -> Any:
        nonlocal seen, numbers
        seen += 1
        if depth > _DEEPEST or seen > _MOST_VALUES:
            raise ModelConfigError(
                f"{what}: nested deeper than {_DEEPEST} levels or longer than {_MOST_VALUES:,}"
                " values; no saved model looks like this. Is the file damaged?"
            )
        if isinstance(item, str):
            return _unicode(item, what)
        if item is None or isinstance(item, bool | int | float):
            return item
        if (constant := _constant(item)) is not None:
            numbers += constant["config"]["value"].size
            if numbers > _MOST_NUMBERS and not isinstance(item["config"]["value"], np.ndarray):
                raise ModelConfigError(
                    f"{what}: {numbers:,} numbers in saved constants, more than {_MOST_NUMBERS:,};"
                    " no saved model looks like this. Is the file damaged?"
                )
            return constant
        if isinstance(item, Mapping):
            return {
                _unicode(text(key), what): copy(entry, depth + 1) for key, entry in item.items()
            }
        if isinstance(item, list | tuple | set | frozenset):
            return [copy(entry, depth + 1) for entry in item]
        if isinstance(item, np.ndarray):
            return copy(item.tolist(), depth + 1)
        if isinstance(item, np.generic):
            return copy(item.item(), depth + 1)
        if isinstance(item, bytes):
            return item.decode("utf-8", "backslashreplace")
        return str(item)

    return copy(value, 0)


_ARRAYS = ("__numpy__", "__tensor__")


def _constant(item: Any) -> dict[str, Any] | None:
    """Return a saved array with its numbers as an array, None for anything else.

    It counts as one value; its numbers have a bound of their own.
    """
    if not isinstance(item, dict) or item.get("class_name") not in _ARRAYS:
        return None
    config = item.get("config")
    if not isinstance(config, dict) or not isinstance(
        value := config.get("value"), list | np.ndarray
    ):
        return None
    try:
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16
    except (ValueError, TypeError, OverflowError):
        return None
    if array.dtype.kind not in "biuf":
        return None
    dtype = str(config.get("dtype") or array.dtype)
    return {"class_name": item["class_name"], "config": {"value": array, "dtype": dtype}}


def _unicode(value: str, what: str) -> str:
    """Refuse half a surrogate pair, which JSON can spell and no file, name or terminal holds."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ModelConfigError(
            f"{what}: the text {value[:80]!r} is no Unicode; rename the layer, or save it again."
        ) from error
    return value


def text(value: Any) -> str:
    """Return an attribute's or key's value as a string, be it bytes or str."""
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def frozen(value: Any) -> Any:
    """Return ``value`` with every list, and every array that Keras saved, turned into a tuple."""
    if isinstance(value, list | tuple):
        return tuple(frozen(entry) for entry in value)
    if not isinstance(value, dict):
        return value
    inner = value.get("config") if value.get("class_name") in _ARRAYS else value
    if isinstance(inner, dict) and (inner is not value or value.get("type") == "ndarray"):
        array = inner.get("value")
        return frozen(array.tolist() if isinstance(array, np.ndarray) else array)
    return {key: frozen(entry) for key, entry in value.items()}
