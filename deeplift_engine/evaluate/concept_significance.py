"""Whether a concept matters to a target: its TCAV scores beside those of random concepts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.explainers.gradients.concepts import concept_direction, separating_direction
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.tables import aligned
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

FEWEST = 3
"""Sets of random examples."""


@dataclass(frozen=True)
class ConceptScores:
    """TCAV scores of one concept, and those of random examples in its place.

    Attributes
    ----------
    scores
        The share of the samples whose target rises towards the concept, for each set of random
        examples it was told from, (R,).
    random_scores
        The same where each set of random examples is taken for the concept and told from each
        other one, (R·(R - 1),).
    accuracy
        How well the concept is told from the random examples, the mean over the sets.
    p_value
        Of Student's two-sided test that the means of both are equal.
    """

    scores: Array
    random_scores: Array
    accuracy: float
    p_value: float

    @property
    def mean(self) -> float:
        """The mean score of the concept."""
        return float(self.scores.mean())


@dataclass(frozen=True)
class ConceptTest:
    """The result of `concept_test`: `ConceptScores` by the names of concepts.

    ``level`` is the p-value below which a concept is significant: 0.05 over their number.
    """

    concepts: Mapping[str, ConceptScores]
    layer: str
    level: float

    def __repr__(self) -> str:
        """The table."""
        lines = [["concept", "TCAV", "random", "p", "significant", "accuracy"]]
        for name, found in self.concepts.items():
            told = "yes" if found.p_value < self.level else "no"
            lines.append(
                [
                    name,
                    f"{found.mean:.2f} ± {found.scores.std(ddof=1):.2f}",
                    f"{found.random_scores.mean():.2f} ± {found.random_scores.std(ddof=1):.2f}",
                    f"{found.p_value:.2g}",
                    told,
                    f"{found.accuracy:.2f}",
                ]
            )
        return f"concepts at {self.layer}\n\n{aligned(lines, right=range(1, 6))}"


def concept_test(
    network: Network,
    x: Any,
    layer: str,
    concepts: Mapping[str, Any],
    random_examples: Sequence[Any],
    *,
    target: Any = None,
    target_layer: str = "logits",
    seed: int = 0,
) -> ConceptTest:
    """TCAV with its test of significance (Kim 2018, arXiv:1711.11279, section 3.4).

    Parameters
    ----------
    network
        From `load` or `convert`.
    x
        Samples of the class, as for `Explainer.run`.
    layer
        Where concepts are directions.
    concepts
        Examples of each by its name, inputs of the network (M, ...).
    random_examples
        Sets of random examples, three or more, each as many as a concept has.
    target, target_layer
        As for `Explainer.run` and `Network.explainer`: one target.
    seed
        Of the parts that accuracies are measured on.

    Returns
    -------
    ConceptTest
        For each concept its scores, those of random concepts and the p-value of their difference.

    Raises
    ------
    InputError
        For less than three sets of random examples, or several targets.
    """
    if len(random_examples) < FEWEST:
        raise InputError(
            f"{len(random_examples)} sets of random examples: a test needs three or more; Kim 2018 "
            "takes 500."
        )
    seed = checked("seed", seed, Integer(0), InputError)
    stats = optional("scipy.stats", "scipy")
    # the gradient at the layer is all that the network is asked for: directions follow from it
    gradient = network.explainer("gradient", target=target_layer, layers=layer)
    slopes = np.asarray(gradient.run(x, target=target, progress=False).scores, float)
    if slopes.shape != network.activations(x, layer, progress=False)[layer].shape:
        raise InputError("concept_test takes one target: run it for each of several.")
    flat = slopes.reshape(len(slopes), -1)
    sets = [network.activations(each, layer, progress=False)[layer] for each in random_examples]

    def rising(direction: Array) -> float:
        return float((flat @ direction.ravel() > 0).mean())

    random_scores = np.array(
        [
            rising(separating_direction(first, second))
            for i, first in enumerate(sets)
            for j, second in enumerate(sets)
            if i != j
        ]
    )
    found = {}
    for name, examples in concepts.items():
        activations = network.activations(examples, layer, progress=False)[layer]
        pairs = [concept_direction(activations, other, seed) for other in sets]
        scores = np.array([rising(direction) for direction, _ in pairs])
        accuracy = float(np.mean([accuracy for _, accuracy in pairs]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of scores that are all equal
            p_value = float(stats.ttest_ind(scores, random_scores).pvalue)
        found[name] = ConceptScores(scores, random_scores, accuracy, p_value)
    return ConceptTest(found, layer, 0.05 / max(1, len(concepts)))


__all__ = ["ConceptScores", "ConceptTest", "concept_test"]
