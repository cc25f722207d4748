"""ModelSpec → graph of attribution layers.

Three passes: look at every layer by itself, put the nodes in order, and, if anything was
refused on the way, say all of it in one error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deeplift_conversion import LayerSpec, ModelSpec, TensorRef
from deeplift_engine.errors import LONGEST, InputError, UnsupportedModelError
from deeplift_engine.graph.graph import Graph
from deeplift_engine.graph.interface import input_layers
from deeplift_engine.graph.keep_nan import keeping_nan
from deeplift_engine.graph.naming import displaced
from deeplift_engine.translate.addons.table import with_addons
from deeplift_engine.translate.layer_context import GraphBuilder, LayerContext, Refusal
from deeplift_engine.translate.nodes import put_constants, put_node, references
from deeplift_engine.translate.operations import is_operation
from deeplift_engine.translate.stored_numbers import in_float32
from deeplift_engine.translate.table import TRANSLATORS, output_mask, translator
from deeplift_engine.translate.user_definitions import UserDefinition, definitions_by_layer
from deeplift_engine.translate.user_layers import LayerFunction

DTYPES = ("float32", "float64")
ROOM = 80
"""Characters of a message for the number of layers that it does not list."""


@dataclass(frozen=True)
class Built:
    """The result of a build, complete or not.

    ``problems`` holds the refusal of each refused layer; ``waiting`` the layers that were not tried
    because they read a refused one; ``problem`` is the message with all of them, or empty.
    """

    graph: Graph
    logits: Mapping[str, str]
    definitions: Mapping[str, UserDefinition]
    problems: Mapping[str, tuple[LayerSpec, Refusal]]
    waiting: tuple[str, ...] = ()
    problem: str = ""


def build(
    spec: ModelSpec,
    *,
    layers: Mapping[str, LayerFunction] | None = None,
    functions: Mapping[str, LayerFunction] | None = None,
    registered: Mapping[str, LayerFunction] | None = None,
    dtype: str = "float32",
) -> Built:
    """Return attribution layers for every layer of a saved model.

    Parameters
    ----------
    spec
        What `deeplift_conversion.read_model` read.
    layers, functions, registered
        Definitions of Lambdas and custom layers, see `deeplift_engine.loading.load`.
    dtype
        ``"float32"`` or ``"float64"``.

    Raises
    ------
    UnsupportedModelError
        If any layer or option has no attribution layer; it lists all of them.
    InputError
        For another dtype, or a definition of a layer that does not exist.
    """
    definitions = definitions_of(spec, layers, functions, registered)
    built = survey(spec, definitions, dtype)
    if built.problem:
        causes = (refused.__cause__ for _, refused in built.problems.values())
        raise UnsupportedModelError(built.problem) from next(filter(None, causes), None)
    return built


def definitions_of(
    spec: ModelSpec,
    layers: Mapping[str, LayerFunction] | None,
    functions: Mapping[str, LayerFunction] | None,
    registered: Mapping[str, LayerFunction] | None,
) -> dict[str, UserDefinition]:
    """The definition of each layer that is none of Keras's: the user's, or a package's.

    Parameters and errors are those of `definitions_by_layer`.
    """
    return with_addons(spec, definitions_by_layer(spec, layers, functions, registered or {}))


def survey(
    spec: ModelSpec, definitions: Mapping[str, UserDefinition], dtype: str = "float32"
) -> Built:
    """Return attribution layers for every layer of a saved model that can have them.

    Raises
    ------
    InputError
        For another dtype.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype is 'float32' or 'float64', not {dtype!r}.")
    spec = in_float32(spec, frozenset(definitions))
    problems = _refusals(spec, frozenset(definitions))
    builder = GraphBuilder(dtype, definitions, translate, era=spec.era)
    layers_of_inputs = input_layers(spec)
    renamed = displaced([node.name for node in spec.nodes], layers_of_inputs)
    node_names: dict[TensorRef, str] = {}
    waiting: dict[str, None] = {}
    for node in spec.nodes:
        layer = spec.layers[node.layer]
        if layer.name in problems:
            continue
        if not all(ref in node_names for ref in references(node)):
            waiting[layer.name] = None
            continue
        try:
            name = renamed.get(node.name, node.name)
            put_node(LayerContext(builder, layer, name, []), node, node_names)
        except Refusal as refused:
            problems[layer.name] = (layer, refused)
        except Exception as error:  # a file that says what no layer of Keras does
            problems[layer.name] = (layer, _fault(error))
    missing = [ref for ref in spec.outputs if node_names.get(ref) not in builder.nodes]
    outputs = tuple(node_names[ref] for ref in spec.outputs if ref not in missing)
    graph = keeping_nan(Graph(builder.nodes, tuple(layers_of_inputs), outputs))
    problem = _listing(spec, problems, missing) if problems or missing else ""
    return Built(graph, builder.logits, definitions, problems, tuple(waiting), problem)


def _fault(error: Exception) -> Refusal:
    text = (str(error).strip() or "no message").splitlines()[0].rstrip(".")
    fault = Refusal(
        f"it cannot be built as it is saved ({type(error).__name__}: {text})",
        "If Keras loads this file, that is a fault of this project: report it.",
    )
    fault.__cause__ = error
    return fault


def translate(context: LayerContext) -> tuple[str, ...]:
    """Put any layer: the nodes that hold its outputs."""
    functions = frozenset(context.builder.functions)
    if not is_operation(context.spec):
        if not context.builder.sizes.keys().isdisjoint(context.inputs):
            raise Refusal("reads sizes of axes, which operations alone can compute with")
        if context.spec.name not in functions:
            put_constants(context)
    result = translator(context.spec, functions)(context)
    outputs = (result,) if isinstance(result, str) else tuple(result)
    _check_arguments(context)
    ends = context.option("ends_mask") or context.spec.name in functions  # those set their own
    mask = None if ends else output_mask(context)
    if mask is not None:
        for output in outputs:
            context.builder.masks.setdefault(output, mask)
    return outputs


def _check_arguments(context: LayerContext) -> None:
    """Refuse arguments of a call, other than tensors, that no translator has read."""
    left = {
        name: value
        for name, value in context.arguments.items()
        if name not in context.used and value is not None and value is not False
    }
    if left.pop("training", None):
        raise Refusal(
            "called with training=True, so its output depends on chance or on the batch",
            "Save the model for inference.",
        )
    if left:
        raise Refusal(f"called with the arguments {sorted(left)}, which have no meaning here")


def _refusals(spec: ModelSpec, functions: frozenset[str]) -> dict[str, tuple[LayerSpec, Refusal]]:
    problems = {}
    for layer in spec.layers.values():
        try:
            translator(layer, functions)
            _check_weights(layer)
        except Refusal as refused:
            problems[layer.name] = (layer, refused)
    return problems


def _check_weights(layer: LayerSpec) -> None:
    """Refuse arrays that hold NaN, and variances below 0, of a layer and of those it wraps."""
    advice = "Save the model again with weights that are finite."
    for role, array in layer.weights.items():
        if array.dtype.kind not in "fc":
            continue
        if np.isnan(array).any():
            index = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
            raise Refusal(
                f"the array {role!r} of {layer.name!r} holds NaN, first at {index}", advice
            )
        if role.endswith("variance") and (array < 0).any():
            index = tuple(int(i) for i in np.argwhere(array < 0)[0])
            raise Refusal(
                f"the array {role!r} of {layer.name!r} is {array[index]:g} at {index}, and no "
                "variance is negative",
                advice,
            )
    for child in layer.children:
        _check_weights(child)


def _listing(
    spec: ModelSpec, problems: Mapping[str, tuple[LayerSpec, Refusal]], missing: list[TensorRef]
) -> str:
    lines = [
        f"  {name} ({layer.saved_class_name or layer.class_name}): {refused.reason}."
        + (f" {refused.advice}" if refused.advice else "")
        for name, (layer, refused) in problems.items()
    ]
    if not lines:
        lines = [
            f"  output {ref.index} of {ref.node}: the layer has no such output" for ref in missing
        ]
    count = len(lines)
    start = (
        f"{spec.source}: {count} layer{'s' if count != 1 else ''} of {len(spec.layers)} "
        "cannot be attributed through:\n"
    )
    while len(lines) > 1 and len(start) + sum(map(len, lines)) + len(lines) > LONGEST - ROOM:
        del lines[-1]
    if more := count - len(lines):
        lines.append(f"  and {more} more; deeplift_engine.coverage(path) has a row for each.")
    return start + "\n".join(lines)


__all__ = ["DTYPES", "TRANSLATORS", "Built", "build", "definitions_of", "survey"]
