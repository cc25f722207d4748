"""A simple model fitted to the target around each sample: LIME."""

from __future__ import annotations

from typing import Any

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.draw_counts import check_even_draws
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, group_scores
from deeplift_engine.explainers.perturbation.shapley import check_regressed, of_rows
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import NotNegative, Positive, Seed, TwoOrMore


class Lime(Grouped):
    """Coefficients of a ridge regression of the target on which groups stay.

    Each group stays in half of the draws, the same for all samples. Draws weigh by how near they
    are to the sample: exp(-d² / 2w²) of the cosine distance d between which groups stay and all of
    them.

    Parameters
    ----------
    samples
        How many draws; by default 1000, or twice as many as there are groups where that is more.
        So few that they do not determine the model are refused.
    kernel_width
        w, in cosine distances: the smaller, the nearer draws must be to count.
    alpha
        The penalty of the ridge regression.
    seed
        Of the draws.
    """

    def __init__(
        self,
        task: Task,
        *,
        samples: TwoOrMore | None = None,
        kernel_width: Positive = 0.25,
        alpha: NotNegative = 1.0,
        groups: Any = "auto",
        divide: bool = True,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        self.samples, self.seed = samples, seed
        self.kernel_width, self.alpha = kernel_width, alpha

    def mask_count(self, count: int) -> int:
        """As many as there are draws."""
        check_regressed(count)
        samples = max(1000, 2 * count) if self.samples is None else self.samples
        check_even_draws(count, samples, self.seed, self.kernel_width)
        return samples

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """Fit all targets, samples and references at once."""
        ridge = optional("sklearn.linear_model", "scikit-learn").Ridge
        draws = self.mask_count(groups.count)
        stays = coalitions.drawn_evenly(groups.count, draws, self.seed)
        weights = coalitions.cosine_weights(stays, self.kernel_width)
        values = self.masked(samples, draws, of_rows(groups, stays))
        fit = ridge(alpha=self.alpha).fit(
            stays.astype(float), values.reshape(-1, draws).T, sample_weight=weights
        )
        return group_scores(fit.coef_.reshape(*values.shape[:3], groups.count))


METHODS = (
    Method(
        "lime",
        "perturbation",
        Lime,
        "Coefficients of a linear model fitted to the target around each sample.",
        "Ribeiro 2016, arXiv:1602.04938",
        "N·K·samples",
    ),
)
