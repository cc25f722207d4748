"""Scores against several shuffled references of each sequence, averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deeplift_engine import references as reference_module
from deeplift_engine.compat.dinuc_shuffle import dinuc_shuffle
from deeplift_engine.compat.hypothetical import HypotheticalFunction
from deeplift_engine.compat.scoring import ScoringFunction
from deeplift_engine.errors import InputError
from deeplift_engine.references import shuffles
from deeplift_engine.util.typing import Array

TASKS_AT_ONCE = 16
"""Targets explained in one pass."""


def get_shuffle_seq_ref_function(
    score_computation_function: Callable[..., Any],
    shuffle_func: Callable[..., Any],
    one_hot_func: Callable[[list[Any]], Any] | None = None,
) -> Callable[..., Any]:
    """Scores averaged over shuffled references.

    Parameters
    ----------
    score_computation_function
        A scoring function of a converted model or what
        `get_hypothetical_contribs_func_onehot` makes of one, for which each input is forwarded
        once and all tasks are scored in one pass; or any function with their parameters.
    shuffle_func
        ``shuffle_func(sequence, rng=RandomState)`` gives one shuffle.
        `deeplift_engine.compat.dinuc_shuffle.dinuc_shuffle` is run on whole batches.
    one_hot_func
        From a list of sequences to an array (N, ...); None where they are arrays already.

    Returns
    -------
    callable
        ``f(task_idx, input_data_sequences, num_refs_per_seq, batch_size, seed=1,
        progress_update=None, pregen_refs=None)`` gives ``(N, ...)``, or a list of them where
        ``task_idx`` is iterable. ``pregen_refs`` are references made before, those of the
        first sequence first.
    """

    def with_shuffled_references(
        task_idx: Any,
        input_data_sequences: Any,
        num_refs_per_seq: int,
        batch_size: int | None = None,
        seed: int = 1,
        progress_update: int | None = None,
        pregen_refs: Any = None,
    ) -> Any:
        inputs = _encoded(one_hot_func, input_data_sequences)
        count = num_refs_per_seq
        if pregen_refs is not None:
            resolved = _own_references(pregen_refs, inputs, count, one_hot_func)
        elif shuffle_func is dinuc_shuffle:
            resolved = _dinucleotides(input_data_sequences, count, seed, one_hot_func)
        else:
            rng = np.random.RandomState(seed)
            shuffled = [
                shuffle_func(one.squeeze() if isinstance(one, np.ndarray) else one, rng=rng)
                for one in input_data_sequences
                for _ in range(count)
            ]
            resolved = _own_references(shuffled, inputs, count, one_hot_func)
        several = hasattr(task_idx, "__iter__")
        tasks = list(task_idx) if several else [task_idx]
        score = score_computation_function
        if isinstance(score, ScoringFunction) or (
            isinstance(score, HypotheticalFunction) and score.averages
        ):
            scores = _in_one_pass(score, tasks, inputs, resolved, batch_size, progress_update)
        else:
            scores = _repeated(
                score,
                tasks,
                inputs,
                _flat_references(resolved, inputs),
                batch_size,
                progress_update,
            )
        return scores if several else scores[0]

    return with_shuffled_references


def _encoded(one_hot_func: Callable[[list[Any]], Any] | None, sequences: Any) -> Array:
    return np.asarray(sequences if one_hot_func is None else one_hot_func(list(sequences)))


def _own_references(
    shuffled: Any, inputs: Array, count: int, one_hot_func: Callable[[list[Any]], Any] | None
) -> reference_module.References:
    if len(shuffled) != len(inputs) * count:
        raise InputError(
            f"{len(shuffled)} references for {len(inputs)} sequences; with "
            f"num_refs_per_seq={count} there must be {len(inputs) * count}."
        )
    arrays = _encoded(one_hot_func, shuffled).reshape(len(inputs), count, *inputs.shape[1:])
    return _own("shuffle_func", count, lambda indices: arrays[indices])


def _dinucleotides(
    sequences: Sequence[Any],
    count: int,
    seed: int,
    one_hot_func: Callable[[list[Any]], Any] | None,
) -> reference_module.References:
    """References computed batch by batch: memory is independent of the number of sequences."""
    if one_hot_func is None:
        return reference_module.dinucleotide_shuffle(count, seed, channel_axis=-1)

    def make(indices: Array) -> Array:
        texts = [
            text
            for index in indices
            for text in shuffles.dinucleotide_shuffle_sequence(sequences[index], count, seed)
        ]
        arrays = np.asarray(one_hot_func(texts))
        return arrays.reshape(len(indices), count, *arrays.shape[1:])

    return _own(f"dinuc_shuffle({count}, seed={seed})", count, make)


def _own(name: str, count: int, make: Callable[[Array], Array]) -> reference_module.References:
    return reference_module.References(name, count, False, lambda inputs, indices: make(indices))


def _in_one_pass(
    score: ScoringFunction | HypotheticalFunction,
    tasks: list[Any],
    inputs: Array,
    resolved: reference_module.References,
    batch_size: int | None,
    progress_update: int | None,
) -> list[Any]:
    scores: list[Any] = []
    for start in range(0, len(tasks), TASKS_AT_ONCE):
        group = tasks[start : start + TASKS_AT_ONCE]
        size = None if batch_size is None else max(1, batch_size // len(group))
        scores += list(score.averaged(group, [inputs], [resolved], size, progress_update))
    return scores


def _flat_references(resolved: reference_module.References, inputs: Array) -> Array:
    """All references (N · K, ...)."""
    shuffled = resolved.make(inputs, np.arange(len(inputs)))
    return shuffled.reshape(-1, *inputs.shape[1:])


def _repeated(
    score: Callable[..., Any],
    tasks: list[Any],
    inputs: Array,
    shuffled: Array,
    batch_size: int | None,
    progress_update: int | None,
) -> list[Any]:
    """Scores by any function: each input is repeated for each of its references."""
    count = len(shuffled) // len(inputs)
    scores = []
    for task in tasks:
        scored = score(
            task_idx=task,
            input_data_list=[np.repeat(inputs, count, axis=0)],
            input_references_list=[shuffled],
            batch_size=batch_size,
            progress_update=progress_update,
        )
        paired = np.asarray(scored).reshape(len(inputs), count, *inputs.shape[1:])
        scores.append(paired.mean(axis=1))
    return scores
