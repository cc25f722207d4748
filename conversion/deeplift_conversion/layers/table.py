"""The table of Keras's layers: what each one is, in all versions.

The rest of the package asks it. Options and older names were taken from the ``get_config`` of 21
releases from 0.3 to 3.15, and of tf.keras. What a version computed otherwise is in
`deeplift_conversion.eras.changes`.
"""

from __future__ import annotations

from typing import Any

from deeplift_conversion.layers import arrays
from deeplift_conversion.layers.keras_layer import UNSAID, KerasLayer
from deeplift_conversion.layers.kernels import FORMAT, KERNELS
from deeplift_conversion.layers.sequences import SEQUENCES

_UNSAID = {1: {"data_format": UNSAID}}
_AXIS_ALONE = {"axis": -1}
_CENTERED = {"axis": -1, "epsilon": 1e-3, "center": True, "scale": True}
_AREA = {"height": None, "width": None}

# pooling


def _pooling(kind: str, rank: int) -> list[KerasLayer]:
    """Return the three poolings of one kind and rank."""
    name, ordering = f"{kind}Pooling{rank}D", "" if rank == 1 else "dim_ordering"
    options = {"pool_size": 2, "strides": None, "padding": "valid"} | FORMAT
    others = f"border_mode {ordering or 'pool_length stride'}"
    return [
        KerasLayer(name, options, others, family=f"{kind.lower()}_pooling"),
        KerasLayer(f"Global{name}", FORMAT | {"keepdims": False}, ordering),
        KerasLayer(f"Adaptive{name}", {"output_size": None} | FORMAT),
    ]


_POOLINGS = [layer for kind in ("Max", "Average") for n in (1, 2, 3) for layer in _pooling(kind, n)]

# normalisers

_NORMALIZERS = (
    KerasLayer(
        "BatchNormalization",
        _CENTERED | {"momentum": 0.99},
        """mode gamma_init beta_init fused renorm renorm_clipping renorm_momentum synchronized
        virtual_batch_size adjustment""",
        arrays.batch_normalization,
        aliases=("SyncBatchNormalization",),
    ),
    KerasLayer(
        "LayerNormalization",
        _CENTERED | {"rms_scaling": False},
        arrays=arrays.normalization,
        aliases=("LayerNorm",),
    ),
    KerasLayer("GroupNormalization", {"groups": 32} | _CENTERED, arrays=arrays.normalization),
    KerasLayer("RMSNormalization", _AXIS_ALONE | {"epsilon": 1e-6}, arrays=arrays.one("scale")),
    KerasLayer("UnitNormalization", _AXIS_ALONE),
    KerasLayer(
        "Normalization",
        _AXIS_ALONE | {"mean": None, "variance": None, "invert": False},
        arrays=arrays.feature_normalization,
    ),
    KerasLayer("Rescaling", {"scale": 1.0, "offset": 0.0}),
    KerasLayer(
        "SpectralNormalization",
        {"power_iterations": 1},
        "layer",
        arrays.one("vector_u", "sn_u", trainable=False),
        inner="layer",
    ),
)

# activations

_ACTIVATIONS = (
    KerasLayer("Activation", {"activation": "linear"}),
    KerasLayer(
        "ReLU",
        {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
        is_activation=True,
    ),
    KerasLayer("LeakyReLU", {"negative_slope": 0.3}, "alpha", renamed={"alpha": "negative_slope"}),
    KerasLayer("PReLU", {"shared_axes": None}, "init", arrays.one("alpha", "alphas")),
    KerasLayer("ELU", {"alpha": 1.0}, is_activation=True),
    KerasLayer("ThresholdedReLU", {"theta": 1.0}),
    KerasLayer("Softmax", _AXIS_ALONE, is_activation=True),
)

# shapes and merges


def _margins(kind: str, rank: int, option: str, default: int) -> KerasLayer:
    """Return a layer that adds or cuts at the ends of axes."""
    has_order = rank > 1 or kind == "ZeroPadding"
    return KerasLayer(
        f"{kind}{rank}D",
        {option: default} | (FORMAT if has_order else {}),
        "dim_ordering" if rank > 1 else "data_format",
        older=_UNSAID if rank > 1 else {},
        margins=option,
    )


def _upsampling(rank: int, options: dict[str, Any]) -> KerasLayer:
    options = {"size": 2} | options | FORMAT
    return KerasLayer(f"UpSampling{rank}D", options, "dim_ordering", older=_UNSAID)


def _merge(
    name: str, mode: str, options: dict[str, Any] | None = None, *aliases: str
) -> KerasLayer:
    return KerasLayer(name, options or {}, family="merge", merge_mode=mode, aliases=aliases)


_SHAPES = (
    KerasLayer(
        "InputLayer",
        {"batch_shape": None},
        "sparse ragged optional type_spec",
        renamed={"batch_input_shape": "batch_shape"},
        mixes_axes=True,
        has_policy=False,
    ),
    KerasLayer("Flatten", FORMAT, "dim_ordering", mixes_axes=True),
    KerasLayer("Reshape", {"target_shape": None}, "dims", mixes_axes=True),
    KerasLayer("Permute", {"dims": None}, mixes_axes=True),
    KerasLayer("RepeatVector", {"n": None}, mixes_axes=True),
    KerasLayer("Masking", {"mask_value": 0.0}),
    *(_margins("Cropping", rank, "cropping", int(rank != 2)) for rank in (1, 2, 3)),
    *(_margins("ZeroPadding", rank, "padding", 1) for rank in (1, 2, 3)),
    KerasLayer("UpSampling1D", {"size": 2}, "data_format length"),
    _upsampling(2, {"interpolation": "nearest"}),
    _upsampling(3, {}),
    KerasLayer(
        "Resizing",
        {"interpolation": "bilinear", "crop_to_aspect_ratio": False, "pad_to_aspect_ratio": False}
        | {"fill_value": 0.0, "antialias": False}
        | _AREA
        | FORMAT,
        "bounding_box_format fill_mode",
    ),
    KerasLayer("CenterCrop", _AREA | FORMAT, "bounding_box_format"),
    KerasLayer(
        "RandomCrop",
        _AREA | FORMAT,
        "bounding_box_format seed",
        older={2: {"resizes": True}},  # at inference, where Keras 3 does nothing
    ),
    KerasLayer(
        "STFTSpectrogram",
        {"mode": "log", "frame_length": 256, "frame_step": None, "fft_length": None}
        | {"window": "hann", "periodic": False, "scaling": "density", "padding": "valid"}
        | {"expand_dims": False}
        | FORMAT,
        arrays=arrays.stft,
    ),
    KerasLayer(
        "CategoryEncoding",
        {"num_tokens": None, "output_mode": "multi_hot"},
        "sparse max_tokens count_weights",
        reads_tokens=True,
    ),
    _merge("Add", "sum"),
    _merge("Average", "ave"),
    _merge("Concatenate", "concat", _AXIS_ALONE, "TFDConcat"),
    _merge("Dot", "dot", {"axes": None, "normalize": False}),
    _merge("Maximum", "max"),
    _merge("Minimum", "min"),
    _merge("Multiply", "mul"),
    _merge("Subtract", ""),
)

# what does nothing at prediction


def _spatial_dropout(rank: int) -> KerasLayer:
    options: dict[str, Any] = {"rate": 0.5} | (FORMAT if rank > 1 else {})
    others = "dim_ordering noise_shape seed p"
    return KerasLayer(f"SpatialDropout{rank}D", options, others, has_policy=False)


_AUGMENTATION = """
    bounding_box_format data_format factor seed value_range fill_mode fill_value interpolation
    scale x_factor y_factor height_factor width_factor brightness_factor contrast_factor
    hue_factor saturation_factor addition_factor threshold_factor mode kernel_size sigma bins
    max_number num_ops num_chains chain_depth all_ops alpha height width
"""
_AUGMENTATIONS = """
    AugMix CutMix Equalization MaxNumBoundingBoxes MixUp RandAugment Solarization RandomBrightness
    RandomColorDegeneration RandomColorJitter RandomContrast RandomElasticTransform RandomErasing
    RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
    RandomShear RandomTranslation RandomWidth RandomZoom
"""
_IDLE = (
    KerasLayer("Dropout", {"rate": 0.5}, "noise_shape seed p"),
    KerasLayer("AlphaDropout", {"rate": 0.5}, "noise_shape seed p"),
    KerasLayer("GaussianDropout", {"rate": 0.5}, "seed p sigma"),
    KerasLayer("GaussianNoise", {"stddev": 1.0}, "seed p sigma"),
    *map(_spatial_dropout, (1, 2, 3)),
    KerasLayer("ActivityRegularization", others="l1 l2"),
    KerasLayer("Identity", others="gain", aliases=("TFDIdentity",)),
    *(KerasLayer(name, None, _AUGMENTATION) for name in _AUGMENTATIONS.split()),
)

LAYERS = {
    layer.name: layer
    for group in (KERNELS, _POOLINGS, _NORMALIZERS, _ACTIVATIONS, _SHAPES, _IDLE, SEQUENCES)
    for layer in group
}
"""Every layer by its name."""
ALIASES = {other: layer.name for layer in LAYERS.values() for other in layer.aliases}
KERAS_1 = {other: layer.name for layer in LAYERS.values() for other in layer.keras1}
MERGE_MODES = {layer.merge_mode: layer.name for layer in LAYERS.values() if layer.merge_mode}
MERGE_MODES |= {"cos": "Merge"}
"""Layers by their other names in any version, those of Keras 1, and the modes of its ``Merge``."""


def known(class_name: str) -> KerasLayer | None:
    """Return a layer whose options are read; None for any other class."""
    layer = LAYERS.get(class_name)
    return None if layer is None or layer.options is None else layer


def family(class_name: str) -> str:
    """Return a layer's family, ``""`` where it has none."""
    layer = LAYERS.get(class_name)
    return "" if layer is None else layer.family


def of_families(*families: str) -> tuple[str, ...]:
    """Return the names of the layers of some families, in their order."""
    return tuple(
        name for kind in families for name, layer in LAYERS.items() if layer.family == kind
    )
