"""What DeepExplain's own tests expect, of its calls over this engine.

Its checks of TensorFlow 1 itself (sessions, overridden gradients, training in the context) have
nothing to check here; relu6, which it warns of, is exact.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from deeplift_engine.compat.deepexplain import METHODS, DeepExplain
from deeplift_engine.errors import DeepliftEngineError, InputError

L = keras.layers
X = np.array([[-10.0, -5.0], [3.0, 1.0]])
pytestmark = [
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
]


@pytest.fixture(scope="module")
def simpler() -> Any:
    """ReLU(ReLU(x1 - 1) - ReLU(x2)), its input and its output."""
    source = keras.Input((2,))
    hidden = L.Dense(2, activation="relu")(source)
    model = keras.Model(source, L.Dense(1, activation="relu", use_bias=False)(hidden))
    model.set_weights([np.eye(2), np.array([-1.0, 0.0]), np.array([[1.0], [-1.0]])])
    return model.outputs[0], model.inputs[0]


@pytest.fixture(scope="module")
def two_units() -> Any:
    source = keras.Input((2,))
    hidden = L.Dense(2, activation="sigmoid")(source)
    model = keras.Model(source, L.Dense(2)(hidden))
    kernels = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[1.1, 1.4], [-0.5, 1.0]])
    model.set_weights([kernels[0], np.array([1.5, -1.0]), kernels[1], np.array([0.0, 2.0])])
    return model.outputs[0], model.inputs[0]


PUBLISHED: list[tuple[str, dict[str, Any], Any, float]] = [
    # method, options, expected scores of X, decimals of its test
    ("zero", {}, [[0, 0], [0, 0]], 10),
    ("saliency", {}, [[0, 0], [1, 1]], 6),
    ("grad*input", {}, [[0, 0], [3, -1]], 6),
    ("intgrad", {}, [[0, 0], [1.5, -0.5]], 1),
    ("intgrad", {"steps": 500}, [[0, 0], [1.5, -0.5]], 2),
    ("intgrad", {"baseline": X[1]}, [None, [0, 0]], 5),
    ("elrp", {}, [[0, 0], [3, -1]], 3),
    ("elrp", {"epsilon": 1e-9}, [[0, 0], [3, -1]], 6),
    ("deeplift", {}, [[0, 0], [2, -1]], 6),
    ("deeplift", {"baseline": X[1]}, [None, [0, 0]], 5),
    ("occlusion", {}, [[0, 0], [1, -1]], 6),
    ("occlusion", {"window_shape": (2,)}, [[0, 0], [0.5, 0.5]], 6),
    ("shapley_sampling", {"samples": 100}, [[0, 0], [1.5, -0.5]], 0),
]


@pytest.mark.slow
def test_the_published_scores_are_met(simpler: Any) -> None:
    with DeepExplain(session=None) as context:
        for method, options, expected, decimals in PUBLISHED:
            found = context.explain(method, *simpler, X, **options)
            assert found.shape == X.shape
            for ours, theirs in zip(found, expected, strict=True):
                if theirs is not None:
                    np.testing.assert_almost_equal(ours, theirs, decimals, err_msg=method)
    assert {method for method, *_ in PUBLISHED} == set(METHODS)


def test_units_are_weighted_by_ys_and_all_count_without(two_units: Any) -> None:
    with DeepExplain() as context:
        explainer = context.get_explainer("grad*input", *two_units)
        both = explainer.run(X)
        each = [explainer.run(X, np.eye(2)[[unit, unit]], batch_size=1) for unit in (0, 1)]
        np.testing.assert_allclose(sum(each), both, atol=1e-6)
        mixed = explainer.run(X, ys=np.eye(2))
        np.testing.assert_allclose(mixed, [each[0][0], each[1][1]], atol=1e-6)
        with pytest.raises(InputError, match="expected that of the target"):
            explainer.run(X, ys=np.ones(2))


def test_several_inputs_are_lists() -> None:
    sources = [keras.Input((2,)), keras.Input((3,))]
    model = keras.Model(sources, L.Dense(1)(L.Concatenate()(sources)))
    draw = np.random.default_rng(0)
    xs, baseline = [draw.normal(size=(4, n)) for n in (2, 3)], [np.ones(2), np.ones(3)]
    with DeepExplain() as context:
        scores = context.explain("deeplift", model.outputs[0], sources, xs, baseline=baseline)
    kernel = model.get_weights()[0][:, 0]
    expected = (np.concatenate(xs, 1) - 1) * kernel
    np.testing.assert_allclose(np.concatenate(scores, 1), expected, atol=1e-5)


def test_what_cannot_be_explained_is_told_as_there(simpler: Any) -> None:
    with DeepExplain() as context:
        with pytest.raises(RuntimeError, match="Method must be in"):
            context.explain("invalid", *simpler, X)
        for method, options in (
            ("elrp", {"epsilon": 0}),
            ("elrp", {"baseline": X[0]}),
            ("intgrad", {"points": 3}),
        ):
            with pytest.raises(AssertionError):
                context.explain(method, *simpler, X, **options)
        with pytest.raises(InputError, match="no symbolic tensors"):
            context.explain("saliency", None, None, X)
    with pytest.raises(RuntimeError, match="only within a DeepExplain context") as met:
        context.explain("grad*input", *simpler, X)
    assert isinstance(met.value, DeepliftEngineError)
