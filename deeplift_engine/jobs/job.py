"""A run of any length into a store: described once, done shard by shard, by any number of runs.

A shard is the unit of work: some whole parts of the run, whose files one process writes once. What
is done is what has a mark; everything else can be done again at any time, to the same bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np

from deeplift_engine.engine.blocks import slices
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.streaming import Stream
from deeplift_engine.jobs.array_plan import DTYPES, ArrayPlan
from deeplift_engine.jobs.contents import (
    Content,
    checked_contents,
    default_contents,
    labelled_arrays,
)
from deeplift_engine.jobs.description import described, digests, each_array, fingerprint
from deeplift_engine.jobs.part_scores import PartScores, without_unfit
from deeplift_engine.jobs.sharded_job import Computed, ShardedJob
from deeplift_engine.jobs.threads import in_use
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array


class Job(ShardedJob):
    """A run of an explainer over a source of samples, into a store.

    Parameters
    ----------
    explainer
        The method, made for a network and a target.
    x
        As for `Explainer.stream`.
    arrays
        What to keep: names of `deeplift_engine.jobs.CONTENTS`. None is scores, predictions and what
        the sums tell, and with ``letter`` among the constants, as of regions and FASTA files, what
        exports of sequences read: hypothetical contributions and inputs.
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
        arrays: Sequence[str] | None = None,
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
        chosen = None if arrays is None else checked_contents(arrays)
        self.stream = Stream(explainer, x, rows=rows, strict=strict, **arguments)
        self.samples = len(self.stream.source)
        if names is not None and len(names) != self.samples:
            raise InputError(f"{len(names)} names for {self.samples} samples: give one for each.")
        self.constants = {**({} if names is None else {"sample": names}), **(constants or {})}
        first = self.stream.first
        raw = self.stream.source.raw(slice(first, first + 1))
        self.dimensions = _dimensions_of(raw, dimensions)
        probe = self.stream.score(raw, np.array([first]))
        self.arrays = chosen or default_contents(probe, "letter" in self.constants)
        self.scores = PartScores(self.stream, self.arrays, strict=strict)
        self.plans = tuple(
            self._plan(*labelled) for labelled in labelled_arrays(probe, raw, self.arrays)
        )
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
                **({"constants": digests(self.constants)} if self.constants else {}),
            ),
            **in_use(),
            "source": source,
            **(about or {}),
        }

    # ------------------------------------------------------------ work

    def read(self, shards: Sequence[slice]) -> Generator[list[tuple[slice, Any]]]:
        """The parts of each of some shards, with their inputs as they come."""
        parts = [self._parts(rows) for rows in shards]
        reading = self.stream.source.parts([part for each in parts for part in each])
        with closing(reading):
            for each in parts:
                yield list(islice(reading, len(each)))

    def compute(self, rows: slice, read: Sequence[tuple[slice, Any]]) -> Computed:
        """The arrays of the parts of a shard."""
        failed, digest = dict[int, str](), hashlib.sha256()
        scored: list[dict[str, Array]] = []
        for part, raw in read:
            for array in each_array(raw):
                digest.update(np.ascontiguousarray(array).data)
            numbers = np.arange(part.start, part.stop)
            arrays, refused = self.scores.score(self.plans, numbers, raw)
            scored.append(arrays)
            failed |= refused
        joined = {
            plan.name: np.concatenate([each[plan.name] for each in scored]) for plan in self.plans
        }
        failed |= without_unfit(self.plans, joined, rows.start, strict=self.strict)
        return Computed(joined, failed, digest.hexdigest())

    # ------------------------------------------------------------ how it is cut

    def _parts(self, rows: slice) -> list[slice]:
        """The parts of a shard."""
        count = rows.stop - rows.start
        return [
            slice(rows.start + part.start, rows.start + part.stop)
            for part in slices(count, self.stream.rows)
        ]

    def _plan(self, name: str, content: Content, array: Array) -> ArrayPlan:
        """How an array of one sample (1, ...) of a content is kept."""
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
            return rows * max(1, self._shard_samples() // rows)
        size = checked("shard", shard, Integer(1), InputError)
        return rows * -(-int(size) // rows)


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


__all__ = ["Job"]
