"""Metrics that judge scores, and comparisons of methods by them.

Methods by their names, all at once::

    found = deeplift_engine.compare(network, x, ["deeplift", "occlusion"], target=0)
    print(found)
    found.save("comparison.png")

or one at a time, on a bench that holds samples, references and a target::

    bench = evaluate.Bench(network, x, target=0, references=references.shuffle(20))
    evaluate.sensitivity_n(bench.run("deeplift", rules="reveal_cancel")).mean
    evaluate.deletion(bench.take(scores_from_elsewhere)).mean_curve

`METRICS` is the table of metrics, with options, sources and costs. `layer_similarity` compares the
activations of layers, of one network or of two; `concept_test` tells concepts that matter from
random ones, and `discover_concepts` finds some; `quantus.all` runs the metrics of Quantus.
"""

from deeplift_engine.evaluate import quantus
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.compare_methods import Comparison, compare
from deeplift_engine.evaluate.concept_discovery import discover_concepts
from deeplift_engine.evaluate.concept_significance import ConceptTest, concept_test
from deeplift_engine.evaluate.erasing import (
    completeness,
    deletion,
    insertion,
    log_odds_drop,
    mu_fidelity,
    sensitivity_n,
)
from deeplift_engine.evaluate.fold_stability import FoldStability, fold_stability
from deeplift_engine.evaluate.layer_concepts import Concepts
from deeplift_engine.evaluate.masking import average_drop, average_gain, average_increase
from deeplift_engine.evaluate.metrics import METRICS, Metric
from deeplift_engine.evaluate.nearby import average_sensitivity, infidelity, max_sensitivity
from deeplift_engine.evaluate.ranks import agreement, complexity, rank_correlation, sparsity
from deeplift_engine.evaluate.rationales import comprehensiveness, sufficiency
from deeplift_engine.evaluate.sanity import randomisation
from deeplift_engine.evaluate.similarity import LayerSimilarity, layer_similarity
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured

__all__ = [
    "METRICS",
    "Bench",
    "Comparison",
    "ConceptTest",
    "Concepts",
    "FoldStability",
    "LayerSimilarity",
    "Measured",
    "Metric",
    "Subject",
    "agreement",
    "average_drop",
    "average_gain",
    "average_increase",
    "average_sensitivity",
    "compare",
    "completeness",
    "complexity",
    "comprehensiveness",
    "concept_test",
    "deletion",
    "discover_concepts",
    "fold_stability",
    "infidelity",
    "insertion",
    "layer_similarity",
    "log_odds_drop",
    "max_sensitivity",
    "mu_fidelity",
    "quantus",
    "randomisation",
    "rank_correlation",
    "sensitivity_n",
    "sparsity",
    "sufficiency",
]
