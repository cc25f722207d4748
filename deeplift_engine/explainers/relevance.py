"""Layer-wise relevance propagation (LRP) and its kin: relevance, sent back by rules.

What starts is the target's value f, and what arrives are the scores. Rules share relevance among
the inputs of a layer; what biases and stabilisers take of it is lost, so that scores sum to f less
that. A run reports the difference as ``convergence_delta``, and checks it, as it does completeness,
where every rule on the way promises to lose nothing: kernels without bias (or ``bias=False``) and
without epsilon, under z, gamma, z-plus, w-square, flat and z-box.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.base import Found, Runner
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.setup import Setup
from deeplift_engine.explainers.walk import Walked
from deeplift_engine.layers import Elementwise
from deeplift_engine.merging import merging
from deeplift_engine.request import Request
from deeplift_engine.rules.assign import Assigned, unknown_name
from deeplift_engine.rules.composites import assign_relevance
from deeplift_engine.rules.elementwise import EpsilonRatio
from deeplift_engine.rules.relevance import (
    FLAT,
    W_SQUARE,
    AlphaBeta,
    Box,
    Epsilon,
    Gamma,
    RelevanceRule,
)

Array = NDArray[Any]
Which = str | RelevanceRule | Sequence[tuple[str, str | RelevanceRule]]


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

    def __post_init__(self) -> None:
        if not self.epsilon >= 0:
            raise RuleError(f"epsilon is 0 or more, not {self.epsilon!r}.")

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
    "root": lambda given: W_SQUARE if given.low is None else given.box(),
}
"""Rules of kernels by name; ``"root"`` is z-box where bounds are given, else w-square."""


class Relevance(Runner):
    """Relevance sent back by rules that depend on a layer's position, family, class or name.

    Layers without a kernel have rules of their own: what adds shares in proportion to what is
    added, a function of one element passes relevance on, a maximum gives all to the winner, a
    product to its signals (see `deeplift_engine.rules.sharing`).

    Parameters
    ----------
    rules
        Of kernels: a name (``"z"``, ``"epsilon"``, ``"gamma"``, ``"z_plus"``, ``"alpha_beta"``,
        ``"w_square"``, ``"flat"``, ``"z_box"``), a rule made by hand (of
        `deeplift_engine.rules.relevance`), or ordered pairs (which layers, rule), of which the
        first that matches wins. Which layers: ``"first"`` (``"first:2"`` for the two lowest),
        ``"dense"``, ``"convolution"``, ``"class:Conv1D"``, a layer's name, ``"default"``.
    epsilon
        Stabilises divisions, of layers that add as well, and takes relevance.
    gamma
        How much contributions of the output's sign count more, 0 or more.
    alpha, beta
        Of the alpha-beta rule; their difference is 1.
    low, high
        Bounds of what the first kernel reads, for z-box: numbers, or arrays of one sample.
    bias
        Whether biases take their share of relevance; without it they are left out of the rules.
    start
        ``"value"``, the relevance of the target is its value, or ``"one"``, that of a probability.
    batch_norm
        ``"merge"`` makes batch norm part of the kernel behind or in front of it, where there is
        one; ``"rule"`` has it share in proportion, as any layer that adds.
    """

    compares = False
    advice: ClassVar[str] = (
        "Relevance is lost where a rule divides by zero; dtype='float64' rules out rounding."
    )

    def __init__(
        self,
        setup: Setup,
        *,
        rules: Which = "epsilon",
        epsilon: float = 1e-6,
        gamma: float = 0.25,
        alpha: float = 2.0,
        beta: float = 1.0,
        low: Any = None,
        high: Any = None,
        bias: bool = True,
        start: str = "value",
        batch_norm: str = "merge",
    ) -> None:
        super().__init__(prepared(setup, batch_norm))
        if start not in ("value", "one"):
            raise RuleError(f"start is 'value' or 'one', not {start!r}.")
        given = Parameters(epsilon, gamma, alpha, beta, low, high, bias)
        pairs = [("default", rules)] if isinstance(rules, str | RelevanceRule) else rules
        made = [(which, _made(rule, given)) for which, rule in pairs]
        assigned = assign_relevance(self.setup.graph.nodes, made, epsilon)
        self._walk = self.walk(assigned, relevance=True)
        self.conserves, self.given = self._walk.plan.complete, start == "one"
        self.settings |= {
            "rules": [f"{which}: {rule}" for which, rule in made],
            "epsilon": epsilon,
            "start": start,
            "batch_norm": batch_norm,
        }

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
    flat = [part.reshape(*part.shape[:2], -1) for part in scores]
    return Found(
        scores,
        change=start,
        sums=sum((part.sum(axis=2) for part in flat), np.zeros_like(start)),
        sizes=sum((np.abs(part).sum(axis=2) for part in flat), np.zeros_like(start)),
        promised=promised,
        predictions=outputs or None,
    )


def _made(rule: str | RelevanceRule, given: Parameters) -> RelevanceRule:
    if isinstance(rule, RelevanceRule):
        return rule
    if rule not in RULES:
        raise RuleError(unknown_name("relevance rule", rule, list(RULES)))
    return RULES[rule](given)


class EpsilonRatios(Runner):
    """Epsilon-LRP as DeepExplain has it: input times a gradient of ratios.

    Every nonlinearity multiplies what comes back by f(x) / (x + ε·sign x) instead of its
    derivative. On networks of kernels and nonlinearities it differs from the epsilon rule by the
    stabiliser of maps that no nonlinearity follows, the last one among them.

    Parameters
    ----------
    epsilon
        Added to what a nonlinearity reads, with its sign; above 0.
    """

    compares = False

    def __init__(self, setup: Setup, *, epsilon: float = 1e-4) -> None:
        super().__init__(setup)
        if not epsilon > 0:
            raise RuleError(f"epsilon is above 0, not {epsilon!r}.")
        nodes, rule = setup.graph.nodes, EpsilonRatio(epsilon=epsilon)
        self._walk = self.walk(
            {
                name: Assigned(rule) if isinstance(nodes[name].layer, Elementwise) else assigned
                for name, assigned in setup.assigned().items()
            }
        )
        self.settings |= {"epsilon": epsilon}

    def attribute(self, request: Request) -> Found:
        """Input times the ratios sent back."""
        walked = self._walk(request.data, request.seeds.values, request.batch_size)
        data = request.data if self.setup.at_inputs else self._activations(request.data, None)
        scores = [m * x for m, x in zip(walked.multipliers, data, strict=True)]
        return Found(scores, walked.multipliers, predictions=walked.outputs or None)


def best_practice(
    setup: Setup,
    *,
    epsilon: float = 1e-6,
    alpha: float = 1.0,
    beta: float = 0.0,
    flat: int = 1,
    bias: bool = True,
    batch_norm: str = "merge",
) -> Relevance:
    """The composite of Kohlbrenner 2020, which names it LRP-CMP.

    Parameters
    ----------
    epsilon
        Of dense layers.
    alpha, beta
        Of convolutions; their difference is 1.
    flat
        How many of the lowest layers share by position alone, at least 1.
    bias, batch_norm
        As for ``lrp``.
    """
    rules = [(f"first:{flat}", "flat"), ("convolution", "alpha_beta"), ("default", "epsilon")]
    return Relevance(
        setup,
        rules=rules,
        epsilon=epsilon,
        alpha=alpha,
        beta=beta,
        bias=bias,
        batch_norm=batch_norm,
    )


def _row(
    name: str,
    rules: Which,
    options: str,
    summary: str,
    source: str,
    passes: str = "4·N",
    **fixed: Any,
) -> Method:
    """A method of fixed rules; of their parameters users give those named in ``options``."""
    others = inspect.signature(Relevance).parameters
    unused = {
        option: 0.0 if option == "epsilon" else others[option].default
        for option in ("epsilon", "gamma", "alpha", "beta", "low", "high", "start")
        if option not in options.split()
    }
    fixed = {"rules": rules, **unused, **fixed}
    return Method(name, "relevance", Relevance, summary, source, passes, fixed=fixed)


BACH = "Bach 2015, doi:10.1371/journal.pone.0130140"
MONTAVON = "Montavon 2017, arXiv:1512.02479"
OVERVIEW = "Montavon 2019, doi:10.1007/978-3-030-28954-6_10"
KOHLBRENNER = "Kohlbrenner 2020, arXiv:1910.09840"
LAPUSCHKIN = "Lapuschkin 2019, arXiv:1902.10178"

EPSILON_PLUS = [("convolution", "z_plus"), ("default", "epsilon")]
EPSILON_GAMMA = [("convolution", "gamma"), ("default", "epsilon")]
EPSILON_ALPHA_BETA = [("convolution", "alpha_beta"), ("default", "epsilon")]
DEEP_TAYLOR = [("first", "root"), ("default", "z_plus")]

METHODS = (
    Method(
        "lrp",
        "relevance",
        Relevance,
        "Relevance propagation by rules that are said for layers by position, family or name.",
        BACH,
        "4·N",
    ),
    _row("lrp_z", "z", "", "Relevance in proportion to what each input adds.", BACH, "2·N"),
    _row(
        "lrp_epsilon",
        "epsilon",
        "epsilon",
        "Relevance in proportion to what each input adds, less what a stabiliser takes.",
        BACH,
        "2·N",
    ),
    Method(
        "lrp_epsilon_ratio",
        "relevance",
        EpsilonRatios,
        "Epsilon-LRP as input times a gradient of ratios f(x) / x, in DeepExplain's form.",
        "Ancona 2018, arXiv:1711.06104",
        "2·N",
        aliases=("elrp",),
    ),
    _row("lrp_gamma", "gamma", "gamma", "Epsilon-LRP that favours the output's sign.", OVERVIEW),
    _row("lrp_z_plus", "z_plus", "", "Relevance by positive contributions alone.", MONTAVON),
    _row(
        "lrp_alpha_beta",
        "alpha_beta",
        "alpha beta",
        "Relevance by positive contributions less that by negative ones.",
        BACH,
    ),
    _row("lrp_w_square", "w_square", "", "Relevance by squared weights.", MONTAVON, "2·N"),
    _row("lrp_flat", "flat", "", "Relevance in equal shares.", LAPUSCHKIN, "2·N"),
    _row(
        "lrp_epsilon_plus",
        EPSILON_PLUS,
        "epsilon",
        "z-plus for convolutions, epsilon for the rest.",
        LAPUSCHKIN,
    ),
    _row(
        "lrp_epsilon_plus_flat",
        [("first", "flat"), *EPSILON_PLUS],
        "epsilon",
        "Flat for the first layer, z-plus for convolutions, epsilon for the rest.",
        LAPUSCHKIN,
    ),
    _row(
        "lrp_epsilon_gamma_box",
        [("first", "z_box"), *EPSILON_GAMMA],
        "epsilon gamma low high",
        "z-box for the first layer, gamma for convolutions, epsilon for the rest.",
        OVERVIEW,
    ),
    _row(
        "lrp_epsilon_alpha2_beta1",
        EPSILON_ALPHA_BETA,
        "epsilon",
        "Alpha-2-beta-1 for convolutions, epsilon for the rest.",
        LAPUSCHKIN,
    ),
    _row(
        "lrp_epsilon_alpha2_beta1_flat",
        [("first", "flat"), *EPSILON_ALPHA_BETA],
        "epsilon",
        "Flat for the first layer, alpha-2-beta-1 for convolutions, epsilon for the rest.",
        LAPUSCHKIN,
    ),
    Method(
        "lrp_best_practice",
        "relevance",
        best_practice,
        "Flat for the lowest layers, alpha-beta for convolutions, epsilon for the rest.",
        KOHLBRENNER,
        "4·N",
    ),
    _row(
        "deep_taylor",
        DEEP_TAYLOR,
        "low high",
        "Deep Taylor decomposition: z-plus, and z-box or w-square for the first layer.",
        MONTAVON,
        bias=False,
    ),
    _row(
        "excitation_backprop",
        "z_plus",
        "",
        "The probability that a winner on the way down ends there: z-plus without biases.",
        "Zhang 2016, arXiv:1608.00507",
        start="one",
        bias=False,
    ),
)
