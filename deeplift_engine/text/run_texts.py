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
from deeplift_engine.results.result_parts import check_inputs, of_target
from deeplift_engine.results.score_units import score_unit
from deeplift_engine.text.text_array import TextArray
from deeplift_engine.text.text_pairs import TextPairs
from deeplift_engine.text.text_scores import TextScores
from deeplift_engine.text.token_tables import TokenTable, token_tables
from deeplift_engine.text.tokenizer import ABSENT
from deeplift_engine.util.options import Instance, checked
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
        another, or a layer that was scored, is named; of two texts that the network reads apart,
        both, one below the other.

    Raises
    ------
    InputError
        If it is no run of texts, has no such scores, or these are not of tokens.
    """
    opened = run if isinstance(run, ScoredRun) else open_scored(run)
    tables = token_tables(opened.constants)
    if not tables:
        raise InputError(
            f"{opened.source} keeps no text, begin and end of tokens: it is no run of texts. Score "
            "texts themselves: score MODEL texts.txt --tokenizer tokenizer.json."
        )
    own = opened.settings.get("text_input")
    if input is None and own in opened.by_input("scores", head):
        input = own
    chosen_tables = _chosen(tables, input)
    scores = {
        name: opened.array("scores", head=head, input=name or input, target=target)
        for name in chosen_tables
    }
    names = opened.names
    predictions = _predictions(opened)
    label = target_label(opened.settings, head, target)
    unit = score_unit(opened.settings, bool(opened.by_input("target_delta", head)))
    for each in range(len(opened)) if samples is None else samples:
        number = opened.number_of(each) if isinstance(each, str) else each
        rows = {name: array[number : number + 1][0] for name, array in scores.items()}
        words = _joined(chosen_tables, number, rows, opened.settings)
        yield TextScores(names[number], *words, label, predictions(number), unit)


def texts_of_result(
    result: Attribution, texts: TextArray | TextPairs, *, input: str | None = None, target: int = 0
) -> Iterator[TextScores]:
    """The texts of a result in memory with their scores.

    Parameters
    ----------
    result
        Scores of these texts; of several heads, one of `Attribution.heads`.
    texts
        What the run had as its input.
    input
        The input, or layer, where there are scores of several; by default the one that read the
        texts, or both of pairs.
    target
        The number of the target, where there are several.

    Raises
    ------
    InputError
        If they are not of these texts, or there is no such target.
    """
    made = Instance((TextArray, TextPairs), "what text.texts or text.pairs gives")
    tables = _chosen(token_tables(checked("texts", texts, made, InputError).constants), input)
    own = texts.about.get("text_input")
    found, scores = of_target(result, target), dict[str, Array]()
    for name in tables:
        scores[name] = _of_input(found, name or input or own)
        if len(scores[name]) != len(texts):
            raise InputError(
                f"scores of {len(scores[name])} samples, and there are {len(texts)} texts."
            )
    check_inputs(result.inputs, texts.by_input if isinstance(texts, TextPairs) else texts)
    label = target_label(result.settings, None, target)
    unit = score_unit(result.settings, result.target_delta is not None)
    for number, name in enumerate(texts.names):
        rows = {each: array[number] for each, array in scores.items()}
        words = _joined(tables, number, rows, result.settings)
        yield TextScores(name, *words, label, _flat(result.predictions, number), unit)


def _of_input(scores: Mapping[str, Array], name: str | None) -> Array:
    """Scores of an input, or a layer."""
    if list(scores) == [""]:
        return scores[""]
    if name is None or name not in scores:
        raise InputError(f"there are scores of {', '.join(scores)}: say which, input=.")
    return scores[name]


def _chosen(tables: Mapping[str, TokenTable], input: str | None) -> Mapping[str, TokenTable]:
    """The texts of one input where it is one of several, else all."""
    return {input: tables[input]} if input in tables and input is not None else tables


def _joined(
    tables: Mapping[str, TokenTable],
    number: int,
    scores: Mapping[str, Array],
    settings: Mapping[str, Any],
) -> tuple[str, list[str], Array, Array]:
    """Text, tokens, spans and scores of a sample; of several texts, one below the other."""
    apart = settings.get("references_averaged") is False
    start, texts, tokens, spans, values = 0, [], [], [], []
    for name, table in tables.items():
        row = scores[name].mean(axis=0) if apart else scores[name]
        words, own, each = table.scored(number, row)
        text = table.text(number)
        texts.append(text)
        tokens += words
        spans.append(np.where(own == ABSENT, ABSENT, own + start))
        values.append(each)
        start += len(text) + 1
    return "\n".join(texts), tokens, np.concatenate(spans), np.concatenate(values)


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
