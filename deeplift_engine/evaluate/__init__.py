"""Metrics that judge scores, and comparisons of methods by them.

Methods by their names, all at once::

    found = deeplift_engine.compare(network, x, ["deeplift", "occlusion"], target=0)
    print(found)
    found.save("comparison.png")

or one at a time, on a bench that holds samples, references and a target::

    bench = evaluate.Bench(network, x, target=0, references=references.shuffle(20))
    evaluate.sensitivity_n(bench.run("deeplift", rules="reveal_cancel")).mean
    evaluate.deletion(bench.take(scores_from_elsewhere)).mean_curve

`METRICS` is the table of metrics, with options, sources and costs.
"""

from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.compare_methods import Comparison, compare
from deeplift_engine.evaluate.erasing import (
    completeness,
    deletion,
    insertion,
    log_odds_drop,
    sensitivity_n,
)
from deeplift_engine.evaluate.metrics import METRICS, Metric
from deeplift_engine.evaluate.nearby import infidelity, max_sensitivity
from deeplift_engine.evaluate.ranks import agreement, rank_correlation, sparsity
from deeplift_engine.evaluate.rationales import comprehensiveness, sufficiency
from deeplift_engine.evaluate.sanity import randomisation
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured

__all__ = [
    "METRICS",
    "Bench",
    "Comparison",
    "Measured",
    "Metric",
    "Subject",
    "agreement",
    "compare",
    "completeness",
    "comprehensiveness",
    "deletion",
    "infidelity",
    "insertion",
    "log_odds_drop",
    "max_sensitivity",
    "randomisation",
    "rank_correlation",
    "sensitivity_n",
    "sparsity",
    "sufficiency",
]
