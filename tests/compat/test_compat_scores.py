"""Scores through the original's calls are those of the new interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
import deeplift_engine.compat as deeplift
from deeplift_engine.compat.layers import NonlinearMxtsMode
from tests.compat.calls import BACKGROUND, SAME, SEQUENCES, converted, one_hot
from tests.helpers import off


@pytest.mark.parametrize(
    ("mode", "rules"),
    [
        (NonlinearMxtsMode.Rescale, "rescale"),
        (NonlinearMxtsMode.DeepLIFT_GenomicsDefault, "genomics_default"),
    ],
)
def test_scores_are_those_of_the_new_interface(
    sequential: tuple[Any, str], mode: str, rules: str
) -> None:
    model, x = converted(sequential[1], mode), one_hot()
    expected = (
        de.load(sequential[1])
        .explainer(rules=rules, max_pooling="gradient")
        .run(x, target=2, references=BACKGROUND, batch_size=4)
    )
    arguments: dict[str, Any] = {
        "task_idx": 2,
        "input_data_list": [x],
        "input_references_list": [BACKGROUND[None, None, :]],
        "batch_size": 4,
        "progress_update": None,
    }
    multipliers = model.get_target_multipliers_func(0)
    hypothetical = deeplift.util.get_hypothetical_contribs_func_onehot(multipliers)
    assert off(model.get_target_contribs_func(0)(**arguments), expected.scores) < SAME
    assert off(multipliers(**arguments), expected.multipliers) < SAME
    assert off(hypothetical(**arguments), expected.hypothetical) < SAME


def test_max_pooling_is_the_originals_unless_asked_for(sequential: tuple[Any, str]) -> None:
    x, references = one_hot(), one_hot(seed=5)
    network = de.load(sequential[1])
    found = {}
    for max_pooling in ("gradient", "exact"):
        function = converted(
            sequential[1], NonlinearMxtsMode.Rescale, maxpool_deeplift_mode=max_pooling
        ).get_target_contribs_func(0)
        found[max_pooling] = function(0, [x], 32, None, [references])
        expected = network.explainer(max_pooling=max_pooling).run(
            x, target=0, references=de.references.per_sample(references)
        )
        assert off(found[max_pooling], expected.scores) < SAME
    default = converted(sequential[1], NonlinearMxtsMode.Rescale).get_target_contribs_func(0)
    assert off(default(0, [x], 32, None, [references]), found["gradient"]) == 0
    assert off(found["exact"], found["gradient"]) > 0.01


def test_several_layers_give_a_list_in_their_order(sequential: tuple[Any, str]) -> None:
    model, x = converted(sequential[1], NonlinearMxtsMode.Rescale), one_hot()
    several = model.get_target_contribs_func([2, 0])(1, [x])
    assert [scores.shape for scores in several] == [(SEQUENCES, 26, 6), (SEQUENCES, 30, 4)]
    for scores, layer in zip(several, (2, 0), strict=True):
        assert off(scores, model.get_target_contribs_func(layer)(1, [x])) < SAME
    assert isinstance(model.get_target_multipliers_func([0])(1, [x]), list)


def test_several_tasks_come_in_one_pass(sequential: tuple[Any, str]) -> None:
    function, x = converted(sequential[1]).get_target_contribs_func(0), one_hot()
    assert off(function([2, 0], [x])[1], function(0, [x])) < SAME


def test_several_inputs_by_order_and_by_name(functional: tuple[Any, str]) -> None:
    model = converted(functional[1])
    left, right = np.random.default_rng(3).normal(size=(2, 5, 4))
    function = model.get_target_contribs_func(["left_0", "right_0"], "preact_classes_0")
    listed = function(0, [left, right[:, :3]], 10, None, [0.1, np.zeros((1, 3))])
    named = function(
        task_idx=0,
        input_data_list={"right_0": right[:, :3], "left_0": left},
        input_references_list={"right_0": 0.0, "left_0": 0.1},
    )
    for one, other in zip(listed, named, strict=True):
        assert off(one, other) == 0
    network = de.load(functional[1])
    logits = network.activations([left, right[:, :3]], ["classes/pre_activation"])
    at_zero = network.activations(
        [np.full((1, 4), 0.1), np.zeros((1, 3))], ["classes/pre_activation"]
    )
    change = logits["classes/pre_activation"] - at_zero["classes/pre_activation"]
    assert off(sum(part.sum(axis=1) for part in listed), change[:, 0]) < 1e-5


def test_predictions_of_any_layer(sequential: tuple[Any, str], functional: tuple[Any, str]) -> None:
    x = one_hot()
    predict = converted(sequential[1]).get_prediction_function(0, -1)
    assert off(predict([x], batch_size=4), sequential[0].predict(x, verbose=0)) < 1e-5
    left, right = np.random.default_rng(3).normal(size=(2, 5, 4))
    data = [left, right[:, :3]]
    predict = converted(functional[1]).get_prediction_function(["left_0", "right_0"], "classes_0")
    assert off(predict(data, batch_size=2), functional[0].predict(data, verbose=0)) < 1e-5
