"""Several heads in one run: each has the result of a run of its own, from any method."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.engine.joint_task import joint_task
from deeplift_engine.errors import InputError, NotFiniteError, TargetError
from tests.explainers.test_every_method import FITTED, ON_IMAGES, OPTIONS, parts
from tests.helpers import off, slow_among

QUICK = {"deeplift", "lrp_epsilon", "contrastive_lrp", "grad_cam"}
"""Methods that are tried always; others are the same to heads."""
TARGETS = {"counts": ("counts", 1), "profile": ("profile", (slice(None), 1))}
HEADS = {"counts": "counts:1", "profile": "profile"}

pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


def sequences(length: int | None = 12) -> keras.Model:
    source = keras.Input((length, 4), name="letters")
    x = L.Conv1D(5, 3, activation="relu", name="conv")(source)
    profile = L.Conv1D(2, 3, name="profile")(x)
    x = L.GlobalAveragePooling1D()(x) if length is None else L.Flatten()(L.MaxPooling1D(2)(x))
    x = L.Dense(6, activation="tanh", name="hidden")(x)
    return keras.Model(source, [profile, L.Dense(3, name="counts")(x)])


def images() -> keras.Model:
    source = keras.Input((16, 16, 3), name="pixels")
    x = L.Conv2D(4, 3, activation="relu", name="conv")(source)
    profile = L.Reshape((-1, 2), name="profile")(L.Conv2D(2, 3)(x))
    return keras.Model(source, [profile, L.Dense(3, name="counts")(L.Flatten()(x))])


def opened(model: keras.Model) -> de.Network:
    generator = np.random.default_rng(1)
    model.set_weights([generator.normal(0, 0.4, array.shape) for array in model.get_weights()])
    return de.convert(model, dtype="float64")


@pytest.fixture(scope="module")
def networks() -> dict[bool, de.Network]:
    return {False: opened(sequences()), True: opened(images())}


@pytest.fixture(scope="module")
def net(networks: dict[bool, de.Network]) -> de.Network:
    return networks[False]


@pytest.fixture(scope="module")
def both(net: de.Network) -> Any:
    """The gradient of both heads, made once for all tests here."""
    return net.explainer("gradient", target=HEADS)


@pytest.fixture(scope="module")
def alone(net: de.Network) -> dict[str, Any]:
    """That of each layer."""
    return {name: net.explainer("gradient", target=target) for name, target in HEADS.items()}


def data(image: bool = False, samples: int = 3, length: int = 12) -> Any:
    generator = np.random.default_rng(0)
    if image:
        return generator.uniform(size=(samples, 16, 16, 3))
    return np.eye(4)[generator.integers(4, size=(samples, length))]


X = data()


def options_of(networks: dict[bool, de.Network], name: str) -> dict[str, Any]:
    options = dict(OPTIONS.get(name, {}))
    if name in FITTED:
        options["patterns"] = de.fit_patterns(networks[False], data(samples=30))
    if name == "neuron_conductance":
        options["layer"] = "conv"  # both heads are behind it
    return options


def assert_same(head: de.Attribution, own: de.Attribution) -> None:
    """All of a result: arrays to 1e-12 of the scores, settings as they are."""
    scale = max(float(np.abs(values).max()) for values in parts(own.scores))
    for name in ("scores", "multipliers", "standard_errors"):
        ours, theirs = getattr(head, name), getattr(own, name)
        assert (ours is None) == (theirs is None), name
        if theirs is not None:
            for one, other in zip(parts(ours), parts(theirs), strict=True):
                assert off(one, other) < 1e-12
    for name in ("convergence_delta", "target_delta", "relative_error"):
        ours, theirs = getattr(head, name), getattr(own, name)
        assert (ours is None) == (theirs is None), name
        if theirs is not None:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * max(scale, 1))
    assert head.axes == own.axes
    assert head.settings == own.settings
    for one, other in zip(parts(head.predictions), parts(own.predictions), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", slow_among(de.methods(), set(de.methods()) - QUICK))
def test_each_head_has_the_result_of_a_run_of_its_own(
    networks: dict[bool, de.Network], name: str
) -> None:
    network, x = networks[name in ON_IMAGES], data(name in ON_IMAGES)
    options = options_of(networks, name)
    made = network.explainer(name, target=HEADS, **options)
    given = {"references": de.references.shared(x[::-1])} if made.traits.uses_references else {}
    result = made.run(x, target={"profile": (slice(None), 1)}, **given)
    assert result.axes == ("target", "sample")
    assert list(result.heads) == ["counts", "profile"]
    for head, (layer, units) in TARGETS.items():
        own = network.explainer(name, target=layer, **options).run(x, target=units, **given)
        assert_same(result.heads[head], own)


@pytest.mark.parametrize(
    "units",
    [
        (1, "all"),
        ([0, 2, 1], (3, 0)),
        (de.targets.difference(0, 1), [(0, 0), (slice(None), 1)]),
        (np.array([0, 2, 1]), de.targets.mean_normalised((2, 1))),
        ("0-2", de.targets.weights(np.linspace(-1, 1, 16).reshape(8, 2))),
        (None, np.random.default_rng(2).normal(size=(3, 8, 2))),
    ],
)
def test_a_head_takes_any_target(both: Any, alone: dict[str, Any], units: tuple[Any, Any]) -> None:
    given = dict(zip(TARGETS, units, strict=True))
    result = both.run(X, target=given)
    count = 0
    for head, target in given.items():
        own = alone[head].run(X, target=target)
        assert_same(result.heads[head], own)
        rows = slice(count, count + (len(own.scores) if "target" in own.axes else 1))
        assert off(result.scores[rows].reshape(own.scores.shape), own.scores) < 1e-12
        count = rows.stop
    assert len(result.scores) == count


def test_lengths_are_those_of_the_data() -> None:
    network = opened(sequences(None))
    made, own = (network.explainer("gradient", target=target) for target in (HEADS, "profile"))
    for length in (9, 14):
        x = data(length=length)
        found = made.run(x, target={"profile": "all"}).heads["profile"]
        assert found.scores.shape == (2 * (length - 4), *x.shape)
        assert_same(found, own.run(x, target="all"))


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
def test_heads_are_in_the_file(both: Any, net: de.Network, tmp_path: Path, suffix: str) -> None:
    names = {"a/b": "counts:0", "é=1": "counts:all", "": "profile:0,1"}
    result = net.explainer("gradient", target=names).run(X)
    result.save(tmp_path / f"heads{suffix}")
    loaded = de.Attribution.load(tmp_path / f"heads{suffix}").heads
    assert list(loaded) == list(names)
    for name, head in result.heads.items():
        np.testing.assert_array_equal(loaded[name].scores, head.scores)
        assert loaded[name].axes == head.axes
        assert loaded[name].settings["target"] == head.settings["target"]
        assert loaded[name].settings["target_layer"] == head.settings["target_layer"]
    assert both.run(X, target={"profile": (0, 0)}).heads["counts"].heads == {}


def test_a_result_says_its_heads(both: Any) -> None:
    result = both.run(X, target={"profile": (0, 1)})
    assert "target counts: 1 of counts; profile: (0, 1) of profile" in repr(result)
    assert repr(both).startswith("<gradient of heads counts, profile at letters")
    assert "target (0, 1) of profile" in repr(result.heads["profile"])


def test_copies_score_the_same(both: Any) -> None:
    found, expected = (
        each.run(X, target={"profile": (2, 0)}).scores
        for each in (pickle.loads(pickle.dumps(both)), both)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_whatever_takes_a_target_takes_heads(net: de.Network) -> None:
    heads = {"counts": "counts:1", "profile": "profile:2,0"}
    one = {name: net.explainer(target=target) for name, target in heads.items()}
    sweep = net.sweep(X, {"zeros": 0, "own": X[::-1]}, target=heads)
    for name, made in one.items():
        own = made.run(X, references=X[::-1])
        assert off(sweep["own", "rescale"].heads[name].scores, own.scores) < 1e-12
    assert net.audit(X, target=heads).ok
    assert not net.audit(X, X[::-1], target=heads, rules="gradient").ok
    assert net.reference_report(X, 0, target=heads) is not None
    compared = de.compare(net, X, ["gradient"], target=heads, metrics=["deletion"])
    assert "of {'counts': 'counts', 'profile': 'profile'}" in str(compared)
    with pytest.raises(TargetError, match=r"target_layer= names 'hidden'.*leave target_layer out"):
        net.sweep(X, {"zeros": 0}, target=heads, target_layer="hidden")


def test_a_head_may_lie_in_front_of_another(net: de.Network) -> None:
    heads = {"inner": "hidden:2", "outer": "counts:0"}
    result = net.explainer("gradient", target=heads).run(X)
    for name, target in heads.items():
        assert_same(result.heads[name], net.explainer("gradient", target=target).run(X))


@pytest.mark.slow
def test_the_negated_target_is_that_of_each_head(net: de.Network) -> None:
    heads = {"counts": "counts:1", "profile": "profile:2,0"}
    options = {"method": "contrastive_lrp", "dual": "negated"}
    result = net.explainer(target=heads, **options).run(X)
    for name, target in heads.items():
        assert_same(result.heads[name], net.explainer(target=target, **options).run(X))
    with pytest.raises(TargetError, match=r"negates the weights of 'hidden/pre_activation'"):
        net.explainer(target={"a": "hidden/pre_activation:0", "b": "counts:0"}, **options)


def test_a_head_that_is_not_finite_is_named() -> None:
    source = keras.Input((3,))
    one = L.Dense(2, name="one")(source)
    root = keras.ops.sqrt(L.Dense(1, use_bias=False, name="minus")(source))
    model = keras.Model(source, [one, root])
    model.get_layer("minus").set_weights([-np.ones((3, 1))])
    network = de.convert(model)
    made = network.explainer(target={"one": "one:0", "root": network.output_names[1]})
    with pytest.raises(NotFiniteError, match="The target of head 'root' is nan"):
        made.run(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({}, "names no head: give at least one"),
        ({"a": "nowhere:0"}, "Head 'a': target='nowhere:0'.*no layer"),
        ({"a": 0}, "Head 'a': The model has several outputs"),
        ({1: "counts:0"}, "Head 1: The name of a head is a text"),
        ({"a": {"b": "counts:0"}}, "Head 'a': It has heads of its own"),
        ({"a": "counts:0", "b": "profile"}, "Head 'b': The layer has units of shape"),
        ({"a": "counts:7"}, "Head 'a': target=7 is outside a layer of shape"),
        ({"a": ["counts:0", "profile:0,0"]}, "Head 'a': .*several layers"),
    ],
)
def test_heads_that_are_refused(net: de.Network, heads: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        net.explainer("gradient", target=heads).run(X)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (0, "target=0 is of no head: this explains the heads 'counts', 'profile'"),
        ({"count": 0}, "target= has the head 'count'; this explains 'counts', 'profile'"),
        ({"counts": "profile:0,0"}, "Head 'counts': .*of the layer 'profile'"),
    ],
)
def test_targets_of_a_run_that_are_refused(both: Any, target: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        both.run(X, target=target)


def test_what_one_layer_alone_or_none_explains_is_refused(alone: dict[str, Any]) -> None:
    with pytest.raises(TargetError, match="explains 'counts' alone: name them earlier"):
        alone["counts"].run(X, target={"counts": 0})


def test_a_layer_without_inputs_is_no_head(net: de.Network) -> None:
    task = net.task("counts")
    apart = replace(task, graph=replace(task.graph, inputs=()))
    with pytest.raises(TargetError, match="Head 'a': 'counts' depends on no input"):
        joint_task({"a": "counts"}, lambda target: apart)


def test_maps_need_one_convolution_for_all_heads(net: de.Network) -> None:
    source = keras.Input((12, 4))
    sides = [
        L.Flatten()(L.Conv1D(2, 3, activation="relu", name=f"scan_{side}")(source))
        for side in ("left", "right")
    ]
    model = keras.Model(
        source, [L.Dense(1, name=name)(x) for name, x in zip("ab", sides, strict=True)]
    )
    network = de.convert(model)
    with pytest.raises(InputError, match=r"differ, 'scan_left' in front of 'a'.*layers="):
        network.explainer("grad_cam", target={"a": "a", "b": "b"})
