"""Models of the field, built small with random weights under the names that their programs save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
from keras import layers as L  # noqa: N812

from tests.helpers import MODELS, ROOT

Outputs: TypeAlias = Mapping[str, np.ndarray]
Difference: TypeAlias = Callable[[Outputs, Outputs], np.ndarray]
"""What scores of a head sum to, (N), from the outputs at the inputs and at the references."""


@dataclass(frozen=True)
class Architecture:
    """A model, and what of it is scored.

    Attributes
    ----------
    length
        Of the windows that it reads.
    heads
        What the scores of each head sum to; ``""`` of a run of one head.
    build
        Makes the model; None where ``file`` has it.
    file
        A saved model.
    options
        Of ``score``, beside the files.
    to
        Formats of the export. With ``chrombpnet`` or ``bigwig`` regions of a genome are scored,
        else a FASTA file.
    linear
        The layer whose activation the target leaves out.
    beside
        Shapes of a sample of the inputs that are no sequence.
    """

    length: int
    heads: Mapping[str, Difference]
    build: Callable[[], keras.Model] | None = None
    file: Path | None = None
    options: tuple[str, ...] = ()
    to: tuple[str, ...] = ("modisco",)
    linear: str = ""
    beside: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def located(self) -> bool:
        """Whether regions of a genome are scored."""
        return bool({"chrombpnet", "bigwig"} & set(self.to))


# ---------------------------------------------------------------- what scores sum to


def units(output: str, *unit: int) -> Difference:
    """One unit of an output, or all of them added."""

    def level(outputs: Outputs) -> np.ndarray:
        array = outputs[output]
        return array[(slice(None), *unit)] if unit else array.reshape(len(array), -1).sum(axis=1)

    return lambda x, r: level(x) - level(r)


def profile(output: str) -> Difference:
    """Logits without their mean, weighted by the softmax at the input, of each track."""

    def difference(x: Outputs, r: Outputs) -> np.ndarray:
        logits, others = (each[output].reshape(len(each[output]), POSITIONS, -1) for each in (x, r))
        weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        change = logits - logits.mean(axis=1, keepdims=True)
        change = change - (others - others.mean(axis=1, keepdims=True))
        return (weights * change).sum(axis=(1, 2))

    return difference


# ---------------------------------------------------------------- profiles and counts

WINDOW, POSITIONS = 64, 16


def bpnet(prefix: str = "", filters: int = 6) -> keras.Model:
    """The layers of chrombpnet's bpnet_model.py and of its bias models."""
    source = L.Input((WINDOW, 4), name="sequence")
    x = L.Conv1D(filters, 5, activation="relu", name=f"{prefix}bpnet_1st_conv")(source)
    inner = L.Conv1D(filters, 3, dilation_rate=2, activation="relu", name=f"{prefix}bpnet_1conv")(x)
    x = L.Cropping1D(2, name=f"{prefix}bpnet_1crop")(x)
    x = L.Add(name=f"{prefix}add")([inner, x])
    y = L.Conv1D(1, 17, name=f"{prefix}prof_out_precrop")(x)
    y = L.Cropping1D(12, name=f"{prefix}logits_profile_predictions_preflatten")(y)
    y = L.Flatten(name=f"{prefix}logits_profile_predictions")(y)
    counts = L.GlobalAveragePooling1D(name=f"{prefix}gap")(x)
    counts = L.Dense(1, name=f"{prefix}logcount_predictions")(counts)
    return keras.Model(source, [y, counts], name=f"{prefix}model")


def chrombpnet() -> keras.Model:
    """chrombpnet_with_bias_model.py: two models, added, and the logarithm of added counts."""
    source = L.Input((WINDOW, 4), name="sequence")
    own, bias = bpnet("wo_bias_bpnet_")(source), bpnet(filters=3)(source)
    y = L.Add(name="logits_profile_predictions")([own[0], bias[0]])
    counts = L.Lambda(
        lambda x: keras.ops.logsumexp(x, axis=-1, keepdims=True), name="logcount_predictions"
    )(L.Concatenate(axis=-1)([own[1], bias[1]]))
    return keras.Model(source, [y, counts])


def bpnet_with_controls() -> keras.Model:
    """BPNet of two strands as basepairmodels saves it, with control tracks of both."""
    source = L.Input((POSITIONS, 4), name="sequence")
    tracks = L.Input((POSITIONS, 2), name="profile_bias_input_0")
    total = L.Input((2,), name="counts_bias_input_0")
    x = L.Conv1D(6, 7, padding="same", activation="relu")(source)
    inner = L.Conv1D(6, 3, padding="same", dilation_rate=2, activation="relu")(x)
    x = L.Add()([x, inner])
    y = L.Concatenate()([L.Conv1D(2, 5, padding="same")(x), tracks])
    y = L.Conv1D(2, 1, name="profile_predictions")(y)
    counts = L.Concatenate()([L.GlobalAveragePooling1D()(x), total])
    counts = L.Dense(2, name="logcounts_predictions")(counts)
    return keras.Model([source, tracks, total], [y, counts])


# ---------------------------------------------------------------- values of whole sequences


def deepstarr() -> keras.Model:
    x = source = L.Input((48, 4), name="sequence")
    for number, width in enumerate((7, 5), 1):
        x = L.Conv1D(6, width, padding="same", name=f"Conv1D_{number}st")(x)
        x = L.MaxPooling1D(2)(L.Activation("relu")(L.BatchNormalization()(x)))
    x = L.Flatten()(x)
    x = L.BatchNormalization()(L.Dense(8, name="Dense_1")(x))
    x = L.Dropout(0.4)(L.Activation("relu")(x))
    return keras.Model(source, [L.Dense(1, name=f"Dense_{task}")(x) for task in ("Dev", "Hk")])


def basset() -> keras.Model:
    x = source = L.Input((72, 4), name="sequence")
    for width, pool in ((19, 3), (7, 2)):
        x = L.Activation("relu")(L.BatchNormalization()(L.Conv1D(6, width)(x)))
        x = L.MaxPooling1D(pool)(x)
    x = L.Flatten()(x)
    x = L.Dropout(0.3)(L.Activation("relu")(L.BatchNormalization()(L.Dense(10)(x))))
    return keras.Model(source, L.Dense(len(TASKS), activation="sigmoid", name="tasks")(x))


TASKS = ("GM12878", "K562", "HepG2", "A549")


def aparent() -> keras.Model:
    """Letters in an image of one channel, the library as one-hot and the distal site beside."""
    source = L.Input((60, 4, 1), name="sequence")
    library, distal = L.Input((13,), name="library"), L.Input((1,), name="distal")
    x = L.MaxPooling2D((2, 1))(L.Conv2D(8, (8, 4), activation="relu")(source))
    x = L.Flatten()(L.Conv2D(8, (6, 1), activation="relu")(x))
    x = L.Dropout(0.2)(L.Dense(12, activation="relu")(x))
    x = L.Dropout(0.2)(L.Dense(8, activation="relu")(L.Concatenate()([x, library, distal])))
    isoform = L.Dense(1, activation="sigmoid", name="isoform")(x)
    cut = L.Dense(61, activation="softmax", name="cut")(x)
    return keras.Model([source, library, distal], [isoform, cut])


def optimus() -> keras.Model:
    x = source = L.Input((50, 4), name="sequence")
    for _ in range(2):
        x = L.Conv1D(8, 8, padding="same", activation="relu")(x)
    x = L.Activation("relu")(L.Dense(10)(L.Flatten()(x)))
    return keras.Model(source, L.Dense(1, name="load")(L.Dropout(0.2)(x)))


def spliceai(crop: int = 10) -> keras.Model:
    """A dilated residual unit of any length, beside a convolution that skips it, cropped."""
    source = L.Input((None, 4), name="sequence")
    x = L.Conv1D(6, 1)(source)
    skipped = L.Conv1D(6, 1)(x)
    inner = x
    for _ in range(2):
        inner = L.Activation("relu")(L.BatchNormalization()(inner))
        inner = L.Conv1D(6, 5, padding="same", dilation_rate=2)(inner)
    x = L.Add()([x, inner])
    skipped = L.Add()([skipped, L.Conv1D(6, 1)(x)])
    x = L.Conv1D(3, 1, activation="softmax", name="sites")(L.Cropping1D(crop)(skipped))
    return keras.Model(source, x)


# ---------------------------------------------------------------- all of them

GENOME = ("chrombpnet", "bigwig", "modisco")
ARCHITECTURES: Mapping[str, Architecture] = {
    "ChromBPNet without bias": Architecture(
        WINDOW,
        {
            "counts": units("wo_bias_bpnet_logcount_predictions"),
            "profile": profile("wo_bias_bpnet_logits_profile_predictions"),
        },
        lambda: bpnet("wo_bias_bpnet_"),
        to=GENOME,
    ),
    "ChromBPNet with bias": Architecture(
        WINDOW,
        {
            "counts": units("logcount_predictions"),
            "profile": profile("logits_profile_predictions"),
        },
        chrombpnet,
        options=("--functions", "chrombpnet"),
        to=GENOME,
    ),
    "BPNet with controls": Architecture(
        POSITIONS,
        {"counts": units("logcounts_predictions"), "profile": profile("profile_predictions")},
        bpnet_with_controls,
        to=("bpnet", "bigwig"),
        beside={"profile_bias_input_0": (POSITIONS, 2), "counts_bias_input_0": (2,)},
    ),
    "DeepSTARR": Architecture(
        48, {"Dev": units("Dense_Dev"), "Hk": units("Dense_Hk")}, deepstarr, to=("modisco", "bpnet")
    ),
    "Basset": Architecture(
        72,
        {name: units("tasks", TASKS.index(name)) for name in ("K562", "A549")},
        basset,
        options=("--tasks", "tasks.txt", "--target", "K562", "--target", "A549"),
        linear="tasks",
        to=("bigwig", "modisco"),
    ),
    "APARENT": Architecture(
        60,
        {"isoform": units("isoform"), "cut": units("cut", 30)},
        aparent,
        options=("--target", "isoform=isoform:0", "--target", "cut=cut:30"),
        beside={"library": (13,), "distal": (1,)},
    ),
    "Optimus": Architecture(50, {"": units("load")}, optimus),
    "SpliceAI": Architecture(
        60,
        {"": units("sites", 20, 1)},
        spliceai,
        options=("--length", "60", "--target", "20,1"),
        to=("bigwig", "bpnet"),
        linear="sites",
    ),
    "the example's": Architecture(
        200,
        {"": units("logits", 1)},
        file=ROOT / "examples" / "genomics" / "model.h5",
        options=("--target", "1"),
    ),
    "real SpliceAI": Architecture(
        10_010,
        {"": units("logits", 4, 1)},
        file=MODELS / "spliceai1" / "spliceai1.h5",
        options=("--length", "10010", "--target", "4,1"),
        to=("bigwig",),
    ),
    "real Optimus of Keras 1": Architecture(
        54, {"": units("logits")}, file=MODELS / "optimus5p-keras1" / "evolution_model.hdf5"
    ),
    "real Optimus of Keras 2": Architecture(
        54,
        {"": units("logits")},
        file=MODELS / "optimus5p-keras2" / "retrained_evolution_model.hdf5",
    ),
}


def with_random_weights(model: keras.Model, seed: int = 0) -> keras.Model:
    """Batch norms that do something, and biases; kernels are random as they are."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        name, shape = weight.name, weight.shape
        if name in ("gamma", "moving_variance"):
            weight.assign(random.uniform(0.5, 1.5, shape))
        elif name in ("beta", "bias", "moving_mean"):
            weight.assign(random.normal(0, 0.2, shape))
    return model
