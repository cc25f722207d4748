"""A Keras 3 model in memory as a configuration and arrays; Python code is traced.

A Functional or Sequential model has its graph already. The ``call`` of a subclassed model, and of
a layer that consists of others, is run on symbolic tensors, which records the layers and operations
that it calls. Nothing is computed, and the records are removed from the model's layers afterwards.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from deeplift_engine.errors import InputError, UnsupportedModelError
from deeplift_engine.live.saved_form import (
    Config,
    input_layer,
    is_symbol,
    own_activations,
    written,
)

logger = logging.getLogger("deeplift_engine")
Weights = dict[str, list[tuple[str, Any]]]


@dataclass(frozen=True)
class TracedModel:
    """A model's configuration, as ``to_json`` would give it, and its arrays by layer.

    ``arguments`` (by position, by name) hold the symbolic tensors that a subclassed model was
    called with; ``ran`` is True if the ``call`` of any layer was run.
    """

    config: Config
    weights: Weights
    arguments: tuple[Any, Any] | None
    ran: bool


def trace(
    model: keras.Model, example: Any, input_shape: Any, covered: Callable[[str, str], bool]
) -> TracedModel:
    """Trace a model of Keras 3 into a configuration.

    Parameters
    ----------
    model
        A model with weights.
    example, input_shape
        See `deeplift_engine.convert`; for a subclassed model.
    covered
        True for a layer that the user defines, by its path and class: it is not traced.

    Raises
    ------
    UnsupportedModelError
        If ``call`` cannot be run on symbolic tensors.
    InputError
        If the model has no weights, or the shapes of its inputs are unknown.
    """
    if not model.built or (isinstance(model, keras.Sequential) and not model.inputs):
        raise InputError(
            f"The model {model.name!r} has no weights yet: call it once on data, or give it inputs"
            " (keras.Input)."
        )
    tracing = _Tracing(covered)
    arguments = None
    with _as_it_was(model):
        if _has_graph(model):
            config = tracing.graph(model, model.name, "")
        else:
            arguments = _symbols(model, example, input_shape)
            try:
                config = tracing.called(model, model.name, "", *arguments)
            except Exception as error:  # whatever the user's code raises
                raise UnsupportedModelError(_failed_trace(model, error)) from error
    return TracedModel(config, tracing.weights, arguments, tracing.ran)


def _failed_trace(model: keras.Model, error: Exception) -> str:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
    return (
        f"{type(model).__name__} {model.name!r}: its call cannot be traced into layers: {reason}"
        f" ({type(error).__name__}). Where it calls TensorFlow's functions, take those of"
        " keras.ops; where it decides by values or needs the number of samples, write the model"
        " as a Functional one."
    )


def _has_graph(model: Any) -> bool:
    """Whether a model is its graph: Functional or Sequential, and its call not overridden."""
    return any(
        isinstance(model, kind) and type(model).call is kind.call
        for kind in (keras.Sequential, _functional())
    )


@functools.cache
def _functional() -> Any:
    x = keras.Input((1,))
    return type(keras.Model(x, keras.layers.Identity()(x)))  # before 3.14, x alone is refused


def _symbols(model: keras.Model, example: Any, input_shape: Any) -> tuple[Any, Config]:
    """Return the symbolic tensors to call a model with, by position and by name."""
    wanted = _required(model)
    if example is not None:
        symbols = keras.tree.map_structure(_like, example)
    elif input_shape is not None:
        symbols = _of_shapes(input_shape, lambda shape: (None, *shape))
    else:
        built = (model.get_build_config() or {}).get("input_shape")
        if built is None or len(wanted) > 1:
            raise InputError(
                f"Nothing tells what the model {model.name!r} is called with"
                f" ({', '.join(wanted)}): give an example of it, convert(model, example=x), or"
                " input_shape= without the samples."
            )
        symbols = _of_shapes(built, lambda shape: (None, *shape[1:]))
    if len(wanted) > 1 and isinstance(symbols, Mapping) and symbols.keys() >= set(wanted):
        order = [name for name in _parameters(model) if name in symbols]
        return (), {name: symbols[name] for name in dict.fromkeys([*order, *symbols])}
    if len(wanted) > 1 and isinstance(symbols, list | tuple) and len(symbols) >= len(wanted):
        return tuple(symbols), {}
    return (symbols,), {}


def _parameters(layer: Any) -> list[str]:
    """Names of all parameters of a layer's ``call``, in its order."""
    return list(inspect.signature(layer.call).parameters)


def _required(model: keras.Model) -> list[str]:
    """Names of the required parameters of the model's ``call``."""
    parameters = inspect.signature(model.call).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        parameter.name
        for parameter in parameters
        if parameter.kind in kinds and parameter.default is inspect.Parameter.empty
    ]


def _like(value: Any) -> Any:
    array = np.asarray(value)
    if array.ndim == 0:
        raise InputError(
            f"example= is what the model is called with, arrays (n, ...); met {value!r}."
        )
    kind = "float32" if array.dtype.kind == "f" else array.dtype.name
    return keras.Input((*array.shape[1:],), dtype=kind)


def _of_shapes(shapes: Any, batched: Callable[[Sequence[Any]], tuple[Any, ...]]) -> Any:
    if isinstance(shapes, Mapping):
        return {name: _of_shapes(shape, batched) for name, shape in shapes.items()}
    if shapes and all(isinstance(entry, list | tuple) for entry in shapes):
        return [_of_shapes(shape, batched) for shape in shapes]
    return keras.Input(batch_shape=batched(tuple(shapes)))


@contextmanager
def _as_it_was(model: keras.Model) -> Iterator[None]:
    """Remove from the model's layers what calls on symbolic tensors leave there."""
    lengths = []
    for layer in [model, *model._flatten_layers(include_self=False)]:
        for name in ("_inbound_nodes", "_outbound_nodes", "_losses"):
            values = getattr(layer, name, None)
            if isinstance(values, list):
                lengths.append((values, len(values)))
    try:
        yield
    finally:
        for values, count in lengths:
            del values[count:]


class _Tracing:
    """The configurations of nested graphs; ``weights`` gathers arrays by the path of layers."""

    def __init__(self, covered: Callable[[str, str], bool]) -> None:
        self.covered = covered
        self.weights: Weights = {}
        self.ran = False

    def graph(self, model: Any, name: str, prefix: str) -> Config:
        """A model that is its graph; the outputs of an inner one in the order of its calls."""
        outputs = model.outputs if prefix else structure(model, "outputs")
        return self.between(name, prefix, structure(model, "inputs"), outputs)

    def called(self, layer: Any, name: str, prefix: str, args: Any, kwargs: Any) -> Config:
        """Trace a layer's ``call`` on symbolic tensors."""
        call = getattr(layer.call, "python_function", layer.call)  # of a tf.function
        outputs = call(*args, **kwargs)
        flat = keras.tree.flatten(outputs)
        if not flat or not all(map(is_symbol, flat)):
            raise ValueError("it returns something that is no tensor computed from its inputs")
        self.ran = True
        if prefix:
            return self.between(name, prefix, _tensors(args, kwargs), flat)
        passed = [*zip(_parameters(layer), args, strict=False), *kwargs.items()]
        wanted = {id(value): parameter for parameter, value in passed} if len(passed) > 1 else {}
        inputs = _unlisted([value for _, value in passed])
        return self.between(name, prefix, inputs, _unlisted(outputs), wanted)

    def between(
        self,
        name: str,
        prefix: str,
        inputs: Any,
        outputs: Any,
        wanted: Mapping[int, str] | None = None,
    ) -> Config:
        """The graph from ``inputs`` to ``outputs``, as a Functional model's configuration.

        ``wanted`` are names for inputs, by the ids of their tensors.
        """
        sources = {id(tensor): tensor for tensor in keras.tree.flatten(inputs)}
        nodes = _ordered(sources, keras.tree.flatten(outputs))
        names = _Names()
        origins = {
            key: (names.of(tensor, (wanted or {}).get(key, tensor._keras_history[0].name)), 0, 0)
            for key, tensor in sources.items()
        }
        layers = [input_layer(origins[key][0], tensor) for key, tensor in sources.items()]
        entries: dict[Any, Config] = {}
        for node in nodes:
            operation, config, args, kwargs = self.operation(node, names, prefix, entries)
            entry = entries.get(operation)
            if entry is None:
                entry = entries[operation] = {**config, "inbound_nodes": []}
                layers.append(entry)
            for number, tensor in enumerate(node.output_tensors):
                origins[id(tensor)] = (entry["name"], len(entry["inbound_nodes"]), number)
            read = functools.partial(written, origins)
            entry["inbound_nodes"].append({"args": read(args), "kwargs": read(kwargs)})
        models = {entry["name"] for entry in layers if entry["class_name"] == "Functional"}

        def end(tensor: Any) -> list[Any]:
            name, call, number = origins[id(tensor)]
            return [name, call + (name in models), number]  # as Keras counts them here

        ends = functools.partial(keras.tree.map_structure, end)
        config = {"name": name, "layers": layers}
        config |= {"input_layers": ends(inputs), "output_layers": ends(outputs)}
        return {"class_name": "Functional", "config": config, "name": name}

    def operation(
        self, node: Any, names: _Names, prefix: str, entries: Mapping[Any, Config]
    ) -> tuple[Any, Config, Any, Any]:
        """Return one call: the key of its layer, the layer's configuration, and its arguments."""
        layer, args, kwargs = node.operation, node.arguments.args, node.arguments.kwargs
        name = names.of(layer, layer.name)
        path, kind = prefix + name, type(layer).__name__
        if layer in entries:
            return layer, {}, args, kwargs
        covered = self.covered(path, kind)
        if _has_graph(layer) and not covered:
            return layer, self.graph(layer, name, path + "/"), args, kwargs
        if covered or _is_kerass(layer) or not isinstance(layer, keras.layers.Layer):
            return layer, self.plain(layer, name, path), args, kwargs
        key = (layer, _fixed(args, kwargs))
        tensors = (_tensors(args, kwargs),)
        if key in entries:
            return key, {}, tensors, {}
        if any(isinstance(known, tuple) and known[0] is layer for known in entries):
            name = names.of(key, layer.name)  # called with other options: the same arrays again
        before = dict(self.weights)
        try:
            _check_masks(layer, *tensors)
            fresh = keras.tree.map_structure(_renewed, (args, kwargs))
            return key, self.called(layer, name, f"{prefix}{name}/", *fresh), tensors, {}
        except Exception as error:  # whatever the user's code raises, it stays one layer
            logger.warning("%s %r is taken as one layer: %s", kind, path, error)
            self.weights = before
        return layer, self.plain(layer, name, path), args, kwargs

    def plain(self, layer: Any, name: str, path: str) -> Config:
        """A layer or operation by itself."""
        if isinstance(layer, keras.layers.Layer):
            self.weights[path] = [
                (weight.path, keras.ops.convert_to_numpy(weight)) for weight in layer.weights
            ]
        try:
            saved = keras.saving.serialize_keras_object(layer)
        except Exception:  # no get_config: its class is all that is known
            saved = {"class_name": type(layer).__name__, "module": type(layer).__module__}
            saved["config"] = {"name": name}
        config = {**saved["config"], "name": name, **own_activations(layer)}
        return {**saved, "name": name, "config": config}


class _Names:
    """Names for the layers of one graph, each for one of them."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.taken: set[str] = set()

    def of(self, owner: Any, wanted: str) -> str:
        """The name of ``owner``, at first ``wanted`` or that with a number."""
        key = owner if isinstance(owner, tuple) else id(owner)
        if key not in self.names:
            name, number = wanted, 0
            while name in self.taken:
                number += 1
                name = f"{wanted}_{number}"
            self.names[key] = name
            self.taken.add(name)
        return self.names[key]


def _unlisted(values: Any) -> Any:
    """The only one of several values, or all of them."""
    return values[0] if isinstance(values, list | tuple) and len(values) == 1 else values


def structure(model: Any, which: str) -> Any:
    """The ``"inputs"`` or ``"outputs"`` of a model with a graph, in their structure."""
    tensors = getattr(model, f"_{which}_struct", None)
    if tensors is None:  # Sequential
        flat = getattr(model, which)
        return flat[0] if len(flat) == 1 else flat
    return tensors


def _ordered(sources: Mapping[int, Any], outputs: list[Any]) -> list[Any]:
    """The calls between inputs and outputs, each after those that it reads."""
    order: list[Any] = []
    seen: set[int] = set()
    waiting = [(tensor, False) for tensor in reversed(outputs)]
    while waiting:
        tensor, done = waiting.pop()
        if id(tensor) in sources:
            continue
        operation, number, _ = tensor._keras_history
        node = operation._inbound_nodes[number]
        if done:
            if id(node) not in seen:
                seen.add(id(node))
                order.append(node)
        elif id(node) not in seen:
            if not node.input_tensors:
                raise ValueError(f"it reads the input {operation.name!r} of another model")
            waiting.append((tensor, True))
            waiting.extend((source, False) for source in reversed(node.input_tensors))
    return order


def _check_masks(layer: Any, tensors: list[Any]) -> None:
    """Refuse a layer that passes masks on: a trace does not show the masks inside it."""
    masks = [getattr(tensor, "_keras_mask", None) for tensor in tensors]
    if layer.supports_masking and any(mask is not None for mask in masks):
        raise ValueError("it supports masks, and its input has one")


def _is_kerass(layer: Any) -> bool:
    return type(layer).__module__.split(".")[0] == "keras"


def _tensors(*values: Any) -> list[Any]:
    return [value for value in keras.tree.flatten(values) if is_symbol(value)]


def _fixed(*values: Any) -> str:
    """A key of a call's arguments other than tensors, and of the positions of the tensors."""
    return repr(keras.tree.map_structure(lambda x: "tensor" if is_symbol(x) else x, values))


def _renewed(value: Any) -> Any:
    return keras.Input(batch_shape=value.shape, dtype=value.dtype) if is_symbol(value) else value
