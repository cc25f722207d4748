"""What processes of tests do with a store; ``python -m tests.jobs.worker PATH`` holds a lease."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from deeplift_engine.errors import LeasedError, OutputError
from deeplift_engine.jobs.store import Store
from tests.jobs import stores

MANY = 400  # samples, in 50 shards
READY = "ready"

Say = Callable[[str], object]


def fill(path: Path, say: Say) -> None:
    """Compute what is to do, and leave to others what they work on."""
    store = Store.open(path)
    store.clean()
    while pending := store.pending():
        for number in pending:
            try:
                with store.lease(number):
                    if not store.is_done(number):
                        stores.write(store, number)
                        say(str(number))
            except LeasedError:
                time.sleep(0.01)


def create(path: Path, say: Say) -> None:
    """Create a store, and say whether it was this process."""
    try:
        stores.create(path, MANY, constants={})
        say("created")
    except OutputError as error:
        say(f"{type(error).__name__} {error}")


def hold(path: Path, say: Say) -> None:
    """Hold the lease of shard 0 for ever."""
    with Store.open(path).lease(0):
        say("held")
        time.sleep(600)


COMMANDS = {"fill": fill, "create": create}


def run(command: str, path: Path, parent: Connection) -> None:
    """Do a command once the parent says so."""
    parent.send(READY)
    parent.recv()
    COMMANDS[command](path, parent.send)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    hold(Path(sys.argv[1]), _print)
