"""The scripts that docs/SCALE.md prints, run by SLURM and by snakemake.

They are taken out of the page as they stand; the numbers of shares, threads and samples of a shard
are smaller here. `tests/jobs/slurm_node.sh` starts a SLURM of one node; the variable
DEEPLIFT_ENGINE_SNAKEMAKE says where the command snakemake is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.jobs.shards import Share, share
from tests.helpers import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "SCALE.md").read_text(encoding="utf-8")
SHARDS, SHARD, LENGTH = 16, 512, 20
SAMPLES = SHARDS * SHARD - 100
REFERENCES = "--references dinucleotide_shuffle:20"
IN_SMALL_SHARDS = f"{REFERENCES} --shard-size {SHARD}"
AT_MOST = 900.0  # seconds after which what is waited for is taken for one that never comes

Command = Callable[..., str]
Submit = Callable[..., str]
Snakemake = Callable[..., "subprocess.Popen[str]"]


def printed(beginning: str) -> str:
    """The script of the page that begins so: a block of indented lines."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", PAGE, re.MULTILINE)
    scripts = [textwrap.dedent(block).strip() + "\n" for block in blocks]
    (script,) = (script for script in scripts if script.startswith(beginning))
    return script


def changed(script: str, changes: Mapping[str, str]) -> str:
    """A script with other numbers; each is there, so that the page's own script is what runs."""
    for before, after in changes.items():
        assert before in script
        script = script.replace(before, after)
    return script


def waits(condition: Callable[[], Any]) -> Any:
    """What a condition gives once that is true."""
    deadline = time.monotonic() + AT_MOST
    while time.monotonic() < deadline:
        if met := condition():
            return met
        time.sleep(0.05)
    pytest.fail(f"not met in {AT_MOST:g} s")


def marks(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.glob("marks/*.json")}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `deeplift-engine` is the one of this tree and this Python."""
    command = tmp_path_factory.mktemp("bin") / "deeplift-engine"
    path = os.pathsep.join([str(ROOT), str(ROOT / "conversion")])
    command.write_text(
        f'#!/bin/sh\nexec env PYTHONPATH="{path}" "{sys.executable}" -m deeplift_engine "$@"\n'
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    changes = {"PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    others = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**others, **changes, "TF_CPP_MIN_LOG_LEVEL": "3"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A folder with ``model.h5``, ``sequences.npy``, and ``whole.zarr`` of a single run."""
    import keras

    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("whole")
    layers = [
        keras.Input((LENGTH, 4)),
        keras.layers.Conv1D(8, 5, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    keras.Sequential(layers).save(folder / "model.h5")
    letters = np.random.default_rng(0).integers(0, 4, (SAMPLES, LENGTH))
    np.save(folder / "sequences.npy", np.eye(4, dtype="int8")[letters])
    command = "deeplift-engine score model.h5 sequences.npy -o whole.zarr --threads 1 "
    subprocess.run(
        command + IN_SMALL_SHARDS,
        shell=True,
        cwd=folder,
        env=environment,
        check=True,
        timeout=AT_MOST,
    )
    return folder


@pytest.fixture
def place(whole: Path, tmp_path: Path) -> Path:
    """The folder of a run, with the files that the scripts name."""
    for name in ("model.h5", "sequences.npy"):
        (tmp_path / name).symlink_to(whole / name)
    return tmp_path


def assert_is_the_single_run(place: Path, whole: Path) -> None:
    run, expected = open_store(place / "run.zarr"), open_store(whole / "whole.zarr")
    assert run.store.pending() == []
    assert run.names == expected.names
    for name in run.names:
        np.testing.assert_array_equal(run[name][:], expected[name][:])
    assert [os.listdir(place / "run.zarr" / name) for name in ("leases", "attempts")] == [[], []]


# SLURM


@pytest.fixture(scope="module")
def slurm() -> Command:
    """Runs a command of SLURM, and gives what it prints."""
    if not shutil.which("sbatch"):
        pytest.skip("SLURM is not installed here: there is no sbatch")
    told = subprocess.run(["squeue"], capture_output=True, text=True, check=False, timeout=AT_MOST)
    if told.returncode:
        pytest.skip(f"no SLURM answers here: {told.stderr.strip()}")

    def run(*words: str, **options: Any) -> str:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=AT_MOST, **options
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def submit(slurm: Command, place: Path, environment: dict[str, str]) -> Iterator[Submit]:
    """Submits a script as ``run.sh``, with options of sbatch; gives the number of the job."""
    jobs: list[str] = []

    def one(script: str, *options: str) -> str:
        (place / "run.sh").write_text(script)
        words = ("sbatch", "--parsable", *options, "run.sh")
        jobs.append(slurm(*words, cwd=place, env=environment))
        return jobs[-1]

    yield one
    for job in jobs:
        subprocess.run(["scancel", "--quiet", "--signal=KILL", job], check=False, timeout=AT_MOST)


def ended(slurm: Command, job: str) -> list[tuple[str, str]]:
    """State and exit code (code:signal) of the tasks of a job, once none is left in the queue."""
    waits(lambda: not slurm("squeue", "--noheader", f"--jobs={job}"))
    told = slurm("scontrol", "--oneliner", "show", "job", job)
    return re.findall(r"JobState=(\S+) .*?ExitCode=(\S+)", told)


def logs(place: Path, job: str) -> dict[int, str]:
    """The logs of the tasks of a job."""
    files = place.glob(f"slurm-{job}_*.out")
    return {int(file.stem.rpartition("_")[2]): file.read_text() for file in files}


@pytest.fixture(scope="module")
def script() -> str:
    numbers = {"--cpus-per-task=4": "--cpus-per-task=1", "--threads 4": "--threads 1"}
    return changed(printed("#!/bin/bash"), {**numbers, REFERENCES: IN_SMALL_SHARDS})


def test_an_array_of_slurm_is_the_single_run(
    submit: Submit, slurm: Command, script: str, place: Path, whole: Path
) -> None:
    options = re.findall(r"`sbatch (--array=\S+) run\.sh`", PAGE)
    assert options == ["--array=1-50"]
    job = submit(script, "--array=1-3")
    assert ended(slurm, job) == [("COMPLETED", "0:0")] * 3, logs(place, job)
    assert_is_the_single_run(place, whole)


@pytest.mark.parametrize(
    ("cancel", "end"),
    [
        (["scancel"], ("CANCELLED", "75:0")),
        # what --signal=B:TERM sends before the time limit
        (["scancel", "--batch", "--signal=TERM"], ("FAILED", "75:0")),
    ],
)
def test_a_job_of_slurm_that_is_ended_goes_on_when_it_is_submitted_again(
    submit: Submit, slurm: Command, script: str, place: Path, whole: Path, cancel: list[str],
    end: tuple[str, str],
) -> None:  # fmt: skip
    store, job = place / "run.zarr", submit(script, "--array=1-1")
    waits(lambda: marks(store))
    slurm(*cancel, job)
    assert ended(slurm, job) == [end]
    before = marks(store)
    assert 0 < len(before) < SHARDS
    assert "run the same again with --resume" in logs(place, job)[1]
    job = submit(script, "--array=1-1")
    assert ended(slurm, job) == [("COMPLETED", "0:0")], logs(place, job)
    assert_is_the_single_run(place, whole)
    assert before.items() <= marks(store).items()


def test_an_array_that_is_an_uneven_list_is_refused(
    submit: Submit, slurm: Command, script: str, place: Path
) -> None:
    job = submit(script, "--array=1,3,7")
    assert ended(slurm, job) == [("FAILED", "2:0")] * 3
    for log in logs(place, job).values():
        assert "the array is a list of 3 ids from 1 to 7" in log
        assert "--array=1-N" in log
    assert not (place / "run.zarr").exists()


COLUMNS = ("MIN", "MAX", "STEP", "COUNT")
ARRAYS = re.findall(r"^\| `([\d,:%-]+)` \| (.+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("array", "cells"), ARRAYS, ids=[array for array, _ in ARRAYS])
def test_slurm_tells_a_task_what_the_page_says(
    submit: Submit, slurm: Command, place: Path, array: str, cells: str
) -> None:
    job = submit("#!/bin/bash\nenv | grep ^SLURM_ARRAY_TASK_\n", f"--array={array}")
    assert {state for state, _ in ended(slurm, job)} == {"COMPLETED"}
    told = {
        task: dict(line.split("=", 1) for line in log.splitlines())
        for task, log in sorted(logs(place, job).items())
    }
    ids, *numbers, places = cells.split(" | ")
    assert ", ".join(map(str, told)) == ids
    for task, variables in told.items():
        assert variables["SLURM_ARRAY_TASK_ID"] == str(task)
        assert [variables[f"SLURM_ARRAY_TASK_{column}"] for column in COLUMNS] == numbers
    if places == "refused":
        for variables in told.values():
            with pytest.raises(InputError, match="is a list of"):
                share("slurm", variables)
    else:
        shares = [share("slurm", variables) for variables in told.values()]
        assert shares == [Share(number, len(told)) for number in range(1, len(told) + 1)]
        assert places == ", ".join(f"{each.number}/{each.count}" for each in shares)


# snakemake


@pytest.fixture
def snakemake(place: Path, environment: dict[str, str]) -> Snakemake:
    """Starts snakemake on the page's rules with so many shares."""
    program = os.environ.get("DEEPLIFT_ENGINE_SNAKEMAKE")
    if not program:
        pytest.skip("DEEPLIFT_ENGINE_SNAKEMAKE does not say where snakemake is")
    numbers = {"threads: 2": "threads: 1", "--threads 2": "--threads 1"}
    rules = changed(printed("SHARES"), {**numbers, REFERENCES: IN_SMALL_SHARDS})

    def start(shares: int, *options: str) -> subprocess.Popen[str]:
        shared = changed(rules, {"SHARES = 10": f"SHARES = {shares}"})
        (place / "Snakefile").write_text(shared)
        return subprocess.Popen(
            [program, "--cores", "1", *options],
            cwd=place, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def output(process: subprocess.Popen[str], code: int) -> str:
    """What a process prints until it ends with this exit code."""
    try:
        told, _ = process.communicate(timeout=AT_MOST)
    finally:
        process.kill()
    assert process.returncode == code, told
    return told


def receipts(place: Path) -> list[str]:
    return sorted(path.name for path in place.glob("receipts/*"))


def test_rules_of_snakemake_are_the_single_run(
    snakemake: Snakemake, place: Path, whole: Path
) -> None:
    output(snakemake(3), 0)
    with h5py.File(place / "scores.h5") as exported:
        scores = exported["scores"][:]
    np.testing.assert_array_equal(scores, open_store(whole / "whole.zarr")["scores"][:])
    assert receipts(place) == ["1.done", "2.done", "3.done"]
    assert_is_the_single_run(place, whole)
    assert "Nothing to be done" in output(snakemake(3), 0)


def working(store: Path) -> int:
    """The process that writes a store, once it has written a shard."""
    mark = waits(lambda: sorted(store.glob("marks/*.json")))[0]
    return int(json.loads(mark.read_text())["receipt"]["pid"])


def test_a_job_of_snakemake_that_fails_keeps_the_store(
    snakemake: Snakemake, place: Path, whole: Path
) -> None:
    store, process = place / "run.zarr", snakemake(1)
    os.kill(working(store), signal.SIGTERM)
    output(process, 1)
    before = marks(store)
    assert 0 < len(before) < SHARDS
    assert receipts(place) == []
    output(snakemake(1, "--rerun-incomplete"), 0)
    assert_is_the_single_run(place, whole)
    assert before.items() <= marks(store).items()


def test_a_snakemake_that_is_killed_keeps_the_store(
    snakemake: Snakemake, place: Path, whole: Path
) -> None:
    store, process = place / "run.zarr", snakemake(1)
    writer = working(store)
    os.killpg(process.pid, signal.SIGKILL)
    output(process, -signal.SIGKILL)
    waits(lambda: not Path(f"/proc/{writer}").exists())
    before = marks(store)
    assert 0 < len(before) < SHARDS
    output(snakemake(1, "--unlock"), 0)
    output(snakemake(1, "--rerun-incomplete"), 0)
    assert_is_the_single_run(place, whole)
    assert before.items() <= marks(store).items()
