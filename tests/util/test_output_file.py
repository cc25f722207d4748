"""Files are written completely or not at all: by several at once, through links, when killed."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from deeplift_engine.errors import OutputError
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util import storage
from deeplift_engine.util.output_file import check_writable, output_file


def all_at_once(path: Path, count: int, overwrite: bool) -> list[str]:
    """Write from several threads between one moment and another; what became of each."""
    outcomes: list[str] = []
    everyone = threading.Barrier(count)

    def write(number: int) -> None:
        try:
            with output_file(path, overwrite=overwrite) as disk:
                disk.write(str(number).encode() * 1000)
                everyone.wait()
            outcomes.append("written")
        except OutputError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_four_writers_at_once_one_has_the_name(tmp_path: Path) -> None:
    outcomes = all_at_once(tmp_path / "x.csv", 4, overwrite=False)
    assert outcomes.count("written") == 1
    assert sum("already exists" in outcome for outcome in outcomes) == 3
    assert len(set((tmp_path / "x.csv").read_text())) == 1
    assert os.listdir(tmp_path) == ["x.csv"]


def test_of_four_writers_that_may_replace_each_writes_a_complete_file(tmp_path: Path) -> None:
    assert all_at_once(tmp_path / "x.csv", 4, overwrite=True) == ["written"] * 4
    assert len(set((tmp_path / "x.csv").read_text())) == 1
    assert os.listdir(tmp_path) == ["x.csv"]


def test_a_disk_without_hard_links_keeps_an_existing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    storage.write_bytes(tmp_path / "x.csv", b"first")
    assert (tmp_path / "x.csv").read_bytes() == b"first"
    assert all_at_once(tmp_path / "y.csv", 4, overwrite=False).count("written") == 1
    assert sorted(os.listdir(tmp_path)) == ["x.csv", "y.csv"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_file_that_is_replaced_leaves_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "x.csv"
    path.touch()
    path.chmod(mode)
    storage.write_bytes(path, b"new", overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    storage.write_bytes(tmp_path / "x.csv", b"new")
    assert (tmp_path / "x.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("present", [True, False])
def test_links_are_followed_and_stay(tmp_path: Path, present: bool) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "x.csv", tmp_path / "link.csv"
    link.symlink_to(target)
    if present:
        target.write_bytes(b"old")
        with pytest.raises(OutputError, match="already exists"):
            storage.write_bytes(link, b"new")
    storage.write_bytes(link, b"new", overwrite=present)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path / "far") == ["x.csv"]


@pytest.mark.parametrize("name", ["x" * 249 + ".npz", "é" * 124 + ".npz", "x\udcff.npz"])
def test_the_longest_names_and_those_that_are_not_utf_8(tmp_path: Path, name: str) -> None:
    storage.write(tmp_path / name, {"a": np.ones(2)}, {"model": name})
    arrays, settings = storage.read(tmp_path / name)
    assert arrays["a"].tolist() == [1, 1]
    assert settings == {"model": name}


def test_settings_that_are_not_utf_8_come_back_from_hdf5(tmp_path: Path) -> None:
    storage.write(tmp_path / "x.h5", {"a": np.ones(2)}, {"model": "m\udcff.h5", "n": ["\udc80"]})
    assert storage.read(tmp_path / "x.h5")[1] == {"model": "m\udcff.h5", "n": ["\udc80"]}


UNWRITABLE = {
    "a name that is too long": ("x" * 260 + ".csv", "File name too long"),
    "a folder": ("folder.csv", "a folder, a device or a pipe"),
    "a pipe": ("pipe.csv", "a folder, a device or a pipe"),
    "a device": ("/dev/null", "a folder, a device or a pipe"),
    "a link to itself": ("loop.csv", "Too many levels of symbolic links"),
    "a folder of the kernel's": ("/proc/self/x.csv", "could not be written"),
    "a name with a zero byte": ("x\0.csv", "embedded null"),
}


@pytest.mark.parametrize("kind", list(UNWRITABLE))
def test_what_cannot_be_written_is_told_before_the_work(tmp_path: Path, kind: str) -> None:
    name, message = UNWRITABLE[kind]
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    before = sorted(os.listdir(tmp_path))
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=message):
            check_writable(tmp_path / name, overwrite=overwrite)
        with pytest.raises(OutputError, match=message):
            storage.write_bytes(tmp_path / name, b"", overwrite=overwrite)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_check_leaves_an_existing_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"old")
    check_writable(tmp_path / "x.csv", overwrite=True)
    check_writable(tmp_path / "y.csv")
    assert os.listdir(tmp_path) == ["x.csv"]
    assert (tmp_path / "x.csv").read_bytes() == b"old"


def test_a_writer_that_lives_keeps_its_file_and_a_dead_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with output_file(path) as disk:
        disk.write(b"first")
        (mine,) = os.listdir(tmp_path)
        dead = tmp_path / mine.replace(mine[-20:], "0123456789abcdef.part")
        dead.write_bytes(b"half")
        unrelated = tmp_path / ".deeplift_engine-0-0.part"  # of another target
        unrelated.touch()
        check_writable(path)
        assert sorted(os.listdir(tmp_path)) == sorted([mine, unrelated.name])
    assert path.read_bytes() == b"first"


@pytest.mark.parametrize(
    "runs", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.thorough])]
)
def test_runs_that_are_killed_leave_the_target_old_or_new(tmp_path: Path, runs: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.util.killed_writers", tmp_path, str(runs), "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr  # h5py prints what a signal ends within a destructor
    assert all(name in done.stdout for name in ("SIGTERM", "SIGKILL"))


LOAD_AND_CONVERT = """
import sys
import keras
import deeplift_engine as de
from deeplift_engine.cli.console import terminable
model, inputs, path, method = sys.argv[1:]
with terminable():
    network = de.load(model) if method == "load" else de.convert(keras.saving.load_model(model))
    import numpy as np
    network.explainer().run(np.load(inputs), target=0).save(path, overwrite=True)
"""


@pytest.mark.thorough
def test_scores_and_conversions_that_are_killed_leave_the_target_old_or_new(tmp_path: Path) -> None:
    import keras

    model, inputs, path = (tmp_path / name for name in ("model.keras", "inputs.npy", "scores.h5"))
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(model)
    np.save(inputs, np.ones((3, 4), "float32"))
    score = ["-m", "deeplift_engine", "score", model, inputs, "-o", path, "--overwrite"]
    commands = [
        score,
        [*score, "--method", "occlusion"],
        ["-c", LOAD_AND_CONVERT, model, inputs, path, "load"],
        ["-c", LOAD_AND_CONVERT, model, inputs, path, "convert"],
    ]
    generator, longest = random.Random(0), 0.0
    for round_ in range(6):
        began = time.monotonic()
        running = [
            subprocess.Popen([sys.executable, *map(str, command)], stderr=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)
            for command in commands
        ]  # fmt: skip
        for process in running:
            if round_:  # the first round tells how long a run takes
                time.sleep(generator.random() * longest / 2)
                process.send_signal(generator.choice((signal.SIGTERM, signal.SIGKILL)))
            process.wait()
            if path.exists():
                assert Attribution.load(path).scores.shape == (3, 4)
        longest = longest or time.monotonic() - began
    subprocess.run([sys.executable, *map(str, score)], check=True, stdout=subprocess.DEVNULL)
    assert sorted(os.listdir(tmp_path)) == ["inputs.npy", "model.keras", "scores.h5"]
