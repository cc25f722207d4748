"""What a page holds: numbers of all samples, and of those that it shows their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from deeplift_engine.genomics.located import Located
from deeplift_engine.jobs.scored_run import ScoredRun, parts_of
from deeplift_engine.report.packing import Steps, number, numbers, packed
from deeplift_engine.report.sample_kinds import Kind
from deeplift_engine.report.views import FACETS, View
from deeplift_engine.util.rank_statistics import correlation, ranks
from deeplift_engine.util.typing import Array

BLOCK = 64
"""Samples that are read at once."""
BINS = 41
FEW_OUTPUTS = 8
"""Outputs of a prediction that have a column each; of more, the largest is told."""
MOST_COLUMNS = 24
_OF_PLACES = ("sample", "record", "kept", "reason", "chrom", "start", "end", "strand")
_OF_AXES = ("letter", "token", "begin", "feature", "group", "channel")
_NO_COLUMN = (*_OF_PLACES, *_OF_AXES)
"""Constants that are told elsewhere, or have as many entries as there are samples by chance."""


@dataclass(frozen=True)
class Column:
    """A column of the table of samples: numbers or text, one for each sample that is shown."""

    name: str
    values: list[Any]
    about: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers alone."""
        return not any(isinstance(value, str) for value in self.values)


def page_data(views: Sequence[View], kinds: Sequence[Kind], samples: Array) -> dict[str, Any]:
    """All that the page's program reads but the samples themselves, as JSON holds it."""
    run = views[0].run
    names, unnamed = run.names, "" if "sample" in run.constants else "sample "
    firsts, owners = by_input(views)
    located = _located(run, samples)
    places = [] if located is None else _places(located)
    columns = [*places, *_predictions(run, samples), *_known(run, samples)]
    labels = {facet: list(dict.fromkeys(v.labels[n] for v in views))
              for n, facet in enumerate(FACETS)}  # fmt: skip
    return {
        "kinds": [{"name": kinds[n].name, **kinds[n].told} for n in firsts],
        "names": [unnamed + names[row] for row in samples],
        "rows": samples.tolist(),
        "failed": {str(row): why for row, why in run.failed.items() if row in set(samples)},
        "columns": [
            {"name": c.name, "about": c.about, "values": c.values, "numeric": c.is_numeric}
            for c in columns[:MOST_COLUMNS]
        ],
        "facets": {facet: each for facet, each in labels.items() if len(each) > 1},
        "views": [{**_view(view, samples), "kind": owners[n]} for n, view in enumerate(views)],
        **(
            {"place": [list(row) for row in zip(*(c.values for c in places), strict=True)]}
            if places
            else {}
        ),
    }


def by_input(views: Sequence[View]) -> tuple[list[int], list[int]]:
    """The first view of each input, and for each view the number of its input among these."""
    inputs = [view.origins for view in views]
    distinct = list(dict.fromkeys(inputs))
    return [inputs.index(each) for each in distinct], [distinct.index(each) for each in inputs]


def _view(view: View, samples: Array) -> dict[str, Any]:
    told: dict[str, Any] = {
        "labels": dict(zip(FACETS, view.labels, strict=True)),
        "method": str(view.run.settings.get("method", "")),
        "sums": {},
    }
    for name in ("target_delta", "convergence_delta", "relative_error"):
        values = view.sums(name)
        if values is not None:
            told["sums"][name] = numbers(values[samples])
    error, relative = view.sums("convergence_delta"), view.sums("relative_error")
    if error is not None:
        told["completeness"] = {
            **distribution(error),
            "largest": number(np.nanmax(np.abs(error), initial=0)),
            "median": number(np.nanmedian(np.abs(error))),
            "relative": None if relative is None else number(np.nanmax(relative, initial=0)),
        }
    return told


def distribution(values: Array) -> dict[str, Any]:
    """A histogram of the finite values."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return {"edges": [], "counts": [], "samples": 0}
    counts, edges = np.histogram(finite, _bins(finite))
    return {
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "counts": counts.tolist(),
        "samples": len(finite),
    }


def _bins(values: Array) -> int:
    """How many bars: about two for each that so many samples tell apart."""
    return min(BINS, max(5, int(2 * len(values) ** 0.5))) if np.ptp(values) else 1


def predictions_of(run: ScoredRun) -> list[tuple[str, Array]]:
    """Predictions of all samples by name, those of few outputs: ``(N,)`` each."""
    found = []
    for name, array in run.arrays.items():
        _, content, origin = parts_of(name)
        size = int(np.prod(array.shape[1:], initial=1))
        if content == "predictions" and size <= FEW_OUTPUTS:
            values = np.asarray(array[:]).reshape(len(array), -1)
            for unit in range(size):
                label = " ".join(filter(None, (origin, str(unit) if size > 1 else "")))
                found.append((f"prediction {label}".strip(), values[:, unit]))
    return found


def _predictions(run: ScoredRun, samples: Array) -> list[Column]:
    columns = [Column(name, numbers(values[samples])) for name, values in predictions_of(run)]
    for name, array in run.arrays.items():
        _, content, origin = parts_of(name)
        if content == "predictions" and len(array.shape) == 2 and array.shape[1] > FEW_OUTPUTS:
            values = np.asarray(array[samples])
            largest = np.nan_to_num(values, nan=-np.inf).argmax(axis=1)
            label = f"of {origin}" if origin else ""
            columns += [
                Column(f"largest output {label}".strip(), numbers(largest), "its number"),
                Column(
                    f"its value {label}".strip(), numbers(values[np.arange(len(samples)), largest])
                ),
            ]
    return columns


def _located(run: ScoredRun, samples: Array) -> Located | None:
    known = run.constants
    if not {"chrom", "start", "end"} <= {*known}:
        return None
    strand = known.get("strand", np.full(len(run), ".", object))
    names = np.array(run.names, object)
    return Located(names, known["chrom"], known["start"], known["end"], strand)[samples]


def _places(located: Located) -> list[Column]:
    return [
        Column("chromosome", list(map(str, located.chrom))),
        Column("start", numbers(located.start), "0-based"),
        Column("end", numbers(located.end), "not included"),
        Column("strand", list(map(str, located.strand))),
    ]


def _known(run: ScoredRun, samples: Array) -> list[Column]:
    """Constants with an entry for each sample."""
    columns = []
    for name, values in run.constants.items():
        if values.shape != (len(run),) or name in _NO_COLUMN:
            continue
        text = values.dtype.kind in "OU"
        chosen = [str(v) for v in values[samples]] if text else numbers(values[samples])
        columns.append(Column(name, chosen))
    return columns


def packed_samples(
    views: Sequence[View],
    kinds: Sequence[Kind],
    samples: Array,
    beside: Mapping[int, Mapping[str, Any]],
) -> Iterator[tuple[list[str], Array]]:
    """The values of samples as the page holds them, block by block.

    ``beside`` are more values of some samples, by their numbers.

    Yields
    ------
    list, array
        The text of each sample of a block, and the contributions of each view added up
        ``(views, n)``.
    """
    firsts, _ = by_input(views)
    for rows in _stretches(samples):
        content = [kinds[n].content(views[n], rows) for n in firsts]
        drawn = [kind.drawn(view, rows) for view, kind in zip(views, kinds, strict=True)]
        more = [kind.more(view, rows) for view, kind in zip(views, kinds, strict=True)]
        totals = [array.reshape(len(array), -1).sum(axis=1) for array in drawn]
        texts = []
        for n in range(rows.stop - rows.start):
            held = dict(beside.get(rows.start + n, {}))
            for k, of_input in enumerate(content):
                held |= {f"input{k}/{name}": value for name, value in of_input[n].items()}
            for k, array in enumerate(drawn):
                held[f"view{k}/contributions"] = Steps(array[n])
                for name, values in more[k].items():
                    held[f"view{k}/{name}"] = Steps(values[n], "i1")
            texts.append(packed(held))
        yield texts, np.asarray(totals)


def _stretches(samples: Array) -> Iterator[slice]:
    """Slices of samples in a row, in order, of at most `BLOCK`."""
    breaks = np.flatnonzero(np.diff(samples) != 1) + 1
    for first, last in pairwise([0, *breaks.tolist(), len(samples)]):
        for start in range(first, last, BLOCK):
            stop = min(start + BLOCK, last)
            yield slice(int(samples[start]), int(samples[stop - 1]) + 1)


def agreement(views: Sequence[View], kinds: Sequence[Kind], samples: Array) -> dict[str, Any]:
    """How far views agree: correlations of contributions within a sample, their means.

    Returns
    -------
    dict
        ``labels``; ``pearson`` and ``spearman``, a row for each view; nothing for a single view,
        and for views of other shapes.
    """
    if len(views) < 2:
        return {}
    sums = np.zeros((2, len(views), len(views)))
    count = 0
    for rows in _stretches(samples):
        drawn = [kind.drawn(view, rows) for view, kind in zip(views, kinds, strict=True)]
        if len({array.shape for array in drawn}) > 1:
            return {}
        flat = np.stack([array.reshape(len(array), -1) for array in drawn]).astype(np.float64)
        scored = np.isfinite(flat).all(axis=(0, 2))
        flat = flat[:, scored]
        count += int(scored.sum())
        for which, values in enumerate((flat, ranks(flat))):
            for n in range(len(views)):
                sums[which, n] += correlation(values[n], values).sum(axis=-1)
    means = sums / max(count, 1)
    return {
        "labels": [view.label for view in views],
        **{
            name: [[round(float(value), 4) for value in row] for row in matrix]
            for name, matrix in zip(("pearson", "spearman"), means, strict=True)
        },
    }


__all__ = ["agreement", "distribution", "packed_samples", "page_data", "predictions_of"]
