"""Keras 0.3, 1 and 2 in one form: words, layouts of arrays, defaults that changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deeplift_conversion import ModelConfigError, TensorRef, read_config, read_model
from tests.conversion.conversion_files import numbers, sequential, write_model, write_weights


def keras1(*layers: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return sequential(*layers, as_list=True)


def conv2d(ordering: str) -> tuple[str, dict[str, Any]]:
    shape = [None, 3, 8, 9] if ordering == "th" else [None, 8, 9, 3]
    return (
        "Convolution2D",
        {
            "name": "c",
            "nb_filter": 5,
            "nb_row": 2,
            "nb_col": 4,
            "border_mode": "same",
            "subsample": [1, 2],
            "dim_ordering": ordering,
            "bias": True,
            "activation": "relu",
            "batch_input_shape": shape,
            "W_regularizer": None,
        },
    )


def test_keras1_convolutions_have_keras3_words_and_layout(tmp_path: Path) -> None:
    kernel, bias = numbers(2, 4, 3, 5), numbers(5)
    tf = {"c": [("c_W:0", kernel), ("c_b:0", bias)]}
    th = {"c": [("c_W", kernel.transpose(3, 2, 0, 1)), ("c_b", bias)]}
    for ordering, arrays in (("tf", tf), ("th", th)):
        path = write_model(tmp_path / f"{ordering}.h5", keras1(conv2d(ordering)), arrays, "1.2.0")
        layer = read_model(path).layers["c"]
        assert layer.class_name == "Conv2D"
        assert layer.saved_class_name == "Convolution2D"
        np.testing.assert_array_equal(layer.weights["kernel"], kernel)
        np.testing.assert_array_equal(layer.weights["bias"], bias)
        assert layer.config["filters"] == 5
        assert layer.config["kernel_size"] == (2, 4)
        assert layer.config["strides"] == (1, 2)
        assert layer.config["padding"] == "same"
        assert layer.config["dilation_rate"] == (1, 1)
        expected = "channels_first" if ordering == "th" else "channels_last"
        assert layer.config["data_format"] == expected
        flipped = read_model(path, theano_kernels=True).layers["c"].weights["kernel"]
        np.testing.assert_array_equal(flipped, kernel[::-1, ::-1])


def test_a_theano_backend_that_the_file_tells_flips_kernels_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    kernel = numbers(3, 4, 2)
    config = sequential(
        (
            "Conv1D",
            {
                "name": "c",
                "filters": 2,
                "kernel_size": [3],
                "use_bias": False,
                "batch_input_shape": [None, 9, 4],
            },
        )
    )
    arrays = {"c": [("c/kernel", kernel)]}
    path = write_model(tmp_path / "m.h5", config, arrays, "2.0.8", backend=b"theano")
    np.testing.assert_array_equal(read_model(path).layers["c"].weights["kernel"], kernel[::-1])
    unflipped = read_model(path, theano_kernels=False).layers["c"].weights["kernel"]
    np.testing.assert_array_equal(unflipped, kernel)


@pytest.mark.parametrize("layout", ["1.2", "1.0"])
def test_keras1_one_dimensional_kernels_lose_their_extra_axis(layout: str, tmp_path: Path) -> None:
    kernel = numbers(7, 4, 6)
    stored = kernel[:, None] if layout == "1.2" else kernel.transpose(2, 1, 0)[..., None]
    config = keras1(
        (
            "AtrousConvolution1D",
            {
                "name": "c",
                "nb_filter": 6,
                "filter_length": 7,
                "atrous_rate": 2,
                "border_mode": "valid",
                "subsample_length": 1,
                "input_dim": 4,
                "input_length": 30,
                "input_dtype": "float32",
            },
        ),
        ("MaxPooling1D", {"name": "p", "pool_length": 3, "stride": None, "border_mode": "valid"}),
    )
    arrays = {"c": [("c_W", stored), ("c_b", numbers(6))], "p": []}
    spec = read_model(write_model(tmp_path / "m.h5", config, arrays, "1.1.0"))
    np.testing.assert_array_equal(spec.layers["c"].weights["kernel"], kernel)
    assert spec.layers["c"].config["dilation_rate"] == (2,)
    assert spec.layers["c_input"].config["batch_shape"] == (None, 30, 4)
    assert spec.layers["p"].config["pool_size"] == (3,)
    assert spec.layers["p"].config["strides"] == (3,)


@pytest.mark.parametrize(
    ("kind", "saved", "gates"), [("LSTM", "icfo", "ifco"), ("GRU", "zrh", "zrh")]
)
def test_keras1_gates_are_joined_in_keras3_order(
    kind: str, saved: str, gates: str, tmp_path: Path
) -> None:
    arrays = {
        f"{what}_{gate}": numbers(*shape, seed=ord(gate))
        for gate in saved
        for what, shape in (("W", (4, 2)), ("U", (2, 2)), ("b", (2,)))
    }
    named = [(f"r_{name}", values) for name, values in arrays.items()]
    options = {
        "name": "r",
        "output_dim": 2,
        "inner_activation": "hard_sigmoid",
        "input_dim": 4,
        "input_length": 6,
        "inner_init": "orthogonal",
    }
    spec = read_model(
        write_model(tmp_path / "m.h5", keras1((kind, options)), {"r": named}, "1.2.2")
    )
    layer = spec.layers["r"]
    for role, what in (("kernel", "W"), ("recurrent_kernel", "U"), ("bias", "b")):
        expected = np.concatenate([arrays[f"{what}_{gate}"] for gate in gates], axis=-1)
        np.testing.assert_array_equal(layer.weights[role], expected)
    assert layer.config["units"] == 2
    assert layer.config["recurrent_activation"] == "hard_sigmoid_keras2"
    assert layer.config["activation"] == "tanh"
    if kind == "GRU":
        assert layer.config["reset_after"] is False


def test_keras1_batch_norm_keeps_the_variance_it_calls_std(tmp_path: Path) -> None:
    arrays = {
        "n": [
            (f"n_{name}", numbers(3, seed=number))
            for number, name in enumerate(("gamma", "beta", "running_mean", "running_std"))
        ]
    }
    options = {"name": "n", "epsilon": 1e-5, "mode": 0, "axis": -1, "momentum": 0.9}
    options |= {"batch_input_shape": [None, 3], "gamma_regularizer": None}
    config = keras1(("BatchNormalization", options))
    layer = read_model(write_model(tmp_path / "m.h5", config, arrays, "1.2.2")).layers["n"]
    assert list(layer.weights) == ["gamma", "beta", "moving_mean", "moving_variance"]
    for values, (_, saved) in zip(layer.weights.values(), arrays["n"], strict=True):
        np.testing.assert_array_equal(values, saved)
    assert layer.config["epsilon"] == 1e-5
    config["config"][0]["config"]["mode"] = 1
    other = read_model(write_model(tmp_path / "o.h5", config, arrays, "1.2.2")).layers["n"]
    assert other.class_name == "BatchNormalizationMode1"  # no Keras 3 layer does this


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("sum", "Add", {}),
        ("mul", "Multiply", {}),
        ("ave", "Average", {}),
        ("max", "Maximum", {}),
        ("concat", "Concatenate", {"axis": -1}),
        ("dot", "Dot", {"axes": (1, 1), "normalize": False}),
        ("cos", "Merge", {"axes": (1, 1), "mode": "cos"}),
    ],
)
def test_keras1_merge_becomes_the_layer_of_its_mode(
    mode: str, kind: str, options: dict[str, Any], tmp_path: Path
) -> None:
    def branch(name: str) -> dict[str, Any]:
        dense = {"name": name, "output_dim": 2, "input_dim": 3, "input_dtype": "float32"}
        return keras1(("Dense", dense), ("Activation", {"name": f"{name}_a", "activation": "tanh"}))

    merge = {
        "name": "m",
        "mode": mode,
        "concat_axis": -1,
        "dot_axes": [[1], [1]],
        "mode_type": "raw",
        "layers": [branch("left"), branch("right")],
    }
    config = keras1(("Merge", merge), ("Flatten", {"name": "f"}))
    arrays = {
        name: [(f"{name}_W", numbers(3, 2, seed=seed)), (f"{name}_b", numbers(2))]
        for seed, name in enumerate(("left", "right"))
    }
    spec = read_model(write_model(tmp_path / "m.h5", config, arrays, "1.2.2"))
    assert spec.layers["m"].class_name == kind
    assert spec.layers["m"].saved_class_name == "Merge"
    for key, value in options.items():
        assert spec.layers["m"].config[key] == value
    assert spec.inputs == ("left_input", "right_input")
    merged = next(node for node in spec.nodes if node.name == "m")
    assert merged.inputs == (TensorRef("left_a"), TensorRef("right_a"))
    right = spec.layers["right"].weights["kernel"]
    np.testing.assert_array_equal(right, arrays["right"][0][1])


def test_keras1_flatten_goes_row_by_row_and_keras2s_says_so_itself(tmp_path: Path) -> None:
    flatten = ("Flatten", {"name": "f"})
    arrays = {"c": [("c_W", numbers(5, 3, 2, 4)), ("c_b", numbers(5))], "f": []}
    old = write_model(tmp_path / "1.h5", keras1(conv2d("th"), flatten), arrays, "1.2.2")
    assert read_model(old).layers["f"].config["data_format"] == "channels_last"
    options = {"name": "f", "data_format": "channels_first", "batch_input_shape": [None, 3, 4]}
    new = read_config(sequential(("Flatten", options)), {}, keras_version="2.2.0")
    assert new.layers["f"].config["data_format"] == "channels_first"


def test_keras0_layout_and_its_standard_deviation(tmp_path: Path) -> None:
    """Keras 0.3 divides by (deviation + epsilon); the variance must give the same divisor."""
    layers = [
        {"name": "Dense", "custom_name": "dense", "output_dim": 3, "input_shape": [4]},
        {"name": "BatchNormalization", "custom_name": "bn", "epsilon": 1e-2, "mode": 0, "axis": -1},
        {"name": "Dense", "custom_name": "dense", "output_dim": 1, "activation": "sigmoid"},
    ]
    deviation = np.array([0.5, 1.0, 0.0], "float32")
    params = [
        [numbers(4, 3), numbers(3)],
        [numbers(3), numbers(3, seed=1), numbers(3, seed=2), deviation],
        [numbers(3, 1), numbers(1)],
    ]
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["nb_layers"] = 3
        for number, arrays in enumerate(params):
            group = file.create_group(f"layer_{number}")
            group.attrs["nb_params"] = len(arrays)
            for position, values in enumerate(arrays):
                group[f"param_{position}"] = values
    architecture = {"name": "Sequential", "layers": layers, "loss": "mse"}
    spec = read_model(tmp_path / "w.h5", architecture)
    assert list(spec.layers) == ["dense_1_input", "dense_1", "bn_1", "dense_2"]
    variance = spec.layers["bn_1"].weights["moving_variance"]
    np.testing.assert_allclose(np.sqrt(variance + 1e-2), deviation + 1e-2, rtol=1e-6)
    np.testing.assert_array_equal(spec.layers["dense_2"].weights["kernel"], params[2][0])
    assert spec.layers["dense_2"].config["activation"] == "sigmoid"
    with pytest.raises(ModelConfigError, match="3 layers are saved, but the architecture has 2"):
        read_model(tmp_path / "w.h5", {"name": "Sequential", "layers": layers[:2]})


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_cudnn_layers_become_plain_ones(kind: str, gates: int) -> None:
    """A cuDNN layer multiplies x by the transpose of each stored gate; so must the plain one."""
    units, features = 2, 3
    stored = numbers(features, gates * units)
    recurrent = numbers(units, gates * units, seed=1)
    bias = numbers(2 * gates * units)
    options = {"name": "r", "units": units, "batch_input_shape": [None, 5, features]}
    arrays = {
        "r": [("r/kernel:0", stored), ("r/recurrent_kernel:0", recurrent), ("r/bias:0", bias)]
    }
    config = sequential((f"CuDNN{kind}", options))
    layer = read_config(config, arrays, keras_version="2.2.4").layers["r"]
    assert layer.class_name == kind
    assert layer.config["recurrent_activation"] == "sigmoid"
    for gate in range(gates):
        columns = slice(gate * units, (gate + 1) * units)
        as_cudnn = stored[:, columns].ravel().reshape(units, features)  # one row an output
        np.testing.assert_array_equal(layer.weights["kernel"][:, columns], as_cudnn.T)
        np.testing.assert_array_equal(
            layer.weights["recurrent_kernel"][:, columns], recurrent[:, columns].T
        )
    if kind == "LSTM":
        np.testing.assert_array_equal(layer.weights["bias"], bias[:8] + bias[8:])
    else:
        assert layer.config["reset_after"] is True
        np.testing.assert_array_equal(layer.weights["bias"], [bias[:6], bias[6:]])


@pytest.mark.parametrize("version", ["1.2.2", "2.0.8", "2.15.0"])
def test_hard_sigmoid_of_old_files_is_never_taken_for_keras3s(version: str) -> None:
    options = {"name": "a", "activation": "hard_sigmoid", "batch_input_shape": [None, 3]}
    config = sequential(("Activation", options))
    spec = read_config(config, {}, keras_version=version)
    assert spec.layers["a"].config["activation"] == "hard_sigmoid_keras2"


def test_layers_that_became_others_keep_what_they_do() -> None:
    shape = {"batch_input_shape": [None, 6, 4]}
    config = sequential(
        ("LeakyReLU", {"name": "leaky", "alpha": 0.1, **shape}),
        ("ReLU", {"name": "relu", "max_value": 6.0}),
        ("ZeroPadding1D", {"name": "pad", "padding": 2}),
        ("Cropping1D", {"name": "crop", "cropping": [1, 3]}),
        ("UpSampling1D", {"name": "up", "size": 2}),
        ("Softmax", {"name": "soft"}),
        ("BatchNormalizationV1", {"name": "bn", "axis": [2], "scale": False, "fused": None}),
    )
    arrays = {
        "bn": [(f"bn/{role}:0", numbers(4)) for role in ("beta", "moving_mean", "moving_variance")]
    }
    layers = read_config(config, arrays, keras_version="2.4.0").layers
    assert layers["leaky"].config["negative_slope"] == 0.1
    assert layers["relu"].config["max_value"] == 6.0
    assert layers["relu"].config["negative_slope"] == 0.0
    assert layers["pad"].config["padding"] == (2, 2)
    assert layers["crop"].config["cropping"] == (1, 3)
    assert layers["up"].config["size"] == (2,)
    assert layers["soft"].config["axis"] == -1
    assert layers["bn"].class_name == "BatchNormalization"
    assert layers["bn"].config["axis"] == 2
    assert list(layers["bn"].weights) == ["beta", "moving_mean", "moving_variance"]


def test_attributes_may_be_text_bytes_or_split_over_several(tmp_path: Path) -> None:
    config = sequential(
        ("Dense", {"name": "a", "units": 2, "batch_input_shape": [None, 3]}),
        ("Dense", {"name": "b", "units": 2}),
    )
    arrays = {
        "a": [("a/kernel", numbers(3, 2)), ("a/bias", numbers(2))],
        "b": [("b/kernel", numbers(2, 2)), ("b/bias", numbers(2, seed=3))],
    }
    with h5py.File(tmp_path / "split.h5", "w") as file:
        text = json.dumps(config)
        file.attrs["model_config0"], file.attrs["model_config1"] = text[:50], text[50:]
        root = file.create_group("model_weights")
        write_weights(root, arrays, as_text=True)
        for group, name in ((root, "layer_names"), (root["a"], "weight_names")):
            first, second = group.attrs[name]
            del group.attrs[name]
            group.attrs[f"{name}0"] = np.array([first.encode()])
            group.attrs[f"{name}1"] = [second]
    spec = read_model(tmp_path / "split.h5")
    np.testing.assert_array_equal(spec.layers["b"].weights["bias"], numbers(2, seed=3))
    np.testing.assert_array_equal(spec.layers["a"].weights["kernel"], numbers(3, 2))


def test_weights_whose_names_are_not_the_architectures_go_in_order_as_keras_loads_them(
    tmp_path: Path,
) -> None:
    config = sequential(
        ("Dense", {"name": "dense_1", "units": 2, "batch_input_shape": [None, 3]}),
        ("Dense", {"name": "dense_2", "units": 4}),
    )
    arrays = {
        "dense_7": [("dense_7/kernel:0", numbers(3, 2)), ("dense_7/bias:0", numbers(2))],
        "dense_8": [("dense_8/kernel:0", numbers(2, 4)), ("dense_8/bias:0", numbers(4))],
    }
    with h5py.File(tmp_path / "w.h5", "w") as file:
        write_weights(file, arrays)
    spec = read_model(tmp_path / "w.h5", config)
    np.testing.assert_array_equal(spec.layers["dense_2"].weights["kernel"], numbers(2, 4))


def test_custom_layers_keep_their_options_and_the_last_names_of_their_arrays() -> None:
    config = sequential(
        ("RevCompConv1D", {"name": "r", "filters": 2, "batch_input_shape": [None, 9, 4]}),
        ("Pack>Mine", {"name": "m", "levels": [1, 2]}),
    )
    arrays = {
        "r": [("r/kernel:0", numbers(3, 4, 2)), ("r/bias:0", numbers(2))],
        "m": [("m/w:0", numbers(1)), ("m/w:0", numbers(2)), ("m/x/w:0", numbers(3))],
    }
    layers = read_config(config, arrays, keras_version="2.2.4").layers
    assert layers["r"].class_name == "RevCompConv1D"
    assert layers["r"].config["filters"] == 2
    assert list(layers["r"].weights) == ["kernel", "bias"]
    assert layers["m"].class_name == "Pack>Mine"
    assert layers["m"].config["levels"] == (1, 2)
    assert len(layers["m"].weights) == 3


def test_a_lambda_keeps_its_name_and_loses_its_code() -> None:
    code = ["4wEAAAAAAAAAAQAAAAcAAAATAAAAcyoAAAB8AGQAZAC\n", None, None]
    options = {"function": code, "function_type": "lambda", "arguments": {"n": [2]}}
    config = sequential(("Lambda", {"name": "l", **options, "batch_input_shape": [None, 3]}))
    layer = read_config(config, {}, keras_version="2.2.4").layers["l"]
    assert layer.class_name == "Lambda"
    assert layer.config["function"] == {"bytecode": True}
    assert layer.config["function_type"] == "lambda"
    assert layer.config["arguments"] == {"n": (2,)}
    assert "4wEAAAAA" not in str(layer)
