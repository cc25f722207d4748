"""Check that the contenders agree, then time them in turns."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.contenders import PEERS
from benchmarks.process import BenchmarkError, Cost, Process, in_turns, save_model
from benchmarks.work import Array, Problem, Row, make_data, save

_log = logging.getLogger(__name__)
TOLERANCE = 1e-3  # of the largest contribution: float32, and each library's own threshold


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes
    ----------
    repeats, budget
        So many timed samples each, fewer once a contender has used ``budget`` seconds on a row.
    patience
        Seconds to wait before a run, at most, for other processes to leave the cores alone.
    pythons
        The interpreter of each contender; those left out are not measured.
    settings
        The environment of every worker, beside what all share.
    deadline
        The time, of `time.monotonic`, from which no row is begun.
    """

    repeats: int
    budget: float
    patience: float
    pythons: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    deadline: float = math.inf

    def process(self, name: str, folder: Path, contender: str | None = None) -> Process:
        """A worker called ``name``: the contender of that name, or another."""
        return Process(name, self.pythons[contender or name], folder, self.settings)


@dataclass(frozen=True)
class RowCosts:
    """Costs of one row by contender, the forward passes timed in turn with them included."""

    row: Row
    costs: Mapping[str, Cost]


@dataclass(frozen=True)
class ProblemCosts:
    """Costs of all rows of a problem, and the versions of what was measured."""

    problem: Problem
    rows: tuple[RowCosts, ...]
    versions: Mapping[str, str]


def measure_problem(problem: Problem, rows: Iterable[Row], plan: Plan) -> ProblemCosts:
    """These rows of one problem."""
    with TemporaryDirectory(prefix="deeplift-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        save(problem, make_data(problem), folder)
        save_model(folder)
        rows = list(rows)
        theirs = ("torch_forward",) if any(row.peers for row in rows) else ()
        forwards = [
            stack.enter_context(_opened(plan.process(name, folder), None))
            for name in ("keras_forward", "engine_forward", *theirs)
            if name in plan.pythons
        ]
        for process in forwards:
            process.choose_batch_size()
        batch_sizes: dict[str, int] = {}
        costs = []
        versions: dict[str, str] = {}
        for process in forwards:
            versions.update(process.opened["versions"])
        for row in (row for row in rows if _contenders(row, plan)):
            if time.monotonic() > plan.deadline:
                _log.warning("%s: %s: not begun, no time is left", problem.name, row.title)
                continue
            _log.info("%s: %s", problem.name, row.title)
            measured, more = _measure_row(row, plan, folder, forwards, batch_sizes)
            costs.append(measured)
            versions.update(more)
        return ProblemCosts(problem, tuple(costs), versions)


def _measure_row(
    row: Row, plan: Plan, folder: Path, forwards: list[Process], batch_sizes: dict[str, int]
) -> tuple[RowCosts, dict[str, str]]:
    names = _contenders(row, plan)
    versions: dict[str, str] = {}
    with ExitStack() as stack:
        opened = [plan.process(name, folder) for name in names]
        processes = [stack.enter_context(_opened(process, row.name)) for process in opened]
        results: dict[str, Array] = {}
        for process in processes:
            versions.update(process.opened["versions"])
            if process.name not in batch_sizes:
                process.choose_batch_size()
                batch_sizes[process.name] = process.batch_size
            process.batch_size = batch_sizes[process.name]
            path = folder / f"{process.name}.npy"
            seconds = process.run(path)
            if seconds > plan.budget / 2:  # too long for a run that does not count
                process.runs.append(seconds)
            results[process.name] = np.load(path)
        differences = _compare(row, results)
        others = list(forwards)
        if row.base is not None and "engine" in names:
            base = plan.process("engine_base", folder, "engine")
            others.append(stack.enter_context(_opened(base, row.base)))
            base.choose_batch_size()
        for process in others:
            process.runs.clear()
        for process in [*others, *processes]:
            process.choose_count()
        for process in in_turns([*others, *processes], plan.repeats, plan.budget):
            process.measure(plan.patience)
        costs = {process.name: process.cost() for process in others}
        costs |= {process.name: process.cost(differences[process.name]) for process in processes}
    return RowCosts(row, costs), versions


def _contenders(row: Row, plan: Plan) -> list[str]:
    names = ("engine", *PEERS) if row.peers else ("engine",)
    return [name for name in names if name in plan.pythons]


def _compare(row: Row, results: Mapping[str, Array]) -> dict[str, float]:
    """Largest difference from the first contender, as a part of its largest contribution."""
    first, reference = next(iter(results.items()))
    scale = float(np.abs(reference).max())
    differences: dict[str, float] = {}
    for name, result in results.items():
        if result.shape != reference.shape:
            raise BenchmarkError(
                f"{row.title}: {name} gives shape {result.shape}, {first} {reference.shape}"
            )
        differences[name] = float(np.abs(result - reference).max()) / scale
        if not differences[name] <= TOLERANCE:
            raise BenchmarkError(
                f"{row.title}: {name} and {first} disagree by {differences[name]:.1e} of the "
                f"largest contribution (at most {TOLERANCE:.0e}): not the same work, not timed"
            )
    return differences


@contextmanager
def _opened(process: Process, row: str | None) -> Iterator[Process]:
    try:
        process.opened = process.ask(do="prepare", row=row)
        yield process
    finally:
        process.close()
