"""Users' functions of tensors, as the operations that TensorFlow traces them into."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict

from deeplift_conversion import LayerSpec
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.layers import Layer, PathFunction
from deeplift_engine.layers.distributed import over_time
from deeplift_engine.translate.layer_context import GraphBuilder, LayerContext, NodeName, Refusal
from deeplift_engine.util.typing import Array, Tensor

UNCHANGED = frozenset({"Identity", "IdentityN", "StopGradient", "PreventGradient", "Snapshot"})
"""Operations that give their inputs; what a gradient would do is not theirs to say here."""
FREE_SIZE = 24
"""Size of free axes in the comparison of a trace with its function: many numbers divide it."""
LARGE = 1_000_000
"""Elements of a sample from which on fewer samples are compared."""
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@dataclass(frozen=True)
class Trace:
    """A function's graph in TensorFlow: the tensors that it was called with and what it gave."""

    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]


def put_operations(
    context: LayerContext,
    trace: Trace,
    sources: Sequence[str],
    base: str,
    functions: Sequence[Callable[..., Any]],
) -> list[str]:
    """Put the operations of a trace behind ``sources``, and return the nodes of its outputs.

    ``base`` begins the names of the nodes. ``functions`` give one output each of the tensors, and
    are what the operations are compared with on random numbers.

    Raises
    ------
    Refusal
        If an operation has no attribution layer, or the numbers differ; no node is left then.
    """
    builder = context.builder
    before = set(builder.nodes)
    with _undone_if_refused(builder):
        nodes = _put(context, trace, sources, base)
        read = before | Graph(builder.nodes, (), ()).ancestors(nodes)
        for name in [name for name in builder.nodes if name not in read]:
            del builder.nodes[name]
        fresh = [name for name in builder.nodes if name not in before]
        for name in fresh:
            builder.nodes[name] = replace(builder.nodes[name], class_name=context.spec.class_name)
        _check_lookups(builder, sources, fresh)
        _compare(context, sources, nodes, functions, _tolerance(trace))
    return nodes


def _check_lookups(builder: GraphBuilder, sources: Sequence[str], fresh: Sequence[str]) -> None:
    """Refuse tokens that are computed with and looked up then: they are no longer tokens."""
    if all(builder.nodes[name].tokens for name in sources) and any(
        builder.nodes[name].layer.core.kind == "lookup"
        and not all(builder.nodes[source].tokens for source in builder.nodes[name].inputs)
        for name in fresh
    ):
        raise Refusal("it looks up what it computes of tokens")


@contextmanager
def _undone_if_refused(builder: GraphBuilder) -> Iterator[None]:
    tables: tuple[Any, ...] = (builder.nodes, builder.masks, builder.logits, builder.sizes)
    before = [set(table) for table in (*tables, builder.truths)]
    try:
        yield
    except Exception as error:  # whatever an operation met, the function itself still works
        for known, table in zip(before, tables, strict=False):
            for name in [name for name in table if name not in known]:
                del table[name]
        builder.truths &= before[-1]
        reason = error.reason if isinstance(error, Refusal) else str(error).split("\n")[0]
        raise Refusal(reason) from error


def _put(context: LayerContext, trace: Trace, sources: Sequence[str], base: str) -> list[str]:
    """The nodes of a trace's outputs."""
    steps = _steps(trace)
    constants = _constants(steps, trace)
    names: dict[str, str] = {
        tensor.name: NodeName(source) for tensor, source in zip(trace.inputs, sources, strict=True)
    }
    for step in steps:
        if step.operation.type in UNCHANGED:
            for source, tensor in zip(step.inputs, step.operation.outputs, strict=True):
                table = constants if source.name in constants else names
                table[tensor.name] = table[source.name]
            continue
        if step.operation.type == "Fill":
            sizes, value = (names.get(each.name, each.name) for each in step.inputs)
            filled = _filled(context.builder.sizes.get(sizes), constants.get(value))
            constants[step.operation.outputs[0].name] = filled
            continue
        values = [
            constants[each.name] if each.name in constants else names[each.name]
            for each in step.inputs
        ]
        inputs = [value for value in values if isinstance(value, NodeName)]
        fixed = {str(i): v for i, v in enumerate(values) if not isinstance(v, NodeName)}
        spec = step.spec(context.spec.name, fixed)
        arguments = {"args": tuple(values), **step.arguments} if step.function else {}
        child = context.child(spec, f"{base}/{step.operation.name}", inputs, **arguments)
        outputs = context.builder.translate(child)
        for tensor, output in zip(step.operation.outputs, outputs, strict=True):
            names[tensor.name] = NodeName(output)
    nodes = [names.get(tensor.name, "") for tensor in trace.outputs]
    if not all(name in context.builder.nodes for name in nodes):
        raise Refusal("an output does not depend on its inputs")
    return nodes


def _filled(sizes: Any, value: Any) -> Array:
    """A constant of a shape that is known but for samples and free axes, of size 1 there."""
    if not isinstance(sizes, tuple) or value is None:
        raise Refusal("Fill of a shape or with a number that is computed from data")
    return np.full([size if isinstance(size, int) else 1 for size in sizes], value)


# ---------------------------------------------------------------- TensorFlow's graph


@dataclass(frozen=True)
class _Step:
    """One operation of TensorFlow and the tensors that it reads.

    ``function`` is the name of the function that it is the last operation of, else empty.
    """

    operation: Any
    inputs: Sequence[Tensor]
    function: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def spec(self, owner: str, constants: Mapping[str, Any]) -> LayerSpec:
        """The operation as tf.keras would save it."""
        name = f"{owner}/{self.operation.name}"
        if self.function:
            return LayerSpec(name, "TFOpLambda", {"function": self.function}, {})
        definition = {
            "op": self.operation.type,
            "attr": MessageToDict(self.operation.node_def).get("attr", {}),
        }
        config = {"node_def": definition, "constants": constants}
        return LayerSpec(name, "TensorFlowOpLayer", config, {})


def _steps(trace: Trace) -> list[_Step]:
    """The operations between inputs and outputs, each behind those that it reads."""
    operations = trace.inputs[0].graph.get_operations()
    changing = {tensor.name for tensor in trace.inputs}
    for operation in operations:
        if any(tensor.name in changing for tensor in operation.inputs):
            changing.update(tensor.name for tensor in operation.outputs)
    needed = {tensor.name for tensor in trace.outputs} & changing
    steps = []
    for operation in reversed(operations):
        if operation.inputs and any(tensor.name in needed for tensor in operation.outputs):
            joined = _log_sum_exp(operation) or _matrix_product(operation)
            step = joined or _Step(operation, list(operation.inputs))
            if operation.op_def.is_stateful:
                raise Refusal(f"{operation.type} depends on chance or on a state")
            needed.update(each.name for each in step.inputs if each.name in changing)
            steps.append(step)
    return steps[::-1]


def _constants(steps: Sequence[_Step], trace: Trace) -> dict[str, Any]:
    """The values of all tensors that the steps read and that do not depend on the inputs."""
    known = {tensor.name for tensor in trace.inputs}
    known |= {tensor.name for step in steps for tensor in step.operation.outputs}
    wanted = {each.name: each for step in steps for each in step.inputs if each.name not in known}
    values = {name: tf.get_static_value(tensor) for name, tensor in wanted.items()}
    wanted = {name: tensor for name, tensor in wanted.items() if values[name] is None}
    if wanted:
        values |= _evaluated(wanted, trace)
    return {name: _plain(value) for name, value in values.items()}


def _evaluated(wanted: Mapping[str, Tensor], trace: Trace) -> dict[str, Array]:
    """The values of tensors that depend on captured constants, variables and arithmetic."""
    feeds: dict[str, Array] = {}
    waiting, seen = list(wanted.values()), set()
    captured = {inner.name: outer for outer, inner in trace.inputs[0].graph.captures}
    while waiting:
        tensor = waiting.pop()
        operation = tensor.op
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        if tensor.name in captured:
            feeds[tensor.name] = captured[tensor.name].numpy()
        elif operation.type == "ReadVariableOp" and operation.inputs[0].name in captured:
            variable = captured[operation.inputs[0].name]
            read = tf.raw_ops.ReadVariableOp(resource=variable, dtype=tensor.dtype)
            feeds[tensor.name] = read.numpy()
        elif operation.op_def.is_stateful:
            raise Refusal(f"{operation.type} depends on chance or on a state")
        else:
            waiting.extend(operation.inputs)
    with tf.compat.v1.Session(graph=trace.inputs[0].graph) as session:
        return dict(zip(wanted, session.run(list(wanted), feeds), strict=True))


def _plain(value: Any) -> Any:
    """Whole numbers of at most one axis as Python's, other arrays as they are."""
    array = np.asarray(value)
    return array.tolist() if array.dtype.kind in "iub" and array.ndim < 2 else array


def _log_sum_exp(operation: Any) -> _Step | None:
    """log Σ exp(x - s) + s is log Σ exp(x), whatever s: no share is that of the shift."""
    if operation.type not in ("Add", "AddV2"):
        return None
    first, second = operation.inputs
    for logarithm, shift in ((first, second), (second, first)):
        chain = _chain(logarithm, "Log", "Sum", "Exp", "Sub")
        if not chain:
            continue
        _, total, _, change = chain
        x, inner = change.inputs
        axes = tf.get_static_value(total.inputs[1])
        if axes is not None and _source(inner) is _source(shift):
            arguments = {
                "axis": tuple(np.atleast_1d(axes).tolist()),
                "keepdims": bool(total.get_attr("keep_dims")),
            }
            return _Step(operation, [x], "math.reduce_logsumexp", arguments)
    return None


def _matrix_product(operation: Any) -> _Step | None:
    """Rows of all samples as one matrix, times a matrix, and back: a product in the last axis."""
    reshaped = operation.outputs[0]
    if operation.type != "Reshape" or operation.inputs[0].op.type != "MatMul":
        return None
    product = operation.inputs[0].op
    rows, kernel = product.inputs
    x = rows
    while x.op.type in ("Reshape", "Transpose"):
        x = x.op.inputs[0]
    if x is rows or None in (x.shape.rank, reshaped.shape.rank):
        return None
    ends = ([x.shape.rank, x.shape[-1]], [reshaped.shape.rank, reshaped.shape[-1]])
    turned = product.get_attr("transpose_a") or product.get_attr("transpose_b")
    fits = not turned and ends == tuple([x.shape.rank, size] for size in kernel.shape)
    return _Step(operation, [x, kernel], "linalg.matmul") if fits else None


def _chain(tensor: Tensor, *kinds: str) -> list[Any]:
    """The operations that end in a tensor, each reading the next, if they are of these kinds."""
    operations = []
    for kind in kinds:
        if tensor.op.type != kind:
            return []
        operations.append(tensor.op)
        tensor = tensor.op.inputs[0]
    return operations


def _source(tensor: Tensor) -> Any:
    """The operation of a tensor, but for those that change its shape alone."""
    while tensor.op.type in UNCHANGED | {"Reshape", "Squeeze", "ExpandDims"}:
        tensor = tensor.op.inputs[tensor.value_index if tensor.op.type == "IdentityN" else 0]
    return tensor.op


# ---------------------------------------------------------------- compared with the function


def _compare(
    context: LayerContext,
    sources: Sequence[str],
    nodes: Sequence[str],
    functions: Sequence[Callable[..., Any]],
    tolerance: float,
) -> None:
    """Refuse a trace that does not give the numbers of its function."""
    graph = Graph(context.builder.nodes, (), ())
    random = np.random.default_rng(0)
    starts = {name: _start(graph.nodes[name]) for name in sources}
    values = {name: _numbers(graph.nodes[name], random) for name in starts.values()}
    values = graph.forward(values, [*values, *sources])
    for node, function in zip(nodes, functions, strict=True):
        layer: Layer = PathFunction(function)
        for _ in range(context.depth):
            layer = over_time(layer)
        call = layer.forward if context.depth else function
        expected = tf.cast(call(*(values[name] for name in sources)), "float64").numpy()
        met = tf.cast(graph.forward(values, [node])[node], "float64").numpy()
        scale = np.max(np.abs(expected), initial=0, where=np.isfinite(expected))
        near = tolerance * max(float(scale), 1e-30)
        if met.shape != expected.shape or not np.allclose(met, expected, 0, near, equal_nan=True):
            raise Refusal("its operations give other numbers than the function")


def _tolerance(trace: Trace) -> float:
    """Of the least precise dtype that the function computes in, whatever the network's is."""
    operations = trace.outputs[0].graph.get_operations()
    dtypes = {tensor.dtype.name for operation in operations for tensor in operation.outputs}
    return max(TOLERANCE.get(name, 0) for name in dtypes)


def _start(node: Node) -> str:
    """The node to feed: what a transpose reads, because that has readers of its own."""
    return node.name if node.layer.permutation is None else node.inputs[0]


def _numbers(node: Node, random: np.random.Generator) -> Tensor:
    """Samples of both signs, and as many above 0."""
    sizes = [size or FREE_SIZE for size in node.shape]
    shape = (2 if math.prod(sizes) < LARGE else 1, *sizes)
    if node.tokens:
        return tf.cast(random.integers(0, 2, (2 * shape[0], *sizes)), node.dtype)
    pairs = [random.normal(size=shape), random.uniform(0.1, 1, shape)]
    return tf.cast(np.concatenate(pairs), node.dtype)


__all__ = ["Trace", "put_operations"]
