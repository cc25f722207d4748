"""Pictures of scores of pictures: from results, or from the files of a run, to a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.overlay_figure import OverlayStyle, draw_overlays
from deeplift_engine.images.image_input import ImageInput
from deeplift_engine.images.pixel_scaling import Preprocessing, preprocessing
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.result_parts import check_inputs, of_target
from deeplift_engine.results.score_units import score_unit
from deeplift_engine.util.options import Instance, Integer, Several, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.jobs.scored_run import ScoredRun

RESULTS = Instance(Attribution, "what Explainer.run gives, or several of such by names")
MOST = 8
"""Pictures that are drawn where none are named."""


def heat_maps(scores: Any, channel_axis: int = -1) -> Array:
    """Scores of pixels: those (N, H, W, C) of channels, summed to (N, H, W), float64.

    Raises
    ------
    InputError
        If they are of no pictures.
    """
    array = np.asarray(scores, np.float64)
    if array.ndim == 3:
        return array
    if array.ndim != 4:
        raise InputError(
            f"scores of shape {array.shape}: expected (pictures, height, width, channels) of one "
            "target; of several, hand in those of one: result.scores[0]."
        )
    return np.asarray(array.sum(axis=channel_axis))


def draw(
    results: Attribution | Mapping[str, Attribution],
    images: ImageInput,
    *,
    samples: Sequence[int] | None = None,
    target: int = 0,
    style: str = "blend",
    sign: str = "both",
    percentile: float | None = None,
    colours: str = "default",
    segments: Any = None,
) -> Figure:
    """Draw scores over their pictures, a row for each picture, the methods side by side.

    Parameters
    ----------
    results
        Of one method, or of several by names of your own, at the input that reads the pictures.
    images
        What was scored, from `read`.
    samples
        Numbers of the pictures; by default the first 8.
    target
        Which of several targets, from 0.
    style, sign, percentile, colours
        See `deeplift_engine.figures.OverlayStyle`.
    segments
        Labels (H, W) or (N, H, W) of segments whose borders are drawn, or what finds them in a
        picture (H, W, C), 0 to 1, such as a function of `skimage.segmentation`.

    Raises
    ------
    InputError
        If results are of other pictures, or at several inputs or layers, or there is no such
        sample or target.
    """
    checked("images", images, Instance(ImageInput, "what images.read gives"), InputError)
    named = results if isinstance(results, Mapping) else {_method(results): results}
    rows = range(min(MOST, len(images))) if samples is None else samples
    rows = checked("samples", rows, Several(Integer(0, len(images) - 1)), InputError)
    pictures = np.stack([_shown(images.picture(row) / 255) for row in rows])
    maps, units = {}, {}
    for name, result in named.items():
        scores = _of_target(result, target)
        if len(scores) != len(images):
            raise InputError(
                f"{name}: scores of {len(scores)} samples, and there are {len(images)} pictures."
            )
        check_inputs(result.inputs, images, rows)
        maps[name] = heat_maps(scores[rows], images.channel_axis)
        units[name] = score_unit(result.settings, result.target_delta is not None)
    found = segments
    if callable(segments):
        found = np.stack([segments(picture) for picture in pictures])
    elif segments is not None and np.ndim(segments) == 3:
        found = np.asarray(segments)[rows]
    return draw_overlays(
        pictures,
        maps,
        names=[images.names[row] for row in rows],
        style=OverlayStyle(style, sign, percentile, colours),
        unit=units,
        segments=found,
    )


def draw_run(
    runs: Mapping[str, ScoredRun],
    samples: Sequence[int],
    style: OverlayStyle,
    *,
    preprocess: str | Preprocessing | None = None,
    input: str | None = None,
    head: str | None = None,
    target: int = 0,
) -> Figure:
    """Draw scores that runs left, over the pictures that they keep.

    Parameters
    ----------
    runs
        By the names of methods; all of the same samples.
    samples
        Numbers of the pictures.
    style
        See `deeplift_engine.figures.OverlayStyle`.
    preprocess
        Of the pictures, where the run does not say.
    input, head, target
        See `ScoredRun.array`.

    Raises
    ------
    InputError
        If a run keeps no inputs, nothing says how they were prepared, or runs have other samples.
    """
    first = next(iter(runs.values()))
    axis = int(first.settings.get("channel_axis", -1))
    prepared = preprocess or first.settings.get("preprocess")
    if prepared is None:
        raise InputError(
            f"{first.source} does not say how its pictures were prepared: say it, preprocess= "
            "(--preprocess)."
        )
    kept = first.array("inputs", input=input)
    values = np.concatenate([kept[row : row + 1] for row in samples])
    pixels = preprocessing(prepared).undo(np.moveaxis(values, axis, -1))
    maps, units = {}, {}
    for name, run in runs.items():
        if run.names != first.names:
            raise InputError(
                f"{run.source} and {first.source} have different samples: scores are drawn beside "
                "others of the same pictures in the same order."
            )
        scores = run.array("scores", input=input, head=head, target=target)
        chosen = np.concatenate([np.asarray(scores[row : row + 1]) for row in samples])
        maps[name] = heat_maps(chosen, axis)
        units[name] = score_unit(run.settings, bool(run.by_input("target_delta", head)))
    return draw_overlays(
        np.stack([_shown(picture / 255) for picture in pixels]),
        maps,
        names=[first.names[row] for row in samples],
        style=style,
        unit=units,
    )


def _method(result: Attribution) -> str:
    checked("results", result, RESULTS, InputError)
    return str(result.settings.get("method", "scores"))


def _shown(picture: Array) -> Array:
    """A picture as it is drawn: without alpha, rounding beyond 0 to 1 cut, raw values stretched."""
    colours = picture[..., :3] if picture.shape[-1] >= 3 else picture[..., :1]
    top = max(1.0, float(colours.max()))
    return np.clip(colours / (top if top > 1.01 else 1.0), 0, 1)


def _of_target(result: Attribution, target: int) -> Array:
    checked("results", result, RESULTS, InputError)
    if isinstance(result.scores, Mapping):
        raise InputError(
            f"scores are at {', '.join(result.scores)}: draw those of the input that reads the "
            "pictures, dataclasses.replace(result, scores=result.scores[name])."
        )
    return of_target(result, target)[""]


__all__ = ["draw", "draw_run", "heat_maps"]
