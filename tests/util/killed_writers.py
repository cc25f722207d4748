"""Runs that write and are killed at random moments, four at once on one target.

``python -m tests.util.killed_writers FOLDER RUNS SEED`` prints how many were killed by which
signal; an exception tells of a target that is neither old nor new, or of a file left behind.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np

from deeplift_engine.cli.console import terminable
from deeplift_engine.util import storage

AT_ONCE = 4
LONGEST = 0.03  # seconds until a run is killed: a few writes
AT_MOST = 60.0  # seconds that a busy disk may hold up an end
WAYS = ("library", "command line")


def write(path: Path, number: int) -> None:
    values = np.full((20_000,), number, "float32")
    if path.suffix == ".csv":
        storage.write_bytes(path, str(number).encode() * 20_000, overwrite=True)
    else:
        storage.write(path, {"scores": values}, {"number": number}, overwrite=True)


def assert_complete(path: Path) -> None:
    if not path.exists():
        return
    if path.suffix == ".csv":
        content = path.read_bytes()
        assert (len(content), len(set(content))) == (20_000, 1), path
    else:
        arrays, settings = storage.read(path)
        assert arrays["scores"].shape == (20_000,), path
        assert (arrays["scores"] == settings["number"]).all(), path


def start(path: Path, number: int, way: str) -> int:
    """A process that writes until it is killed, and its id."""
    child = os.fork()
    if child:
        return child
    try:
        with suppress(KeyboardInterrupt):
            if way == "library":
                while True:
                    write(path, number)
            with terminable():
                while True:
                    write(path, number)
    finally:
        os._exit(0)


def end(child: int, how: signal.Signals) -> None:
    """Send a signal until the process ended: Python drops an exception of a destructor."""
    deadline = time.monotonic() + AT_MOST
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        assert time.monotonic() < deadline, f"a writer outlives {how.name}"
        os.kill(child, how)
        time.sleep(0.02)


def main(folder: Path, runs: int, seed: int) -> Counter[str]:
    generator = random.Random(seed)
    ended: Counter[str] = Counter()
    for first in range(0, runs, AT_ONCE):
        path = folder / f"scores{('.h5', '.npz', '.csv')[first // AT_ONCE % 3]}"
        children = [
            start(path, (first + each) % 10, generator.choice(WAYS)) for each in range(AT_ONCE)
        ]
        for child in children:
            time.sleep(generator.random() * LONGEST)
            how = generator.choice((signal.SIGTERM, signal.SIGKILL))
            end(child, how)
            ended[how.name] += 1
            assert_complete(path)
        write(path, 7)
        assert_complete(path)
        left = [name for name in os.listdir(folder) if not name.startswith("scores")]
        assert not left, left
    return ended


if __name__ == "__main__":
    sys.stdout.write(f"{dict(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))}\n")
