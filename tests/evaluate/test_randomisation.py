"""Networks with randomised layers, and how far scores follow."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.evaluate.random_networks import randomised
from tests.evaluate.nets import picture, rng
from tests.helpers import off


def network() -> de.Network:
    keras.utils.set_random_seed(6)
    return de.convert(
        keras.Sequential(
            [
                keras.Input((8, 3), name="x"),
                L.Conv1D(4, 3, activation="relu", bias_initializer="random_normal", name="conv"),
                L.BatchNormalization(gamma_initializer="random_normal", name="norm"),
                L.PReLU(alpha_initializer="random_normal", name="slopes"),
                L.Bidirectional(L.GRU(3), name="both"),
                L.Dense(2, name="units"),
            ]
        ),
        dtype="float64",
    )


def arrays(net: de.Network) -> dict[str, np.ndarray]:
    layers = dict(net.spec.layers)
    for name, layer in net.spec.layers.items():
        layers |= {f"{name}.{number}": child for number, child in enumerate(layer.children)}
    return {
        f"{name}/{role}": np.array(array)
        for name, layer in layers.items()
        for role, array in layer.weights.items()
    }


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    assert before.keys() == after.keys()
    return {name.split("/")[0] for name in before if not np.array_equal(before[name], after[name])}


@pytest.mark.parametrize("draw", ["normal", "permuted"])
def test_layers_are_randomised_from_the_output_down(draw: str) -> None:
    net = network()
    before, x = arrays(net), rng(0).normal(size=(3, 8, 3))
    predicted = net.predict(x)
    cascade = list(randomised(net, "cascading", draw))
    assert [name for name, _ in cascade] == ["units", "both", "slopes", "norm", "conv"]
    whole: set[str] = set()
    steps = ({"units"}, {"both.0", "both.1"}, {"slopes"}, {"norm"}, {"conv"})
    for (_, random), more in zip(cascade, steps, strict=True):
        whole |= more
        assert changed(before, arrays(random)) == whole
    for (name, random), (_, cascaded) in zip(
        randomised(net, "independent", draw), cascade, strict=True
    ):
        found = arrays(random)
        assert {each.split(".")[0] for each in changed(before, found)} == {name}
        same = [key for key in found if key.split("/")[0].split(".")[0] == name]
        assert all(np.array_equal(found[key], arrays(cascaded)[key]) for key in same)
    assert changed(before, arrays(net)) == set()
    assert np.array_equal(net.predict(x), predicted)


def test_draws_have_the_arrays_spread_or_entries() -> None:
    net = network()
    before = arrays(net)
    normal = arrays(list(randomised(net, draw="normal"))[-1][1])
    permuted = arrays(list(randomised(net, draw="permuted"))[-1][1])
    kernel = "both.0/recurrent_kernel"
    assert np.array_equal(np.sort(permuted[kernel].ravel()), np.sort(before[kernel].ravel()))
    assert normal[kernel].std() == pytest.approx(before[kernel].std(), rel=0.4)
    for made in (normal, permuted):
        assert not np.array_equal(made["norm/gamma"], before["norm/gamma"])
        assert not np.array_equal(made["slopes/alpha"], before["slopes/alpha"])
        assert np.array_equal(made["norm/moving_variance"], before["norm/moving_variance"])
    again = arrays(list(randomised(net, draw="normal", seed=1))[-1][1])
    assert not np.array_equal(again[kernel], normal[kernel])


def test_correlations_are_those_of_the_randomised_networks_scores() -> None:
    net, x = picture(), rng(0).normal(size=(3, 5, 4, 2))
    bench = evaluate.Bench(net, x, target=[0, 1])
    subject = bench.run("gradient")
    found = evaluate.randomisation(subject, draw="permuted", seed=4)
    assert list(found.positions) == ["units", "conv"]
    assert found.curve.shape == (2, 3, 2)
    for place, (_, random) in enumerate(randomised(net, draw="permuted", seed=4)):
        scores = random.explainer("gradient").run(x, target=[0, 1]).scores
        other = bench.take(scores)
        expected = evaluate.rank_correlation(subject, other).values
        assert off(found.curve[..., place], expected) < 1e-12
    assert off(found.values, found.curve[..., -1]) < 1e-12
    alone = evaluate.randomisation(subject, order="independent")
    assert off(alone.values, alone.curve.mean(axis=-1)) < 1e-12


def test_what_is_no_choice_is_refused() -> None:
    x = rng(0).normal(size=(2, 5, 4, 2))
    subject = evaluate.Bench(picture(), x, target=0).run("gradient")
    with pytest.raises(InputError, match=r"Bench\.run"):
        evaluate.randomisation(subject.bench.take(subject.scores[0][0]))
    with pytest.raises(RuleError, match="cascading, independent"):
        evaluate.randomisation(subject, order="upwards")
    with pytest.raises(RuleError, match="normal, permuted"):
        evaluate.randomisation(subject, draw="zeros")
    keras.utils.set_random_seed(0)
    flat = de.convert(keras.Sequential([keras.Input((3, 2)), L.Flatten()]))
    with pytest.raises(InputError, match="no layer that learns"):
        list(randomised(flat))
