"""Targets, contributions and weights that are no finite numbers are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import NotFiniteError, UnsupportedModelError

L = keras.layers
R = de.references
METHODS = {
    "deeplift": {},
    "shapley_sampling": {"samples": 4},
    "exact_shapley": {},
    "kernel_shap": {},
    "lime": {"samples": 50},
    "rise": {"samples": 50},
    "sobol": {"samples": 4},
    "occlusion": {},
    "feature_ablation": {},
}


def masked() -> de.Network:
    """A classifier of tokens whose mean is over those that are not 0."""
    keras.utils.set_random_seed(0)
    tokens = keras.Input((3,), dtype="int32")
    hidden = L.Embedding(5, 2, mask_zero=True)(tokens)
    hidden = L.GlobalAveragePooling1D()(hidden)
    return de.convert(keras.Model(tokens, L.Dense(2)(hidden)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shared", [False, True])
def test_a_reference_that_masks_everything(method: str, shared: bool) -> None:
    x = np.array([[1, 2, 3], [1, 2, 0]], "int32")
    references = R.shared(np.zeros((1, 3), int)) if shared else R.replaced(by=0)
    made = masked().explainer(method, **METHODS[method])
    with pytest.raises(NotFiniteError, match=r"nan on reference 0 of sample 0") as met:
        made.run(x, target=0, references=references)
    assert "references.replaced(by=..., keep=(...))" in str(met.value)
    assert "finite" in str(met.value)


@pytest.mark.parametrize("method", ["deeplift", "shapley_sampling", "kernel_shap", "occlusion"])
def test_what_keeps_the_padding_of_others_is_scored(method: str) -> None:
    x = np.array([[1, 2, 3], [1, 2, 0]], "int32")
    made = masked().explainer(method)
    found = made.run(x, target=0, references=R.replaced(by=4, keep=(0,)))
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("method", ["deeplift", "gradient", "kernel_shap", "occlusion"])
def test_the_sample_at_fault_is_named(method: str) -> None:
    x = np.array([[1, 2, 3], [2, 1, 4], [0, 0, 0]], "int32")
    made = masked().explainer(method)
    with pytest.raises(NotFiniteError, match="nan on sample 2 itself"):
        made.run(x, target=0, **({"references": 4} if made.traits.uses_references else {}))


def test_one_reference_of_several_and_of_a_later_sample() -> None:
    x = np.array([[1, 2, 3], [2, 1, 4]], "int32")
    each = np.array([[[1, 1, 1], [2, 2, 2]], [[3, 3, 3], [0, 0, 0]]])
    with pytest.raises(NotFiniteError, match="nan on reference 1 of sample 1"):
        masked().explainer().run(x, target=[0, 1], references=R.per_sample(each))
    with pytest.raises(NotFiniteError, match="nan on reference 1 of sample 1"):
        masked().explainer().run(x, target=0, references=R.per_sample(each), average=False)


def test_a_sweep_refuses_too() -> None:
    x = np.array([[1, 2, 3]], "int32")
    with pytest.raises(NotFiniteError, match="nan on reference 0 of sample 0"):
        masked().sweep(x, {"words": 4, "padding": R.replaced(by=0)}, target=0)


@pytest.mark.parametrize(
    "method", ["deeplift", "integrated_gradients", "expected_gradients", "occlusion"]
)
def test_a_logarithm_of_a_reference_of_zeros(method: str) -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, L.Dense(1)(keras.ops.log(inputs)))
    with pytest.raises(NotFiniteError, match=r"(inf|nan) on reference 0 of sample 0"):
        de.convert(model).explainer(method).run(np.ones((2, 3), "float32"), references=0.0)


@pytest.mark.parametrize("fused", [True, False])
def test_contributions_that_are_not_finite_though_the_target_is(fused: bool) -> None:
    """The slope of a square root at 0 is infinite; the target there is 0."""
    inputs = keras.Input((3,))
    model = keras.Model(inputs, L.Dense(1)(keras.ops.sqrt(inputs)))
    made = de.convert(model).explainer("gradient", fused=fused)
    x = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 4.0]], "float32")
    with pytest.raises(NotFiniteError, match=r"not finite though the target is: .*inf in sample 1"):
        made.run(x)


def saved(path: Path, layer: Any, role: int, value: float) -> Path:
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, L.Dense(1)(layer(inputs)))
    weights = layer.get_weights()
    weights[role].flat[1] = value
    layer.set_weights(weights)
    model.save(path)
    return path


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("create", "number", "value", "text"),
    [
        (lambda: L.Dense(2, name="bad"), 0, np.nan, "'kernel' of 'bad' holds NaN"),
        (lambda: L.Conv1D(2, 2, name="bad"), 1, np.nan, "'bias' of 'bad' holds NaN"),
        (lambda: L.BatchNormalization(name="bad"), 3, -0.5, "'moving_variance' of 'bad' is -0.5"),
        (lambda: L.BatchNormalization(name="bad"), 3, np.nan, "'moving_variance' of 'bad' holds"),
        (lambda: L.LSTM(2, name="bad"), 1, np.nan, "'recurrent_kernel' of 'bad' holds NaN"),
        (lambda: L.TimeDistributed(L.Dense(2), name="bad"), 0, np.nan, "'kernel' of .* holds NaN"),
    ],
)
def test_weights_that_are_no_numbers_are_refused_at_load(
    create: Any, number: int, value: float, text: str, suffix: str, tmp_path: Path
) -> None:
    path = saved(tmp_path / f"model{suffix}", create(), number, value)
    with pytest.raises(UnsupportedModelError, match=text) as met:
        de.load(path)
    assert "bad" in str(met.value)


def test_a_bias_of_minus_infinity_is_a_weight() -> None:
    inputs = keras.Input((3,))
    layer = L.Dense(2)
    model = keras.Model(inputs, L.Softmax()(layer(inputs)))
    layer.set_weights([np.ones((3, 2)), np.array([0.0, -np.inf])])
    x = np.ones((1, 3), "float32")
    np.testing.assert_allclose(de.convert(model).predict(x), [[1.0, 0.0]], rtol=1e-6)
