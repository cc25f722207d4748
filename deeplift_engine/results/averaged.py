"""The mean of results of several models, or of several views of the same samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.results.attribution import Arrays, Attribution
from deeplift_engine.util.typing import Array

MEANS = ("scores", "multipliers", "convergence_delta", "target_delta", "standard_errors")
"""Fields that are averaged; a mean of standard errors is no smaller than that of the mean."""


def mean_of(results: Iterable[Attribution], *, spread: bool = False) -> Attribution:
    """The mean of results of the same samples, which are taken one by one.

    Parameters
    ----------
    results
        With the same fields, axes and shapes. Settings and inputs are those of the first.
    spread
        Whether the results are of several models: their predictions are averaged too, and the
        standard deviations of scores and of hypothetical contributions are given (n - 1 in the
        denominator).

    Returns
    -------
    Attribution
        ``relative_error`` is the largest of all.
    """
    means: dict[str, _Moments] = {}
    first: Attribution | None = None
    relative: Array | None = None
    for result in results:
        first = result if first is None else first
        if result.relative_error is not None:
            relative = np.maximum(result.relative_error, 0.0 if relative is None else relative)
        for name, values in _averaged_fields(result, spread).items():
            means.setdefault(name, _Moments()).add(values)
    assert first is not None
    changes: dict[str, Any] = {name: of.mean for name, of in means.items()}
    if spread:
        changes["spread"] = means["scores"].deviation
        changes.pop("hypothetical", None)
        if "hypothetical" in means:
            changes["hypothetical_spread"] = means["hypothetical"].deviation
    return replace(first, relative_error=relative, **changes)


def _averaged_fields(result: Attribution, spread: bool) -> dict[str, Arrays]:
    fields = {name: getattr(result, name) for name in (*MEANS, *["predictions"] * spread)}
    if spread and result.multipliers is not None:
        with suppress(InputError):  # inputs that are no letters have none
            fields["hypothetical"] = result.hypothetical
    return {name: values for name, values in fields.items() if values is not None}


@dataclass
class _Moments:
    """Mean and sum of squared distances from it, of arrays by name (Welford 1962)."""

    count: int = 0
    named: bool = False

    def __post_init__(self) -> None:
        self._means: dict[str, Array] = {}
        self._squares: dict[str, Array] = {}

    def add(self, values: Arrays) -> None:
        self.named = isinstance(values, Mapping)
        each = values if isinstance(values, Mapping) else {"": values}
        self.count += 1
        for name, array in each.items():
            if self.count == 1:
                self._means[name] = np.array(array)
                self._squares[name] = np.zeros_like(array)
                continue
            step = array - self._means[name]
            self._means[name] += step / self.count
            self._squares[name] += step * (array - self._means[name])

    @property
    def mean(self) -> Arrays:
        return self._means if self.named else self._means[""]

    @property
    def deviation(self) -> Arrays:
        deviations = {
            name: np.sqrt(squares / (self.count - 1)) for name, squares in self._squares.items()
        }
        return deviations if self.named else deviations[""]


__all__ = ["mean_of"]
