"""tensorflow-addons, and pruned layers of tensorflow-model-optimization."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.translate.addons.addon import attention, dense, operation, rows, without
from deeplift_engine.translate.custom_layer import CustomLayer

_NORM = """
    epsilon beta_initializer gamma_initializer beta_regularizer gamma_regularizer
    beta_constraint gamma_constraint
"""
_DENSE = """
    activation use_bias kernel_regularizer bias_regularizer activity_regularizer kernel_constraint
    bias_constraint
"""


def group_normalization(layer: CustomLayer) -> Any:
    """Keras's, over groups of channels; of one channel each it is instance normalisation."""
    options = {
        name: layer.config[name] for name in ("axis", "epsilon", "center", "scale", "groups")
    }
    return layer.apply("GroupNormalization", weights=list(layer.weights.values()), **options)


def filter_response(layer: CustomLayer) -> Any:
    """x / √(mean of x² + ε), scaled and shifted."""
    without(layer, {"learned_epsilon": False})
    x, config = layer.input, layer.config
    mean = operation(layer, "Mean", x * x, axis=list(config["axis"]), keepdims=True)
    root = operation(layer, "Rsqrt", mean + abs(config["epsilon"]))
    gamma, beta = (array[0] for array in layer.weights.values())
    return x * root * gamma + beta


def maxout(layer: CustomLayer) -> Any:
    """The largest of each group of channels."""
    x, units = layer.input, layer.config["num_units"]
    without(layer, {"axis": -1})
    apart = layer.apply("Reshape", x, target_shape=(*x.shape[1:-1], x.shape[-1] // units, units))
    return operation(layer, "Max", apart, axis=-2)


def thresholded_linear(layer: CustomLayer) -> Any:
    """TLU: max(x, τ)."""
    without(layer, {"affine": False})
    (threshold,) = layer.weights.values()
    return layer.apply("ReLU", layer.input - threshold) + threshold


def snake_layer(layer: CustomLayer) -> Any:
    """x + (1 - cos 2fx) / 2f."""
    (frequency,) = layer.weights.values()
    twice = 2.0 * float(frequency)
    return layer.input + (1 - operation(layer, "Cos", twice * layer.input)) / twice


def gelu_layer(layer: CustomLayer) -> Any:
    """By the tangent, unless it says otherwise."""
    return operation(layer, "Gelu", layer.input, approximate=layer.config["approximate"])


def sparsemax(layer: CustomLayer) -> Any:
    """Along the last axis."""
    without(layer, {"axis": -1})
    return layer.apply("Activation", layer.input, activation="Addons>sparsemax")


def stochastic_depth(layer: CustomLayer) -> Any:
    """The shortcut, and the residual times the share of steps that it was trained in."""
    shortcut, residual = layer.inputs
    return shortcut + layer.config["survival_probability"] * residual


def noisy_dense(layer: CustomLayer) -> Any:
    """The dense layer with the noise that was saved, as the package predicts."""
    arrays, count = list(layer.weights.values()), len(layer.weights) // 3
    spreads, means, noise = arrays[: 2 * count : 2], arrays[1 : 2 * count : 2], arrays[2 * count :]
    weights = [
        mean + spread * drawn for mean, spread, drawn in zip(means, spreads, noise, strict=True)
    ]
    return dense(layer, layer.input, weights, layer.config["activation"])


def crossing(layer: CustomLayer) -> Any:
    """PolynomialCrossing: x₀ ⊙ (W·x + d·x) + x + b."""
    first, x = layer.inputs
    arrays = list(layer.weights.values())
    bias = arrays.pop() if layer.config["use_bias"] else None
    inner = x
    for kernel in arrays:
        inner = dense(layer, inner, [kernel])
    scale = layer.config["diag_scale"]
    crossed = first * (inner + scale * x if scale else inner) + x
    return crossed if bias is None else crossed + bias


def multi_head(layer: CustomLayer) -> Any:
    """MultiHeadAttention with a kernel of each head, (heads, in, out)."""
    query, key, *value = layer.inputs
    kernels = list(layer.weights.values())
    parts = [
        layer.apply(
            "EinsumDense",
            x,
            weights=[np.swapaxes(kernel, 0, 1)],
            equation="abc,cde->adbe",
            output_shape=(kernel.shape[0], x.shape[1], kernel.shape[2]),
        )
        for x, kernel in zip((query, key, *(value or [key])), kernels, strict=False)
    ]
    together, weights = attention(layer, parts)
    output = layer.apply(
        "EinsumDense",
        together,
        weights=kernels[3:],
        equation="adbe,dec->abc",
        output_shape=(query.shape[1], kernels[3].shape[-1]),
        bias_axes="c" if kernels[4:] else None,
    )
    return (output, weights) if layer.config.get("return_attn_coef") else output


def weight_normalization(layer: CustomLayer) -> Any:
    """The layer within, with a kernel of length g along all axes but the last."""
    arrays = layer.weights
    own = next((name for name in arrays if name.endswith("/kernel")), "").removesuffix("kernel")
    names = (own + "kernel", "g", own + "bias") if "g" in arrays else ("1", "0", "layer/0")
    kernel, length, *bias = (arrays[name] for name in names if name in arrays)
    axes = tuple(range(kernel.ndim - 1))
    size = np.sqrt(np.maximum(np.square(kernel, dtype=np.float64).sum(axis=axes), 1e-12))
    return _within(layer, [(kernel / size * length).astype(np.float32), *bias])


def inner_layer(layer: CustomLayer) -> Any:
    """The layer within, with the kernel that training left: normalised, or with zeros."""
    names = ("kernel", "bias") if "kernel" in layer.weights else ("layer/0", "layer/1")
    return _within(layer, [layer.weights[name] for name in names if name in layer.weights])


def _within(layer: CustomLayer, weights: list[Any]) -> Any:
    inner = layer.config["layer"]
    options = {name: value for name, value in inner["config"].items() if name != "name"}
    return layer.apply(inner["class_name"], layer.input, weights=weights, **options)


ADDONS = [
    *rows(
        "tensorflow-addons 0.23.0",
        ("Addons>InstanceNormalization", f"groups axis center scale {_NORM}", group_normalization),
        ("Addons>GroupNormalization", f"groups axis center scale {_NORM}", group_normalization),
        (
            "Addons>FilterResponseNormalization",
            f"axis learned_epsilon learned_epsilon_constraint {_NORM}",
            filter_response,
        ),
        ("Addons>Maxout", "num_units axis", maxout),
        (
            "Addons>TLU",
            "affine tau_initializer tau_regularizer tau_constraint",
            thresholded_linear,
        ),
        ("Addons>Snake", "frequency_initializer", snake_layer),
        ("Addons>GELU", "approximate", gelu_layer),
        ("Addons>Sparsemax", "axis", sparsemax),
        ("Addons>StochasticDepth", "survival_probability", stochastic_depth),
        ("Addons>NoisyDense", f"units sigma use_factorised {_DENSE}", noisy_dense),
        (
            "Addons>PolynomialCrossing",
            """projection_dim diag_scale use_bias kernel_initializer bias_initializer
            kernel_regularizer bias_regularizer""",
            crossing,
        ),
        (
            "Addons>MultiHeadAttention",
            """head_size num_heads output_size dropout use_projection_bias return_attn_coef
            kernel_initializer kernel_regularizer kernel_constraint bias_initializer
            bias_regularizer bias_constraint""",
            multi_head,
        ),
        ("Addons>WeightNormalization", "layer data_init", weight_normalization),
        ("Addons>SpectralNormalization", "layer power_iterations", inner_layer),
    ),
    *rows(
        "tensorflow-model-optimization 0.8.1",
        (
            "PruneLowMagnitude",
            "layer pruning_schedule block_size block_pooling_type",
            inner_layer,
        ),
    ),
]
