"""With no references, tokens with a mask are compared with other tokens, and padding is kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine import cli
from tests.cases.custom_models import randomised
from tests.helpers import off

X = np.array([[3, 5, 2, 0, 0, 0], [1, 4, 4, 6, 8, 0], [7, 7, 1, 2, 3, 5]], "int32")
DEFAULT = "replaced(1, keep=(0,))"


def averaged(source: Any, mask_zero: bool = True, rows: int = 9) -> Any:
    """A mean over the steps that count, 0/0 where none does."""
    return L.GlobalAveragePooling1D()(L.Embedding(rows, 4, mask_zero=mask_zero)(source))


def network(mask_zero: bool = True) -> de.Network:
    source = keras.Input((6,), dtype="int32", name="tokens")
    return de.convert(randomised(keras.Model(source, L.Dense(1)(averaged(source, mask_zero)))))


@pytest.mark.parametrize("method", ["deeplift", "shapley_sampling", "occlusion", "deepshap"])
def test_the_default_works_and_is_in_the_settings(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    explainer = network().explainer(method)
    with caplog.at_level(logging.INFO, "deeplift_engine"):
        result = explainer.run(X)
    assert result.settings["references"] == DEFAULT
    assert f"a mask leaves out token 0, so the default references are {DEFAULT}" in caplog.text
    same = explainer.run(X, references=de.references.replaced(1, keep=(0,)))
    assert np.array_equal(result.scores, same.scores)
    assert np.isfinite(result.scores).all()
    assert np.abs(result.scores[X == 0]).max() < 1e-6
    assert result.scores[X > 1].all()


def test_at_the_embedding_too() -> None:
    net = network()
    (embedding,) = [name for name, node in net.nodes.items() if node.layer.vocabulary]
    explainer = net.explainer("integrated_gradients", layers=embedding)
    result = explainer.run(X)
    assert result.settings["references"] == DEFAULT
    assert result.relative_error.max() < 1e-4


def test_tokens_without_a_mask_are_compared_with_zeros() -> None:
    explainer = network(mask_zero=False).explainer()
    result = explainer.run(X)
    assert result.settings["references"] == explainer.run(X, references=None).settings["references"]
    assert off(result.scores, explainer.run(X, references=0).scores) == 0


def test_of_several_inputs_only_those_with_a_mask() -> None:
    left, right = (keras.Input((6,), dtype="int32", name=name) for name in ("left", "right"))
    numbers = keras.Input((3,), name="numbers")
    joined = L.Concatenate()([averaged(left), averaged(right, False), numbers])
    net = de.convert(randomised(keras.Model([left, right, numbers], L.Dense(1)(joined))))
    x = [X, X[::-1], np.ones((3, 3), "float32")]
    result = net.explainer().run(x)
    first, second, third = result.settings["references"]
    assert first == DEFAULT
    assert second == third == "zeros"
    assert result.relative_error.max() < 1e-5
    partly = net.explainer().run(x, references={"left": None, "right": 3, "numbers": 0})
    assert partly.settings["references"][0] == DEFAULT


def test_a_mask_by_an_operation_of_moved_tokens() -> None:
    """Token 7 is what this mask leaves out; the table may have it."""
    source = keras.Input((6,), dtype="int32", name="tokens")
    cut = source[:, 1:]
    used = ops.expand_dims(ops.cast(ops.not_equal(cut, 7), "float32"), -1)
    total = ops.sum(L.Embedding(9, 4)(cut) * used, axis=1)
    mean = total / ops.sum(used, axis=1)
    net = de.convert(randomised(keras.Model(source, L.Dense(1)(mean))))
    x = np.array([[7, 1, 2, 7, 7, 3], [1, 0, 7, 3, 4, 4]], "int32")
    result = net.explainer().run(x)
    assert result.settings["references"] == "replaced(0, keep=(7,))"
    assert result.relative_error.max() < 1e-5
    assert not result.scores[x == 7].any()


def test_a_comparison_that_several_tokens_fail_is_no_mask() -> None:
    source = keras.Input((6,), dtype="int32", name="tokens")
    flags = ops.cast(ops.greater(source, 4), "float32")
    flat = L.Concatenate()([flags, L.Flatten()(L.Embedding(9, 2)(source))])
    net = de.convert(randomised(keras.Model(source, L.Dense(1)(flat))))
    assert [info.padding for info in net.inputs] == [None]


def test_sums_at_every_layer_and_sweeps_have_the_same_default() -> None:
    net = network()
    assert net.audit(X).ok
    report = net.reference_report(X, None)
    assert np.isfinite(report.on_references).all()
    swept = net.sweep(X, {"default": None, "same": de.references.replaced(1, keep=(0,))})
    scores = [swept.results[name, "rescale"].scores for name in ("default", "same")]
    assert np.array_equal(*scores)


def test_the_command_line_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = keras.Input((6,), dtype="int32", name="tokens")
    model, inputs = tmp_path / "model.keras", tmp_path / "x.npy"
    keras.Model(source, L.Dense(1)(averaged(source))).save(model)
    np.save(inputs, X)
    command = ["score", str(model), str(inputs), "-o", str(tmp_path / "scores.h5"), "-q"]
    assert cli.main(command) == 0
    assert DEFAULT in capsys.readouterr().out
    assert cli.main(["sweep", str(model), str(inputs), "-q"]) == 0
    assert "default" in capsys.readouterr().out
