"""Work that goes into a store shard by shard: done once each, by any number of runs.

A shard is the unit of work: one process writes its files once. What is done is what has a mark;
everything else can be done again at any time, to the same bits.
"""

from __future__ import annotations

import math
import os
import socket
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import LeasedError, OutputError
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.description import first_difference, shown
from deeplift_engine.jobs.marks import failed_samples
from deeplift_engine.jobs.store import Store
from deeplift_engine.jobs.threads import in_use
from deeplift_engine.util.typing import Array

SHARD_SAMPLES = 1024
"""Samples of a shard at most, where a part is not larger: what a killed run loses."""
SHARD_BYTES = 64 << 20
"""Bytes of a shard's arrays at most, where a part is not larger."""
CHUNK_BYTES = 1 << 20
"""Bytes of an array that are compressed together at most."""
TEXT_BYTES = 32
"""What a text counts for where sizes are chosen."""


@dataclass(frozen=True)
class Report:
    """What a run of a job did.

    Attributes
    ----------
    done
        Shards that it wrote.
    skipped
        Shards that another process was at, or had written in between.
    pending
        Shards of the job that have no mark yet.
    failed
        Samples without scores, with the reasons, of the shards that it wrote.
    stopped
        Whether it was asked to end before all its shards were done.
    """

    done: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    failed: Mapping[int, str] = field(default_factory=dict)
    stopped: bool = False


@dataclass(frozen=True)
class Computed:
    """What was computed of a shard.

    Attributes
    ----------
    arrays
        By their names in the store, (samples of the shard, ...).
    failed
        Samples without scores, by their numbers in the run, with the reasons.
    inputs_sha256
        Of what was read.
    """

    arrays: dict[str, Array]
    failed: Mapping[int, str]
    inputs_sha256: str


class ShardedJob(ABC):
    """Work on many samples, of which any shard can be done by itself.

    Attributes
    ----------
    samples
        How many there are.
    shard
        Samples of a shard.
    plans
        The arrays that the work fills.
    constants
        Arrays that are known before it, by their names.
    description
        What the work is: ``run``, which decides what the store holds, ``threads``, and beside them
        what informs.
    """

    samples: int
    shard: int
    plans: tuple[ArrayPlan, ...]
    constants: Mapping[str, Any]
    description: Mapping[str, Any]

    @abstractmethod
    def read(self, shards: Sequence[slice]) -> Generator[Any]:
        """What the samples of each of some shards are computed from, in this order."""

    @abstractmethod
    def compute(self, rows: slice, read: Any) -> Computed:
        """What a shard holds, from what `read` gave of it."""

    # ------------------------------------------------------------ the store

    def create(self, path: str | os.PathLike[str]) -> Store:
        """A new store of this job; what is there is never overwritten.

        Raises
        ------
        OutputError
            If something is there, or it cannot be written.
        """
        return Store.create(
            path,
            self.samples,
            self.shard,
            self._chunk(),
            self.plans,
            self.description,
            self.constants,
        )

    def open(self, path: str | os.PathLike[str]) -> Store:
        """The store of this job, begun earlier.

        Raises
        ------
        OutputError
            If there is none, or it is of another job, naming the first field that differs.
        """
        store = Store.open(path)
        difference = first_difference(store.settings, self.description)
        if difference is not None:
            name, stored, now = difference
            raise OutputError(
                f"{path} holds another run: its {name} is {shown(stored)}, and now it is "
                f"{shown(now)}. Resume with the same, or name another store."
            )
        return store

    def open_or_create(self, path: str | os.PathLike[str]) -> Store:
        """`open` where there is a store, else `create`; many processes may do so at once."""
        if not Path(path).exists():
            try:
                return self.create(path)
            except OutputError:
                if not Path(path).exists():
                    raise
        return self.open(path)

    # ------------------------------------------------------------ work

    def run(
        self,
        store: Store,
        shards: Iterable[int] | None = None,
        *,
        stopping: Callable[[], bool] = lambda: False,
        tick: Callable[[int], object] = lambda samples: None,
    ) -> Report:
        """Do shards that are not done: all, or those of these numbers.

        Reading, scoring and writing overlap. A shard that another process is at is left to it.

        Parameters
        ----------
        store
            Of `create` or `open`.
        shards
            Numbers; None is all.
        stopping
            Asked before each shard; true ends the run when what was begun is written.
        tick
            Told how many samples were done.

        Raises
        ------
        OutputError
            If the store cannot be written.
        InputError, ReferencesError
            With ``strict``, what the first sample that fails is refused with.
        """
        wanted = range(store.shards) if shards is None else sorted(set(shards))
        todo = [number for number in wanted if not store.is_done(number)]
        reading = self.read([store.rows(number) for number in todo])
        receipts: dict[int, dict[str, Any]] = {}
        skipped, stopped = list[int](), False
        with closing(reading), ThreadPoolExecutor(1, "deeplift_engine-write") as writer:
            writing: list[Future[Any]] = []
            for number in todo:
                stopped = stopping()
                if stopped:
                    break
                rows, read = store.rows(number), next(reading)
                with ExitStack() as held:
                    try:
                        held.enter_context(store.lease(number))
                    except LeasedError:
                        skipped.append(number)
                        continue
                    if not store.is_done(number):
                        arrays, receipts[number] = self._computed(rows, read)
                        for earlier in writing:
                            earlier.result()
                        write = partial(store.write, number, arrays, receipts[number])
                        writing = [writer.submit(_release_after, held.pop_all(), write)]
                tick(rows.stop - rows.start)
            for last in writing:
                last.result()
        failed = failed_samples(receipts.values())
        return Report(tuple(receipts), tuple(skipped), tuple(store.pending()), failed, stopped)

    def _computed(self, rows: slice, read: Any) -> tuple[dict[str, Array], dict[str, Any]]:
        """The arrays of a shard, and the receipt: how they came about, what failed."""
        began = time.time()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            computed = self.compute(rows, read)
        return computed.arrays, {
            "seconds": round(time.time() - began, 3),
            "ended": round(time.time(), 3),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            **in_use(),
            "inputs_sha256": computed.inputs_sha256,
            "failed": {str(number): reason for number, reason in computed.failed.items()},
            "warnings": sorted({str(each.message)[:500] for each in caught})[:20],
        }

    # ------------------------------------------------------------ how it is cut

    def _shard_samples(self) -> int:
        """Samples of a shard by the size of what is kept."""
        return min(SHARD_SAMPLES, SHARD_BYTES // max(1, sum(map(_bytes, self.plans))))

    def _chunk(self) -> int:
        """Samples that are compressed together: a divisor of a shard, so that one is read fast."""
        largest = max(map(_bytes, self.plans))
        most = max(1, min(self.shard, CHUNK_BYTES // max(1, largest)))
        return next(size for size in range(most, 0, -1) if self.shard % size == 0)


def _bytes(plan: ArrayPlan) -> int:
    """Bytes of a sample of an array."""
    each = TEXT_BYTES if plan.dtype == "str" else np.dtype(plan.dtype).itemsize
    return each * math.prod(plan.shape)


def _release_after(held: ExitStack, write: Callable[[], Any]) -> None:
    """Write, and let go of the lease whatever happened."""
    with held:
        write()


__all__ = ["Computed", "Report", "ShardedJob"]
