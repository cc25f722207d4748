"""Rows of the table of layers: those with kernels, and embeddings."""

from __future__ import annotations

from deeplift_conversion.layers import arrays
from deeplift_conversion.layers.keras_layer import KerasLayer

FORMAT = {"data_format": "channels_last"}
_DENSE = {"activation": "linear", "use_bias": True}
_LOCAL = {"filters": None, "kernel_size": None, "strides": 1, "padding": "valid"} | FORMAT | _DENSE
KERNEL = _LOCAL | {"dilation_rate": 1}
_DEPTHWISE = {key: value for key, value in KERNEL.items() if key != "filters"}
KERAS_1_CONV = "nb_filter border_mode subsample bias init dim_ordering nb_row nb_col atrous_rate"
_CONV_1D = f"{KERAS_1_CONV} filter_length subsample_length"


def _conv(rank: int, others: str, *keras1: str) -> KerasLayer:
    return KerasLayer(
        f"Conv{rank}D",
        KERNEL | {"groups": 1},
        f"{others} rank",
        arrays.convolution,
        "convolution",
        keras1=keras1,
        sizes=lambda shape: {"filters": shape[-1], "kernel_size": shape[:-2]},
    )


def _transposed(rank: int, others: str, *keras1: str) -> KerasLayer:
    return KerasLayer(
        f"Conv{rank}DTranspose",
        KERNEL | {"output_padding": None},
        f"{others} groups rank",
        arrays.transposed,
        "transposed",
        keras1=keras1,
        sizes=lambda shape: {"filters": shape[-2], "kernel_size": shape[:-2]},
    )


def _depthwise(rank: int) -> KerasLayer:
    return KerasLayer(
        f"DepthwiseConv{rank}D",
        _DEPTHWISE | {"depth_multiplier": 1},
        "filters groups rank",
        arrays.depthwise,
        "depthwise",
        sizes=lambda shape: {"depth_multiplier": shape[-1], "kernel_size": shape[:-2]},
    )


def _separable(rank: int, others: str, *keras1: str) -> KerasLayer:
    options = KERNEL | {"depth_multiplier": 1}
    others = f"{others} groups rank"
    name = f"SeparableConv{rank}D"
    return KerasLayer(name, options, others, arrays.separable, "separable", keras1=keras1)


def _local(rank: int, others: str) -> KerasLayer:
    options = _LOCAL | {"implementation": 1}
    return KerasLayer(f"LocallyConnected{rank}D", options, others, arrays.local)


KERNELS = (
    KerasLayer(
        "Dense",
        {"units": None} | _DENSE,
        "output_dim bias init",
        arrays.dense,
        keras1=("TimeDistributedDense",),
        sizes=lambda shape: {"units": shape[-1]},
        quantized=("int8", "int4"),
        mixes_axes=True,
    ),
    KerasLayer(
        "EinsumDense",
        {"equation": None, "output_shape": None, "activation": "linear", "bias_axes": None},
        "gptq_unpacked_column_size",
        arrays.einsum_dense,
        quantized=("int8",),
    ),
    _conv(1, _CONV_1D, "Convolution1D", "AtrousConvolution1D", "AtrousConv1D"),
    _conv(2, KERAS_1_CONV, "Convolution2D", "AtrousConvolution2D", "AtrousConv2D"),
    _conv(3, f"{KERAS_1_CONV} kernel_dim1 kernel_dim2 kernel_dim3", "Convolution3D"),
    _transposed(1, ""),
    _transposed(2, f"{KERAS_1_CONV} output_shape output_size", "Deconvolution2D"),
    _transposed(3, f"{KERAS_1_CONV} output_shape output_size", "Deconvolution3D"),
    *map(_depthwise, (1, 2)),
    _separable(1, ""),
    _separable(2, f"{KERAS_1_CONV} depthwise_init pointwise_init", "SeparableConvolution2D"),
    _local(1, _CONV_1D),
    _local(2, KERAS_1_CONV),
    KerasLayer(
        "Embedding",
        {"input_dim": None, "output_dim": None, "mask_zero": False},
        "init dropout sparse",
        arrays.embedding,
        sizes=lambda shape: {"input_dim": shape[0], "output_dim": shape[1]},
        quantized=("int8", "int4"),
        reads_tokens=True,
    ),
    KerasLayer(
        "ReversibleEmbedding",
        {"input_dim": None, "output_dim": None, "mask_zero": False}
        | {"tie_weights": True, "logit_soft_cap": None},
        "reverse_dtype",
        arrays.embedding,
    ),
)
"""Dense layers, convolutions and embeddings."""
