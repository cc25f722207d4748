"""Attribution by dependence: how far the target depends on whether a group stays (HSIC)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, group_scores
from deeplift_engine.util.options import Integer, Seed
from deeplift_engine.util.typing import Array


class Dependence(Grouped):
    """The Hilbert-Schmidt independence criterion of a group's mask and the target.

    Each group stays in half of the random masks, whichever others do, and is the references' in
    the rest; the masks are the same for all samples. The criterion is 0 where the target does not
    depend on whether a group stays, and sees dependence of any form. Its kernels are 0.5 for masks
    that agree, else -0.5, and exp(-(f - f')² / 2w²) of the target, with w the median of all
    differences.

    Parameters
    ----------
    samples
        How many masks.
    groups
        As for ``feature_ablation``; by default 8 cells along each axis but the last.
    divide
        As for ``feature_ablation``; by default each element has its group's criterion.
    seed
        Of the masks.
    """

    traits = replace(Grouped.traits, attributes_of=None)

    def __init__(
        self,
        task: Task,
        *,
        samples: Annotated[int, Integer(4)] = 500,
        groups: Any = 8,
        divide: bool = False,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        self.samples, self.seed = samples, seed

    def mask_count(self, count: int) -> int:
        """So many, whatever the groups."""
        return self.samples

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """The criterion of each group."""
        stays = balanced(self.samples, groups.count, self.seed)
        values = self.masked(
            samples, self.samples, lambda draws: groups.masks(stays[np.newaxis, draws])
        )
        signs = np.where(stays, 1.0, -1.0)
        flat = [criterion(each, signs) for each in values.reshape(-1, self.samples)]
        return group_scores(np.reshape(flat, (*values.shape[:3], groups.count)))


def balanced(count: int, groups: int, seed: int) -> Array:
    """Masks (count, groups) in half of which each group stays, drawn group by group."""
    draw = np.random.default_rng(seed).random((count, groups))
    return np.asarray(draw.argsort(axis=0).argsort(axis=0) < count // 2)


def criterion(values: Array, signs: Array) -> Array:
    """HSIC of each group's signs (D, P) with values (D,): tr(K H L H) / (D - 1)².

    The kernel of signs s and s' is s·s' / 2, so that the trace is sᵀ H L H s / 2.
    """
    apart = np.abs(values[:, np.newaxis].astype(float) - values)
    width = np.median(apart[apart > 0]) if apart.any() else 1.0
    kernel = np.exp(-((apart / width) ** 2) / 2)
    rows = kernel.mean(axis=0)
    centred = kernel - rows - rows[:, np.newaxis] + rows.mean()
    return np.asarray((signs * (centred @ signs)).sum(axis=0) / 2 / (len(values) - 1) ** 2)


METHODS = (
    Method(
        "hsic",
        "perturbation",
        Dependence,
        "How far the target depends on whether a group stays, of whatever form.",
        "Novello 2022, arXiv:2206.06219",
        "N·K·samples",
    ),
)
