"""Runs that are ended at any moment, resumed: the store is the uninterrupted one, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def told_by(program: str, folder: Path, runs: int, forked: Any) -> dict[str, int]:
    """What a program of this folder says of runs that it ended."""
    code = f"import runpy; runpy.run_module('tests.jobs.{program}', run_name='__main__')"
    with forked.program(code, folder, runs, 0) as running:
        done = running.done()
    log = (folder / "log").read_text()[-4000:] if (folder / "log").exists() else ""
    assert done.code == 0, done.err + log
    told: dict[str, int] = json.loads(done.out)
    assert told["shards in halves"]
    assert "exit 70" not in told, log
    return told


@pytest.mark.slow
@pytest.mark.parametrize("runs", [2, pytest.param(250, marks=pytest.mark.thorough)])
def test_runs_that_are_ended_at_random_are_resumed(tmp_path: Path, runs: int, forked: Any) -> None:
    assert told_by("killed_runs", tmp_path, runs, forked)["SIGKILL"]


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("runs", [2, 100])
def test_runs_whose_scheduler_is_killed_at_random_are_resumed(
    tmp_path: Path, runs: int, forked: Any
) -> None:
    pytest.importorskip("distributed")
    told = told_by("killed_schedulers", tmp_path, runs, forked)
    assert told["killed"] == runs
    assert told["exit 75"]
