"""Heads: targets at several layers in one run, as weights over the units of all their layers.

Each head is one target or several whose weights are zero on the units of the others, so that
methods need to know nothing of heads. `deeplift_engine.engine.joint_task` makes the layer of all.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine import targets
from deeplift_engine.engine.profile_target import at_references, reads_references
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.util.options import shown
from deeplift_engine.util.typing import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class HeadRows:
    """One head among the targets of a run.

    Attributes
    ----------
    rows
        Its targets, among all T.
    units
        Of its layer, among those of all heads.
    stacked
        Whether there may be several, so that its results keep their axis.
    """

    rows: slice
    units: slice
    stacked: bool

    @property
    def settings(self) -> dict[str, Any]:
        """What a result must know to give the head's own."""
        return {"rows": [self.rows.start, self.rows.stop], "stacked": self.stacked}


@contextmanager
def of_head(name: str) -> Iterator[None]:
    """Errors inside say which head they are of."""
    try:
        yield
    except (TargetError, InputError) as error:
        raise type(error)(f"Head {name!r}: {error}") from None


def resolved_target(
    target: Any,
    shape: Shape | Mapping[str, Shape],
    samples: int,
    dtype: str,
    rows: Any = targets.EVERY,
    level: Callable[[], Array] | None = None,
    mirrored: bool = False,
) -> tuple[Array, dict[str, HeadRows]]:
    """Weights (T, n or 1, *shape) of a run's target, and its heads where it has some.

    Parameters
    ----------
    target
        Units, as `deeplift_engine.targets.resolve` takes them; or those of each head.
    shape
        Of the target's layer, without batch axis; or of that of each head.
    samples, dtype, rows, mirrored
        As for `deeplift_engine.targets.resolve`.
    level
        Gives the activations of the target's layer on these samples: (n, *shape), or of several
        heads (n, units of all). None where they are not known.

    Raises
    ------
    TargetError
        As `deeplift_engine.targets.resolve`, naming the head.
    """
    known: dict[str, Any] = {"mirrored": mirrored}
    if level is not None:
        known["level"] = level
    if not isinstance(shape, Mapping):
        return targets.resolve(target, shape, samples, dtype, rows, **known), {}
    units, each = _units(shape), dict[str, Array]()
    for name, own in target.items():
        if level is not None:
            known["level"] = functools.partial(_of_head, level, units[name], shape[name])
        with of_head(name):
            weights = targets.resolve(own, shape[name], samples, dtype, rows, **known)
        each[name] = weights.reshape(*weights.shape[:2], -1)
    total = sum(weights.shape[2] for weights in each.values())
    sets = max(weights.shape[1] for weights in each.values())
    joint = np.zeros((sum(map(len, each.values())), sets, total), dtype)
    heads: dict[str, HeadRows] = {}
    row = 0
    for name, weights in each.items():
        rows_of_head = slice(row, row + len(weights))
        joint[rows_of_head, :, units[name]] = weights
        heads[name] = HeadRows(rows_of_head, units[name], targets.several(target[name]))
        row = rows_of_head.stop
    return joint, heads


def _units(shape: Mapping[str, Shape]) -> dict[str, slice]:
    """The units of each head among those of all."""
    ends = np.cumsum([0, *(math.prod(own) for own in shape.values())]).tolist()
    return {name: slice(*ends[number : number + 2]) for number, name in enumerate(shape)}


def _of_head(level: Callable[[], Array], units: slice, shape: Shape) -> Array:
    """A head's activations (..., *shape) of those of all (..., units)."""
    flat = level()
    return flat[..., units].reshape(*flat.shape[:-1], *shape)


def weights_at_references(
    target: Any,
    shape: Shape | Mapping[str, Shape],
    heads: Mapping[str, HeadRows],
    dtype: str,
    mirrored: bool = False,
) -> Callable[[Array], Array] | None:
    """What gives the part of a run's weights that references make; None where they make none.

    Parameters
    ----------
    target, shape, dtype, mirrored
        As for `resolved_target`.
    heads
        That it returns.

    Returns
    -------
    function
        It takes the activations (..., *shape) of the target's layer on references, and returns
        weights (T, ..., *shape) to be added to those of `resolved_target`.
    """
    if not isinstance(shape, Mapping):
        if not reads_references(target):
            return None
        return lambda level: at_references(target, level, shape, mirrored).astype(dtype)
    reading = [name for name in heads if reads_references(target[name])]

    def of_all(level: Array) -> Array:
        joint = np.zeros((max(head.rows.stop for head in heads.values()), *level.shape), dtype)
        for name in reading:
            own = _of_head(lambda: level, heads[name].units, shape[name])
            part = at_references(target[name], own, shape[name], mirrored)
            joint[heads[name].rows, ..., heads[name].units] = part.reshape(
                *part.shape[: level.ndim], -1
            )
        return joint

    return of_all if reading else None


def units_of_heads(heads: Mapping[str, Callable[[Any], Any]], target: Any) -> dict[str, Any]:
    """The units of each head in a run.

    Parameters
    ----------
    heads
        Of each the function that gives its units for its part of a target; see `Task.units_of`.
    target
        The units of some heads, by name; None is what all were made for.

    Raises
    ------
    TargetError
        For anything but such a mapping, an unknown head, or another layer than the head's.
    """
    names = ", ".join(map(repr, heads))
    if target is not None and not isinstance(target, Mapping):
        raise TargetError(
            f"target={shown(target)} is of no head: this explains the heads {names}; say units by "
            f"their names, target={{{next(iter(heads))!r}: 0}}, or leave target out."
        )
    chosen = target or {}
    unknown = [name for name in chosen if name not in heads]
    if unknown:
        raise TargetError(f"target= has the head {unknown[0]!r}; this explains {names}.")
    units: dict[str, Any] = {}
    for name, units_of in heads.items():
        with of_head(name):
            units[name] = units_of(chosen.get(name))
    return units


__all__ = ["HeadRows", "of_head", "resolved_target", "units_of_heads", "weights_at_references"]
