"""The original's form of an enumeration."""

from __future__ import annotations

from typing import Any


def enum(**values: Any) -> Any:
    """A class with ``values`` as attributes, and all of them in ``vals`` and ``the_dict``."""
    return type("Enum", (), {**values, "vals": list(values.values()), "the_dict": values})
