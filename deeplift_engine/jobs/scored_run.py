"""A run's results by name and samples, from a result file or from a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.reader import StoredRun, open_store
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util import storage
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

STORE = ".zarr"


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """What a run left: arrays of samples, and what is known of them.

    Attributes
    ----------
    path
        The file, or the store.
    """

    path: Path

    @property
    def settings(self) -> Mapping[str, Any]:
        """How the scores came about; ``kind`` and more of the inputs, where a front end read them.

        Raises
        ------
        NotImplementedError
            Of this class alone.
        """
        raise NotImplementedError

    @property
    def constants(self) -> Mapping[str, Array]:
        """Arrays that were known before the run, whole, as names of samples and features."""
        raise NotImplementedError

    def __len__(self) -> int:
        """N."""
        raise NotImplementedError

    def _found(self, array: str, head: str | None) -> tuple[dict[str, Any], bool]:
        """An array by input ("" for the only one), and whether it has an axis of targets."""
        raise NotImplementedError

    @property
    def kind(self) -> str | None:
        """What the inputs are: ``"image"``, ``"table"`` …; None where the run does not say.

        Runs that keep the letters of an alphabet are of the kind ``"sequence"``.
        """
        return self.settings.get("kind") or ("sequence" if "letter" in self.constants else None)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads; none of a run without heads."""
        return tuple(self.settings.get("heads") or ())

    @property
    def samples(self) -> list[str]:
        """Names of the samples; their numbers where they have none."""
        return self.labels("sample") or [str(number) for number in range(len(self))]

    def labels(self, name: str) -> list[str]:
        """A constant of text; empty where there is none."""
        values = self.constants.get(name, np.zeros(0))
        return [each.decode() if isinstance(each, bytes) else str(each) for each in values]

    def number_of(self, sample: str) -> int:
        """The number of a sample from its name, or from its number in words.

        Raises
        ------
        InputError
            If there is no such sample, or several have the name.
        """
        names = self.samples
        if names.count(sample) == 1:
            return names.index(sample)
        if sample in names:
            raise InputError(
                f"{self.path}: {names.count(sample)} samples are called {sample!r}; say one by its "
                "number, from 0."
            )
        if sample.isdigit() and int(sample) < len(self):
            return int(sample)
        few = f"There are {len(self)}, numbered from 0."
        raise InputError(f"{self.path} has no sample {sample!r}. {suggest(sample, names, few)}")

    def inputs_of(self, array: str = "scores", head: str | None = None) -> list[str]:
        """At which inputs, or layers, there is an array; ``[""]`` where there is only one."""
        return list(self._found(array, head)[0])

    def array(
        self, name: str, *, input: str | None = None, head: str | None = None, target: int = 0
    ) -> Any:
        """An array of one input, head and target: slices of it are ``(n, *S)``.

        Parameters
        ----------
        name
            ``"scores"``, ``"inputs"``, ``"predictions"``, ``"standard_errors"`` …
        input
            Of which input, or output, where there are several.
        head
            Of which head, where there are several.
        target
            Of which target, from 0, where there are several.

        Raises
        ------
        InputError
            If the run does not keep it, or has several and none is named.
        """
        if head not in (None, *self.heads) or (head is None and self._needs_head(name)):
            raise InputError(
                f"{self.path} has the heads {', '.join(self.heads) or '(none)'}: say which, "
                "head= (--head)."
            )
        found, has_targets = self._found(name, head)
        if not found:
            raise InputError(
                f"{self.path} keeps no {name}: score with --arrays scores,inputs,predictions and "
                "what else is wanted."
            )
        if input is None and len(found) > 1:
            raise InputError(
                f"{self.path} has {name} of {', '.join(found)}: say which, input= (--input)."
            )
        chosen = next(iter(found)) if input is None else input
        if chosen not in found:
            raise InputError(f"{self.path} has {name} of {', '.join(found)}, not of {chosen!r}.")
        return _OneTarget(found[chosen], target) if has_targets else found[chosen]

    def targets(self, head: str | None = None) -> int:
        """How many targets scores are of.

        Raises
        ------
        InputError
            If there are no scores.
        """
        found, has_targets = self._found("scores", head)
        if not found:
            raise InputError(f"{self.path} keeps no scores.")
        first = next(iter(found.values()))
        return int(first.shape[1]) if has_targets else 1

    def _needs_head(self, name: str) -> bool:
        return bool(self.heads) and name not in ("inputs", "predictions")


@dataclass(frozen=True, eq=False)
class _OneTarget:
    """Scores (N, T, *S) of one target, read by samples."""

    array: Any
    target: int

    def __len__(self) -> int:
        """N."""
        return len(self.array)

    def __getitem__(self, rows: Any) -> Array:
        """The scores of some samples (n, *S).

        Raises
        ------
        InputError
            If there is no such target.
        """
        values = np.asarray(self.array[rows])
        if not 0 <= self.target < values.shape[1]:
            raise InputError(
                f"target={self.target}: there are {values.shape[1]} targets, numbered from 0."
            )
        return np.asarray(values[:, self.target])


@dataclass(frozen=True, eq=False)
class _OfFile(ScoredRun):
    """A result file, read whole."""

    result: Attribution
    known: Mapping[str, Array]

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.result.settings

    @property
    def constants(self) -> Mapping[str, Array]:
        return self.known

    def __len__(self) -> int:
        predictions = self.result.predictions
        each = predictions.values() if isinstance(predictions, Mapping) else [predictions]
        return len(next(iter(each)))

    def _found(self, array: str, head: str | None) -> tuple[dict[str, Any], bool]:
        part = self.result if head is None else self.result.heads[head]
        values = getattr(part, array, None)
        named = values if isinstance(values, Mapping) else {} if values is None else {"": values}
        has_targets = part.axes[0] == "target" and array not in ("inputs", "predictions")
        if not has_targets:
            return dict(named), False
        return {name: np.moveaxis(np.asarray(each), 0, 1) for name, each in named.items()}, True


@dataclass(frozen=True, eq=False)
class _OfStore(ScoredRun):
    """A store, read as it is asked for."""

    run: StoredRun

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    @cached_property
    def _settings(self) -> dict[str, Any]:
        return {**self.run.settings.get("run", {}), **self.run.settings}

    @property
    def constants(self) -> Mapping[str, Array]:
        return {name: self.run[name] for name in self.run.store.layout.constants}

    def __len__(self) -> int:
        return self.run.samples

    def _found(self, array: str, head: str | None) -> tuple[dict[str, Any], bool]:
        group = "" if head is None or not self._needs_head(array) else f"{head}/"
        plans = self.run.store.layout.plan_of
        start = f"{group}{array}"
        several = f"{start}{'.' if group else '/'}"
        names = {name.removeprefix(several): name for name in plans if name.startswith(several)}
        names |= {"": start} if start in plans else {}
        has_targets = any(_has_targets(label, plans[label].dimensions) for label in names.values())
        return {name: self.run[label] for name, label in names.items()}, has_targets


def _has_targets(label: str, dimensions: tuple[str, ...]) -> bool:
    """Whether a named sample has one axis more in front, which the store numbers."""
    numbered = [axis.startswith(f"{label}_") for axis in dimensions]
    return sum(numbered) == 1 and numbered[0] and len(numbered) > 1


def open_scored(path: str | os.PathLike[str]) -> ScoredRun:
    """Open what a scoring run wrote: a ``.h5`` or ``.npz`` file, or a store, ``RUN.zarr``.

    Raises
    ------
    OutputError
        If there is none, or it is damaged.
    """
    place = Path(path)
    if place.suffix.lower() == STORE:
        return _OfStore(place, open_store(place))
    result = Attribution.load(place)
    arrays = storage.read(place)[0]
    names = (name.split("/")[0] for name in arrays)
    known = {
        name: array
        for (name, array), first in zip(arrays.items(), names, strict=True)
        if not hasattr(result, first)
    }
    return _OfFile(place, result, known)


__all__ = ["ScoredRun", "open_scored"]
