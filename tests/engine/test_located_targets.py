"""A target is said in one place: the layer, its units, or both."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import targets
from deeplift_engine.cli import arguments, value_syntax
from deeplift_engine.errors import TargetError

L = keras.layers
X = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")


@pytest.fixture(scope="module")
def net() -> Any:
    keras.utils.set_random_seed(0)
    x = L.Input((6, 2), name="x")
    hidden = L.Conv1D(3, 2, activation="relu", name="conv")(x)
    counts = L.Dense(4, name="counts")(L.Flatten(name="flat")(hidden))
    return de.convert(keras.Model(x, [L.Conv1D(2, 2, name="profile")(hidden), counts]))


SAME = {
    "counts:0": ("counts", 0),
    "counts:-1": ("counts", -1),
    "counts:0-2": ("counts", targets.difference(0, 2)),
    "counts:mean:1": ("counts", targets.mean_normalised(1)),
    "counts:all": ("counts", "all"),
    "profile:2,1": ("profile", (2, 1)),
    "profile:2,:": ("profile", (2, slice(None))),
    "output:profile:0,0": ("output:profile", (0, 0)),
    "layer:conv:0,0": ("conv", (0, 0)),
}


@pytest.mark.parametrize("text", SAME)
def test_a_layer_and_its_units_are_one_target(net: Any, text: str) -> None:
    layer, units = SAME[text]
    explainer = net.explainer("gradient", target=layer)
    expected = explainer.run(X, target=units)
    for result in (
        net.explainer("gradient", target=text).run(X),
        explainer.run(X, target=text),
        net.explainer("gradient", target=text).run(X, target=units),
    ):
        np.testing.assert_array_equal(result.scores, expected.scores)
        assert result.axes == expected.axes
        assert result.settings["target_layer"] == expected.settings["target_layer"]
        assert result.settings["target"] == expected.settings["target"]


def test_units_alone_are_of_the_logits_and_a_run_may_name_others() -> None:
    x = L.Input((4,))
    one = de.convert(keras.Model(x, L.Dense(3, activation="softmax", name="classes")(x)))
    data = np.ones((2, 4))
    expected = [one.explainer("gradient").run(data, target=unit).scores for unit in range(3)]
    for target in (1, "1", "logits:1", "classes/pre_activation:1"):
        explainer = one.explainer("gradient", target=target)
        np.testing.assert_array_equal(explainer.run(data).scores, expected[1])
        np.testing.assert_array_equal(explainer.run(data, target=2).scores, expected[2])
        np.testing.assert_array_equal(
            explainer.run(data, target=["logits:0", 2]).scores, expected[::2]
        )


def test_the_target_of_an_explainer_is_its_own() -> None:
    units = np.array([0, 1, 2])
    counts = L.Input((3,))
    one = de.convert(keras.Model(counts, L.Dense(3)(counts))).explainer("gradient", target=units)
    before = one.run(X[:, :3, 0]).scores
    units[:] = 0
    np.testing.assert_array_equal(one.run(X[:, :3, 0]).scores, before)


def test_whatever_takes_a_target_takes_its_layer(net: Any) -> None:
    sweep = net.sweep(X, {"zeros": 0}, target="counts:1")
    expected = net.explainer(target="counts").run(X, target=1)
    np.testing.assert_allclose(sweep["zeros", "rescale"].scores, expected.scores, atol=1e-6)
    assert net.audit(X, target="counts:1").ok
    report = net.reference_report(X, 0, target="counts:1")
    np.testing.assert_allclose(report.on_inputs[0], net.predict(X)["counts"][:, 1], atol=1e-6)
    compared = de.compare(net, X, ["gradient"], target="counts:1", metrics=["deletion"])
    assert compared.bench.target == 1


def test_a_layer_may_be_called_like_units() -> None:
    x = L.Input((2,), name="x")
    y = L.Dense(3, name="all")(x)
    named = de.convert(keras.Model(x, L.Dense(2, name="mean")(y)))
    with pytest.raises(TargetError, match="say 'layer:all' for the layer, and 'logits:all'"):
        named.explainer(target="all")
    with pytest.raises(TargetError, match="could be units or the layer"):
        named.explainer(target="mean:1")
    assert named.explainer("gradient", target="layer:all:2").run(X[:, 0]).scores.shape == (3, 2)
    assert named.explainer("gradient", target="logits:all").run(X[:, 0]).scores.shape == (2, 3, 2)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("count:0", "no layer 'count'.*counts.*LAYER:UNITS"),
        ("counts:first", "no layer 'counts:first'.*Units are 3, 2,5"),
        ("first", "no layer 'first'.*mean:3 or all"),
        (0, r"name one as target=: profile, counts.*'counts:0'.*--target counts:0"),
        (["counts:0", "profile:0,0"], "--target counts=counts:0 --target profile=profile:0,0"),
        ("counts:9", "outside a layer"),
    ],
)
def test_targets_that_are_refused(net: Any, target: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        net.explainer("gradient", target=target).run(X)


def test_units_of_several_layers_are_told_as_heads_that_run(net: Any) -> None:
    said = ["counts:0", "output:profile:0,0", "layer:counts:2", 3]
    with pytest.raises(TargetError, match=r"Of 3 say the layer too") as refused:
        net.explainer("gradient", target=said)
    python, commands = re.findall(r"explainer\(target=(.*?)\); on the command line (.*?)\. Of",
                                  str(refused.value))[0]  # fmt: skip
    heads = ast.literal_eval(python)
    result = net.explainer("gradient", target=heads).run(X)
    for name, own in {"counts": ["counts:0", "counts:2"], "profile": "profile:0,0"}.items():
        expected = net.explainer("gradient", target=own).run(X).scores
        np.testing.assert_allclose(result.heads[name].scores, expected, atol=1e-6)
    words = shlex.split(commands)
    assert set(words[::2]) == {"--target"}
    options = argparse.Namespace(target=list(map(value_syntax.target, words[1::2])))
    assert arguments.target(options) == heads


def test_another_layer_than_the_explainers_is_refused_with_the_way(net: Any) -> None:
    with pytest.raises(TargetError, match=r"explains 'counts'.*explainer\(target='profile'\)"):
        net.explainer("gradient", target="counts").run(X, target="profile")
    with pytest.raises(TargetError, match=r"target_layer= names 'profile'.*leave one"):
        net.sweep(X, {"zeros": 0}, target="counts:0", target_layer="profile")
