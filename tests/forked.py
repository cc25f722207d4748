"""Processes forked from one that has imported TensorFlow and not started it: new ones, at once.

Each has memory, signals and streams of its own, as a program has. What a program does while it
starts is for tests that start one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from typing import Any, NamedTuple

CONTEXT = multiprocessing.get_context("forkserver")
PRELOAD = ["keras", "tests.loaded_zarr", "deeplift_engine.cli", "deeplift_engine.jobs.job"]
CONTEXT.set_forkserver_preload(PRELOAD)
COMMAND = "import sys; from deeplift_engine.cli import main; sys.exit(main(sys.argv[1:]))"
"""What ``python -m deeplift_engine`` runs."""
LONGEST = 300.0
"""Seconds after which a process is taken for one that hangs."""


class Done(NamedTuple):
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Program:
    """A process that runs code, and the ends of the pipes that are its stdout and stderr."""

    process: ForkServerProcess
    streams: tuple[Connection, Connection]

    def done(self) -> Done:
        """Read what it writes, which a pipe must have room for, until it ends."""
        out, err = (_all_of(each) for each in self.streams)
        self.process.join(LONGEST)
        assert self.process.exitcode is not None, f"it hangs: {out}{err}"
        return Done(self.process.exitcode, out, err)


@contextlib.contextmanager
def program(code: str, *arguments: object) -> Iterator[Program]:
    """A process that runs code with ``sys.argv``; killed at the end of the block."""
    pipes = [CONTEXT.Pipe(duplex=False) for _ in range(2)]
    (out, out_there), (err, err_there) = pipes
    process = CONTEXT.Process(
        target=_become, args=(code, [str(each) for each in arguments], out_there, err_there)
    )
    process.start()
    for there in (out_there, err_there):
        there.close()
    try:
        yield Program(process, (out, err))
    finally:
        process.kill()
        process.join()
        for here in (out, err):
            here.close()


def run(code: str, *arguments: object) -> Done:
    """Run code with ``sys.argv`` in a process of its own."""
    with program(code, *arguments) as running:
        return running.done()


def _become(code: str, arguments: list[str], out: Connection, err: Connection) -> None:
    for number, stream in enumerate((out, err), 1):
        os.dup2(stream.fileno(), number)
        stream.close()
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})


def _all_of(stream: Connection) -> str:
    """What is written to a pipe until nobody holds its other end."""
    parts = list[bytes]()
    while part := os.read(stream.fileno(), 1 << 16):
        parts.append(part)
    return b"".join(parts).decode()


@contextlib.contextmanager
def workers(count: int) -> Iterator[Any]:
    """The client of a Dask cluster whose workers are such processes."""
    import dask
    import distributed  # noqa: F401  # its own configuration first: leaving ours would drop it

    from deeplift_engine.jobs import cluster

    ensure_running()  # before Dask names all that it would have imported
    method = {"distributed.worker.multiprocessing-method": "forkserver"}
    with dask.config.set(method), cluster.local_cluster(count) as client:
        yield client
