"""A run of any length into a store: described once, done shard by shard, by any number of runs.

A shard is the unit of work: some whole parts of the run, whose files one process writes once. What
is done is what has a mark; everything else can be done again at any time, to the same bits.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import socket
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.engine.blocks import slices
from deeplift_engine.errors import InputError, LeasedError, OutputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.streaming import Stream
from deeplift_engine.jobs.array_plan import DTYPES, ArrayPlan
from deeplift_engine.jobs.contents import CONTENTS, DEFAULT, checked_contents
from deeplift_engine.jobs.description import (
    described,
    each_array,
    fingerprint,
    first_difference,
    shown,
)
from deeplift_engine.jobs.marks import failed_samples
from deeplift_engine.jobs.part_scores import PartScores
from deeplift_engine.jobs.store import Store
from deeplift_engine.jobs.stored_constants import content_of, plain_constant
from deeplift_engine.jobs.threads import threads
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

SHARD_SAMPLES = 1024
"""Samples of a shard at most, where a part is not larger: what a killed run loses."""
SHARD_BYTES = 64 << 20
"""Bytes of a shard's arrays at most, where a part is not larger."""
CHUNK_BYTES = 1 << 20
"""Bytes of an array that are compressed together at most."""
CREATION_WAIT = 0.1
"""Seconds between two looks at a store that another process creates."""


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


class Job:
    """A run of an explainer over a source of samples, into a store.

    Parameters
    ----------
    explainer
        The method, made for a network and a target.
    x
        As for `Explainer.stream`.
    arrays
        What to keep: names of `deeplift_engine.jobs.CONTENTS`.
    dtype
        ``"float32"``, or ``"float16"``, which is half as large and keeps three digits. Inputs are
        kept as they come.
    shard
        Samples of a shard, rounded to whole parts; None chooses by the size of what is kept.
    rows
        Samples of a part, as for `Explainer.stream`.
    strict
        Whether a sample that cannot be scored ends the run, instead of being recorded.
    source
        What the inputs are called in the description, such as the path of their file.
    names
        Names of the samples, which are kept beside the arrays.
    constants
        Arrays that are known before the run and kept beside the others, by their names: ``chrom``,
        ``start`` and ``end`` of each sample, ``letter``. What has an entry for each sample runs
        along the samples; a line that is named as a dimension runs along that.
    dimensions
        Names of the axes of one sample of an input, such as ``("position", "letter")``; of several
        inputs, by their names.
    about
        What else the description tells, and what decides nothing: paths of files.
    **arguments
        Of `Explainer.run`.

    Raises
    ------
    InputError, TargetError, ReferencesError
        As for `Explainer.run`, of the first sample.
    """

    def __init__(
        self,
        explainer: Explainer,
        x: Any,
        *,
        arrays: Sequence[str] = DEFAULT,
        dtype: str = "float32",
        shard: int | None = None,
        rows: int | None = None,
        strict: bool = False,
        source: str = "",
        names: Sequence[str] | None = None,
        constants: Mapping[str, Any] | None = None,
        dimensions: Sequence[str] | Mapping[str, Sequence[str]] = (),
        about: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> None:
        if dtype not in ("float32", "float16"):
            raise InputError(f"dtype={dtype!r}: a store keeps float32 or float16.")
        self.explainer, self.dtype, self.strict = explainer, dtype, strict
        self.arrays = checked_contents(arrays)
        self.stream = Stream(explainer, x, rows=rows, strict=strict, **arguments)
        self.scores = PartScores(self.stream, self.arrays, strict=strict)
        self.samples = len(self.stream.source)
        if names is not None and len(names) != self.samples:
            raise InputError(f"{len(names)} names for {self.samples} samples: give one for each.")
        self.constants = {**({} if names is None else {"sample": names}), **(constants or {})}
        first = self.stream.first
        raw = self.stream.source.raw(slice(first, first + 1))
        self.dimensions = _dimensions_of(raw, dimensions)
        probe = self.stream.score(raw, np.array([first]))
        kept = self.scores.stored(probe, raw)
        self.plans = tuple(self._plan(name, array) for name, array in kept.items())
        self.shard = self._shard(shard)
        request = self.stream.request
        self.description = {
            **described(
                probe.settings,
                samples=self.samples,
                inputs=fingerprint(self.stream.source),
                arrays=list(self.arrays),
                stored_dtype=dtype,
                part=self.stream.rows,
                shard=self.shard,
                batch_size=request.batch_size,
                average=request.average,
                standard_errors=request.standard_errors,
                strict=strict,
                **self._beside(),
            ),
            "threads": threads(),
            "source": source,
            **(about or {}),
        }

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
        """`open` where there is a store, else `create`; many processes may do so at once.

        Whoever meets the creation by another process waits for its end.
        """
        while not Path(path).exists():
            try:
                return self.create(path)
            except LeasedError:  # of the creator; it ends with the creation, or the process
                time.sleep(CREATION_WAIT)
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
        parts = {number: self._parts(store.rows(number)) for number in todo}
        reading = self.stream.source.parts([part for each in parts.values() for part in each])
        receipts: dict[int, dict[str, Any]] = {}
        skipped, stopped = list[int](), False
        with closing(reading), ThreadPoolExecutor(1, "deeplift_engine-write") as writer:
            writing: list[Future[Any]] = []
            for number in todo:
                stopped = stopping()
                if stopped:
                    break
                own = list(islice(reading, len(parts[number])))
                with ExitStack() as held:
                    try:
                        held.enter_context(store.lease(number))
                    except LeasedError:
                        skipped.append(number)
                        continue
                    if not store.is_done(number):
                        arrays, receipts[number] = self.compute(own)
                        for earlier in writing:
                            earlier.result()
                        write = partial(store.write, number, arrays, receipts[number])
                        writing = [writer.submit(_release_after, held.pop_all(), write)]
                rows = store.rows(number)
                tick(rows.stop - rows.start)
            for last in writing:
                last.result()
        failed = failed_samples(receipts.values())
        return Report(tuple(receipts), tuple(skipped), tuple(store.pending()), failed, stopped)

    def compute(
        self, parts: Sequence[tuple[slice, Any]]
    ) -> tuple[dict[str, Array], dict[str, Any]]:
        """The arrays of parts in a row, and the receipt: how they came about, what failed."""
        began, failed, digest = time.time(), dict[int, str](), hashlib.sha256()
        first = parts[0][0].start
        scored: list[dict[str, Array]] = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for rows, raw in parts:
                for array in each_array(raw):
                    digest.update(np.ascontiguousarray(array).data)
                numbers = np.arange(rows.start, rows.stop)
                arrays, refused = self.scores.score(self.plans, numbers, raw)
                scored.append(arrays)
                failed |= refused
        joined = {
            plan.name: np.concatenate([each[plan.name] for each in scored]) for plan in self.plans
        }
        failed |= self.scores.without_unfit(self.plans, joined, first)
        return joined, {
            "seconds": round(time.time() - began, 3),
            "ended": round(time.time(), 3),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "threads": threads(),
            "inputs_sha256": digest.hexdigest(),
            "failed": {str(number): reason for number, reason in failed.items()},
            "warnings": sorted({str(each.message)[:500] for each in caught})[:20],
        }

    def _beside(self) -> dict[str, dict[str, str]]:
        """Digests of the constants, if there are some: another order of regions is another run."""
        digests = {
            name: content_of(plain_constant(name, values))
            for name, values in self.constants.items()
        }
        return {"constants": digests} if digests else {}

    # ------------------------------------------------------------ how it is cut

    def _parts(self, rows: slice) -> list[slice]:
        """The parts of a shard."""
        count = rows.stop - rows.start
        return [
            slice(rows.start + part.start, rows.start + part.stop)
            for part in slices(count, self.stream.rows)
        ]

    def _plan(self, name: str, array: Array) -> ArrayPlan:
        """How an array of one sample (1, ...) is kept."""
        known = (part for part in re.split("[/.]", name) if part in CONTENTS)
        content = CONTENTS[next(known, "convergence")]
        dtype = array.dtype.name if content.exact or array.dtype.kind != "f" else self.dtype
        dtype = dtype if dtype in DTYPES else "int64"
        shape = array.shape[1:]
        own: tuple[str, ...] = ()
        for ending, (dimensions, sizes) in self.dimensions.items():
            if name.endswith(ending) and sizes and shape[-len(sizes) :] == sizes:
                own = dimensions
        more = [f"{name}_{axis}" for axis in range(len(shape) - len(own))]
        return ArrayPlan(name, shape, dtype, (*more, *own))

    def _shard(self, shard: int | None) -> int:
        """Samples of a shard: whole parts."""
        rows = self.stream.rows
        if shard is None:
            each = sum(np.dtype(p.dtype).itemsize * math.prod(p.shape) for p in self.plans)
            shard = min(SHARD_SAMPLES, SHARD_BYTES // max(1, each))
            return rows * max(1, shard // rows)
        size = checked("shard", shard, Integer(1), InputError)
        return rows * -(-int(size) // rows)

    def _chunk(self) -> int:
        """Samples that are compressed together: a divisor of a shard, so that one is read fast."""
        largest = max(np.dtype(p.dtype).itemsize * math.prod(p.shape) for p in self.plans)
        most = max(1, min(self.shard, CHUNK_BYTES // max(1, largest)))
        return next(size for size in range(most, 0, -1) if self.shard % size == 0)


def _dimensions_of(
    raw: Any, dimensions: Sequence[str] | Mapping[str, Sequence[str]]
) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
    """Names and sizes of the axes of one sample of inputs, by how names of their arrays end."""
    named = dimensions if isinstance(dimensions, Mapping) else {"": dimensions}
    each = raw if isinstance(raw, Mapping) else {"": raw}
    return {
        name.replace("/", "."): (tuple(named[name]), np.shape(each[name])[1:])
        for name in each
        if name in named
    }


def _release_after(held: ExitStack, write: Callable[[], Any]) -> None:
    """Write, and let go of the lease whatever happened."""
    with held:
        write()


__all__ = ["Job", "Report"]
