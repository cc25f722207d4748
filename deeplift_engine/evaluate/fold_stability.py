"""Whether explanations stay where a model is trained again without a sample: MeGe and ReCo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.rank_statistics import correlation, ranks
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network


@dataclass(frozen=True)
class FoldStability:
    """The result of `fold_stability`.

    Attributes
    ----------
    consistent
        Distances of explanations of a sample by the network that was trained without it and one
        that was trained with it, where both predict its class, (D,): 0 for the same order of
        scores, 2 for the opposite.
    inconsistent
        The same where one of the two predicts another class, (E,).
    """

    consistent: Array
    inconsistent: Array

    @property
    def mege(self) -> float:
        """Mean generalisability, 1 / (1 + mean consistent distance): 1 where nothing changes."""
        return float(1 / (1 + self.consistent.mean())) if self.consistent.size else float("nan")

    @property
    def reco(self) -> float:
        """Relative consistency, the best of TPR + TNR - 1 over thresholds of the distance.

        1 where explanations differ exactly where predictions do, near 0 where distances say
        nothing of them.
        """
        if not (self.consistent.size and self.inconsistent.size):
            return float("nan")
        both = np.concatenate([self.consistent, self.inconsistent])
        is_consistent = np.arange(len(both)) < len(self.consistent)
        best = 0.0
        for threshold in np.unique(both)[:-1]:
            near = both <= threshold
            best = max(best, is_consistent[near].mean() + (~is_consistent[~near]).mean() - 1)
        return float(best)


def fold_stability(
    networks: Sequence[Network],
    x: Any,
    classes: Any,
    folds: Any,
    method: str = "gradient_times_input",
    *,
    target_layer: str = "logits",
    references: Any = None,
    **options: Any,
) -> FoldStability:
    """How far explanations depend on whether a sample was trained on.

    Parameters
    ----------
    networks
        K networks of one architecture and one input, each trained without one fold of the data.
    x
        Samples (N, ...).
    classes
        The class of each (N,): a unit of the target's layer.
    folds
        The number of the network (N,) that was trained without each sample.
    method, options
        A name of `deeplift_engine.methods` and its options.
    target_layer, references
        As for `Network.explainer` and `Explainer.run`.

    Returns
    -------
    FoldStability

    Raises
    ------
    InputError
        If arrays do not fit each other, or there are fewer than two networks.

    Notes
    -----
    Fel 2022, arXiv:2009.04521. Distances are 1 less Spearman's correlation of the scores.
    """
    samples = np.asarray(x)
    units, folds = np.asarray(classes), np.asarray(folds)
    whole = units.dtype.kind in "iu" and folds.dtype.kind in "iu"
    if not (whole and units.shape == folds.shape == samples.shape[:1]) or len(networks) < 2:
        raise InputError(
            f"{len(networks)} networks, {len(samples)} samples, classes {units.shape} and folds "
            f"{folds.shape}: expected two networks or more, and a whole number for each sample."
        )
    if folds.min(initial=0) < 0 or folds.max(initial=0) >= len(networks):
        raise InputError(f"folds are numbers of networks, from 0 to {len(networks) - 1}.")
    ordered, right = [], []
    for network in networks:
        made = network.explainer(method, target=target_layer, **options)
        more = {"references": references} if made.traits.uses_references else {}
        scores = made.run(samples, target=units, progress=False, **more).scores
        ordered.append(ranks(np.asarray(scores, float).reshape(len(samples), -1)))
        values = network.activations(samples, made.task.target, progress=False)[made.task.target]
        right.append(values.argmax(axis=-1) == units)
    rows = np.arange(len(samples))
    without, without_right = np.stack(ordered)[folds, rows], np.stack(right)[folds, rows]
    same: list[Array] = []
    other: list[Array] = []
    for number, (own, own_right) in enumerate(zip(ordered, right, strict=True)):
        beside = folds != number
        distances = 1 - correlation(own[beside], without[beside])
        both = (own_right & without_right)[beside]
        one = (own_right != without_right)[beside]
        same.append(distances[both])
        other.append(distances[one])
    return FoldStability(np.concatenate(same), np.concatenate(other))


__all__ = ["FoldStability", "fold_stability"]
