"""Everything a user can get wrong: one clear line of the project's own, and a non-zero exit."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

from tests.helpers import slow_among

MODEL_REFUSED, DATA_REFUSED, NOT_WRITTEN = 3, 4, 5


class Given(NamedTuple):
    """A folder of the test's own, with a sound model.h5 and inputs.npy to spoil."""

    where: Path

    @property
    def model(self) -> Path:
        return self.where / "model.h5"

    @property
    def inputs(self) -> Path:
        return self.where / "inputs.npy"

    def change(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        np.save(self.inputs, function(np.load(self.inputs)))


@pytest.fixture
def given(folder: Path, tmp_path: Path) -> Given:
    for name in ("model.h5", "inputs.npy"):
        shutil.copy(folder / name, tmp_path / name)
    return Given(tmp_path)


def truncate(given: Given) -> None:
    whole = given.model.read_bytes()
    given.model.write_bytes(whole[: len(whole) // 2])


def not_hdf5(given: Given) -> None:
    given.model.write_text("a model that nobody saved\n")


def missing_weights(given: Given) -> None:
    with h5py.File(given.model, "r+") as file:
        del file["model_weights"]["conv"]
        file["model_weights"].create_group("conv")


def no_weights_at_all(given: Given) -> None:
    with h5py.File(given.model, "r+") as file:
        del file["model_weights"]


def shapes_that_disagree(given: Given) -> None:
    with h5py.File(given.model, "r+") as file:
        found: list[str] = []
        file["model_weights"]["hidden"].visit(
            lambda name: found.append(name) if name.split("/")[-1].startswith("kernel") else None
        )
        kernel = f"model_weights/hidden/{found[0]}"
        del file[kernel]
        file[kernel] = np.zeros((7, 8), "float32")


def configuration_that_is_not_json(given: Given) -> None:
    with h5py.File(given.model, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"][:-20]


def with_nan(inputs: np.ndarray) -> np.ndarray:
    inputs[2, 5, 1] = np.nan
    return inputs


def with_infinity(inputs: np.ndarray) -> np.ndarray:
    inputs[0, 0, 0] = np.inf
    return inputs


SPOILED_MODELS = {
    "truncated file": (truncate, "model.h5"),
    "not HDF5": (not_hdf5, "model.h5"),
    "missing weights": (missing_weights, "conv"),
    "no weights at all": (no_weights_at_all, "weights"),
    "shapes that disagree": (shapes_that_disagree, "hidden"),
    "broken configuration": (configuration_that_is_not_json, "model_config|configuration|JSON"),
    "no such file": (lambda given: given.model.unlink(), "model.h5"),
    "empty file": (lambda given: given.model.write_bytes(b""), "model.h5"),
}


REFUSED_LAYERS = {
    "shapes that disagree": "hidden",
    "missing weights": "conv",
    "no weights at all": "conv",
}


@pytest.mark.parametrize("spoil", SPOILED_MODELS)
@pytest.mark.parametrize("name", ["inspect", "score", "check"])
def test_a_spoiled_model_is_refused(
    given: Given, spoil: str, name: str, command: Callable[..., Any]
) -> None:
    change, expected = SPOILED_MODELS[spoil]
    change(given)
    options = [given.inputs, "-o", given.where / "scores.h5"] if name == "score" else []
    outcome = command(name, given.model, *options)
    if name == "inspect" and spoil in REFUSED_LAYERS:  # layers are listed, this one refused
        pattern = rf"^{REFUSED_LAYERS[spoil]} .* refused "
        assert re.search(pattern, outcome.out, re.MULTILINE)
        outcome = outcome._replace(out="")
    assert_refused(outcome, MODEL_REFUSED, expected)


def test_all_unsupported_layers_are_named_at_once(
    given: Given, command: Callable[..., Any]
) -> None:
    with h5py.File(given.model, "r+") as file:
        config = file.attrs["model_config"]
        for name, other in (("MaxPooling1D", "RingPooling1D"), ("Flatten", "Unroll")):
            config = config.replace(f'"class_name": "{name}"', f'"class_name": "{other}"')
        file.attrs["model_config"] = config
    outcome = command("inspect", given.model)
    assert outcome.code == MODEL_REFUSED
    for word in ("pool", "RingPooling1D", "flat", "Unroll"):
        assert word in outcome.err


SPOILED_INPUTS = {
    "NaN": (with_nan, "sample 2|nan"),
    "infinity": (with_infinity, "inf|finite"),
    "wrong rank": (lambda x: x[0], r"20, 4"),
    "one axis too many": (lambda x: x[..., None], r"20"),
    "wrong length": (lambda x: x[:, :-1], r"19"),
    "channels in the wrong place": (lambda x: x.swapaxes(1, 2), r"20"),
    "empty batch": (lambda x: x[:0], "empty|no samples|0"),
}


@pytest.mark.parametrize("spoil", SPOILED_INPUTS)
@pytest.mark.parametrize("name", ["score", "check"])
def test_spoiled_inputs_are_refused(
    given: Given, spoil: str, name: str, command: Callable[..., Any]
) -> None:
    change, expected = SPOILED_INPUTS[spoil]
    given.change(change)
    options = ["-o", given.where / "scores.h5"] if name == "score" else []
    outcome = command(name, given.model, given.inputs, *options)
    assert_refused(outcome, DATA_REFUSED, expected)
    assert not (given.where / "scores.h5").exists()


WRONG_OPTIONS = {
    "no such unit": (["--target", "3"], "3"),
    "no such unit below": (["--target", "-4"], "-4"),
    "one of several units": (["--target", "0", "--target", "7"], "7"),
    "a difference with no such unit": (["--target", "0-9"], "9"),
    "an index of too many axes": (["--target", "1,1"], "1"),
    "no such target layer": (["--target-layer", "nowhere"], "nowhere"),
    "no such layer of a target": (["--target", "nowhere:0"], "no layer 'nowhere'.*LAYER:UNITS"),
    "two layers": (["--target", "hidden:0", "--target", "tasks:0"], "several layers"),
    "the layer said twice": (["--target", "hidden:0", "--target-layer", "tasks"], "leave one"),
    "no such layer to score": (["--layers", "nowhere"], "nowhere"),
    "no such rules": (["--rules", "guess"], "guess.*rescale"),
    "no such rule of a layer": (["--rule", "conv=guess"], "guess"),
    "no such layer of a rule": (["--rule", "nowhere=rescale"], "nowhere"),
    "no such method": (["--method", "guess"], "guess"),
    "rules said twice": (
        ["--rules", "rescale", "--option", "rules=gradient"],
        "--option rules= says the same as --rules",
    ),
    "pooling said twice": (
        ["--max-pooling", "exact", "--option", "max_pooling=gradient"],
        "--option max_pooling= says the same as --max-pooling",
    ),
    "the target as an option": (["--option", "target=0"], "takes no option 'target'"),
    "the layers as an option": (["--option", "layers=conv"], "takes no option 'layers'"),
    "the method as an option": (["--option", "method=lrp"], "takes no option 'method'"),
    "what is no option": (["--option", "fused=yes"], "takes no option 'fused'"),
    "no multipliers": (["--method", "occlusion", "--hypothetical"], "occlusion has none"),
    "letters of a layer": (["--layers", "conv", "--hypothetical"], "without --layers"),
    "no patterns": (
        ["--method", "pattern_net", "--option", "patterns=FOLDER/none.npz"],
        "patterns: .*none.npz: no such file",
    ),
    "other patterns": (
        ["--method", "pattern_net", "--option", "patterns=FOLDER/other.npz"],
        "Expected a file that Patterns.save wrote",
    ),
    "references of the wrong shape": (["--references", "FOLDER/wrong.npy"], r"19"),
    "references for other samples": (["--references", "per_sample:FOLDER/fewer.npy"], "4"),
    "references with NaN": (["--references", "FOLDER/nan.npy"], "nan|finite"),
    "references from no file": (["--references", "FOLDER/none.npy"], "none.npy"),
    "background of too few letters": (
        ["--references", "background:0.5,0.5", "--target", "0"],
        "0.5",
    ),
    "references of no input": (["--references", "other=zeros"], "other"),
    "no such data": (["--key", "other=x"], "other"),
    "targets for other samples": (["--target", "@FOLDER/labels.npy"], "4|labels"),
}


@pytest.mark.parametrize("wrong", WRONG_OPTIONS)
def test_options_that_do_not_fit_the_model_are_refused(
    given: Given, wrong: str, command: Callable[..., Any]
) -> None:
    inputs = np.load(given.inputs)
    np.save(given.where / "wrong.npy", inputs[:, :-1])
    np.save(given.where / "fewer.npy", inputs[:4])
    np.save(given.where / "nan.npy", np.full((20, 4), np.nan))
    np.save(given.where / "labels.npy", np.zeros(4, int))
    np.savez(given.where / "other.npz", a=np.zeros(3))
    options, expected = WRONG_OPTIONS[wrong]
    outcome = command(
        "score", given.model, given.inputs, "-o", given.where / "scores.h5",
        *([] if "--target" in options else ["--target", "0"]),
        *(option.replace("FOLDER", str(given.where)) for option in options),
    )  # fmt: skip
    assert_refused(outcome, DATA_REFUSED, expected)
    assert not (given.where / "scores.h5").exists()


@pytest.mark.parametrize("name", ["inputs.npy", "inputs.npz", "inputs.h5"])
@pytest.mark.parametrize("content", [None, b"", b"neither numpy nor HDF5"])
def test_data_files_that_are_not_there_or_damaged_are_refused(
    given: Given, name: str, content: bytes | None, command: Callable[..., Any]
) -> None:
    path = given.where / name
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
    outcome = command("score", given.model, path, "-o", given.where / "scores.h5")
    assert_refused(outcome, DATA_REFUSED, re.escape(str(path)))


@pytest.mark.parametrize("keys", [(), ("--key", "left=a", "--key", "right=b")])
def test_one_array_is_not_taken_for_two_inputs(
    folder: Path, keys: tuple[str, ...], tmp_path: Path, command: Callable[..., Any]
) -> None:
    np.save(tmp_path / "one.npy", np.ones((3, 4)))
    outcome = command(
        "score", folder / "two.h5", tmp_path / "one.npy", "-o", tmp_path / "s.h5", *keys
    )
    expected = r"one array.*inputs left, right.*np\.savez\('inputs\.npz', left=left, right=right"
    assert_refused(outcome, DATA_REFUSED, expected)


@pytest.mark.parametrize("name", ["scores.txt", "nowhere/scores.h5", "inputs.npy"])
def test_an_output_that_cannot_be_written_is_refused_before_any_work(
    given: Given, name: str, command: Callable[..., Any]
) -> None:
    given.model.unlink()  # nobody comes so far as to miss it
    outcome = command("score", given.model, given.inputs, "-o", given.where / name)
    assert_refused(outcome, NOT_WRITTEN, re.escape(str(given.where / name)))


FULL_DISK = """
import resource, sys
from deeplift_engine.results import attribution
from deeplift_engine.cli import main

save = attribution.Attribution.save

def save_on_a_full_disk(*arguments, **options):
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
    save(*arguments, **options)

attribution.Attribution.save = save_on_a_full_disk
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("suffix", slow_among([".h5", ".npz"], [".npz"]))
def test_a_full_disk_leaves_no_half_file(given: Given, suffix: str, forked: Any) -> None:
    path = given.where / f"scores{suffix}"
    before = sorted(given.where.iterdir())
    score = ("score", given.model, given.inputs, "-o", path, "--target", "0")
    done = forked.run(FULL_DISK, *score)
    assert done.code == NOT_WRITTEN
    assert f"deeplift-engine: error: {path} could not be written" in done.err
    assert "Traceback" not in done.err
    assert sorted(given.where.iterdir()) == before


@pytest.mark.parametrize("name", ["score", "sweep", "compare"])
def test_outputs_that_cannot_be_written_are_told_before_the_model_is_read(
    given: Given, command: Callable[..., Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import deeplift_engine as de

    suffix = ".h5" if name == "score" else ".csv"
    (given.where / f"folder{suffix}").mkdir()
    monkeypatch.setattr(de, "load", lambda *_, **__: pytest.fail("the model was read"))
    for file in (f"folder{suffix}", "x" * 260 + suffix, f"/proc/self/x{suffix}"):
        outcome = command(name, given.model, given.inputs, "-o", given.where / file)
        assert_refused(outcome, NOT_WRITTEN, "a folder, a device|could not be written")


def test_paths_that_are_not_utf_8_are_read_written_and_shown(
    given: Given, command: Callable[..., Any]
) -> None:
    from deeplift_engine.results.attribution import Attribution

    model, scores = (given.where / os.fsdecode(name) for name in (b"m\xff.h5", b"s\xfe.h5"))
    given.model.rename(model)
    outcome = command("score", model, given.inputs, "-o", scores, "--target", "0")
    assert (outcome.code, outcome.err) == (0, "")
    assert "s\\udcfe.h5" in outcome.out
    assert Attribution.load(scores).settings["model"] == str(model)


def test_an_output_is_named_once(given: Given, command: Callable[..., Any]) -> None:
    (given.where / "link.csv").symlink_to(given.where / "x.csv")
    twice = ["-o", given.where / "x.csv", "-o", given.where / "link.csv"]
    outcome = command("sweep", given.model, given.inputs, *twice)
    assert_refused(outcome, NOT_WRITTEN, "more than once")


def assert_refused(outcome: Any, code: int, expected: str) -> None:
    assert outcome.err.startswith("deeplift-engine: error: "), outcome.err
    assert "Traceback" not in outcome.err
    assert re.search(expected, outcome.err), outcome.err
    assert outcome.code == code
    assert outcome.out == ""
