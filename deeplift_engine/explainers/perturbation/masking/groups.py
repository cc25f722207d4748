"""Which elements of the inputs are replaced together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import RuleError
from deeplift_engine.graph.inputs import InputInfo, by_input
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Values, fits, shown
from deeplift_engine.util.typing import Array

Shape = tuple[int, ...]
Labels = Callable[[Array, int], Array]
"""Labels (*S) of a sample (*S) and its number in the data."""

SEGMENTS = 50
"""How many segments of an image are aimed at."""


@dataclass(frozen=True)
class Groups:
    """P groups of the elements of one sample, over all inputs.

    Attributes
    ----------
    labels
        Of each input, the number of each element's group (*S); -1 for what is never replaced.
    count
        P.
    """

    labels: tuple[Array, ...]
    count: int

    @property
    def sizes(self) -> Array:
        """How many elements each group has, (P,)."""
        return self.gathered([np.ones(label.shape) for label in self.labels])

    def masks(self, coalitions: Array) -> list[Array]:
        """Coalitions (..., P) of groups that stay as masks (..., *S) of the inputs."""
        always = np.ones((*coalitions.shape[:-1], 1), coalitions.dtype)
        with_last = np.concatenate([coalitions, always], axis=-1)
        return [with_last[..., label] for label in self.labels]

    def spread(self, values: Array) -> list[Array]:
        """To each element its group's value: (..., P) to (..., *S), 0 for what stays."""
        nothing = np.zeros((*values.shape[:-1], 1), values.dtype)
        with_last = np.concatenate([values, nothing], axis=-1)
        return [with_last[..., label] for label in self.labels]

    def gathered(self, values: Sequence[Array]) -> Array:
        """Sums over the elements of each group: (..., *S) of each input to (..., P)."""
        leading = values[0].shape[: values[0].ndim - self.labels[0].ndim]
        flat = np.concatenate([array.reshape(*leading, -1) for array in values], axis=-1)
        label = np.concatenate([label.reshape(-1) for label in self.labels])
        total = np.zeros((self.count + 1, *leading))
        np.add.at(total, label, np.moveaxis(flat, -1, 0))
        return np.moveaxis(total[:-1], 0, -1)


@dataclass(frozen=True)
class Grouping:
    """How samples are grouped.

    Attributes
    ----------
    labels
        Of each input.
    numbered
        Of each input, whether its labels are the user's, and equal ones of several inputs one
        group.
    own
        Whether each sample has groups of its own.
    """

    labels: tuple[Labels, ...]
    numbered: tuple[bool, ...]
    own: bool

    def of(self, data: Sequence[Array], row: int) -> Groups:
        """Groups of the first of some samples (n, *S), number ``row``; of all unless ``own``."""
        labels = [label(array[0], row) for label, array in zip(self.labels, data, strict=True)]
        each = list(zip(labels, self.numbered, strict=True))
        top = max((int(label.max()) for label, numbered in each if numbered), default=-1)
        shifted = []
        for label, numbered in each:
            shifted.append(label if numbered else np.where(label < 0, -1, label + top + 1))
            top = top if numbered else top + 1 + int(label.max())
        flat = np.concatenate([label.reshape(-1) for label in shifted])
        moving = flat >= 0
        if not moving.any():
            raise RuleError("groups= leaves nothing to replace: all its numbers are negative.")
        names, flat[moving] = np.unique(flat[moving], return_inverse=True)
        flat[~moving] = -1
        edges = np.cumsum([label.size for label in shifted])[:-1]
        pieces = zip(np.split(flat, edges), shifted, strict=True)
        return Groups(tuple(piece.reshape(label.shape) for piece, label in pieces), len(names))


def grouping(groups: Any, inputs: Sequence[InputInfo], data: Sequence[Array]) -> Grouping:
    """What a user says as ``groups``, for data (N, *S) of each input.

    Parameters
    ----------
    groups
        None, each element by itself; ``"positions"``, all along the axis of the channels
        together: the letters of a position, the channels of a pixel; a whole number, so many
        cells along each of the other axes; ``"segments"``, what `segments` finds; ``"auto"``,
        segments of images, positions of sequences, else elements; a function of a sample (*S)
        that gives its labels; whole numbers (*S) that are equal within a group, negative for
        what is never replaced, or (N, *S) of each sample its own. A list of these, or a mapping
        by name, for several inputs, where labels that are equal belong together.

    Raises
    ------
    RuleError
        For anything else, and what does not fit the inputs.
    """
    single = groups is None or isinstance(groups, str | int | np.integer) or callable(groups)
    each = [groups] * len(inputs) if single else by_input(groups, inputs, "groups")
    resolved = [
        _labels(one, info, array) for one, info, array in zip(each, inputs, data, strict=True)
    ]
    labels, numbered, own = zip(*resolved, strict=True)
    return Grouping(labels, numbered, any(own))


def _labels(groups: Any, info: InputInfo, data: Array) -> tuple[Labels, bool, bool]:
    """Labels, whether they are the user's numbers, and whether each sample has its own."""
    name, shape = info.name, data.shape[1:]
    word = groups if isinstance(groups, str) else "elements" if groups is None else ""
    if word == "auto":
        word = "segments" if _is_image(shape) else "positions" if len(shape) > 1 else "elements"
    if word in ("elements", "positions"):
        return (
            _fixed(_along(shape, info.positions if word == "positions" else range(len(shape)))),
            False,
            False,
        )
    if word == "segments" or callable(groups):
        find = groups if callable(groups) else segments()
        return lambda sample, row: _fitted(find(sample.copy()), name, shape), False, True
    if isinstance(groups, int | np.integer) and not isinstance(groups, bool) and groups > 0:
        return _fixed(_cells(shape, info.positions, int(groups))), False, False
    if not fits(groups, Values()) or np.asarray(groups).dtype.kind == "f" or np.ndim(groups) == 0:
        raise RuleError(
            f"groups={shown(groups)} of input {name!r}: give None, 'positions', 'segments', "
            "'auto', a number of cells along each axis, a function of one sample, or an array of "
            "whole numbers."
        )
    array = np.asarray(groups)
    if array.ndim == len(shape) + 1 and len(array) == len(data) > 1:
        return lambda sample, row: _fitted(array[row], name, shape), True, True
    one = array[0] if array.ndim == len(shape) + 1 and len(array) == 1 else array
    return _fixed(_fitted(one, name, shape)), True, False


def _fixed(labels: Array) -> Labels:
    return lambda sample, row: labels


def _fitted(labels: Any, name: str, shape: Shape) -> Array:
    array = np.asarray(labels)
    try:
        if array.dtype.kind not in "iu":
            raise ValueError
        return np.broadcast_to(array, shape)
    except ValueError as error:
        raise RuleError(
            f"groups of input {name!r} have shape {array.shape} and dtype {array.dtype}; expected "
            f"whole numbers of shape {shape}, or what broadcasts to it."
        ) from error


def _along(shape: Shape, axes: Sequence[int]) -> Array:
    """Labels of elements that are together unless they differ along ``axes``."""
    sizes = [size if axis in axes else 1 for axis, size in enumerate(shape)]
    return np.broadcast_to(np.arange(math.prod(sizes)).reshape(sizes), shape)


def sampled(axes: Sequence[int], inputs: Sequence[InputInfo], data: Sequence[Array]) -> Grouping:
    """Elements that differ along ``axes`` of the data, where 0 is the samples', apart.

    Raises
    ------
    RuleError
        For no axis, that of the samples, and axes that an input does not have.
    """
    ranks = {info.name: array.ndim for info, array in zip(inputs, data, strict=True)}
    for name, rank in ranks.items():
        if not axes or not all(0 < axis < rank for axis in axes):
            raise RuleError(
                f"sampling_dims={list(axes)!r}: give axes of input {name!r}, 1 to {rank - 1}; "
                "0 is that of the samples."
            )
    inner = [axis - 1 for axis in axes]
    labels = tuple(_fixed(_along(array.shape[1:], inner)) for array in data)
    return Grouping(labels, (False,) * len(labels), False)


def _cells(shape: Shape, axes: Sequence[int], count: int) -> Array:
    """A grid of ``count`` cells, or as many as there are elements, along each of ``axes``."""
    cells = [min(count, size) if axis in axes else 1 for axis, size in enumerate(shape)]
    coordinates = np.indices(shape)
    numbers = [
        position * cell // size
        for position, cell, size in zip(coordinates, cells, shape, strict=True)
    ]
    return np.ravel_multi_index(numbers, cells) if shape else np.zeros((), int)


def _channels(shape: Shape) -> int:
    """The axis of an image's channels, of three: the last, unless only the first can be it."""
    return 0 if shape[0] <= 4 < shape[2] else 2


def _is_image(shape: Shape) -> bool:
    if len(shape) != 3:
        return False
    outer = [size for axis, size in enumerate(shape) if axis != _channels(shape)]
    return shape[_channels(shape)] <= 4 < min(outer)


def segments(count: int = SEGMENTS, compactness: float | None = None) -> Callable[[Array], Array]:
    """Groups of an image's pixels by place and colour (SLIC of scikit-image).

    Parameters
    ----------
    count
        About how many.
    compactness
        How much place weighs beside colour; by default 10 for three channels, else 0.1.

    Returns
    -------
    Callable
        Of one image, (height, width), (height, width, channels) or channels first, that gives
        its labels; to be handed in as ``groups``.
    """

    def labels(image: Array) -> Array:
        slic = optional("skimage.segmentation", "scikit-image").slic
        if image.ndim not in (2, 3):
            raise RuleError(
                f"Segments are those of images, with two axes or three; the input has shape "
                f"{image.shape}. Give other groups."
            )
        channels = _channels(image.shape) if image.ndim == 3 else None
        coloured = channels is not None and image.shape[channels] == 3
        low, high = float(image.min()), float(image.max())
        scaled = (image.astype(float) - low) / ((high - low) or 1.0)
        regions = slic(
            scaled,
            n_segments=count,
            compactness=compactness or (10.0 if coloured else 0.1),
            channel_axis=channels,
            start_label=0,
        )
        return regions if channels is None else np.expand_dims(regions, channels)

    return labels
