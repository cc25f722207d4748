"""A whole script of the original's users."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine.compat as deeplift
from deeplift_engine.compat.conversion import kerasapi_conversion as kc
from deeplift_engine.compat.layers import NonlinearMxtsMode
from tests.compat.calls import BACKGROUND, SEQUENCES, one_hot
from tests.helpers import ROOT


def test_a_script_of_the_original_runs(
    sequential: tuple[Any, str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keras_model, _ = sequential
    weights, architecture = folder / "script.weights.h5", folder / "script.json"
    keras_model.save_weights(weights)
    architecture.write_text(keras_model.to_json())
    onehot_data = one_hot()

    method_to_model = OrderedDict()
    for method_name, nonlinear_mxts_mode in [
        ("rescale_conv_revealcancel_fc", NonlinearMxtsMode.DeepLIFT_GenomicsDefault),
        ("grad_times_inp", NonlinearMxtsMode.Gradient),
    ]:
        method_to_model[method_name] = kc.convert_model_from_saved_files(
            h5_file=weights, json_file=architecture, nonlinear_mxts_mode=nonlinear_mxts_mode
        )
    model = method_to_model["rescale_conv_revealcancel_fc"]

    deeplift_prediction_func = deeplift.util.compile_func(
        [model.get_layers()[0].get_activation_vars()], model.get_layers()[-1].get_activation_vars()
    )
    converted_model_predictions = deeplift.util.run_function_in_batches(
        input_data_list=[onehot_data],
        func=deeplift_prediction_func,
        batch_size=4,
        progress_update=None,
    )
    predictions = keras_model.predict(onehot_data, verbose=0)
    assert np.max(np.abs(np.array(converted_model_predictions) - predictions)) < 10**-5

    contribs_func = model.get_target_contribs_func(find_scores_layer_idx=0, target_layer_idx=-2)
    multipliers_func = model.get_target_multipliers_func(
        find_scores_layer_idx=0, target_layer_idx=-2
    )
    integrated_gradients10_func = deeplift.util.get_integrated_gradients_function(
        gradient_computation_function=method_to_model["grad_times_inp"].get_target_multipliers_func(
            find_scores_layer_idx=0, target_layer_idx=-2
        ),
        num_intervals=10,
    )
    many_refs_func = deeplift.util.get_shuffle_seq_ref_function(
        score_computation_function=contribs_func,
        shuffle_func=deeplift.dinuc_shuffle.dinuc_shuffle,
    )
    hypothetical_func = deeplift.util.get_hypothetical_contribs_func_onehot(multipliers_func)
    for func in (contribs_func, multipliers_func, integrated_gradients10_func, hypothetical_func):
        scores = np.array(
            func(
                task_idx=0,
                input_data_list=[onehot_data],
                input_references_list=[BACKGROUND[None, None, :]],
                batch_size=200,
                progress_update=1000,
            )
        )
        assert scores.shape == (SEQUENCES, 30, 4)
        assert np.isfinite(scores).all()
    scores = np.sum(
        many_refs_func(
            task_idx=0,
            input_data_sequences=onehot_data,
            num_refs_per_seq=10,
            batch_size=50,
            progress_update=4000,
        ),
        axis=2,
    )
    assert scores.shape == (SEQUENCES, 30)
    assert capsys.readouterr().out == ""


def test_the_imports_that_the_guide_names_are_there() -> None:
    guide = (ROOT / "docs" / "MIGRATING.md").read_text()
    found = re.findall(r"`((?:import|from) deeplift_engine[^`]*)`", guide)
    assert len(found) == 6
    for statement in found:
        exec(statement.replace("...", "enum"), {})


def test_importing_it_does_not_import_tensorflow() -> None:
    code = "import sys, deeplift_engine.compat; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
