"""Columns of inputs and references that have names: they are compared by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deeplift_engine.errors import ReferencesError
from deeplift_engine.graph.inputs import InputInfo, by_input
from deeplift_engine.references.fixed import unchanged


def check_order(x: Any, references: Any, inputs: Sequence[InputInfo]) -> None:
    """Refuse references whose columns are called otherwise, or stand in another order.

    Parameters
    ----------
    x
        The inputs, by input where there are several.
    references
        What they are compared with, likewise; an input that is left out is held fixed.
    inputs
        The network's.

    Raises
    ------
    ReferencesError
        Naming the columns of both.
    """
    values = by_input(x, inputs, "x")
    compared = by_input(references, inputs, "references", unchanged())
    for info, value, reference in zip(inputs, values, compared, strict=True):
        own, others = _names(value), _names(reference)
        if own and others and own != others:
            raise ReferencesError(
                f"references of input {info.name!r} have the columns {', '.join(others)}, and the "
                f"inputs {', '.join(own)}: columns are compared by position, so give both in one "
                "order, references=frame[x.columns], or by name, table.references(frame) of "
                "tables.read"
            )


def _names(value: Any) -> list[str]:
    """The names of the columns of a data frame or table; none where they are numbered."""
    frames = value.columns if hasattr(value, "to_numpy") and hasattr(value, "columns") else ()
    names = getattr(value, "features", frames)
    return [] if type(names).__name__ == "RangeIndex" else [str(name) for name in names]


__all__ = ["check_order"]
