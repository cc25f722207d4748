"""Arrays of a sample as text that a page holds: whole steps, deflated, in base 64."""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.util.typing import Array

STEPS = {"i2": 32_767, "i1": 127}
"""How many steps lie between 0 and the largest value, by the type that holds them."""
_ALIGNED = 4


@dataclass(frozen=True)
class Steps:
    """Numbers that the page holds as whole multiples of a step, the largest of them over a count.

    The largest error is half a step: ``max / 65534`` for ``"i2"``, ``max / 254`` for ``"i1"``.
    """

    values: Array
    kind: str = "i2"


def packed(sample: Mapping[str, Any]) -> str:
    """A sample's values: arrays of bytes and `Steps`, and anything else that JSON holds.

    The bytes are the length of a header (4, little-endian), the header as JSON, and the arrays it
    tells of, each at a multiple of four bytes.
    """
    arrays: dict[str, dict[str, Any]] = {}
    blob = bytearray()
    plain: dict[str, Any] = {}
    for name, value in sample.items():
        if isinstance(value, Steps | np.ndarray):
            arrays[name], content = _array(value)
            arrays[name]["at"] = len(blob)
            blob += content + bytes(-len(content) % _ALIGNED)
        else:
            plain[name] = value
    header = json.dumps({"arrays": arrays, **plain}, ensure_ascii=False).encode()
    header += b" " * (-len(header) % _ALIGNED)
    whole = len(header).to_bytes(4, "little") + header + blob
    return base64.b64encode(zlib.compress(whole)).decode()


def _array(value: Steps | Array) -> tuple[dict[str, Any], bytes]:
    if isinstance(value, Steps):
        numbers = np.nan_to_num(np.asarray(value.values, np.float64), posinf=0, neginf=0)
        step = float(np.abs(numbers).max(initial=0)) / STEPS[value.kind] or 1.0
        steps = np.rint(numbers / step).astype(f"<{value.kind}")
        told = {"type": value.kind, "step": step, "shape": steps.shape}
        return told, steps.tobytes()
    integers = np.asarray(value, np.uint8)
    return {"type": "u1", "step": 1, "shape": integers.shape}, integers.tobytes()


def number(value: Any) -> float | int | bool | None:
    """A number as JSON holds it: a float by its shortest text, nothing where it is not finite."""
    if isinstance(value, np.bool_ | bool):
        return bool(value)
    if isinstance(value, np.integer | int):
        return int(value)
    shortest = float(str(np.asarray(value)[()]))
    return shortest if math.isfinite(shortest) else None


def numbers(values: Array) -> list[float | int | bool | None]:
    """Numbers of an array, as `number` gives them."""
    return [number(value) for value in np.asarray(values)]


def for_a_script(value: Any) -> str:
    """JSON that stands in an element of a page: it has no character that HTML reads."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


__all__ = ["Steps", "for_a_script", "number", "numbers", "packed"]
