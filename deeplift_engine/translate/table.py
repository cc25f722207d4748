"""The one table: Keras class → how it becomes attribution layers."""

from __future__ import annotations

from collections.abc import Callable

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
from deeplift_engine.translate.own_activations import PREFIX, check_recurrent, function_of
from deeplift_engine.translate.refused import REFUSED, REFUSED_OLD, reason_and_advice

Translator = Callable[[LayerContext], str | tuple[str, ...]]


def put_input(context: LayerContext) -> str:
    """InputLayer."""
    batch_shape = context.option("batch_shape") or ()
    return context.add(Input(tuple(batch_shape[1:]), str(context.option("dtype", "float32"))))


def _ranks(*kinds: str, suffix: str = "") -> list[str]:
    return [f"{kind}{rank}D{suffix}" for kind in kinds for rank in (1, 2, 3)]


TRANSLATORS: dict[str, Translator] = {
    "InputLayer": put_input,
    "Dense": kernels.dense,
    **dict.fromkeys(_ranks("Conv"), kernels.convolution),
    **dict.fromkeys(_ranks("Conv", suffix="Transpose"), transposed.transposed_convolution),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), depthwise.depthwise),
    **dict.fromkeys(("LocallyConnected1D", "LocallyConnected2D"), local.locally_connected),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), depthwise.separable),
    **dict.fromkeys(_ranks("MaxPooling", "AveragePooling"), pooling.pool),
    **dict.fromkeys(_ranks("AdaptiveMaxPooling", "AdaptiveAveragePooling"), pooling.adaptive_pool),
    **dict.fromkeys(_ranks("GlobalMaxPooling", "GlobalAveragePooling"), pooling.global_pool),
    "BatchNormalization": normalizing.batch_normalization,
    "Rescaling": normalizing.rescaling,
    "LayerNormalization": normalizing.layer_normalization,
    "RMSNormalization": normalizing.rms_normalization,
    "GroupNormalization": normalizing.group_normalization,
    "UnitNormalization": normalizing.unit_normalization,
    "Normalization": normalizing.normalization,
    "Activation": activations.activation,
    **dict.fromkeys(activations.LAYERS, activations.activation_layer),
    "Softmax": attention.softmax,
    "PReLU": activations.prelu,
    **dict.fromkeys(reshaping.INACTIVE, reshaping.identity),
    "Flatten": reshaping.flatten,
    "Reshape": reshaping.reshape,
    "Permute": reshaping.permute,
    "RepeatVector": reshaping.repeat_vector,
    **dict.fromkeys(_ranks("ZeroPadding"), reshaping.padding),
    **dict.fromkeys(_ranks("Cropping"), reshaping.cropping),
    **dict.fromkeys(_ranks("UpSampling"), resizing.upsampling),
    "Resizing": resizing.resizing,
    "CenterCrop": resizing.center_crop,
    "RandomCrop": resizing.random_crop,
    **dict.fromkeys(merging.ELEMENTWISE, merging.merge),
    "Concatenate": merging.concatenate,
    "Dot": merging.dot,
    "Merge": keras1.merge,
    **dict.fromkeys(("Attention", "AdditiveAttention"), attention.attention),
    "MultiHeadAttention": heads.multi_head_attention,
    "GroupQueryAttention": heads.group_query_attention,
    "EinsumDense": einsum.einsum_dense,
    "CategoryEncoding": encoding.category_encoding,
    "STFTSpectrogram": spectrogram.stft_spectrogram,
    "Embedding": tokens.embedding,
    "ReversibleEmbedding": einsum.reversible_embedding,
    "Masking": tokens.masking,
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), recurrent.recurrent),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), recurrent.convolutional),
    "RNN": recurrent.stacked,
    "Bidirectional": recurrent.bidirectional,
    "TimeDistributed": wrappers.time_distributed,
    "SpectralNormalization": wrappers.wrapped,
    "Functional": wrappers.inner_model,
}


def translator(spec: LayerSpec, functions: frozenset[str]) -> Translator:
    """How to translate a layer.

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
    name = spec.saved_class_name or spec.class_name
    raise Refusal(
        f"no attribution layer for {name}" + (f": {spec.foreign}" if spec.foreign else ""),
        f"Say what it is made of, layers={{{name!r}: made}} or register_layer({name!r}, made); or "
        f"give its forward pass alone, functions={{{name!r}: f}}.",
    )


def _check_options(spec: LayerSpec, functions: frozenset[str]) -> None:
    """What can be told without knowing the shape of the input."""
    check_recurrent(spec, functions)
    value = spec.config.get("activation")
    if f"{PREFIX}{function_of(value)}" not in functions:
        activations.named_activation(value)
    if spec.class_name.startswith("UpSampling") or spec.class_name == "Resizing":
        resizing.check_interpolation(spec.config.get("interpolation", "nearest"))
    if spec.class_name == "STFTSpectrogram":
        spectrogram.check_mode(spec.config.get("mode"))
