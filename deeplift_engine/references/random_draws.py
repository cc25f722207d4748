"""References drawn at random for each input: shuffles, sequences of its GC content, data.

A draw depends on the sample's content, a seed and the draw's number (0 … count-1) alone. So batch
size, order and neighbours change nothing, and equal samples have equal references.

Users meet these names through `deeplift_engine.references`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from deeplift_engine.errors import ReferencesError
from deeplift_engine.references import shuffles
from deeplift_engine.references.gc_content import gc_contents, with_gc_content
from deeplift_engine.references.random_streams import (
    checked_seed,
    keys_of,
    lane_streams,
    random_words,
)
from deeplift_engine.references.reference_set import (
    References,
    describe,
    dims,
    positive,
    recreated,
    to_numbers,
)
from deeplift_engine.util.typing import Array

Count: TypeAlias = int | Literal["auto"]
Draw: TypeAlias = Callable[[Array, int, int], Array]
"""``draw(inputs (n, *S), count, first) -> (n, count, *S)``: draws ``first`` … of each input."""

TOLERANCE, MOST = 0.05, 200
ROUNDING = 1e-9


@recreated
def shuffle(
    count: Count = 20,
    seed: int = 0,
    *,
    channel_axis: int | None = None,
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> References:
    """The positions of each input in random order, ``count`` times.

    Letter counts stay, pairs of neighbours do not; see `shuffles.shuffle_positions`.

    Parameters
    ----------
    count
        References for each input, or ``"auto"``.
    seed
        A whole number of 0 or more.
    channel_axis
        The axis of the letters in one sample; by default the only axis of size 4.
    tolerance, most
        With ``"auto"``, a run adds references to a sample until the standard errors of its scores
        are within ``tolerance`` of its largest score, or it has ``most``.
    """

    def draw(inputs: Array, count: int, first: int) -> Array:
        return shuffles.shuffle_positions(
            inputs, count, seed, first=first, channel_axis=channel_axis
        )

    return _drawn("shuffle", _settings(seed, channel_axis), draw, count, tolerance, most)


@recreated
def dinucleotide_shuffle(
    count: Count = 20,
    seed: int = 0,
    *,
    channel_axis: int | None = None,
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> References:
    """Each input shuffled with all pairs of neighbouring letters kept, ``count`` times.

    Drawn uniformly from all such shuffles; see `shuffles.shuffle_words`.

    Parameters
    ----------
    count
        References for each input, or ``"auto"``.
    seed
        A whole number of 0 or more.
    channel_axis
        The axis of the letters in one sample; by default the only axis of size 4.
    tolerance, most
        With ``"auto"``, a run adds references to a sample until the standard errors of its scores
        are within ``tolerance`` of its largest score, or it has ``most``.
    """
    draw = _words(2, seed, channel_axis)
    settings = _settings(seed, channel_axis)
    return _drawn("dinucleotide_shuffle", settings, draw, count, tolerance, most)


@recreated
def kmer_shuffle(
    count: Count = 20,
    seed: int = 0,
    *,
    k: int = 3,
    channel_axis: int | None = None,
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> References:
    """Each input shuffled with all words of ``k`` letters kept, ``count`` times.

    Drawn uniformly from all such shuffles; see `shuffles.shuffle_words`. Longer words have fewer
    shuffles: with ``k=8`` hardly any position of 2,000 random bases moves.

    Parameters
    ----------
    count
        References for each input, or ``"auto"``.
    seed
        A whole number of 0 or more.
    k
        2 to 8 letters.
    channel_axis
        The axis of the letters in one sample; by default the only axis of size 4.
    tolerance, most
        With ``"auto"``, a run adds references to a sample until the standard errors of its scores
        are within ``tolerance`` of its largest score, or it has ``most``.
    """
    draw = _words(shuffles.checked_word(k), seed, channel_axis)
    settings = f"k={k}, {_settings(seed, channel_axis)}"
    return _drawn("kmer_shuffle", settings, draw, count, tolerance, most)


@recreated
def gc_matched(
    count: Count = 20,
    seed: int = 0,
    *,
    background: ArrayLike | None = None,
    within: float = 0.02,
    channel_axis: int | None = None,
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> References:
    """Random sequences of each input's GC content, ``count`` of each.

    They are uniform over all sequences with as many G and C as the input; columns that are no
    letter (N) do not change. With a ``background`` they are members of it.

    Parameters
    ----------
    count
        References for each input, or ``"auto"``.
    seed
        A whole number of 0 or more.
    background
        One-hot sequences ``(M, *S)``, such as those of the genome that the network was not trained
        on. Their GC content is within ``within`` of the input's, or they are the nearest ones;
        none is drawn twice, nor the input itself.
    within
        The largest difference in GC content from the input.
    channel_axis
        The axis of the letters A, C, G, T in one sample; by default the only axis of size 4.
    tolerance, most
        With ``"auto"``, a run adds references to a sample until the standard errors of its scores
        are within ``tolerance`` of its largest score, or it has ``most``.
    """
    settings = _settings(seed, channel_axis)
    if background is None:

        def draw(inputs: Array, count: int, first: int) -> Array:
            return with_gc_content(inputs, count, seed, first, channel_axis=channel_axis)

        return _drawn("gc_matched", settings, draw, count, tolerance, most)
    members = _members(background, f"gc_matched({count}, background)")
    contents, keys = gc_contents(members, channel_axis), keys_of(members)

    def draw_members(inputs: Array, count: int, first: int) -> Array:
        apart = np.abs(gc_contents(inputs, channel_axis)[:, np.newaxis] - contents)
        later = np.where(apart <= within + ROUNDING, 0.0, apart)
        return _chosen(inputs, members, keys, later, seed, first, count, "gc_matched")

    settings = f"background={describe(members)}, within={within:g}, {settings}"
    return _drawn("gc_matched", settings, draw_members, count, tolerance, _others(most, members))


@recreated
def drawn(
    array: ArrayLike,
    count: Count = 20,
    seed: int = 0,
    *,
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> References:
    """Members of a data set, ``count`` drawn at random for each input.

    None is drawn twice for one input, nor the input itself where it is in the data set.

    Parameters
    ----------
    array
        The data set, ``(M, *S)``.
    count
        References for each input, or ``"auto"``.
    seed
        A whole number of 0 or more.
    tolerance, most
        With ``"auto"``, a run adds references to a sample until the standard errors of its scores
        are within ``tolerance`` of its largest score, or it has ``most``.
    """
    members = _members(array, f"drawn({count})")
    keys = keys_of(members)

    def draw(inputs: Array, count: int, first: int) -> Array:
        later = np.zeros((len(inputs), len(members)))
        return _chosen(inputs, members, keys, later, seed, first, count, "drawn")

    settings = f"{describe(members)}, {_settings(seed)}"
    return _drawn("drawn", settings, draw, count, tolerance, _others(most, members))


def _others(most: int, members: Array) -> int:
    """The largest count: ``most``, or the members other than the input itself."""
    return min(most, max(1, len(members) - 1))


def _words(k: int, seed: int, channel_axis: int | None) -> Draw:
    def draw(inputs: Array, count: int, first: int) -> Array:
        return shuffles.shuffle_words(
            inputs, count, seed, k, first=first, channel_axis=channel_axis
        )

    return draw


def _drawn(
    kind: str, settings: str, draw: Draw, count: Count, tolerance: float, most: int
) -> References:
    """References that can be drawn by number; with ``"auto"``, ``most`` of them."""
    name = f"{kind}({count}, {settings})"
    if count != "auto":
        positive(count, name)
        return _numbered(name, draw, count)
    if not tolerance > 0:
        raise ReferencesError(f"{name}: tolerance is a number above 0, not {tolerance!r}")
    positive(most, name)
    name = f"{kind}(auto, {settings}, tolerance={tolerance:g}, most={most})"
    return _numbered(name, draw, most, tolerance=tolerance)


def _numbered(
    name: str, draw: Draw, count: int, first: int = 0, tolerance: float | None = None
) -> References:
    return References(
        name,
        count,
        False,
        lambda inputs, indices: draw(inputs, count, first),
        tolerance,
        lambda start, stop: _numbered(name, draw, stop - start, first + start),
        drawn=True,
    )


def _members(array: ArrayLike, name: str) -> Array:
    members = to_numbers(array, name)
    if members.ndim == 0 or len(members) == 0:
        raise ReferencesError(f"{name}: give at least one member, as an array (M, *shape)")
    return members


def _chosen(
    inputs: Array,
    members: Array,
    keys: Array,
    later: Array,
    seed: int,
    first: int,
    count: int,
    what: str,
) -> Array:
    """Members in random order, sorted by ``later`` (n, M) first, without the input itself."""
    if members.shape[1:] != inputs.shape[1:]:
        raise ReferencesError(
            f"{what}: each member has shape {members.shape[1:]}, the inputs have "
            f"{inputs.shape[1:]}; give an array of shape (M, {dims(inputs.shape[1:])})"
        )
    if first + count > len(members):
        raise ReferencesError(f"{what}: {first + count} of {len(members)} members were asked for")
    own = keys_of(inputs)
    itself = keys == own[:, np.newaxis]
    fewest = len(members) - int(itself.sum(axis=1).max(initial=0))
    if first + count > fewest:
        raise ReferencesError(
            f"{what}: {first + count} of {len(members)} members were asked for, and an input that "
            f"is one of them has {fewest} others; ask for {fewest}, add members, or compare with "
            "all of them by references.shared(array)"
        )
    later = np.where(itself, np.inf, later)
    words = random_words(lane_streams(own, 1, seed), np.arange(len(members), dtype=np.uint64))
    order = np.lexsort((words, later), axis=1)[:, first : first + count]
    return members[order]


def _settings(seed: int, channel_axis: int | None = None) -> str:
    """The seed, checked, and the axis of the letters where it is given, as a call writes them."""
    axis = "" if channel_axis is None else f", channel_axis={channel_axis}"
    return f"seed={checked_seed(seed)}{axis}"
