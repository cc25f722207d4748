"""The one table: Keras class → how it becomes attribution layers, and what becomes of a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from deeplift_conversion import LayerSpec
from deeplift_engine.layers import Input
from deeplift_engine.translate import (
    activations,
    attention,
    depthwise,
    einsum,
    encoding,
    heads,
    keras1,
    kernels,
    local,
    masks,
    merging,
    normalizing,
    operations,
    pooling,
    recurrent,
    reshaping,
    resizing,
    spectrogram,
    tokens,
    transposed,
    wrappers,
)
from deeplift_engine.translate import (
    custom_layer as custom,
)
from deeplift_engine.translate.layer_context import LayerContext, Refusal
from deeplift_engine.translate.own_activations import PREFIX, function_of
from deeplift_engine.translate.package_layers import reason_and_advice as of_package
from deeplift_engine.translate.refused import QUANTIZED, REFUSED, REFUSED_OLD, reason_and_advice

Translator = Callable[[LayerContext], str | tuple[str, ...]]


def put_input(context: LayerContext) -> str:
    """InputLayer."""
    batch_shape = context.option("batch_shape") or ()
    return context.add(Input(tuple(batch_shape[1:]), str(context.option("dtype", "float32"))))


def _ranks(*kinds: str, suffix: str = "") -> list[str]:
    return [f"{kind}{rank}D{suffix}" for kind in kinds for rank in (1, 2, 3)]


@dataclass(frozen=True)
class Row:
    """The translator of a class of Keras, and the rule of its output's mask.

    Without ``mask`` the translator sets the output's mask itself, or the mask ends there.
    """

    translate: Translator
    mask: masks.MaskRule | None = None


def _rows(
    names: Iterable[str], translate: Translator, mask: masks.MaskRule | None = None
) -> dict[str, Row]:
    return dict.fromkeys(names, Row(translate, mask))


ROWS: dict[str, Row] = {
    "InputLayer": Row(put_input),
    "Dense": Row(kernels.dense, masks.passed),
    **_rows(_ranks("Conv"), kernels.convolution),
    **_rows(_ranks("Conv", suffix="Transpose"), transposed.transposed_convolution),
    **_rows(("DepthwiseConv1D", "DepthwiseConv2D"), depthwise.depthwise),
    **_rows(("LocallyConnected1D", "LocallyConnected2D"), local.locally_connected),
    **_rows(("SeparableConv1D", "SeparableConv2D"), depthwise.separable),
    **_rows(_ranks("MaxPooling", "AveragePooling"), pooling.pool),
    **_rows(_ranks("AdaptiveMaxPooling", "AdaptiveAveragePooling"), pooling.adaptive_pool),
    **_rows(_ranks("GlobalMaxPooling", "GlobalAveragePooling"), pooling.global_pool),
    "BatchNormalization": Row(normalizing.batch_normalization, masks.passed),
    "Rescaling": Row(normalizing.rescaling, masks.passed),
    "LayerNormalization": Row(normalizing.layer_normalization, masks.passed),
    "RMSNormalization": Row(normalizing.rms_normalization),
    "GroupNormalization": Row(normalizing.group_normalization, masks.passed),
    "UnitNormalization": Row(normalizing.unit_normalization, masks.passed),
    "Normalization": Row(normalizing.normalization, masks.passed),
    "Activation": Row(activations.activation, masks.passed),
    **_rows(activations.LAYERS, activations.activation_layer, masks.passed),
    "Softmax": Row(attention.softmax, masks.passed),
    "PReLU": Row(activations.prelu, masks.passed),
    **_rows(reshaping.REGULARIZING, reshaping.identity, masks.passed),
    **_rows(reshaping.AUGMENTING, reshaping.identity),
    "Flatten": Row(reshaping.flatten),
    "Reshape": Row(reshaping.reshape),
    "Permute": Row(reshaping.permute),
    "RepeatVector": Row(reshaping.repeat_vector),
    **_rows(_ranks("ZeroPadding"), reshaping.padding),
    **_rows(_ranks("Cropping"), reshaping.cropping),
    **_rows(_ranks("UpSampling"), resizing.upsampling),
    "Resizing": Row(resizing.resizing),
    "CenterCrop": Row(resizing.center_crop),
    "RandomCrop": Row(resizing.random_crop),
    **_rows(merging.ELEMENTWISE, merging.merge, masks.of_merged),
    "Concatenate": Row(merging.concatenate, masks.of_concatenated),
    "Dot": Row(merging.dot),
    "Merge": Row(keras1.merge),
    **_rows(("Attention", "AdditiveAttention"), attention.attention),
    "MultiHeadAttention": Row(heads.multi_head_attention),
    "GroupQueryAttention": Row(heads.group_query_attention),
    "EinsumDense": Row(einsum.einsum_dense),
    "CategoryEncoding": Row(encoding.category_encoding),
    "STFTSpectrogram": Row(spectrogram.stft_spectrogram),
    "Embedding": Row(tokens.embedding),
    "ReversibleEmbedding": Row(einsum.reversible_embedding),
    "Masking": Row(tokens.masking),
    **_rows(("SimpleRNN", "LSTM", "GRU"), recurrent.recurrent),
    **_rows(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), recurrent.convolutional),
    "RNN": Row(recurrent.stacked),
    "Bidirectional": Row(recurrent.bidirectional),
    "TimeDistributed": Row(wrappers.time_distributed, masks.passed),
    "SpectralNormalization": Row(wrappers.wrapped),
    "Functional": Row(wrappers.inner_model),
}
"""Every class that is translated. Operations have a table of their own, by name."""

TRANSLATORS: dict[str, Translator] = {name: row.translate for name, row in ROWS.items()}


def output_mask(context: LayerContext) -> str | None:
    """The mask of a layer's outputs where its translator sets none."""
    row = ROWS.get(context.spec.class_name)
    return row.mask(context) if row is not None and row.mask is not None else None


def translator(spec: LayerSpec, functions: frozenset[str]) -> Translator:
    """The translator of a layer.

    Raises
    ------
    Refusal
        For a class that is not in the table, or a Lambda without its function.
    """
    if spec.name in functions:
        return custom.put_user_layer
    if spec.class_name in TRANSLATORS:
        _check_options(spec, functions)
        if spec.class_name not in ("RNN", "Functional"):
            for child in spec.children:
                translator(child, functions)
        return TRANSLATORS[spec.class_name]
    if operations.is_operation(spec):
        operations.check(spec)
        return operations.operation
    if spec.class_name == "Lambda":
        raise Refusal(
            "Python code in the file is never run",
            f"Give the function yourself: functions={{{spec.name!r}: f}}; names may be patterns, "
            "'lambda_*'.",
        )
    if spec.class_name in REFUSED or spec.class_name in REFUSED_OLD:
        raise Refusal(*reason_and_advice(spec.class_name, spec.name))
    if (known := of_package(spec)) is not None:
        raise Refusal(*known)
    if mode := spec.config.get("quantized"):
        raise Refusal(QUANTIZED[0].format(mode=mode), QUANTIZED[1])
    name = spec.saved_class_name or spec.class_name
    raise Refusal(
        f"no attribution layer for {name}" + (f": {spec.foreign}" if spec.foreign else ""),
        f"Say what it is made of, layers={{{name!r}: made}} or register_layer({name!r}, made); or "
        f"give its forward pass alone, functions={{{name!r}: f}}; on the command "
        "line, both in a file: --custom FILE.",
    )


def _check_options(spec: LayerSpec, functions: frozenset[str]) -> None:
    """Refuse options that need no shape to be refused."""
    value = spec.config.get("activation")
    if f"{PREFIX}{function_of(value)}" not in functions:
        activations.named_activation(value)
    if spec.class_name.startswith("UpSampling") or spec.class_name == "Resizing":
        resizing.check_interpolation(spec.config.get("interpolation", "nearest"))
    if spec.class_name == "STFTSpectrogram":
        spectrogram.check_mode(spec.config.get("mode"))
