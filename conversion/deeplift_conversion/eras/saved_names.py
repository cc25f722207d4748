"""The names of classes and options that Keras's own layers have been saved with, in any version.

An option that is not here belongs to another class, whatever its name. The table of layers has
those of single layers, this module those of all.
"""

from __future__ import annotations

from deeplift_conversion.layers.table import ALIASES, KERAS_1, LAYERS, MERGE_MODES

EVERY = frozenset(
    [
        "name",
        "trainable",
        "dtype",
        "dtype_policy",
        "autocast",
        "dynamic",
        "activity_regularizer",
        "batch_shape",
        "batch_input_shape",
        "input_shape",
        "input_dim",
        "input_length",
        "input_dtype",
        "build_input_shape",
        "quantization_config",
        "lora_rank",
        "lora_alpha",
        "cache_enabled",
        "custom_name",
        "weights",
        "supports_masking",
    ]
)
"""Options of every layer."""
_TRAINED = """
    kernel bias recurrent depthwise pointwise embeddings beta gamma alpha W U b moving_mean
    moving_variance
    """
_TRAINING = ("initializer", "regularizer", "constraint")
_HARMLESS = """
    name trainable autocast build_input_shape batch_input_shape input_length input_dtype sparse
    ragged optional lora_rank lora_alpha quantization_config fused renorm renorm_clipping
    renorm_momentum synchronized virtual_batch_size adjustment unit_forget_bias seed noise_shape
    dropout recurrent_dropout cache_enabled l1 l2 dtype_policy flash_attention use_cudnn max_norm
    norm_method input_dim_hint weights consume_less
    """


def is_harmless(key: str) -> bool:
    """Tell an option that changes nothing when a trained model predicts."""
    return key in _HARMLESS.split() or key.endswith(tuple(f"_{kind}" for kind in _TRAINING))


def old_names() -> dict[str, str]:
    """Return Keras 3's class for every other name that built-in layers were saved under.

    A Keras 1 ``Merge`` is one entry for each of its modes: ``"Merge(mode='sum')"``.
    """
    merges = {f"Merge(mode={mode!r})": kind for mode, kind in MERGE_MODES.items()}
    cudnn = {f"CuDNN{kind}": kind for kind in ("LSTM", "GRU")}
    return {**KERAS_1, **ALIASES, **cudnn, **merges}


def canonical_name(class_name: str) -> str | None:
    """Return Keras 3's name of a class of any version, None for one that Keras never had."""
    name = KERAS_1.get(class_name, ALIASES.get(class_name, class_name))
    bare = (name, name.removeprefix("CuDNN"), name.removesuffix("V1"), name.removesuffix("V2"))
    return next((candidate for candidate in bare if candidate in LAYERS), None)


def foreign_options(class_name: str, names: frozenset[str]) -> list[str]:
    """Return those of the options that Keras's class of this name has in no version.

    Parameters
    ----------
    class_name
        Keras 3's name of the class.
    names
        The options as saved.
    """
    layer = LAYERS[class_name]
    strange = names - {*(layer.options or ()), *layer.others.split(), *EVERY}
    return sorted(name for name in strange if not _is_of_training(name))


def _is_of_training(name: str) -> bool:
    stem, _, kind = name.rpartition("_")
    return kind in _TRAINING and stem in _TRAINED.split()


__all__ = ["EVERY", "canonical_name", "foreign_options", "is_harmless", "old_names"]
