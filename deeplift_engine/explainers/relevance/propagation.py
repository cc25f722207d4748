"""Layer-wise relevance propagation (LRP): relevance, sent back by rules.

It starts with the target's value f, and what arrives are the scores. Rules share relevance among
the inputs of a layer; what biases and stabilisers take of it is lost, so that scores sum to f less
that. A run reports the difference as ``convergence_delta``, and checks it, as it does completeness,
where every rule on the way promises to lose nothing: kernels without bias (or ``bias=False``) and
without epsilon, under z, gamma, z-plus, w-square, flat and z-box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.backward import BackwardResult
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.traits import Traits
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
    """Parameters of the rules that have names."""

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
    "z": lambda parameters: Epsilon(0.0, parameters.bias),
    "epsilon": lambda parameters: Epsilon(parameters.epsilon, parameters.bias),
    "gamma": lambda parameters: Gamma(parameters.gamma, parameters.bias),
    "z_plus": lambda parameters: AlphaBeta(1.0, 0.0, parameters.bias),
    "alpha_beta": lambda parameters: AlphaBeta(parameters.alpha, parameters.beta, parameters.bias),
    "w_square": lambda parameters: W_SQUARE,
    "flat": lambda parameters: FLAT,
    "z_box": Parameters.box,
    "root": lambda parameters: (
        W_SQUARE if parameters.low is parameters.high is None else parameters.box()
    ),
}
"""Rules of kernels by name; ``"root"`` is z-box where there are bounds, else w-square."""


class Relevance(Explainer):
    """Relevance sent back by rules that depend on a layer's position, family, class or name.

    Layers without a kernel have rules of their own: what adds shares in proportion to what is
    added, a function of one element passes relevance on, a maximum gives all to the winner, a
    product to its signals (see `deeplift_engine.rules.lrp.others`).

    Parameters
    ----------
    rules
        Of kernels: a name (``"z"``, ``"epsilon"``, ``"gamma"``, ``"z_plus"``, ``"alpha_beta"``,
        ``"w_square"``, ``"flat"``, ``"z_box"``), a rule of your own (of
        `deeplift_engine.rules.lrp.kernels`), or ordered pairs (which layers, rule), as a list or a
        mapping, of which the first that matches wins. Which layers: ``"first"``, the lowest kernels
        (``"first:2"`` for the two lowest), ``"dense"``, ``"convolution"``, ``"recurrent"``,
        ``"class:Conv1D"``, a layer's name, ``"default"``.
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

    traits = Traits(
        uses_references=False,
        attributes_of="input",
        advice="Relevance is lost where a rule divides by zero; dtype='float64' rules out "
        "rounding.",
    )

    def __init__(
        self,
        task: Task,
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
        super().__init__(prepared(task, batch_norm))
        parameters = Parameters(epsilon, gamma, alpha, beta, low, high, bias)
        pairs = pairs_of(rules, (str, RelevanceRule), "[('first', 'flat'), ('default', 'z_plus')]")
        chosen = [(which, _rule(rule, parameters)) for which, rule in pairs]
        assigned = assign_relevance(self.task.graph.nodes, chosen, Epsilon(epsilon, bias))
        self._backward = self.backward_pass(assigned, relevance=True)
        self.conserves, self.direct = self._backward.task.complete, start == "one"

    def attribute(self, request: Request) -> MethodResult:
        """Relevance (T, N, *S), which sums to the target's value but for what was lost."""
        weights = request.weights
        result = self.propagate(request, weights, direct=self.direct)
        start = result.values
        if self.direct:
            total = weights.reshape(*weights.shape[:2], -1).sum(axis=2)
            start = np.broadcast_to(total, start.shape)
        return conserved(result, start, self.conserves)

    def propagate(
        self, request: Request, weights: Array, *, direct: bool = False
    ) -> BackwardResult:
        """Relevance of a request's data, starting as `BackwardPass` says."""
        return self._backward(request.data, weights, request.batch_size, direct=direct)


def prepared(task: Task, batch_norm: str) -> Task:
    """The setup with its batch norms merged, or as it is."""
    graph = merging(task.graph, {*task.attribution_nodes, *task.explained}, batch_norm)
    return replace(task, graph=graph)


def conserved(result: BackwardResult, start: Array, promised: bool) -> MethodResult:
    """Scores, with their sums beside the relevance (T, N) that the pass started with."""
    sums = Sums.of(result.multipliers, start, np.zeros_like(start), promised)
    return MethodResult(result.multipliers, sums=sums, predictions=result.outputs or None)


def _rule(rule: Any, parameters: Parameters) -> RelevanceRule:
    if isinstance(rule, RelevanceRule):
        return rule
    if not isinstance(rule, str) or rule not in RULES:
        raise RuleError(unknown_name("relevance rule", str(rule), list(RULES)))
    return RULES[rule](parameters)
