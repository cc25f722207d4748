"""Everything about the command line that needs no model."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.cli import EXIT_CODES
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.arguments import by_input
from deeplift_engine.cli.input_files import read_inputs
from deeplift_engine.cli.kinds import kind_of
from deeplift_engine.cli.parser import build_parser
from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.util.array_files import read_array
from deeplift_engine.util.onednn import prefer_onednn
from deeplift_engine.version import __version__

COMMANDS = ("inspect", "score", "compare", "sweep", "check")


# help


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["methods"], ["--version"], ["score", "--help"], ["score"], ["metrics", "rise"]],
)
def test_help_lists_and_wrong_usage_do_not_wait_for_tensorflow(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "deeplift_engine", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == {"score": 2, "metrics rise": 4}.get(" ".join(arguments), 0)
    assert "deeplift_engine.cli" in done.stderr  # the list of imports is there
    assert not re.search(r"\| +(tensorflow|keras|matplotlib)$", done.stderr, re.MULTILINE)


def test_the_version_is_the_project_s(command: Callable[..., Any]) -> None:
    assert command("--version").out == f"deeplift-engine {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_s_help_has_examples_and_exit_codes(
    name: str, command: Callable[..., Any]
) -> None:
    outcome = command(name, "--help")
    assert outcome.code == 0
    assert f"  deeplift-engine {name} model.h5" in outcome.out
    assert "exit codes:" in outcome.out


def test_every_option_is_explained() -> None:
    for name, parser in subparsers().items():
        for action in parser._actions:
            assert action.help, f"{name} {action.option_strings or action.dest}"


def subparsers() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    (found,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(found.choices)


def test_the_examples_of_the_help_are_understood() -> None:
    parser = build_parser()
    for name, sub in subparsers().items():
        text = (sub.epilog or "").replace("\\\n", " ")
        examples = re.findall(r"^  deeplift-engine (.*)$", text, re.MULTILINE)
        assert examples, name
        for example in examples:
            assert parser.parse_args(shlex.split(example)).run


def test_the_exit_codes_are_documented() -> None:
    readme = Path(__file__).resolve().parents[2] / "README.md"
    for text in (*(sub.epilog or "" for sub in subparsers().values()), readme.read_text()):
        for _, code in EXIT_CODES:
            assert re.search(rf"(^|\D){code}(\D|$)", text)
    assert EXIT_CODES[-1][0] is DeepliftEngineError


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explain"],
        ["inspect"],
        ["score", "model.h5", "x.npy"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--references", "nothing"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--references", "constant:a"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--references", "shuffle:0"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--references", "replaced:"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--batch-size", "0"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--rule", "conv1"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--layers", "a,,b"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--key", "a", "--key", "b"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--key", "l=a", "--key", "l=b"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--option", "n=1", "--option", "n=2"],
        ["compare", "model.h5", "x.npy", "--method", "occlusion:window=1;window=2"],
        ["sweep", "model.h5", "x.npy", "--references", "zeros", "--references", "zeros"],
        ["sweep", "model.h5", "x.npy", "--references", "zeros;nothing"],
        ["check", "model.h5", "--dtype", "float16"],
        ["check", "model.h5", "--seed", "-1"],
        ["check", "model.h5", "--seed", "1.5"],
        ["score", "model.h5", "x.npy", "-o", "y.h5", "--seed", "4294967296"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], command: Callable[..., Any]) -> None:
    outcome = command(*arguments)
    assert outcome.code == 2
    assert "error:" in outcome.err
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) == 2  # the message, and one line of usage
    assert "--help explains all" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scor", "m.h5"], "there is no 'scor'. Near it: score."),
        (["unlike"], "Choose from inspect, score"),
        (["score", "m.h5", "--refrences", "zeros"], "no option --refrences. Near it: --references"),
        (["score", "m.h5", "--refrences=zeros"], "no option --refrences. Near it: --references"),
        (["check", "m.h5", "--dtype", "float46"], "no 'float46'. Near it: float64, float32"),
        (["score", "m.h5"], "usage: deeplift-engine score MODEL... INPUTS -o FILE [options]; "),
        ([], "usage: deeplift-engine COMMAND [options]; "),
    ],
)
def test_wrong_usage_is_told_with_what_is_near_it(
    arguments: list[str], message: str, command: Callable[..., Any]
) -> None:
    assert message in command(*arguments).err


@pytest.mark.parametrize(
    "arguments",
    [
        "score a.h5 b.h5 x.npy -o y.h5 --target 0",
        "score a.h5 b.h5 -o y.h5 x.npy --target 0",
        "score -o y.h5 a.h5 --target 0 b.h5 x.npy",
        "score --target 0 -o y.h5 a.h5 b.h5 -- x.npy",
    ],
)
def test_options_may_stand_between_arguments(arguments: str) -> None:
    options = build_parser().parse_args(arguments.split())
    assert [str(path) for path in options.model] == ["a.h5", "b.h5"]
    assert (str(options.inputs), str(options.output)) == ("x.npy", "y.h5")
    assert len(options.target) == 1


# values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("-1", -1),
        ("2,5", (2, 5)),
        ("2,:", (2, slice(None))),
        ("all", "all"),
        ("counts", "counts"),
        ("counts:2,:", "counts:2,:"),
    ],
)
def test_targets_that_are_plain(text: str, expected: Any) -> None:
    head, units = values.target(text)
    assert (head, units()) == ("", expected)


def test_targets_of_heads_have_their_names() -> None:
    head, units = values.target("few=counts:0")
    assert (head, units()) == ("few", "counts:0")


def test_targets_and_references_from_files(tmp_path: Path) -> None:
    labels = np.array([1, 0, 2])
    np.save(tmp_path / "labels.npy", labels)
    np.savez(tmp_path / "more.npz", a=labels, b=labels[:2])
    np.testing.assert_array_equal(values.target(f"@{tmp_path}/labels.npy")[1](), labels)
    np.testing.assert_array_equal(values.references(f"{tmp_path}/labels.npy")(0), labels)
    np.testing.assert_array_equal(values.references(f"{tmp_path}/more.npz:b")(0), labels[:2])
    drawn = values.references(f"drawn:2:{tmp_path}/more.npz:a")(5)
    assert drawn.name.startswith("drawn(2, ")
    assert drawn.name.endswith("seed=5)")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("zeros", "zeros"),
        ("constant:0.25", "constant(0.25)"),
        ("background:0.3,0.2,0.2,0.3", "background(0.3, 0.2, 0.2, 0.3)"),
        ("replaced:9", "replaced(9)"),
        ("replaced:9,8:0,1,2", "replaced(9, 8, keep=(0, 1, 2))"),
        ("shuffle:3", "shuffle(3, seed=7)"),
        ("dinucleotide_shuffle", "dinucleotide_shuffle(20, seed=7)"),
        ("shuffle:auto", "shuffle(auto, seed=7, tolerance=0.05, most=200)"),
        ("gc_matched:4", "gc_matched(4, seed=7)"),
        ("kmer_shuffle:3", "kmer_shuffle(20, k=3, seed=7)"),
        ("kmer_shuffle:4:6", "kmer_shuffle(6, k=4, seed=7)"),
        ("blur:2,8", "blur(2, 8)"),
    ],
)
def test_references_by_name(text: str, name: str) -> None:
    assert values.references(text)(7).name == name


def test_a_name_before_references_is_an_input() -> None:
    name, make = values.input_references("left=constant:2")
    assert (name, make(0).name) == ("left", "constant(2)")
    assert values.input_references("zeros")[0] == ""


TWO = ("left", "right")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        (["zeros"], {"left": "zeros", "right": "zeros"}),
        (["constant:2", "left=zeros"], {"left": "zeros", "right": "constant(2)"}),
        (["left=shuffle:3", "shuffle:4"], {"left": "shuffle(3, seed=7)", "right": "shuffle(4, s"}),
        (
            ["left=zeros", "left=shuffle:3", "right=zeros"],
            {"left": "combined", "right": "zeros"},
        ),
    ],
)
def test_references_of_several_inputs(given: list[str], expected: Any) -> None:
    pairs = [values.input_references(text) for text in given]
    found = by_input(pairs, 7, TWO)
    assert (found is None) == (expected is None)
    for name, start in (expected or {}).items():
        assert found[name].name.startswith(start)


@pytest.mark.parametrize(
    "given", [["shuffle:3"], ["zeros", "shuffle:3"], ["left=zeros", "right=zeros", "zeros"]]
)
def test_references_of_no_clear_input_are_refused(given: list[str]) -> None:
    pairs = [values.input_references(text) for text in given]
    with pytest.raises(InputError, match=r"inputs left, right.*INPUT=REFERENCES for each"):
        by_input(pairs, 7, TWO)


def test_several_references_of_the_only_input_are_one_set() -> None:
    pairs = [values.input_references(text) for text in ("zeros", "shuffle:3")]
    resolved = de.references.resolve(by_input(pairs, 7, ["x"]), (5, 4), 2, "float32")
    assert resolved.name == "combined(zeros, shuffle(3, seed=7))"
    assert resolved.count == 4


# data files


def test_the_array_is_found_where_it_is_clear_which(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/x"] = array
    for name in ("a.npy", "a.npz", "a.h5"):
        np.testing.assert_array_equal(read_array(tmp_path / name), array)
    np.testing.assert_array_equal(read_array(tmp_path / "a.h5", "group/x"), array)
    with pytest.raises(InputError, match=r"no array named 'y'.*x"):
        read_array(tmp_path / "a.npz", "y")
    np.savez(tmp_path / "a.npz", x=array, y=array)
    with pytest.raises(InputError, match=r"2 arrays.*--key"):
        read_array(tmp_path / "a.npz")


def test_several_inputs_are_found_by_name_or_by_key(tmp_path: Path) -> None:
    path = tmp_path / "both.npz"
    np.savez(path, left=np.ones(1), b=np.zeros(2))
    found = read_inputs(path, {"right": "b"}, ["left", "right"])
    assert isinstance(found, dict)
    assert {name: len(array) for name, array in found.items()} == {"left": 1, "right": 2}
    with pytest.raises(InputError, match="INPUT=NAME"):
        read_inputs(path, {"": "b"}, ["left", "right"])
    with pytest.raises(InputError, match="'a' and 'b' for the only input, x"):
        read_inputs(path, {"": "a", "x": "b"}, ["x"])
    with pytest.raises(InputError, match="middle"):
        read_inputs(path, {"middle": "b"}, ["left", "right"])
    with pytest.raises(InputError, match="right"):
        read_inputs(path, {}, ["left", "right"])


def test_arrays_of_something_else_than_numbers_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "words.npy", np.array(["ACGT"]))
    with pytest.raises(InputError, match="array of numbers"):
        read_array(tmp_path / "words.npy")
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        read_array(tmp_path / "pickle.npy")


# the terminal


def test_tensorflow_s_chatter_is_shown_where_its_import_fails(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'chatter of C++')\nraise ImportError('no such library')\n"
    )
    code = (
        "from deeplift_engine.cli import console; console.postpone_tensorflow()\n"
        "import tensorflow; print('no use of it so far'); tensorflow.abs"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 1
    assert done.stdout == "no use of it so far\n"
    assert "chatter of C++" in done.stderr
    assert "no such library" in done.stderr


def test_tensorflow_starts_without_keras_which_is_imported_afterwards(tmp_path: Path) -> None:
    """As TensorFlow 2.16 and later import its optimizers, where there are some."""
    (tmp_path / "tensorflow.py").write_text(
        "import importlib\n"
        "try:\n    importlib.import_module('keras.src.optimizers')\n"
        "except ImportError:\n    print('none')\n"
        "class config:\n    list_logical_devices = staticmethod(list)\n"
    )
    (tmp_path / "keras/src").mkdir(parents=True)
    for name in ("__init__", "src/__init__", "src/optimizers"):
        (tmp_path / f"keras/{name}.py").touch()
    code = (
        "from deeplift_engine.cli import console; console.postpone_tensorflow()\n"
        "import tensorflow; tensorflow.config\n"
        "import keras.src.optimizers; print(keras.src.optimizers.__name__)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    told = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert told == "none\nkeras.src.optimizers\n"


@pytest.mark.parametrize(("chosen", "starts"), [(None, "1"), ("0", "0")])
def test_tensorflow_starts_with_onednn_unless_the_user_chose(
    chosen: str | None, starts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "TF_ENABLE_ONEDNN_OPTS"
    monkeypatch.setenv(name, chosen or "")  # which is put back, whatever is set below
    if chosen is None:
        del os.environ[name]
    prefer_onednn()
    assert os.environ.get(name) == chosen  # TensorFlow runs in this process
    monkeypatch.delitem(sys.modules, "tensorflow.python")
    prefer_onednn()
    assert os.environ[name] == starts


def test_a_folder_is_of_the_kind_of_its_files_and_of_those_in_its_folders(tmp_path: Path) -> None:
    def kind(**options: str) -> str | None:
        found = kind_of(argparse.Namespace(inputs=str(tmp_path), **options), has_text=False)
        return None if found is None else found.name

    for name in ("cats/1.png", "dogs/young/2.jpg", "notes.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert kind() == "image"
    (tmp_path / "labels.csv").touch()  # a recording may be one: an option tells which is meant
    with pytest.raises(InputError, match="several kinds: say which, --kind image or signal"):
        kind()
    assert kind(preprocess="unit") == "image"
    for path in (tmp_path / "cats", tmp_path / "dogs/young"):
        next(path.iterdir()).unlink()
    assert kind() == "signal"  # a table by itself is a file
    (tmp_path / "labels.csv").rename(tmp_path / "labels.docx")
    with pytest.raises(InputError, match=r"read in folders: image: .png .*; signal: .csv"):
        kind()
