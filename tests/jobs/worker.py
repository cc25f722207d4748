"""Processes of tests: ``python -m tests.jobs.worker fill|create|hold PATH``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from deeplift_engine.errors import LeasedError, OutputError
from deeplift_engine.jobs.store import Store
from tests.jobs import stores

MANY = 400  # samples, in 50 shards


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def fill(path: Path) -> None:
    """Compute what is to do, and leave to others what they work on."""
    store = Store.open(path)
    store.clean()
    while pending := store.pending():
        for number in pending:
            try:
                with store.lease(number):
                    if not store.is_done(number):
                        stores.write(store, number)
                        say(number)
            except LeasedError:
                time.sleep(0.01)


def create(path: Path) -> None:
    """Create a store, and say whether it was this process."""
    try:
        stores.create(path, MANY, constants={})
        say("created")
    except OutputError as error:
        say(type(error).__name__, error)


def hold(path: Path) -> None:
    """Hold the lease of shard 0 for ever."""
    with Store.open(path).lease(0):
        say("held")
        time.sleep(600)


def main() -> None:
    command, path = sys.argv[1:]
    import zarr  # noqa: F401

    say("ready")
    sys.stdin.readline()
    {"fill": fill, "create": create, "hold": hold}[command](Path(path))


if __name__ == "__main__":
    main()
