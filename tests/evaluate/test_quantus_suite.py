"""All metrics of Quantus by one call: what each is given, and what becomes of one that fails."""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import DeepliftEngineError, InputError, TargetError
from deeplift_engine.evaluate import quantus
from tests.evaluate.nets import rng
from tests.helpers import off

SHAPE = (8, 6, 2)
CALLS: dict[str, dict[str, Any]] = {}
NOT_RUN = {
    "Focus": "NoneType",
    "InputInvariance": "list index out of range",
    "RelativeRepresentationStability": "incompatible with the layer",
    "EfficientMPRT": "incompatible with the layer",
    "SmoothMPRT": "whatever explain_func is",
}
"""Why metrics of Quantus 0.6.0 do not run on a Keras model of images with channels last."""


class Steady:
    """A metric of Quantus: it takes some settings, and keeps what it was called with."""

    def __init__(self, nr_samples: int = 200, normalise_func: Any = None) -> None:
        self.settings = {"nr_samples": nr_samples, "normalised": normalise_func}

    def __call__(self, **call: Any) -> list[float]:
        drawn = np.random.rand()  # noqa: NPY002
        CALLS[type(self).__name__] = {**call, **self.settings, "drawn": drawn}
        return [1.0, 2.0]


class MPRT(Steady):
    """A metric that changes the model."""


class Fails:
    def __init__(self, **others: Any) -> None: ...

    def __call__(self, **call: Any) -> None:
        raise AssertionError("All zeros.\nCheck that")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {
        "Robustness": {"Steady": Steady},
        "Randomisation": {"MPRT": MPRT},
        "Complexity": {"Fails": Fails},
        "Localisation": {"Fails": type("PointingGame", (Steady,), {})},
    }
    package: Any = types.ModuleType("quantus")
    package.AVAILABLE_METRICS = table
    monkeypatch.setitem(sys.modules, "quantus", package)
    CALLS.clear()


@pytest.fixture(scope="module")
def model() -> Any:
    """Three units, the logits of a softmax, that are linear in the images."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input(SHAPE), L.Flatten(), L.Dense(3, activation="softmax", name="units")]
    )


def data() -> tuple[Any, Any]:
    return rng(0).normal(size=(2, *SHAPE)).astype("float32"), np.array([2, 0])


@pytest.mark.usefixtures("stand_in")
def test_each_metric_is_given_what_it_takes(model: Any) -> None:
    x, y = data()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    found = quantus.all(model, x, y, draws=4, settings={"MPRT": {"nr_samples": 7}}, seed=3)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    steady, changing = CALLS["Steady"], CALLS["MPRT"]
    assert (steady["nr_samples"], changing["nr_samples"]) == (4, 7)
    assert steady["drawn"] == changing["drawn"] == np.random.RandomState(3).rand()
    expected = de.convert(model).explainer().run(x, target=y).scores.sum(axis=-1)
    for call in (steady, changing):
        assert off(call["a_batch"][:, 0], expected) < 1e-6
        assert call["softmax"] is False
        largest = np.abs(call["normalised"](call["a_batch"])).max(axis=(1, 2, 3))
        np.testing.assert_allclose(largest, 1)
    first = steady["x_batch"]
    assert off(np.moveaxis(first, 1, -1), x) == 0
    assert steady["channel_first"] is True
    assert off(steady["explain_func"](None, first, y), steady["a_batch"]) == 0
    network = de.convert(model)
    logits = network.activations(x, network.target_node())[network.target_node()]
    assert off(steady["model"].predict(first), logits) < 1e-6
    assert isinstance(steady["model"], keras.Model)
    assert changing["model"].layers[-1] is model.layers[-1]
    assert changing["channel_first"] is False
    again = changing["explain_func"](model=model, inputs=first, targets=y)
    assert off(again, changing["a_batch"]) < 1e-6
    last = changing["explain_func"](model=model, inputs=x, targets=y)
    assert off(np.moveaxis(last, -1, 1), again) < 1e-6
    assert found["Steady"].mean == 1.5
    assert found["Fails"].reason == "AssertionError: All zeros. Check that"
    assert found["PointingGame"].reason == "needs masks="
    table = str(found)
    assert "not run: needs masks=" in table
    assert found["MPRT"].caution in table


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_what_does_not_fit_all_metrics_is_refused(model: Any) -> None:
    x, y = data()
    calls: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"categories": ["faith"]}, InputError, r"\['faith'\]: Quantus has faithfulness"),
        ({"settings": {"Steadyy": {}}}, InputError, r"names \['Steadyy'\]"),
        ({"masks": np.ones((2, 8, 5), bool)}, InputError, r"expected True and False, \(2, 8, 6\)"),
        ({"draws": 0}, InputError, "draws is a whole number of 1 or more"),
    ]
    for options, error, message in calls:
        with pytest.raises(error, match=message):
            quantus.all(model, x, y, **options)
    with pytest.raises(TargetError, match="name a unit for each sample"):
        quantus.all(model, x, None)
    found = quantus.all(de.convert(model), x, y, masks=np.ones((2, 8, 6), bool))
    assert "give that in place of a network" in found["MPRT"].reason
    assert CALLS["PointingGame"]["s_batch"].shape == (2, 1, 8, 6)
    with pytest.raises(InputError, match=r"no metric 'Stead' here\. Near it: Steady"):
        found["Stead"]


def test_without_quantus_it_says_what_to_install(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "quantus", None)
    with pytest.raises(DeepliftEngineError, match=r"deeplift_engine\[quantus\]"):
        quantus.all(model, *data())


@pytest.fixture(scope="module")
def package() -> Iterator[Any]:
    """Quantus itself, which other tests say is not imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("quantus")
    for name in [name for name in sys.modules if name.split(".")[0] == "quantus"]:
        del sys.modules[name]


@pytest.mark.slow
def test_every_metric_of_quantus_runs_or_says_why(package: Any) -> None:
    """Scores of a linear network are exact, and so are the metrics that ask whether they are."""
    keras.utils.set_random_seed(0)
    layers = [L.Flatten(), L.Dense(4, name="first"), L.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    x, y = rng(1).normal(size=(2, 8, 8, 1)).astype("float32"), np.array([2, 0])
    masks = np.zeros((2, 8, 8), bool)
    masks[:, 2:6, 1:5] = True
    own = {"FaithfulnessEstimate": {"features_in_step": 2}}
    found = quantus.all(model, x, y, masks=masks, draws=2, settings=own)
    kinds = {kind.__name__ for each in package.AVAILABLE_METRICS.values() for kind in each.values()}
    assert set(found.metrics) == kinds
    reasons = {name: metric.reason for name, metric in found.metrics.items() if metric.reason}
    expected = NOT_RUN | ({} if hasattr(np, "trapz") else {"IROF": "trapz"})  # of numpy 1
    assert set(reasons) == set(expected), reasons
    assert all(expected[name] in reason for name, reason in reasons.items()), reasons
    for name in ("FaithfulnessCorrelation", "FaithfulnessEstimate"):
        np.testing.assert_allclose(found[name].values, 1, atol=1e-4)
    scores = np.abs(de.convert(model).explainer().run(x, target=y).scores).reshape(2, -1)
    shares = scores / scores.sum(axis=1, keepdims=True)
    entropy = -(shares * np.log(shares)).sum(axis=1)
    np.testing.assert_allclose(found["Complexity"].values, entropy, rtol=1e-4)
    inside = [own[mask.ravel()].sum() / own.sum() for own, mask in zip(scores, masks, strict=True)]
    mass = quantus.all(
        model,
        x,
        y,
        masks=masks,
        categories=["localisation"],
        settings={"RelevanceMassAccuracy": {"abs": True}},
    )["RelevanceMassAccuracy"]
    np.testing.assert_allclose(mass.values, inside, rtol=1e-4)
    # what the cautions say
    assert found["SensitivityN"].mean < 0.99
    assert all(found["Monotonicity"].values)
    copies = package.TensorFlowModel(keras.Model(model.inputs, model.outputs))
    _, copy = next(copies.get_random_layer_generator("top_down"))
    kept = [layer.get_weights()[0] for layer in (model.get_layer("first"), copy.get_layer("first"))]
    assert off(*kept) > 0.1
