"""Transposed convolutions: Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""

from __future__ import annotations

from deeplift_engine.layers import Convolution, TransposedConvolution
from deeplift_engine.translate.kernels import numbers, on_channels_last, source_shape
from deeplift_engine.translate.layer_context import LayerContext, Refusal


def transposed_convolution(context: LayerContext) -> str:
    """Strides, dilation, valid and same padding, output padding, channels first and last."""
    kernel = context.weight("kernel")
    rank = kernel.ndim - 2
    adjoint = Convolution(
        kernel,
        strides=numbers(context.option("strides", 1), rank),
        dilation=numbers(context.option("dilation_rate", 1), rank),
        padding=str(context.option("padding", "valid")),
    )
    if max(adjoint.strides) > 1 and max(adjoint.dilation) > 1:
        raise Refusal("strides and dilation at once, which Keras has not either")
    padding_option = context.option("output_padding")
    padding = None if padding_option is None else numbers(padding_option, rank)
    layer = TransposedConvolution(adjoint, context.optional("bias"), padding)
    if context.option("output_size") is not None:
        padding = _padding_for(context, layer, numbers(context.option("output_size"), rank))
        layer = TransposedConvolution(adjoint, context.optional("bias"), padding)
    _check_output_padding(layer)
    return on_channels_last(context, layer)


def _padding_for(
    context: LayerContext, layer: TransposedConvolution, sizes: tuple[int, ...]
) -> tuple[int, ...]:
    """The output padding that gives the output the sizes which Keras 1 saves."""
    zero = TransposedConvolution(layer.adjoint, None, (0,) * len(sizes))
    padding = []
    for axis, (size, length) in enumerate(zip(sizes, source_shape(context)[:-1], strict=True)):
        if length is None:
            raise Refusal(
                f"has an output of {size} elements, but an input of free length",
                "Give the model's input a fixed shape.",
            )
        padding.append(size - zero.length(axis, length))
    return tuple(padding)


def _check_output_padding(layer: TransposedConvolution) -> None:
    """Each size of the output must have the input's size under the convolution."""
    adjoint = layer.adjoint
    if layer.output_padding is None:
        return
    for axis, padding in enumerate(layer.output_padding):
        stride = adjoint.strides[axis]
        window = (adjoint.kernel.shape[axis] - 1) * adjoint.dilation[axis] + 1
        same = adjoint.padding == "same"
        over = window % 2 - 1 + padding if same else padding
        if not 0 <= over < stride:
            raise Refusal(
                f"output_padding={padding} gives a size that no {adjoint.padding} convolution with"
                f" a window of {window} and strides of {stride} reads"
            )
