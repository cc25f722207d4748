"""Scores that metrics judge, and the method that computed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InapplicableError, InputError
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.evaluate.bench import Bench
    from deeplift_engine.network import Network


@dataclass(frozen=True)
class Subject:
    """Scores on a bench, and the method that computed them.

    Attributes
    ----------
    bench
        The samples, references and targets.
    label
        The name in tables and figures.
    scores, multipliers
        Of each input, (T, N, *S); multipliers may be None.
    attribution
        The method's complete result, or None.
    method, options
        The method and its options; an empty name for scores from elsewhere.
    runner
        The method, compiled, or None.
    seconds
        Run time, compilation included.
    per
        The quantity that scores are shares of, or per unit of; see
        `deeplift_engine.explainers.explainer.Explainer`.
    """

    bench: Bench
    label: str
    scores: list[Array]
    multipliers: list[Array] | None = None
    attribution: Attribution | None = None
    method: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    runner: Any = None
    seconds: float = float("nan")
    per: str | None = "difference"

    @cached_property
    def sums(self) -> Array:
        """Scores added within each group, (T, N, P)."""
        return self.bench.groups.gathered(self.scores)

    @cached_property
    def at_maps(self) -> Array:
        """The target (T, N) where scores, from 0 to 1 within each sample, are the shares that stay.

        Raises
        ------
        InapplicableError
            For tokens, of which no share can stay.
        """
        if tokens := self.bench.task.token_inputs:
            raise InapplicableError(
                f"Input {tokens[0]!r} holds tokens, of which no share can stay; choose metrics "
                "that erase."
            )
        low, high = (end(self.sums, axis=-1, keepdims=True) for end in (np.min, np.max))
        shares = np.divide(
            self.sums - low, high - low, out=np.zeros_like(self.sums), where=high > low
        )

        def stay(own: Array, rows: slice, block: slice) -> Array:
            return np.asarray(own[rows, np.newaxis])

        values = [
            self.bench.kept(partial(stay, own), 1, weights)
            for own, weights in zip(shares, self.bench.weights[:, np.newaxis], strict=True)
        ]
        return np.concatenate(values)[..., 0]

    def again(
        self, data: Sequence[Array] | None = None, origins: Array | None = None
    ) -> list[Array]:
        """Scores by the same method at other points; see `Bench.again`.

        Raises
        ------
        InputError
            If the scores are from elsewhere.
        """
        self._known()
        return self.bench.again(self.runner, data, origins)

    def elsewhere(self, network: Network) -> list[Array]:
        """Scores (T, N, *S) by the same method of another network of the same layers.

        Raises
        ------
        InputError
            If the scores are from elsewhere.
        """
        self._known()
        return self.bench.again(self.bench.explainer(network, self.method, self.options))

    def _known(self) -> None:
        if self.runner is None:
            raise InputError(
                f"{self.label}: this metric runs the method again, and these scores are from "
                "elsewhere. Use Bench.run(method) instead of Bench.take(scores)."
            )

    @property
    def unmeasured(self) -> Measured:
        """The result of a metric that does not apply: NaN for every sample."""
        shape = (len(self.bench.weights), self.bench.request.samples)
        return Measured(self.as_requested(np.full(shape, np.nan)))

    def as_requested(self, values: Array) -> Array:
        """A result (T, N, ...) without the axis of targets where the user passed a single one."""
        return values if self.bench.request.stacked else values[0]


def label_of(method: str, options: Mapping[str, Any]) -> str:
    """A method and its options in words."""
    inside = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{method} ({inside})" if inside else method
