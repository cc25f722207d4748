"""Several methods compared on the same samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deeplift_engine.errors import InapplicableError, InapplicableWarning, InputError
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.comparison import TABLES, Comparison
from deeplift_engine.evaluate.metrics import find_metric
from deeplift_engine.evaluate.ranks import agreement
from deeplift_engine.evaluate.subject import Subject, label_of
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.warn import warn

if TYPE_CHECKING:
    from deeplift_engine.network import Network

Entries = str | Sequence[Any] | Mapping[str, Any]

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
    methods: Entries = METHODS,
    *,
    target: Any = None,
    references: Any = None,
    metrics: Entries = METRICS,
    groups: Any = None,
    target_layer: str = "logits",
    layers: str | Sequence[str] | None = None,
    batch_size: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Score the same samples by several methods, and judge the scores by several metrics.

    A method that this network refuses, such as a path between tokens, is left out with a warning,
    and so is a metric of the scores that it does not apply to.

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
        `deeplift_engine.explainers.perturbation.masking.groups.grouping`.
    target_layer, layers
        As ``target`` and ``layers`` of `Network.explainer`; see `Bench`.

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
    from deeplift_engine.explainers.catalogue import find

    chosen, judges = entries(methods, "methods"), entries(metrics, "metrics", short=True)
    for name, options in chosen.values():
        find(name).validate(options)
    for name, options in judges.values():
        find_metric(name).validate(options)
    bench = Bench(
        network,
        x,
        target=target,
        references=references,
        target_layer=target_layer,
        layers=layers,
        groups=groups,
        batch_size=batch_size,
        progress=progress,
    )
    left_out: dict[str, str] = {}
    runs: dict[str, Callable[[], Subject]] = {}
    for label, (name, options) in chosen.items():
        try:
            runs[label] = bench.prepare(name, label=label, **options)
        except InputError as error:  # what does not fit the network; what is no option raises
            if len(chosen) == 1:
                raise
            left_out[label] = str(error)
    if not runs:
        reasons = "; ".join(f"{label}: {reason}" for label, reason in left_out.items())
        raise InputError(f"None of the methods applies to this network. {reasons}")
    subjects = {label: run() for label, run in runs.items()}
    measured: dict[str, dict[str, Measured]] = {label: {} for label in subjects}
    for judge, (name, options) in judges.items():
        for label, subject in subjects.items():
            try:
                measured[label][judge] = find_metric(name)(subject, **options)
            except InapplicableError as error:
                left_out[f"{judge} of {label}"] = str(error)
                measured[label][judge] = subject.unmeasured
    for reason in dict.fromkeys(left_out.values()):
        what = [name for name, why in left_out.items() if why == reason]
        warn(f"left out: {', '.join(what)}. {reason}", InapplicableWarning)
    known = {label: find_metric(name) for label, (name, _) in judges.items()}
    agreed = agreement(list(subjects.values()))
    return Comparison(bench, subjects, known, measured, agreed, left_out)


def entries(
    selection: Entries, what: str, *, short: bool = False
) -> dict[str, tuple[str, dict[str, Any]]]:
    """Names with their options, by label, from what a user passes.

    Parameters
    ----------
    selection
        A name; a list of names and pairs (name, options); a mapping of names to options, or of
        labels to names or such pairs.
    what
        How to call them in an error.
    short
        Whether labels show options only where a name occurs twice.

    Raises
    ------
    InputError
        For anything else, none, and two of one label.
    """
    if isinstance(selection, str):
        selection = [selection]
    if isinstance(selection, Mapping):
        pairs = [
            (str(label), (str(label), value) if isinstance(value, Mapping) else _pair(value, what))
            for label, value in selection.items()
        ]
    else:
        chosen = [_pair(value, what) for value in selection]
        names = [name for name, _ in chosen]
        pairs = [
            (entry[0] if short and names.count(entry[0]) == 1 else label_of(*entry), entry)
            for entry in chosen
        ]
    by_label = {label: (name, dict(options)) for label, (name, options) in pairs}
    if len(by_label) < len(pairs):
        labels = [label for label, _ in pairs]
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InputError(f"{what}: {twice!r} occurs twice. Leave one out, or give labels.")
    if not by_label:
        raise InputError(f"{what} names none; give at least one.")
    return by_label


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


__all__ = ["METHODS", "METRICS", "TABLES", "Comparison", "compare", "entries"]
