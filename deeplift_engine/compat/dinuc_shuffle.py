"""Dinucleotide shuffles under the original's name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.errors import InputError
from deeplift_engine.references import shuffles


def dinuc_shuffle(
    seq: str | NDArray[Any], num_shufs: int | None = None, rng: Any = None
) -> str | list[str] | NDArray[Any]:
    """Shuffle one sequence so that all its pairs of neighbouring letters stay.

    Uniform over all such shuffles, which the original's are not, so that the same seed gives
    other sequences. `deeplift_engine.references.dinucleotide_shuffle` shuffles many at once.

    Parameters
    ----------
    seq
        A text, or one-hot letters ``(L, D)``.
    num_shufs
        How many; None for one, not in a list.
    rng
        A numpy ``RandomState`` or ``Generator``, from which one number is drawn; None for
        shuffles that differ from call to call.

    Returns
    -------
    str, list of str, or ndarray
        As ``seq``: a text, or an array ``(L, D)``; with ``num_shufs`` a list of texts, or an
        array ``(num_shufs, L, D)``.

    Raises
    ------
    InputError
        If ``seq`` is neither.
    """
    count = 1 if num_shufs is None else num_shufs
    seed = drawn_seed(rng)
    if isinstance(seq, str):
        texts = shuffles.dinucleotide_shuffle_sequence(seq, count, seed)
        return texts if num_shufs else texts[0]
    if isinstance(seq, np.ndarray) and seq.ndim == 2:
        arrays = shuffles.shuffle_dinucleotides(seq[np.newaxis], count, seed, channel_axis=-1)
        shuffled: NDArray[Any] = arrays[0] if num_shufs else arrays[0, 0]
        return shuffled
    raise InputError(
        f"dinuc_shuffle takes a text or a one-hot array (L, D), not {type(seq).__name__} "
        f"of shape {np.shape(seq)}."
    )


def drawn_seed(rng: Any) -> int:
    """A whole number from a ``RandomState``, a ``Generator`` or, for None, from the system."""
    if rng is None:
        rng = np.random.default_rng()
    draw = getattr(rng, "integers", None) or rng.randint
    return int(draw(2**31 - 1))
