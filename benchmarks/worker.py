"""One contender in a process of its own, which does its work once for each line it is sent.

``python -m benchmarks.worker CONTENDER FOLDER`` reads requests, one JSON object a line, from
standard input and answers each on standard output. A process a contender lets torch and
TensorFlow be measured side by side, gives each its own peak of memory and, since only one of
them is ever asked at a time, lets the repeats of all be interleaved.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import CONTENDERS, DEVICE, Prepared, Setting
from benchmarks.work import load

KIB_PER_MIB = 1024


class Worker:
    """Answers requests: ``prepare`` a row, ``run`` it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.contender = CONTENDERS[name]
        problem, data = load(folder)
        threads = len(os.sched_getaffinity(0))
        device = os.environ.get(DEVICE, "cpu")
        self.setting = Setting(problem, data, folder / "model.h5", threads, device)
        self.prepared: Prepared | None = None
        for module in self.contender.imports:
            importlib.import_module(module)
        self.bare = _memory("VmRSS")

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked."""
        if request["do"] == "prepare":
            return self.prepare(request["row"])
        return self.run(request["batch_size"], request["count"], request["save"])

    def prepare(self, row_name: str | None) -> dict[str, Any]:
        """Open the libraries and the model; ``row_name`` is None for a forward pass."""
        rows = {row.name: row for row in self.setting.problem.rows}
        function = getattr(importlib.import_module(self.contender.module), self.contender.function)
        self.prepared = function(self.setting, rows.get(row_name or ""))
        return {
            "batch_sizes": self.prepared.batch_sizes,
            "versions": {package: version(package) for package in self.contender.packages},
            "bare": self.bare,
            "memory": _memory("VmRSS"),
        }

    def run(self, batch_size: int, count: int, save: str | None) -> dict[str, Any]:
        """Do the work ``count`` times; ``save`` names the file for what came out."""
        assert self.prepared is not None
        _reset_peak()
        processor, start = time.process_time(), time.perf_counter()
        for _ in range(count):
            result = self.prepared.run(batch_size)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        peak = _memory("VmHWM")
        if save is not None:
            np.save(save, self.prepared.positions(result))
        return {"seconds": seconds / count, "processor": processor / count, "peak": peak}


def _memory(field: str) -> float:
    """MiB of this process: ``VmRSS`` now, ``VmHWM`` at most since the last reset."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # no such file outside Linux: the most there ever was
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / KIB_PER_MIB


def _reset_peak() -> None:
    """Let ``VmHWM`` start again, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def main(arguments: list[str]) -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    warnings.filterwarnings("ignore")
    name, folder = arguments
    worker = Worker(name, Path(folder))
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Exception as error:  # whatever it is, the parent says it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
