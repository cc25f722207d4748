"""Connections: nested and shared models, several inputs and outputs, operations, arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplift_conversion import ModelConfigError, ModelSpec, TensorRef, read_config, read_model
from tests.conversion.conversion_files import numbers, sequential, write_model


def names(spec: ModelSpec) -> list[str]:
    return [node.name for node in spec.nodes]


def sources(spec: ModelSpec, node: str) -> list[str]:
    entry_spec = next(entry for entry in spec.nodes if entry.name == node)
    return [ref.node for ref in entry_spec.inputs]


def layer(kind: str, name: str, inbound: list[Any], **options: Any) -> dict[str, Any]:
    config = {"name": name, **options}
    return {"class_name": kind, "name": name, "config": config, "inbound_nodes": inbound}


def entry(name: str, *shape: int | None) -> dict[str, Any]:
    return layer("InputLayer", name, [], batch_input_shape=[None, *shape], dtype="float32")


def functional(layers: list[Any], inputs: Any, outputs: Any, name: str = "net") -> dict[str, Any]:
    return {
        "class_name": "Functional",
        "config": {
            "name": name,
            "layers": layers,
            "input_layers": inputs,
            "output_layers": outputs,
        },
    }


def dense(name: str, rows: int, columns: int) -> list[tuple[str, np.ndarray]]:
    return [(f"{name}/kernel:0", numbers(rows, columns)), (f"{name}/bias:0", numbers(columns))]


def test_a_nested_model_called_twice_is_dissolved_call_by_call() -> None:
    inner = functional(
        [entry("i", 3), layer("Dense", "d", [[["i", 0, 0, {}]]], units=2)],
        [["i", 0, 0]],
        [["d", 0, 0]],
        "enc",
    )
    # Keras numbers the calls of a nested model from 1
    outer = functional(
        [
            entry("a", 3),
            entry("b", 3),
            {**inner, "name": "enc", "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]},
            layer("Subtract", "s", [[["enc", 2, 0, {}], ["enc", 1, 0, {}]]]),
        ],
        [["a", 0, 0], ["b", 0, 0]],
        [["s", 0, 0]],
    )
    spec = read_config(outer, {"enc": dense("d", 3, 2)}, keras_version="2.4.0")
    assert names(spec) == ["a", "b", "enc/d", "enc:1/d", "s"]
    assert [node.layer for node in spec.nodes] == ["a", "b", "enc/d", "enc/d", "s"]
    assert sources(spec, "s") == ["enc:1/d", "enc/d"]
    assert set(spec.layers) == {"a", "b", "enc/d", "s"}
    assert spec.inputs == ("a", "b")
    by_path = read_config(outer, {"enc/d": dense("d", 3, 2)}, keras_version="2.4.0")
    kernel = by_path.layers["enc/d"].weights["kernel"]
    np.testing.assert_array_equal(kernel, spec.layers["enc/d"].weights["kernel"])


def test_weights_of_a_nested_model_come_trained_ones_first() -> None:
    inner = sequential(
        ("Dense", {"name": "d", "units": 2, "batch_input_shape": [None, 3]}),
        ("BatchNormalization", {"name": "n", "axis": [1]}),
        ("Dense", {"name": "e", "units": 2}),
    )
    inner["config"]["name"] = "enc"
    outer = functional(
        [entry("a", 3), {**inner, "name": "enc", "inbound_nodes": [[["a", 0, 0, {}]]]}],
        [["a", 0, 0]],
        [["enc", 1, 0]],
    )
    roles = ["gamma", "beta", "moving_mean", "moving_variance"]
    norm = [(f"n/{role}:0", numbers(2, seed=number)) for number, role in enumerate(roles)]
    trained = [*dense("d", 3, 2), *norm[:2], *dense("e", 2, 2)]
    spec = read_config(outer, {"enc": trained + norm[2:]}, keras_version="2.3.1")
    natural = [*dense("d", 3, 2), *norm, *dense("e", 2, 2)]
    other = read_config(outer, {"enc": natural}, keras_version="2.3.1")
    for entry_spec in (spec, other):
        for role, (_, values) in zip(roles, norm, strict=True):
            np.testing.assert_array_equal(entry_spec.layers["enc/n"].weights[role], values)


def test_a_shared_layer_is_one_layer_and_two_calls() -> None:
    config = functional(
        [
            entry("a", 3),
            layer("Dense", "d", [[["a", 0, 0, {}]], [["r", 0, 0, {}]]], units=3),
            layer("Activation", "r", [[["d", 0, 0, {}]]], activation="relu"),
        ],
        ["a", 0, 0],
        [["d", 1, 0], ["r", 0, 0]],
    )
    spec = read_config(config, {"d": dense("d", 3, 3)}, keras_version="2.9.0")
    assert names(spec) == ["a", "d", "r", "d:1"]
    assert spec.outputs == (TensorRef("d:1"), TensorRef("r"))


def test_tensors_and_constants_of_tf_operations_are_kept_in_place() -> None:
    config = functional(
        [
            entry("a", 3),
            layer("Dense", "d", [[["a", 0, 0, {}]]], units=3),
            layer(
                "TFOpLambda",
                "tf.math.multiply",
                [["a", 0, 0, {"y": ["d", 0, 0], "name": None}]],
                function="math.multiply",
            ),
            layer(
                "TFOpLambda",
                "tf.math.subtract",
                [["_CONSTANT_VALUE", -1, 1.0, {"y": ["tf.math.multiply", 0, 0]}]],
                function="math.subtract",
            ),
            layer(
                "TFOpLambda",
                "tf.concat",
                [[["a", 0, 0, {"axis": -1}], ["tf.math.subtract", 0, 0, {"axis": -1}]]],
                function="concat",
            ),
            layer(
                "SlicingOpLambda",
                "slice",
                [["tf.concat", 0, 0, {"slice_spec": [{"start": None, "stop": 2, "step": None}]}]],
                function="__operators__.getitem",
            ),
        ],
        [["a", 0, 0]],
        [["slice", 0, 0]],
    )
    spec = read_config(config, {"d": dense("d", 3, 3)}, keras_version="2.6.0")
    by_name = {node.name: node for node in spec.nodes}
    assert by_name["tf.math.multiply"].inputs == (TensorRef("a"),)
    assert by_name["tf.math.multiply"].arguments == {"y": TensorRef("d")}
    assert by_name["tf.math.subtract"].inputs == ()
    assert by_name["tf.math.subtract"].arguments == {
        "args": (1.0,),
        "y": TensorRef("tf.math.multiply"),
    }
    assert by_name["tf.concat"].inputs == (TensorRef("a"), TensorRef("tf.math.subtract"))
    assert by_name["tf.concat"].arguments == {"axis": -1}
    assert by_name["slice"].arguments["slice_spec"] == ({"start": None, "stop": 2, "step": None},)
    assert spec.layers["tf.concat"].config["function"] == "concat"


def test_tensors_passed_by_keyword_take_their_places_in_attention_and_recurrent_layers() -> None:
    config = functional(
        [
            entry("q", 5, 4),
            entry("v", 6, 4),
            entry("h", 2),
            layer(
                "MultiHeadAttention",
                "m",
                [[["q", 0, 0, {"value": ["v", 0, 0], "attention_mask": None}]]],
                num_heads=1,
                key_dim=2,
            ),
            layer("GRU", "g", [[["m", 0, 0, {}], ["h", 0, 0, {}]]], units=2),
        ],
        [["q", 0, 0], ["v", 0, 0], ["h", 0, 0]],
        [["g", 0, 0]],
    )
    heads = [
        (f"m/{sublayer}/{role}:0", numbers(*shape))
        for sublayer in ("query", "key", "value", "attention_output")
        for role, shape in (("kernel", (4, 1, 2)), ("bias", (1, 2)))
    ]
    gru = [
        ("g/gru_cell/kernel:0", numbers(4, 6)),
        ("g/gru_cell/recurrent_kernel:0", numbers(2, 6)),
        ("g/gru_cell/bias:0", numbers(6)),
    ]
    spec = read_config(config, {"m": heads, "g": gru}, keras_version="2.6.0")
    assert sources(spec, "m") == ["q", "v", "v"]
    assert sources(spec, "g") == ["m"]
    assert spec.nodes[-1].arguments == {"initial_state": (TensorRef("h"),)}
    assert spec.layers["g"].config["reset_after"] is False


def test_calls_come_in_an_order_in_which_they_can_be_computed() -> None:
    config = functional(
        [
            layer("Add", "s", [[["d", 0, 0, {}], ["a", 0, 0, {}]]]),
            layer("Dense", "d", [[["a", 0, 0, {}]]], units=3),
            entry("a", 3),
        ],
        [["a", 0, 0]],
        [["s", 0, 0]],
    )
    spec = read_config(config, {"d": dense("d", 3, 3)}, keras_version="2.9.0")
    assert names(spec) == ["a", "d", "s"]


@pytest.mark.parametrize(
    ("inbound", "message"),
    [
        ([["s", 0, 0, {}], ["a", 0, 0, {}]], "circle"),
        ([["gone", 0, 0, {}], ["a", 0, 0, {}]], "does not exist"),
        ([["a", 7, 0, {}], ["a", 0, 0, {}]], "does not exist"),
    ],
)
def test_impossible_connections_are_refused(inbound: list[Any], message: str) -> None:
    config = functional([entry("a", 3), layer("Add", "s", [inbound])], ["a", 0, 0], [["s", 0, 0]])
    with pytest.raises(ModelConfigError, match=message):
        read_config(config, {}, keras_version="2.9.0")


@pytest.mark.parametrize("as_list", [True, False])
def test_a_sequential_without_an_input_layer_gets_one(as_list: bool, tmp_path: Path) -> None:
    config = sequential(
        ("Dense", {"name": "first", "units": 2, "batch_input_shape": [None, 5]}), as_list=as_list
    )
    spec = read_model(write_model(tmp_path / "m.h5", config, {"first": dense("first", 5, 2)}))
    assert spec.inputs == ("first_input",)
    assert spec.layers["first_input"].class_name == "InputLayer"
    assert spec.layers["first_input"].config["batch_shape"] == (None, 5)
    assert spec.layers["first_input"].config["dtype"] == "float32"


def test_an_input_shape_that_no_option_tells_comes_from_the_arrays() -> None:
    config = sequential(("Dense", {"name": "d", "units": 2}))
    config["config"]["build_input_shape"] = [None, 7, 3]
    spec = read_config(config, {"d": dense("d", 3, 2)}, keras_version="2.3.1")
    assert spec.layers["d_input"].config["batch_shape"] == (None, 7, 3)
    untold = sequential(("Conv1D", {"name": "c", "filters": 2, "kernel_size": 3}))
    arrays = {"c": [("c/kernel:0", numbers(3, 4, 2)), ("c/bias:0", numbers(2))]}
    spec = read_config(untold, arrays, keras_version="2.1.0")
    assert spec.layers["c_input"].config["batch_shape"] == (None, None, 4)
    with pytest.raises(ModelConfigError, match="does not tell the input's shape"):
        read_config(sequential(("Flatten", {"name": "f"})), {}, keras_version="2.1.0")


def test_keras3_graphs_with_operations_states_and_named_outputs(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    keras.backend.clear_session()
    layers = keras.layers
    one, two = keras.Input((12, 4), name="one"), keras.Input((12, 4), name="two")
    inner = keras.Input((12, 4), name="inner")
    encoder = keras.Model(inner, layers.GlobalMaxPooling1D(name="pool")(inner), name="encoder")
    head = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="d")], name="head")
    a, b = encoder(one), encoder(two)
    joined = layers.Concatenate(name="joined")([head(a), head(b)])
    shifted = 1.0 - joined * 2.0
    states = layers.GRU(4, name="gru")(one, initial_state=a)
    total = layers.Add(name="total")([states, b])
    model = keras.Model([one, two], {"p": shifted, "q": total})
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    for file in ("m.keras", "m.h5"):
        spec = read_model(tmp_path / file)
        by_name = {node.name: node for node in spec.nodes}
        assert sources(spec, "joined") == ["head/d", "head:1/d"]
        assert sources(spec, "head:1/d") == ["encoder:1/pool"]
        assert sources(spec, "total") == ["gru", "encoder:1/pool"]
        assert by_name["gru"].arguments == {"initial_state": (TensorRef("encoder/pool"),)}
        assert spec.layers["subtract"].class_name == "ops.Subtract"
        assert by_name["subtract"].arguments["args"] == (1.0, TensorRef("multiply"))
        assert by_name["multiply"].arguments["args"] == (TensorRef("joined"), 2.0)
        assert spec.outputs == (TensorRef("subtract"), TensorRef("total"))
        assert spec.keras_version == keras.__version__
    arrays_by_layer = {
        layer.name: [(weight.path, weight.numpy()) for weight in layer.weights]
        for layer in model.layers
    }
    assert names(read_config(json.loads(model.to_json()), arrays_by_layer)) == names(spec)
    assert names(read_config(model.get_config(), arrays_by_layer)) == names(spec)
