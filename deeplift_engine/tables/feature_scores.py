"""Scores of features with their names: figures, tables, and SHAP's Explanation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures import feature_figures
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.result_parts import RESULT, check_inputs, of_target
from deeplift_engine.results.score_units import score_unit
from deeplift_engine.tables.table_input import Table
from deeplift_engine.util import storage, tables
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Instance, OrNone, Values, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.jobs.scored_run import ScoredRun


NAME = 28
"""Characters of a feature's name beside its value."""


@dataclass(frozen=True, eq=False)
class FeatureScores:
    """Scores of the features of a table for one target.

    Attributes
    ----------
    values
        Scores (N, F).
    data
        What the features were (N, F): numbers, or objects where one-hot columns are added up.
    features
        F names, each once.
    samples
        N names.
    base
        The target at the references (N,), where it is known; else 0, and scores tell the change
        from it.
    unit
        What a score is, with its unit.
    groups
        Of each feature, the group that `summed` adds it up in.
    """

    values: Array
    data: Array
    features: tuple[str, ...]
    samples: tuple[str, ...]
    base: Array
    unit: str
    groups: tuple[str, ...]

    def __len__(self) -> int:
        """N."""
        return len(self.values)

    def summed(self) -> FeatureScores:
        """The scores of each group added up: of one-hot columns, those of the feature they encode.

        A group of several columns has as data the name of the column that is largest, such as
        ``colour_red``; one of a single column its number.
        """
        names = tuple(dict.fromkeys(self.groups))
        columns = [[i for i, each in enumerate(self.groups) if each == name] for name in names]
        values = np.stack([self.values[:, each].sum(axis=1) for each in columns], axis=1)
        data = np.empty(values.shape, object)
        for number, each in enumerate(columns):
            if len(each) == 1:
                data[:, number] = self.data[:, each[0]]
            else:
                largest = np.argmax(self.data[:, each].astype(float), axis=1)
                data[:, number] = [self.features[each[index]] for index in largest]
        if all(len(each) == 1 for each in columns):
            data = data.astype(float)
        return replace(self, values=values, data=data, features=names, groups=names)

    def draw_bar(self, most: int = 20) -> Figure:
        """Mean sizes of the scores over all samples, the largest features first."""
        return feature_figures.draw_bar(self.values, self.features, unit=self.unit, most=most)

    def draw_beeswarm(self, most: int = 20) -> Figure:
        """A dot for each sample, by its score, coloured by the feature's value."""
        return feature_figures.draw_beeswarm(
            self.values, self.data, self.features, unit=self.unit, most=most
        )

    def draw_waterfall(self, sample: int | str, most: int = 12) -> Figure:
        """How the scores of one sample, by its number or name, add up to the target's change."""
        row = self._row(sample)
        return feature_figures.draw_waterfall(
            self.values[row],
            [_labelled(name, self.data[row, i]) for i, name in enumerate(self.features)],
            base=float(self.base[row]),
            unit=self.unit,
            title=f"sample {self.samples[row]}",
            most=most,
        )

    def draw_heat_map(self, most: int = 20) -> Figure:
        """Scores of all samples, those that are alike side by side, and their sums above."""
        return feature_figures.draw_heat_map(self.values, self.features, unit=self.unit, most=most)

    def to_shap(self) -> Any:
        """The same as a ``shap.Explanation``, which SHAP's own plots take.

        Base values are (N,), so that one sample of it has one, as ``plots.waterfall`` needs.

        Raises
        ------
        DeepliftEngineError
            If SHAP is not installed.
        """
        shap = optional("shap", "SHAP (pip install shap)", "tables")
        return shap.Explanation(
            values=self.values,
            base_values=self.base,
            data=self.data,
            feature_names=list(self.features),
        )

    def rows(self) -> list[dict[str, Any]]:
        """A row for each sample: ``sample``, and the score of each feature."""
        header = [name if name != "sample" else "feature sample" for name in self.features]
        return [
            {"sample": sample, **dict(zip(header, map(float, values), strict=True))}
            for sample, values in zip(self.samples, self.values, strict=True)
        ]

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write `rows` as CSV.

        Raises
        ------
        OutputError
            For another suffix, an existing file, and any error of the disk.
        """
        tables.checked_suffix(path, "scores of features", (".csv",))
        content = tables.to_csv(self.rows()).encode()
        storage.write_bytes(path, content, overwrite=overwrite)

    def _row(self, sample: int | str) -> int:
        if isinstance(sample, str):
            if self.samples.count(sample) != 1:
                raise InputError(
                    f"{self.samples.count(sample)} samples are called {sample!r}: say one by its "
                    "number, from 0."
                )
            return self.samples.index(sample)
        if not -len(self) <= sample < len(self):
            raise InputError(f"sample {sample}: there are {len(self)}, numbered from 0.")
        return int(sample)


def scores(
    result: Attribution, table: Table | None = None, *, target: int = 0, base: Any = None
) -> FeatureScores:
    """The scores of a result with the names of a table's features.

    Parameters
    ----------
    result
        Of a run on ``table.inputs``.
    table
        What was scored; None names features by their numbers.
    target
        Which of several targets, from 0.
    base
        The target at the references, a number or (N,), where you know it.

    Raises
    ------
    InputError
        If the scores are not those of the table, or of no such target, or references are kept
        apart.
    """
    checked("result", result, RESULT, InputError)
    checked("table", table, OrNone(Instance(Table, "what tables.read gives")), InputError)
    if "reference" in result.axes:
        raise InputError("scores of references that are kept apart: run with average=True.")
    named = of_target(result, target)
    values = np.concatenate([_columns(each) for each in named.values()], axis=1)
    inputs = result.inputs if isinstance(result.inputs, Mapping) else {"": result.inputs}
    data = np.concatenate([_columns(np.asarray(inputs[name])) for name in named], axis=1)
    features = [f"feature {i}" for i in range(values.shape[1])] if table is None else table.features
    samples = [str(i) for i in range(len(values))] if table is None else table.samples
    made = _scores(
        values,
        data,
        features,
        samples,
        features if table is None else table.groups,
        score_unit(result.settings, result.target_delta is not None),
        base,
    )
    if table is not None:
        check_inputs(result.inputs, table.inputs)
    return made


def open_scores(run: ScoredRun, *, head: str | None = None, target: int = 0) -> FeatureScores:
    """The scores that a run left, from `deeplift_engine.jobs.scored_run.open_scored`.

    Parameters
    ----------
    run
        Of a table.
    head, target
        See `ScoredRun.array`.

    Raises
    ------
    InputError
        If the run keeps no scores or no inputs.
    """
    named = run.by_input("scores", head)

    def together(array: str, of: str | None) -> Array:
        each = (run.array(array, input=name or None, head=of, target=target) for name in named)
        return np.concatenate([_columns(np.asarray(values[:])) for values in each], axis=1)

    values, data = together("scores", head), together("inputs", None)
    features = run.labels("feature") or [f"feature {i}" for i in range(values.shape[1])]
    sums = bool(run.by_input("target_delta", head))
    groups = run.labels("group") or features
    return _scores(values, data, features, run.names, groups, score_unit(run.settings, sums), None)


def _columns(array: Array) -> Array:
    """(N, F) of what may be (N,)."""
    if array.ndim > 2:
        raise InputError(
            f"scores of shape {array.shape}: expected (samples, features) of one target, of inputs "
            "that are rows of a table."
        )
    return array.reshape(len(array), -1)


def _scores(
    values: Array,
    data: Array,
    features: Sequence[str],
    samples: Sequence[str],
    groups: Sequence[str],
    unit: str,
    base: Any,
) -> FeatureScores:
    if (len(samples), len(features)) != values.shape:
        raise InputError(
            f"scores of shape {values.shape}, and the table has {len(samples)} rows and "
            f"{len(features)} columns: hand in the table that was scored."
        )
    begins = np.asarray(checked("base", 0.0 if base is None else base, Values(), InputError), float)
    if begins.shape not in ((), (len(values),)):
        raise InputError(f"base of shape {begins.shape}: expected a number, or {len(values)}.")
    known = np.broadcast_to(begins, (len(values),))
    return FeatureScores(values, data, tuple(features), tuple(samples), known, unit, tuple(groups))


def _labelled(name: str, value: Any) -> str:
    """A feature and its value, such as ``age = 40``."""
    shown = value if isinstance(value, str) else f"{float(value):.4g}"
    short = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    return f"{short} = {shown}"


__all__ = ["FeatureScores", "open_scores", "scores"]
