"""Shapley values of groups of elements: by permutations, exactly, and by regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.running_mean import RunningMean
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import ConvergenceWarning, RuleError
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.draw_counts import check_kernel_draws
from deeplift_engine.explainers.perturbation.masked_values import Masks, target_values
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.groups import Grouping, Groups, sampled
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, group_scores
from deeplift_engine.tensors.products import product
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Count, Integer, Positive, Seed, Several, TwoOrMore
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

TOGETHER = 16
"""How many permutations are taken before their standard errors are looked at."""
MOST_EXACT = 20
"""Groups of which all coalitions are evaluated at most."""
MOST_REGRESSED = 4096
"""Groups that a regression is fitted to at most."""


class ShapleySampling(Grouped):
    """Shapley values by permutations: the target's loss as groups leave one after another.

    The same permutations serve all samples. Sums hold for every one of them.

    Parameters
    ----------
    samples
        How many permutations; with a tolerance, the most.
    antithetic
        Whether every second permutation is the reverse of the one before, which lowers the
        standard errors; ``samples`` is even then.
    sampling_dims
        Instead of groups, as in DeepExplain: the axes of the data, 0 being that of the samples,
        along which elements are players; those along the others belong together.
    tolerance
        Stop, for each target of a sample, when every value's standard error is below this share
        of the largest value; looked at every 16 permutations.
    seed
        Of the permutations, which are those of ``numpy.random.seed(seed)``: without antithetic
        pairs DeepExplain's numbers.
    """

    def __init__(
        self,
        task: Task,
        *,
        samples: Count = 20,
        antithetic: bool = True,
        groups: Any = None,
        sampling_dims: Annotated[Sequence[int], Several(Integer())] | None = None,
        divide: bool = True,
        tolerance: Positive | None = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        if antithetic and samples % 2:
            raise RuleError(
                f"samples={samples} permutations make no antithetic pairs: give an even number, or "
                "antithetic=False."
            )
        if groups is not None and sampling_dims is not None:
            raise RuleError("groups and sampling_dims both say what the players are: give one.")
        self.samples, self.rounds = samples, -(-samples // TOGETHER)
        self.antithetic, self.sampling_dims = antithetic, sampling_dims
        self.stop_at, self.seed = tolerance, seed

    def grouping(self, request: Request) -> Grouping:
        """By groups, or by axes."""
        if self.sampling_dims is None:
            return super().grouping(request)
        return sampled(self.sampling_dims, request.inputs, request.data)

    def mask_count(self, count: int) -> int:
        """Those of the permutations that are taken together."""
        return min(self.samples, TOGETHER) * max(1, count - 1)

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """Means over permutations, in rounds, of the samples that are not settled yet."""
        drawn = coalitions.orders(groups.count, self.samples, self.seed, self.antithetic)
        ends = (target_values(self.values, samples), self._without(samples, groups))
        shape = np.broadcast_shapes(*(end.shape for end in ends))
        mean, going = RunningMean(shape), np.ones(shape, bool)
        for start in range(0, self.samples, TOGETHER):
            active = np.flatnonzero(going.any(axis=(0, 2)))
            losses = self._losses(
                samples.only(active),
                groups,
                drawn[start : start + TOGETHER],
                [np.broadcast_to(end, shape)[:, active] for end in ends],
            )
            if self.antithetic:
                losses = (losses[..., 0::2, :] + losses[..., 1::2, :]) / 2
            mean.add(np.nonzero(going), losses[going[:, active]])
            if self.stop_at is None:
                continue
            errors, values = mean.standard_error.max(axis=-1), np.abs(mean.mean).max(axis=-1)
            going &= ~(errors <= self.stop_at * values)  # NaN, of one draw, settles nothing
            if not going.any():
                break
        if self.stop_at is not None and going.any():
            warn(
                f"shapley_sampling: after {self.samples} permutations standard errors of "
                f"{going.any(axis=(0, 2)).sum()} of {samples.count} samples are above "
                f"tolerance={self.stop_at:g} of their largest value, or unknown; give more "
                "samples.",
                ConvergenceWarning,
            )
        errors = mean.standard_error if mean.counts.min() > 1 else None
        return group_scores(mean.mean, errors, ends)

    def _losses(
        self, samples: Samples, groups: Groups, orders: Array, ends: Sequence[Array]
    ) -> Array:
        """The target's loss as each group leaves, in each of the orders: (T, n, k, R, P).

        ``ends`` are the values (T, n, k) with all and with none of the groups.
        """
        turn = np.argsort(orders, axis=1)
        between = groups.count - 1

        def masks(draws: slice) -> list[Array]:
            order, left = np.divmod(np.arange(draws.start, draws.stop), max(1, between))
            return groups.masks((turn[order] > left[:, np.newaxis])[np.newaxis])

        values = self.masked(samples, len(orders) * between, masks)
        values = values.reshape(*values.shape[:3], len(orders), between)
        first, last = (
            np.broadcast_to(end[..., np.newaxis, np.newaxis], (*values.shape[:4], 1))
            for end in ends
        )
        path = np.concatenate([first, values, last], axis=-1)
        losses = path[..., :-1] - path[..., 1:]
        return np.take_along_axis(losses, np.broadcast_to(turn, losses.shape), axis=-1)


class ExactShapley(Grouped):
    """Shapley values from all 2^P coalitions of P groups."""

    def mask_count(self, count: int) -> int:
        """All coalitions."""
        return all_coalitions("exact_shapley", count)

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """The values, and the change that they sum to."""
        count = self.mask_count(groups.count)  # refuses too many before they are listed
        every = coalitions.every(groups.count)
        values = self.masked(samples, count, of_rows(groups, every))
        return group_scores(
            product(values, coalitions.shapley_weights(every)),
            ends=(values[..., -1], values[..., 0]),
        )


class KernelShap(Grouped):
    """Shapley values by a weighted regression of the target on which groups stay.

    Their sum is held exactly. Where ``samples`` are as many as there are coalitions, all are
    evaluated and the values are exact; else coalitions are drawn, each with what it leaves out,
    and the same for all samples.

    Parameters
    ----------
    samples
        How many coalitions; by default 2·P + 2048 of P groups. So few that they do not determine
        the values are refused.
    seed
        Of the draws.
    """

    def __init__(
        self,
        task: Task,
        *,
        samples: TwoOrMore | None = None,
        groups: Any = None,
        divide: bool = True,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        self.samples, self.seed = samples, seed

    def mask_count(self, count: int) -> int:
        """So many, or all."""
        check_regressed(count)
        samples = 2 * count + 2048 if self.samples is None else self.samples
        if samples >= (1 << count) - 2:
            return (1 << count) - 2
        check_kernel_draws(count, samples, self.seed)
        return samples

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """Fit all targets, samples and references at once."""
        regression = optional("sklearn.linear_model", "scikit-learn").LinearRegression
        count = groups.count
        drawn = self.mask_count(count)
        ends = level, none = target_values(self.values, samples), self._without(samples, groups)
        change = level - none
        if drawn <= 0:  # of one group that takes all
            return group_scores(change[..., np.newaxis], ends=ends)
        if drawn == (1 << count) - 2:
            rows = coalitions.every(count)[1:-1]
            weights = coalitions.kernel_weights(rows)
        else:
            rows = coalitions.drawn_by_kernel(count, -(-drawn // 2), self.seed)
            weights = np.ones(len(rows))
        values = self.masked(samples, len(rows), of_rows(groups, rows)) - none[..., np.newaxis]
        stays = rows.astype(float)
        # the last value is what the others leave of the change
        rest = values - change[..., np.newaxis] * stays[:, -1]
        others = stays[:, :-1] - stays[:, -1:]
        fit = regression(fit_intercept=False).fit(
            others, rest.reshape(-1, len(rows)).T, sample_weight=weights
        )
        first = fit.coef_.reshape(*change.shape, count - 1)
        last = change - first.sum(axis=-1)
        values = np.concatenate([first, last[..., np.newaxis]], axis=-1)
        return group_scores(values, ends=ends)


def of_rows(groups: Groups, rows: Array) -> Masks:
    """Masks of coalitions (D, P)."""
    return lambda draws: groups.masks(rows[np.newaxis, draws])


def all_coalitions(method: str, count: int) -> int:
    """How many coalitions there are of ``count`` groups.

    Raises
    ------
    RuleError
        For too many groups.
    """
    if count > MOST_EXACT:
        raise RuleError(
            f"{method} of {count} groups would evaluate 2^{count} coalitions of each sample; it "
            f"takes up to {MOST_EXACT} groups. Say groups=, such as a few cells along each axis "
            "(groups=3), or use partition_shap, shapley_sampling or kernel_shap."
        )
    return 1 << count


def check_regressed(count: int) -> None:
    """Refuse more groups than a regression is fitted to."""
    if count > MOST_REGRESSED:
        raise RuleError(
            f"A regression on {count} groups is too large, {MOST_REGRESSED} are the most: say "
            "groups=, such as 'positions', 'segments' or a number of cells along each axis."
        )


METHODS = (
    Method(
        "shapley_sampling",
        "perturbation",
        ShapleySampling,
        "Shapley values by random permutations.",
        "Castro 2009, doi:10.1016/j.cor.2008.04.004",
        "N + N·K·(1 + samples·(groups - 1))",
        complete=True,
        aliases=("shapley_value_sampling", "permutation_shap"),
    ),
    Method(
        "exact_shapley",
        "perturbation",
        ExactShapley,
        "Shapley values from all coalitions, of a few groups.",
        "Shapley 1953, doi:10.1515/9781400881970-018",
        "N·K·2^groups",
        complete=True,
        aliases=("shapley_values",),
    ),
    Method(
        "kernel_shap",
        "perturbation",
        KernelShap,
        "Shapley values by weighted regression on which groups stay.",
        "Lundberg 2017, arXiv:1705.07874",
        "N + N·K·(1 + samples)",
        complete=True,
    ),
)
