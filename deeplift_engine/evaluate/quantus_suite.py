"""All metrics of Quantus on the scores of one method: their settings, runs and results.

`deeplift_engine.evaluate.quantus.all` is what users call. Quantus need not be installed to import
this.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.tables import aligned
from deeplift_engine.util.typing import Array

CATEGORIES = (
    "faithfulness",
    "robustness",
    "randomisation",
    "complexity",
    "localisation",
    "axiomatic",
)
CHANGES_MODEL = ("MPRT", "SmoothMPRT", "EfficientMPRT", "InputInvariance")
"""Metrics that score copies of the Keras model with other weights."""
READS_LAYERS = ("RelativeRepresentationStability",)
OF_PROBABILITIES = ("EfficientMPRT",)
"""Metrics of predictions that are 0 or more."""
OWN: Mapping[str, Mapping[str, Any]] = {
    "Completeness": {"normalise": False},
    "EfficientMPRT": {"abs": True},
    "NonSensitivity": {"features_in_step": 1},
}
"""Without these they are about something else, or raise."""
MOST_STEPS = 28
"""Of metrics that erase a few positions at a time."""
LARGEST_PATCH = 8
LARGEST_SUBSET = 224

OWN_SCORES = "scores by Captum or tf-explain, whatever explain_func is: these would not be judged"
CAUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "Completeness": "asks for equal floats: False of float32 scores that are right to rounding",
        "EfficientMPRT": "the copy of a Keras model begins with new weights, not its own",
        "Focus": "needs mosaics of images of two classes: custom_batch",
        "Infidelity": "wants scores per unit of the input, such as gradients",
        "InputInvariance": "looks for weights in an Input layer: runs on no model of Keras 3",
        "MPRT": "the copy of a Keras model begins with new weights, not its own",
        "Monotonicity": "True of any scores where the baseline is a number",
        "RelativeRepresentationStability": "hands channels first to Keras models of channels last",
        "ROAD": "of images of one channel; of several it raises",
        "RandomLogit": "compares images of 7 x 7 and more by SSIM; name another similarity_func",
        "SensitivityN": "compares a step's scores with the change by all steps so far: never 1",
        "SmoothMPRT": OWN_SCORES,
    }
)
"""What metrics of Quantus 0.6.0 do that their publications do not say."""


@dataclass(frozen=True)
class QuantusMetric:
    """One metric of Quantus: what it gave, or why it gave nothing.

    Attributes
    ----------
    name, category
        As Quantus has them.
    values
        What it returned: a number or a curve for each sample, or these by layer; None where it
        did not run.
    reason
        Why it did not run; empty where it did.
    settings
        What it was made with.
    seconds
        Run time.
    """

    name: str
    category: str
    values: Any = None
    reason: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = float("nan")

    @property
    def mean(self) -> float:
        """Over samples, steps and layers; NaN where there is no number."""
        numbers = np.array(list(_numbers(self.values)), float)
        known = numbers[np.isfinite(numbers)]
        return float(known.mean()) if known.size else float("nan")

    @property
    def caution(self) -> str:
        """What to know of this metric in Quantus 0.6.0; mostly nothing."""
        return CAUTIONS.get(self.name, "")


@dataclass(frozen=True)
class QuantusResults:
    """The result of `deeplift_engine.evaluate.quantus.all`: metrics by name, in Quantus's order."""

    metrics: Mapping[str, QuantusMetric]

    def __getitem__(self, name: str) -> QuantusMetric:
        """A metric by the name of its class.

        Raises
        ------
        InputError
            If there is none.
        """
        if name not in self.metrics:
            advice = suggest(name, self.metrics, f"There are: {', '.join(self.metrics)}.")
            raise InputError(f"There is no metric {name!r} here. {advice}")
        return self.metrics[name]

    def __repr__(self) -> str:
        """The table."""
        lines = [["metric", "category", "mean", "seconds", "why not, or what to know"]]
        for metric in self.metrics.values():
            ran = not metric.reason
            lines.append(
                [
                    metric.name,
                    metric.category,
                    f"{metric.mean:.4g}" if ran else "",
                    f"{metric.seconds:.1f}" if ran else "",
                    metric.caution if ran else f"not run: {metric.reason}",
                ]
            )
        return aligned(lines, right=(2, 3))


@dataclass(frozen=True)
class Call:
    """What a group of metrics is called with.

    Attributes
    ----------
    model
        A Keras model.
    x
        Inputs (N, ...), in the layout of the model.
    scores
        (N, 1, *positions), or (N, features).
    channels_first
        Whether ``x`` has channels first.
    explain
        An ``explain_func``.
    """

    model: Any
    x: Array
    scores: Array
    channels_first: bool
    explain: Callable[..., Array]


@dataclass(frozen=True)
class Suite:
    """The data that metrics share.

    Attributes
    ----------
    quantus
        The package.
    frozen, changing
        What metrics are called with that leave the model as it is, and those that do not; the
        latter may be a reason why there is nothing.
    targets
        The unit of each sample, (N,).
    masks
        (N, 1, ...) of bool, or None.
    settings
        Of all metrics, by the names of parameters; those that a metric does not take are left out.
    own
        Of single metrics, by their names.
    batch_size, seed
        Of all.
    """

    quantus: Any
    frozen: Call
    changing: Call | str
    targets: Array
    masks: Array | None
    settings: Mapping[str, Any]
    own: Mapping[str, Mapping[str, Any]]
    batch_size: int
    seed: int

    def run(self, categories: Iterable[str]) -> QuantusResults:
        """Run the metrics of categories, each by itself."""
        table = self.quantus.AVAILABLE_METRICS
        kinds = [
            (category.lower(), kind)
            for category, metrics in table.items()
            if category.lower() in set(categories)
            for kind in metrics.values()
        ]
        unknown = sorted(set(self.own) - {kind.__name__ for _, kind in kinds})
        if unknown:
            raise InputError(
                f"settings= names {unknown}, and Quantus has no such metric in these categories."
            )
        return QuantusResults(
            MappingProxyType({kind.__name__: self._ran(category, kind) for category, kind in kinds})
        )

    def _ran(self, category: str, kind: Any) -> QuantusMetric:
        name = kind.__name__
        if category == "localisation" and self.masks is None:
            return QuantusMetric(name, category, reason="needs masks=")
        if CAUTIONS.get(name) == OWN_SCORES:
            return QuantusMetric(name, category, reason=OWN_SCORES)
        call = self.changing if name in (*CHANGES_MODEL, *READS_LAYERS) else self.frozen
        if isinstance(call, str):
            return QuantusMetric(name, category, reason=call)
        taken = inspect.signature(kind.__init__).parameters
        settings = {key: value for key, value in self.settings.items() if key in taken}
        settings |= OWN.get(name, {})
        settings |= self.own.get(name, {})
        start = time.perf_counter()
        try:
            with _apart(self.seed):
                values = kind(**settings)(
                    model=call.model,
                    x_batch=call.x,
                    y_batch=self.targets,
                    a_batch=call.scores,
                    s_batch=self.masks,
                    channel_first=call.channels_first,
                    explain_func=call.explain,
                    softmax=name in OF_PROBABILITIES,
                    batch_size=self.batch_size,
                )
        except Exception as error:  # of another package, which raises whatever it meets
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            return QuantusMetric(name, category, reason=reason, settings=settings)
        return QuantusMetric(
            name, category, values, settings=settings, seconds=time.perf_counter() - start
        )


def settings_of(
    shape: tuple[int, ...], outputs: int, baseline: float, draws: int
) -> dict[str, Any]:
    """Settings that fit inputs (channels, *positions), by parameters' names.

    Scores are normalised within a sample, so that none depends on its batch.
    """
    positions = shape[1:]
    count = int(np.prod(positions, dtype=int))
    step = next(n for n in range(1, count + 1) if count % n == 0 and count / n <= MOST_STEPS)
    patch = max(1, min((LARGEST_PATCH, *(size // 4 for size in positions))))
    return {
        "normalise_func": by_largest,
        "return_aggregate": False,
        "disable_warnings": True,
        "display_progressbar": False,
        "perturb_baseline": float(baseline),
        "features_in_step": step,
        "nr_samples": draws,
        "n_perturb_samples": draws,
        "patch_size": patch,
        "perturb_patch_sizes": [patch],
        "regions_evaluation": MOST_STEPS,
        "subset_size": max(1, min(LARGEST_SUBSET, count // 5)),
        "k": max(1, count // 10),
        "num_classes": outputs,
    }


def by_largest(scores: Array, **others: Any) -> Array:
    """Scores (N, ...), each sample's divided by their largest size."""
    largest = np.abs(scores).max(axis=tuple(range(1, scores.ndim)), keepdims=True)
    return np.asarray(scores / np.where(largest > 0, largest, 1))


@contextlib.contextmanager
def _apart(seed: int) -> Iterator[None]:
    """numpy's global generator, which Quantus draws by, begins with a seed, and is restored."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _numbers(values: Any) -> Iterator[float]:
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list | tuple):
        for value in values:
            yield from _numbers(value)
    elif values is not None:
        yield from np.asarray(values, float).ravel()


__all__ = ["CATEGORIES", "CAUTIONS", "Call", "QuantusMetric", "QuantusResults", "Suite"]
