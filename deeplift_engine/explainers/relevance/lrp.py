"""The methods of layer-wise relevance propagation: single rules, and composites of them."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.relevance.propagation import Relevance, Rules
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.rules.deeplift.assign import Assigned
from deeplift_engine.rules.deeplift.elementwise import EpsilonRatio
from deeplift_engine.util.options import Count, Integer, NotNegative, Positive


class EpsilonRatios(Explainer):
    """Epsilon-LRP as DeepExplain has it: input times a gradient of ratios.

    Every nonlinearity multiplies what comes back by f(x) / (x + ε·sign x) instead of its
    derivative. On networks of kernels and nonlinearities it differs from the epsilon rule by the
    stabiliser of maps that no nonlinearity follows, the last one among them.

    Parameters
    ----------
    epsilon
        Added to what a nonlinearity reads, with its sign; above 0.
    """

    traits = Traits(uses_references=False, attributes_of="input")

    def __init__(self, task: Task, *, epsilon: Positive = 1e-4) -> None:
        super().__init__(task)
        nodes, rule = task.graph.nodes, EpsilonRatio(epsilon=epsilon)
        self._backward = self.backward_pass(
            {
                name: Assigned(rule) if nodes[name].layer.kind == "elementwise" else assigned
                for name, assigned in task.assigned().items()
            }
        )

    def attribute(self, request: Request) -> MethodResult:
        """Input times the ratios sent back."""
        result = self._backward(request.data, request.weights, request.batch_size)
        scores = [m * x for m, x in zip(result.multipliers, self.scored(request), strict=True)]
        return MethodResult(scores, result.multipliers, predictions=result.outputs or None)


def best_practice(
    task: Task,
    *,
    epsilon: NotNegative = 1e-6,
    alpha: float = 1.0,
    beta: float = 0.0,
    flat: Count = 1,
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
        task,
        rules=rules,
        epsilon=epsilon,
        alpha=alpha,
        beta=beta,
        bias=bias,
        batch_norm=batch_norm,
    )


def sequential_preset(
    task: Task,
    *,
    alpha: float,
    beta: float,
    flat: bool,
    until_index: Annotated[int, Integer(0)] = 0,
    epsilon: NotNegative = 0.1,
    bias: bool = True,
    batch_norm: str = "merge",
) -> Relevance:
    """A preset of iNNvestigate for sequential networks of convolutions and dense layers.

    Parameters
    ----------
    alpha, beta
        Of convolutions: 1 and 0 in preset a, 2 and 1 in preset b.
    flat
        Whether the lowest layers share by position alone.
    until_index
        The last layer that does, counted from 0, the lowest. Layers with a kernel count, as the
        others have no rule to choose; iNNvestigate's ``until_layer_idx`` counts all of them.
    epsilon
        Of dense layers.
    bias, batch_norm
        As for ``lrp``; iNNvestigate gives batch norms a rule of their own.
    """
    lowest = [(f"first:{until_index + 1}", "flat")] if flat else []
    return Relevance(
        task,
        rules=[*lowest, ("convolution", "alpha_beta"), ("default", "epsilon")],
        epsilon=epsilon,
        alpha=alpha,
        beta=beta,
        bias=bias,
        batch_norm=batch_norm,
    )


def signal_take_all(
    task: Task, *, epsilon: NotNegative = 1e-3, bias: bool = True, batch_norm: str = "merge"
) -> Relevance:
    """Relevance of words through LSTM and GRU cells, as Arras 2017 propagates it.

    A gate takes none of the relevance of its product, and the signal all of it. A cell's
    pre-activation is one linear layer of the step and the state before it, and its memory one of
    what is kept and what is new, each with one stabiliser.

    Parameters
    ----------
    epsilon
        Of linear layers, and of sums; 0.001 in the authors' program.
    bias, batch_norm
        As for ``lrp``.
    """
    rules = [("recurrent", "z"), ("default", "epsilon")]
    return Relevance(task, rules=rules, epsilon=epsilon, bias=bias, batch_norm=batch_norm)


def _preset(letter: str, summary: str, **fixed: Any) -> Method:
    """A row of `sequential_preset`, under iNNvestigate's name as well."""
    beta = {"a": 0.0, "b": 1.0}[letter[0]]
    return Method(
        f"lrp_sequential_preset_{letter}",
        "relevance",
        sequential_preset,
        summary,
        ALBER,
        "4·N",
        aliases=(f"lrp.sequential_preset_{letter.replace('index', 'idx')}",),
        fixed={"alpha": 1 + beta, "beta": beta, **fixed},
    )


def _row(
    name: str,
    rules: Rules,
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
ALBER = "Alber 2019, arXiv:1808.04260"
LAPUSCHKIN = "Lapuschkin 2019, arXiv:1902.10178"

EPSILON_PLUS = [("convolution", "z_plus"), ("default", "epsilon")]
EPSILON_GAMMA = [("convolution", "gamma"), ("default", "epsilon")]
EPSILON_ALPHA_BETA = [("convolution", "alpha_beta"), ("default", "epsilon")]
DEEP_TAYLOR = [("first", "root"), ("default", "z_plus")]

WITHOUT_BIAS = "5·N"
"""A layer without its bias takes one more pass."""

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
    _preset(
        "a", "z-plus for convolutions, epsilon of 0.1 for the rest.", flat=False, until_index=0
    ),
    _preset(
        "b",
        "Alpha-2-beta-1 for convolutions, epsilon of 0.1 for the rest.",
        flat=False,
        until_index=0,
    ),
    _preset("a_flat", "Preset a, its first layer flat.", flat=True, until_index=0),
    _preset("b_flat", "Preset b, its first layer flat.", flat=True, until_index=0),
    _preset("b_flat_until_index", "Preset b, its layers flat up to one of them.", flat=True),
    Method(
        "lrp_signal_take_all",
        "relevance",
        signal_take_all,
        "Epsilon, where gates of recurrent cells take nothing and signals all.",
        "Arras 2017, arXiv:1706.07206",
        "2·N",
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
        WITHOUT_BIAS,
        bias=False,
    ),
    _row(
        "excitation_backprop",
        "z_plus",
        "",
        "The probability that a winner on the way down ends there: z-plus without biases.",
        "Zhang 2016, arXiv:1608.00507",
        WITHOUT_BIAS,
        start="one",
        bias=False,
    ),
)
