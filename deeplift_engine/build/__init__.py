"""ModelSpec → graph of attribution layers.

Three passes: look at every layer by itself, put the nodes in order, and, if anything was
refused on the way, say all of it in one error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from conversion import LayerSpec, ModelSpec, TensorRef
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
    draft = Draft(dtype, functions)
    made: dict[TensorRef, str] = {}
    for node in spec.nodes:
        layer = spec.layers[node.layer]
        inputs = [made.get(ref) for ref in node.inputs]
        if layer.name in problems or None in inputs:
            continue
        place = Place(draft, layer, node.name, [name for name in inputs if name], node.arguments)
        try:
            if layer.name not in functions:
                _check_arguments(node.arguments)
            made[TensorRef(node.name)] = translator(layer, frozenset(functions))(place)
        except Refused as refused:
            problems[layer.name] = (layer, refused)
    missing = [ref for ref in spec.outputs if ref not in made]
    if problems or missing:
        raise UnsupportedModelError(_listing(spec, problems, missing))
    outputs = tuple(made[ref] for ref in spec.outputs)
    return Graph(draft.nodes, tuple(spec.inputs), outputs), draft.logits


def _refusals(spec: ModelSpec, functions: frozenset[str]) -> dict[str, tuple[LayerSpec, Refused]]:
    problems = {}
    for layer in spec.layers.values():
        try:
            translator(layer, functions)
        except Refused as refused:
            problems[layer.name] = (layer, refused)
    return problems


def _check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what a call was given beside its tensors: every layer here would ignore it."""
    if arguments.get("training"):
        raise Refused(
            "called with training=True, so its output depends on chance or on the batch",
            "Save the model for inference.",
        )
    if arguments:
        raise Refused(f"called with the arguments {sorted(arguments)}, which have no meaning here")


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
            f"  output {ref.index} of {ref.node}: the layer has one output only" for ref in missing
        ]
    )
    count = len(lines)
    return (
        f"{spec.source}: {count} layer{'s' if count != 1 else ''} of {len(spec.layers)} "
        "cannot be attributed through:\n" + "\n".join(lines)
    )


__all__ = ["DTYPES", "TRANSLATORS", "build"]
