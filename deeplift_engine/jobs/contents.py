"""What a store keeps of a run: arrays by name, (samples, ...), chosen by the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.results.attribution import Arrays, Attribution
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

Raw = Any  # an array as it came, or several by name


@dataclass(frozen=True)
class Content:
    """A kind of array that a store may keep.

    Attributes
    ----------
    about
        What it is.
    of
        Gives it of an attribution and of the inputs as they came.
    exact
        Whether it is kept in the dtype in which it comes, whatever the store's.
    leading
        Whether it has the leading axes of scores, targets and references among them.
    several
        Whether it is several arrays that have names of their own.
    """

    about: str
    of: Callable[[Attribution, Raw], Arrays | None]
    exact: bool = False
    leading: bool = True
    several: bool = False


def _projected(result: Attribution, _: Raw) -> Arrays:
    """The hypothetical contributions at the letters that are there."""
    hypothetical = result.hypothetical
    if isinstance(hypothetical, Mapping):
        inputs = result.inputs
        assert isinstance(inputs, Mapping)
        return {name: each * _beside(inputs[name], each) for name, each in hypothetical.items()}
    return hypothetical * _beside(np.asarray(result.inputs), hypothetical)


def _beside(inputs: Array, scores: Array) -> Array:
    """Inputs (N, *S) with axes of 1 for what scores (T, N, K, *S) have more behind the samples."""
    more = scores.ndim - inputs.ndim
    return inputs if more == 0 or scores.shape[more:] == inputs.shape else inputs[:, np.newaxis]


CONTENTS: dict[str, Content] = {
    "scores": Content("contributions", lambda result, _: result.scores),
    "multipliers": Content(
        "contribution per unit of difference", lambda result, _: result.multipliers
    ),
    "hypothetical": Content(
        "contributions that each letter would have", lambda result, _: result.hypothetical
    ),
    "projected": Content("those of the letters that are there", _projected),
    "standard_errors": Content(
        "of the means over references", lambda result, _: result.standard_errors
    ),
    "spread": Content("of the scores over several models", lambda result, _: result.spread),
    "hypothetical_spread": Content(
        "of the hypothetical contributions over them", lambda result, _: result.hypothetical_spread
    ),
    "predictions": Content(
        "the network's outputs", lambda result, _: result.predictions, exact=True, leading=False
    ),
    "convergence": Content(
        "of the sums: delta, what it should be, and the relative error",
        lambda result, _: _convergence(result),
        exact=True,
        several=True,
    ),
    "inputs": Content("the inputs as they came", lambda _, raw: raw, exact=True, leading=False),
}
"""What a store may keep, by the name that users choose."""

DEFAULT = ("scores", "predictions", "convergence")
"""What it keeps where nobody says."""
OF_SEQUENCES = ("hypothetical", "inputs")
"""And of sequences, where a method gives the first: what their exports read."""


def _convergence(result: Attribution) -> Arrays | None:
    arrays = {
        "convergence_delta": result.convergence_delta,
        "target_delta": result.target_delta,
        "relative_error": result.relative_error,
    }
    there = {name: array for name, array in arrays.items() if array is not None}
    return there or None


def default_contents(result: Attribution, of_sequences: bool) -> tuple[str, ...]:
    """Names of contents where nobody says, as far as a result has them."""
    if not of_sequences:
        return DEFAULT
    try:
        _ = result.hypothetical
    except InputError:  # of a method without multipliers, of tokens, at layers
        return DEFAULT
    return (*DEFAULT, *OF_SEQUENCES)


def checked_contents(names: Sequence[str]) -> tuple[str, ...]:
    """Names of contents, each once.

    Raises
    ------
    InputError
        For a name that there is not, and none.
    """
    for name in names:
        if name not in CONTENTS:
            listed = f"There are: {', '.join(CONTENTS)}."
            raise InputError(f"arrays={name!r} is nothing a store keeps. "
                             f"{suggest(name, list(CONTENTS), listed)}")  # fmt: skip
    if not names:
        raise InputError(f"arrays=() keeps nothing; name some of: {', '.join(CONTENTS)}.")
    return tuple(dict.fromkeys(names))


def stored_arrays(result: Attribution, raw: Raw, names: Sequence[str]) -> dict[str, Array]:
    """The contents of some samples, by their names in the store; see `labelled_arrays`."""
    return {label: array for label, _, array in labelled_arrays(result, raw, names)}


def labelled_arrays(
    result: Attribution, raw: Raw, names: Sequence[str]
) -> Iterator[tuple[str, Content, Array]]:
    """The arrays of some samples, samples first: the name in the store, and what it is.

    A content that has several arrays is a group of them: ``scores/left``; so is a head, of what
    it has of its own: ``counts/scores``.

    Raises
    ------
    InputError
        For a content that the method does not give.
    """
    heads = result.heads if result.settings.get("heads") else {}
    for head, part in heads.items():
        if head in CONTENTS:
            raise InputError(f"The head {head!r} has the name of an array; name it otherwise.")
        own = [name for name in names if CONTENTS[name].leading]
        for label, content, array in labelled_arrays(part, raw, own):
            yield f"{head.replace('/', '.')}/{label.replace('/', '.')}", content, array
    for name in names:
        content = CONTENTS[name]
        if heads and content.leading:
            continue
        values = content.of(result, raw)
        if values is None:
            raise InputError(
                f"arrays={name!r}: {result.settings.get('method')} gives none; leave it out."
            )
        axis = result.axes.index("sample") if content.leading else 0
        for label, array in named_arrays(name, values, axis).items():
            yield label, content, array


def named_arrays(name: str, values: Arrays, axis: int = 0) -> dict[str, Array]:
    """The arrays of a content by their names in the store, the samples' ``axis`` moved to first."""
    each = values if isinstance(values, Mapping) else {"": values}
    own = CONTENTS[name].several

    def label(key: str) -> str:
        return key if own else f"{name}/{key.replace('/', '.')}" if key else name

    return {label(key): np.moveaxis(np.asarray(array), axis, 0) for key, array in each.items()}


__all__ = [
    "CONTENTS",
    "DEFAULT",
    "OF_SEQUENCES",
    "Content",
    "checked_contents",
    "default_contents",
    "labelled_arrays",
    "named_arrays",
    "stored_arrays",
]
