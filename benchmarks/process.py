"""The processes of the contenders, seen from the one that measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS

QUIET, QUIET_FOR = 0.1, 0.2  # the share of the cores that others may use, and seconds of it
WARM_UP = 2.0  # seconds: what takes longer is not changed much by a first run
CHOOSING = 3  # runs at each batch size, the first not counted
SAMPLE = 0.5
"""Seconds of a timed sample, of as many runs as it takes: a machine whose speed changes would give
what is short its fastest moments, and what is long their mean."""
CHECKOUT = Path(__file__).resolve().parent.parent


class BenchmarkError(RuntimeError):
    """A contender failed, or disagrees with the others."""


@dataclass(frozen=True)
class Cost:
    """What a contender took.

    ``seconds`` and ``processor`` (of all threads together) are those of a run in its best of so
    many ``samples``, ``peak``
    and ``idle`` MiB at most and before the first run; ``difference`` from the engine's result.
    """

    seconds: float
    processor: float
    samples: int
    batch_size: int
    peak: float
    idle: float
    difference: float | None = None


class Process:
    """A worker: one contender, told what to do line by line, in an environment of ``settings``."""

    def __init__(
        self, name: str, python: str, folder: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.folder = name, folder
        self.runs: list[float] = []
        self.processor: list[float] = []
        self.peak = 0.0
        self._log = (folder / f"{name}.log").open("a")
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=CHECKOUT,
            env={**environment(), **(settings or {})},
        )
        self.opened: dict[str, Any] = {}
        self.batch_size = 0
        self.count = 1

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the worker is gone; what it last said is in its log
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise BenchmarkError(f"{self.name}: {answer['error']}")
        return answer

    def run(self, save_as: Path | None = None) -> float:
        """``count`` runs in a row at the chosen batch size; seconds of one."""
        saved = None if save_as is None else str(save_as)
        answer = self.ask(do="run", batch_size=self.batch_size, count=self.count, save=saved)
        self.peak = max(self.peak, answer["peak"])
        self.processor.append(answer["processor"])
        return float(answer["seconds"])

    def measure(self, patience: float) -> None:
        """One sample, after a wait of at most ``patience`` seconds for quiet."""
        wait_for_quiet(patience)
        self.runs.append(self.run())

    def choose_batch_size(self) -> None:
        """Take the fastest of those the contender offers, the best of some runs in turns.

        The first runs warm up; where they take long they stand for themselves.
        """
        seconds: dict[int, float] = {}
        sizes = list(dict.fromkeys(self.opened["batch_sizes"]))
        for turn in range(1 + CHOOSING):
            for size in sizes:
                if seconds.get(size, 0.0) > WARM_UP:
                    continue
                self.batch_size = size
                taken = self.run()
                seconds[size] = taken if turn < 2 else min(taken, seconds[size])
        self.batch_size = min(seconds, key=seconds.__getitem__)
        self.peak = 0.0

    def choose_count(self) -> None:
        """Take as many runs to a sample as fill it."""
        if not self.runs:  # or it is too long for a run that does not count
            self.count = max(1, round(SAMPLE / self.run()))

    def cost(self, difference: float | None = None) -> Cost:
        """The fastest of the samples so far."""
        idle = float(self.opened["memory"])
        samples = len(self.runs)
        processor = min(self.processor[-samples:])
        return Cost(
            min(self.runs), processor, samples, self.batch_size, self.peak, idle, difference
        )

    def close(self) -> None:
        """End the worker."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._log.close()

    def _last_words(self) -> str:
        lines = (self.folder / f"{self.name}.log").read_text().strip().splitlines()
        return "its process ended; it last said: " + " / ".join(lines[-3:])


def in_turns(processes: Iterable[Process], repeats: int, budget: float) -> Iterator[Process]:
    """A, B, C, A, B, C …: what else the machine does then meets all of them alike.

    Each so many times, fewer once it has used ``budget`` seconds.
    """
    processes = list(processes)
    for _ in range(repeats):
        for process in processes:
            if not process.runs or sum(process.runs) * process.count < budget:
                yield process


def wait_for_quiet(patience: float) -> None:
    """Return once other processes leave the cores alone, or when patience is at its end."""
    end = time.monotonic() + patience
    while time.monotonic() < end and _busy(QUIET_FOR) > QUIET:
        pass


def _busy(seconds: float) -> float:
    """Share of all cores that is in use, now and for so long; 0 where the system does not say."""

    def counts() -> tuple[int, int]:
        fields = [
            int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]
        ]
        return sum(fields), fields[3] + fields[4]  # all, and of these idle and waiting for disks

    try:
        total, idle = counts()
        time.sleep(seconds)
        total_then, idle_then = counts()
    except OSError:
        return 0.0
    return 1 - (idle_then - idle) / max(1, total_then - total)


def environment() -> dict[str, str]:
    """The same for all: every core for every library, no chatter."""
    threads = str(len(os.sched_getaffinity(0)))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    return {**os.environ, **quiet, "OMP_NUM_THREADS": threads}


def save_model(folder: Path) -> None:
    """Build the problem's Keras model, in a process of its own: TensorFlow stays out of this."""
    command = [sys.executable, "-m", "benchmarks.engine", str(folder)]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"the model was not saved: {done.stderr.strip()[-500:]}")


def available(python: str) -> list[str]:
    """Contenders whose packages that interpreter has."""
    packages = {name: CONTENDERS[name].packages for name in CONTENDERS}
    code = (
        "import importlib.metadata as m, json, sys\n"
        "installed = {d.name.lower() for d in m.distributions()}\n"
        "print(json.dumps([n for n, p in json.loads(sys.argv[1]).items() if {*p} <= installed]))"
    )
    done = subprocess.run(
        [python, "-c", code, json.dumps(packages)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchmarkError(f"{python}: {done.stderr.strip()[-500:]}")
    found: list[str] = json.loads(done.stdout)
    return found
