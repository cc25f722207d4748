"""Captum's methods as its documentation calls them.

Captum leaves batches to the user: inputs are given in parts, or perturbations so many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.contenders import Prepared, Setting
from benchmarks.method_rows import MethodRow
from benchmarks.torch_methods import Method, Opened, prepared

TARGET: Mapping[str, Any] = {"target": 0}


def saliency(opened: Opened, x: Any, batch_size: int) -> Any:
    """`Saliency`, absolute by default."""
    from captum.attr import Saliency

    return Saliency(opened.model).attribute(x, **TARGET)


def gradient_times_input(opened: Opened, x: Any, batch_size: int) -> Any:
    """`InputXGradient`."""
    from captum.attr import InputXGradient

    return InputXGradient(opened.model).attribute(x, **TARGET)


def guided_backprop(opened: Opened, x: Any, batch_size: int) -> Any:
    """`GuidedBackprop`."""
    from captum.attr import GuidedBackprop

    return GuidedBackprop(opened.model).attribute(x, **TARGET)


def deconvnet(opened: Opened, x: Any, batch_size: int) -> Any:
    """`Deconvolution`."""
    from captum.attr import Deconvolution

    return Deconvolution(opened.model).attribute(x, **TARGET)


def integrated_gradients(opened: Opened, x: Any, batch_size: int) -> Any:
    """`IntegratedGradients` by Gauss and Legendre, its default."""
    from captum.attr import IntegratedGradients

    steps = opened.options["steps"]
    return IntegratedGradients(opened.model).attribute(x, n_steps=steps, **TARGET)


def _noise_tunnel(opened: Opened, x: Any, kind: str) -> Any:
    from captum.attr import NoiseTunnel, Saliency

    samples, axes = opened.options["samples"], tuple(range(1, x.ndim))
    width = opened.options["noise"] * float((x.amax(axes) - x.amin(axes)).mean())
    return NoiseTunnel(Saliency(opened.model)).attribute(
        x, nt_type=kind, nt_samples=samples, stdevs=width, abs=False, **TARGET
    )


def smoothgrad(opened: Opened, x: Any, batch_size: int) -> Any:
    """`NoiseTunnel`, whose noise is absolute and the same for a call's inputs."""
    return _noise_tunnel(opened, x, "smoothgrad")


def vargrad(opened: Opened, x: Any, batch_size: int) -> Any:
    """`NoiseTunnel`, the variance."""
    return _noise_tunnel(opened, x, "vargrad")


def expected_gradients(opened: Opened, x: Any, batch_size: int) -> Any:
    """`GradientShap` without noise."""
    from captum.attr import GradientShap

    return GradientShap(opened.model).attribute(
        x, baselines=opened.shared, n_samples=opened.options["samples"], stdevs=0.0, **TARGET
    )


def layer_conductance(opened: Opened, x: Any, batch_size: int) -> Any:
    """`LayerConductance` by trapezoids."""
    from captum.attr import LayerConductance

    return LayerConductance(opened.model, opened.layer).attribute(
        x, n_steps=opened.options["steps"], method="riemann_trapezoid", **TARGET
    )


def internal_influence(opened: Opened, x: Any, batch_size: int) -> Any:
    """`InternalInfluence`."""
    from captum.attr import InternalInfluence

    steps = opened.options["steps"]
    return InternalInfluence(opened.model, opened.layer).attribute(x, n_steps=steps, **TARGET)


def grad_cam(opened: Opened, x: Any, batch_size: int) -> Any:
    """`LayerGradCam`, which keeps negative parts by default."""
    from captum.attr import LayerGradCam

    return LayerGradCam(opened.model, opened.layer).attribute(x, **TARGET)


def _lrp(opened: Opened, x: Any, kernel: Any) -> Any:
    """`LRP`, with a rule of kernels; all other modules, but ReLU, by the epsilon rule."""
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import EpsilonRule

    for module in opened.model:
        name = type(module).__name__
        if not name.startswith("ReLU"):
            kernels = name.startswith(("Conv", "Linear"))
            module.rule = kernel() if kernels else EpsilonRule(1e-6)
    return LRP(opened.model).attribute(x, **TARGET)


def lrp_epsilon(opened: Opened, x: Any, batch_size: int) -> Any:
    """The epsilon rule everywhere."""
    from captum.attr._utils.lrp_rules import EpsilonRule

    return _lrp(opened, x, lambda: EpsilonRule(opened.options["epsilon"]))


def lrp_gamma(opened: Opened, x: Any, batch_size: int) -> Any:
    """The gamma rule for all kernels."""
    from captum.attr._utils.lrp_rules import GammaRule

    return _lrp(opened, x, lambda: GammaRule(opened.options["gamma"]))


def lrp_z_plus(opened: Opened, x: Any, batch_size: int) -> Any:
    """Alpha 1, beta 0 for all kernels."""
    from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule

    return _lrp(opened, x, Alpha1_Beta0_Rule)


def _channels_first(values: tuple[int, ...]) -> tuple[int, ...]:
    return (values[-1], *values[:-1])


def occlusion(opened: Opened, x: Any, batch_size: int) -> Any:
    """`Occlusion`, several windows at a time."""
    from captum.attr import Occlusion

    return Occlusion(opened.model).attribute(
        x,
        sliding_window_shapes=_channels_first(opened.options["window"]),
        strides=_channels_first(opened.options["stride"]),
        perturbations_per_eval=max(1, batch_size // len(x)),
        **TARGET,
    )


def _grouped(name: str, opened: Opened, x: Any, batch_size: int, **options: Any) -> Any:
    """A method of ``feature_mask``, several perturbations at a time."""
    import captum.attr

    return getattr(captum.attr, name)(opened.model).attribute(
        x,
        feature_mask=opened.groups,
        perturbations_per_eval=max(1, batch_size // len(x)),
        **TARGET,
        **options,
    )


def feature_ablation(opened: Opened, x: Any, batch_size: int) -> Any:
    """`FeatureAblation`."""
    return _grouped("FeatureAblation", opened, x, batch_size)


def shapley_sampling(opened: Opened, x: Any, batch_size: int) -> Any:
    """`ShapleyValueSampling`."""
    samples = opened.options["samples"]
    return _grouped("ShapleyValueSampling", opened, x, batch_size, n_samples=samples)


def exact_shapley(opened: Opened, x: Any, batch_size: int) -> Any:
    """`ShapleyValues`, all permutations."""
    return _grouped("ShapleyValues", opened, x, batch_size)


def kernel_shap(opened: Opened, x: Any, batch_size: int) -> Any:
    """`KernelShap`, an input at a time as it asks for."""
    import torch

    samples = opened.options["samples"]
    return torch.cat(
        [_grouped("KernelShap", opened, one, batch_size, n_samples=samples) for one in x.split(1)]
    )


METHODS: Mapping[str, Method] = {
    "saliency": saliency,
    "gradient_times_input": gradient_times_input,
    "guided_backprop": guided_backprop,
    "deconvnet": deconvnet,
    "integrated_gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "vargrad": vargrad,
    "expected_gradients": expected_gradients,
    "layer_conductance": layer_conductance,
    "internal_influence": internal_influence,
    "grad_cam": grad_cam,
    "lrp_epsilon": lrp_epsilon,
    "lrp_gamma": lrp_gamma,
    "lrp_z_plus": lrp_z_plus,
    "occlusion": occlusion,
    "feature_ablation": feature_ablation,
    "shapley_sampling": shapley_sampling,
    "exact_shapley": exact_shapley,
    "kernel_shap": kernel_shap,
}


def rows_of_input(row: MethodRow) -> int:
    """How many rows of a batch an input takes."""
    path = row.options.get("steps", row.options.get("samples", 1))
    return 1 if "groups" in row.options else int(path)


def captum(setting: Setting, row: MethodRow) -> Prepared:
    """One of `METHODS`."""
    return prepared(METHODS, setting, row, rows_of_input)
