"""How much of the contributions of a sample passes through each layer and each of its units."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.jobs.scored_run import ScoredRun
from deeplift_engine.references import KINDS
from deeplift_engine.report.layer_activations import network_inputs
from deeplift_engine.report.model_drawing import rules_of
from deeplift_engine.report.packing import number
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.explainers.explainer import Explainer
    from deeplift_engine.network import Network

UNITS = 12
"""Units of a layer that are told, the largest."""
TOLERANCE = 1e-3
"""How far the target's differences may lie from those of the run, relative to the largest."""


@dataclass(frozen=True)
class Parts:
    """Contributions at layers, as a page holds them.

    Attributes
    ----------
    of
        What they are contributions to, in words.
    why_not
        Why there are none.
    samples
        By numbers of samples, of the layer k ``layerk/part``: ``total``, the sum over the layer;
        ``cut``, whether that is the target's difference from reference, because every way from
        the inputs to the target goes through the layer once; ``axis`` and ``count``, what its
        units are and how many; ``units``, the largest as ``[number, sum over the rest of S]``.
    """

    of: str
    why_not: str
    samples: Mapping[int, Mapping[str, Any]]


def layer_contributions(
    network: Network, run: ScoredRun, layers: Sequence[str], samples: Array
) -> Parts:
    """Contributions at the outputs of layers to the first target of a run, over all references.

    They are computed again, and told where the target's differences are those that the run keeps.

    Parameters
    ----------
    network
        The network.
    run
        A run of DeepLIFT that keeps its inputs and sums.
    layers
        Names of layers in the order of the drawing.
    samples
        Numbers of samples.
    """
    head = next(iter(run.heads), None)
    scored = np.array([each for each in samples if each not in run.failed], int)
    try:
        return _parts(network, run, layers, scored, head)
    except DeepliftEngineError as error:
        return Parts("", f"No contributions at layers: {error}", {})


def _parts(
    network: Network, run: ScoredRun, layers: Sequence[str], samples: Array, head: str | None
) -> Parts:
    inputs, expected = network_inputs(network, run, samples), _target_deltas(run, head, samples)
    if run.settings.get("method") != "deeplift" or inputs is None or expected is None:
        raise InputError(
            "they are of DeepLIFT, where the run keeps inputs and sums (--arrays "
            "scores,inputs,predictions,convergence)"
        )
    target = str(_of_head(run.settings.get("target_layer"), head))
    units = _units(run.target(head))
    explainer = _explainer(network, run.settings, target, layers)
    references = _references_again(run.settings.get("references"))
    result = explainer.run(inputs, target=units, references=references, progress=False)
    if result.target_delta is None or not _agree(result.target_delta, expected):
        raise InputError("the run's references or rules cannot be made again from its settings")
    points = {point.name: point for point in explainer.task.attribution_points}
    several = isinstance(result.scores, Mapping)
    scores: Any = result.scores if several else dict.fromkeys(points, result.scores)
    held: dict[int, dict[str, Any]] = {int(row): {} for row in samples}
    for k, name in enumerate(layers):
        if name in points:
            cut = replace(explainer.task, attribution_points=(points[name],)).separates
            first = points[name].node != name
            for own, values in zip(held.values(), scores[name], strict=True):
                own[f"layer{k}/part"] = {"cut": cut, **_part(values, first)}
    unit = "the only unit" if units is None else f"unit {units}"
    return Parts(f"{unit} of {target.removesuffix('/pre_activation')}", "", held)


def _explainer(
    network: Network, settings: Mapping[str, Any], target: str, layers: Sequence[str]
) -> Explainer:
    """DeepLIFT at all layers between the inputs and the target, with the options of a run."""
    graph, end = network.graph, network.target_node(target)
    on_way = graph.on_paths(graph.inputs, [end])
    names = [
        name
        for name in layers
        if name in on_way and (name in graph.inputs or not graph.nodes[name].tokens)
    ]
    told = {**(settings.get("options") or {}), "rules": rules_of(settings)}
    options = {name: value for name, value in told.items() if value is not None}
    return network.explainer("deeplift", target=target, layers=names, **options)


def _part(values: Array, channels_first: bool) -> dict[str, Any]:
    """The sums of one sample over a layer, and over each of its units or channels."""
    moved = np.moveaxis(values, 0, -1) if channels_first else values
    each = np.asarray(moved, np.float64).reshape(-1, moved.shape[-1] if moved.ndim else 1).sum(0)
    largest = np.argsort(-np.abs(each), kind="stable")[:UNITS]
    return {
        "total": number(np.float32(each.sum())),
        "axis": "unit" if moved.ndim < 2 else "channel",
        "count": len(each),
        "units": [[int(unit), number(np.float32(each[unit]))] for unit in largest],
    }


def _target_deltas(run: ScoredRun, head: str | None, samples: Array) -> Array | None:
    """Differences (n,) of the first target from its references, as the run keeps them."""
    array = run.by_input("target_delta", head).get("")
    if array is None or not len(samples):
        return None
    values = np.asarray(array[samples], np.float64)
    values = values[:, 0] if "target" in run.axes(head) else values
    return values.reshape(len(values), -1).mean(axis=1)


def _agree(values: Array, expected: Array) -> bool:
    most = float(np.abs(expected).max(initial=0))
    return bool(np.allclose(values, expected, rtol=0, atol=TOLERANCE * most))


def _of_head(told: Any, head: str | None) -> Any:
    return told.get(head) if isinstance(told, Mapping) and head else told


def _units(words: str) -> Any:
    """The first target of the words of a run's settings."""
    try:
        told = 0 if words == "all" else ast.literal_eval(words)
    except (SyntaxError, ValueError):
        raise InputError(f"the target {words} cannot be made again") from None
    return told[0] if isinstance(told, list) else told


def _references_again(told: Any) -> Any:
    """References from their words, such as ``dinucleotide_shuffle(20, seed=3)``.

    Raises
    ------
    InputError
        If words do not tell all of them, as of arrays.
    """
    if isinstance(told, Mapping):
        return {name: _references_again(each) for name, each in told.items()}
    words = str(told)
    try:
        call = ast.parse(words if "(" in words else f"{words}()", mode="eval").body
        assert isinstance(call, ast.Call)
        named = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        return KINDS[ast.unparse(call.func)].create(*map(ast.literal_eval, call.args), **named)
    except (SyntaxError, ValueError, KeyError, TypeError, AssertionError):
        raise InputError(f"the references {told} cannot be made again from these words") from None


__all__ = ["Parts", "layer_contributions"]
