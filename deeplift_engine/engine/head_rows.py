"""Heads: targets at several layers in one run, as weights over the units of all their layers.

Each head is one target or several whose weights are zero on the units of the others, so that
methods need to know nothing of heads. `deeplift_engine.engine.joint_task` makes the layer of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine import targets
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
) -> tuple[Array, dict[str, HeadRows]]:
    """Weights (T, n or 1, *shape) of a run's target, and its heads where it has some.

    Parameters
    ----------
    target
        Units, as `deeplift_engine.targets.resolve` takes them; or those of each head.
    shape
        Of the target's layer, without batch axis; or of that of each head.
    samples, dtype, rows
        As for `deeplift_engine.targets.resolve`.

    Raises
    ------
    TargetError
        As `deeplift_engine.targets.resolve`, naming the head.
    """
    if not isinstance(shape, Mapping):
        return targets.resolve(target, shape, samples, dtype, rows), {}
    each: dict[str, Array] = {}
    for name, units in target.items():
        with of_head(name):
            weights = targets.resolve(units, shape[name], samples, dtype, rows)
        each[name] = weights.reshape(*weights.shape[:2], -1)
    total = sum(weights.shape[2] for weights in each.values())
    sets = max(weights.shape[1] for weights in each.values())
    joint = np.zeros((sum(map(len, each.values())), sets, total), dtype)
    heads: dict[str, HeadRows] = {}
    row = unit = 0
    for name, weights in each.items():
        own, units = slice(row, row + len(weights)), slice(unit, unit + weights.shape[2])
        joint[own, :, units] = weights
        heads[name] = HeadRows(own, units, targets.several(target[name]))
        row, unit = own.stop, units.stop
    return joint, heads


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


__all__ = ["HeadRows", "of_head", "resolved_target", "units_of_heads"]
