"""Shapley interaction values: what two groups do together beyond what each does by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import AttributionPoint, Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, joined
from deeplift_engine.explainers.perturbation.shapley import all_coalitions, of_rows
from deeplift_engine.tensors.products import product
from deeplift_engine.util.options import Among


class ShapleyInteractions(Grouped):
    """Shapley values of P groups taken apart into pairs, from all 2^P coalitions.

    An array (N, P, P), symmetric: half of an index of interaction of two groups off the diagonal,
    so that both shares of a pair sum to it, and on it what is left of the group's Shapley value.
    Each row sums to that value.

    Parameters
    ----------
    index
        ``"shapley"``: the Shapley interaction index (Grabisch 1999), as SHAP's explainer of trees
        gives (Lundberg 2018, equations 3 to 5). ``"taylor"``: that of Shapley and Taylor
        (Sundararajan 2020), whose diagonal is what a group does alone, as SHAP's exact explainer
        gives. They differ where three groups or more interact.
    """

    traits = replace(Grouped.traits, elementwise_scores=False)

    def __init__(
        self,
        task: Task,
        *,
        index: Annotated[str, Among(("shapley", "taylor"))] = "shapley",
        groups: Any = None,
    ) -> None:
        super().__init__(task, groups=groups)
        self.index = index

    def mask_count(self, count: int) -> int:
        """All coalitions."""
        return all_coalitions("shapley_interactions", count)

    def attribute(self, request: Request) -> MethodResult:
        """Values of pairs of groups (T, N, P, P)."""
        how = self.grouping(request)
        if how.own:
            raise RuleError(
                "Interactions are those of the same groups in all samples, and groups= gives each "
                "sample its own: give an array of one sample, 'positions' or a number of cells."
            )
        groups = how.of(request.data, 0)
        count = self.mask_count(groups.count)
        blocks = [self.score_groups(samples, groups) for samples in self.blocks(request, count)]
        name = self.task.attribution_points[0].name
        return MethodResult(
            [joined(request, [each.scores[0] for each in blocks]).astype(self.task.dtype)],
            sums=Sums.joined([each.sums for each in blocks if each.sums is not None]),
            per_reference=not request.average,
            points=(AttributionPoint(name, name),),
            settings={"masks": count},
        )

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """The values, and the change that they sum to."""
        every = coalitions.every(groups.count)
        values = self.masked(samples, len(every), of_rows(groups, every))
        pairs = np.stack(
            [
                product(values, coalitions.interaction_weights(every, player, self.index))
                for player in range(groups.count)
            ],
            axis=-2,
        )
        own = product(values, coalitions.shapley_weights(every)) - pairs.sum(axis=-1)
        pairs += own[..., np.newaxis] * np.eye(groups.count)
        sums = Sums.between(
            values[..., -1],
            values[..., 0],
            pairs.sum(axis=(-1, -2)),
            np.abs(pairs).sum(axis=(-1, -2)),
        )
        return MethodResult([pairs], sums=sums)


METHODS = (
    Method(
        "shapley_interactions",
        "perturbation",
        ShapleyInteractions,
        "Shapley values taken apart into pairs of a few groups.",
        "Grabisch 1999, doi:10.1007/s001820050125; Sundararajan 2020, arXiv:1902.05622",
        "N·K·2^groups",
        complete=True,
        aliases=("shapley_interaction_values",),
    ),
)
