"""The names of options that Keras's own layers have been saved with, in any version.

An option that is not here belongs to another class, whatever its name. `OPTIONS` has the options
that change what a layer computes; this table adds the others, and what older versions called them.
They were taken from the ``get_config`` of 21 releases from 0.3 to 3.15, and of tf.keras.
"""

from __future__ import annotations

from deeplift_conversion.eras.canonical import ALIASES
from deeplift_conversion.eras.keras1 import CLASSES
from deeplift_conversion.eras.options import OPTIONS

_EVERY = """
    name trainable dtype dtype_policy autocast dynamic activity_regularizer batch_shape
    batch_input_shape input_shape input_dim input_length input_dtype build_input_shape
    quantization_config lora_rank lora_alpha cache_enabled custom_name weights supports_masking
"""
_TRAINED = (
    "kernel",
    "bias",
    "recurrent",
    "depthwise",
    "pointwise",
    "embeddings",
    "beta",
    "gamma",
    "alpha",
    "W",
    "U",
    "b",
    "moving_mean",
    "moving_variance",
)
_TRAINING = ("initializer", "regularizer", "constraint")
_KERAS_1_CONV = "nb_filter border_mode subsample bias init dim_ordering nb_row nb_col atrous_rate"
_RECURRENT = """
    dropout recurrent_dropout seed time_major num_constants implementation cell unit_forget_bias
    output_dim inner_activation init inner_init forget_bias_init dropout_W dropout_U consume_less
"""
_AUGMENTATION = """
    bounding_box_format data_format factor seed value_range fill_mode fill_value interpolation
    scale x_factor y_factor height_factor width_factor brightness_factor contrast_factor
    hue_factor saturation_factor addition_factor threshold_factor mode kernel_size sigma bins
    max_number num_ops num_chains chain_depth all_ops alpha height width
"""
_OTHERS = {
    "InputLayer": "sparse ragged optional type_spec",
    "Dense": "output_dim bias init",
    "EinsumDense": "gptq_unpacked_column_size",
    "LeakyReLU": "alpha",
    "PReLU": "init",
    "Conv1D": f"{_KERAS_1_CONV} rank filter_length subsample_length",
    "Conv2D": f"{_KERAS_1_CONV} rank",
    "Conv3D": f"{_KERAS_1_CONV} rank kernel_dim1 kernel_dim2 kernel_dim3",
    "DepthwiseConv1D": "filters groups rank",
    "DepthwiseConv2D": "filters groups rank",
    "SeparableConv1D": "groups rank",
    "SeparableConv2D": f"{_KERAS_1_CONV} groups rank depthwise_init pointwise_init",
    "Conv1DTranspose": "groups rank",
    "Conv2DTranspose": f"{_KERAS_1_CONV} groups rank output_shape output_size",
    "Conv3DTranspose": f"{_KERAS_1_CONV} groups rank output_shape output_size",
    "LocallyConnected1D": f"{_KERAS_1_CONV} filter_length subsample_length",
    "LocallyConnected2D": _KERAS_1_CONV,
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), "border_mode pool_length stride"),
    **{
        f"{kind}Pooling{rank}D": "border_mode dim_ordering"
        for kind in ("Max", "Average")
        for rank in (2, 3)
    },
    **{
        f"Global{kind}Pooling{rank}D": "dim_ordering"
        for kind in ("Max", "Average")
        for rank in (2, 3)
    },
    "BatchNormalization": """
        mode gamma_init beta_init fused renorm renorm_clipping renorm_momentum synchronized
        virtual_batch_size adjustment
    """,
    "Embedding": "init dropout sparse",
    "ReversibleEmbedding": "reverse_dtype",
    "Reshape": "dims",
    "Cropping1D": "data_format",
    **{
        f"{kind}{rank}D": "dim_ordering"
        for kind in ("Cropping", "ZeroPadding", "UpSampling", "SpatialDropout")
        for rank in (2, 3)
    },
    "Flatten": "dim_ordering",
    "UpSampling1D": "data_format length",
    "Resizing": "bounding_box_format fill_mode",
    "CenterCrop": "bounding_box_format",
    "RandomCrop": "bounding_box_format seed",
    "CategoryEncoding": "sparse max_tokens count_weights",
    **dict.fromkeys(("Dropout", "AlphaDropout"), "noise_shape seed p"),
    **dict.fromkeys(("GaussianDropout", "GaussianNoise"), "seed p sigma"),
    "SpatialDropout1D": "noise_shape seed p",
    "ActivityRegularization": "l1 l2",
    "Identity": "gain",
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), _RECURRENT),
    **dict.fromkeys(("SimpleRNNCell", "LSTMCell", "GRUCell"), _RECURRENT),
    **{f"ConvLSTM{rank}D": f"{_RECURRENT} {_KERAS_1_CONV}" for rank in (1, 2, 3)},
    "RNN": "cell num_constants time_major",
    "StackedRNNCells": "cells reverse_state_order",
    "Bidirectional": "layer backward_layer num_constants",
    "TimeDistributed": "layer",
    "SpectralNormalization": "layer",
    "MultiHeadAttention": "query_shape key_shape value_shape seed flash_attention use_causal_mask",
    "GroupQueryAttention": "seed flash_attention use_causal_mask",
    "Attention": "causal dropout seed",
    "AdditiveAttention": "causal dropout seed score_mode",
}
_OTHERS |= {f"SpatialDropout{rank}D": "dim_ordering noise_shape seed p" for rank in (1, 2, 3)}
AUGMENTATIONS = frozenset(
    ["AugMix", "CutMix", "Equalization", "MaxNumBoundingBoxes", "MixUp", "RandAugment"]
    + ["Solarization", "RandomHeight", "RandomWidth"]
    + [f"Random{name}" for name in ["Brightness", "ColorDegeneration", "ColorJitter", "Contrast"]]
    + [f"Random{name}" for name in ["ElasticTransform", "Erasing", "Flip", "GaussianBlur"]]
    + [f"Random{name}" for name in ["Grayscale", "Hue", "Invert", "Perspective", "Posterization"]]
    + [f"Random{name}" for name in ["Rotation", "Saturation", "Sharpness", "Shear"]]
    + [f"Random{name}" for name in ["Translation", "Zoom"]]
)
"""Layers that do nothing at prediction, whose options have no other table."""


def canonical_name(class_name: str) -> str | None:
    """Return Keras 3's name of a class of any version, None for one that Keras never had."""
    name = CLASSES.get(class_name, ALIASES.get(class_name, class_name))
    for candidate in (name, name.removeprefix("CuDNN"), name.removesuffix("V1")):
        if candidate in OPTIONS or candidate in AUGMENTATIONS:
            return candidate
    name = name.removesuffix("V2")
    return name if name in OPTIONS or name in AUGMENTATIONS else None


def foreign_options(class_name: str, names: frozenset[str]) -> list[str]:
    """Return those of the options that Keras's class of this name has in no version.

    Parameters
    ----------
    class_name
        Keras 3's name of the class.
    names
        The options as saved.
    """
    known = {*_EVERY.split(), *OPTIONS.get(class_name, ()), *_OTHERS.get(class_name, "").split()}
    if class_name in AUGMENTATIONS:
        known.update(_AUGMENTATION.split())
    return sorted(name for name in names - known if not _is_of_training(name))


def _is_of_training(name: str) -> bool:
    stem, _, kind = name.rpartition("_")
    return kind in _TRAINING and stem in _TRAINED


__all__ = ["canonical_name", "foreign_options"]
