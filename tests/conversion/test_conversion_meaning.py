"""The canonical form means what the file meant: a Keras 3 model made from it predicts the same.

The truth of the real models was computed by TensorFlow 2.15 on the files themselves, see
../shared/models/README.md; the other models are Keras 3's own, with every option off its default.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplift_conversion import read_model
from tests.conversion.conversion_files import MODELS, numbers, shared_file
from tests.helpers import keras_has

keras = pytest.importorskip("keras")
twin = pytest.importorskip("tests.conversion.keras_twin")
L = keras.layers

PADDING = 1 if keras_has("3.15") else None  # Keras 3 did not save it before
ARCHITECTURES = {"dragonn-prelayout": "multi_layer_dragonn.arch.json"}
THEANO = {"avanti-mnist-th", "factornet-e2f1", "dragonn-prelayout"}
LONG = {"medaka-flip213", "factornet-e2f1", "seeker-embed"}  # recurrent over many steps
FOLDERS = [
    pytest.param(name, marks=pytest.mark.slow) if name in LONG else name
    for name in sorted(path.parent.name for path in MODELS.glob("*/truth.npz")) or ["none"]
]


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_models_of_every_age_predict_what_tensorflow_did(folder: str) -> None:
    about = json.loads(shared_file(folder, "about.json").read_text())
    name = ARCHITECTURES.get(folder)
    spec = read_model(
        shared_file(folder, about["file"]),
        shared_file(folder, name) if name else None,
        theano_kernels=folder in THEANO or None,
    )
    keras.backend.clear_session()
    with np.load(shared_file(folder, "truth.npz")) as truth:
        inputs = [truth[entry["key"]][:2] for entry in about["inputs"]]
        if spec.layers[spec.inputs[0]].config["batch_shape"][0] is not None:
            inputs = [truth[entry["key"]] for entry in about["inputs"]]
        outputs = twin.predict(spec, [ref.node for ref in spec.outputs], inputs)
        for values, entry in zip(outputs, about["outputs"], strict=True):
            expected = truth[entry["key"]][: len(values)]
            # two versions of TensorFlow differ by 1e-6 of the scale; -27 as a logit is 4e-12
            np.testing.assert_allclose(
                values, expected, rtol=1e-4, atol=5e-6 * float(np.abs(expected).max())
            )


SEQUENCE, IMAGE, VOLUME = (9, 4), (8, 9, 4), (5, 6, 7, 2)
LAYERS: dict[str, tuple[tuple[int, ...], Callable[[], Any]]] = {
    "dense": (SEQUENCE, lambda: L.Dense(3, activation="hard_sigmoid")),
    "einsum": (
        SEQUENCE,
        lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 5), activation="gelu"),
    ),
    "conv1d": (SEQUENCE, lambda: L.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=2)),
    "conv2d": (IMAGE, lambda: L.Conv2D(6, (2, 3), strides=(2, 1), padding="same", groups=2)),
    "conv3d": (VOLUME, lambda: L.Conv3D(3, 2, activation="silu")),
    "depthwise": (IMAGE, lambda: L.DepthwiseConv2D(3, depth_multiplier=2, padding="same")),
    "separable": (SEQUENCE, lambda: L.SeparableConv1D(3, 3, depth_multiplier=2, strides=2)),
    "transposed": (IMAGE, lambda: L.Conv2DTranspose(3, 3, strides=2, output_padding=PADDING)),
    "batch norm": (IMAGE, lambda: L.BatchNormalization(axis=1, epsilon=0.1, scale=False)),
    "layer norm": (IMAGE, lambda: L.LayerNormalization(axis=[2, 3], epsilon=0.1)),
    "rms": (SEQUENCE, lambda: L.RMSNormalization(epsilon=0.1)),
    "group norm": (IMAGE, lambda: L.GroupNormalization(2, epsilon=0.1, center=False)),
    "unit norm": (IMAGE, lambda: L.UnitNormalization(axis=2)),
    "fixed norm": (SEQUENCE, lambda: L.Normalization(mean=1.0, variance=2.0, invert=True)),
    "rescaling": (SEQUENCE, lambda: L.Rescaling(0.5, offset=2.0)),
    "relu": (SEQUENCE, lambda: L.ReLU(max_value=0.8, negative_slope=0.1, threshold=0.05)),
    "leaky": (SEQUENCE, lambda: L.LeakyReLU(negative_slope=0.07)),
    "elu": (SEQUENCE, lambda: L.ELU(alpha=0.6)),
    "prelu": (SEQUENCE, lambda: L.PReLU(shared_axes=[1])),
    "softmax": (IMAGE, lambda: L.Softmax(axis=[1, 2])),
    "activation": (SEQUENCE, lambda: L.Activation("log_softmax")),
    "max pool": (IMAGE, lambda: L.MaxPooling2D((2, 3), strides=(1, 2), padding="same")),
    "average pool": (SEQUENCE, lambda: L.AveragePooling1D(3, padding="same")),
    "global pool": (IMAGE, lambda: L.GlobalAveragePooling2D(keepdims=True)),
    "pad 1d": (SEQUENCE, lambda: L.ZeroPadding1D((1, 2))),
    "pad 2d": (IMAGE, lambda: L.ZeroPadding2D(((1, 2), (0, 3)))),
    "crop 2d": (IMAGE, lambda: L.Cropping2D((1, 2))),
    "upsample": (IMAGE, lambda: L.UpSampling2D((2, 3), interpolation="bilinear")),
    "adaptive pool": (IMAGE, lambda: L.AdaptiveMaxPooling2D((3, 5))),
    "resizing": (
        IMAGE,
        lambda: L.Resizing(
            5, 4, interpolation="bicubic", pad_to_aspect_ratio=True, fill_value=0.5, antialias=True
        ),
    ),
    "centre crop": (IMAGE, lambda: L.CenterCrop(3, 5)),
    "spectrogram": (
        SEQUENCE,
        lambda: L.STFTSpectrogram("psd", frame_length=4, frame_step=2, expand_dims=True),
    ),
    "reshape": (IMAGE, lambda: L.Reshape((9, -1))),
    "permute": (IMAGE, lambda: L.Permute((3, 1, 2))),
    "flatten": (IMAGE, lambda: L.Flatten()),
    "simple rnn": (SEQUENCE, lambda: L.SimpleRNN(3, go_backwards=True, return_sequences=True)),
    "lstm": (SEQUENCE, lambda: L.LSTM(3, recurrent_activation="hard_sigmoid")),
    "gru": (SEQUENCE, lambda: L.GRU(3, reset_after=False, activation="relu")),
    "bidirectional": (
        SEQUENCE,
        lambda: L.Bidirectional(
            L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True), merge_mode="mul"
        ),
    ),
    "time distributed": (IMAGE, lambda: L.TimeDistributed(L.Conv1D(2, 3, strides=2))),
    "conv lstm": ((3, 8, 8, 2), lambda: L.ConvLSTM2D(2, 3, padding="same", activation="softsign")),
}


@pytest.mark.parametrize("container", ["keras", "h5"])
def test_options_off_their_defaults_survive(container: str, tmp_path: Path) -> None:
    keras.backend.clear_session()
    inputs = {
        shape: keras.Input(shape) for shape in sorted({shape for shape, _ in LAYERS.values()})
    }
    outputs = []
    for name, (shape, make) in LAYERS.items():
        layer = make()
        layer.name = name.replace(" ", "_")
        outputs.append(layer(inputs[shape]))
    model = keras.Model(list(inputs.values()), outputs)
    generator = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(generator.uniform(0.1, 1, size=weight.shape).astype("float32"))
    model.save(tmp_path / f"m.{container}")
    data = [numbers(2, *shape) for shape in inputs]
    expected = [np.asarray(values) for values in model(data, training=False)]
    spec = read_model(tmp_path / f"m.{container}")
    met = twin.predict(spec, [ref.node for ref in spec.outputs], data)
    for name, values, other in zip(LAYERS, met, expected, strict=True):
        np.testing.assert_allclose(values, other, rtol=1e-5, atol=1e-6, err_msg=name)


def test_layer_names_with_slashes_keep_their_arrays(tmp_path: Path) -> None:
    keras.backend.clear_session()
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "Dense",
                    "config": {
                        "name": f"block/{sublayer}",
                        "units": 3,
                        "batch_input_shape": [None, 3],
                    },
                }
                for sublayer in ("a", "b")
            ],
        },
    }
    from tests.conversion.conversion_files import write_model

    arrays = {
        f"block/{sublayer}": [
            (f"block/{sublayer}/kernel:0", numbers(3, 3, seed=seed)),
            (f"block/{sublayer}/bias:0", numbers(3)),
        ]
        for seed, sublayer in enumerate("ab")
    }
    spec = read_model(write_model(tmp_path / "m.h5", config, arrays, "2.3.1"))
    np.testing.assert_array_equal(spec.layers["block/b"].weights["kernel"], numbers(3, 3, seed=1))
