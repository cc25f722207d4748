"""Advice on data that do not fit an input: what they look like, and what makes them fit."""

from __future__ import annotations

import itertools
from typing import Any, TypeAlias

import numpy as np

from deeplift_engine.util.options import shown
from deeplift_engine.util.typing import Array

Shape: TypeAlias = tuple[int | None, ...]
LETTERS = 4
"""Of nucleotides."""
MOST_AXES = 5
"""Of samples whose axes are tried in every order."""


def fits(met: tuple[int, ...], shape: Shape, broadcast: bool = False) -> bool:
    """Whether a shape is ``shape``, whose ``None`` stand for any size."""
    return len(met) == len(shape) and all(
        size is None or m == size or (broadcast and m == 1)
        for m, size in zip(met, shape, strict=True)
    )


def no_numbers(value: Any, shape: Shape, tokens: bool) -> str:
    """What a value is that holds no numbers, and how to make numbers of it.

    Parameters
    ----------
    value
        The user's value for one input.
    shape
        Of one sample.
    tokens
        Whether the input takes tokens.
    """
    kind = type(value).__name__
    if isinstance(value, str) and value.endswith((".npy", ".npz", ".h5", ".hdf5", ".csv")):
        return f"is the name of a file, {value!r}; read it first, as by np.load."
    if value is None:
        return "is None; give an array."
    if (text := _first_text(value)) is not None:
        return f"holds text, {shown(text)}, not numbers. {_encoding(shape, tokens)}"
    if hasattr(value, "detach"):
        return f"is a {kind} that is no array; give x.detach().cpu().numpy()."
    if hasattr(value, "to_tensor"):
        return (
            f"is a {kind}, of samples with different lengths. Pad them as for training, "
            "x.to_tensor(), or run samples of each length by themselves."
        )
    if hasattr(value, "toarray"):
        return f"is a sparse {kind}; give x.toarray()."
    if "Sparse" in kind:
        return f"is a {kind}; give tf.sparse.to_dense(x)."
    if isinstance(value, list | tuple):
        return (
            "is no array: its samples have different shapes. Pad them as for training, or run "
            "those of each shape by themselves."
        )
    if hasattr(value, "__iter__") and not isinstance(value, np.ndarray):
        return f"is a {kind}, not an array; give np.concatenate(list(x)) of its batches."
    return f"is {shown(value)} of objects, not numbers; give an array of numbers."


def wrong_shape(array: Array, shape: Shape) -> str:
    """What makes an array fit samples of ``shape``, or nothing."""
    sample = array.shape[1:]
    if fits(array.shape, shape):
        return " One sample needs a batch axis: x[np.newaxis]."
    letters = shape[-1] if shape else None
    if (
        fits(sample, shape[:-1])
        and letters is not None
        and array.size
        and np.isin(array, np.arange(letters)).all()
    ):
        return (
            f" These are codes from 0 to {letters - 1}: give them one-hot, "
            f"np.eye({letters})[x.astype(int)], in the order of the model's training."
        )
    if len(sample) == len(shape) <= MOST_AXES:
        axes = range(1, array.ndim)
        first, last = "They are channels first", "They are channels last"
        if len(axes) == 2:
            first = "Their two axes are swapped"
        moves = {
            (array.ndim - 1, *axes[:-1]): f"{last}: np.moveaxis(x, -1, 1).",
            (*axes[1:], 1): f"{first}: np.moveaxis(x, 1, -1).",
        }
        for order in (*moves, *itertools.permutations(axes)):
            if fits(tuple(array.shape[axis] for axis in order), shape):
                other = f"Their axes fit in another order: np.transpose(x, {(0, *order)})."
                return f" {moves.get(order, other)}{_option_of_axes(shape)}"
    if fits(tuple(size for size in sample if size != 1), shape):
        ones = tuple(axis for axis, size in enumerate(array.shape) if axis and size == 1)
        return f" Leave out the axes of size 1: np.squeeze(x, {ones})."
    return ""


def _option_of_axes(shape: Shape) -> str:
    """The option that turns sequences of four letters, where the axes of one sample are two."""
    if len(shape) != 2 or LETTERS not in shape:
        return ""
    axes = "NCL" if shape[-1] == LETTERS else "NLC"
    return (
        f" Of sequences de.genomics.as_input(x, network, axes={axes!r}) or --axes {axes} does it."
    )


def _first_text(value: Any) -> Any:
    """The first text in a value, None where it holds none."""
    if isinstance(value, str | bytes):
        return value
    try:
        flat = np.asarray(value).ravel()
    except Exception:  # whatever other libraries raise for what is no array
        return None
    return next((entry for entry in flat[:1000].tolist() if isinstance(entry, str | bytes)), None)


def _encoding(shape: Shape, tokens: bool) -> str:
    """How text becomes numbers."""
    letters = shape[-1] if len(shape) == 2 else None
    if letters == LETTERS:
        return (
            "Sequences are given one-hot, with letters in the order of the model's training: "
            "np.eye(4)[[['ACGT'.index(letter) for letter in sequence] for sequence in x]], or "
            "by de.genomics.as_input(x, network)."
        )
    form = "as whole numbers" if tokens else f"as {letters} numbers for each letter" * bool(letters)
    return f"Encode it {form or 'as numbers'} as for the model's training."
