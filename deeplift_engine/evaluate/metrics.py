"""The table of metrics: names, options, sources, costs, and whether high or low is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deeplift_engine.errors import RuleError
from deeplift_engine.evaluate import erasing, masking, nearby, ranks, rationales, sanity
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.options import constraints, read
from deeplift_engine.util.signatures import Option, check_names, options_of
from deeplift_engine.util.suggestions import suggest


@dataclass(frozen=True)
class Metric:
    """One row of the table of metrics.

    Attributes
    ----------
    name
        The name that users pass.
    measure
        Function of a `Subject`; its keyword-only arguments are the options.
    summary
        One sentence.
    source
        The publication.
    best
        ``"high"`` or ``"low"``; empty where neither is better by itself.
    passes
        Its cost in forward passes: a formula over N samples, K references, F features, and options.
    """

    name: str
    measure: Callable[..., Measured]
    summary: str
    source: str
    best: str
    passes: str

    @property
    def options(self) -> dict[str, Option]:
        """The options that users may set, by name."""
        return options_of(self.measure)

    def validate(self, options: Mapping[str, Any]) -> None:
        """Validate options.

        Raises
        ------
        RuleError
            For an option that the metric does not take, or a value that it does not accept.
        """
        check_names(self.name, options, self.options)
        read(options, constraints(self.measure))

    def __call__(self, subject: Subject, **options: Any) -> Measured:
        """Judge scores."""
        self.validate(options)
        return self.measure(subject, **options)


_ROWS = (
    Metric(
        "completeness",
        erasing.completeness,
        "How far the scores' sum is from the target's difference, relative to it.",
        "Sundararajan 2017, arXiv:1703.01365",
        "low",
        "N·(1 + K)",
    ),
    Metric(
        "sensitivity_n",
        erasing.sensitivity_n,
        "Correlation of sums of scores with what erasing random sets of n features does.",
        "Ancona 2018, arXiv:1711.06104",
        "high",
        "N·K·sizes·draws",
    ),
    Metric(
        "mu_fidelity",
        erasing.mu_fidelity,
        "Correlation of sums of scores with what erasing random sets of one size does.",
        "Bhatt 2020, arXiv:2005.00631",
        "high",
        "N·K·draws",
    ),
    Metric(
        "deletion",
        erasing.deletion,
        "Area under the target while features are erased, largest scores first.",
        "Petsiuk 2018, arXiv:1806.07421",
        "low",
        "N·K·(steps + 1)",
    ),
    Metric(
        "insertion",
        erasing.insertion,
        "Area under the target while features are put into the reference, largest first.",
        "Petsiuk 2018, arXiv:1806.07421",
        "high",
        "N·K·(steps + 1)",
    ),
    Metric(
        "log_odds_drop",
        erasing.log_odds_drop,
        "What the target loses when the features of the largest positive scores are erased.",
        "Shrikumar 2017, arXiv:1704.02685",
        "high",
        "N·(1 + K)",
    ),
    Metric(
        "comprehensiveness",
        rationales.comprehensiveness,
        "What the target loses when shares of the features, largest scores first, are erased.",
        "DeYoung 2020, arXiv:1911.03429",
        "high",
        "N·K·shares",
    ),
    Metric(
        "sufficiency",
        rationales.sufficiency,
        "What the target loses when all but shares of the features, largest first, are erased.",
        "DeYoung 2020, arXiv:1911.03429",
        "low",
        "N·K·shares",
    ),
    Metric(
        "average_drop",
        masking.average_drop,
        "What of the target is lost where scores are the shares of the features that stay.",
        "Chattopadhyay 2018, arXiv:1710.11063",
        "low",
        "N·K",
    ),
    Metric(
        "average_gain",
        masking.average_gain,
        "What the target rises there, as a share of what it could.",
        "Zhang 2024, arXiv:2301.07002",
        "high",
        "N·K",
    ),
    Metric(
        "average_increase",
        masking.average_increase,
        "The share of the samples whose target rises there.",
        "Chattopadhyay 2018, arXiv:1710.11063",
        "high",
        "N·K",
    ),
    Metric(
        "infidelity",
        nearby.infidelity,
        "Mean squared difference of what scores say of a perturbation, and what it does.",
        "Yeh 2019, arXiv:1901.09392",
        "low",
        "N·K·draws",
    ),
    Metric(
        "max_sensitivity",
        nearby.max_sensitivity,
        "Largest relative change of the scores when the input moves a little.",
        "Yeh 2019, arXiv:1901.09392",
        "low",
        "draws times the method's own",
    ),
    Metric(
        "average_sensitivity",
        nearby.average_sensitivity,
        "Mean relative change of the scores when the input moves a little.",
        "Bhatt 2020, arXiv:2005.00631",
        "low",
        "draws times the method's own",
    ),
    Metric(
        "sparsity",
        ranks.sparsity,
        "Gini index of the scores' sizes: near 1 where few features have all.",
        "Chalasani 2020, arXiv:1810.06583",
        "",
        "0",
    ),
    Metric(
        "complexity",
        ranks.complexity,
        "Entropy of the scores' sizes: 0 where one feature has all.",
        "Bhatt 2020, arXiv:2005.00631",
        "",
        "0",
    ),
    Metric(
        "randomisation",
        sanity.randomisation,
        "Rank correlation with the scores of the network with randomised layers.",
        "Adebayo 2018, arXiv:1810.03292",
        "low",
        "layers times the method's own",
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ROWS})
"""Metrics by name."""


def find_metric(name: str) -> Metric:
    """The metric of a name.

    Raises
    ------
    RuleError
        If there is none.
    """
    if name not in METRICS:
        advice = suggest(name, METRICS, f"There are: {', '.join(METRICS)}.")
        raise RuleError(f"There is no metric {name!r}. {advice}")
    return METRICS[name]
