"""Shapley values of groups of elements: by permutations, exactly, and by regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.request import Request
from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import ConvergenceWarning, RuleError
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.masked_values import Masks, Samples
from deeplift_engine.explainers.perturbation.masking import coalitions
from deeplift_engine.explainers.perturbation.masking.groups import Grouping, Groups, sampled
from deeplift_engine.explainers.perturbation.perturbation_explainer import Grouped, Valued
from deeplift_engine.tensors.products import product
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Count, Integer, Positive, Seed, Several, TwoOrMore
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

TOGETHER = 16
"""How many permutations are walked before their standard errors are looked at."""
MOST_EXACT = 20
"""Groups of which all coalitions are evaluated at most."""
MOST_REGRESSED = 4096
"""Groups that a regression is fitted to at most."""


class ShapleySampling(Grouped):
    """Shapley values by permutations: what each group takes with it when they leave in turn.

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
        setup: Setup,
        *,
        samples: Count = 20,
        antithetic: bool = True,
        groups: Any = None,
        sampling_dims: Annotated[Sequence[int], Several(Integer())] | None = None,
        divide: bool = True,
        tolerance: Positive | None = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(setup, groups=groups, divide=divide)
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

    def masks(self, count: int) -> int:
        """Those of the permutations that are walked together."""
        return min(self.samples, TOGETHER) * max(1, count - 1)

    def valued(self, samples: Samples, groups: Groups) -> Valued:
        """Means over permutations, in rounds, of the samples that are not settled yet."""
        drawn = coalitions.orders(groups.count, self.samples, self.seed, self.antithetic)
        ends = (samples.whole, without(samples, groups))
        shape = np.broadcast_shapes(*(end.shape for end in ends))
        found = Running(np.zeros((*shape, groups.count)))
        going = np.ones(shape, bool)
        for start in range(0, self.samples, TOGETHER):
            active = np.flatnonzero(going.any(axis=(0, 2)))
            walked = _walked(
                samples.only(active),
                groups,
                drawn[start : start + TOGETHER],
                [np.broadcast_to(end, shape)[:, active] for end in ends],
            )
            if self.antithetic:
                walked = (walked[..., 0::2, :] + walked[..., 1::2, :]) / 2
            found.add(walked, active, going[:, active])
            if self.stop_at is None:
                continue
            going &= found.errors.max(axis=-1) > self.stop_at * np.abs(found.mean).max(axis=-1)
            if not going.any():
                break
        if self.stop_at is not None and going.any():
            warn(
                f"shapley_sampling: after {self.samples} permutations standard errors of "
                f"{going.any(axis=(0, 2)).sum()} of {samples.count} samples are above "
                f"tolerance={self.stop_at:g} of their largest value; give more samples.",
                ConvergenceWarning,
            )
        return Valued(found.mean, found.errors if found.count > 1 else None, ends)


class Running:
    """Means and standard errors of values (T, n, k, P) of which more and more are drawn.

    Rounds are merged as of Chan, Golub and LeVeque 1979 (equation 2.1), so that nothing cancels.
    """

    def __init__(self, nothing: Array) -> None:
        self.count = 0
        self.mean, self.squares, self.errors = (nothing.copy() for _ in range(3))

    def add(self, drawn: Array, samples: Array, where: Array) -> None:
        """Add ``drawn`` (T, a, k, R, P) of some ``samples`` (a,), ``where`` (T, a, k) it counts."""
        rounds = drawn.shape[-2]
        before, self.count = self.count, self.count + rounds
        mean, where = drawn.mean(axis=-2), where[..., np.newaxis]
        step = mean - self.mean[:, samples]
        spread = ((drawn - mean[..., np.newaxis, :]) ** 2).sum(axis=-2)
        spread += step**2 * (before * rounds / self.count)
        self.mean[:, samples] += where * step * (rounds / self.count)
        self.squares[:, samples] += where * spread
        errors = np.sqrt(self.squares[:, samples] / (max(1, self.count - 1) * self.count))
        self.errors[:, samples] = np.where(where, errors, self.errors[:, samples])


def _walked(samples: Samples, groups: Groups, orders: Array, ends: Sequence[Array]) -> Array:
    """What each group takes with it under each of the orders: (T, n, k, R, P).

    Groups leave in that order; ``ends`` are the values (T, n, k) with all and with none of them.
    """
    turn = np.argsort(orders, axis=1)
    between = groups.count - 1

    def masks(draws: slice) -> list[Array]:
        order, left = np.divmod(np.arange(draws.start, draws.stop), max(1, between))
        return groups.masks((turn[order] > left[:, np.newaxis])[np.newaxis])

    values = samples.masked(len(orders) * between, masks)
    values = values.reshape(*values.shape[:3], len(orders), between)
    first, last = (
        np.broadcast_to(end[..., np.newaxis, np.newaxis], (*values.shape[:4], 1)) for end in ends
    )
    path = np.concatenate([first, values, last], axis=-1)
    taken = path[..., :-1] - path[..., 1:]
    return np.take_along_axis(taken, np.broadcast_to(turn, taken.shape), axis=-1)


class ExactShapley(Grouped):
    """Shapley values from all 2^P coalitions of P groups."""

    def masks(self, count: int) -> int:
        """All coalitions.

        Raises
        ------
        RuleError
            For too many groups.
        """
        if count > MOST_EXACT:
            raise RuleError(
                f"exact_shapley of {count} groups would evaluate 2^{count} coalitions of each "
                f"sample; it takes up to {MOST_EXACT} groups. Say groups=, such as a few cells "
                "along each axis (groups=3), or use shapley_sampling or kernel_shap."
            )
        return 1 << count

    def valued(self, samples: Samples, groups: Groups) -> Valued:
        """The values, and the change that they sum to."""
        count = self.masks(groups.count)
        every = coalitions.every(groups.count)
        values = samples.masked(count, of_rows(groups, every))
        return Valued(
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
        How many coalitions; by default 2·P + 2048 of P groups.
    seed
        Of the draws.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        samples: TwoOrMore | None = None,
        groups: Any = None,
        divide: bool = True,
        seed: Seed = 0,
    ) -> None:
        super().__init__(setup, groups=groups, divide=divide)
        self.samples, self.seed = samples, seed

    def masks(self, count: int) -> int:
        """So many, or all."""
        check_regressed(count)
        asked = 2 * count + 2048 if self.samples is None else self.samples
        return min(asked, (1 << count) - 2)

    def valued(self, samples: Samples, groups: Groups) -> Valued:
        """Fit all targets, samples and references at once."""
        regression = optional("sklearn.linear_model", "scikit-learn").LinearRegression
        count, whole, none = groups.count, samples.whole, without(samples, groups)
        change = whole - none
        drawn = self.masks(count)
        if drawn <= 0:  # of one group that takes all
            return Valued(change[..., np.newaxis], ends=(whole, none))
        if drawn == (1 << count) - 2:
            rows = coalitions.every(count)[1:-1]
            weights = coalitions.kernel_weights(rows)
        else:
            rows = coalitions.drawn_by_kernel(count, -(-drawn // 2), self.seed)
            weights = np.ones(len(rows))
        values = samples.masked(len(rows), of_rows(groups, rows)) - none[..., np.newaxis]
        stays = rows.astype(float)
        # the last value is what the others leave of the change
        given = values - change[..., np.newaxis] * stays[:, -1]
        others = stays[:, :-1] - stays[:, -1:]
        fit = regression(fit_intercept=False).fit(
            others, given.reshape(-1, len(rows)).T, sample_weight=weights
        )
        first = fit.coef_.reshape(*change.shape, count - 1)
        last = change - first.sum(axis=-1)
        values = np.concatenate([first, last[..., np.newaxis]], axis=-1)
        return Valued(values, ends=(whole, none))


def without(samples: Samples, groups: Groups) -> Array:
    """The values where all groups are replaced, (T, n, k)."""
    return samples.masked(1, of_rows(groups, np.zeros((1, groups.count), bool)))[..., 0]


def of_rows(groups: Groups, rows: Array) -> Masks:
    """Masks of coalitions (D, P)."""
    return lambda draws: groups.masks(rows[np.newaxis, draws])


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
        aliases=("shapley_value_sampling",),
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
