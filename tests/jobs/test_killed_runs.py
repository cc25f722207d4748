"""Runs that are ended at any moment, resumed: the store is the uninterrupted one, bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def told_by(program: str, folder: Path, runs: int) -> dict[str, int]:
    """What a program of this folder says of runs that it ended."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.jobs.{program}", folder, str(runs), "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    log = (folder / "log").read_text()[-4000:] if (folder / "log").exists() else ""
    assert done.returncode == 0, done.stderr + log
    told: dict[str, int] = json.loads(done.stdout)
    assert told["shards in halves"]
    assert "exit 70" not in told, log
    return told


@pytest.mark.slow
@pytest.mark.parametrize("runs", [5, pytest.param(250, marks=pytest.mark.thorough)])
def test_runs_that_are_ended_at_random_are_resumed(tmp_path: Path, runs: int) -> None:
    assert told_by("killed_runs", tmp_path, runs)["SIGKILL"]


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("runs", [2, 100])
def test_runs_whose_scheduler_is_killed_at_random_are_resumed(tmp_path: Path, runs: int) -> None:
    pytest.importorskip("distributed")
    told = told_by("killed_schedulers", tmp_path, runs)
    assert told["killed"] == runs
    assert told["exit 75"]
