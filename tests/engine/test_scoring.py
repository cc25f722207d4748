"""Running an explainer: what may be handed in, and what must change nothing."""

from __future__ import annotations

import gc
import logging
import resource
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.engine import scoring
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.errors import (
    InputError,
    ReferencesError,
    RuleError,
    TargetError,
    UnsupportedModelError,
)

L = keras.layers
ROUNDING = 2e-6  # kernels of other block sizes add in another order


@pytest.fixture(scope="module")
def model() -> Any:
    """Two sequences and a row of numbers, three classes; nested, shared, merged."""
    keras.utils.set_random_seed(3)
    encoder = keras.Sequential(
        [
            keras.Input((20, 4)),
            L.Conv1D(5, 3, activation="relu", name="scan"),
            L.GlobalAveragePooling1D(),
        ],
        name="encoder",
    )
    first, second, row = (
        keras.Input((20, 4), name="first"),
        keras.Input((20, 4), name="second"),
        keras.Input((3,), name="row"),
    )
    joined = L.Concatenate(name="joined")([encoder(first), encoder(second), row])
    hidden = L.Dense(6, activation="relu", name="hidden")(joined)
    return keras.Model(
        [first, second, row], L.Dense(3, activation="softmax", name="classes")(hidden)
    )


@pytest.fixture(scope="module")
def network(model: Any) -> de.Network:
    return de.convert(model)


@pytest.fixture(scope="module")
def explainer(network: de.Network) -> Any:
    return network.explainer(rules="genomics_default", fused=False)


def data(samples: int, seed: int = 0) -> list[Any]:
    generator = np.random.default_rng(seed)
    shapes = [(20, 4), (20, 4), (3,)]
    return [generator.normal(size=(samples, *shape)).astype("float32") for shape in shapes]


def several(samples: int, count: int, seed: int = 1) -> list[Any]:
    return [part.reshape(samples, count, *part.shape[1:]) for part in data(samples * count, seed)]


def flat(result: Any, kind: str = "scores") -> Any:
    """All inputs' arrays side by side, (..., features)."""
    lead = len(result.axes)
    parts = getattr(result, kind).values()
    return np.concatenate([part.reshape(*part.shape[:lead], -1) for part in parts], axis=-1)


def test_inputs_come_as_list_or_mapping(explainer: Any) -> None:
    x = data(4)
    listed = explainer.run(x, target=1)
    named = explainer.run(dict(zip(("first", "second", "row"), x, strict=True)), target=1)
    assert list(listed.scores) == ["first", "second", "row"]
    np.testing.assert_array_equal(flat(listed), flat(named))


def test_sums_over_all_inputs_are_the_target_difference(explainer: Any, model: Any) -> None:
    x, x0 = data(5), data(5, 1)
    result = explainer.run(x, target=1, references=x0)
    logits = keras.Model(model.inputs, model.get_layer("classes").output)
    change = np.log(logits.predict(x, verbose=0)) - np.log(logits.predict(x0, verbose=0))
    by_unit = explainer.run(x, target="all", references=x0).target_delta
    centred = by_unit - by_unit.mean(0)  # the softmax hides what is common to all logits
    np.testing.assert_allclose(centred.T, change - change.mean(1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(flat(result).sum(-1), result.target_delta, atol=1e-5)
    np.testing.assert_allclose(
        result.convergence_delta, flat(result).sum(-1) - result.target_delta, atol=1e-5
    )


def test_batches_order_and_neighbours_change_nothing(explainer: Any) -> None:
    x, x0 = data(7), several(7, 5)
    whole = explainer.run(x, target=2, references=x0)
    for batch_size in (1, 3, 5, 12, 1000):
        part = explainer.run(x, target=2, references=x0, batch_size=batch_size)
        for kind in ("scores", "multipliers"):
            np.testing.assert_allclose(flat(part, kind), flat(whole, kind), atol=ROUNDING)
        np.testing.assert_allclose(part.target_delta, whole.target_delta, atol=ROUNDING)
    order = np.array([3, 0, 6, 5, 1, 2, 4])
    turned = explainer.run([p[order] for p in x], target=2, references=[p[order] for p in x0])
    np.testing.assert_allclose(flat(turned), flat(whole)[order], atol=ROUNDING)
    alone = explainer.run([p[2:3] for p in x], target=2, references=[p[2:3] for p in x0])
    np.testing.assert_allclose(flat(alone), flat(whole)[2:3], atol=ROUNDING)


def test_scores_are_the_mean_of_those_kept_apart(explainer: Any) -> None:
    x, x0 = data(4), several(4, 3)
    mean = explainer.run(x, target=0, references=x0)
    apart = explainer.run(x, target=0, references=x0, average=False, batch_size=2)
    assert apart.axes == ("sample", "reference")
    assert apart.scores["first"].shape == (4, 3, 20, 4)
    for kind in ("scores", "multipliers"):
        np.testing.assert_allclose(flat(apart, kind).mean(1), flat(mean, kind), atol=ROUNDING)
    np.testing.assert_allclose(apart.target_delta.mean(1), mean.target_delta, atol=ROUNDING)


@pytest.mark.parametrize("batch_size", [None, 2, 4])
def test_a_shared_set_is_the_same_set_for_each(explainer: Any, batch_size: int | None) -> None:
    x, several_0 = data(5), data(6, 1)
    shared = explainer.run(
        x,
        target=0,
        references=[de.references.shared(part) for part in several_0],
        batch_size=batch_size,
    )
    own = explainer.run(
        x, target=0, references=[np.broadcast_to(p, (5, *p.shape)) for p in several_0]
    )
    np.testing.assert_allclose(flat(shared), flat(own), atol=ROUNDING)


def test_samples_go_forward_once_for_the_shared_references_that_are_held(
    explainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, references = data(2), [de.references.shared(part) for part in data(20, seed=1)]
    forward = Counter[str]()
    tensors = ForwardPass.tensors

    def counted(self: ForwardPass, points: Any) -> Any:
        forward[str(len(points[0]))] += 1
        return tensors(self, points)

    monkeypatch.setattr(ForwardPass, "tensors", counted)
    held = explainer.run(x, target=0, references=references, batch_size=6)
    assert forward == {"5": 4, "1": 2 * 2}  # 4 blocks of references, 2 of them held together
    monkeypatch.setattr(scoring, "HELD", 0)
    alone = explainer.run(x, target=0, references=references, batch_size=6)
    assert forward == {"5": 2 * 4, "1": 2 * 2 + 2 * 4}
    np.testing.assert_array_equal(flat(held), flat(alone))


def test_one_reference_of_one_input_goes_with_many_of_another(explainer: Any) -> None:
    x, x0 = data(3), several(3, 4)
    mixed = explainer.run(x, target=0, references={"first": x0[0], "second": 0.5, "row": x[2]})
    assert not np.any(mixed.scores["row"])  # an input that is held fixed explains nothing
    filled = [x0[0], np.full_like(x0[1], 0.5), np.repeat(x[2][:, None], 4, axis=1)]
    np.testing.assert_allclose(
        flat(mixed), flat(explainer.run(x, target=0, references=filled)), atol=ROUNDING
    )


def test_several_targets_in_one_pass_are_those_one_by_one(explainer: Any) -> None:
    x, x0 = data(4), several(4, 2)
    weights = np.array([0.2, -1.0, 0.7])
    asked = [1, de.targets.difference(0, 2), de.targets.mean_normalised(1), weights]
    together = explainer.run(x, target=asked, references=x0)
    assert together.axes == ("target", "sample")
    singles = [explainer.run(x, target=one, references=x0) for one in asked]
    for number, one in enumerate(singles):
        np.testing.assert_allclose(flat(together)[number], flat(one), atol=ROUNDING)
    every = flat(explainer.run(x, target="all", references=x0))
    np.testing.assert_allclose(every[1], flat(singles[0]), atol=ROUNDING)
    np.testing.assert_allclose(every[0] - every[2], flat(singles[1]), atol=ROUNDING)
    np.testing.assert_allclose(every[1] - every.mean(0), flat(singles[2]), atol=ROUNDING)
    np.testing.assert_allclose(np.tensordot(weights, every, 1), flat(singles[3]), atol=ROUNDING)
    each = np.array([2, 0, 1, 1])
    np.testing.assert_allclose(
        flat(explainer.run(x, target=each, references=x0)),
        every[each, np.arange(4)],
        atol=ROUNDING,
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (None, "say which"),
        (3, "outside"),
        ((0, 1), "2 of the 1 indices"),
        (1.5, "no unit"),
        ("first", "is of the layer 'first'"),
        ([], "at least one"),
        (np.array([0, 1]), "one unit per sample"),
        (np.array([0, 1, 7]), "0 to 2"),
        (np.array([0.5, 1.0]), "layer's shape"),
        (np.array([0.5, np.nan, 1.0]), "finite"),
    ],
)
def test_targets_that_name_nothing_are_refused(explainer: Any, target: Any, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        explainer.run(data(3), target=target)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x: x[:2], "has 3 inputs|2 given"),
        (lambda x: x[0], "3 inputs"),
        (lambda x: {"first": x[0]}, "missing"),
        (lambda x: [x[0][:, :-1], *x[1:]], "expected"),
        (lambda x: [x[0][0], *x[1:]], "batch axis"),
        (lambda x: [x[0][:2], *x[1:]], "different numbers"),
        (lambda x: [part[:0] for part in x], "no samples"),
        (lambda x: [x[0] * np.nan, *x[1:]], "holds nan, first in sample 0"),
        (lambda x: [np.full(x[0].shape, 1e300), *x[1:]], "no finite number in float32"),
        (lambda x: [x[0].astype(str), *x[1:]], "not numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(explainer: Any, spoil: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        explainer.run(spoil(data(3)), target=0)


def test_other_names_and_numbers_are_refused(network: de.Network, explainer: Any) -> None:
    with pytest.raises(InputError, match="batch_size"):
        explainer.run(data(2), target=0, batch_size=0)
    with pytest.raises(ReferencesError, match="different numbers"):
        explainer.run(data(2), target=0, references=[several(2, n)[0] for n in (2, 3)] + [0.0])
    with pytest.raises(TargetError, match=r"no layer 'hiden'.*hidden"):
        network.explainer(target="hiden")
    with pytest.raises(InputError, match="does not depend"):
        network.explainer(target="encoder/scan", layers="row")
    with pytest.raises(RuleError, match=r"'rescal'.*rescale"):
        network.explainer(rules="rescal")
    with pytest.raises(RuleError, match="no layer of this model"):
        network.explainer(rules={"nowhere": "rescale", "default": "gradient"})
    with pytest.raises(RuleError, match="max_pooling"):
        network.explainer(max_pooling="average")


def test_scores_at_layers_are_their_multipliers_times_delta(network: de.Network) -> None:
    x, x0 = data(4), data(4, 1)
    rules = {"after:dense": "reveal_cancel", "default": "rescale"}
    explainer = network.explainer(rules=rules, layers=["joined", "hidden"], fused=False)
    result = explainer.run(x, target=1, references=x0)
    ends = [network.activations(end, ["joined", "hidden"]) for end in (x, x0)]
    for name in ("joined", "hidden"):
        delta = ends[0][name] - ends[1][name]
        np.testing.assert_allclose(result.multipliers[name] * delta, result.scores[name], atol=1e-5)
        np.testing.assert_allclose(result.scores[name].sum(-1), result.target_delta, atol=1e-5)


def test_rules_are_chosen_by_name_class_and_family(network: de.Network) -> None:
    rules = [("hidden", "gradient"), ("class:Conv1D", "reveal_cancel"), ("default", "rescale")]
    said = {row.name: row.rule for row in network.describe(rules=rules)}
    assert said["hidden"] == "gradient"
    assert said["encoder/scan"] == said["encoder:1/scan"] == "reveal_cancel"
    genomics = {row.name: row.rule for row in network.describe(rules="genomics_default")}
    assert genomics["hidden"] == "reveal_cancel"
    assert genomics["encoder/scan"] == "rescale"


def test_genomics_default_says_why_where_it_takes_rescale(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stack = [L.Conv1D(3, 3), L.BatchNormalization(), L.ReLU(name="seen_through")]
    stack += [L.MaxPooling1D(2, name="pool"), L.ReLU(name="behind_pool"), L.Flatten(), L.Dense(1)]
    net = de.convert(keras.Sequential([keras.Input((20, 4)), *stack]))
    with caplog.at_level(logging.INFO, "deeplift_engine"):
        notes = {row.name: row.note for row in net.describe(rules="genomics_default")}
    assert notes["seen_through"] == ""
    assert "pool (MaxPooling1D)" in notes["behind_pool"]
    assert "behind_pool gets rescale" in caplog.text


def test_fused_kernels_give_the_same(network: de.Network, explainer: Any) -> None:
    x, x0 = data(4), several(4, 3)
    fused = network.explainer(rules="genomics_default", fused=True)
    np.testing.assert_allclose(
        flat(fused.run(x, target=0, references=x0)),
        flat(explainer.run(x, target=0, references=x0)),
        atol=ROUNDING,
    )


def test_nothing_is_traced_again_and_memory_does_not_grow(
    explainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    explainer.run(data(3), target=0)
    traced: list[Any] = []
    monkeypatch.setattr(tf, "function", lambda *args, **kwargs: traced.append(args))
    peaks = []
    for number in range(200):
        samples = 1 + number % 9
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            explainer.run(
                data(samples), target=[0, 1][: 1 + number % 2], references=several(samples, 2)
            )
        if number in (100, 199):
            gc.collect()
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # in KiB
    assert not traced
    assert peaks[1] - peaks[0] < 16 << 10


def test_float64_goes_all_the_way(model: Any) -> None:
    network = de.convert(model, dtype="float64")
    result = network.explainer(rules="reveal_cancel", fused=False).run(
        [part.astype("float64") for part in data(4)],
        target=0,
        references=[part.astype("float64") for part in data(4, 1)],
    )
    assert flat(result).dtype == np.float64
    assert np.abs(result.convergence_delta).max() < 1e-13


def test_the_model_stays_as_it_was(model: Any) -> None:
    before = [np.asarray(weight).tobytes() for weight in model.get_weights()]
    x = [tf.constant(part) for part in data(2)]

    def gradients() -> bytes:
        with tf.GradientTape() as tape:
            output = tf.reduce_sum(model(x)[:, 0])
        return b"".join(g.numpy().tobytes() for g in tape.gradient(output, model.weights))

    expected = gradients()
    network = de.convert(model)
    network.explainer(rules="guided_backprop", fused=False).run(data(2), target=0)
    assert [np.asarray(weight).tobytes() for weight in model.get_weights()] == before
    assert gradients() == expected


def test_a_file_gives_what_the_model_in_memory_gives(
    model: Any, network: de.Network, tmp_path: Path
) -> None:
    for name in ("model.h5", "model.keras"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(tmp_path / name)
        loaded = de.load(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(data(3)), network.predict(data(3)))
        verification = loaded.verify()
        assert verification.ok, verification.message
    np.testing.assert_allclose(
        network.predict(data(3)), model.predict(data(3), verbose=0), atol=1e-6
    )


def test_a_network_of_a_model_in_memory_is_compared_with_that(network: de.Network) -> None:
    verification = network.verify()
    assert verification.ok
    assert "of the model in memory" in verification.message


def test_an_audit_names_the_layer_that_breaks_the_sum(network: de.Network) -> None:
    x, x0 = data(3), data(3, 1)
    sound = network.audit(x, x0, target=0, rules="genomics_default")
    assert sound.ok
    assert sound.worst.error < 1e-5
    one = network.audit([end[:1] for end in x], [end[:1] for end in x0], target=0)
    totals = [row.total for row in one.rows]
    np.testing.assert_allclose(totals, one.target_delta[0], atol=1e-5)
    broken = network.audit(x, x0, target=0, rules={"hidden": "gradient", "default": "rescale"})
    assert not broken.ok
    assert broken.first_break is not None
    assert broken.first_break.layer == "hidden"
    assert "hidden" in str(broken)
    assert "<- breaks the sum" in str(broken)


def test_everything_unsupported_is_listed_at_once() -> None:
    given = keras.Input((20, 4))
    doubled = L.Lambda(lambda x: 2 * x, name="twice")(given)
    other = L.Lambda(lambda x: x + 1, name="other")(given)
    with pytest.raises(UnsupportedModelError) as raised:
        de.convert(keras.Model(given, L.Dense(1)(L.Add()([doubled, other]))))
    message = str(raised.value)
    assert "2 layers" in message
    assert "other (Lambda)" in message
    assert "twice (Lambda)" in message
    assert "functions={'twice': f}" in message


def test_a_function_for_a_lambda_is_crossed_and_marked() -> None:
    given = keras.Input((20, 4))
    squared = L.Lambda(lambda x: x * x, name="squared")(L.Dense(3)(given))
    model = keras.Model(given, L.Dense(1)(L.Flatten()(squared)))
    network = de.convert(model, functions={"squared": de.forward_only(lambda x: x * x, nodes=16)})
    x = data(3)[0]
    np.testing.assert_allclose(network.predict(x), model.predict(x, verbose=0), atol=1e-5)
    result = network.explainer(fused=False).run(x, references=data(3, 1)[0])
    assert result.relative_error.max() < 1e-5
    rows = {row.name: row for row in network.describe()}
    assert not rows["squared"].exact
    assert all(row.exact for name, row in rows.items() if name != "squared")


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_channels_first_is_channels_last_turned_round(padding: str) -> None:
    """Two convolutions in a row, scored at the inputs and at the first one."""
    keras.utils.set_random_seed(0)

    def stack(order: str) -> Any:
        shape = (9, 8, 2) if order == "channels_last" else (2, 9, 8)
        options = {"padding": padding, "data_format": order}
        return keras.Sequential(
            [
                keras.Input(shape),
                L.Conv2D(4, 3, activation="relu", name="one", **options),
                L.BatchNormalization(axis=-1 if order == "channels_last" else 1),
                L.AveragePooling2D(2, data_format=order),
                L.Conv2D(3, 2, activation="tanh", name="two", **options),
                L.GlobalMaxPooling2D(data_format=order),
                L.Dense(2),
            ]
        )

    last = stack("channels_last")
    x, x0 = (np.random.default_rng(i).normal(size=(3, 9, 8, 2)).astype("f4") for i in (0, 1))
    first = stack("channels_first")
    first.set_weights(last.get_weights())
    networks = de.convert(last), de.convert(first)
    turned = [np.moveaxis(end, -1, 1) for end in (x, x0)]
    np.testing.assert_allclose(networks[1].predict(turned[0]), networks[0].predict(x), atol=1e-5)
    for layers in (None, "one"):
        a, b = (net.explainer(layers=layers, fused=False) for net in networks)
        expected = a.run(x, target=1, references=x0).scores
        found = b.run(turned[0], target=1, references=turned[1]).scores
        np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, atol=1e-5)
