"""Scores averaged over both strands, against runs of the reverse complements that numpy turns."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.cli import main
from deeplift_engine.errors import InputError
from deeplift_engine.genomics.both_strands import both_strands
from deeplift_engine.genomics.nucleotides import Alphabet
from deeplift_engine.util.typing import Array
from tests.explainers.keras_nets import float64
from tests.helpers import off

LENGTH = 20

pytestmark = pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning")


def filled(model: keras.Model, seed: int) -> keras.Model:
    generator = np.random.default_rng(seed)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def profile_net(seed: int = 1) -> de.Network:
    with float64():
        source = L.Input((LENGTH, 4), name="sequence")
        x = L.Conv1D(6, 5, activation="relu", padding="same", name="motifs")(source)
        tracks = L.Conv1D(2, 5, padding="same", name="tracks")(x)
        counts = L.Dense(2, name="log_counts")(L.GlobalAveragePooling1D()(x))
        model = keras.Model(source, [tracks, counts])
    return de.convert(filled(model, seed), dtype="float64")


@pytest.fixture(scope="module")
def net() -> de.Network:
    return profile_net()


def letters(samples: int, seed: int = 0, *more: int) -> Array:
    return np.eye(4)[np.random.default_rng(seed).integers(4, size=(samples, *more, LENGTH))]


def turned(array: Array) -> Array:
    """Reverse complements (..., L, 4) of letters in the order ACGT."""
    return array[..., ::-1, ::-1]


X, OWN = letters(4), letters(4, 1, 3)
UNITS: dict[str, tuple[str, tuple[Any, Any]]] = {
    "counts": ("log_counts", (de.targets.counts(), de.targets.counts())),
    "profile": ("tracks", (de.targets.profile(), de.targets.profile())),
    "pair": ("tracks", (de.targets.profile("pair"), de.targets.profile("pair"))),
    "one track": (
        "tracks",
        (de.targets.profile("pair", track=0), de.targets.profile("pair", track=1)),
    ),
    "a unit": ("tracks", ((3, 0), (LENGTH - 4, 1))),
    "a task": ("log_counts", (1, 1)),
    "several": (
        "tracks",
        ([(3, 0), (slice(None), 1)], [(LENGTH - 4, 1), (slice(None), 0)]),
    ),
}
"""Layers and targets, and the same targets on the other strand."""


@pytest.mark.parametrize("what", UNITS)
def test_scores_are_means_of_both_strands(net: de.Network, what: str) -> None:
    layer, (forward, backward) = UNITS[what]
    made = net.explainer("deeplift", target=layer)
    result = both_strands(made).run(X, target=forward, references=OWN)
    first = made.run(X, target=forward, references=OWN)
    second = made.run(turned(X), target=backward, references=turned(OWN))
    assert off(result.scores, (first.scores + turned(second.scores)) / 2) < 1e-12
    assert off(result.multipliers, (first.multipliers + turned(second.multipliers)) / 2) < 1e-12
    assert off(result.target_delta, (first.target_delta + second.target_delta) / 2) < 1e-12
    np.testing.assert_array_equal(result.predictions["tracks"], first.predictions["tracks"])
    assert result.settings["reverse_complement"] == "averaged"
    expected = (first.hypothetical + turned(second.hypothetical)) / 2
    assert off(result.hypothetical, expected) < 1e-12


def test_the_mean_does_not_know_the_strand(net: de.Network) -> None:
    made = both_strands(net.explainer("deeplift", target={"profile": "tracks:profile:pair"}))
    forward = made.run(X, references=OWN)
    backward = made.run(turned(X), references=turned(OWN))
    assert off(turned(backward.scores), forward.scores) < 1e-12


@pytest.mark.parametrize("name", ["gradient", "integrated_gradients", "occlusion", "lrp_epsilon"])
def test_other_methods_are_averaged_too(net: de.Network, name: str) -> None:
    made = net.explainer(name, target="log_counts:0")
    result = both_strands(made).run(X).scores
    expected = (made.run(X).scores + turned(made.run(turned(X)).scores)) / 2
    assert off(result, expected) < 1e-10


def test_streams_stores_and_copies_hold_the_same(net: de.Network, tmp_path: Path) -> None:
    made = both_strands(net.explainer("deeplift", target={"profile": "tracks:profile:pair"}))
    arguments = {"references": de.references.dinucleotide_shuffle(3, seed=2)}
    expected = made.run(X, **arguments)
    for rows, part in made.stream(X, rows=2, **arguments):
        assert off(part.scores, expected.scores[:, rows]) < 1e-10
    job = de.Job(made, X, arrays=["scores"], **arguments)
    job.run(job.create(tmp_path / "run.zarr"))
    stored = de.open_store(tmp_path / "run.zarr")["profile/scores"][:]
    assert off(stored, expected.heads["profile"].scores) < 1e-6
    copy = pickle.loads(pickle.dumps(made)).run(X, **arguments)
    np.testing.assert_array_equal(copy.scores, expected.scores)


def channels_first() -> keras.Model:
    source = L.Input((4, LENGTH), name="sequence")
    x = L.Permute((2, 1))(source)
    return keras.Model(source, L.Dense(1)(L.Flatten()(L.Conv1D(3, 5, activation="relu")(x))))


def flat_image() -> keras.Model:
    source = L.Input((LENGTH, 4, 1), name="sequence")
    x = L.Conv2D(3, (5, 4), activation="relu")(source)
    return keras.Model(source, L.Dense(1)(L.Flatten()(x)))


@pytest.mark.parametrize(
    ("build", "arrange", "back"),
    [
        (channels_first, lambda x: x.swapaxes(1, 2), lambda x: x.swapaxes(1, 2)),
        (flat_image, lambda x: x[..., np.newaxis], lambda x: x[..., 0]),
    ],
)
def test_letters_are_on_any_axis(build: Any, arrange: Any, back: Any) -> None:
    network = de.convert(filled(build(), 2), dtype="float64")
    made = network.explainer("gradient_times_input")
    result = both_strands(made).run(arrange(X)).scores
    second = turned(back(made.run(arrange(turned(X))).scores))
    assert off(back(result), (back(made.run(arrange(X)).scores) + second) / 2) < 1e-12


@pytest.mark.parametrize(
    ("letters", "expected"),
    [("ACGT", (3, 2, 1, 0)), ("ATCG", (1, 0, 3, 2)), ("acgu", (3, 2, 1, 0))],
)
def test_complements_follow_from_the_order(letters: str, expected: tuple[int, ...]) -> None:
    assert Alphabet(letters).complements == expected


def test_another_order_of_letters(net: de.Network) -> None:
    made = net.explainer("deeplift", target="log_counts:0")
    result = both_strands(made, "ATCG").run(X, references=0.25)
    other = X[:, ::-1][..., [1, 0, 3, 2]]
    second = made.run(other, references=0.25).scores[:, ::-1][..., [1, 0, 3, 2]]
    assert off(result.scores, (made.run(X, references=0.25).scores + second) / 2) < 1e-12


def controlled() -> keras.Model:
    source, control = L.Input((LENGTH, 4), name="sequence"), L.Input((LENGTH, 2), name="control")
    size = L.Input((1,), name="size")
    x = L.Flatten()(L.Concatenate()([L.Conv1D(3, 5, padding="same")(source), control]))
    x = L.Dense(4, activation="softplus")(L.Concatenate()([x, size]))
    return keras.Model([source, control, size], L.Dense(1)(x))


def test_inputs_beside_the_sequence_are_said() -> None:
    network = de.convert(filled(controlled(), 3), dtype="float64")
    made = network.explainer("gradient")
    generator = np.random.default_rng(0)
    data = {"sequence": X, "control": generator.normal(size=(4, LENGTH, 2))}
    data["size"] = generator.normal(size=(4, 1))
    with pytest.raises(InputError, match=r"'control'.*beside="):
        both_strands(made)
    with pytest.raises(InputError, match="tracks"):
        both_strands(made, beside={"control": "other"})
    result = both_strands(made, beside={"control": "tracks", "size": "same"}).run(data)
    mirrored = {**data, "sequence": turned(X), "control": turned(data["control"])}
    first, second = made.run(data), made.run(mirrored)
    for name in ("sequence", "control"):
        expected = (first.scores[name] + turned(second.scores[name])) / 2
        assert off(result.scores[name], expected) < 1e-12
    expected = (first.scores["size"] + second.scores["size"]) / 2
    assert off(result.scores["size"], expected) < 1e-12


def test_what_has_no_other_strand_is_refused(net: de.Network) -> None:
    source = L.Input((7,))
    vectors = de.convert(keras.Model(source, L.Dense(1)(source))).explainer("gradient")
    with pytest.raises(InputError, match="letters"):
        both_strands(vectors)
    with pytest.raises(InputError, match="No input has letters"):
        both_strands(vectors, beside={vectors.origin.inputs[0].name: "same"})
    made = net.explainer("gradient", target="log_counts:0")
    with pytest.raises(InputError, match="already"):
        both_strands(both_strands(made))
    with pytest.raises(InputError, match="ATCG"):
        both_strands(made, "ACGG")
    inside = net.explainer("gradient", target="log_counts:0", layers="motifs")
    with pytest.raises(InputError, match="each letter"):
        both_strands(inside)


def test_the_command_line_averages(tmp_path: Path) -> None:
    source = L.Input((LENGTH, 4), name="sequence")
    x = L.Flatten()(L.Conv1D(3, 5, activation="relu")(source))
    filled(keras.Model(source, L.Dense(1)(x)), 5).save(tmp_path / "model.h5")
    np.save(tmp_path / "x.npy", X.astype("float32"))
    out = tmp_path / "out.npz"
    command = ["score", str(tmp_path / "model.h5"), str(tmp_path / "x.npy"), "-o", str(out), "-q"]
    assert main([*command, "--reverse-complement", "--method", "gradient"]) == 0
    made = de.load(tmp_path / "model.h5").explainer("gradient")
    expected = (made.run(X).scores + turned(made.run(turned(X)).scores)) / 2
    loaded = de.Attribution.load(out)
    assert off(loaded.scores, expected) < 1e-6
    assert loaded.settings["reverse_complement"] == "averaged"
