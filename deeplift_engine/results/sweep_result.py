"""The result of a sweep: scores under each setting, and how far they agree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.results.attribution import Arrays, Attribution
from deeplift_engine.util import storage
from deeplift_engine.util.rank_statistics import correlation, ranks
from deeplift_engine.util.tables import aligned, to_csv
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Sweep:
    """The result of `deeplift_engine.network.Network.sweep`.

    A setting is a pair of references and a rule; they are in the order of the references, and of
    each the order of the rules.

    Attributes
    ----------
    references, rules
        Names.
    results
        The attribution of each setting.
    """

    references: tuple[str, ...]
    rules: tuple[str, ...]
    results: Mapping[tuple[str, str], Attribution]

    def __getitem__(self, setting: tuple[str, str]) -> Attribution:
        """The attribution under references and a rule, by their names."""
        if setting not in self.results:
            raise InputError(
                f"There is no setting {setting!r}: references are {list(self.references)}, rules "
                f"{list(self.rules)}."
            )
        return self.results[setting]

    @property
    def labels(self) -> list[str]:
        """Names of the settings, without what all of them share."""
        if len(self.rules) == 1:
            return list(self.references)
        if len(self.references) == 1:
            return list(self.rules)
        return [f"{references}, {rule}" for references, rule in self.results]

    def agreement(self, *, by_rank: bool = True, letters: int | None = None) -> Array:
        """Correlation between the scores of every two settings, (M, M, [T,] N).

        Parameters
        ----------
        by_rank
            Spearman's, of ranks; else Pearson's. 0 where scores of one do not vary.
        letters
            An axis of one sample, along which scores are added first: that of the letters of
            one-hot sequences, -1 for the last. By default each element counts by itself.
        """
        flat = [self._flat(result, letters) for result in self.results.values()]
        compared = [ranks(values) for values in flat] if by_rank else flat
        return np.array([[correlation(one, other) for other in compared] for one in compared])

    def rows(self, *, letters: int | None = None) -> list[dict[str, Any]]:
        """A row for each setting.

        ``target_delta`` is the mean over samples (and targets) of the target on the input minus
        that on the references, ``target_delta_spread`` its standard deviation; ``relative_error``
        that of the sum that misses by most, None where nothing must sum; ``standard_error`` the
        largest of a sample as a share of its largest score, in the mean, None of one reference;
        ``agreement`` the mean rank correlation with the other settings.
        """
        agreement = self.agreement(letters=letters)
        means = agreement.reshape(*agreement.shape[:2], -1).mean(axis=2)
        others = max(1, len(means) - 1)
        return [
            {
                "references": references,
                "rule": rule,
                "references_per_sample": result.settings["references_per_sample"],
                "target_delta": float(np.mean(_deltas(result))),
                "target_delta_spread": float(np.std(_deltas(result))),
                "relative_error": _largest(result.relative_error),
                "standard_error": _share(result),
                "agreement": float((means[number].sum() - means[number, number]) / others),
            }
            for number, ((references, rule), result) in enumerate(self.results.items())
        ]

    def __repr__(self) -> str:
        """The table."""
        rows = self.rows()
        heads = [name.replace("_", " ") for name in rows[0]]
        lines = [heads, *([_text(value) for value in row.values()] for row in rows)]
        return aligned(lines, right=range(2, len(heads)))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table as ``.csv``.

        Scores of a setting: ``sweep[references, rule].save(...)``. A figure:
        `deeplift_engine.figures.draw_sweep`.

        Raises
        ------
        OutputError
            For another suffix, an existing file, and any error of the disk.
        """
        suffix = Path(path).suffix
        if suffix.lower() != ".csv":
            raise OutputError(
                f"{path}: the table of a sweep is .csv, not {suffix or 'without suffix'}; "
                "figures.draw_sweep draws a figure"
            )
        storage.write_bytes(path, to_csv(self.rows()).encode(), overwrite=overwrite)

    @staticmethod
    def _flat(result: Attribution, letters: int | None) -> Array:
        """Scores of all attribution points side by side, ([T,] N, features)."""
        leading = len(result.axes)
        flat = []
        for values in _each(result.scores):
            if letters is not None:
                rank = values.ndim - leading
                if not -rank <= letters < rank:
                    raise InputError(f"letters={letters} is no axis of a sample with {rank}.")
                values = values.sum(axis=letters if letters < 0 else leading + letters)
            flat.append(values.reshape(*values.shape[:leading], -1))
        return np.concatenate(flat, axis=-1)


def _each(values: Arrays | None) -> list[Array]:
    if values is None:
        return []
    return [*values.values()] if isinstance(values, Mapping) else [values]


def _largest(values: Array | None) -> float | None:
    return None if values is None else float(np.max(values))


def _share(result: Attribution) -> float | None:
    """Largest standard error over the largest score, in the mean over samples and targets."""
    if result.standard_errors is None:
        return None
    errors, scores = (
        np.max([_over_features(array, result) for array in _each(values)], axis=0)
        for values in (result.standard_errors, result.scores)
    )
    share = np.divide(errors, scores, out=np.zeros_like(errors), where=scores > 0)
    return float(share.mean())


def _over_features(values: Array, result: Attribution) -> Array:
    flat = np.abs(values).reshape(*values.shape[: len(result.axes)], -1)
    return np.asarray(flat.max(axis=-1))


def _deltas(result: Attribution) -> Array:
    return np.asarray(result.target_delta)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
