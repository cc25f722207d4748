"""The result of a comparison of methods: a table, its files, and a figure."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.metrics import Metric
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.figures.comparison_figure import ComparisonData, draw_comparison
from deeplift_engine.results.measured import Measured
from deeplift_engine.util import storage
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.tables import PICTURES, aligned, checked_suffix, to_csv, to_picture
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure


TABLES = (".json", ".csv")
ARROWS = {"high": "↑", "low": "↓", "": ""}


@dataclass(frozen=True)
class Comparison:
    """The result of `deeplift_engine.compare`.

    Attributes
    ----------
    bench
        What the methods were judged on.
    subjects
        Each method's scores, by label.
    metrics
        What they were judged by, by label.
    measured
        The result of each metric for each method, by the method's label and the metric's.
    agreement
        Mean rank correlation of every two methods, (M, M), in the order of ``subjects``.
    left_out
        Methods, and metrics of methods (whose values are NaN), that do not apply; and why.
    """

    bench: Bench
    subjects: Mapping[str, Subject]
    metrics: Mapping[str, Metric]
    measured: Mapping[str, Mapping[str, Measured]]
    agreement: Array
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each method: its label, means of metrics and their standard errors."""
        return [
            {
                "method": label,
                **{
                    key: value
                    for metric, result in self.measured[label].items()
                    for key, value in (
                        (metric, result.mean),
                        (f"{metric} standard error", result.standard_error),
                    )
                },
                "seconds": subject.seconds,
            }
            for label, subject in self.subjects.items()
        ]

    def __repr__(self) -> str:
        """The table; an arrow shows which way is better."""
        heads = [f"{name} {ARROWS[metric.best]}".strip() for name, metric in self.metrics.items()]
        lines = [["method", *heads, "seconds"]]
        for row in self.rows:
            measured = self.measured[row["method"]]
            cells = [_cell(measured[name].mean, measured[name].half_width) for name in self.metrics]
            lines.append([row["method"], *cells, f"{row['seconds']:.2f}"])
        text = aligned(lines, right=range(1, len(lines[0]))).splitlines()
        request = self.bench.request
        about = (
            f"{request.samples} samples, target {request.target} of "
            f"{self.bench.task.settings['target_layer']}, references {request.references_name}; "
            "mean ± half of its 95 % interval (Student's t)"
        )
        return "\n".join([about, "", text[0], "-" * max(map(len, text)), *text[1:]])

    def to_dict(self) -> dict[str, Any]:
        """Everything except the scores, as values of JSON; NaN is None."""
        request = self.bench.request
        result: dict[str, Any] = _finite(
            plain(
                {
                    "settings": {
                        **self.bench.task.settings,
                        "target": request.target,
                        "references": request.references_name,
                        "samples": request.samples,
                    },
                    "rows": self.rows,
                    "methods": {
                        label: {"method": subject.method, "options": dict(subject.options)}
                        for label, subject in self.subjects.items()
                    },
                    "curves": {
                        name: {
                            "axis": first.axis,
                            "positions": list(first.positions),
                            "means": {
                                label: measured[name].mean_curve
                                for label, measured in self.measured.items()
                            },
                        }
                        for name, first in next(iter(self.measured.values())).items()
                        if first.curve is not None
                    },
                    "agreement": self.agreement,
                    "left_out": dict(self.left_out),
                }
            )
        )
        return result

    def to_json(self) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False)

    def to_csv(self) -> str:
        """The rows, with a header."""
        return to_csv(self.rows)

    def figure(self) -> Figure:
        """Every metric of every method, their curves, and how far the methods agree."""
        better = {name: metric.best for name, metric in self.metrics.items()}
        return draw_comparison(ComparisonData(self.measured, better, self.agreement))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table (``.json``, ``.csv``) or the figure (``.png``, ``.pdf``, ``.svg``).

        Raises
        ------
        OutputError
            For another suffix, an existing file, and any error of the disk.
        """
        kind = checked_suffix(path, "comparisons", TABLES)
        if kind in PICTURES:
            content = to_picture(self.figure(), kind)
        else:
            content = (self.to_json() if kind == ".json" else self.to_csv()).encode()
        storage.write_bytes(path, content, overwrite=overwrite)


def _cell(mean: float, error: float) -> str:
    """A mean and what it may be off by, rounded to two digits of that."""
    if math.isnan(mean):
        return "-"
    if not error > 0:
        return f"{mean:.3g}"
    size = max(abs(mean), error)
    if size < 1e-3 or size >= 1e5:
        return f"{mean:.2e} ± {error:.0e}"
    digits = min(6, max(0, 1 - math.floor(math.log10(error))))
    return f"{mean:.{digits}f} ± {error:.{digits}f}"


def _finite(value: Any) -> Any:
    """A value with None for numbers that are not finite; JSON has no form for them."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
