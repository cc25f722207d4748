"""Runs into stores from the command line: shares, resuming, status, merging, exporting."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplift_engine.jobs.reader import open_store
from deeplift_engine.results.attribution import Attribution

Command = Callable[..., Any]
REFERENCES = ("--references", "dinucleotide_shuffle:2")


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs of 1,300 samples, three parts of the model's."""
    path = tmp_path_factory.mktemp("many") / "inputs.npy"
    np.save(path, np.eye(4, dtype="int8")[np.random.default_rng(0).integers(0, 4, (1300, 20))])
    return path


@pytest.fixture
def score(folder: Path, many: Path, command: Command) -> Command:
    def run(store: Path, *options: Any) -> Any:
        return command(
            "score", folder / "model.h5", many, "-o", store, "--target", 1, *REFERENCES,
            "--batch-size", 1024, "--arrays", "scores,predictions,convergence,inputs", *options,
        )  # fmt: skip

    return run


def test_shares_status_merge_and_export(
    score: Command, command: Command, folder: Path, many: Path, tmp_path: Path
) -> None:
    here, there, run = (tmp_path / f"{name}.zarr" for name in ("here", "there", "run"))
    first = score(here, "--shard", "2/3", "--shard-size", 512)
    assert first.code == 0, first.err
    assert "share: 2/3" in first.out
    assert "done: 1" in first.out
    state = command("status", here)
    assert state.code == 75
    assert "1 of 3 shards done, 512 of 1,300 samples" in state.out
    assert "to do: shards 0, 2" in state.out
    assert score(there, "--shard", "1/3", "--shard-size", 512).code == 0
    assert score(there, "--shard", "3/3", "--shard-size", 512).code == 0
    assert command("merge", here, there, "-o", run).code == 0
    state = command("status", run, "--json")
    assert state.code == 0
    assert json.loads(state.out)["complete"]
    assert command("export", run, "-o", tmp_path / "all.h5").code == 0
    exported = Attribution.load(tmp_path / "all.h5")
    whole = command(
        "score",
        folder / "model.h5",
        many,
        "-o",
        tmp_path / "whole.h5",
        "--target",
        1,
        "--batch-size",
        1024,
        *REFERENCES,
    )
    assert whole.code == 0, whole.err
    expected = Attribution.load(tmp_path / "whole.h5")
    np.testing.assert_array_equal(exported.scores, expected.scores)
    np.testing.assert_array_equal(exported.target_delta, expected.target_delta)
    assert open_store(run)["inputs"][5:6].shape == (1, 20, 4)


def test_a_store_that_is_there_is_resumed_and_never_replaced(
    score: Command, tmp_path: Path
) -> None:
    store = tmp_path / "run.zarr"
    assert score(store, "--shard", "1/2", "--shard-size", 512).code == 0
    again = score(store, "--shard-size", 512)
    assert again.code == 5
    assert "--resume" in again.err
    assert score(store, "--resume", "--shard-size", 512).code == 0
    other = score(store, "--resume", "--shard-size", 512, "--seed", 3)
    assert other.code == 5
    assert "its references is 'dinucleotide_shuffle(2, seed=0)'" in other.err
    threads = score(store, "--resume", "--shard-size", 512, "--threads", 99)
    assert threads.code == 4
    assert "last bits" in threads.err


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("run.h5", ["--resume"], "ends in .zarr"),
        ("run.h5", ["--shard", "1/2"], "ends in .zarr"),
        ("run.zarr", ["--overwrite"], "--overwrite is for one file"),
        ("run.zarr", ["--hypothetical"], "--arrays hypothetical"),
        ("run.zarr", ["--arrays", "score"], "near it: scores"),
    ],
)
def test_options_of_the_other_kind_of_output_are_refused(
    command: Command, folder: Path, many: Path, tmp_path: Path, output: str, options: list[str],
    message: str,
) -> None:  # fmt: skip
    told = command(
        "score", folder / "model.h5", many, "-o", tmp_path / output, "--target", 1, *options
    )
    assert told.code == 4
    assert message.lower() in told.err.lower()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "slurm"])
def test_shares_of_the_wrong_form_are_wrong_usage(
    score: Command, tmp_path: Path, text: str
) -> None:
    told = score(tmp_path / "run.zarr", "--shard", text)
    assert told.code == 2
    assert "argument --shard" in told.err


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_behind_its_shard_with_75(
    folder: Path, tmp_path: Path, kind: signal.Signals, forked: Any
) -> None:
    inputs, store = tmp_path / "inputs.npy", tmp_path / "run.zarr"
    letters = np.random.default_rng(0).integers(0, 4, (200_000, 20))
    np.save(inputs, np.eye(4, dtype="int8")[letters])
    score = (
        "score", folder / "model.h5", inputs, "-o", store,
        "--target", "1", "--batch-size", "1024", *REFERENCES, "--shard-size", "512",
    )  # fmt: skip
    with forked.program(forked.COMMAND, *score) as program:
        deadline = time.monotonic() + 120
        while not list(store.glob("marks/*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(program.process.pid, kind)
        done = program.done()
    assert done.code == 75, done.err
    assert "run the same again with --resume" in done.err
    assert "Traceback" not in done.err
    assert "written" in done.out
    done = len(list(store.glob("marks/*")))
    assert 0 < done < 391
    assert not os.listdir(store / "leases")
