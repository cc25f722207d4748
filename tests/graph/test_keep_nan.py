"""What is no number stays none: fused or not, whatever kernels a processor has.

The truth is a call of the Keras model, op by op; its `predict` is compiled, and makes 0 of NaN in a
ReLU behind a kernel where TensorFlow computes by oneDNN.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.errors import NotFiniteError
from deeplift_engine.layers import ReLU

BIASED = {"bias_initializer": keras.initializers.Constant(0.3)}  # without one nothing is fused


def image(x: Any) -> Any:
    return ops.reshape(x, (-1, 4, 4, 2))


def line(x: Any) -> Any:
    return ops.reshape(x, (-1, 16, 2))


CASES: dict[str, Callable[[Any], Any]] = {
    "dense": lambda x: L.Dense(8, "relu", **BIASED)(x),
    "dense to 6": lambda x: L.Dense(8, "relu6", **BIASED)(x),
    "two dense": lambda x: L.Dense(8, "relu", **BIASED)(L.Dense(8, "relu", **BIASED)(x)),
    "hard_sigmoid": lambda x: L.Dense(8, "hard_sigmoid", **BIASED)(x),
    "ReLU to 3": lambda x: L.ReLU(3.0)(L.Dense(8, **BIASED)(x)),
    "Conv1D": lambda x: L.GlobalAveragePooling1D()(
        L.Conv1D(8, 3, activation="relu", **BIASED)(line(x))
    ),
    "Conv1D, greatest": lambda x: L.GlobalMaxPooling1D()(
        L.Conv1D(8, 3, activation="relu", **BIASED)(line(x))
    ),
    "Conv2D": lambda x: L.Flatten()(L.Conv2D(16, 3, activation="relu", **BIASED)(image(x))),
    "Conv2D to 6": lambda x: L.Flatten()(L.Conv2D(16, 3, activation="relu6", **BIASED)(image(x))),
    "DepthwiseConv2D": lambda x: L.Flatten()(
        L.DepthwiseConv2D(3, activation="relu", **BIASED)(image(x))
    ),
    "batch normalised": lambda x: L.Flatten()(
        L.ReLU()(L.BatchNormalization()(L.Conv2D(16, 3, **BIASED)(image(x))))
    ),
    "hard_shrink": lambda x: ops.hard_shrink(L.Dense(8, **BIASED)(x)),
    "MaxPooling1D": lambda x: L.Flatten()(L.MaxPooling1D(2)(L.Conv1D(8, 3, **BIASED)(line(x)))),
}


@functools.cache
def opened(name: str) -> tuple[keras.Model, de.Network]:
    """A model of the mean over the steps that a mask leaves, 0/0 where it leaves none."""
    keras.utils.set_random_seed(0)
    steps, mask = keras.Input((6, 32), name="steps"), keras.Input((6, 1), name="mask")
    mean = ops.sum(steps * mask, axis=1) / ops.sum(mask, axis=1)
    model = keras.Model([steps, mask], L.Dense(1)(CASES[name](mean)))
    return model, de.convert(model)


def arrays() -> list[Any]:
    x = np.random.default_rng(0).normal(size=(2, 6, 32)).astype("float32")
    mask = np.ones((2, 6, 1), "float32")
    mask[1] = 0
    return [x, mask]


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_nan_where_keras_calls_give_nan(name: str) -> None:
    model, net = opened(name)
    np.testing.assert_allclose(net.predict(arrays()), model(arrays()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["deeplift", "gradient", "grad*input", "occlusion"])
@pytest.mark.parametrize(
    "name", [name for name in CASES if name not in ("hard_shrink", "MaxPooling1D")]
)
def test_fused_and_unfused_refuse_alike(name: str, method: str) -> None:
    _, net = opened(name)
    for fused in (True, False):
        made = net.explainer(method, fused=fused)
        references = {"references": [0.5, 1.0]} if made.traits.uses_references else {}
        with pytest.raises(NotFiniteError, match="nan on sample 1"):
            made.run(arrays(), target=0, **references)


@pytest.mark.parametrize("fused", [True, False])
def test_what_hides_nan_in_keras_still_has_no_contributions(fused: bool) -> None:
    """The output is finite, since a shrinkage makes 0 of what is no number."""
    model, net = opened("hard_shrink")
    assert np.isfinite(model(arrays())).all()
    with pytest.raises(NotFiniteError, match="not finite though the target is"):
        net.explainer(fused=fused).run(arrays(), target=0, references=[0.5, 1.0])


def test_relus_that_no_nan_reaches_are_left_to_kernels() -> None:
    keras.utils.set_random_seed(0)
    source = keras.Input((16, 4))
    hidden = L.Conv1D(8, 3, activation="relu")(source)
    total = ops.sqrt(L.GlobalAveragePooling1D()(hidden))
    net = de.convert(keras.Model(source, L.Dense(1)(L.ReLU()(L.Dense(4)(total)))))
    layers = [node.layer for node in net.nodes.values()]
    assert [layer.keeps_nan for layer in layers if isinstance(layer, ReLU)] == [False, True]
