"""TensorFlow's functions as tf.keras 2 saved them: forward as there, complete, refused by name.

The files and numbers are those of ``old_operations/make.py``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_conversion import read_model
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.translate.operations import operation_table as table
from tests.cases.generated_models import CASES, Opened
from tests.helpers import needs_keras, off
from tests.translate.tensorflow_functions.files import unpack

HERE = Path(__file__).parent / "old_operations"
MODELS = sorted(path.stem for path in HERE.glob("*.h5"))


@functools.cache
def truth() -> dict[str, Any]:
    return dict(np.load(HERE / "truth.npz"))


def ends(name: str) -> tuple[list[Any], list[Any]]:
    """Inputs and references."""
    known = truth()
    count = sum(key.startswith(f"{name}/x") for key in known)
    x, x0 = ([known[f"{name}/{end}{i}"] for i in range(count)] for end in "xr")
    return x, x0


@pytest.mark.parametrize("name", MODELS)
def test_the_forward_pass_is_that_of_tensorflow(name: str) -> None:
    network = de.load(HERE / f"{name}.h5")
    for inputs, outputs in zip(ends(name), ("y", "yr"), strict=True):
        assert off(network.predict(inputs), truth()[f"{name}/{outputs}"]) < 1e-5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_every_function_keeps_the_sum(name: str, dtype: str) -> None:
    network = de.load(HERE / f"{name}.h5", dtype=dtype)
    x, x0 = ends(name)
    weights = np.random.default_rng(0).normal(size=truth()[f"{name}/y"].shape[1])
    rules = "reveal_cancel" if dtype == "float32" else "rescale"
    audit = network.audit(x, x0, target=weights, rules=rules)
    assert audit.worst.error < (1e-4 if dtype == "float32" else 1e-10), audit


@pytest.mark.parametrize("name", [name for name in CASES if "operations" in name])
def test_no_sample_is_mixed_with_another(opened: Callable[[str], Opened], name: str) -> None:
    case = opened(name)
    x = case.inputs(3, np.random.default_rng(0))
    together = case.exact.predict(x)
    for sample in range(3):
        alone = case.exact.predict([values[sample : sample + 1] for values in x])
        assert off(alone, together[sample : sample + 1]) < 1e-12


# ---------------------------------------------------------------- by hand


def saved(path: Path, function: str, node: list[Any], shape: tuple[int, ...] = (6, 4)) -> Path:
    """A model of one function of the input ``x``, as tf.keras 2 writes it."""
    kind = "SlicingOpLambda" if function.endswith("getitem") else "TFOpLambda"
    source = {"batch_input_shape": [None, *shape], "dtype": "float32", "name": "x"}
    layers = [
        {"class_name": "InputLayer", "config": source, "name": "x", "inbound_nodes": []},
        {
            "class_name": kind,
            "config": {"name": "f", "dtype": "float32", "function": function},
            "name": "f",
            "inbound_nodes": [node],
        },
    ]
    config = {
        "name": "m",
        "layers": layers,
        "input_layers": [["x", 0, 0]],
        "output_layers": [["f", 0, 0]],
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": config})
        file.attrs["keras_version"] = "2.9.0"
        file.create_group("model_weights").attrs["layer_names"] = []
    return path


def call(**arguments: Any) -> list[Any]:
    return ["x", 0, 0, arguments]


@pytest.mark.parametrize(
    ("function", "node", "reason"),
    [
        ("__operators__.eq", call(), "'x2' is not in the file"),
        ("einsum", ["_CONSTANT_VALUE", -1, "nij->nji", {}], "operands"),
        ("math.reduce_sum", call(), "batch axis"),
        ("math.reduce_mean", call(axis=[0, 1]), "axis=0 is the batch axis"),
        ("reshape", call(shape=[-1, 4]), "from sample to sample"),
        ("compat.v1.transpose", call(perm=[1, 0, 2]), "moves the batch axis"),
        ("concat", call(axis=0), "batch axis"),
        ("__operators__.getitem", call(slice_spec=0), "takes samples out"),
        ("tile", call(multiples=[2, 1, 1]), "repeats the samples"),
        ("math.argmax", call(axis=1), "argmax: a position"),
        ("nn.dropout", call(rate=0.5), "depends on chance"),
        ("compat.v1.shape", call(), "no such output"),
        ("math.polygamma", call(), "the operation polygamma"),
        ("math.reduce_sum", call(axis=1, extra=3), "'extra'"),
        ("math.add", call(y=[[1.0], [2.0]] * 6), "cannot|12"),
        ("math.reduce_prod", call(axis=[1, 2], keepdims=True), None),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(
    tmp_path: Path, function: str, node: list[Any], reason: str | None
) -> None:
    path = saved(tmp_path / "m.h5", function, node)
    if reason is None:
        assert de.load(path).outputs == ("f",)
        return
    with pytest.raises(UnsupportedModelError, match=reason) as caught:
        de.load(path)
    assert "f (" in str(caught.value) or "of f" in str(caught.value)


def test_a_function_may_be_given_for_it(tmp_path: Path) -> None:
    import tensorflow as tf

    path = saved(tmp_path / "m.h5", "math.polygamma", call())
    network = de.load(path, functions={"f": lambda x: tf.math.softplus(x)})
    x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    assert off(network.predict(x), np.log1p(np.exp(x))) < 1e-5


@needs_keras("3.15")
def test_every_operation_is_tested(opened: Callable[[str], Opened], tmp_path: Path) -> None:
    """Each name of the table is met in the files here or in the cases of Keras 3."""
    specs = [read_model(HERE / f"{name}.h5") for name in MODELS]
    specs += [read_model(opened(name).path) for name in CASES if "operations" in name]
    unpack(tmp_path)
    specs += [read_model(path) for path in tmp_path.glob("*.functions.h5")]
    layers = [layer for spec in specs for layer in spec.layers.values()]
    met = {table.operation_name(layer) for layer in layers if table.is_operation(layer)}
    assert set(table.OPERATIONS) - met == set()
