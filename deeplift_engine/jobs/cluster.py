"""A job's shards on the workers of a Dask cluster: of this machine, of SLURM, or of one that runs.

A worker does what one process does, `Job.run` of one shard, and returns a receipt; results go to
the store alone. Dask decides who does which shard when, and nothing about results: a task that is
started twice meets the lease of the first, or its mark.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.jobs.marks import failed_samples
from deeplift_engine.jobs.sharded_job import Report, ShardedJob
from deeplift_engine.jobs.store import Store
from deeplift_engine.jobs.threads import pin
from deeplift_engine.util.optional import optional
from deeplift_engine.util.warn import warn

Recipe = Callable[[], ShardedJob]
"""Makes the job wherever it is called; picklable: a function of a module, or a partial of one."""

POLL = 1.0
"""Seconds between two looks at whether the run is to stop."""
_OPENED: dict[str, tuple[ShardedJob, Store]] = {}
RETRIES = 3
"""How often a shard whose worker died is begun again."""


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """The client of a cluster of processes on this machine, which end with this process."""
    distributed = _distributed()
    with (
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # a worker above its limit would be paused without a word
            dashboard_address=":0",  # any port: the usual one may be another cluster's
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def slurm_cluster(workers: int) -> Iterator[Any]:
    """The client of a cluster of SLURM jobs, as dask-jobqueue's configuration describes them."""
    jobqueue = optional("dask_jobqueue", "dask-jobqueue", "cluster")
    distributed = _distributed()
    with jobqueue.SLURMCluster() as cluster:
        cluster.scale(jobs=workers)
        with distributed.Client(cluster, set_as_default=False) as client:
            yield client


@contextmanager
def existing_cluster(address: str) -> Iterator[Any]:
    """The client of a cluster that runs already.

    Raises
    ------
    InputError
        If nobody answers at the address.
    """
    distributed = _distributed()
    try:
        client = distributed.Client(address, timeout=30, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address!r}: {error}. Give the address that it prints "
            "when it starts, such as tcp://10.0.0.1:8786"
        ) from error
    with client:
        yield client


def run_on(
    client: Any,
    recipe: Recipe,
    path: str | os.PathLike[str],
    shards: Iterable[int] | None = None,
    *,
    stopping: Callable[[], bool] = lambda: False,
    tick: Callable[[int], object] = lambda samples: None,
) -> Report:
    """Do shards of a store that are not done on the workers of a cluster.

    Parameters
    ----------
    client
        Of `local_cluster`, `slurm_cluster`, `existing_cluster`, or a ``distributed.Client``.
    recipe
        Makes the job on each worker; its model and inputs must be readable there.
    path
        The store, on a disk that all workers share.
    shards, stopping, tick
        As for `Job.run`; what workers are at when ``stopping`` is true is finished.

    Returns
    -------
    Report
        From the marks in the store, whatever became of the cluster.

    Raises
    ------
    DeepliftEngineError
        What a worker met, where it is no fault of a single sample.
    """
    path = Path(path).absolute()
    store = Store.open(path)
    before = set(store.done())
    wanted = range(store.shards) if shards is None else sorted(set(shards))
    todo = [number for number in wanted if number not in before]
    run = secrets.token_hex(4)
    kernels = {name: store.settings.get(name) for name in ("threads", "onednn")}
    futures = {
        client.submit(
            do_shard, recipe, run, str(path), number, kernels,
            key=f"deeplift_engine-{run}-{number}", pure=False, retries=RETRIES,
        ): number
        for number in todo
    }  # fmt: skip
    stopped, skipped = False, list[int]()
    waiting = set(futures)
    try:
        while waiting:
            if not stopped and stopping():
                stopped = True
                idle = _idle(client, waiting)
                client.cancel(idle)
                waiting -= set(idle)
                continue
            ended = _ended(client, waiting)
            for future in ended:
                rows = store.rows(futures[future])
                if future.status == "error":
                    _raise(future, store)
                if future.status == "finished" and not future.result():
                    skipped.append(futures[future])
                tick(rows.stop - rows.start)
            waiting -= ended
    except (CancelledError, OSError) as error:  # of the client, whose scheduler is gone
        warn(
            f"the Dask scheduler of {store.path} was lost: {error}. What is done stays done; "
            "workers that it had may be at a shard yet"
        )
    marks = store.marks()
    done = [number for number in todo if number in marks and number not in skipped]
    failed = failed_samples(marks[number].receipt for number in done)
    return Report(tuple(done), tuple(skipped), tuple(store.pending()), failed, stopped)


def _ended(client: Any, waiting: set[Any]) -> set[Any]:
    """The tasks that ended within the next second."""
    try:
        with client.as_current():  # whom `wait` asks
            done = _distributed().wait(waiting, timeout=POLL, return_when="FIRST_COMPLETED").done
    except TimeoutError:
        return set()
    return set(done)


def _idle(client: Any, waiting: set[Any]) -> list[Any]:
    """The tasks that no worker has begun."""
    running = {key for keys in client.processing().values() for key in keys}
    return [future for future in waiting if future.key not in running]


def do_shard(recipe: Recipe, run: str, path: str, number: int, kernels: Mapping[str, Any]) -> bool:
    """Do one shard on a worker: whether this call did it."""
    try:
        _choose_device()
        pin(kernels)
        job, store = _opened(recipe, run, path)
        return number in job.run(store, [number]).done
    except SystemExit as error:  # which would end the worker, and the next one, and the next one
        raise DeepliftEngineError(f"shard {number}: the program was ended: {error}") from None


def _opened(recipe: Recipe, run: str, path: str) -> tuple[ShardedJob, Store]:
    """The job and its store, made once in a process for each ``run``."""
    if run not in _OPENED:
        job = recipe()
        _OPENED.clear()
        _OPENED[run] = job, job.open(path)
    return _OPENED[run]


def _choose_device() -> None:
    """One GPU a worker, where there are several and nobody has chosen."""
    devices = Path("/proc/driver/nvidia/gpus")
    if "CUDA_VISIBLE_DEVICES" in os.environ or not devices.is_dir():
        return
    name = _distributed().get_worker().name
    count = len(list(devices.iterdir()))
    if isinstance(name, int) and count > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(name % count)


def _raise(future: Any, store: Store) -> None:
    """What a worker met, as an error of this project."""
    error = future.exception()
    if isinstance(error, DeepliftEngineError):
        raise error
    raise DeepliftEngineError(
        f"a worker of the cluster failed at a shard of {store.path}: {type(error).__name__}: "
        f"{error}. What is done stays done: run the same again with --resume"
    ) from error


def _distributed() -> Any:
    return optional("distributed", "dask[distributed]", "cluster")


__all__ = ["existing_cluster", "local_cluster", "run_on", "slurm_cluster"]
