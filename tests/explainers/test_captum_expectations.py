"""Numbers that Captum's own tests expect, of the same networks in Keras.

Rows name the test of Captum 0.9. Where definitions differ options say so: groups whose elements
have the group's whole value are ``divide=False``, a window's change is divided by its size here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.evaluate import Bench, infidelity
from tests.helpers import off

L = keras.layers
pytestmark = pytest.mark.filterwarnings(
    "ignore::deeplift_engine.errors.DegenerateReferenceWarning",
    "ignore::deeplift_engine.errors.ConvergenceWarning",
)
EXACT, INTEGRAL = 1e-9, 2e-3
"""Of the largest score: but for rounding, and of 500 points on a path across a kink."""
ONE, FEW = [20.0, 50.0, 30.0], [[2.0, 10.0, 3.0], [20.0, 50.0, 30.0]]
HUNDRED, PAIR = [0.0, 100.0, 0.0], [0, 0, 1]
OWN = [[0, 0, 1], [1, 1, 0]]
THREE = (
    [[23.0, 100.0, 0.0], [20.0, 50.0, 30.0]],
    [[20.0, 50.0, 30.0], [0.0, 100.0, 0.0]],
    [[0.0, 100.0, 10.0], [2.0, 10.0, 3.0]],
)
CROSSING = [np.array([[1, 1, 1], [0, 1, 0]]), np.array([0, 1, 2]), np.array([[0, 1, 2], [0, 0, 0]])]
TENS = ([0.0, 10.0, 0.0], [0.0, 10.0, 0.0], [0.0, 5.0, 0.0])
IMAGE = np.arange(16.0).reshape(4, 4, 1)


def layered(scale: float | None = None) -> Any:
    """BasicModel_MultiLayer; with a scale, of the scaled sum of three inputs."""
    sources = [keras.Input((3,), name=f"x{number}") for number in range(1 if scale is None else 3)]
    first = L.Dense(3, name="linear0")
    second, last = L.Dense(4, name="linear1"), L.Dense(2, name="linear2")
    x = sources[0] if scale is None else L.Add()(sources)
    model = keras.Model(sources, last(L.ReLU(name="relu")(second(first(x)))))
    first.set_weights([np.eye(3) * (scale or 1), np.zeros(3)])
    second.set_weights([np.ones((3, 4)), np.array([-10.0, 1, 1, 1])])
    last.set_weights([np.ones((4, 2)), np.array([-1.0, 1.0])])
    return model


def convolved() -> Any:
    """BasicModel_ConvNet_One_Conv, whose last layer reads channel by channel."""
    source = keras.Input((4, 4, 1))
    conv, dense = L.Conv2D(2, 3, name="conv1"), L.Dense(4, activation="relu", name="fc1")
    x = L.Permute((3, 1, 2))(L.ReLU(name="relu1")(conv(source)))
    model = keras.Model(source, dense(L.Flatten()(x)))
    conv.set_weights([np.ones((3, 3, 1, 2)), np.array([-50.0, -75.0])])
    rows = np.repeat([1.0, -1.0], [5, 3])
    dense.set_weights([np.tile(rows[:, np.newaxis], 4), np.zeros(4)])
    return model


def two(form: str) -> Any:
    """Networks of two numbers: BasicModel2, BasicModel3 and ReLUDeepLiftModel."""
    sources = [keras.Input((1,), name=name) for name in ("x1", "x2")]
    shifts = {"basic2": (0.0, 0.0), "basic3": (-1.0, 0.0), "deeplift": (0.0, -1.5)}[form]
    x = [L.ReLU()(L.Rescaling(1.0, own)(each)) for own, each in zip(shifts, sources, strict=True)]
    if form == "deeplift":
        return keras.Model(sources, L.Rescaling(2.0)(L.Add()(x)))
    x[0] = L.Rescaling(1.0, -1.0)(x[0]) if form == "basic2" else x[0]
    return keras.Model(sources, L.ReLU()(L.Subtract()(x)))


def simple(form: str) -> Any:
    """SimpleLRPModel, with a weight below 0 for ``"negative"``; that of tanh; a skip connection."""
    source = keras.Input((2 if form == "skip" else 3,))
    if form == "skip":
        dense = L.Dense(2, use_bias=False)
        model = keras.Model(source, L.Add()([dense(source), source]))
        dense.set_weights([np.full((2, 2), 5.0)])
        return model
    first, second = L.Dense(3, use_bias=False), L.Dense(1, use_bias=False)
    activation = L.Activation("tanh" if form == "tanh" else "relu")
    model = keras.Model(source, second(activation(first(source))))
    kernels = [np.full((3, 3), 0.1 if form == "tanh" else 2.0), np.full((3, 1), 3.0)]
    kernels[0][0, 0] = -2.0 if form == "negative" else kernels[0][0, 0]
    kernels[1][:] = 0.1 if form == "tanh" else 3.0
    model.set_weights(kernels)
    return model


@functools.cache
def network(name: str) -> de.Network:
    makers = {
        "layered": layered,
        "three": functools.partial(layered, 1.0),
        "three4": functools.partial(layered, 4.0),
        "conv": convolved,
        **{form: functools.partial(two, form) for form in ("basic2", "basic3", "deeplift")},
        **{form: functools.partial(simple, form) for form in ("lrp", "negative", "tanh", "skip")},
    }
    return de.convert(makers[name](), dtype="float64")


@dataclass(frozen=True)
class Case:
    """A test of Captum: on what, by which method here, and what it expects."""

    test: str
    net: str
    method: str
    x: Any
    expected: Any
    options: dict[str, Any] = field(default_factory=dict)
    target: Any = 0
    references: Any = None
    tolerance: float = EXACT

    def scores(self) -> list[Any]:
        """Of each input, or of the layer."""
        made = network(self.net).explainer(self.method, **self.options)
        result = made.run(
            self.x, target=self.target, **({} if self.references is None else self.references)
        )
        return list(result.scores.values()) if isinstance(result.scores, dict) else [result.scores]


def over(references: Any) -> dict[str, Any]:
    return {"references": references}


def at(layer: str, **options: Any) -> dict[str, Any]:
    return {"layers": layer, **options}


PATH = {"steps": 500}
WHOLE = {"divide": False}
COMMON = {"groups": PAIR, **WHOLE}
NEURON = {"target": "linear1"}
CASES = [
    Case("feature_ablation.simple", "layered", "feature_ablation", [ONE], [[80, 200, 120]]),
    Case("feature_ablation.mask", "layered", "feature_ablation", [ONE], [[280, 280, 120]], COMMON),
    Case(
        "feature_ablation.baselines",
        "layered",
        "feature_ablation",
        [ONE],
        [[248, 248, 104]],
        COMMON,
        references=over(4.0),
    ),
    Case(
        "feature_ablation.samples",
        "layered",
        "feature_ablation",
        FEW,
        [[8, 35, 12], [80, 200, 120]],
    ),
    Case(
        "feature_ablation.sample_masks",
        "layered",
        "feature_ablation",
        FEW,
        [[41, 41, 12], [280, 280, 120]],
        {"groups": OWN, **WHOLE},
    ),
    Case(
        "feature_ablation.mask_dupe_feature_idx",
        "three",
        "feature_ablation",
        THREE,
        (
            [[1092, 1092, 1092], [260, 600, 260]],
            [[80, 1092, 160], [260, 600, 0]],
            [[80, 1092, 160], [260, 260, 260]],
        ),
        {"groups": CROSSING, **WHOLE},
    ),
    Case(
        "feature_ablation.mask_dupe_baselines",
        "three",
        "feature_ablation",
        THREE,
        (
            [[1040, 1040, 1040], [184, 580, 184]],
            [[52, 1040, 132], [184, 580, -12]],
            [[52, 1040, 132], [184, 184, 184]],
        ),
        {"groups": CROSSING, **WHOLE},
        references=over([2.0, 3.0, 4.0]),
    ),
    Case(
        "shapley.multi_input_mask",
        "three",
        "exact_shapley",
        THREE,
        (
            [[1088 + 2 / 3] * 3, [255, 595, 255]],
            [[76 + 2 / 3, 1088 + 2 / 3, 156 + 2 / 3], [255, 595, 0]],
            [[76 + 2 / 3, 1088 + 2 / 3, 156 + 2 / 3], [255, 255, 255]],
        ),
        {"groups": CROSSING, **WHOLE},
    ),
    Case(
        "occlusion.larger_shape, halved",
        "layered",
        "occlusion",
        [ONE],
        [[100, 110, 120]],
        {"window": 2},
        references=over(10.0),
    ),
    Case(
        "occlusion.int_to_int",
        "basic3",
        "occlusion",
        ([[-10], [3]], [[-5], [1]]),
        ([[0], [1]], [[0], [-1]]),
        {"window": [1, 1]},
        target=None,
    ),
    *(
        Case(f"{test}.simple", "layered", method, [ONE], [[76 + 2 / 3, 196 + 2 / 3, 116 + 2 / 3]])
        for test, method in (("shapley", "exact_shapley"), ("kernel_shap", "kernel_shap"))
    ),
    Case("shapley.mask", "layered", "exact_shapley", [ONE], [[275, 275, 115]], COMMON),
    Case("kernel_shap.mask", "layered", "kernel_shap", [ONE], [[275, 275, 115]], COMMON),
    Case(
        "kernel_shap.linear",
        "layered",
        "kernel_shap",
        [ONE],
        [[40, 120, 80]],
        references=over(np.array([10.0, 20, 10])),
    ),
    *(
        Case(
            f"layer_conductance.{layer}",
            "layered",
            "layer_conductance",
            [HUNDRED],
            [expected],
            at(layer, **PATH),
            tolerance=INTEGRAL,
        )
        for layer, expected in (
            ("linear0", [0, 390, 0]),
            ("linear1", [90, 100, 100, 100]),
            ("relu", [90, 100, 100, 100]),
            ("linear2", [390, 0]),
        )
    ),
    *(
        Case(
            f"internal_influence.{layer}",
            "layered",
            "internal_influence",
            [x],
            [expected],
            at(layer, **PATH),
            references=base and over(np.array(base)),
            tolerance=INTEGRAL,
        )
        for layer, x, expected, base in (  # of the last Captum expects 0.8 to a hundredth
            ("linear0", HUNDRED, [3.9] * 3, None),
            ("linear1", HUNDRED, [0.9, 1, 1, 1], None),
            ("relu", [3.0, 4, 0], [1] * 4, None),
            ("linear2", HUNDRED, [1, 0], None),
            ("linear1", [0.0, 80, 0], [0.7, 0.81, 0.81, 0.81], [0.0, -20, 0]),
        )
    ),
    *(
        Case(
            f"neuron_conductance.{layer}",
            net,
            "neuron_conductance",
            x,
            expected,
            {"layer": layer, "unit": unit, **PATH},
            target=0,
            tolerance=INTEGRAL,
        )
        for net, layer, unit, x, expected in (
            ("layered", "linear2", 0, [HUNDRED], [[0, 390, 0]]),
            ("layered", "linear1", 0, [HUNDRED], [[0, 90, 0]]),
            ("layered", "relu", 3, [[0.0, 70, 30]], [[0, 70, 30]]),
            (
                "three4",
                "linear2",
                0,
                tuple([row] for row in TENS),
                ([[0, 156, 0]], [[0, 156, 0]], [[0, 78, 0]]),
            ),
        )
    ),
    *(
        Case(f"neuron_gradient.{layer}", "layered", "gradient", [x], [expected], layer_of, units)
        for layer, units, x, expected, layer_of in (
            ("linear2", 0, HUNDRED, [4] * 3, {"target": "linear2"}),
            ("linear1", 0, HUNDRED, [1] * 3, {"target": "linear1"}),
            ("relu", 0, [0.0, 5, 4], [0] * 3, {"target": "relu"}),
            ("relu2", 1, [0.0, 5, 4], [1] * 3, {"target": "relu"}),
            ("relu_selector_fn", (slice(None),), [0.0, 5, 4], [3] * 3, {"target": "relu"}),
            ("relu2_agg_neurons", (slice(0, 2),), [0.0, 5, 4], [1] * 3, {"target": "relu"}),
        )
    ),
    *(
        Case(
            f"layer_gradient_x_activation.{layer}",
            "layered",
            "gradient_times_input",
            [x],
            [expected],
            at(layer),
        )
        for layer, x, expected in (
            ("linear0", HUNDRED, [0, 400, 0]),
            ("linear1", HUNDRED, [90, 101, 101, 101]),
            ("relu", [3.0, 4, 0], [0, 8, 8, 8]),
            ("linear2", HUNDRED, [392, 0]),
        )
    ),
    *(
        Case(
            f"grad_cam.{layer}",
            "conv",
            "grad_cam",
            [IMAGE],
            [expected],
            at(layer, relu=False, resize=None),
        )
        for layer, expected in (
            ("conv1", [[11.25, 13.5], [20.25, 22.5]]),
            ("relu1", [[0, 4], [28, 32.5]]),
        )
    ),
    Case(
        "integrated_gradients.multi_variable",
        "basic2",
        "integrated_gradients",
        ([[3.0]], [[1.0]]),
        ([[1.5]], [[-0.5]]),
        PATH,
        target=None,
        tolerance=INTEGRAL,
    ),
    Case(
        "integrated_gradients.multi_variable_3",
        "basic3",
        "integrated_gradients",
        ([[3.0]], [[1.0]]),
        ([[1.5]], [[-0.5]]),
        PATH,
        target=None,
        tolerance=INTEGRAL,
    ),
    *(
        Case("deeplift.relu_exact_match", "deeplift", method, ([[1.0]], [[2.0]]), ([[2]], [[1]]))
        for method in ("deeplift", "deepshap")
    ),
    Case("lrp.simple", "lrp", "lrp_epsilon", [[1.0, 2, 3]], [[18, 36, 54]], tolerance=1e-5),
    Case(
        "lrp.tanh",
        "tanh",
        "lrp_epsilon",
        [[1.0, 2, 3]],
        np.array([[1, 2, 3]]) * 0.05 * np.tanh(0.6),
        tolerance=1e-4,
    ),
    Case(
        "lrp.GammaRule",
        "negative",
        "lrp_gamma",
        [[1.0, 2, 3]],
        [[28 / 3, 104 / 3, 52]],
        {"gamma": 1.0},
        tolerance=1e-5,
    ),
    Case("lrp.AlphaBeta", "negative", "lrp_z_plus", [[1.0, 2, 3]], [[12, 33.6, 50.4]]),
    Case(
        "lrp.skip_connection",
        "skip",
        "lrp_epsilon",
        [[2.0, 3]],
        [[10, 18]],
        target=1,
        tolerance=1e-5,
    ),
]


@pytest.mark.thorough
def test_expected_numbers_are_met() -> None:
    missed = {}
    for case in CASES:
        expected = case.expected if isinstance(case.expected, tuple) else (case.expected,)
        scores = case.scores()
        assert len(scores) == len(expected), case.test
        error = max(
            off(np.asarray(ours), np.asarray(theirs, float))
            for ours, theirs in zip(scores, expected, strict=True)
        )
        if not error < case.tolerance:
            missed[case.test] = error, [np.asarray(ours).tolist() for ours in scores]
    assert not missed


@pytest.mark.slow
def test_infidelity_is_nothing_of_gradients_of_what_is_linear_nearby() -> None:
    """test_basic_infidelity_multiple, and with_normalize: scores times 100 are as good."""
    x = [np.full((3, 1), 3.0), np.full((3, 1), 1.0)]
    bench = Bench(network("basic2"), x, target=None)
    scores = bench.run("gradient")
    assert infidelity(scores, by="noise").values.max() < EXACT
    larger = [100 * each[0] for each in scores.scores]
    assert infidelity(bench.take(larger, per="unit"), by="noise").values.min() > 1
    assert infidelity(bench.take(larger, per="unit"), by="noise", scaled=True).values.max() < EXACT
