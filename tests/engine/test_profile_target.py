"""Targets of profiles and counts, against weights that numpy computes of Keras's predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import TargetError
from deeplift_engine.util.typing import Array
from tests.explainers.keras_nets import float64
from tests.helpers import off

LENGTH, TRACKS = 24, 2
OPTIONS: dict[str, dict[str, Any]] = {
    "deeplift": {"rules": "reveal_cancel"},
    "integrated_gradients": {"steps": 4},
    "smoothgrad": {"samples": 3},
    "occlusion": {"window": 3},
    "shapley_sampling": {"samples": 4},
}
METHODS = (
    *("deeplift", "deepshap", "gradient", "gradient_times_input", "integrated_gradients"),
    *("expected_gradients", "smoothgrad", "lrp_epsilon", "occlusion", "ism"),
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    generator = np.random.default_rng(1)
    with float64():
        source = keras.Input((LENGTH, 4), name="sequence")
        x = L.Conv1D(6, 5, activation="relu", padding="same", name="conv")(source)
        logits = L.Conv1D(TRACKS, 7, padding="same", name="tracks")(x)
        counts = L.Dense(TRACKS, name="log_counts")(L.GlobalAveragePooling1D()(x))
        made = keras.Model(source, [logits, counts])
    made.set_weights([generator.normal(0, 0.6, w.shape) for w in made.get_weights()])
    return made


@pytest.fixture(scope="module")
def net(model: keras.Model) -> de.Network:
    return de.convert(model, dtype="float64")


def letters(*shape: int, seed: int = 0) -> Array:
    return np.eye(4)[np.random.default_rng(seed).integers(4, size=(*shape, LENGTH))]


X, OWN = letters(5), letters(5, 3, seed=1)


def logits_of(model: keras.Model, x: Array) -> Array:
    flat = model.predict(x.reshape(-1, LENGTH, 4), verbose=0)[0]
    return np.asarray(flat, float).reshape(*x.shape[:-2], LENGTH, TRACKS)


def softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=-2, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-2, keepdims=True))


def centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=-2, keepdims=True))


def held(values: Array) -> Any:
    """Softmaxes as weights of the logits; taking the mean off either comes to the same."""
    return de.targets.weights(centred(values))


@pytest.mark.parametrize("name", METHODS)
def test_weights_at_the_input_are_the_same_constants_for_every_method(
    model: keras.Model, net: de.Network, name: str
) -> None:
    made = net.explainer(name, target="tracks", **OPTIONS.get(name, {}))
    given = (
        {"references": de.references.shared(letters(3, seed=2))}
        if made.traits.uses_references
        else {}
    )
    result = made.run(X, target=de.targets.profile(), **given)
    expected = made.run(X, target=held(softmax(logits_of(model, X))), **given)
    assert off(result.scores, expected.scores) < 1e-10
    assert result.settings["target"] == "profile(weights='input')"


@pytest.mark.parametrize("references", ["own", "shared"])
@pytest.mark.parametrize("weights", ["input", "pair"])
@pytest.mark.parametrize("name", ["deeplift", "integrated_gradients"])
def test_scores_sum_to_the_weighted_logits(
    model: keras.Model, net: de.Network, name: str, weights: str, references: str
) -> None:
    # 200 steps: the path crosses kinks of ReLUs, between which the sum is exact
    options = {"steps": 200} if name == "integrated_gradients" else {}
    made = net.explainer(name, target="tracks", **options)
    compared = OWN if references == "own" else np.broadcast_to(OWN[0], OWN.shape)
    result = made.run(
        X,
        target=de.targets.profile(weights),
        references=de.references.shared(OWN[0]) if references == "shared" else OWN,
        average=False,
    )
    z, z0 = logits_of(model, X)[:, np.newaxis], logits_of(model, compared)
    held_weights = softmax(z) if weights == "input" else (softmax(z) + softmax(z0)) / 2
    expected = (held_weights * (centred(z) - centred(z0))).sum((-2, -1))
    tolerance = 1e-10 if name == "deeplift" else 2e-2
    assert off(result.scores.sum((-2, -1)), expected) < tolerance
    np.testing.assert_allclose(result.target_delta, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "name",
    ["deeplift", "deepshap", "integrated_gradients", "smoothgrad", "occlusion", "shapley_sampling"],
)
def test_weights_of_pairs_are_those_of_each_reference_alone(
    model: keras.Model, net: de.Network, name: str
) -> None:
    options = OPTIONS.get(name, {})
    if name == "smoothgrad":
        options = {**options, "of": "integrated_gradients"}
    made = net.explainer(name, target="tracks", **options)
    result = made.run(X, target=de.targets.profile("pair"), references=OWN)
    z = softmax(logits_of(model, X))
    each = [
        made.run(
            X,
            target=held((z + softmax(logits_of(model, OWN[:, number]))) / 2),
            references=OWN[:, [number]],
        ).scores
        for number in range(OWN.shape[1])
    ]
    if name != "smoothgrad":  # whose noise is drawn from the input and is the same
        spread = np.std(each, axis=0, ddof=1) / np.sqrt(len(each))
        if result.standard_errors is not None:
            assert off(result.standard_errors, spread) < 1e-8
    assert off(result.scores, np.mean(each, axis=0)) < 1e-8


@pytest.mark.parametrize("weights", ["input", "pair"])
def test_heads_and_lists_have_what_each_has_alone(net: de.Network, weights: str) -> None:
    profile = f"tracks:profile{':pair' * (weights == 'pair')}"
    heads = {"counts": "log_counts:counts", "profile": profile, "unit": "tracks:3,1"}
    result = net.explainer("deeplift", target=heads).run(X, references=OWN)
    for name, target in heads.items():
        own = net.explainer("deeplift", target=target).run(X, references=OWN)
        assert off(result.heads[name].scores, own.scores) < 1e-12
        assert off(result.heads[name].target_delta, own.target_delta) < 1e-12
    units = [(3, 1), de.targets.profile(weights), de.targets.profile(weights, track=0)]
    several = net.explainer("deeplift", target="tracks").run(X, target=units, references=OWN)
    assert off(several.scores[1], result.heads["profile"].scores) < 1e-12
    assert off(several.scores[0], result.heads["unit"].scores) < 1e-12


def test_tracks_add_up(net: de.Network) -> None:
    made = net.explainer("deeplift", target="tracks")
    both, first, last = (
        made.run(X, target=de.targets.profile(track=track), references=OWN).scores
        for track in (None, 0, -1)
    )
    assert off(first + last, both) < 1e-12
    assert off(first, both) > 0.1


def test_counts_are_all_units(net: de.Network) -> None:
    made = net.explainer("gradient", target="log_counts")
    found = made.run(X, target=de.targets.counts()).scores
    assert off(found, made.run(X, target="all").scores.sum(0)) < 1e-12


@pytest.mark.parametrize("weights", ["input", "pair"])
@pytest.mark.parametrize("name", ["deeplift", "integrated_gradients"])
def test_parts_and_blocks_change_nothing(net: de.Network, name: str, weights: str) -> None:
    target = {"profile": f"tracks:profile{':pair' * (weights == 'pair')}", "one": "log_counts:1"}
    made = net.explainer(name, target=target, **OPTIONS.get(name, {}))
    x = letters(9, seed=3)
    references = de.references.dinucleotide_shuffle(4, seed=1)
    expected = made.run(x, references=references)
    small = made.run(x, references=references, batch_size=3)
    assert off(small.scores, expected.scores) < 1e-10
    for rows, part in made.stream(x, references=references, rows=2):
        assert off(part.scores, expected.scores[:, rows]) < 1e-10
        np.testing.assert_allclose(
            part.target_delta, expected.target_delta[:, rows], rtol=0, atol=1e-10
        )


def test_a_store_holds_what_a_run_gives(net: de.Network, tmp_path: Path) -> None:
    target = {"profile": "tracks:profile:pair", "counts": "log_counts:counts"}
    made = net.explainer("deeplift", target=target)
    references = de.references.dinucleotide_shuffle(4, seed=1)
    expected = made.run(X, references=references)
    job = de.Job(made, X, references=references, arrays=["scores"], rows=2, shard=2)
    job.run(job.create(tmp_path / "run.zarr"))
    store = de.open_store(tmp_path / "run.zarr")
    for name in target:
        # a store keeps float32
        assert off(store[f"{name}/scores"][:], expected.heads[name].scores) < 1e-6


def test_sweeps_and_audits_have_it_too(net: de.Network) -> None:
    profile = de.targets.profile("pair")
    sweep = net.sweep(X, {"own": OWN, "zeros": 0}, target=profile, target_layer="tracks")
    made = net.explainer("deeplift", target="tracks")
    for name, references in (("own", OWN), ("zeros", 0)):
        own = made.run(X, target=profile, references=references)
        assert off(sweep[name, "rescale"].scores, own.scores) < 1e-12
    audit = net.audit(X, OWN[:, 0], target=profile, target_layer="tracks")
    assert audit.ok
    alone = made.run(X, target=profile, references=OWN[:, :1])
    np.testing.assert_allclose(audit.target_delta, alone.target_delta, rtol=0, atol=1e-10)


def test_standard_errors_are_those_over_references(net: de.Network) -> None:
    made = net.explainer("deeplift", target="tracks")
    target = de.targets.profile("pair")
    each = made.run(X, target=target, references=OWN, average=False).scores
    result = made.run(X, target=target, references=OWN, standard_errors=True)
    assert off(result.standard_errors, each.std(1, ddof=1) / np.sqrt(3)) < 1e-10


@pytest.mark.parametrize("name", ["gradient", "expected_gradients"])
def test_weights_of_pairs_need_pairs(net: de.Network, name: str) -> None:
    with pytest.raises(TargetError, match="weights='input'"):
        net.explainer(name, target="tracks").run(X, target=de.targets.profile("pair"))
    with pytest.raises(TargetError, match="'pair'"):
        de.targets.profile("neither")
    with pytest.raises(TargetError, match="weights='input'"):
        de.evaluate.Bench(net, X, target=de.targets.profile("pair"), target_layer="tracks")


def test_a_profile_needs_positions_and_its_track(net: de.Network) -> None:
    with pytest.raises(TargetError, match="2 tracks"):
        net.explainer("gradient", target="tracks").run(X, target=de.targets.profile(track=2))
    source = keras.Input((LENGTH, 4))
    scalar = de.convert(keras.Model(source, L.Dense(1)(L.Flatten()(source))))
    with pytest.raises(TargetError, match="LAYER:profile"):
        scalar.explainer("gradient").run(X, target=de.targets.profile())
