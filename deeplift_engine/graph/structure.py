"""Structures of a model's inputs and outputs: paths to each tensor, and names by these paths.

Keras takes inputs and gives outputs as one tensor, or as lists and mappings of tensors, nested
to any depth. A path leads to one of the tensors: keys of mappings and positions in lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deeplift_conversion.spec import Path


def has_keys(paths: Sequence[Path]) -> bool:
    """Whether a mapping is anywhere in the structure."""
    return any(isinstance(step, str) for path in paths for step in path)


def labels(paths: Sequence[Path], names: Sequence[str]) -> tuple[str, ...]:
    """Return one unique name for each tensor.

    A path with a key in it is joined by ``/``: ``"dna"``, ``"heads/0"``. Other tensors have the
    name in ``names``. A repeated name gets a number, as Keras 2 numbers repeated outputs.
    """
    found: list[str] = []
    for path, name in zip(paths, names, strict=True):
        base = "/".join(map(str, path)) if has_keys([path]) else name
        label, number = base, 0
        while label in found:
            number += 1
            label = f"{base}_{number}"
        found.append(label)
    return tuple(found)


def packed(paths: Sequence[Path], values: Sequence[Any]) -> Any:
    """Return the values in the structure of the paths; lists for positions, dicts for keys."""
    if len(paths) == 1 and not paths[0]:
        return values[0]
    branches: dict[str | int, tuple[list[Path], list[Any]]] = {}
    for path, value in zip(paths, values, strict=True):
        inner_paths, inner_values = branches.setdefault(path[0], ([], []))
        inner_paths.append(path[1:])
        inner_values.append(value)
    entries = {step: packed(*branch) for step, branch in branches.items()}
    return entries if has_keys([path[:1] for path in paths]) else list(entries.values())


def unpacked(value: Any, paths: Sequence[Path]) -> list[Any] | None:
    """Return the values at the paths, None if the value does not have their structure."""
    if len(paths) == 1 and not paths[0]:
        return [value]
    steps = list(dict.fromkeys(path[0] for path in paths))
    if has_keys([path[:1] for path in paths]):
        if not isinstance(value, Mapping) or set(value) != set(steps):
            return None
    elif not isinstance(value, list | tuple) or len(value) != len(steps):
        return None
    values: list[Any] = []
    for step in steps:
        inner = unpacked(value[step], [path[1:] for path in paths if path[0] == step])
        if inner is None:
            return None
        values += inner
    return values


def leaves(value: Any) -> Iterator[Any]:
    """Yield what is in no container, mappings in the order of their keys as Keras flattens."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from leaves(entry)
    else:
        yield value
