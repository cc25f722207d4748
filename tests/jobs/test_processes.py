"""Real processes on one store, killed at any moment: nothing is lost, doubled or wrong."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import numpy as np
import pytest

from deeplift_engine.errors import LeasedError
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.jobs.store import Store
from tests.forked import CONTEXT
from tests.jobs import stores
from tests.jobs import worker as program
from tests.jobs.worker import MANY

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked")]


@dataclass(frozen=True)
class Worker:
    """A process forked from one that has imported all, and the connection to it."""

    process: ForkServerProcess
    connection: Connection

    def go(self) -> None:
        """Let it begin."""
        self.connection.send("go")

    def lines(self) -> list[str]:
        """What it says until it ends."""
        said = []
        with suppress(EOFError):
            while True:
                said.append(self.connection.recv())
        return said


@contextmanager
def worker(command: str, path: Path) -> Iterator[Worker]:
    """A process that waits for `Worker.go`; killed at the end of the block."""
    here, there = CONTEXT.Pipe()
    process = CONTEXT.Process(target=program.run, args=(command, path, there))
    process.start()
    there.close()
    try:
        assert here.recv() == program.READY
        yield Worker(process, here)
    finally:
        process.kill()
        process.join()
        here.close()


def files(store: Store) -> dict[str, bytes]:
    return {
        str(path.relative_to(store.path)): path.read_bytes()
        for path in store.path.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a store that one process filled."""
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    return files(stores.fill(stores.create(path, MANY, constants={})))


@pytest.mark.parametrize("turns", [4, pytest.param(12, marks=pytest.mark.thorough)])
def test_killed_writers(tmp_path: Path, undisturbed: dict[str, bytes], turns: int) -> None:
    store = stores.create(tmp_path / "run", MANY, constants={})
    generator = random.Random(0)
    moments, done = [], 0
    for turn in range(turns):
        with ExitStack() as stack:
            processes = [stack.enter_context(worker("fill", store.path)) for _ in range(2)]
            for each in processes:
                each.go()
            for each in processes:
                if turn % 2:  # each other time it has written a shard before
                    each.connection.poll(60)
                time.sleep(generator.uniform(0, 0.5))
                each.process.kill()
        left = os.listdir(store.path / "attempts")
        moments.append((len(store.done()) - done, len(left)))
        done = len(store.done())
        for number in store.done():
            store.verify(number)
    assert any(left for _, left in moments), moments  # some were killed in the middle of a shard
    assert done > 0, moments
    with worker("fill", store.path) as last:
        last.go()
        assert len(last.lines()) == store.shards - done
    assert files(store) == undisturbed


def test_a_killed_creator_leaves_no_store(tmp_path: Path) -> None:
    generator = random.Random(1)
    unborn = 0
    for attempt in range(4):
        path = tmp_path / f"run{attempt}"
        with worker("create", path) as creator:
            creator.go()
            time.sleep(generator.uniform(0.0, 0.05))
        if path.exists():
            assert Store.open(path).samples == MANY
        else:
            unborn += 1
            stores.create(path, MANY, constants={})
        Store.open(path).clean()
        assert os.listdir(path / "leases") == []
        assert [name for name in os.listdir(tmp_path) if f".run{attempt}" in name] == []
    assert unborn > 0


def test_two_creators_make_one_store(tmp_path: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(worker("create", tmp_path / "run")) for _ in range(3)]
        for each in processes:
            each.go()
        said = [line for each in processes for line in each.lines()]
    assert said.count("created") == 1
    assert all(line.startswith(("created", "OutputError")) for line in said)
    assert os.listdir(tmp_path) == ["run"]
    assert (
        Store.open(tmp_path / "run").layout
        == stores.create(tmp_path / "again", MANY, constants={}).layout
    )


def test_processes_share_the_shards(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    store = stores.create(tmp_path / "run", MANY, constants={})
    with ExitStack() as stack:
        processes = [stack.enter_context(worker("fill", store.path)) for _ in range(3)]
        for each in processes:
            each.go()
        written = [int(line) for each in processes for line in each.lines()]
    assert sorted(written) == list(range(store.shards))
    assert files(store) == undisturbed


def test_a_shard_is_its_holders_until_the_holder_is_killed(tmp_path: Path) -> None:
    store = stores.create(tmp_path / "run", MANY, constants={})
    command = [sys.executable, "-m", program.__name__, str(store.path)]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LeasedError, match=f"process {process.pid} on"):
            stores.write(store, 0)
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(LeasedError):
            stores.write(store, 0)
        process.kill()
        limit = time.monotonic() + 10  # not waited for: it stays as a zombie
        while not store.is_done(0) and time.monotonic() < limit:
            try:
                stores.write(store, 0)
            except LeasedError:
                time.sleep(0.01)
        assert store.is_done(0)


def test_a_reader_never_sees_a_wrong_row(tmp_path: Path) -> None:
    store = stores.create(tmp_path / "run", MANY, constants={})
    truth = [stores.values(store.rows(number)) for number in range(store.shards)]
    run = open_store(store.path, missing="nan")
    partial = 0
    with ExitStack() as stack:
        processes = [stack.enter_context(worker("fill", store.path)) for _ in range(2)]
        for each in processes:
            each.go()
        while not run.is_complete:
            predictions = run["predictions"][:]
            scores = run["scores"][:]  # later: what was computed before still is
            for number in range(store.shards):
                rows = store.rows(number)
                computed = ~np.isnan(predictions[rows])
                assert computed.all() or not computed.any()
                if computed.any():
                    assert np.array_equal(scores[rows], truth[number]["scores"])
                    assert np.array_equal(predictions[rows], truth[number]["predictions"])
            partial += 0 < np.isnan(predictions).sum() < MANY
    assert partial > 0
    assert np.array_equal(run["scores"][:], np.concatenate([each["scores"] for each in truth]))
