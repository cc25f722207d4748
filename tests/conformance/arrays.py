"""The originals' arrays, and the runs of this engine that must give the same."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import deeplift_engine as de
from tests.helpers import CONFORMANCE, MODELS

RULES = {
    "Rescale": "rescale",
    "RevealCancel": "reveal_cancel",
    "DeepLIFT_GenomicsDefault": "genomics_default",
    "Gradient": "gradient",
    "GuidedBackprop": "guided_backprop",
    "GuidedBackpropRescale": "guided_backprop_rescale",
    "DeconvNet": "deconvnet",
    "PassThrough": "pass_through",
}
"""The original's names of what this engine calls rules."""

SYNTHETIC = ("mlp", "conv2d_avg", "conv1d_bn")


@functools.cache
def arrays(name: str) -> dict[str, Any]:
    """Everything in one file of the shared folder; nothing where the folder is not there."""
    path = CONFORMANCE / f"{name}.npz"
    if not path.exists():
        return {}
    with np.load(path) as stored:
        return dict(stored)


@functools.cache
def network(model: str) -> de.Network:
    if model == "genomics":
        stem = MODELS / "avanti-talgata" / "keras2_conv1d_record_5_model_PQzyq_model"
        return de.load(f"{stem}Weights.h5", f"{stem}Json.json")
    if model == "mnist":
        return de.load(MODELS / "avanti-mnist-th" / "keras2_mnist_cnn_allconv.h5")
    return de.load(CONFORMANCE / f"{model}.h5")


@functools.cache
def exactly(model: str) -> de.Network:
    """A synthetic network in float64."""
    return de.load(CONFORMANCE / f"{model}.h5", dtype="float64")


def inputs(model: str) -> Any:
    if model in SYNTHETIC:
        return arrays("synthetic")[f"{model}__X"]
    return arrays(model)["X"]


def reference(model: str, name: str) -> Any:
    return {
        "zeros": lambda: None,
        "const": lambda: arrays("genomics")["ref_const"],
        "rand": lambda: arrays("synthetic")[f"{model}__ref_rand"],
        "base_rand0": lambda: arrays("deepexplain")["mlp__baseline"],
    }[name]()


TARGETS = {"genomics": [0, 1], "mnist": [0, 1, 2, 3]}
"""The tasks that the files hold the most of; all of them for the synthetic models."""


@functools.cache
def explainer(model: str, rules: str, layers: str | None = None) -> de.Explainer:
    # the original sends max pooling's multiplier to the input's winner: difference 3
    return network(model).explainer(rules=rules, max_pooling="gradient", layers=layers, fused=False)


@functools.cache
def attribution(model: str, rules: str, against: str) -> de.Attribution:
    return explainer(model, rules).run(
        inputs(model), target=TARGETS.get(model, "all"), references=reference(model, against)
    )
