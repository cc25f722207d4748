"""XRAI under the names of PAIR's saliency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.compat.saliency_masks import CoreSaliency, checked_model
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.maps.regions import Ranking
from deeplift_engine.references import per_sample
from deeplift_engine.util.typing import Array


@dataclass
class XRAIParameters:
    """The original's parameters of XRAI; ``flatten_xrai_segments=False`` gives masks."""

    steps: int = 100
    area_threshold: float = 1.0
    return_baseline_predictions: bool = False
    return_ig_attributions: bool = False
    return_xrai_segments: bool = False
    flatten_xrai_segments: bool = True
    algorithm: str = "full"
    experimental_params: dict[str, Any] = field(default_factory=lambda: {"min_pixel_diff": 50})


@dataclass
class XRAIOutput:
    """What `XRAI.GetMaskWithDetails` gives.

    Attributes
    ----------
    attribution_mask
        (height, width).
    baselines
        Images that were compared with; None with a base attribution.
    ig_attribution
        Integrated gradients against each, where they were asked for.
    segments
        Where they were asked for: ranks (height, width), 1 for pixels of the largest score, or
        the masks of equal rank.
    """

    attribution_mask: Array
    baselines: list[Array] | None = None
    ig_attribution: list[Array] | None = None
    segments: Any = None


class XRAI(CoreSaliency):
    """Regions of an image, ranked by integrated gradients against a black and a white image."""

    def GetMask(
        self,
        x_value: Any,
        call_model_function: Any,
        call_model_args: Any = None,
        baselines: Sequence[Any] | None = None,
        segments: Any = None,
        base_attribution: Any = None,
        batch_size: int | None = None,
        extra_parameters: XRAIParameters | None = None,
    ) -> Array:
        """The map (height, width); see `GetMaskWithDetails`."""
        return self.GetMaskWithDetails(
            x_value,
            call_model_function,
            call_model_args,
            baselines,
            segments,
            base_attribution,
            batch_size,
            extra_parameters,
        ).attribution_mask

    def GetMaskWithDetails(
        self,
        x_value: Any,
        call_model_function: Any,
        call_model_args: Any = None,
        baselines: Sequence[Any] | None = None,
        segments: Any = None,
        base_attribution: Any = None,
        batch_size: int | None = None,
        extra_parameters: XRAIParameters | None = None,
    ) -> XRAIOutput:
        """The map, and what it was made of.

        Parameters
        ----------
        x_value
            An image (height, width, channels).
        call_model_function, call_model_args
            As everywhere; not read with a base attribution.
        baselines
            Images of its shape; by default its smallest and its largest value everywhere.
        segments
            Masks of its pixels, or labels, in place of those of Felzenszwalb 2004.
        base_attribution
            Scores of its shape, in place of integrated gradients.
        extra_parameters
            See `XRAIParameters`; ``algorithm="fast"`` orders regions once.

        Raises
        ------
        InputError
            For another algorithm, or shapes that do not fit.
        """
        parameters = extra_parameters or XRAIParameters()
        if parameters.algorithm not in ("full", "fast"):
            raise InputError(f"algorithm={parameters.algorithm!r}: it is 'full' or 'fast'.")
        image = np.asarray(x_value)
        ends: list[Array] | None = None
        if base_attribution is None:
            ends = _baselines(image, baselines)
            scores = checked_model(call_model_function).scores(
                image,
                call_model_args,
                "integrated_gradients",
                {"steps": parameters.steps},
                references=per_sample(np.stack(ends)[np.newaxis]),
                average=False,
            )
        else:
            scores = np.asarray(base_attribution)[np.newaxis]
            if scores.shape[1:] != image.shape:
                raise InputError(
                    f"base_attribution has shape {scores.shape[1:]}: expected that of the image, "
                    f"{image.shape}."
                )
        mean = scores.mean(axis=0)
        pixels = mean.max(axis=-1) if mean.ndim > 2 else mean
        ranking = Ranking(
            least=parameters.experimental_params["min_pixel_diff"],
            area=parameters.area_threshold,
            segments=None if segments is None else np.asarray(segments),
            fast=parameters.algorithm == "fast",
        )
        mask = ranking(image.reshape(*image.shape[:2], -1), pixels[np.newaxis])[0]
        return XRAIOutput(
            mask,
            ends,
            list(scores) if parameters.return_ig_attributions and ends else None,
            _segments(mask, parameters) if parameters.return_xrai_segments else None,
        )


def _baselines(image: Array, baselines: Sequence[Any] | None) -> list[Array]:
    if baselines is None:
        return [np.full_like(image, image.min()), np.full_like(image, image.max())]
    ends = [np.asarray(each) for each in baselines]
    for end in ends:
        if end.shape != image.shape:
            raise InputError(
                f"A baseline has shape {end.shape}: expected that of the image, {image.shape}."
            )
    return ends


def _segments(mask: Array, parameters: XRAIParameters) -> Any:
    """Ranks of pixels, from 1 for the largest score, or a mask of each rank."""
    ranks = 1 + np.unique(-mask, return_inverse=True)[1].reshape(mask.shape)
    if parameters.flatten_xrai_segments:
        return ranks
    return [ranks == rank for rank in range(1, ranks.max() + 1)]


__all__ = ["XRAI", "XRAIOutput", "XRAIParameters"]
