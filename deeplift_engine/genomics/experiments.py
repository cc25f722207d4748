"""In-silico experiments: motifs in backgrounds, two motifs apart, shuffled spans, greedy design.

All ask how a target changes where windows are put into sequences (`Insertions`), so all use the
incremental forward passes of mutagenesis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.constraints import Constraints
from deeplift_engine.genomics.experiment_results import (
    Ablation,
    Design,
    Marginalisation,
    Spacing,
)
from deeplift_engine.genomics.insertions import Insertions, named, starts_of
from deeplift_engine.network import Network
from deeplift_engine.references import resolution, shuffle
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array


def marginalise(
    network: Network,
    motifs: str | Sequence[str] | Mapping[str, str],
    backgrounds: Any,
    *,
    position: int | None = None,
    progress: bool | None = None,
    **how: Any,
) -> Marginalisation:
    """Put motifs into backgrounds: what each does by itself, in the mean over contexts.

    Parameters
    ----------
    network
        The network.
    motifs
        Words of its letters, or words by name; N leaves what the background has.
    backgrounds
        Inputs (N, ...), such as dinucleotide shuffles of sequences.
    position
        Of the first letter of each motif, from 0; by default each is in the middle.
    progress
        A bar, as for `Explainer.run`.
    **how
        ``target``, ``letters``, ``axes``, ``input``, ``first_code``, ``way`` and ``batch_size`` of
        `Insertions`.

    Raises
    ------
    InputError, TargetError
        If motifs, backgrounds, target and network do not fit each other.
    """
    words = named(motifs)
    insertions = Insertions(network, **how)
    request = insertions.request(backgrounds)
    length, count = insertions.length(request), request.samples
    effects = np.zeros((len(words), count))
    starts = [
        (length - len(word)) // 2 if position is None else position for word in words.values()
    ]
    for (name, word), start in zip(words.items(), starts, strict=True):
        insertions.codes(word)
        insertions.check_inside(length, start, start + len(word), f"the motif {name}")
    with bar(len(words), progress, " motifs") as tick:
        for number, (word, start) in enumerate(zip(words.values(), starts, strict=True)):
            samples, firsts = starts_of(count, start)
            windows = insertions.written(request, samples, firsts, word)
            effects[number] = insertions.changes(request, samples, firsts, windows)
            tick(1)
    return Marginalisation(words, np.array(starts), insertions.values(request), effects)


def spacing(
    network: Network,
    first: str,
    second: str,
    backgrounds: Any,
    distances: Sequence[int],
    *,
    position: int | None = None,
    **how: Any,
) -> Spacing:
    """Put two motifs into backgrounds, at several distances from each other.

    Parameters
    ----------
    network, backgrounds, **how
        As for `marginalise`.
    first, second
        The motifs; the second stands behind the first.
    distances
        Numbers of letters between them, 0 or more.
    position
        Of the first letter of the first, from 0; by default so that the longest distance is in
        the middle.

    Raises
    ------
    InputError, TargetError
        As for `marginalise`.
    """
    apart = np.array(distances)
    if not apart.size or apart.dtype.kind not in "iu" or apart.min() < 0:
        raise InputError(f"distances={distances!r}: expected whole numbers, 0 or more")
    insertions = Insertions(network, **how)
    request = insertions.request(backgrounds)
    length, count = insertions.length(request), request.samples
    insertions.codes(first)
    insertions.codes(second)
    longest = len(first) + int(apart.max()) + len(second)
    start = (length - longest) // 2 if position is None else position
    insertions.check_inside(length, start, start + longest, "the pair of motifs")

    samples, firsts = starts_of(count, start)
    windows = insertions.written(request, samples, firsts, first)
    first_alone = insertions.changes(request, samples, firsts, windows)
    with_first = insertions.inserted(request, firsts, windows)
    each = np.tile(np.arange(count), len(apart))
    seconds = np.repeat(start + len(first) + apart, count)

    def by_second(of: Any) -> Array:
        words = insertions.written(of, each, seconds, second)
        return insertions.changes(of, each, seconds, words).reshape(len(apart), count)

    return Spacing(
        first,
        second,
        apart,
        insertions.values(request),
        first_alone,
        by_second(request),
        first_alone + by_second(with_first),
    )


def ablate(
    network: Network,
    x: Any,
    spans: Sequence[tuple[int, int]] | Mapping[str, tuple[int, int]],
    *,
    references: Any = None,
    shuffles: int = 20,
    seed: int = 0,
    progress: bool | None = None,
    **how: Any,
) -> Ablation:
    """Shuffle spans of sequences, one at a time: what the target loses with each.

    Parameters
    ----------
    network, progress, **how
        As for `marginalise`.
    x
        Inputs (N, ...).
    spans
        Pairs (first, end), from 0, end excluded, or such pairs by name.
    references
        What is put in place of a span, made from its letters alone: what
        `deeplift_engine.references` makes, or an array that fits it; by default shuffles of them.
    shuffles, seed
        How many, and the seed of their random numbers.

    Raises
    ------
    InputError, TargetError, ReferencesError
        If they do not fit each other.
    """
    several = dict(spans) if isinstance(spans, Mapping) else {f"{a}-{b}": (a, b) for a, b in spans}
    if not several:
        raise InputError("no spans: give at least one")
    insertions = Insertions(network, **how)
    request = insertions.request(x)
    length, count = insertions.length(request), request.samples
    for name, (first, end) in several.items():
        insertions.check_inside(length, first, end, f"the span {name}")
    effects, deviations = np.zeros((2, len(several), count))
    if references is None:
        references = shuffle(shuffles, seed=seed, channel_axis=insertions.alphabet.letters)
    with bar(len(several), progress, " spans") as tick:
        for number, (first, end) in enumerate(several.values()):
            samples, firsts = starts_of(count, first)
            content = insertions.windows(request, samples, firsts, end - first)
            new = _replacements(references, content)
            draws = new.shape[1]
            change = insertions.changes(
                request,
                np.repeat(samples, draws),
                np.repeat(firsts, draws),
                new.reshape(-1, *content.shape[1:]),
            ).reshape(count, draws)
            effects[number], deviations[number] = change.mean(axis=1), change.std(axis=1)
            tick(1)
    return Ablation(several, insertions.values(request), effects, deviations)


def _replacements(references: Any, content: Array) -> Array:
    """What is put in place of spans (N, *features), (N, K, *features)."""
    count = len(content)
    resolved = resolution.resolve(references, content.shape[1:], count, content.dtype, content[0])
    if not resolved.shared:
        return resolved.make(content, np.arange(count))
    new = resolved.make(content[:0], np.arange(count))
    return np.repeat(new[np.newaxis], count, axis=0)


def design(
    network: Network,
    x: Any,
    steps: int = 10,
    *,
    maximise: bool = True,
    positions: Sequence[int] | None = None,
    constraints: Constraints | None = None,
    progress: bool | None = None,
    **how: Any,
) -> Design:
    """Change one letter at a time, each time the one that changes the target most.

    Every letter is tried at every position, and the best of all is taken, while it helps.

    Parameters
    ----------
    network, progress, **how
        As for `marginalise`.
    x
        Inputs (N, ...) to begin with.
    steps
        How many letters to change at most.
    maximise
        Whether the target is to rise; else to fall.
    positions
        Those that may change, from 0; by default all.
    constraints
        What the sequences keep at every step: `deeplift_engine.genomics.Constraints`.

    Raises
    ------
    InputError, TargetError
        If they do not fit each other, or the first sequences break a constraint.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise InputError(f"steps={steps!r}: expected a whole number, 1 or more")
    insertions = Insertions(network, **how)
    request = insertions.request(x)
    length, count = insertions.length(request), request.samples
    free = np.arange(length) if positions is None else np.unique(np.asarray(positions))
    if not free.size or free.dtype.kind not in "iu" or free[0] < 0 or free[-1] >= length:
        raise InputError(f"positions={positions!r}: expected numbers from 0 to {length - 1}")
    alphabet, samples = insertions.alphabet, np.arange(count)
    if constraints is not None:
        constraints.check(alphabet.present(insertions.sequences(request)))
    values = [insertions.values(request)]
    chosen, before, after = (np.full((steps, count), -1) for _ in range(3))
    with bar(steps, progress, " steps") as tick:
        for step in range(steps):
            changes = insertions.explainer.changes(request, 0, free)[0]
            present = alphabet.present(insertions.sequences(request))
            gains = changes if maximise else -changes
            if constraints is not None:
                gains = np.where(constraints.allowed(present)[:, free], gains, 0)
            gains = gains.reshape(count, -1)
            best = gains.argmax(axis=1)
            helps = gains[samples, best] > 0
            if not helps.any():
                break
            where, letter = np.divmod(best, changes.shape[2])
            windows = alphabet.written(letter).astype(insertions.sequences(request).dtype)
            starts = free[where]
            windows[~helps] = insertions.windows(request, samples, starts, 1)[~helps]
            chosen[step] = np.where(helps, starts, -1)
            before[step] = np.where(helps, present[samples, starts], -1)
            after[step] = np.where(helps, letter, -1)
            request = insertions.inserted(request, starts, windows)
            values.append(insertions.values(request))
            tick(1)
    done = len(values) - 1
    return Design(
        insertions.sequences(request),
        np.array(values),
        chosen[:done],
        before[:done],
        after[:done],
        insertions.letters,
        alphabet.present(insertions.sequences(request)),
    )


__all__ = ["ablate", "design", "marginalise", "spacing"]
