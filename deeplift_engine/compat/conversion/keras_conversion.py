"""Conversion of Keras models in memory, under the names of deeplift 0.5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deeplift_engine.compat.conversion.kerasapi_conversion import chosen_rule, converted
from deeplift_engine.compat.layers import (
    ConvMxtsMode,
    DenseMxtsMode,
    MaxPoolDeepLiftMode,
    NonlinearMxtsMode,
)
from deeplift_engine.errors import InputError
from deeplift_engine.loading import convert

if TYPE_CHECKING:
    from deeplift_engine.compat.models import GraphModel, SequentialModel


def convert_sequential_model(
    model: Any,
    num_dims: int | None = None,
    nonlinear_mxts_mode: str = NonlinearMxtsMode.DeepLIFT_GenomicsDefault,
    verbose: bool = True,
    dense_mxts_mode: str = DenseMxtsMode.Linear,
    conv_mxts_mode: str = ConvMxtsMode.Linear,
    maxpool_deeplift_mode: str = MaxPoolDeepLiftMode.gradient,
) -> SequentialModel | GraphModel:
    """Convert a Sequential model in memory.

    Parameters
    ----------
    model
        Of Keras 3 or tf_keras.
    num_dims
        How many axes its input has, that of the samples included; None does not ask.
    nonlinear_mxts_mode, verbose, dense_mxts_mode, conv_mxts_mode, maxpool_deeplift_mode
        As for ``kerasapi_conversion.convert_model_from_saved_files``.

    Raises
    ------
    InputError
        If the input has other axes; and what `deeplift_engine.convert` raises.
    """
    rule = chosen_rule(nonlinear_mxts_mode, dense_mxts_mode, conv_mxts_mode, verbose)
    network = convert(model)
    axes = 1 + len(network.inputs[0].shape)
    if num_dims not in (None, axes):
        raise InputError(f"num_dims={num_dims}: the model's input has {axes} axes.")
    document = {"class_name": type(model).__name__, "config": model.get_config()}
    return converted(network, document, rule, maxpool_deeplift_mode, {})


def convert_functional_model(
    model: Any,
    nonlinear_mxts_mode: str = NonlinearMxtsMode.DeepLIFT_GenomicsDefault,
    verbose: bool = True,
    dense_mxts_mode: str = DenseMxtsMode.Linear,
    conv_mxts_mode: str = ConvMxtsMode.Linear,
    maxpool_deeplift_mode: str = MaxPoolDeepLiftMode.gradient,
) -> SequentialModel | GraphModel:
    """Convert a Functional model in memory; see `convert_sequential_model`."""
    return convert_sequential_model(
        model,
        None,
        nonlinear_mxts_mode,
        verbose,
        dense_mxts_mode,
        conv_mxts_mode,
        maxpool_deeplift_mode,
    )


__all__ = ["convert_functional_model", "convert_sequential_model"]
