"""Units of a model of many tasks by the names of the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.util.suggestions import suggest


def tasks(
    names: Sequence[str] | str | Path,
    chosen: Any = None,
    *,
    layer: str = "logits",
    units: int | None = None,
) -> dict[str, str]:
    """Units of one layer as heads, by the names of their tasks.

    Parameters
    ----------
    names
        Of all tasks in the order of the units; or a text file of them, a line each.
    chosen
        A name, or a list of some; None is all.
    layer
        The layer of the units.
    units
        How many it has, if known.

    Returns
    -------
    dict
        Targets by name, which `Network.explainer` takes.

    Raises
    ------
    InputError
        If the file cannot be read, a name is empty or occurs twice, or the number of names is not
        ``units``.
    TargetError
        If a chosen name is no task.
    """
    source = str(names) if isinstance(names, str | Path) else "names"
    known = _read(Path(names)) if isinstance(names, str | Path) else list(names)
    numbers: dict[str, int] = {}
    for number, name in enumerate(known):
        if not isinstance(name, str) or not name or name in numbers:
            first = f", after line {numbers[name] + 1}" if name in numbers else ""
            raise InputError(
                f"{source}, line {number + 1}: the task {name!r}{first}: expected one name in each "
                "line, all different."
            )
        numbers[name] = number
    if units is not None and len(numbers) != units:
        raise InputError(
            f"{source}: {len(numbers)} names of tasks, and {layer!r} has {units} units: expected "
            "a name for each, in their order."
        )
    some = list(numbers) if chosen is None else chosen if isinstance(chosen, list) else [chosen]
    for name in some:
        if name not in numbers:
            advice = suggest(name, numbers, f"The first are {', '.join(list(numbers)[:5])}.")
            raise TargetError(f"target={name!r} is no task of {source}. {advice}")
    return {name: f"{layer}:{numbers[name]}" for name in some}


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the names of tasks cannot be read: {error}") from error
    return [line.strip() for line in lines]


__all__ = ["tasks"]
