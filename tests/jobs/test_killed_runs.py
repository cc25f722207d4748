"""Runs that are ended at any moment, resumed: the store is the uninterrupted one, bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("runs", [5, pytest.param(250, marks=pytest.mark.thorough)])
def test_runs_that_are_ended_at_random_are_resumed(tmp_path: Path, runs: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.jobs.killed_runs", tmp_path, str(runs), "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    log = (tmp_path / "log").read_text()[-4000:] if (tmp_path / "log").exists() else ""
    assert done.returncode == 0, done.stderr + log
    told = json.loads(done.stdout)
    assert told["SIGKILL"]
    assert told["shards in halves"]
    assert "exit 70" not in told, log
