"""Objects that are pickled and copied by the call that makes them again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def recreation(recreate: Callable[[], Any] | None, owner: Any) -> tuple[Any, ...]:
    """What ``__reduce__`` returns for an object that a call without arguments makes again.

    Raises
    ------
    TypeError
        If there is no such call.
    """
    if recreate is None:
        raise TypeError(f"{owner!r} belongs to another object: pickle or copy that one.")
    return recreate, ()


__all__ = ["recreation"]
