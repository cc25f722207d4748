"""Networks, explainers, references and targets are pickled and copied, and score the same."""

from __future__ import annotations

import copy
import functools
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine import references, targets
from tests.explainers.test_every_method import FITTED, ON_IMAGES, OPTIONS

X = np.eye(4, dtype="float32")[np.random.default_rng(0).integers(4, size=(3, 12))]
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickled": lambda value: pickle.loads(pickle.dumps(value)),
    "copied": copy.deepcopy,
}

pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


def tripled(layer: Any) -> Any:
    return layer.input * 3


class Tripled(L.Layer):
    def call(self, x: Any) -> Any:
        return 3 * x


def model() -> keras.Model:
    x = source = keras.Input((12, 4), name="letters")
    x = Tripled(name="own")(L.Conv1D(5, 3, activation="relu", name="conv")(x))
    x = L.Dense(6, activation="tanh", name="hidden")(L.Flatten()(x))
    return keras.Model(source, L.Dense(3, activation="softmax")(x))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> de.Network:
    path = tmp_path_factory.mktemp("pickling") / "m.keras"
    model().save(path)
    return de.load(path, layers={"own": tripled}, dtype="float64")


def run(explainer: Any, **arguments: Any) -> np.ndarray:
    if explainer.traits.uses_references:
        arguments.setdefault("references", references.shared(X[1:] * 0.5))
    return np.asarray(explainer.run(X, target=0, **arguments).scores)


@pytest.mark.parametrize("way", list(WAYS))
def test_a_network_predicts_the_same(network: de.Network, way: str) -> None:
    again = WAYS[way](network)
    np.testing.assert_array_equal(again.predict(X), network.predict(X))
    assert (again.dtype, again.spec.sha256) == (network.dtype, network.spec.sha256)


def test_a_network_of_a_model_in_memory_is_pickled_without_it() -> None:
    network = de.convert(keras.Sequential([keras.Input((4,)), L.Dense(2)]))
    again = pickle.loads(pickle.dumps(network))
    np.testing.assert_array_equal(again.predict(X[:, 0]), network.predict(X[:, 0]))
    verification = again.verify()
    assert verification.ok is None
    assert "The model in memory" in verification.message


EXPLAINERS: dict[str, dict[str, Any]] = {
    "deeplift": {"rules": {"conv": "reveal_cancel"}},
    "integrated_gradients": {"steps": 7},
    "lrp_epsilon": {"epsilon": 0.1},
    "smoothgrad": {"samples": 3},
    "occlusion": {"window": 3},
}


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("name", list(EXPLAINERS))
def test_an_explainer_scores_the_same(network: de.Network, name: str, way: str) -> None:
    explainer = network.explainer(name, target="output", layers=["conv"], **EXPLAINERS[name])
    again = WAYS[way](explainer)
    np.testing.assert_array_equal(run(again), run(explainer))
    assert repr(again) == repr(explainer)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in de.methods() if name not in FITTED | ON_IMAGES])
def test_every_method_scores_the_same(network: de.Network, name: str) -> None:
    explainer = network.explainer(name, **OPTIONS.get(name, {}))
    again = pickle.loads(pickle.dumps(explainer))
    np.testing.assert_array_equal(run(again), run(explainer))


def test_a_sweeper_and_what_shares_a_network(network: de.Network) -> None:
    sweeper = network.sweeper(["rescale", "gradient"])
    one, other = pickle.loads(pickle.dumps([sweeper, network.explainer()]))
    assert one.recreate.func.__self__ is other.recreate.func.__self__  # the network, once
    first, second = (each.run(X, {"zeros": 0}, target=0) for each in (sweeper, one))
    for key, result in first.results.items():
        np.testing.assert_array_equal(result.scores, second.results[key].scores)


def test_an_explainer_within_another_is_not_pickled_by_itself(network: de.Network) -> None:
    inner = network.task("logits")
    explainer = inner.create_method("gradient", inner, {})
    with pytest.raises(TypeError, match="belongs to another object"):
        pickle.dumps(explainer)


def halved(inputs: np.ndarray) -> np.ndarray:
    return inputs / 2


KINDS: dict[str, Callable[[], Any]] = {
    "zeros": references.zeros,
    "unchanged": references.unchanged,
    "constant": lambda: references.constant(0.5),
    "per_channel": lambda: references.per_channel([0.1, 0.2, 0.3, 0.4]),
    "background": lambda: references.background([0.3, 0.2, 0.2, 0.3]),
    "shuffle": lambda: references.shuffle(3, 1),
    "dinucleotide_shuffle": lambda: references.dinucleotide_shuffle(3),
    "kmer_shuffle": lambda: references.kmer_shuffle(3, k=2),
    "gc_matched": lambda: references.gc_matched(2, background=np.roll(X, 1, axis=1)),
    "mean": lambda: references.mean(X),
    "drawn": lambda: references.drawn(X, 2),
    "shared": lambda: references.shared(X),
    "per_sample": lambda: references.per_sample(np.roll(X, 1, axis=0)),
    "blur": lambda: references.blur([1, 2]),
    "replaced": lambda: references.replaced([0, 1], keep=[1]),
    "function": lambda: references.function(halved),
    "combined": lambda: references.combined(0, references.blur(2), X[:1]),
}


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("kind", list(references.KINDS))
def test_references_are_the_same(kind: str, way: str) -> None:
    made = KINDS[kind]()
    again = WAYS[way](made)
    both = [references.resolve(each, (12, 4), 3, "float32", X[0]) for each in (made, again)]
    assert both[0].name == both[1].name
    arrays = [
        each.make(X[:0], np.zeros(0, int)) if each.shared else each.make(X, np.arange(3))
        for each in both
    ]
    np.testing.assert_array_equal(*arrays)


def test_references_that_were_changed_are_not_pickled_as_they_were() -> None:
    made = references.shuffle(3)
    with pytest.raises(TypeError, match="belongs to another object"):
        pickle.dumps(replace(made, count=2))
    assert pickle.loads(pickle.dumps(made)).name == made.name


def test_arrays_of_references_are_those_of_the_call() -> None:
    array = X.copy()
    made = references.shared(array)
    array[:] = 0
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.make(X[:0], np.zeros(0, int)), X)


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize(
    "target",
    [targets.weights([1, 2, 3]), targets.difference(0, 2), targets.mean_normalised(1), (1,), "all"],
)
def test_targets_are_the_same(network: de.Network, target: Any, way: str) -> None:
    again = WAYS[way](target)
    np.testing.assert_array_equal(targets.resolve(again, (3,), 2), targets.resolve(target, (3,), 2))


# ------------------------------------------------------------ processes, and graphs

SPAWNED = """
import multiprocessing, pickle, sys
import numpy as np
import deeplift_engine as de

def scores(explainer):
    return explainer.run(np.ones((2, 4), "float32"), target=0).scores

if __name__ == "__main__":
    network = de.load(sys.argv[1])
    with multiprocessing.get_context("fork").Pool(1) as pool:  # before TensorFlow runs
        early = pool.apply(network.predict, (np.ones((2, 4), "float32"),))
    explainer = network.explainer()
    expected = scores(explainer)
    for function in (explainer.run, network.predict, network.audit):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            try:
                pool.apply_async(function, (np.ones((2, 4), "float32"),)).get(60)
            except de.errors.InputError as error:
                print(error)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        again = pool.apply_async(scores, (explainer,)).get(120)
    assert np.array_equal(again, expected)
    assert np.array_equal(early, network.predict(np.ones((2, 4), "float32")))
"""


def test_a_forked_process_is_told_to_spawn_and_a_spawned_one_scores(
    tmp_path: Path, forked: Any
) -> None:
    keras.Sequential([keras.Input((4,)), L.Dense(3, "relu"), L.Dense(1)]).save(tmp_path / "m.keras")
    (tmp_path / "script.py").write_text(SPAWNED)
    script = "import runpy, sys; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = forked.run(script, tmp_path / "script.py", tmp_path / "m.keras")
    assert done.code == 0, done.err
    assert done.out.count("multiprocessing.get_context('spawn')") == 3


def test_inside_a_graph_there_are_no_numbers_yet(network: de.Network) -> None:
    explainer = network.explainer()
    calls: list[Callable[[Any], Any]] = [
        functools.partial(explainer.run, target=0),
        network.predict,
        functools.partial(network.sweep, references={"zeros": 0}, target=0),
        functools.partial(network.audit, target=0),
        lambda x: network.activations(x, ["conv"]),
    ]
    for call in calls:
        with pytest.raises(Exception, match=r"InputError: .*inside a tf\.function"):  # TensorFlow's
            tf.function(call)(tf.constant(X))
    with pytest.raises(Exception, match=r"inside a tf\.function"):
        tf.data.Dataset.from_tensors(X).map(lambda x: network.predict(x))
