"""The commands of runs that go into a store: score one, tell how far it is, and merge."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deeplift_engine.cli import arguments, console, sequence_inputs
from deeplift_engine.cli.declarations import STORED
from deeplift_engine.cli.listing import print_json, print_lines
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.shards import Share
from deeplift_engine.results.head_results import target_in_words
from deeplift_engine.util.array_files import open_array
from deeplift_engine.util.named_inputs import told_by
from deeplift_engine.util.progress import bar, lines

if TYPE_CHECKING:
    from deeplift_engine.jobs.job import Job
    from deeplift_engine.jobs.sharded_job import Report, ShardedJob

J = TypeVar("J", bound="ShardedJob")
STORE = ".zarr"
RUN_AGAIN = 75  # sysexits.h: a temporary failure
FAILED_SHOWN = 20
_NOT_OF_A_STORE = {
    "overwrite": "--overwrite",
    "hypothetical": "--hypothetical (say --arrays hypothetical)",
    "hypothetical_axis": "--hypothetical-axis",
}


def is_store(path: Path) -> bool:
    """Whether an output is a store, by its name."""
    return path.suffix.lower() == STORE


def refuse_options_of_a_store(options: argparse.Namespace) -> None:
    """Refuse what means something to a store alone, where the output is a file."""
    for option in STORED.options:
        flag = option.flags[-1]
        if vars(options).get(flag.lstrip("-").replace("-", "_")) not in (None, False, []):
            raise InputError(f"{flag} is for an output that ends in {STORE}: say -o run{STORE}")


def score(options: argparse.Namespace) -> int:
    """Score into a store: all shards that are not done, or a share of them."""
    return into_store(options, job_of, _of_scores)


Make = Callable[[argparse.Namespace], "J"]
"""Makes the job that the options of a command describe, here or on a worker: of a module."""


def into_store(
    options: argparse.Namespace, make: Make[J], about: Callable[[J], dict[str, Any]]
) -> int:
    """Do a job into the store of ``--output``, and print ``about`` it and what was done."""
    for name, flag in _NOT_OF_A_STORE.items():
        if vars(options).get(name):
            raise InputError(f"{flag} is for one file, and {options.output} is a store")
    path, share = options.output, options.shard or Share()
    if path.exists() and not (options.resume or options.shard):
        raise OutputError(
            f"{path} exists already: say --resume to do what is not done of it, or name another"
        )
    _pin_threads(options)
    job = make(options)
    store = job.open_or_create(path)
    store.clean()
    numbers = share.of(store.shards)
    todo = [number for number in numbers if not store.is_done(number)]
    waiting = sum(rows.stop - rows.start for rows in map(store.rows, todo))
    with stopping() as asked, _progress(waiting, options.quiet) as tick:
        if options.workers or options.scheduler:
            recipe = partial(job_of_command, make, options.again, os.getcwd())
            report = _on_cluster(options, recipe, numbers, asked, tick)
        else:
            report = job.run(store, numbers, stopping=asked, tick=tick)
    summary = {"written": str(path), **about(job), "samples": job.samples}
    return _told(report, summary, share, numbers, options)


def job_of(options: argparse.Namespace) -> Job:
    """The job that the options of ``score`` describe, here or on a worker."""
    console.postpone_tensorflow()
    from deeplift_engine.explainers.catalogue import find
    from deeplift_engine.jobs.job import Job

    chosen = arguments.method_options(options, find(options.method))
    network, explainer, units = arguments.explainer(options, chosen)
    inputs = arguments.inputs(options, network, open_array)
    return Job(
        explainer,
        inputs,
        arrays=options.arrays or None,
        dtype=options.stored_dtype or "float32",
        shard=options.shard_size,
        memory=options.memory,
        source=str(options.inputs),
        **told_by(inputs),
        **arguments.scoring_options(options, network, units, inputs),
    )


def job_of_command(
    make: Make[ShardedJob], options: Callable[[], argparse.Namespace], folder: str
) -> ShardedJob:
    """The job of a command that was given in ``folder``: what workers are sent."""
    os.chdir(folder)
    return make(options())


def _on_cluster(
    options: argparse.Namespace,
    recipe: Callable[[], ShardedJob],
    numbers: list[int],
    stopping: Callable[[], bool],
    tick: Callable[[int], object],
) -> Report:
    """The run on workers: of this machine, of SLURM, or of a cluster that runs."""
    from deeplift_engine.jobs import cluster

    if options.scheduler:
        workers = cluster.existing_cluster(options.scheduler)
    elif options.slurm:
        workers = cluster.slurm_cluster(options.workers)
    else:
        workers = cluster.local_cluster(options.workers)
    with workers as client:
        return cluster.run_on(client, recipe, options.output, numbers, stopping=stopping, tick=tick)


def _pin_threads(options: argparse.Namespace) -> None:
    """Threads and kernels as the store says, or the user; of workers, each its share of cores."""
    from deeplift_engine.jobs.store import Store
    from deeplift_engine.jobs.threads import pin, pin_threads, usable_cores

    here = None if options.scheduler or options.slurm else options.workers
    chosen = options.threads or (max(1, usable_cores() // here) if here else None)
    if options.output.exists():
        settings = Store.open(options.output).settings
        stored = int(settings["threads"])
        if options.threads not in (None, stored):
            raise InputError(
                f"--threads {options.threads}: {options.output} is a run of {stored} threads, and "
                "another number changes the last bits: leave the option out"
            )
        pin(settings)
    elif chosen is not None:
        pin_threads(chosen)


def status(options: argparse.Namespace) -> int:
    """Tell what of a run is done, how fast it goes and what failed."""
    from deeplift_engine.jobs.status import status_of

    state = status_of(options.store)
    if options.json:
        print_json(state.to_json())
    else:
        console.say(str(state))
    return 0 if state.complete else RUN_AGAIN


def merge(options: argparse.Namespace) -> int:
    """Put stores of one run together that were filled in different places."""
    from deeplift_engine.jobs.merge import merge as merge_stores

    store = merge_stores(options.stores, options.output)
    print_lines({"written": str(options.output), **_how_far(store.shards, store.pending())})
    return 0


def _of_scores(job: Job) -> dict[str, Any]:
    """What a job scores, for the summary."""
    run = job.description["run"]
    return {
        "method": run["method"],
        "target": target_in_words(run),
        "references": run["references"],
        **sequence_inputs.records_in_words(job.constants),
    }


def _told(
    report: Report,
    summary: dict[str, Any],
    share: Share,
    numbers: list[int],
    options: argparse.Namespace,
) -> int:
    """Print what was done, and return the exit code."""
    left = sorted(set(report.pending) & set(numbers))
    counted = summary.get("skipped", ())
    failed = {sample: why for sample, why in report.failed.items() if why not in counted}
    summary |= _how_far(len(numbers), left)
    if share.count > 1:
        summary["share"] = f"{share.number}/{share.count}"
    if report.skipped:
        summary["left to other processes"] = len(report.skipped)
    if options.json:
        print_json({**summary, "failed": {str(n): why for n, why in failed.items()}})
    else:
        print_lines(summary)
    for sample, reason in list(failed.items())[:FAILED_SHOWN]:
        console.complain("warning", f"sample {sample} has no scores: {reason}")
    if len(failed) > FAILED_SHOWN:
        console.complain("warning", f"{len(failed)} samples in all have no scores")
    if left:
        console.complain("note", f"{len(left)} shards are left: run the same again with --resume")
    return RUN_AGAIN if left else 0


def _how_far(shards: int, left: list[int]) -> dict[str, Any]:
    return {"shards": shards, "done": shards - len(left)}


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or SIGINT came; a second one ends the program at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # which alone handles signals
        yield asked.is_set
        return

    def stop(number: int, _: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        console.complain("note", "ending when the present shard is written; again: at once")
        asked.set()

    kinds = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, stop) for number in kinds}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(samples: int, quiet: bool) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal, a line a minute elsewhere."""
    shown = bar if sys.stderr.isatty() or quiet else lines
    with shown(samples, not quiet, " samples") as tick:
        yield tick


__all__ = ["RUN_AGAIN", "into_store", "is_store", "merge", "score", "status"]
