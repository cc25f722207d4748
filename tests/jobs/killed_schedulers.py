"""Runs on a Dask cluster whose scheduler is killed at random moments, resumed on a new one.

``python -m tests.jobs.killed_schedulers FOLDER RUNS SEED`` prints what happened, as JSON; an
exception tells of a store that is another than the uninterrupted one, of a shard that was done
twice, or of a run that ended otherwise than it says. Scheduler, workers and the program that
submits are processes of their own, forked before TensorFlow starts. Workers of a dead scheduler are
left alone: they may be at a shard while the next cluster runs.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from tests.jobs.killed_runs import (
    AT_MOST,
    LONGEST,
    assert_none_again,
    assert_whole,
    child,
    job,
    marks,
    uninterrupted,
    waited,
)

WORKERS = 2


async def scheduler(file: Path) -> None:
    """A scheduler, which writes its address into a file, until it is killed."""
    from distributed import Scheduler

    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as made:
        file.with_suffix(".part").write_text(made.address)
        file.with_suffix(".part").replace(file)
        await made.finished()


async def worker(address: str) -> None:
    """A worker of one thread, until its scheduler is gone."""
    from distributed import Worker

    async with Worker(address, nthreads=1, memory_limit=0) as made:
        await made.finished()


def run(folder: Path, store: Path, address: str, connected: Path) -> int:
    """Submit what is not done, as the command line does; how many shards are left."""
    from deeplift_engine.jobs import cluster

    job(folder).open_or_create(store).clean()
    with cluster.existing_cluster(address) as client:
        connected.touch()
        return len(cluster.run_on(client, partial(job, folder), store).pending)


def process(folder: Path, main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """A process that runs ``main``."""

    def work() -> int:
        asyncio.run(main())
        return 0

    return child(folder, work)


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + AT_MOST
    while not file.exists():
        assert time.monotonic() < deadline, f"no {file.name}"
        time.sleep(0.01)


def main(folder: Path, runs: int, seed: int) -> Counter[str]:
    generator, told = random.Random(seed), Counter[str]()
    expected, number = uninterrupted(folder), 0
    import distributed  # noqa: F401  # before any fork

    orphans: set[int] = set()
    while told["killed"] < runs:
        store, number, status = folder / f"run{number}.zarr", number + 1, None
        while status != 0:
            before, cluster = marks(store), f"cluster {told['clusters']}"
            file, connected = (folder / f"{cluster} {what}" for what in ("address", "connected"))
            first = process(folder, partial(scheduler, file))
            wait_for(file)
            address = file.read_text()
            workers = {process(folder, partial(worker, address)) for _ in range(WORKERS)}
            program = child(folder, partial(run, folder, store, address, connected))
            wait_for(connected)
            kills = told["killed"] < runs
            status = waited(program, generator.random() * LONGEST if kills else AT_MOST)
            if status is None:
                assert kills, "it hangs"
                os.kill(first, signal.SIGKILL)
                told["killed"] += 1
                status = waited(program, AT_MOST)
                assert status is not None, "it hangs"
                told[f"exit {os.waitstatus_to_exitcode(status)}"] += 1
            else:
                os.kill(first, signal.SIGTERM)
            told["clusters"] += 1
            os.waitpid(first, 0)
            orphans |= workers
            after = marks(store)
            assert_none_again(before, after)
            told["shards in halves"] += len(after) - len(before) if status else 0
        for orphan in orphans:
            assert waited(orphan, AT_MOST) is not None, "a worker outlives its scheduler"
        orphans.clear()
        assert_whole(store, expected)
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))) + "\n")
