"""Where this library's time goes, operation by operation, from TensorFlow's own profiler."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contenders import BY_DEFAULT, Setting
from benchmarks.process import CHECKOUT, BenchmarkError, environment, save_model
from benchmarks.work import Problem, Row, load, make_data, save

BREAKDOWN_NOTES = """\
The engine's own time by kind of operation, from TensorFlow's profiler, in the fastest of five
profiled runs. The forward convolutions include their bias and ReLU, which oneDNN computes in the
same pass. The transposed ones carry the multipliers back, one pass for each pair and target, and
are the floor that no rearrangement removes. What XLA fuses is the Rescale slope of each ReLU
times the multipliers, and in the end the contributions and their mean over the references: each
is bound by memory, not by arithmetic."""
RUNS = 5
KINDS = {
    "convolutions forward": ("FusedConv2D",),
    "convolutions transposed": ("Conv2D", "Conv2DBackpropInput"),
    "other linear": ("MatMul", "FusedMatMul", "BatchMatMulV2", "AvgPool", "AvgPoolGrad", "Mean"),
    "elementwise, fused (XLA)": ("FusedByXla",),
    "elementwise, one by one": (
        *("Relu", "LeakyRelu", "BiasAdd", "Mul", "AddV2", "Sub", "RealDiv", "DivNoNan", "Abs"),
        *("SelectV2", "Maximum", "Minimum", "Greater", "Less", "Equal", "Square", "AddN", "Neg"),
    ),
    "copies": (
        *("Pad", "PadV2", "Transpose", "ConcatV2", "Tile", "BroadcastTo", "StridedSlice", "Slice"),
        *("GatherV2", "Pack", "Split", "SplitV", "SpaceToBatchND", "BatchToSpaceND", "Cast"),
    ),
}
OTHER = "other operations"
OUTSIDE = "outside operations (Python, copies in and out, waiting)"
_OPERATION = re.compile(r"[^:\s]+:(_*[A-Z]\w*)")
_FUSED = "CpuExecutable::ExecuteAsyncOnStream"  # XLA's own name for running what it compiled
_MARKS = ("_MklNative", "_Mkl", "_Xla", "_")


def breakdown(problem: Problem, rows: Iterable[Row]) -> str:
    """A table a row, printed by a process of its own that has only this library in it."""
    sections = [f"### {problem.architecture.title}: where the time goes"]
    with TemporaryDirectory(prefix="deeplift-benchmark-") as name:
        folder = Path(name)
        save(problem, make_data(problem), folder)
        save_model(folder)
        for row in rows:
            command = [sys.executable, "-m", "benchmarks.breakdown", str(folder), row.name]
            options: dict[str, Any] = {"cwd": CHECKOUT, "env": environment()}
            done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
            if done.returncode:
                raise BenchmarkError(f"{row.title}: {done.stderr.strip()[-500:]}")
            sections.append(f"{row.title}\n\n{_table(json.loads(done.stdout.splitlines()[-1]))}")
    return "\n\n".join(sections)


def _table(found: dict[str, Any]) -> str:
    wall = found["wall"]
    lines = ["| kind | time | share | calls | largest |", "| --- | --- | --- | --- | --- |"]
    for kind, (seconds, calls, largest) in found["kinds"].items():
        share = f"{seconds / wall:.0%}"
        lines.append(f"| {kind} | {seconds * 1e3:.1f} ms | {share} | {calls} | {largest} |")
    lines.append(f"| **one run** | {wall * 1e3:.1f} ms | 100% | | |")
    return "\n".join(lines)


def profile(folder: Path, row_name: str) -> dict[str, Any]:
    """Seconds, calls and the largest operation of each kind in the fastest of some runs."""
    import tensorflow as tf

    from benchmarks.engine import engine

    problem, data = load(folder)
    threads = len(os.sched_getaffinity(0))
    row = next(row for row in problem.rows if row.name == row_name)
    prepared = engine(Setting(problem, data, folder / "model.h5", threads), row)
    prepared.run(BY_DEFAULT)
    best: dict[str, Any] = {"wall": float("inf")}
    for number in range(RUNS):
        log = folder / f"profile-{row_name}-{number}"
        options = tf.profiler.experimental.ProfilerOptions(
            host_tracer_level=2, python_tracer_level=0
        )
        with tf.profiler.experimental.Profile(str(log), options):
            start = time.perf_counter()
            prepared.run(BY_DEFAULT)
            wall = time.perf_counter() - start
        if wall < best["wall"]:
            best = {"wall": wall, "log": log}
    operations = _operations(next(best["log"].rglob("*.xplane.pb")))
    return {"wall": best["wall"], "kinds": _by_kind(operations, best["wall"])}


def _operations(path: Path) -> list[tuple[str, float]]:
    """(operation, seconds) of each that TensorFlow ran: it names them `node:Operation`."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(path.read_bytes())
    found = []
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                if name == _FUSED:
                    found.append(("FusedByXla", event.duration_ps * 1e-12))
                elif match := _OPERATION.fullmatch(name):
                    found.append((match[1], event.duration_ps * 1e-12))
    return found


def _by_kind(operations: list[tuple[str, float]], wall: float) -> dict[str, Any]:
    kind_of = {operation: kind for kind, names in KINDS.items() for operation in names}
    kinds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for operation, seconds in operations:
        plain = _plain(operation)
        kinds[kind_of.get(plain, OTHER)][plain].append(seconds)
    table: dict[str, Any] = {}
    for kind in (*KINDS, OTHER):
        sums = {name: sum(times) for name, times in kinds[kind].items()}
        if sums:
            calls = sum(map(len, kinds[kind].values()))
            table[kind] = (sum(sums.values()), calls, max(sums, key=sums.__getitem__))
    inside = sum(row[0] for row in table.values())
    table[OUTSIDE] = (max(0.0, wall - inside), "", "")
    return table


def _plain(operation: str) -> str:
    """oneDNN's and XLA's variants of an operation under its own name."""
    for mark in _MARKS:
        operation = operation.removeprefix(mark)
    return operation


if __name__ == "__main__":
    print(json.dumps(profile(Path(sys.argv[1]), sys.argv[2])))
