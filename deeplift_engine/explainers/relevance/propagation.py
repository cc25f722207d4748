"""Layer-wise relevance propagation (LRP): relevance, sent back by rules.

What starts is the target's value f, and what arrives are the scores. Rules share relevance among
the inputs of a layer; what biases and stabilisers take of it is lost, so that scores sum to f less
that. A run reports the difference as ``convergence_delta``, and checks it, as it does completeness,
where every rule on the way promises to lose nothing: kernels without bias (or ``bias=False``) and
without epsilon, under z, gamma, z-plus, w-square, flat and z-box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.backward import Walked
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.graph.fold_batch_norm import merging
from deeplift_engine.rules.lrp.composites import assign_relevance
from deeplift_engine.rules.lrp.kernels import (
    FLAT,
    W_SQUARE,
    AlphaBeta,
    Box,
    Epsilon,
    Gamma,
    RelevanceRule,
)
from deeplift_engine.rules.selecting import pairs_of, unknown_name
from deeplift_engine.util.options import Among, Bounds, NotNegative
from deeplift_engine.util.typing import Array

Rule = str | RelevanceRule
Rules = Rule | Mapping[str, Rule] | Sequence[tuple[str, Rule]]


@dataclass(frozen=True)
class Parameters:
    """Of the rules that are given by name."""

    epsilon: float
    gamma: float
    alpha: float
    beta: float
    low: Any
    high: Any
    bias: bool

    def box(self) -> Box:
        """z-box."""
        if self.low is None or self.high is None:
            raise RuleError(
                "z_box needs low= and high=, the bounds of what the first layer reads, such as "
                "low=0, high=1."
            )
        return Box(self.low, self.high)


RULES: Mapping[str, Callable[[Parameters], RelevanceRule]] = {
    "z": lambda given: Epsilon(0.0, given.bias),
    "epsilon": lambda given: Epsilon(given.epsilon, given.bias),
    "gamma": lambda given: Gamma(given.gamma, given.bias),
    "z_plus": lambda given: AlphaBeta(1.0, 0.0, given.bias),
    "alpha_beta": lambda given: AlphaBeta(given.alpha, given.beta, given.bias),
    "w_square": lambda given: W_SQUARE,
    "flat": lambda given: FLAT,
    "z_box": Parameters.box,
    "root": lambda given: W_SQUARE if given.low is given.high is None else given.box(),
}
"""Rules of kernels by name; ``"root"`` is z-box where bounds are given, else w-square."""


class Relevance(Explainer):
    """Relevance sent back by rules that depend on a layer's position, family, class or name.

    Layers without a kernel have rules of their own: what adds shares in proportion to what is
    added, a function of one element passes relevance on, a maximum gives all to the winner, a
    product to its signals (see `deeplift_engine.rules.lrp.others`).

    Parameters
    ----------
    rules
        Of kernels: a name (``"z"``, ``"epsilon"``, ``"gamma"``, ``"z_plus"``, ``"alpha_beta"``,
        ``"w_square"``, ``"flat"``, ``"z_box"``), a rule made by hand (of
        `deeplift_engine.rules.lrp.kernels`), or ordered pairs (which layers, rule), as a list or a
        mapping, of which the first that matches wins. Which layers: ``"first"``, the lowest kernels
        (``"first:2"`` for the two lowest), ``"dense"``, ``"convolution"``, ``"class:Conv1D"``, a
        layer's name, ``"default"``.
    epsilon
        Stabilises divisions, of layers that add as well, and takes relevance.
    gamma
        How much contributions of the output's sign count more, 0 or more.
    alpha, beta
        Of the alpha-beta rule; their difference is 1.
    low, high
        Bounds of what the first kernel reads, for z-box: numbers, or arrays of one sample.
    bias
        Whether biases, and offsets of layers without a kernel, take their share of relevance;
        without it they are left out of the rules.
    start
        ``"value"``, the relevance of the target is its value, or ``"one"``, that of a probability.
    batch_norm
        ``"merge"`` makes batch norm part of the kernel behind or in front of it, where there is
        one; ``"rule"`` has it share in proportion, as any layer that adds.
    """

    compares = False
    per = "input"
    advice: ClassVar[str] = (
        "Relevance is lost where a rule divides by zero; dtype='float64' rules out rounding."
    )

    def __init__(
        self,
        setup: Setup,
        *,
        rules: Rules = "epsilon",
        epsilon: NotNegative = 1e-6,
        gamma: NotNegative = 0.25,
        alpha: float = 2.0,
        beta: float = 1.0,
        low: Bounds = None,
        high: Bounds = None,
        bias: bool = True,
        start: Annotated[str, Among(("value", "one"))] = "value",
        batch_norm: str = "merge",
    ) -> None:
        super().__init__(prepared(setup, batch_norm))
        given = Parameters(epsilon, gamma, alpha, beta, low, high, bias)
        pairs = pairs_of(rules, (str, RelevanceRule), "[('first', 'flat'), ('default', 'z_plus')]")
        made = [(which, _made(rule, given)) for which, rule in pairs]
        assigned = assign_relevance(self.setup.graph.nodes, made, Epsilon(epsilon, bias))
        self._walk = self.walk(assigned, relevance=True)
        self.conserves, self.given = self._walk.plan.complete, start == "one"

    def attribute(self, request: Request) -> Found:
        """Relevance (T, N, *S), which sums to the target's value but for what was lost."""
        seeds = request.seeds.values
        walked = self.walk_back(request, seeds, given=self.given)
        start = walked.values
        if self.given:
            start = np.broadcast_to(seeds.reshape(*seeds.shape[:2], -1).sum(axis=2), start.shape)
        return conserved(walked.multipliers, start, self.conserves, walked.outputs)

    def walk_back(self, request: Request, seeds: Array, *, given: bool = False) -> Walked:
        """Relevance of a request's data, starting as `Walk` says."""
        return self._walk(request.data, seeds, request.batch_size, given=given)


def prepared(setup: Setup, batch_norm: str) -> Setup:
    """The setup with its batch norms merged, or as it is."""
    graph = merging(setup.graph, {*setup.cuts, setup.target}, batch_norm)
    return replace(setup, graph=graph)


def conserved(
    scores: list[Array], start: Array, promised: bool, outputs: dict[str, Array]
) -> Found:
    """What was found, with the sum of scores beside the relevance (T, N) that it started with."""
    sums = Sums.of(scores, start, np.zeros_like(start), promised)
    return Found(scores, sums=sums, predictions=outputs or None)


def _made(rule: Any, given: Parameters) -> RelevanceRule:
    if isinstance(rule, RelevanceRule):
        return rule
    if not isinstance(rule, str) or rule not in RULES:
        raise RuleError(unknown_name("relevance rule", str(rule), list(RULES)))
    return RULES[rule](given)
