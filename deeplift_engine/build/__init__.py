"""ModelSpec → graph of attribution layers.

Three passes: look at every layer by itself, put the nodes in order, and, if anything was
refused on the way, say all of it in one error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from conversion import LayerSpec, ModelSpec, TensorRef
from deeplift_engine.build.masks import pass_on
from deeplift_engine.build.nodes import put_node, references
from deeplift_engine.build.place import Draft, Place, Refused
from deeplift_engine.build.table import TRANSLATORS, translator
from deeplift_engine.errors import InputError, UnsupportedModelError
from deeplift_engine.graph import Graph

DTYPES = ("float32", "float64")


def build(
    spec: ModelSpec,
    *,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    dtype: str = "float32",
) -> tuple[Graph, dict[str, str]]:
    """Attribution layers for every layer of a saved model.

    Parameters
    ----------
    spec
        What `conversion.read_model` read.
    functions
        Forward passes of Lambdas and custom layers by layer name.
    dtype
        ``"float32"`` or ``"float64"``.

    Returns
    -------
    tuple
        The graph, and for each node that is a softmax or a sigmoid the node it reads.

    Raises
    ------
    UnsupportedModelError
        If any layer or option has no attribution layer; it lists all of them.
    InputError
        For another dtype, or a function for a layer that is not there.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype is 'float32' or 'float64', not {dtype!r}.")
    functions = functions or {}
    for name in functions:
        if name not in spec.layers:
            raise InputError(
                f"functions= names {name!r}, which is no layer of {spec.source}. "
                f"Its layers: {', '.join(spec.layers)}."
            )
    problems = _refusals(spec, frozenset(functions))
    draft = Draft(dtype, functions, translate)
    made: dict[TensorRef, str] = {}
    for node in spec.nodes:
        layer = spec.layers[node.layer]
        if layer.name in problems or not all(ref in made for ref in references(node)):
            continue
        try:
            put_node(Place(draft, layer, node.name, []), node, made)
        except Refused as refused:
            problems[layer.name] = (layer, refused)
    missing = [ref for ref in spec.outputs if ref not in made]
    if problems or missing:
        raise UnsupportedModelError(_listing(spec, problems, missing))
    outputs = tuple(made[ref] for ref in spec.outputs)
    return Graph(draft.nodes, tuple(spec.inputs), outputs), draft.logits


def translate(place: Place) -> tuple[str, ...]:
    """Put any layer: the nodes that hold its outputs."""
    functions = frozenset(place.draft.functions)
    found = translator(place.spec, functions)(place)
    outputs = (found,) if isinstance(found, str) else tuple(found)
    if place.spec.name not in functions:
        _check_arguments(place)
    pass_on(place, outputs)
    return outputs


def _check_arguments(place: Place) -> None:
    """Refuse what a call was given beside its tensors and no translator asked for."""
    left = {
        name: value
        for name, value in place.arguments.items()
        if name not in place.used and value is not None and value is not False
    }
    if left.pop("training", None):
        raise Refused(
            "called with training=True, so its output depends on chance or on the batch",
            "Save the model for inference.",
        )
    if left:
        raise Refused(f"called with the arguments {sorted(left)}, which have no meaning here")


def _refusals(spec: ModelSpec, functions: frozenset[str]) -> dict[str, tuple[LayerSpec, Refused]]:
    problems = {}
    for layer in spec.layers.values():
        try:
            translator(layer, functions)
        except Refused as refused:
            problems[layer.name] = (layer, refused)
    return problems


def _listing(
    spec: ModelSpec, problems: Mapping[str, tuple[LayerSpec, Refused]], missing: list[TensorRef]
) -> str:
    lines = [
        f"  {name} ({layer.class_name}): {refused.reason}."
        + (f" {refused.advice}" if refused.advice else "")
        for name, (layer, refused) in problems.items()
    ]
    lines += (
        []
        if problems
        else [
            f"  output {ref.index} of {ref.node}: the layer has no such output" for ref in missing
        ]
    )
    count = len(lines)
    return (
        f"{spec.source}: {count} layer{'s' if count != 1 else ''} of {len(spec.layers)} "
        "cannot be attributed through:\n" + "\n".join(lines)
    )


__all__ = ["DTYPES", "TRANSLATORS", "build"]
