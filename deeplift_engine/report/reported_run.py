"""A run as a report reads it: arrays by the names of a store, whatever holds them."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.contents import CONTENTS, stored_arrays
from deeplift_engine.jobs.marks import failed_samples, few
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util import storage
from deeplift_engine.util.letters import letter_axis
from deeplift_engine.util.named_inputs import told_by
from deeplift_engine.util.typing import Array

STORE = ".zarr"


@dataclass(frozen=True)
class ReportedRun:
    """A complete run.

    Attributes
    ----------
    name
        What the page calls it.
    settings
        How it came about, as `Attribution.settings` has it.
    samples
        N.
    arrays
        By the names of a store, ``"head/scores.input"``; slices give ``(n, ...)``.
    constants
        Arrays that were known before the run: names of samples, letters, coordinates.
    failed
        Samples without scores, and the reasons.
    """

    name: str
    settings: Mapping[str, Any]
    samples: int
    arrays: Mapping[str, Any]
    constants: Mapping[str, Array]
    failed: Mapping[int, str]

    @cached_property
    def names(self) -> list[str]:
        """Names of the samples; of their numbers where the run keeps none."""
        given = self.constants.get("sample")
        if given is None:
            return [f"sample {n}" for n in range(self.samples)]
        return [str(name) for name in given]

    def called(self, name: str) -> ReportedRun:
        """The run under another name."""
        return replace(self, name=name)

    def of_inputs(self, inputs: Any) -> ReportedRun:
        """The run with what its inputs, as a front end read them, tell of themselves."""
        told = told_by(getattr(inputs, "inputs", inputs))
        constants = {name: np.asarray(each) for name, each in told.get("constants", {}).items()}
        return replace(
            self,
            settings={**self.settings, **told.get("about", {})},
            constants={**self.constants, **constants},
        )

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads; ``("",)`` for a run without."""
        return tuple(
            dict.fromkeys(parts_of(name)[0] for name in self.arrays if parts_of(name)[1] in SCORES)
        )

    def origins(self, head: str, content: str) -> tuple[str, ...]:
        """The inputs or layers of which a head has a content; ``""`` for the only one."""
        each = (parts_of(name) for name in self.arrays)
        return tuple(origin for own, kind, origin in each if (own, kind) == (head, content))

    def array(self, head: str, content: str, origin: str = "") -> Any:
        """An array, or None: that of the head, or the one that all heads share."""
        for name, array in self.arrays.items():
            if parts_of(name) in ((head, content, origin), ("", content, origin)):
                return array
        return None

    def leading(self, head: str, origin: str) -> tuple[int, int]:
        """How many targets and references of one sample scores have; 0 for an axis not there."""
        apart = self.settings.get("references_averaged") is False
        shape = self.scores(head, origin).shape
        sizes = shape[1 : self._lead(head, origin, len(shape)) + 1]
        if len(sizes) == 2:
            return sizes[0], sizes[1]
        if sizes:
            return (0, sizes[0]) if apart else (sizes[0], 0)
        return 0, 0

    def _lead(self, head: str, origin: str, axes: int) -> int:
        """The number of axes of scores between that of the samples and those of one sample."""
        sums = self.array(head, "convergence_delta")
        if sums is not None:
            return len(sums.shape) - 1
        inputs = self.array("", "inputs", origin)
        if inputs is not None and not self.settings.get("layers"):
            return max(0, axes - len(inputs.shape))
        apart = self.settings.get("references_averaged") is False
        return int(apart) + isinstance(_literal(self.settings.get("target")), list)

    def scores(self, head: str, origin: str) -> Any:
        """The array that is drawn: contributions, or what stands for them."""
        for content in SCORES:
            array = self.array(head, content, origin)
            if array is not None:
                return array
        raise InputError(
            f"{self.name} has no {' or '.join(SCORES)}, only {', '.join(self.arrays)}: a report "
            "draws scores; run with --arrays scores,inputs,predictions,convergence"
        )

    def target_names(self, head: str, count: int) -> list[str]:
        """What the targets of an axis are called: after their units where the settings tell."""
        target = self.settings.get("target")
        units = _literal(target[head] if isinstance(target, Mapping) and head else target)
        fits = isinstance(units, list) and len(units) == count
        return [f"unit {unit}" for unit in units] if fits else [str(n) for n in range(count)]


SCORES = ("scores", "projected", "hypothetical")
_FIELDS = tuple(f.name for f in fields(Attribution))


def parts_of(name: str) -> tuple[str, str, str]:
    """The head, the content and the input that the name of an array in a store tells."""
    first, _, rest = name.partition("/")
    if first in CONTENTS or not rest:
        return "", first, rest
    content, _, origin = rest.partition(".")
    return first, content, origin


def read_run(source: Any, name: str = "") -> ReportedRun:
    """Read a run for a report.

    Parameters
    ----------
    source
        A store's folder; a file that `Attribution.save` wrote or a store was exported to (.h5,
        .npz); or an `Attribution`.
    name
        What the page calls it; the file's name by default.

    Raises
    ------
    InputError
        If it is nothing of these.
    OutputError
        If a store is not complete, or a file cannot be read.
    """
    if isinstance(source, Attribution):
        return _of_result(source, name or str(source.settings.get("method", "result")), {})
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"a report is of a store, a .h5 or .npz file of scores, or an Attribution, not of "
            f"{type(source).__name__}"
        )
    path = Path(source)
    return _of_store(path, name) if path.is_dir() else _of_file(path, name)


def _of_store(path: Path, name: str) -> ReportedRun:
    run = open_store(path)
    pending = run.store.pending()
    if pending:
        raise OutputError(
            f"{path} cannot be reported on: shards {few(pending)} of {run.store.shards} are not "
            "computed yet. Run the job to its end"
        )
    settings = run.settings
    marks = (run.store.mark(number) for number in range(run.store.shards))
    plans = run.store.layout.plan_of
    return ReportedRun(
        name or path.stem,
        {**{key: value for key, value in settings.items() if key != "run"}, **settings["run"]},
        run.samples,
        {label: run[label] for label in plans},
        {label: np.asarray(run[label]) for label in run.names if label not in plans},
        failed_samples(mark.receipt for mark in marks if mark is not None),
    )


def _of_file(path: Path, name: str) -> ReportedRun:
    arrays, _ = storage.read(path)
    constants = {
        label: _as_text(values)
        for label, values in arrays.items()
        if label.partition("/")[0] not in (*_FIELDS, "hypothetical")
    }
    return _of_result(Attribution.load(path), name or path.stem, constants)


def _of_result(result: Attribution, name: str, constants: Mapping[str, Array]) -> ReportedRun:
    there = [
        content
        for content in ("scores", "spread", "convergence", "predictions", "inputs")
        if (content == "convergence" and result.convergence_delta is not None)
        or getattr(result, content, None) is not None
    ]
    if result.multipliers is not None and _has_letters(result):
        there.append("hypothetical")
    arrays = stored_arrays(result, result.inputs, there)
    samples = len(next(iter(arrays.values())))
    return ReportedRun(name, result.settings, samples, arrays, constants, {})


def _has_letters(result: Attribution) -> bool:
    named = result.inputs if isinstance(result.inputs, Mapping) else {"": result.inputs}
    return not result.settings.get("layers") and any(
        letter_axis(np.asarray(array)) is not None for array in named.values()
    )


def _as_text(values: Array) -> Array:
    """Text of HDF5, which comes as bytes, as Python's strings."""
    if values.dtype.kind not in "OS":
        return values
    texts = [each.decode() if isinstance(each, bytes) else str(each) for each in values.ravel()]
    return np.array(texts, object).reshape(values.shape)


def _literal(value: Any) -> Any:
    try:
        return ast.literal_eval(str(value))
    except (SyntaxError, ValueError):
        return None


__all__ = ["ReportedRun", "parts_of", "read_run"]
