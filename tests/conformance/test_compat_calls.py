"""The originals' arrays through the original's own calls."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from deeplift_engine.compat import util
from deeplift_engine.compat.conversion import kerasapi_conversion as kc
from tests.conformance.arrays import RULES, arrays
from tests.helpers import CONFORMANCE, MODELS, needs_conformance, off

pytestmark = [
    needs_conformance,
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::deeplift_engine.errors.DegenerateReferenceWarning"),
]


@pytest.fixture(autouse=True)
def _unfused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deeplift_engine.engine.block_sizes.LARGE", 10**9)


def tolerance(method: str) -> float:
    return 2e-5 if method in ("RevealCancel", "DeepLIFT_GenomicsDefault") else 1e-5


@functools.cache
def converted(model: str, method: str) -> Any:
    if model == "genomics":
        stem = MODELS / "avanti-talgata" / "keras2_conv1d_record_5_model_PQzyq_model"
        files = {"h5_file": f"{stem}Weights.h5", "json_file": f"{stem}Json.json"}
    else:
        files = {"h5_file": str(CONFORMANCE / f"{model}.h5")}
    return kc.convert_model_from_saved_files(**files, nonlinear_mxts_mode=method)


def scored(function: Any, tasks: int, x: Any, references: Any = None) -> Any:
    """Task by task, as scripts of the original do."""
    return np.array(
        [
            function(
                task_idx=task,
                input_data_list=[x],
                input_references_list=None if references is None else [references],
                batch_size=200,
                progress_update=None,
            )
            for task in range(tasks)
        ]
    )


def test_the_layers_are_those_of_the_original() -> None:
    layers = converted("genomics", "DeepLIFT_GenomicsDefault").get_layers()
    assert [type(layer).__name__ for layer in layers] == list(arrays("genomics")["layer_types"])
    assert [layer.name for layer in layers] == ["input", *(str(i) for i in range(11))]


@pytest.mark.parametrize("method", RULES)
def test_genomics_contributions(method: str) -> None:
    stored = arrays("genomics")
    function = converted("genomics", method).get_target_contribs_func(
        find_scores_layer_idx=0, target_layer_idx=-2
    )
    expected = stored[f"zeros__{method}__contribs"]
    assert off(scored(function, len(expected), stored["X"]), expected) < tolerance(method)
    constant = stored.get(f"const__{method}__contribs")
    if constant is not None:
        found = scored(function, 1, stored["X"], stored["ref_const"][None, None, :])
        assert off(found, constant) < tolerance(method)


def test_genomics_multipliers_and_what_is_made_of_them() -> None:
    stored = arrays("genomics")
    x, constant = stored["X"], stored["ref_const"][None, None, :]
    rescale = converted("genomics", "Rescale").get_target_multipliers_func(0)
    gradient = converted("genomics", "Gradient").get_target_multipliers_func(0)
    assert off(scored(rescale, 1, x), stored["zeros__Rescale__multipliers"]) < 1e-5
    assert off(scored(gradient, 1, x), stored["zeros__Gradient__multipliers"]) < 1e-5
    hypothetical = util.get_hypothetical_contribs_func_onehot(rescale)
    expected = stored["const__Rescale__hypothetical"]
    assert off(scored(hypothetical, 1, x, constant), expected) < 1e-5
    integrated = util.get_integrated_gradients_function(gradient, 10)
    expected = stored["zeros__IntegratedGradients10__contribs"]
    assert off(scored(integrated, 1, x, 0.0), expected) < 1e-5


def test_genomics_contributions_at_a_layer_inside() -> None:
    stored = arrays("genomics")
    model = converted("genomics", "DeepLIFT_GenomicsDefault")
    function = model.get_target_contribs_func(find_scores_layer_idx=2)
    expected = stored["zeros__DeepLIFT_GenomicsDefault__layer2_contribs"]
    assert off(scored(function, 1, stored["X"][:4]), expected) < 2e-5


@pytest.mark.parametrize("method", ["Rescale", "Gradient", "DeepLIFT_GenomicsDefault"])
def test_max_pooling_is_the_originals_by_default(method: str) -> None:
    stored = arrays("synthetic")
    function = converted("conv1d_bn", method).get_target_contribs_func(0)
    expected = stored[f"conv1d_bn__zeros__{method}__contribs"]
    assert off(scored(function, 3, stored["conv1d_bn__X"]), expected) < tolerance(method)


@pytest.mark.parametrize("model", ["mlp", "conv2d_avg"])
def test_references_of_each_samples_own(model: str) -> None:
    stored = arrays("synthetic")
    function = converted(model, "RevealCancel").get_target_contribs_func(0)
    expected = stored[f"{model}__rand__RevealCancel__contribs"]
    found = scored(function, len(expected), stored[f"{model}__X"], stored[f"{model}__ref_rand"])
    assert off(found, expected) < 2e-5
