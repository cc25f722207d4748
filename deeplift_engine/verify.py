"""The forward pass beside Keras's own."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_conversion import ModelSpec
from deeplift_conversion.files.code import code_in_file
from deeplift_conversion.files.keras_members import is_folder, of_folder, zipped
from deeplift_conversion.files.source import container, read_bytes
from deeplift_engine.errors import ModelFileError
from deeplift_engine.graph.inputs import InputInfo, by_input
from deeplift_engine.graph.structure import leaves, packed
from deeplift_engine.util.typing import Array

TOLERANCE = 1e-5
HALVES = {"float16": 2**-7, "bfloat16": 2**-4}
"""Tolerances where a model computes in numbers of 16 bits: some sixteen roundings."""


@dataclass(frozen=True)
class Verification:
    """Whether the forward pass equals Keras's.

    Attributes
    ----------
    ok
        True or False, None where there is nothing to compare with: Keras cannot load the file, or
        is not given it, as it holds code.
    max_error
        Largest difference relative to the output's largest magnitude, None likewise.
    message
        One or two sentences.
    """

    ok: bool | None
    max_error: float | None
    message: str


@dataclass(frozen=True)
class ModelInMemory:
    """A model that a network was converted from.

    Attributes
    ----------
    call
        Its outputs, as Keras structures them, on inputs in the model's structure; None if the model
        no longer exists.
    precision
        Whether it computes in ``"float16"``, ``"bfloat16"`` or more.
    fronts
        Layers behind which it is called, with its inputs in a list.
    """

    call: Callable[[Any], Any]
    precision: str
    fronts: Collection[str] = ()


def verify(
    original: ModelSpec | ModelInMemory,
    inputs: Sequence[InputInfo],
    predict: Callable[[Any], list[Any]],
    x: Any,
) -> Verification:
    """Compare what ``predict`` gives on ``x`` with what Keras's model gives.

    A model in memory is called. A file is loaded by Keras, unless it holds code or was replaced
    since the network was built of it; layers of mixed precision compute in float32.

    Parameters
    ----------
    original
        What the network was built of.
    inputs
        The network's inputs.
    predict
        From inputs to a list of outputs (N, ...), in the order in which Keras flattens them.
    x
        Inputs, as `Network.predict` takes them.
    """
    import keras

    each = by_input(x, inputs, "x")
    values = each if original.fronts else packed([info.path for info in inputs], each)
    whose, tolerance = f"Keras {keras.__version__}'s", TOLERANCE
    with _random_state():
        if isinstance(original, ModelInMemory):
            outputs, computed = original.call(values), original.precision
            if outputs is None:
                return _without("The model that this network was converted from no longer exists.")
            whose = "that of the model in memory"
        else:
            loaded = _loaded(original)
            if isinstance(loaded, Verification):
                return loaded
            if policies := _in_float32(loaded):
                whose += f", with its layers of {', '.join(policies)} in float32"
            try:
                model = behind(loaded, original.inputs) if original.fronts else loaded
                outputs, computed = model.predict(values, verbose=0), precision(loaded)
            except Exception as error:  # whatever TensorFlow raises in it
                return _without(
                    f"Keras {keras.__version__} cannot run {original.source}: {_reason(error)}"
                )
    if computed in HALVES:
        tolerance = HALVES[computed]
        whose += f", which computes in {computed}"
    theirs = [np.asarray(value).astype(float) for value in leaves(outputs)]
    largest = max(_error(a, b) for a, b in zip(predict(x), theirs, strict=True))
    ok = largest <= tolerance
    verdict = "equals" if ok else "differs from"
    return Verification(
        ok,
        largest,
        f"The forward pass {verdict} {whose}: largest difference {largest:.2g} "
        f"of the output's largest magnitude (tolerance {tolerance:.2g}).",
    )


def behind(model: Any, layers: Sequence[str]) -> Any:
    """Keras's model from what some of its layers give, input layers among them, in this order."""
    import keras

    tensors: dict[str, Any] = {}
    waiting = list(model.outputs)
    while waiting:
        tensor = waiting.pop()
        operation, call, _ = tensor._keras_history
        if operation.name not in tensors:
            tensors[operation.name] = tensor
            waiting.extend(operation._inbound_nodes[call].input_tensors)
    return keras.Model([tensors[name] for name in layers], model.outputs)


def _loaded(spec: ModelSpec) -> Any:
    """Keras's model of the file, or why there is none.

    Keras is given a copy of the bytes that were looked through, which nothing can replace.
    """
    import keras

    source, version = spec.source, keras.__version__
    if not spec.file_sha256:
        return _without("The model in memory that this network was converted from is not here.")
    try:
        folder = is_folder(source)
        data = of_folder(source)[1] if folder else read_bytes(source)
        if hashlib.sha256(data).hexdigest() != spec.file_sha256:
            return _without(f"{source} is not the file that was loaded any more; load it again.")
        data = zipped(source) if folder else data
        code = code_in_file(data, source, _is_registered)
    except ModelFileError as error:
        return _without(f"Nothing to compare with: {error}")
    if code:
        return _without(
            f"{source} holds {code}, which Keras would run, or import: it is not given the file. "
            "Compare with a model in memory instead: convert(model).verify()."
        )
    suffix = ".keras" if container(data, source) == "zip" else ".h5"
    with tempfile.TemporaryDirectory() as private:
        copy = Path(private) / f"model{suffix}"
        try:
            copy.write_bytes(data)
            return keras.saving.load_model(copy, compile=False)
        except Exception as error:  # whatever Keras raises, the answer is that it cannot load it
            return _without(f"Keras {version} cannot load {source}: {_reason(error)}")


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _error(ours: Array, theirs: Array) -> float:
    """The largest difference relative to the largest magnitude; values that overflow are equal."""
    if ours.shape != theirs.shape:
        return float("inf")
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    scale = np.max(np.abs(theirs), where=np.isfinite(theirs), initial=1e-30)
    with np.errstate(invalid="ignore"):
        return float(np.max(np.where(same, 0, np.abs(ours - theirs)), initial=0) / scale)


def _without(message: str) -> Verification:
    return Verification(None, None, message)


def _is_registered(name: str) -> bool:
    import keras

    return keras.saving.get_registered_object(name) is not None


def precision(model: Any) -> str:
    """``"float16"`` or ``"bfloat16"`` where a layer of Keras's model computes so."""
    layers: Iterable[Any] = getattr(model, "_flatten_layers", list)()
    computed = {getattr(layer, "compute_dtype", None) for layer in layers}
    return next((name for name in HALVES if name in computed), "float32")


def _in_float32(model: Any) -> list[str]:
    """Let layers of mixed precision compute as they store; the names of their policies."""
    import keras

    policies: dict[str, None] = {}
    for layer in model._flatten_layers():
        if layer.compute_dtype in HALVES and layer.variable_dtype == "float32":
            policies[layer.dtype_policy.name] = None
            layer.dtype_policy = keras.DTypePolicy("float32")
    return list(policies)


@contextmanager
def _random_state() -> Iterator[None]:
    """Leave Python's random numbers as they were: Keras draws seeds of its layers from them."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


__all__ = ["HALVES", "ModelInMemory", "Verification", "behind", "precision", "verify"]
