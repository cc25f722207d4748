"""SHAP, zennit and tangermeme on the same networks in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.contenders import Prepared, Setting
from benchmarks.method_rows import MethodRow
from benchmarks.torch_methods import Method, Opened, prepared
from benchmarks.work import Array

# ------------------------------------------------------------------------------------------ SHAP


def expected_gradients(opened: Opened, x: Any, batch_size: int) -> Any:
    """`GradientExplainer`, which explains every output: the model has one."""
    from shap import GradientExplainer

    explainer = GradientExplainer(opened.first_output(), opened.shared, batch_size=batch_size)
    values = explainer.shap_values(x, nsamples=opened.options["samples"], rseed=0)
    return np.asarray(values)[..., 0]


def _of_groups(
    opened: Opened,
    x: Any,
    batch_size: int,
    explain: Callable[[Callable[[Array], Array], Array, Array], Any],
) -> Any:
    """Values of the groups of each input, spread over their elements.

    SHAP sees a function of which groups stay: ``explain`` has it, with none and with all of them.
    """
    groups = opened.groups[0].numpy()
    none, every = np.zeros((1, groups.max() + 1)), np.ones((1, groups.max() + 1))
    values = [
        explain(lambda masks, one=one: opened.predict(masks, one, batch_size), none, every)  # type: ignore[misc]
        for one in x.split(1)
    ]
    return np.stack([np.asarray(each).reshape(-1)[groups] for each in values])


def kernel_shap(opened: Opened, x: Any, batch_size: int) -> Any:
    """`KernelExplainer` of all groups: no selection of them."""
    from shap import KernelExplainer

    samples = opened.options["samples"]

    def explain(function: Callable[[Array], Array], none: Array, every: Array) -> Any:
        explainer = KernelExplainer(function, none)
        return explainer.shap_values(every, nsamples=samples, l1_reg=False, silent=True)

    return _of_groups(opened, x, batch_size, explain)


def shapley_sampling(opened: Opened, x: Any, batch_size: int) -> Any:
    """`PermutationExplainer`, which goes each permutation both ways."""
    from shap import PermutationExplainer

    permutations = opened.options["samples"] // 2

    def explain(function: Callable[[Array], Array], none: Array, every: Array) -> Any:
        explainer = PermutationExplainer(function, none, seed=0)
        return explainer.shap_values(every, npermutations=permutations, silent=True)

    return _of_groups(opened, x, batch_size, explain)


SHAP: Mapping[str, Method] = {
    "expected_gradients": expected_gradients,
    "kernel_shap": kernel_shap,
    "shapley_sampling": shapley_sampling,
}


def shap(setting: Setting, row: MethodRow) -> Prepared:
    """One of `SHAP`."""
    return prepared(SHAP, setting, row)


# ---------------------------------------------------------------------------------------- zennit


def _composite(method: str, options: Mapping[str, Any], x: Any) -> Any:
    """The rules of a method in zennit's words; pooling shares in proportion."""
    import torch
    from zennit import composites, rules, types

    epsilon = options.get("epsilon", 1e-6)

    def everywhere(rule: Any) -> Any:
        return composites.LayerMapComposite(
            [
                (types.Activation, rules.Pass()),
                (types.Linear, rule),
                (types.AvgPool, rules.Norm()),
            ]
        )

    made: Mapping[str, Callable[[], Any]] = {
        "guided_backprop": composites.GuidedBackprop,
        "deconvnet": composites.DeconvNet,
        "lrp_epsilon": lambda: everywhere(rules.Epsilon(epsilon)),
        "lrp_gamma": lambda: everywhere(rules.Gamma(options["gamma"])),
        "lrp_z_plus": lambda: everywhere(rules.ZPlus()),
        "lrp_epsilon_plus": lambda: composites.EpsilonPlus(epsilon=epsilon),
        "lrp_epsilon_alpha2_beta1": lambda: composites.EpsilonAlpha2Beta1(epsilon=epsilon),
        "lrp_epsilon_gamma_box": lambda: composites.EpsilonGammaBox(
            low=torch.full_like(x, options["low"]),
            high=torch.full_like(x, options["high"]),
            epsilon=epsilon,
            gamma=options["gamma"],
        ),
    }
    return made[method]()


GRADIENTS = ("guided_backprop", "deconvnet")
ZENNIT = (
    *GRADIENTS,
    "lrp_epsilon",
    "lrp_gamma",
    "lrp_z_plus",
    "lrp_epsilon_plus",
    "lrp_epsilon_alpha2_beta1",
    "lrp_epsilon_gamma_box",
)


def attributed(opened: Opened, x: Any, batch_size: int) -> Any:
    """`Gradient` with a composite: relevance starts as the output, gradients as 1."""
    import torch
    from zennit.attribution import Gradient

    composite = _composite(opened.row.method, opened.options, x)
    with Gradient(model=opened.model, composite=composite) as attributor:

        def seed(output: Any) -> Any:
            first = torch.zeros_like(output)
            gradient = opened.row.method in GRADIENTS
            first[:, 0] = 1 if gradient else output[:, 0].detach()
            return first

        return attributor(x, seed)[1]


def zennit(setting: Setting, row: MethodRow) -> Prepared:
    """One of `ZENNIT`."""
    return prepared(dict.fromkeys(ZENNIT, attributed), setting, row)


# ------------------------------------------------------------------------------------ tangermeme


def saturation_mutagenesis(opened: Opened, x: Any, batch_size: int) -> Any:
    """`saturation_mutagenesis` of all letters, centred."""
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis as mutated

    return mutated(
        opened.model, x, batch_size=batch_size, target=0, hypothetical=True, device="cpu"
    )


TANGERMEME: Mapping[str, Method] = {"saturation_mutagenesis": saturation_mutagenesis}


def tangermeme(setting: Setting, row: MethodRow) -> Prepared:
    """One of `TANGERMEME`."""
    return prepared(TANGERMEME, setting, row)
