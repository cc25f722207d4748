"""The calls of PAIR's saliency over this engine.

::

    import deeplift_engine.compat.saliency as saliency

    model = saliency.model_function(network)  # in place of call_model_function
    mask = saliency.XRAI().GetMask(image, model, {"class_idx": 5})
    smooth = saliency.IntegratedGradients().GetSmoothedMask(image, model, {"class_idx": 5})

``call_model_args`` name the unit, by whatever key; without them the network has a single one. Masks
are those of the method here: see docs/FROM_OTHERS.md for where the original differs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.compat.saliency_masks import (
    CoreSaliency,
    MethodMask,
    ModelFunction,
    checked_model,
    model_function,
)
from deeplift_engine.compat.saliency_xrai import XRAI, XRAIOutput, XRAIParameters
from deeplift_engine.references import constant, per_sample
from deeplift_engine.util.typing import Array


class GradientSaliency(MethodMask):
    """The gradient."""

    method = "gradient"


class IntegratedGradients(MethodMask):
    """Integrated gradients, by Gauss-Legendre points."""

    method = "integrated_gradients"

    def options(
        self, x: Array, x_baseline: Any = None, x_steps: int = 25, batch_size: int | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """See `MethodMask.options`."""
        return {"steps": x_steps}, _against(x, x_baseline)


class GuidedIG(MethodMask):
    """Guided integrated gradients."""

    method = "guided_integrated_gradients"

    def options(
        self,
        x: Array,
        x_baseline: Any = None,
        x_steps: int = 200,
        fraction: float = 0.25,
        max_dist: float = 0.02,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """See `MethodMask.options`."""
        options = {"steps": x_steps, "fraction": fraction, "max_distance": max_dist}
        return options, _against(x, x_baseline)


class BlurIG(MethodMask):
    """Blur integrated gradients, whose derivatives are exact: ``grad_step`` is not read."""

    method = "blur_integrated_gradients"

    def options(
        self,
        x: Array,
        max_sigma: float = 50,
        steps: int = 100,
        grad_step: float = 0.01,
        sqrt: bool = False,
        batch_size: int | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """See `MethodMask.options`."""
        return {"sigma": max_sigma, "steps": steps}, {}


class GradCam(CoreSaliency):
    """Grad-CAM of `ModelFunction.conv_layer`."""

    def GetMask(
        self,
        x_value: Any,
        call_model_function: Any,
        call_model_args: Any = None,
        should_resize: bool = True,
        three_dims: bool = True,
    ) -> Array:
        """The map, at the size of the image and up to 1, in three channels, unless otherwise."""
        options = {"resize": "input" if should_resize else None}
        model = checked_model(call_model_function)
        mask = model.scores(x_value, call_model_args, "grad_cam", options)
        if should_resize and mask.max() > 0:
            mask = mask / mask.max()
        return np.tile(mask[..., np.newaxis], 3) if three_dims else mask


class Occlusion(CoreSaliency):
    """What the target loses, added over all windows that cover a pixel, as in the original."""

    def GetMask(
        self,
        x_value: Any,
        call_model_function: Any,
        call_model_args: Any = None,
        size: int = 15,
        value: float = 0,
    ) -> Array:
        """The mask of windows (size, size), filled with ``value``."""
        shape = np.shape(x_value)
        window = (*(min(size, extent) for extent in shape[:2]), *shape[2:])
        mask = checked_model(call_model_function).scores(
            x_value, call_model_args, "occlusion", {"window": window}, references=constant(value)
        )
        covering = [
            np.convolve(np.ones(extent - width + 1), np.ones(width))
            for extent, width in zip(shape[:2], window, strict=False)
        ]
        times = np.outer(*covering) * np.prod(window)
        return np.asarray(mask * times.reshape(*shape[:2], *(1 for _ in shape[2:])))


def VisualizeImageGrayscale(image_3d: Any, percentile: float = 99) -> Array:
    """Sizes summed over the channels, from 0 to 1 at the percentile."""
    image = np.abs(image_3d).sum(axis=2)
    low, high = image.min(), np.percentile(image, percentile)
    return np.asarray(np.clip((image - low) / (high - low), 0, 1))


def VisualizeImageDiverging(image_3d: Any, percentile: float = 99) -> Array:
    """Scores summed over the channels, 0.5 where they are 0."""
    image = np.asarray(image_3d).sum(axis=2)
    span = abs(np.percentile(image, percentile))
    return np.asarray(np.clip((image + span) / (2 * span), -1, 1))


def _against(x: Array, baseline: Any) -> dict[str, Any]:
    """References of a run: zeros without a baseline."""
    if baseline is None:
        return {}
    return {"references": per_sample(np.broadcast_to(baseline, x.shape)[np.newaxis, np.newaxis])}


__all__ = [
    "XRAI",
    "BlurIG",
    "CoreSaliency",
    "GradCam",
    "GradientSaliency",
    "GuidedIG",
    "IntegratedGradients",
    "ModelFunction",
    "Occlusion",
    "VisualizeImageDiverging",
    "VisualizeImageGrayscale",
    "XRAIOutput",
    "XRAIParameters",
    "model_function",
]
