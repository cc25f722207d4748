"""Models that scan both strands: the example, and a real one of which the file has names alone."""

from __future__ import annotations

import functools
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.cli import main
from deeplift_engine.errors import UnsupportedModelError
from tests.cases.custom_models import revcomp
from tests.helpers import MODELS, ROOT, needs_models, off, slow_among

EXAMPLE = ROOT / "examples" / "reverse_complement"

# ---------------------------------------------------------------- the example


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the demo writes; it ends with 0 only where all its checks hold."""
    out = tmp_path_factory.mktemp("reverse_complement")
    sys.path.insert(0, str(EXAMPLE))
    try:
        script = runpy.run_path(str(EXAMPLE / "demo.py"))
        assert script["main"](["--out", str(out)]) == 0
    finally:
        sys.path.remove(str(EXAMPLE))
        sys.modules.pop("layers", None)
    return out


def test_the_demo_runs_and_its_checks_hold(demo: Path) -> None:
    result = de.Attribution.load(demo / "scores.h5")
    assert result.scores.shape == (16, 200, 4)


def test_the_command_line_takes_the_same_file(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    custom = ["--custom", str(EXAMPLE / "layers.py")]
    model = str(demo / "model.h5")
    assert main(["inspect", model, *custom]) == 0
    assert "14 layers: 14 exact" in capsys.readouterr().out
    assert main(["inspect", model]) == 3
    told = capsys.readouterr()
    assert "14 layers: 1 exact, 8 refused, 5 not tried" in told.out
    assert "register_layer" in told.err
    assert main(["check", model, "--target-layer", "count", *custom]) == 0
    x = np.eye(4, dtype="float32")[np.random.default_rng(0).integers(4, size=(3, 200))]
    np.save(tmp_path / "x.npy", x)
    arguments = ["score", model, str(tmp_path / "x.npy"), "-o", str(tmp_path / "scores.h5")]
    assert main([*arguments, "--target-layer", "count", "--strict", *custom]) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("LAYERS = 1 / 0", "raised ZeroDivisionError: division by zero"),
        ("layers = {}", "defines no layer: it needs LAYERS"),
        ("LAYERS = {'Other': print}", "layers= names 'Other', which is no layer"),
        (None, "no such file"),
    ],
)
def test_a_custom_file_that_goes_wrong(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    assert main(["inspect", str(demo / "model.h5"), "--custom", str(path)]) == 4
    assert words in capsys.readouterr().err


def test_the_readme_shows_the_code_of_the_example() -> None:
    shown = (EXAMPLE / "README.md").read_text()
    source = (EXAMPLE / "layers.py").read_text()
    body = source.split('together.\n    """\n')[1].split("\n\n\ndef crop")[0]
    assert body in shown


# ---------------------------------------------------------------- the real model

# Control tracks stand on both sides of a concatenation whose channels the next layer reads in
# mirrored pairs, once as they are and once through a Lambda that keeps their shape. Only with the
# order of its channels reversed is the whole the same on the other strand, so that is what
# lambda_22 and lambda_23 are taken to be; there are no numbers of the original to compare with.
SPI1 = MODELS / "spi1-profile" / "Spi1ProfileModel_rc.h5"
ASSUMED = {"lambda_22": lambda x: x[:, ::-1], "lambda_23": lambda x: x[:, :, ::-1]}
SAMPLES = 2


def crop(x: Any, config: Any) -> Any:
    margin = (x.shape[1] - config["output_shape"][0]) // 2
    return x[:, margin:-margin]


@functools.cache
def spi1() -> de.Network:
    return de.load(SPI1, layers={"RevCompConv1D": revcomp}, functions={**ASSUMED, "lambda_*": crop})


def rebuilt() -> keras.Model:
    """The same architecture of plain Keras layers, from the raw file alone."""
    with h5py.File(SPI1) as file:
        saved = json.loads(file.attrs["model_config"])["config"]
        arrays = {
            name: [group[entry.decode()][()] for entry in group.attrs["weight_names"]]
            for name, group in file["model_weights"].items()
        }
    tensors: dict[str, Any] = {}
    kernels: dict[str, list[Any]] = {}
    for layer in saved["layers"]:
        name, kind, config = layer["name"], layer["class_name"], layer["config"]
        if kind == "InputLayer":
            tensors[name] = keras.Input(config["batch_input_shape"][1:], name=name)
            continue
        read = [tensors[entry[0]] for entry in layer["inbound_nodes"][0]]
        if kind == "RevCompConv1D":
            kernel, bias = arrays[name]
            kernels[name] = [
                np.concatenate([kernel, np.flip(kernel)], -1),
                np.concatenate([bias, np.flip(bias)]),
            ]
            make = L.Conv1D(
                2 * config["filters"],
                config["kernel_size"],
                dilation_rate=config["dilation_rate"],
                activation=config["activation"],
                name=name,
            )
        elif kind == "Lambda" and config["output_shape"] is None:
            axis = len(read[0].shape) - 1
            make = L.Lambda(lambda x, axis=axis: keras.ops.flip(x, axis), name=name)
        elif kind == "Lambda":
            make = L.Cropping1D((read[0].shape[1] - config["output_shape"][0]) // 2, name=name)
        else:
            options = {
                key: value
                for key, value in config.items()
                if key in ("name", "axis", "target_shape")
            }
            make = getattr(L, kind)(**options)
        tensors[name] = make(read if kind in ("Average", "Concatenate") else read[0])
    names = [entry[0] for entry in saved["input_layers"]]
    outputs = [tensors[entry[0]] for entry in saved["output_layers"]]
    model = keras.Model([tensors[name] for name in names], outputs)
    for name, values in kernels.items():
        model.get_layer(name).set_weights(values)
    return model


def data(seed: int) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    letters = generator.integers(4, size=(SAMPLES, 1346))
    return {
        "sequence": np.eye(4, dtype="float32")[letters],
        "control_logcount": generator.normal(size=(SAMPLES, 1)).astype("float32"),
        "control_profile": generator.random((SAMPLES, 1000, 2)).astype("float32"),
    }


def turned(x: dict[str, Any]) -> dict[str, Any]:
    """The other strand: the control's two channels are no strands, so they stay in their order."""
    return {
        "sequence": x["sequence"][:, ::-1, ::-1],
        "control_logcount": x["control_logcount"],
        "control_profile": x["control_profile"][:, ::-1],
    }


@needs_models
def test_the_real_model_is_refused_with_all_that_it_needs() -> None:
    with pytest.raises(UnsupportedModelError) as raised:
        de.load(SPI1)
    lines = str(raised.value).splitlines()
    assert "33 layers of 47" in lines[0]
    assert "more; deeplift_engine.coverage(path) has a row for each" in lines[-1]
    rows = de.coverage(SPI1).having("refused")
    advice = [(row.class_name, row.advice) for row in rows]
    assert sum(kind == "RevCompConv1D" and "register_layer" in text for kind, text in advice) == 10
    assert sum(kind == "Lambda" and "functions=" in text for kind, text in advice) == 23


@needs_models
def test_the_real_model_computes_what_its_architecture_does() -> None:
    network, x = spi1(), data(0)
    expected = rebuilt().predict(x, verbose=0)
    found = network.predict(x)
    assert list(found) == ["task0_logcount", "task0_profile"]
    for values, other in zip(found.values(), expected, strict=True):
        assert off(values, other) < 1e-5
    assert {row.status for row in network.coverage().rows} == {"exact"}


@needs_models
def test_the_real_model_predicts_the_other_strand_in_the_mirror() -> None:
    found, mirrored = (spi1().predict(x) for x in (data(0), turned(data(0))))
    assert off(mirrored["task0_logcount"][:, ::-1], found["task0_logcount"]) < 1e-5
    assert off(mirrored["task0_profile"][:, ::-1, ::-1], found["task0_profile"]) < 1e-5


@needs_models
@pytest.mark.parametrize(
    "target", slow_among(["task0_logcount", "task0_profile"], ["task0_profile"])
)
def test_the_real_models_scores_are_mirrored_and_sum_up(target: str) -> None:
    """A strand's own output on one strand is the other's on the other strand."""
    explainer = spi1().explainer(target=target)
    references = {
        "sequence": de.references.background([0.3, 0.2, 0.2, 0.3]),
        "control_logcount": 0.0,
        "control_profile": 0.0,
    }
    unit: dict[str, Callable[[int], Any]] = {
        "task0_logcount": lambda strand: strand,
        "task0_profile": lambda strand: (300 if strand == 0 else 699, strand),
    }
    found = explainer.run(data(0), target=unit[target](0), references=references, strict=True)
    assert found.relative_error.max() < 1e-5
    mirrored = explainer.run(turned(data(0)), target=unit[target](1), references=references)
    for name, scores in turned(mirrored.scores).items():
        assert off(scores, found.scores[name]) < 1e-4, name
