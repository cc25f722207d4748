"""References without random numbers: constants, arrays, functions of the inputs.

Users meet these names through `deeplift_engine.references`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deeplift_engine.errors import ReferencesError
from deeplift_engine.graph.input_advice import Shape, fits
from deeplift_engine.references import shuffles
from deeplift_engine.references.gaussian_blur import gaussian_blur
from deeplift_engine.references.reference_set import (
    PendingReferences,
    References,
    describe,
    dims,
    positive,
    recreated,
    to_numbers,
)
from deeplift_engine.util.options import Values, checked
from deeplift_engine.util.typing import Array


@recreated
def zeros() -> References:
    """All zeros: one shared reference."""
    return replace(constant(0.0), name="zeros")


@recreated
def constant(value: float) -> References:
    """The same number, or token, everywhere: one shared reference.

    Parameters
    ----------
    value
        The number or token.
    """
    number = np.array(value)
    if number.ndim or not np.isfinite(number):
        raise ReferencesError(
            f"constant() takes one finite number, not {value!r}; for values per channel use "
            "references.background(...) or pass the array itself"
        )
    return broadcast_reference(number, f"constant({value:g})")


@recreated
def unchanged() -> References:
    """Each input itself: it is held fixed, and contributes nothing.

    Of several inputs, those that a mapping of references leaves out have it.
    """
    return References("unchanged", 1, False, lambda inputs, indices: inputs[:, np.newaxis])


@recreated
def replaced(by: int | Sequence[int], *, keep: Sequence[int] = ()) -> References:
    """Each input with every token replaced, except those to ``keep``.

    Special tokens that hold the form of an input (padding, start, end, separators) stay where they
    are, so that the reference has the same length and only the content is scored:
    ``replaced(by=mask, keep=(pad, cls, sep))``.

    Parameters
    ----------
    by
        The replacement: a mask's token, an unknown word's. Several give one reference each.
    keep
        Tokens that are not replaced.
    """
    tokens = _tokens(by, "by")
    special = _tokens(keep, "keep") if len(keep) else np.zeros(0, int)
    name = f"replaced({', '.join(map(str, tokens))}"
    name += f", keep={tuple(special.tolist())})" if len(special) else ")"

    def make(inputs: Array, indices: Array) -> Array:
        if inputs.dtype.kind == "f" and not np.array_equal(inputs, np.floor(inputs)):
            raise ReferencesError(f"{name} is for inputs of tokens, and these hold fractions")
        unchanged = np.isin(inputs, special)
        return np.stack([np.where(unchanged, inputs, token) for token in tokens], axis=1)

    return References(name, len(tokens), False, make)


def _tokens(value: int | Sequence[int], what: str) -> Array:
    tokens = np.atleast_1d(np.array(value))
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu" or len(tokens) == 0:
        raise ReferencesError(
            f"replaced(): {what} is a token, a whole number, or several: {value!r}"
        )
    return tokens


@recreated
def background(frequencies: Sequence[float], *, channel_axis: int | None = None) -> References:
    """The same letter frequencies at every position: one shared reference.

    Parameters
    ----------
    frequencies
        One value per letter, for instance ``[0.3, 0.2, 0.2, 0.3]``; they sum to 1.
    channel_axis
        The axis of the letters in one sample (batch axis not counted); by default the only axis
        of that size.
    """
    values = np.array(frequencies, dtype=float)
    name = f"background({', '.join(f'{v:g}' for v in values.ravel())})"
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any():
        raise ReferencesError(f"{name}: give one frequency of 0 or more per letter, in one row")
    if abs(values.sum() - 1) > 1e-3:
        raise ReferencesError(
            f"{name}: frequencies sum to {values.sum():g}, not 1; for other values per channel "
            "pass the array itself"
        )

    def make(inputs: Array, indices: Array) -> Array:
        shape = inputs.shape[1:]
        axis = shuffles.find_channel_axis(shape, channel_axis, len(values), name)
        column = values.reshape([-1 if a == axis else 1 for a in range(len(shape))])
        return np.broadcast_to(column, shape)[None]

    return References(name, 1, True, make)


@recreated
def per_channel(values: Sequence[float], *, channel_axis: int = -1) -> References:
    """The same colour everywhere: one number for each channel, one shared reference.

    What is black depends on the preprocessing of a picture: under ``"caffe"`` it is
    ``per_channel([-103.939, -116.779, -123.68])``.

    Parameters
    ----------
    values
        One number per channel.
    channel_axis
        The axis of the channels in one sample (batch axis not counted).
    """
    column = np.array(values, dtype=float)
    name = f"per_channel({', '.join(f'{value:g}' for value in column.ravel())})"
    if column.ndim != 1 or not len(column) or not np.isfinite(column).all():
        raise ReferencesError(f"{name}: give one finite number for each channel, in one row")

    def make(inputs: Array, indices: Array) -> Array:
        shape = inputs.shape[1:]
        rank = len(shape)
        if not -rank <= channel_axis < rank or shape[channel_axis] != len(column):
            raise ReferencesError(
                f"{name} is for {len(column)} channels along axis {channel_axis}, and the inputs "
                f"have shape ({dims(shape)}); name their axis: channel_axis="
            )
        sizes = [1] * rank
        sizes[channel_axis] = -1
        return np.broadcast_to(column.reshape(sizes), shape)[None]

    return References(name, 1, True, make)


@recreated
def shared(array: ArrayLike) -> References:
    """A data set ``array`` ``(M, *S)`` of references: every input is compared with each of them.

    Parameters
    ----------
    array
        The references.
    """
    values = to_numbers(array, "shared(...)")
    name = f"shared({describe(values)})"
    if values.ndim == 0 or len(values) == 0:
        raise ReferencesError(f"{name}: give at least one reference, as an array (M, *shape)")

    def make(inputs: Array, indices: Array) -> Array:
        if values.shape[1:] != inputs.shape[1:]:
            raise ReferencesError(
                f"{name}: each reference has shape {values.shape[1:]}, the inputs have "
                f"{inputs.shape[1:]}; give an array of shape (M, {dims(inputs.shape[1:])})"
            )
        return values

    return References(name, len(values), True, make)


@recreated
def mean(array: ArrayLike) -> References:
    """The mean of a data set: one shared reference, of letters their frequency at each position.

    Parameters
    ----------
    array
        The data set, ``(M, *S)``.
    """
    values = to_numbers(array, "mean(...)")
    name = f"mean({describe(values)})"
    if values.ndim == 0 or len(values) == 0:
        raise ReferencesError(f"{name}: give at least one member, as an array (M, *shape)")
    average: Array = np.asarray(values.mean(axis=0, dtype=float))

    def make(inputs: Array, indices: Array) -> Array:
        if average.shape != inputs.shape[1:]:
            raise ReferencesError(
                f"{name}: each member has shape {average.shape}, the inputs have "
                f"{inputs.shape[1:]}; give an array of shape (M, {dims(inputs.shape[1:])})"
            )
        return average[np.newaxis]

    return References(name, 1, True, make)


@recreated
def per_sample(array: ArrayLike) -> PendingReferences:
    """Separate references for each sample: ``(N, *S)``, one each, or ``(N, K, *S)``, K each.

    Parameters
    ----------
    array
        The references, in the order of the samples.
    """
    values = to_numbers(array, "per_sample(...)")
    name = f"per_sample({describe(values, digest=False)})"

    def settle(shape: Shape, n: int, sample: Array | None) -> References:
        several = values.ndim == len(shape) + 2
        if not (several or values.ndim == len(shape) + 1) or not fits(
            values.shape[1 + several :], shape
        ):
            raise ReferencesError(
                f"{name}: inputs of shape ({dims(shape)}) need references of shape "
                f"(N, {dims(shape)}) or (N, K, {dims(shape)}), not {values.shape}"
            )
        if len(values) != n:
            raise ReferencesError(
                f"{name}: references of {len(values)} samples for {n} inputs; give one entry per "
                "input, in the same order, or references.shared(array) to compare every input "
                "with all of them"
            )
        if several and values.shape[1] == 0:
            raise ReferencesError(f"{name}: no references per sample (K = 0); give at least one")
        own = values if several else values[:, None]
        return References(name, own.shape[1], False, lambda inputs, indices: _rows(own, indices))

    return PendingReferences(name, settle)


def _rows(array: Array, indices: Array) -> Array:
    """Rows of an array, without a copy where they follow each other."""
    start, stop = int(indices[0]), int(indices[-1]) + 1
    if np.array_equal(indices, np.arange(start, stop)):
        return array[start:stop]
    return np.asarray(array[indices])


@recreated
def function(f: Callable[[Array], Any], count: int | None = None) -> PendingReferences:
    """References that a function of yours computes from the inputs.

    Parameters
    ----------
    f
        ``f(inputs (n, *S)) -> (n, *S)`` or ``(n, count, *S)``. It receives a copy of any number
        of samples. Results are independent of the batch size only if it treats every sample by
        itself.
    count
        References per sample; by default ``f`` is called on the first sample to find out.
    """
    name = f"function({getattr(f, '__qualname__', None) or type(f).__name__})"
    if count is not None:
        positive(count, name)

    def make(inputs: Array, indices: Array) -> Array:
        computed = np.asarray(f(inputs.copy()))
        return computed[:, None] if computed.shape == inputs.shape else computed

    def settle(shape: Shape, n: int, sample: Array | None) -> References:
        if count is not None:
            return References(name, count, False, make)
        if sample is None:
            raise ReferencesError(
                f"{name}: how many references it makes is not known; give the number: "
                "references.function(f, count)"
            )
        trial = make(sample[None], np.zeros(1, np.int64))
        if trial.ndim != sample.ndim + 2 or trial.shape[0] != 1 or trial.shape[1] == 0:
            raise ReferencesError(
                f"{name}: for one input (1, {dims(sample.shape)}) it returned shape "
                f"{np.shape(trial)}, not (1, {dims(sample.shape)}) or "
                f"(1, K, {dims(sample.shape)})"
            )
        return References(name, trial.shape[1], False, make)

    return PendingReferences(name, settle)


def broadcast_reference(array: Array, name: str) -> References:
    """One shared reference: ``array`` has the shape of a sample or its trailing axes."""

    def make(inputs: Array, indices: Array) -> Array:
        try:
            return np.broadcast_to(array, inputs.shape[1:])[None]
        except ValueError as error:
            raise ReferencesError(
                f"{name}: the inputs have shape ({dims(inputs.shape[1:])}), which a reference "
                f"of shape {array.shape} does not fit"
            ) from error

    return References(name, 1, True, make)


@recreated
def blur(sigma: float | Sequence[float], *, axes: Sequence[int] | None = None) -> References:
    """Each input blurred by a Gaussian: large structures remain, fine ones vanish.

    Parameters
    ----------
    sigma
        Width of the Gaussian in positions (pixels). Several give one reference each.
    axes
        The axes of one sample to blur along; by default all except the last, the channels, or
        the only one. A sample continues beyond its ends as its mirror image.
    """
    sigma = checked("sigma", sigma, Values(), ReferencesError)
    widths = np.atleast_1d(np.array(sigma, dtype=float))
    name = f"blur({', '.join(f'{width:g}' for width in widths.ravel())}"
    name += ")" if axes is None else f", axes={tuple(axes)})"
    if widths.ndim != 1 or (widths <= 0).any():
        raise ReferencesError(f"{name}: a width is a number above 0; give one, or several in a row")

    def make(inputs: Array, indices: Array) -> Array:
        if inputs.dtype.kind != "f":
            raise ReferencesError(f"{name} is for inputs of numbers, and these are tokens")
        rank = inputs.ndim - 1
        along = range(max(1, rank - 1)) if axes is None else axes
        if any(not -rank <= axis < rank for axis in along):
            raise ReferencesError(f"{name}: a sample has axes 0 to {rank - 1}")
        batched = sorted({axis % rank + 1 for axis in along})
        return np.stack([gaussian_blur(inputs, width, batched) for width in widths], axis=1)

    return References(name, len(widths), False, make)
