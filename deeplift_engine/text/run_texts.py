"""Texts with their scores, of a result in memory or of what a run left."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.scored_run import ScoredRun, open_scored
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.score_units import score_unit
from deeplift_engine.text.text_input import TextInput
from deeplift_engine.text.text_scores import TextScores
from deeplift_engine.util.typing import Array


def scored_texts(
    run: ScoredRun | str | os.PathLike[str],
    samples: Sequence[int | str] | None = None,
    *,
    head: str | None = None,
    input: str | None = None,
    target: int = 0,
) -> Iterator[TextScores]:
    """The texts of a run with their scores, read one by one.

    Parameters
    ----------
    run
        A file of scores of texts, a store, or either opened.
    samples
        Numbers, or names, of the samples; all by default.
    head, input, target
        Which of several, as for `ScoredRun.array`. The input is the one that read the texts, unless
        another, or a layer that was scored, is named.

    Raises
    ------
    InputError
        If it is no run of texts, has no such scores, or these are not of tokens.
    """
    opened = run if isinstance(run, ScoredRun) else open_scored(run)
    constants = opened.constants
    if missing := [name for name in ("text", "token", "begin", "end") if name not in constants]:
        raise InputError(
            f"{opened.source} keeps no {', '.join(missing)}: it is no run of texts. Score texts "
            "themselves: score MODEL texts.txt --tokenizer tokenizer.json."
        )
    own = opened.settings.get("text_input")
    if input is None and own in opened.by_input("scores", head):
        input = own
    scores = opened.array("scores", head=head, input=input, target=target)
    names, texts = opened.names, opened.labels("text")
    predictions = _predictions(opened)
    label = target_label(opened.settings, head, target)
    unit = score_unit(opened.settings, bool(opened.by_input("target_delta", head)))
    chosen = range(len(opened)) if samples is None else samples
    for each in chosen:
        number = opened.number_of(each) if isinstance(each, str) else each
        yield TextScores(
            names[number],
            texts[number],
            [str(token) for token in constants["token"][number]],
            np.stack([constants["begin"][number], constants["end"][number]], axis=1),
            _by_token(scores[number : number + 1][0], constants["token"].shape[1], opened.settings),
            label,
            predictions(number),
            unit,
        )


def texts_of_result(
    result: Attribution, texts: TextInput, *, input: str | None = None, target: int = 0
) -> Iterator[TextScores]:
    """The texts of a result in memory with their scores.

    Parameters
    ----------
    result
        Scores of these texts; of several heads, one of `Attribution.heads`.
    texts
        What the run had as its input.
    input
        The input, or layer, where there are scores of several.
    target
        The number of the target, where there are several.

    Raises
    ------
    InputError
        If they are not of these texts.
    """
    scores = result.scores
    if isinstance(scores, Mapping):
        if input is None or input not in scores:
            raise InputError(f"there are scores of {', '.join(scores)}: say which, input=.")
        scores = scores[input]
    array = np.asarray(scores)[target] if result.axes[0] == "target" else np.asarray(scores)
    if len(array) != len(texts):
        raise InputError(f"scores of {len(array)} samples, and there are {len(texts)} texts.")
    columns = texts.constants
    for number, row in enumerate(array):
        yield TextScores(
            texts.names[number],
            texts.texts[number],
            columns["token"][number].tolist(),
            np.stack([columns["begin"][number], columns["end"][number]], axis=1),
            _by_token(row, texts.layout.length, result.settings),
            target_label(result.settings, None, target),
            _flat(result.predictions, number),
            score_unit(result.settings, result.target_delta is not None),
        )


def target_label(settings: Mapping[str, Any], head: str | None, target: int) -> str:
    """What scores explain, in few words: a head, a unit, or both."""
    told = settings.get("target")
    told = told.get(head) if isinstance(told, Mapping) and head else told
    try:
        unit = ast.literal_eval(str(told))
    except (SyntaxError, ValueError):
        unit = told
    unit = unit[target] if isinstance(unit, list) and target < len(unit) else unit
    return " ".join(filter(None, (head or "", "" if unit is None else f"unit {unit}")))


def _by_token(scores: Array, length: int, settings: Mapping[str, Any]) -> Array:
    """Scores (L,) of tokens, from those at an embedding, and averaged over references.

    Raises
    ------
    InputError
        If they have no axis of tokens.
    """
    if settings.get("references_averaged") is False:
        scores = scores.mean(axis=0)
    if scores.ndim == 0 or len(scores) != length:
        raise InputError(
            f"scores of shape {scores.shape}, and the texts have {length} tokens: score at the "
            "input, or at the layer that embeds it."
        )
    each: Array = np.asarray(scores, np.float64).reshape(length, -1)
    return np.asarray(each.sum(axis=1))


def _predictions(run: ScoredRun) -> Callable[[int], tuple[float, ...]]:
    """What gives the outputs for a sample; nothing where the run does not keep them."""
    names = run.by_input("predictions")
    outputs = {name: run.array("predictions", input=name or None) for name in names}

    def read(number: int) -> tuple[float, ...]:
        return _flat({name: array[number : number + 1] for name, array in outputs.items()}, 0)

    return read


def _flat(predictions: Any, number: int) -> tuple[float, ...]:
    """The outputs for one sample, one behind the other."""
    each = predictions.values() if isinstance(predictions, Mapping) else [predictions]
    return tuple(float(value) for array in each for value in np.ravel(np.asarray(array)[number]))


__all__ = ["scored_texts", "target_label", "texts_of_result"]
