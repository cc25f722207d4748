"""What a caller passes may change afterwards: nothing that was made of it changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.util.owned import owned

LENGTH = 8


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((LENGTH, 4))
    hidden = keras.layers.Conv1D(5, 3, activation="relu")(inputs)
    return de.convert(keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(hidden))))


def letters(samples: int, seed: int, dtype: str = "float32") -> np.ndarray:
    return np.eye(4, dtype=dtype)[np.random.default_rng(seed).integers(0, 4, (samples, LENGTH))]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("form", [lambda a: a, lambda a: a[:, ::1], lambda a: [a], lambda a: (a,)])
def test_results_keep_their_inputs(
    network: de.Network, dtype: str, form: Callable[[np.ndarray], Any], tmp_path: Path
) -> None:
    buffer = letters(3, 0).astype(dtype)
    result = network.explainer().run(form(buffer), target=0)
    before, hypothetical = np.array(result.inputs), result.hypothetical.copy()
    buffer[...] = letters(3, 1).astype(dtype)
    np.testing.assert_array_equal(result.inputs, before)
    np.testing.assert_array_equal(result.hypothetical, hypothetical)
    result.save(tmp_path / "result.npz")
    np.testing.assert_array_equal(de.Attribution.load(tmp_path / "result.npz").inputs, before)
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(result.inputs)[...] = 0


def test_a_sweep_keeps_its_inputs(network: de.Network) -> None:
    buffer = letters(3, 0)
    sweep = network.sweep(buffer, {"zeros": 0, "quarter": 0.25}, target=0)
    buffer[...] = 7.0
    for result in sweep.results.values():
        np.testing.assert_array_equal(result.inputs, letters(3, 0))


@pytest.mark.parametrize(
    "kind",
    [
        lambda a: de.references.shared(a),
        lambda a: de.references.per_sample(a),
        lambda a: de.references.per_sample(a[:, np.newaxis]),
        lambda a: de.references.mean(a),
        lambda a: de.references.drawn(a, 2),
        lambda a: de.references.gc_matched(2, background=a),
        lambda a: de.references.combined(0, a[0]),
        lambda a: de.references.combined(0, a),
        lambda a: de.references.background(a[0, 0]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_references_keep_their_arrays(
    network: de.Network, kind: Callable[[np.ndarray], Any], dtype: str
) -> None:
    x, array = letters(6, 0), letters(6, 1, dtype)
    references, explainer = kind(array), network.explainer()
    first = explainer.run(x, target=0, references=references)
    array[...] = np.roll(array, 1, axis=-1)
    again = explainer.run(x, target=0, references=references)
    np.testing.assert_array_equal(first.scores, again.scores)
    assert first.settings["references"] == again.settings["references"]


def test_values_of_constants_and_tokens_are_kept() -> None:
    number, tokens, widths = np.array(0.5), np.array([1, 2]), np.array([1.0, 2.0])
    kinds = (
        de.references.constant(number),
        de.references.replaced(by=tokens),
        de.references.blur(widths),
    )
    x, rows = np.arange(12.0).reshape(1, 6, 2), np.zeros(1, int)
    before = [kind.make(x, rows).copy() for kind in kinds]
    for array in (number, tokens, widths):
        array[...] = 5
    for kind, values in zip(kinds, before, strict=True):
        np.testing.assert_array_equal(kind.make(x, rows), values)


def test_weights_of_targets_are_kept_and_told_by_their_digest(network: de.Network) -> None:
    x, values = letters(2, 0), np.array([1.0, 2.0])
    target = de.targets.weights(values)
    first = network.explainer().run(x, target=target)
    values[...] = [2.0, 1.0]
    again = network.explainer().run(x, target=target)
    other = network.explainer().run(x, target=de.targets.weights(values))
    np.testing.assert_array_equal(first.scores, again.scores)
    assert first.settings["target"] == again.settings["target"] != other.settings["target"]
    assert "sha256=" in first.settings["target"]
    both = network.explainer().run(x, target=[0, values])
    assert other.settings["target"] in both.settings["target"]


def test_arrays_in_options_are_kept(network: de.Network) -> None:
    x, groups = letters(2, 0), np.repeat(np.arange(LENGTH), 4).reshape(LENGTH, 4)
    explainer = network.explainer("feature_ablation", groups=groups)
    first = explainer.run(x, target=0).scores
    groups[...] = 0
    np.testing.assert_array_equal(explainer.run(x, target=0).scores, first)


def test_an_array_is_copied_once_at_most(tmp_path: Path) -> None:
    array = np.zeros((2, 3))
    copy = owned(array)
    assert not np.may_share_memory(copy, array)
    assert owned(copy) is copy
    converted = array.astype("float32")
    assert owned(converted, array) is converted
    assert not converted.flags.writeable
    built = np.asarray([[1.0, 2.0]])
    assert owned(built, [[1.0, 2.0]]) is built
    np.save(tmp_path / "array.npy", array)
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    assert owned(mapped) is mapped
    view = array.view()
    view.setflags(write=False)  # what it is a view of can still be written to
    assert not np.may_share_memory(owned(view), array)
