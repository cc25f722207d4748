"""Methods that are measured beside other packages: on what, with which settings, judged by what.

A row is a method of this library on one network. The options are in this library's words; the
modules of the packages translate them. ``same`` says what makes the packages' numbers equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.architectures import ATTENTION, DILATED, GENOMICS, IMAGE, LSTM, Architecture
from benchmarks.work import Array, Data, Problem, Row

REFERENCES = 10
FIRST = "convolution_0"
ROUNDING, STEPS, DRAWS = 1e-3, 2e-2, 6e-2
"""Errors as shares of the largest score, up to which scores are the same: of float32, of sums in
place of integrals, and of as many draws as are compared."""
KINK = 2e-2
"""The same of single samples: where what a ReLU or a maximum reads is within rounding of its kink,
float32 may take the other side, and the gradient is another by one unit's share."""
QUICK_INPUTS = 3
QUICK_LENGTHS = {"genomics": 60, "dilated": 120, "image": 16, "lstm": 30, "attention": 30}
NETWORKS: Mapping[str, Architecture] = {
    "genomics": GENOMICS,
    "dilated": DILATED,
    "image": IMAGE,
    "lstm": LSTM,
    "attention": ATTENTION,
}


@dataclass(frozen=True)
class Exact:
    """What float64 is to compute: a method with options that need no draws, or far more of them."""

    method: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class MethodRow(Row):
    """A method on a network.

    Attributes
    ----------
    network
        A name of `NETWORKS`.
    inputs
        So many of the problem's.
    options
        Of the method; ``groups`` is a number of stretches, or of cells along each axis.
    layer
        Where it scores, or None for the inputs.
    same
        What is set, beside the options, so that all compute the same.
    tolerance
        Up to which error a contender is timed, as a share of the largest score: that of the median
        sample, and that of any, but for one `KINK`.
    checked
        Options in place of those when scores are compared: more draws.
    exact
        What the scores are compared with; None is the same in float64.
    """

    network: str = "genomics"
    inputs: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    layer: str | None = None
    same: str = ""
    tolerance: float = ROUNDING
    checked: Mapping[str, Any] = field(default_factory=dict)
    exact: Exact | None = None

    @property
    def method(self) -> str:
        """Its name in this library; what follows a blank tells rows of one method apart."""
        return self.name.partition(" ")[0]

    def check(self) -> MethodRow:
        """The row whose scores are compared: one input, where more is drawn."""
        inputs = 1 if self.checked else self.inputs
        options = {**self.options, **self.checked}
        return replace(self, name=f"{self.name} check", inputs=inputs, options=options)

    def truth(self) -> MethodRow:
        """The row that float64 computes for the comparison."""
        check = self.check()
        exact = self.exact or Exact(self.method, check.options)
        name = f"{exact.method} truth of {self.name}"
        return replace(check, name=name, options=exact.options)

    def every(self) -> tuple[MethodRow, ...]:
        """The row with those that judge it."""
        return self, self.check(), self.truth()

    def quick(self) -> MethodRow:
        """The same on few inputs."""
        return replace(self, inputs=min(self.inputs, QUICK_INPUTS))

    def data(self, data: Data) -> Array:
        """Its inputs (N, *S)."""
        return data.inputs[: self.inputs]


def labels(row: MethodRow, shape: tuple[int, ...]) -> Array:
    """The number of the group of each element (*S): stretches or cells, channels together."""
    count = row.options["groups"]
    positions, *others = shape[:-1]
    numbers = np.arange(positions) * min(count, positions) // positions
    for size in others:
        cells = np.arange(size) * min(count, size) // size
        numbers = numbers[..., np.newaxis] * min(count, size) + cells
    return np.broadcast_to(numbers[..., np.newaxis], shape).copy()


def problem(network: str, rows: tuple[MethodRow, ...], quick: bool) -> Problem:
    """Everything that is measured on one network, with the rows that judge it."""
    if quick:
        rows = tuple(row.quick() for row in rows)
    every = tuple(each for row in rows for each in row.every())
    inputs = max(row.inputs for row in rows)
    whole = Problem(network, NETWORKS[network], inputs, REFERENCES, every)
    return whole.shortened(QUICK_LENGTHS[network], inputs, REFERENCES) if quick else whole


POINTS = {"steps": 50}
NODES = "Gauss-Legendre, baseline 0"
NOISE = {"of": "gradient", "samples": 50, "noise": 0.1}
MANY_NOISES = {"samples": 2000}
MORE_NOISES = {**NOISE, "samples": 8000, "seed": 1}
GROUPS = {"groups": 10, "divide": False}
SHAPLEY = Exact("exact_shapley", GROUPS)
TRAPEZOIDS = Exact("layer_conductance", {"steps": 1000})
INPUTS = {"genomics": 256, "dilated": 4, "image": 32, "lstm": 64, "attention": 64}
FEWER = {"genomics": 16, "dilated": 1, "image": 8, "lstm": 8, "attention": 8}


def _gradients(network: str) -> tuple[MethodRow, ...]:
    """Rows that every network has."""
    few, many = FEWER[network], INPUTS[network]
    return (
        MethodRow("saliency", "saliency", network=network, inputs=many),
        MethodRow(
            "integrated_gradients",
            "integrated gradients, 50 steps",
            network=network,
            inputs=few,
            options=POINTS,
            same=NODES,
        ),
    )


ROWS: tuple[MethodRow, ...] = (
    *_gradients("genomics"),
    MethodRow(
        "smoothgrad",
        "SmoothGrad, 50 draws",
        inputs=16,
        options=NOISE,
        same="noise a tenth of each input's range; draws of their own, 2,000 when compared",
        tolerance=DRAWS,
        checked=MANY_NOISES,
        exact=Exact("smoothgrad", MORE_NOISES),
    ),
    MethodRow("gradient_times_input", "gradient x input", inputs=256),
    MethodRow("guided_backprop", "guided backprop", inputs=256),
    MethodRow("deconvnet", "deconvnet", inputs=256),
    MethodRow(
        "vargrad",
        "VarGrad, 50 draws",
        inputs=16,
        options=NOISE,
        same="Captum divides by n, here by n - 1: 1 in 2,000 when compared",
        tolerance=2 * DRAWS,
        checked=MANY_NOISES,
        exact=Exact("vargrad", MORE_NOISES),
    ),
    MethodRow(
        "expected_gradients",
        "GradientSHAP, 50 draws of 10 shared references",
        shared=True,
        inputs=16,
        options={"samples": 50},
        same="no noise added; draws of their own, 2,000 when compared with the integral",
        tolerance=DRAWS,
        checked={"samples": 2000},
        exact=Exact("integrated_gradients", {"steps": 200}),
    ),
    MethodRow(
        "layer_conductance",
        "conductance of the first convolution, 50 steps",
        inputs=16,
        options=POINTS,
        layer=FIRST,
        same="trapezoids, judged by 1,000 steps",
        tolerance=STEPS,
        exact=TRAPEZOIDS,
    ),
    MethodRow(
        "internal_influence",
        "internal influence of the first convolution, 50 steps",
        inputs=16,
        options=POINTS,
        layer=FIRST,
        same=NODES,
    ),
    MethodRow(
        "grad_cam",
        "Grad-CAM of the first convolution",
        inputs=256,
        options={"resize": None, "relu": False},
        layer=FIRST,
        same="negative parts too, not resized",
    ),
    *(
        MethodRow(name, title, inputs=256, options=options, same=same)
        for name, title, options, same in (
            ("lrp_epsilon", "LRP, epsilon", {"epsilon": 1e-6}, "biases take their share"),
            ("lrp_gamma", "LRP, gamma", {"gamma": 0.25}, "biases take their share"),
            ("lrp_z_plus", "LRP, z-plus", {}, "biases take their share"),
            ("lrp_epsilon_plus", "LRP, epsilon-plus", {"epsilon": 1e-6}, "biases take their share"),
            (
                "lrp_epsilon_alpha2_beta1",
                "LRP, epsilon-alpha2-beta1",
                {"epsilon": 1e-6},
                "biases take their share",
            ),
            (
                "lrp_epsilon_gamma_box",
                "LRP, epsilon-gamma-box",
                {"epsilon": 1e-6, "gamma": 0.25, "low": 0.0, "high": 1.0},
                "biases take their share",
            ),
        )
    ),
    MethodRow(
        "occlusion",
        "occlusion, windows of 10 positions by 5",
        inputs=16,
        options={"window": (10, 4), "stride": (5, 4)},
        same="by zeros; the window's loss, not divided by its size",
    ),
    MethodRow(
        "feature_ablation",
        "feature ablation of 20 groups",
        inputs=16,
        options={"groups": 20, "divide": False},
        same="by zeros; groups' losses, not divided",
    ),
    MethodRow(
        "shapley_sampling",
        "Shapley sampling, 20 permutations of 10 groups",
        inputs=16,
        options={**GROUPS, "samples": 20},
        same="by zeros; draws of their own, 400 when compared with all 1,024 coalitions",
        tolerance=DRAWS,
        checked={"samples": 400},
        exact=SHAPLEY,
    ),
    MethodRow(
        "exact_shapley",
        "Shapley values, all coalitions of 5 groups",
        inputs=16,
        options={"groups": 5, "divide": False},
        same="by zeros",
    ),
    MethodRow(
        "kernel_shap",
        "KernelSHAP, 200 coalitions of 10 groups",
        inputs=16,
        options={**GROUPS, "samples": 200},
        same="by zeros, no selection of features; 1,000 when compared with all 1,024 coalitions",
        tolerance=DRAWS,
        checked={"samples": 1000},
        exact=SHAPLEY,
    ),
    MethodRow(
        "saturation_mutagenesis",
        "saturation mutagenesis",
        inputs=16,
        options={"centre": "mean"},
        same="changes about the mean over the letters",
    ),
    *_gradients("dilated"),
    MethodRow(
        "saturation_mutagenesis",
        "saturation mutagenesis",
        network="dilated",
        inputs=1,
        options={"centre": "mean"},
        same="changes about the mean over the letters",
    ),
    *_gradients("image"),
    MethodRow(
        "grad_cam",
        "Grad-CAM of the last convolution",
        network="image",
        inputs=32,
        options={"resize": None, "relu": False},
        layer="convolution_3",
        same="negative parts too, not resized",
    ),
    MethodRow(
        "occlusion",
        "occlusion, windows of 8 x 8 by 4",
        network="image",
        inputs=8,
        options={"window": (8, 8, 3), "stride": (4, 4, 3)},
        same="by zeros; the window's loss, not divided by its size",
    ),
    MethodRow(
        "lrp_epsilon_plus",
        "LRP, epsilon-plus",
        network="image",
        inputs=32,
        options={"epsilon": 1e-6},
        same="biases take their share",
    ),
    *_gradients("lstm"),
    *_gradients("attention"),
)
NOT_MEASURED = """\
Not measured: TCAV (Captum's and Xplique's fit a plane of their own), LIME (penalties and
kernels differ), alibi, Quantus, lime, RISE, Sobol and HSIC of Xplique, tf-keras-vis, guided and
blur integrated gradients and XRAI of PAIR's saliency, SHAP's Partition (held to it in a test),
iNNvestigate and DeepExplain (TensorFlow 1 and 2.14). DeepLIFT has tables of its own above."""
