"""What became of each layer, in models that are supported and in others, and the page of all."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_conversion import read_config
from deeplift_conversion.eras.saved_names import old_names
from deeplift_engine.cli import main
from deeplift_engine.errors import ModelFileError, RuleError, UnsupportedModelError
from deeplift_engine.translate.build_graph import TRANSLATORS, build
from deeplift_engine.translate.refused import REFUSED, REFUSED_OLD, reason_and_advice
from deeplift_engine.util.tables import aligned
from docs.generate import layers as layer_table
from tests.helpers import MODELS, ROOT, needs_models

PAGE = ROOT / "docs" / "LAYERS.md"


def mixed() -> keras.Model:
    """Exact layers, a function, a shared layer, and a class that is refused."""
    source = keras.Input((12, 4), name="letters")
    conv = L.Conv1D(4, 3, padding="same", activation="relu", name="conv")
    x = L.MaxPooling1D(2, name="pool")(conv(conv(source)))
    x = L.Lambda(tf.sin, name="wave", output_shape=(6, 4))(x)
    x = L.Discretization([0.0], name="bins", output_mode="int")(x)
    x = L.Dense(1, name="head")(L.Flatten(name="flat")(x))
    side = L.Dense(2, activation="softmax", name="side")(L.Flatten(name="sides")(source))
    return keras.Model(source, [x, side])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("coverage") / "mixed.keras"
    mixed().save(where)
    return where


def rows(table: Any) -> dict[str, Any]:
    return {row.layer: row for row in table.rows}


# ---------------------------------------------------------------- tables


def test_every_layer_has_one_row_with_what_it_became(path: Path) -> None:
    table = de.coverage(path, functions={"wave": tf.math.special.dawsn})
    by_layer = rows(table)
    assert not table.supported
    assert {name: row.status for name, row in by_layer.items()} == {
        "letters": "exact",
        "conv": "exact",
        "sides": "exact",
        "pool": "exact",
        "side": "exact",
        "wave": "approximate",
        "bins": "refused",
        "flat": "not tried",
        "head": "not tried",
    }
    assert by_layer["conv"].became == ("Convolution", "ReLU")
    assert by_layer["conv"].rules == ("linear", "rescale")
    assert by_layer["conv"].shape == (12, 4)
    assert by_layer["pool"].rules == ("winner",)
    assert by_layer["side"].became == ("Dense", "Softmax")
    assert by_layer["wave"].became == ("path of 16 points",)
    assert by_layer["wave"].note.startswith("by tensorflow.python")
    assert by_layer["wave"].note.endswith("one step: no attribution layer for the operation dawsn")
    told = (by_layer["bins"].note, by_layer["bins"].advice)
    assert told == reason_and_advice("Discretization", "bins")
    assert by_layer["bins"].shape is None


def test_the_table_is_text(path: Path) -> None:
    text = str(de.coverage(path, functions={"wave": tf.math.special.dawsn}))
    lines = text.splitlines()
    assert lines[0].split() == ["layer", "class", "shape", "status", "became", "rule", "note"]
    (conv,) = [line for line in lines if line.startswith("conv ")]
    for cell in ("Conv1D", "12 x 4", "exact", "Convolution → ReLU", "linear, rescale"):
        assert f"  {cell}" in conv
    assert lines[-1] == "9 layers: 5 exact, 1 approximate, 1 refused, 2 not tried"
    assert aligned([("a", "long"), ("bbb", "c")]) == "a    long\nbbb  c"
    assert aligned([("a", "long"), ("bbb", "c")], right=[0, 1]) == "  a  long\nbbb     c"


def test_what_load_says_is_the_problem(path: Path) -> None:
    with pytest.raises(UnsupportedModelError) as raised:
        de.load(path)
    assert str(raised.value) == de.coverage(path).problem


def test_a_network_says_the_same_as_its_file(tmp_path: Path) -> None:
    source = keras.Input((6,), name="x")
    model = keras.Model(source, L.Dense(2, activation="tanh", name="units")(source))
    model.save(tmp_path / "m.keras")
    network = de.load(tmp_path / "m.keras")
    for rules in ("rescale", "gradient", {"units": "reveal_cancel"}):
        assert network.coverage(rules) == de.coverage(tmp_path / "m.keras", rules=rules)
    assert network.coverage().supported
    assert rows(network.coverage("gradient"))["units"].status == "not complete"
    assert rows(network.coverage({"units": "reveal_cancel"}))["units"].rules == (
        "linear",
        "reveal_cancel",
    )


def test_rules_by_the_name_of_a_refused_layer_are_taken(path: Path) -> None:
    """A model that could not be built has no such node; one that could has it."""
    assert not de.coverage(path, rules={"bins": "gradient"}).supported
    with pytest.raises(RuleError):
        de.convert(keras.Sequential([keras.Input((3,)), L.Dense(1)])).coverage({"no": "rescale"})


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"nothing")
    with pytest.raises(ModelFileError):
        de.coverage(tmp_path / "m.h5")


def test_inspect_prints_it_also_for_a_model_that_is_refused(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(path)]) == 3
    captured = capsys.readouterr()
    assert str(de.coverage(path)) in captured.out
    assert "bins (Discretization)" in captured.err
    assert main(["inspect", str(path), "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["supported"] is False
    assert [row["status"] for row in document["coverage"]].count("refused") == 2
    assert document["layers"] == []


def test_inspect_as_json_has_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras.Sequential([keras.Input((3,)), L.Dense(1, name="unit")]).save(tmp_path / "m.keras")
    assert main(["inspect", str(tmp_path / "m.keras"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["supported"] is True
    assert document["coverage"][-1]["layer"] == "unit"
    assert document["coverage"][-1]["status"] == "exact"
    assert document["layers"][-1]["exact"] is True


def test_what_no_layer_of_keras_does_is_refused_by_name() -> None:
    """An error inside a translator never reaches a user without the layer's name."""
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "m",
            "layers": [
                {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4]}},
                {"class_name": "Permute", "config": {"name": "odd", "dims": ["a"]}},
            ],
        },
    }
    with pytest.raises(
        UnsupportedModelError, match=r"odd \(Permute\): it cannot be built"
    ) as raised:
        build(read_config(config, {}))
    assert isinstance(raised.value.__cause__, ValueError)


@needs_models
def test_every_real_model_has_a_table() -> None:
    """All that is not exact in them is Python code."""
    statuses: dict[str, set[str]] = {}
    for file in sorted(MODELS.glob("*/*.h5")):
        try:
            table = de.coverage(file)
        except ModelFileError:
            continue  # weights alone
        for row in table.rows:
            statuses.setdefault(row.class_name, set()).add(row.status)
    assert len(statuses) > 20
    refused = {name for name, met in statuses.items() if "refused" in met}
    assert refused == {"Lambda", "RevCompConv1D"}
    assert not any("approximate" in met for met in statuses.values())


# ---------------------------------------------------------------- the page


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == layer_table.page(), (
        f"write it again: {layer_table.COMMAND}"
    )


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    assert layer_table.main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == layer_table.page()
    assert layer_table.main([]) == 2


def test_every_translator_has_a_rule_in_words_and_no_other() -> None:
    keys = [key for rules in layer_table.RULES.values() for key in rules]
    assert len(keys) == len(set(keys))
    assert set(keys) == {layer_table.key_of(translate) for translate in TRANSLATORS.values()}


def test_every_layer_of_keras_is_in_a_row() -> None:
    """Fails where Keras gains a layer that nobody has thought of."""
    page = PAGE.read_text(encoding="utf-8")
    words = set(page.replace(",", " ").replace("|", " ").replace(".", " ").split())
    public = {name for name, thing in vars(L).items() if inspect.isclass(thing)}
    assert public - words == set()
    assert {*TRANSLATORS, *REFUSED, *REFUSED_OLD} - words == set()
    assert [name for name in old_names() if f"| {name} |" not in page] == []


OLD: dict[str, tuple[Callable[[], Any], str]] = {
    "Highway": (lambda: {"init": "glorot_uniform", "activation": "relu"}, "Keras 1 alone"),
    "MaxoutDense": (lambda: {"output_dim": 3, "nb_feature": 2}, "Keras 1 alone"),
    "BatchNormalization": (lambda: {"mode": 2, "epsilon": 1e-3}, "depend on each other"),
}


@pytest.mark.parametrize("kind", OLD)
def test_layers_of_old_keras_alone_are_refused_with_a_reason(kind: str) -> None:
    options, words = OLD[kind]
    config = {
        "class_name": "Sequential",
        "keras_version": "1.2.2",
        "config": [
            {
                "class_name": kind,
                "config": {"name": "old", "batch_input_shape": [None, 4], **options()},
            }
        ],
    }
    arrays = [("old_W", np.zeros((4, 4), "float32"))]
    if kind == "BatchNormalization":
        arrays = [
            (f"old_{role}", np.ones(4, "float32"))
            for role in ("gamma", "beta", "running_mean", "running_std")
        ]
    spec = read_config(config, {"old": arrays})
    with pytest.raises(UnsupportedModelError, match=rf"old \({kind}.*\): .*{words}"):
        build(spec)
