"""Shards on the workers of a Dask cluster: the same bits, whoever dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.jobs import cluster
from deeplift_engine.jobs.job import Job
from deeplift_engine.jobs.reader import open_store

pytestmark = [
    pytest.mark.slow,
    # distributed leaves sockets to the collector of garbage
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SAMPLES = 160


def job(folder: str, rows: int = 8) -> Job:
    """What workers make the job by."""
    import deeplift_engine as de

    explainer = de.load(Path(folder) / "model.keras").explainer()
    inputs = np.load(Path(folder) / "inputs.npy", mmap_mode="r")
    references = de.references.dinucleotide_shuffle(3)
    return Job(explainer, inputs, references=references, target=1, rows=rows, shard=rows)


def broken(folder: str) -> Job:
    raise SystemExit(f"no job in {folder}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import keras

    where = tmp_path_factory.mktemp("cluster")
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((30, 4)),
        keras.layers.Conv1D(8, 5, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
    keras.Sequential(layers).save(where / "model.keras")
    letters = np.random.default_rng(0).integers(0, 4, (SAMPLES, 30))
    letters[20:40] = letters[0]  # equal inputs in one run
    np.save(where / "inputs.npy", np.eye(4, dtype="int8")[letters])
    return where


@pytest.fixture(scope="module")
def client(forked: Any) -> Iterator[Any]:
    with forked.workers(2) as client:
        yield client


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> Path:
    job(str(folder)).create(tmp_path / "run.zarr")
    return tmp_path / "run.zarr"


def arrays(store: Path) -> dict[str, np.ndarray]:
    run = open_store(store)
    return {name: run[name][:] for name in run.names}


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of one process."""
    made = job(str(folder))
    made.run(made.create(folder / "alone.zarr"))
    return arrays(folder / "alone.zarr")


def assert_equal(store: Path, others: dict[str, np.ndarray]) -> None:
    for name, array in arrays(store).items():
        np.testing.assert_array_equal(array, others[name])


def test_workers_give_what_one_process_gives(
    client: Any, folder: Path, store: Path, expected: dict[str, np.ndarray]
) -> None:
    told = list[int]()
    recipe = partial(job, str(folder))
    report = cluster.run_on(client, recipe, store, range(5), tick=told.append)
    assert report.done == (0, 1, 2, 3, 4)
    assert sum(told) == 40
    assert len(report.pending) == 15
    assert cluster.run_on(client, recipe, store).done == tuple(range(5, 20))
    assert_equal(store, expected)


def test_a_run_that_is_asked_to_stop_finishes_what_it_began(
    client: Any, folder: Path, store: Path
) -> None:
    asked = iter([False, *[True] * 100])
    report = cluster.run_on(client, partial(job, str(folder)), store, stopping=lambda: next(asked))
    assert report.stopped
    assert report.pending
    assert report.done == tuple(open_store(store).store.done())
    assert not os.listdir(store / "leases")


def test_what_a_worker_meets_is_told(client: Any, folder: Path, store: Path) -> None:
    with pytest.raises(DeepliftEngineError, match="no job in"):
        cluster.run_on(client, partial(broken, str(folder)), store, [0])
    with pytest.raises(DeepliftEngineError, match="its part is 8, and now it is 4"):
        cluster.run_on(client, partial(job, str(folder), rows=4), store, [0])


@pytest.mark.parametrize("how", ["retired", "killed"])
def test_a_worker_that_is_retired_or_killed_in_mid_task_loses_nothing(
    folder: Path, store: Path, expected: dict[str, np.ndarray], how: str, forked: Any
) -> None:
    with forked.workers(2) as client:

        def end_one(*_: Any) -> None:
            if ended:
                return
            address = next(iter(client.scheduler_info()["workers"]))
            ended.append(address)
            if how == "retired":
                client.retire_workers([address], close_workers=True)
            else:
                (process,) = client.run(os.getpid, workers=[address]).values()
                os.kill(process, signal.SIGKILL)

        ended: list[str] = []
        report = cluster.run_on(client, partial(job, str(folder)), store, tick=end_one)
    assert ended
    assert not report.pending
    assert_equal(store, expected)


def test_nobody_at_an_address_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("Timed out")

    monkeypatch.setattr(distributed, "Client", refuse)
    refused = pytest.raises(InputError, match="no Dask scheduler answers at 'tcp://nowhere:1'")
    with refused, cluster.existing_cluster("tcp://nowhere:1"):
        pass
