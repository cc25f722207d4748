"""The result: its algebra of hypothetical contributions, and saving it whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util import storage

SAMPLES, LENGTH, LETTERS, REFERENCES = 3, 7, 4, 5


def one_hot(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return np.eye(LETTERS, dtype="float32")[generator.integers(LETTERS, size=shape)]


def an_attribution(seed: int = 0, *, apart: bool = False, targets: int = 0) -> Attribution:
    """Multipliers drawn at random, and scores that follow from them by the definition."""
    generator = np.random.default_rng(seed)
    inputs = one_hot(generator, SAMPLES, LENGTH)
    references = one_hot(generator, SAMPLES, REFERENCES, LENGTH)
    shape = ((targets,) if targets else ()) + references.shape
    multipliers = generator.normal(size=shape).astype("float32")
    scores = multipliers * (inputs[:, np.newaxis] - references)
    delta = scores.sum((-1, -2))
    if not apart:
        multipliers, scores, delta = multipliers.mean(-3), scores.mean(-3), delta.mean(-1)
    axes = (("target",) if targets else ()) + ("sample",) + (("reference",) if apart else ())
    return Attribution(
        scores=scores,
        multipliers=multipliers,
        convergence_delta=np.zeros_like(delta),
        target_delta=delta,
        relative_error=np.zeros_like(delta),
        predictions=generator.normal(size=(SAMPLES, 2)).astype("float32"),
        inputs=inputs,
        settings={"method": "deeplift", "rules": [["default", "rescale"]], "dtype": "float32"},
        axes=axes,
    )


def assert_same(one: Attribution, other: Attribution) -> None:
    for name in ("scores", "multipliers", "convergence_delta", "target_delta", "relative_error"):
        assert_equal(getattr(one, name), getattr(other, name))
    assert_equal(one.predictions, other.predictions)
    assert_equal(one.inputs, other.inputs)
    assert one.axes == other.axes


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_equal(one[name], other[name])
    elif one is None:
        assert other is None
    else:
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


# hypothetical contributions


@pytest.mark.parametrize("targets", [0, 2])
def test_hypothetical_contributions_are_those_of_the_letters_by_definition(targets: int) -> None:
    generator = np.random.default_rng(0)
    inputs = one_hot(generator, SAMPLES, LENGTH)
    references = one_hot(generator, SAMPLES, REFERENCES, LENGTH)
    result = an_attribution(targets=targets)  # draws the same inputs and references first
    shape = ((targets,) if targets else ()) + references.shape
    multipliers = generator.normal(size=shape).astype("float32")
    expected = np.empty_like(result.scores)
    for letter in range(LETTERS):  # put the letter at every position, and average
        placed = np.eye(LETTERS)[letter] - references
        expected[..., letter] = (multipliers * placed).sum(-1).mean(-2)
    np.testing.assert_array_equal(result.inputs, inputs)
    np.testing.assert_allclose(result.hypothetical, expected, atol=2e-6)  # float32 sums of 5


@pytest.mark.parametrize("apart", [False, True])
def test_the_letter_that_is_there_gets_the_contribution_of_its_position(apart: bool) -> None:
    result = an_attribution(apart=apart, targets=2)
    inputs = result.inputs[:, np.newaxis] if apart else result.inputs
    there = (result.hypothetical * inputs).sum(-1)
    np.testing.assert_allclose(there, result.scores.sum(-1), atol=2e-6)
    assert result.hypothetical.dtype == np.float32


def test_channels_first_gives_the_same_hypothetical_contributions() -> None:
    last = an_attribution()
    turned = {name: np.moveaxis(getattr(last, name), -1, 1) for name in ("scores", "multipliers")}
    first = Attribution(
        **turned,
        convergence_delta=None,
        target_delta=last.target_delta,
        relative_error=None,
        predictions=last.predictions,
        inputs=np.moveaxis(last.inputs, -1, 1),
    )
    found = np.moveaxis(first.hypothetical_contributions(axis=1), 1, -1)
    np.testing.assert_array_equal(found, last.hypothetical)


def test_hypothetical_contributions_come_for_each_input_by_name() -> None:
    one, two = an_attribution(1), an_attribution(2)
    both = Attribution(
        scores={"a": one.scores, "b": two.scores},
        multipliers={"a": one.multipliers, "b": two.multipliers},
        convergence_delta=None,
        target_delta=one.target_delta,
        relative_error=None,
        predictions=one.predictions,
        inputs={"a": one.inputs, "b": two.inputs},
    )
    np.testing.assert_array_equal(both.hypothetical["b"], two.hypothetical)


def test_hypothetical_contributions_need_multipliers_letters_and_the_inputs() -> None:
    result = an_attribution()
    parts = {name: getattr(result, name) for name in Attribution.__dataclass_fields__}
    with pytest.raises(InputError, match="multipliers"):
        _ = Attribution(**{**parts, "multipliers": None}).hypothetical
    told = {"layers": ["conv1"]}  # of the input's shape, but not it
    with pytest.raises(InputError, match="conv1"):
        _ = Attribution(**{**parts, "settings": told}).hypothetical
    with pytest.raises(InputError, match="layer inside"):
        _ = Attribution(**{**parts, "inputs": parts["inputs"][:, :-1]}).hypothetical
    for axis in (0, 3, -3):
        with pytest.raises(InputError, match="axis"):
            result.hypothetical_contributions(axis)
    single = {name: parts[name][..., :1] for name in ("scores", "multipliers", "inputs")}
    with pytest.raises(InputError, match="letters"):
        _ = Attribution(**{**parts, **single}).hypothetical


def reshaped(result: Attribution, function: Any) -> Attribution:
    """The same result with another layout of its inputs."""
    fields = ("scores", "multipliers", "inputs")
    return replace(result, **{name: function(getattr(result, name)) for name in fields})


@pytest.mark.parametrize(
    "layout",
    [
        lambda array: array[..., np.newaxis],
        lambda array: array[:, np.newaxis],
        lambda array: np.moveaxis(array, -1, 1),
        lambda array: np.moveaxis(array, -1, 1)[..., np.newaxis],
    ],
)
def test_the_axis_of_letters_is_where_the_inputs_have_them(layout: Any) -> None:
    result = an_attribution()
    found = reshaped(result, layout).hypothetical
    np.testing.assert_allclose(found, layout(result.hypothetical), atol=2e-6)


def test_what_has_no_letters_is_computed_only_along_an_axis_of_ones_own(tmp_path: Path) -> None:
    leads = replace(an_attribution(), inputs=np.random.default_rng(0).normal(size=(3, 7, 4)))
    path = tmp_path / "scores.h5"
    for refused in (lambda: leads.hypothetical, lambda: leads.save(path, hypothetical=True)):
        with pytest.raises(InputError, match=r"no letters along any axis.*\(axis=-1\)"):
            refused()
    assert not path.exists()
    own = leads.hypothetical_contributions(axis=-1)
    of_references = (leads.multipliers * leads.inputs - leads.scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(own, leads.multipliers - of_references, atol=2e-6)
    leads.save(path, hypothetical=own)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["hypothetical"][()], own)


def test_of_several_inputs_those_with_letters_are_meant(tmp_path: Path) -> None:
    one, two = an_attribution(1), reshaped(an_attribution(2), lambda a: np.moveaxis(a, -1, 1))
    leads = replace(an_attribution(3), inputs=np.random.default_rng(0).normal(size=(3, 7, 4)))
    column = reshaped(an_attribution(4), lambda a: a[..., 0, :1])
    each = {"one": one, "two": two, "leads": leads, "column": column}
    fields = ("scores", "multipliers", "inputs")
    result = replace(one, **{f: {name: getattr(r, f) for name, r in each.items()} for f in fields})
    assert set(result.hypothetical) == {"one", "two"}
    np.testing.assert_array_equal(result.hypothetical["two"], two.hypothetical)
    assert set(result.hypothetical_contributions(axis=1)) == {"two"}
    found = result.hypothetical_contributions({"leads": 1, "one": -1})
    np.testing.assert_array_equal(found["leads"], leads.hypothetical_contributions(1))
    np.testing.assert_array_equal(found["one"], one.hypothetical)
    result.save(tmp_path / "scores.h5", hypothetical=True)
    with h5py.File(tmp_path / "scores.h5") as file:
        assert set(file["hypothetical"]) == {"one", "two"}
    for axis, said in ((2 + 1, "axis 3.*name: axis"), ({"three": -1}, "three.*'one', 'two'")):
        with pytest.raises(InputError, match=said):
            result.hypothetical_contributions(axis)
    with pytest.raises(InputError, match="axis -1"):
        result.hypothetical_contributions({"column": -1})


def test_a_result_is_shown_in_one_line() -> None:
    result = an_attribution()
    assert repr(result) == (
        "<Attribution by deeplift: scores (3, 7, 4), relative error up to 0.0e+00>"
    )
    several = replace(result, scores={"a": result.scores, "b": result.scores[..., 0]})
    several.settings.update(target="0", target_layer="logits", references="zeros")
    assert repr(several).startswith(
        "<Attribution by deeplift: scores (3, 7, 4) of a and (3, 7) of b, target 0 of logits, "
        "references zeros, relative"
    )


def test_axes_that_do_not_fit_the_arrays_are_refused() -> None:
    result = an_attribution()
    parts = {name: getattr(result, name) for name in Attribution.__dataclass_fields__}
    with pytest.raises(InputError, match="target_delta"):
        Attribution(**{**parts, "axes": ("target", "sample")})


# saving and loading


@pytest.mark.parametrize("suffix", [".h5", ".hdf5", ".npz"])
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("targets", [0, 3])
def test_a_result_comes_back_as_it_was(
    tmp_path: Path, suffix: str, apart: bool, targets: int
) -> None:
    result = an_attribution(apart=apart, targets=targets)
    result.save(tmp_path / f"scores{suffix}", command_line="deeplift-engine score ...")
    again = Attribution.load(tmp_path / f"scores{suffix}")
    assert_same(result, again)
    assert again.settings.items() >= result.settings.items()
    assert again.settings["command_line"] == "deeplift-engine score ..."
    assert again.settings["created"].endswith("+00:00")
    assert again.settings["numpy_version"] == np.__version__
    assert [path.name for path in tmp_path.iterdir()] == [f"scores{suffix}"]


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
def test_several_places_and_outputs_come_back_under_their_names(
    tmp_path: Path, suffix: str
) -> None:
    scores = {"encoder": np.ones((2, 3)), "encoder/conv 1:2": np.zeros((2, 4), "float32")}
    result = Attribution(
        scores=scores,
        multipliers=None,
        convergence_delta=None,
        target_delta=np.ones(2),
        relative_error=None,
        predictions={"a%b": np.ones((2, 1)), "c": np.ones((2, 5))},
        inputs={"x": np.ones((2, 3))},
    )
    result.save(tmp_path / f"scores{suffix}")
    assert_same(result, Attribution.load(tmp_path / f"scores{suffix}"))


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
def test_arrays_of_several_inputs_come_back_in_their_order(tmp_path: Path, suffix: str) -> None:
    names = ["scores/dose", "scores/colour", "scores/age", "inputs/b", "inputs/a"]
    storage.write(tmp_path / f"a{suffix}", {name: np.ones(2) for name in names}, {})
    read = list(storage.read(tmp_path / f"a{suffix}")[0])
    for start in ("scores", "inputs"):
        own = [name for name in names if name.startswith(start)]
        assert [name for name in read if name.startswith(start)] == own


def test_the_hdf5_file_says_how_it_was_made(tmp_path: Path) -> None:
    result = an_attribution()
    result.settings.update(
        model_sha256="abc", units=np.int64(3), weights=np.arange(2), path=tmp_path
    )
    result.save(tmp_path / "scores.h5", hypothetical=True)
    with h5py.File(tmp_path / "scores.h5") as file:
        assert file["scores"].dtype == np.float32
        np.testing.assert_array_equal(file["hypothetical"][()], result.hypothetical)
        assert file.attrs["model_sha256"] == "abc"
        assert file.attrs["method"] == "deeplift"
        assert {"deeplift_engine_version", "tensorflow_version", "keras_version"} <= set(file.attrs)
        settings = json.loads(file.attrs["settings"])
    assert settings["rules"] == [["default", "rescale"]]
    assert settings["units"] == 3
    assert settings["weights"] == [0, 1]


def test_settings_longer_than_an_attribute_may_be_are_kept(tmp_path: Path) -> None:
    result = an_attribution()
    result.settings["target"] = list(range(50_000))
    result.save(tmp_path / "scores.h5")
    assert Attribution.load(tmp_path / "scores.h5").settings["target"][-1] == 49_999


@pytest.mark.parametrize("name", ["scores.csv", "scores", "scores.h5.gz"])
def test_other_suffixes_are_refused_with_the_ones_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.h5.*\.npz"):
        an_attribution().save(tmp_path / name)
    with pytest.raises(OutputError, match=r"\.h5.*\.npz"):
        Attribution.load(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_on_request(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    an_attribution(1).save(path)
    with pytest.raises(OutputError, match="already exists"):
        an_attribution(2).save(path)
    assert_same(Attribution.load(path), an_attribution(1))
    an_attribution(2).save(path, overwrite=True)
    assert_same(Attribution.load(path), an_attribution(2))


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OutputError, match="could not be written: there is no folder"):
        an_attribution().save(tmp_path / "nowhere" / f"scores{suffix}")


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
def test_no_such_file_a_damaged_one_and_another_program_s_are_refused(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"scores{suffix}"
    with pytest.raises(OutputError, match="no such file"):
        Attribution.load(path)
    an_attribution().save(path)
    whole = path.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(OutputError, match="not a whole result file"):
            Attribution.load(path)
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["scores"] = np.ones(3)
    else:
        np.savez(path, scores=np.ones(3))
    with pytest.raises(OutputError, match="save wrote"):
        Attribution.load(path)
    path.write_bytes(b"\x93NUMPY" + bytes(200))
    with pytest.raises(OutputError, match="save wrote"):
        Attribution.load(path)


FULL_DISK = """
import os, resource, sys
import numpy as np
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.errors import OutputError

def limit(size):  # no file may grow beyond
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

noise = np.random.default_rng(0).normal(size=(1000, 30, 4)).astype("float32")
result = Attribution(noise, noise, None, noise[:, 0, 0], None, noise[:, 0], noise)
path, whole = sys.argv[1:]
result.save(whole)
for size in (0, 100, 2_000, 400_000, os.path.getsize(whole) - 20):
    limit(size)
    try:
        result.save(path, overwrite=True)
    except OutputError as error:
        print(error)
    else:
        sys.exit(f"saved in {size} bytes")
"""


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
@pytest.mark.parametrize("there_before", [False, True])
def test_a_disk_that_fills_up_leaves_no_half_file(
    tmp_path: Path, suffix: str, there_before: bool
) -> None:
    path, whole = tmp_path / f"scores{suffix}", tmp_path / f"whole{suffix}"
    if there_before:
        an_attribution().save(path)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path, whole], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")  # HDF5 itself would crash at the end
    assert done.stdout.count("could not be written: [Errno 27] File too large") == 5
    assert sorted(tmp_path.iterdir()) == ([path, whole] if there_before else [whole])
    if there_before:
        assert_same(Attribution.load(path), an_attribution())


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
def test_an_interruption_leaves_no_half_file(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        an_attribution().save(tmp_path / f"scores{suffix}")
    assert list(tmp_path.iterdir()) == []


KINDS = {
    "int8": lambda x: x.astype("int8"),
    "bool": lambda x: x.astype(bool),
    "uint8": lambda x: x.astype("uint8"),
    "float32": lambda x: x,
}


@pytest.mark.parametrize("suffix", [".h5", ".npz"])
@pytest.mark.parametrize("kind", KINDS)
def test_inputs_are_stored_as_they_came_and_read_as_they_were_computed_with(
    kind: str, suffix: str, tmp_path: Path
) -> None:
    net = de.convert(keras.Sequential([keras.Input((60, 4)), keras.layers.Flatten()]))
    x = np.eye(4, dtype="float32")[np.random.default_rng(0).integers(0, 4, (40, 60))]
    result = net.explainer("deeplift").run(KINDS[kind](x), target=3)
    path = tmp_path / f"r{suffix}"
    result.save(path, hypothetical=True)
    loaded = Attribution.load(path)
    for name in ("inputs", "scores", "hypothetical"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(result, name))
        assert getattr(loaded, name).dtype == np.float32
    if suffix == ".h5":
        with h5py.File(path) as file:
            assert file["inputs"].dtype.name == kind
            assert file["inputs"].compression == file["scores"].compression == "gzip"
    else:
        with np.load(path) as file:
            assert file["inputs"].dtype.name == kind


def test_what_does_not_shrink_is_stored_as_it_is(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(100, 200)).astype("float32")
    storage.write(tmp_path / "a.h5", {"noise": noise, "few": np.zeros(5)}, {})
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["noise"].compression is None
        assert file["few"].compression is None
    storage.write(tmp_path / "a.npz", {"noise": noise}, {})
    assert (tmp_path / "a.npz").stat().st_size > noise.nbytes


def test_several_inputs_are_stored_as_they_came(tmp_path: Path) -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    net = de.convert(keras.Model([a, b], keras.layers.Add()([a, b])))
    x = {"a": np.ones((2, 3), "int16"), "b": np.ones((2, 3))}
    result = net.explainer("deeplift").run(x, target=0)
    result.save(tmp_path / "r.h5")
    loaded = Attribution.load(tmp_path / "r.h5")
    assert {name: array.dtype.name for name, array in loaded.inputs.items()} == {
        "a": "float32",
        "b": "float32",
    }
    with h5py.File(tmp_path / "r.h5") as file:
        assert file["inputs/a"].dtype == np.int16
        assert file["inputs/b"].dtype == np.float32
