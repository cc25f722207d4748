"""The engine as Quantus's ``explain_func``, called as Quantus calls it."""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.evaluate.quantus import ExplainFunc, explain_func
from tests.evaluate.nets import rng, two_inputs
from tests.helpers import off

SHAPE = (6, 5, 2)


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            L.Conv2D(3, 2, activation="relu", name="conv"),
            L.Flatten(),
            L.Dense(3, name="units"),
        ]
    )


class Wrapped:
    """What Quantus wraps a model in."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def get_model(self) -> Any:
        return self.model


class StandIn:
    """A metric of Quantus, as far as it calls ``explain_func``.

    Its batches have channels first; a metric that perturbs asks again of one sample at a time,
    with its target as a number; and what comes back must be of the inputs' shape.
    """

    def __call__(
        self, model: Any, x_batch: Any, y_batch: Any, explain_func: Any, **explain_func_kwargs: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        wrapped = Wrapped(model)
        first = np.moveaxis(x_batch, -1, -3)
        whole = explain_func(
            model=wrapped.get_model(), inputs=first, targets=y_batch, **explain_func_kwargs
        )
        assert whole.shape == first.shape
        alone = [
            explain_func(
                model=wrapped.get_model(), inputs=x[np.newaxis], targets=y, **explain_func_kwargs
            )
            for x, y in zip(x_batch, y_batch, strict=True)
        ]
        assert alone[0].shape == (1, *x_batch.shape[1:])
        return np.moveaxis(whole, -3, -1), np.concatenate(alone)


def data(count: int = 3) -> tuple[np.ndarray, np.ndarray]:
    return rng(0).normal(size=(count, *SHAPE)).astype("float32"), np.array([2, 0, 1])[:count]


@pytest.mark.parametrize("options", [{}, {"method": "saliency"}, {"references": 0.5}])
def test_a_metric_gets_the_scores_of_the_engine(model: Any, options: dict[str, Any]) -> None:
    x, y = data()
    references = options.get("references")
    expected = (
        de.convert(model)
        .explainer(options.get("method", "deeplift"))
        .run(x, target=y, references=references)
    )
    for found in StandIn()(model, x, y, explain_func, **options):
        assert off(found, expected.scores) < 1e-5


def test_compiled_once_it_gives_the_same(model: Any) -> None:
    x, y = data()
    explain = ExplainFunc(de.convert(model), rules="reveal_cancel", absolute=True)
    expected = np.abs(de.convert(model).explainer(rules="reveal_cancel").run(x, target=y).scores)
    for found in StandIn()(model, x, y, explain, device="cpu", softmax=True):
        assert off(found, expected) < 1e-5
    with pytest.raises(InputError, match="steps"):
        explain(model, x, y, steps=5)


def test_scores_of_channels_can_be_added(model: Any) -> None:
    x, y = data()
    expected = de.convert(model).explainer().run(x, target=y).scores.sum(-1)
    for inputs in (x, np.moveaxis(x, -1, 1)):
        assert off(explain_func(model, inputs, y, sum_channels=True), expected) < 1e-5
    found = explain_func(model, x, y, sum_channels=True, absolute=True)
    assert off(found, np.abs(expected)) < 1e-5


def test_weights_that_quantus_changes_in_place_are_followed(model: Any) -> None:
    x, y = data()
    before = explain_func(model, x, y)
    kept = model.get_weights()
    try:
        model.set_weights([-array for array in kept])
        after = explain_func(model=model, inputs=x, targets=y)
        assert off(after, de.convert(model).explainer().run(x, target=y).scores) < 1e-6
        assert off(after, before) > 0.1
    finally:
        model.set_weights(kept)


def test_any_model_that_holds_one_will_do(model: Any) -> None:
    x, y = data()
    network = de.convert(model)
    expected = explain_func(model, x, y)
    assert off(explain_func(Wrapped(model), x, y), expected) < 1e-6
    assert off(explain_func(network, x, y), expected) < 1e-6
    assert off(explain_func(network, x, [2, 0, 1]), expected) < 1e-6
    assert off(explain_func(network, x, np.array([2.0, 0.0, 1.0])), expected) < 1e-6


def test_where_both_layouts_fit_it_can_be_said() -> None:
    keras.utils.set_random_seed(0)
    network = de.convert(
        keras.Sequential([keras.Input((4, 4, 4)), L.Conv2D(2, 2), L.Flatten(), L.Dense(2)])
    )
    x = rng(0).normal(size=(2, 4, 4, 4)).astype("float32")
    last = explain_func(network, x, 0)
    first = explain_func(network, np.moveaxis(x, -1, 1), 0, channel_first=True)
    assert off(np.moveaxis(first, 1, -1), last) < 1e-6
    assert off(explain_func(network, x, 0, channel_first=False), last) < 1e-6


def test_what_does_not_fit_is_refused(model: Any) -> None:
    x, y = data()
    network = de.convert(model)
    with pytest.raises(InputError, match=r"neither \(samples, 6, 5, 2\)"):
        explain_func(network, x[:, :4], y)
    with pytest.raises(InputError, match="channel_first=True says"):
        explain_func(network, x, y, channel_first=True)
    with pytest.raises(TargetError, match="one unit for each of 3 samples"):
        explain_func(network, x, y[:2])
    with pytest.raises(TargetError, match="whole numbers"):
        explain_func(network, x, np.array([0.5, 1, 2]))
    with pytest.raises(InputError, match="models of one input"):
        ExplainFunc(two_inputs())


def test_quantus_is_not_imported() -> None:
    assert "quantus" not in sys.modules
