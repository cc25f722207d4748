"""Runs of a job that are ended by signals at random moments, and resumed until all is done.

``python -m tests.jobs.killed_runs FOLDER RUNS SEED`` ends so many, and goes on until one was killed
and one had done some shards. It prints how many were ended by which signal, as JSON; an exception
tells of a store that is another than the uninterrupted one, or of a shard that was done twice.
Children are forked before TensorFlow starts, so that a run costs a second.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES, ROWS, LENGTH = 96, 8, 30
LONGEST = 4.0  # seconds until a signal is sent: a start, and some shards
AT_MOST = 60.0  # seconds after which a run is taken for one that hangs


def model(path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((LENGTH, 4)),
        keras.layers.Conv1D(8, 5, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
    keras.Sequential(layers).save(path)
    letters = np.random.default_rng(0).integers(0, 4, (SAMPLES, LENGTH))
    np.save(path.with_suffix(".npy"), np.eye(4, dtype="int8")[letters])


def job(folder: Path) -> Any:
    """The job, made anew in this process."""
    import deeplift_engine as de
    from deeplift_engine.jobs.job import Job

    explainer = de.load(folder / "model.keras").explainer()
    inputs = np.load(folder / "model.npy", mmap_mode="r")
    references = de.references.dinucleotide_shuffle(3)
    return Job(explainer, inputs, references=references, target=1, rows=ROWS, shard=ROWS)


def work(folder: Path, store: Path) -> int:
    """One run of the job in this process; how many shards are left."""
    from deeplift_engine.cli.store_commands import stopping

    with stopping() as asked:
        made = job(folder)
        opened = made.open_or_create(store)
        opened.clean()
        return len(made.run(opened, stopping=asked).pending)


def child(folder: Path, work: Callable[[], int]) -> int:
    """A process of its own that does ``work``, which says how many shards are left: its number."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.setsid()
        os.dup2(os.open(folder / "log", os.O_CREAT | os.O_APPEND | os.O_WRONLY), 2)
        code = 75 if work() else 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def waited(process: int, seconds: float) -> int | None:
    """The status of a process that ends in time, as `os.waitpid` gives it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.005)
    return None


def marks(store: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store / "marks").glob("*.json")}


def assert_none_again(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """No shard that was done was done again: a mark tells when it was."""
    again = {name for name in before if after.get(name) != before[name]}
    assert not again, f"done again: {again}"


def arrays(store: Path) -> dict[str, Any]:
    from deeplift_engine.jobs.reader import open_store

    run = open_store(store)
    return {name: run[name][:] for name in run.names}


def uninterrupted(folder: Path) -> dict[str, Any]:
    """The arrays of a run that nobody ends, of a model that is made here."""
    import keras  # noqa: F401  # before any fork; TensorFlow is imported by it, and does not start

    import deeplift_engine.jobs.job  # noqa: F401

    def all_of_it() -> int:
        model(folder / "model.keras")
        return work(folder, folder / "whole.zarr")

    assert waited(child(folder, all_of_it), AT_MOST) == 0
    return arrays(folder / "whole.zarr")


def assert_whole(store: Path, expected: dict[str, Any]) -> None:
    """A store is the uninterrupted one, and nothing of those who died is left in it."""
    for name, array in arrays(store).items():
        np.testing.assert_array_equal(array, expected[name])
    left = [name for name in ("leases", "attempts") if os.listdir(store / name)]
    assert not left, left


def main(folder: Path, runs: int, seed: int) -> Counter[str]:
    generator, ended = random.Random(seed), Counter[str]()
    expected, number = uninterrupted(folder), 0
    while (
        ended["SIGKILL"] + ended["SIGTERM"] < runs
        or not ended["SIGKILL"]
        or not ended["shards in halves"]
    ):
        store, number = folder / f"run{number}.zarr", number + 1
        status = None
        while status != 0:
            before = marks(store)
            process = child(folder, partial(work, folder, store))
            status = waited(process, generator.random() * LONGEST)
            if status is None:
                kind = generator.choices((signal.SIGKILL, signal.SIGTERM), (4, 1))[0]
                os.kill(process, kind)
                ended[kind.name] += 1
                status = waited(process, AT_MOST)
                assert status is not None, "it hangs"
                if kind == signal.SIGTERM and os.WIFEXITED(status):
                    ended[f"exit {os.waitstatus_to_exitcode(status)}"] += 1
            after = marks(store)
            assert_none_again(before, after)
            ended["shards in halves"] += len(after) - len(before) if status else 0
        assert_whole(store, expected)
    return ended


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))) + "\n")
