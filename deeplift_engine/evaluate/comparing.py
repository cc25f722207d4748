"""Methods side by side on the same samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deeplift_engine.errors import InputError
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.comparison import Comparison, checked_suffix
from deeplift_engine.evaluate.metric import find_metric
from deeplift_engine.evaluate.ranks import agreement
from deeplift_engine.evaluate.subject import said

if TYPE_CHECKING:
    from deeplift_engine.network import Network

Named = str | Sequence[Any] | Mapping[str, Any]

METHODS = ("gradient_times_input", "integrated_gradients", "deeplift", "occlusion")
METRICS = (
    "completeness",
    "sensitivity_n",
    "deletion",
    "insertion",
    "infidelity",
    "max_sensitivity",
    "sparsity",
)


def compare(
    network: Network,
    x: Any,
    methods: Named = METHODS,
    *,
    target: Any = None,
    references: Any = None,
    metrics: Named = METRICS,
    groups: Any = None,
    target_layer: str = "logits",
    batch_size: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Score the same samples by several methods, and judge the scores by several metrics.

    Parameters
    ----------
    network
        From `load` or `convert`.
    x, target, references, batch_size, progress
        As for `Explainer.run`. Methods that compare with nothing are given no references; where a
        metric erases something, references take its place.
    methods
        Names of `deeplift_engine.methods`, or pairs (name, options); or a mapping of names to
        options, or of labels to names or such pairs.
    metrics
        Names of `deeplift_engine.evaluate.METRICS`, said in the same ways.
    groups
        What is erased together, as of perturbation methods; see
        `deeplift_engine.perturbation.groups.grouping`.
    target_layer
        As ``target`` of `Network.explainer`.

    Returns
    -------
    Comparison
        Print it for a table; ``figure()`` draws it, ``save()`` writes it.

    Raises
    ------
    InputError, TargetError, ReferencesError, RuleError
        For names and options that are not known, before anything is computed, and for data that do
        not fit the network or each other.
    """
    from deeplift_engine.explainers.table import find

    chosen, judges = entries(methods, "methods"), entries(metrics, "metrics", short=True)
    for name, options in chosen.values():
        find(name).check(options)
    for name, options in judges.values():
        find_metric(name).check(options)
    bench = Bench(
        network,
        x,
        target=target,
        references=references,
        target_layer=target_layer,
        groups=groups,
        batch_size=batch_size,
        progress=progress,
    )
    subjects = {
        label: bench.run(name, label=label, **options) for label, (name, options) in chosen.items()
    }
    measured = {
        label: {
            judge: find_metric(name)(subject, **options)
            for judge, (name, options) in judges.items()
        }
        for label, subject in subjects.items()
    }
    known = {label: find_metric(name) for label, (name, _) in judges.items()}
    return Comparison(bench, subjects, known, measured, agreement(list(subjects.values())))


def entries(
    given: Named, what: str, *, short: bool = False
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Names with their options, by label, of what a user gives.

    Parameters
    ----------
    given
        A name; a list of names and pairs (name, options); a mapping of names to options, or of
        labels to names or such pairs.
    what
        How to call them in an error.
    short
        Whether labels say options only where a name is there twice.

    Raises
    ------
    InputError
        For anything else, none, and two of one label.
    """
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        pairs = [
            (str(label), (str(label), value) if isinstance(value, Mapping) else _pair(value, what))
            for label, value in given.items()
        ]
    else:
        chosen = [_pair(value, what) for value in given]
        names = [name for name, _ in chosen]
        pairs = [
            (entry[0] if short and names.count(entry[0]) == 1 else said(*entry), entry)
            for entry in chosen
        ]
    found = {label: (name, dict(options)) for label, (name, options) in pairs}
    if len(found) < len(pairs):
        labels = [label for label, _ in pairs]
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InputError(f"{what}: {twice!r} is there twice. Leave one out, or give labels.")
    if not found:
        raise InputError(f"{what} names none; give at least one.")
    return found


def _pair(value: Any, what: str) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if (
        isinstance(value, Sequence)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], Mapping)
    ):
        return value[0], value[1]
    raise InputError(f"{what}: expected a name, or a pair (name, options), not {value!r}.")


__all__ = ["METHODS", "METRICS", "Comparison", "checked_suffix", "compare", "entries"]
