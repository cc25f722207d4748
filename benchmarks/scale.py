"""What a run of any length costs beside one in memory: time, memory, disk, bookkeeping.

    python -m benchmarks.scale

measures each in processes of its own and prints a Markdown table; ``--row NAME`` measures one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.architectures import DILATED, GENOMICS, build_keras, make_weights
from benchmarks.process import CHECKOUT
from deeplift_engine.util.onednn import prefer_onednn

KEPT = ("hypothetical", "inputs")
MANY, FEW, LENGTH, REFERENCES = 100_000, 2_000, 500, 20
TURNS, HEAD_TURNS = 3, 6
START = 30
"""Seconds from the start of a process to its first shard, generously."""
Numbers = Mapping[str, float]
Named = tuple[str, int, Numbers]


def write_sequences(folder: Path, samples: int, length: int) -> None:
    """``inputs.npy``, int8 (samples, length, 4), a block at a time."""
    file = np.lib.format.open_memmap(folder / "inputs.npy", "w+", "int8", (samples, length, 4))
    random, letters = np.random.default_rng(0), np.eye(4, dtype="int8")
    for start in range(0, samples, 1024):
        rows = min(1024, samples - start)
        file[start : start + rows] = letters[random.integers(0, 4, (rows, length))]


def sequences(folder: Path) -> Any:
    """The inputs, of which slices are read."""
    return np.load(folder / "inputs.npy", mmap_mode="r")


def explainer_of(folder: Path, method: str = "deeplift") -> Any:
    import deeplift_engine as de

    return de.load(folder / "model.h5").explainer(method, target="logits")


def arguments(count: int) -> dict[str, Any]:
    import deeplift_engine as de

    return {"references": de.references.dinucleotide_shuffle(count), "target": 0}


def peak() -> float:
    """MiB of this process at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def job_of(folder: Path, count: int, dtype: str = "float16") -> Any:
    from deeplift_engine.jobs.job import Job

    explainer = explainer_of(folder)
    return Job(explainer, sequences(folder), arrays=KEPT, dtype=dtype, **arguments(count))


# ---------------------------------------------------------------- what child processes do


def memory(folder: Path, samples: int) -> Numbers:
    """The peak of a run into a store, and of one in memory where there are few samples."""
    job = job_of(folder, REFERENCES)
    job.run(job.create(folder / "run.zarr"))
    return {"peak": peak()}


def memory_of_run(folder: Path, samples: int) -> Numbers:
    """The peak of a run in memory."""
    explainer_of(folder).run(np.array(sequences(folder)), **arguments(REFERENCES))
    return {"peak": peak()}


def memory_of_long(folder: Path, samples: int) -> Numbers:
    """The peak of inputs of 100,000 positions within 3 GiB, on a network of any length."""
    from deeplift_engine.jobs.job import Job

    explainer = explainer_of(folder)
    job = Job(explainer, sequences(folder), arrays=KEPT, memory=3 << 30, **arguments(2))
    job.run(job.create(folder / "long.zarr"))
    return {"peak": peak()}


def speed(folder: Path, samples: int) -> Numbers:
    """Seconds of a run in memory and of one into a store, and the bytes of both files."""
    explainer, seconds = explainer_of(folder), {"run": [], "store": []}
    explainer.run(sequences(folder)[:64], **arguments(REFERENCES))
    for turn in range(TURNS):
        start = time.perf_counter()
        result = explainer.run(np.load(folder / "inputs.npy"), **arguments(REFERENCES))
        seconds["run"].append(time.perf_counter() - start)
        job = job_of(folder, REFERENCES)
        store = job.create(folder / f"{turn}.zarr")
        start = time.perf_counter()
        job.run(store)
        seconds["store"].append(time.perf_counter() - start)
    result.save(folder / "scores.h5", hypothetical=True)
    size = sum(path.stat().st_size for path in (folder / "0.zarr").rglob("*") if path.is_file())
    return {
        **{name: min(each) for name, each in seconds.items()},
        "bytes": size / (folder / "scores.h5").stat().st_size,
    }


def bookkeeping(folder: Path, samples: int) -> Numbers:
    """Seconds of a run whose method costs nothing: what reading, marking and writing cost."""
    from deeplift_engine.jobs.array_plan import ArrayPlan
    from deeplift_engine.jobs.store import Store

    start = time.perf_counter()
    plans = [ArrayPlan("scores", (4,), "float16", ("letter",))]
    store = Store.create(folder / "dry.zarr", samples, 512, 512, plans, {"run": {}, "threads": 1})
    values = np.ones((512, 4), "float32")
    for number in range(store.shards):
        rows = store.rows(number)
        with store.lease(number):
            store.write(number, {"scores": values[: rows.stop - rows.start]}, {"seconds": 0})
    assert not store.pending()
    return {"seconds": time.perf_counter() - start}


def workers(folder: Path, samples: int) -> Numbers:
    """Samples a second of one process with all cores, and of two processes."""
    from deeplift_engine.jobs import cluster
    from deeplift_engine.jobs.threads import usable_cores

    found = {}
    for count in (1, 2):
        env = {"TF_NUM_INTRAOP_THREADS": str(usable_cores() // count)}
        store = folder / f"workers{count}.zarr"
        code = (
            f"from benchmarks.scale import *; job_of(Path({str(folder)!r}), {REFERENCES})"
            f".create({str(store)!r})"
        )
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **env}, check=True)
        with cluster.local_cluster(count) as client:
            recipe = Recipe(folder)
            cluster.run_on(client, recipe, store, range(count))  # starts TensorFlow
            start = time.perf_counter()
            cluster.run_on(client, recipe, store)
            found[f"workers {count}"] = time.perf_counter() - start
    return found


def heads(folder: Path, samples: int) -> Numbers:
    """A run of both of two heads beside a run of each: quotients, least of turns."""
    import deeplift_engine as de

    network = de.load(folder / "model.h5")
    logits = network.target_node("logits")
    first, second = f"{logits}:0", f"{logits}:1"
    targets = {"first": first, "second": second, "both": {"a": first, "b": second}}
    runs = {name: network.explainer(target=target) for name, target in targets.items()}
    inputs, references = np.load(folder / "inputs.npy"), arguments(REFERENCES)["references"]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for turn in range(1 + HEAD_TURNS):
        for name, explainer in runs.items():
            start = time.process_time(), time.perf_counter()
            explainer.run(inputs, references=references)
            end = time.process_time(), time.perf_counter()
            if turn:  # the first compiles
                taken[name].append((end[0] - start[0], end[1] - start[1]))
    least = {name: np.min(each, axis=0) for name, each in taken.items()}
    processor, wall = least["both"] / (least["first"] + least["second"])
    return {"processor": processor, "wall": wall}


class Recipe:
    """Makes the job on a worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self) -> Any:
        return job_of(self.folder, REFERENCES)


# ---------------------------------------------------------------- rows


def measured(
    work: Callable[..., Numbers],
    samples: int,
    network: str = "genomics",
    length: int = GENOMICS.length,
) -> Numbers:
    """What ``work`` gives in a process of its own, of sequences of a length."""
    with tempfile.TemporaryDirectory(prefix="deeplift-scale-") as name:
        code = (
            "import json, sys; from pathlib import Path; from benchmarks import scale\n"
            f"folder = Path({name!r}); scale.save_model(folder, {network!r}, {length})\n"
            f"scale.write_sequences(folder, {samples}, {length})\n"
        )
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, check=True)
        code = (
            "import json; from pathlib import Path; from benchmarks import scale\n"
            f"print(json.dumps(scale.{work.__name__}(Path({name!r}), {samples})))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, check=True,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def save_model(folder: Path, network: str, length: int) -> None:
    """The network of a row as ``model.h5``; ``"free"`` takes any length."""
    import keras
    from keras import layers

    if network in ("genomics", "dilated"):
        architecture = {"genomics": GENOMICS, "dilated": DILATED}[network]
        build_keras(architecture, make_weights(architecture, 0)).save(folder / "model.h5")
        return
    keras.utils.set_random_seed(0)
    keras.Sequential(
        [
            keras.Input((None if network == "free" else length, 4)),
            layers.Conv1D(8, 11, activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1),
        ]
    ).save(folder / "model.h5")


def row_memory() -> str:
    many, few = (measured(memory, count, "small", LENGTH)["peak"] for count in (MANY, FEW))
    run = measured(memory_of_run, 100, "small", LENGTH)["peak"]
    return (
        f"peak of {MANY:,} sequences of {LENGTH} bp x {REFERENCES} references: {many:,.0f} MiB; of "
        f"{FEW:,}: {few:,.0f} MiB ({many / few:.2f} x); of 100 in memory: {run:,.0f} MiB "
        f"({many / run:.2f} x)"
    )


def row_long() -> str:
    found = measured(memory_of_long, 8, "free", 100_000)["peak"]
    return f"peak of inputs of 100,000 positions, asked to stay within 3,072 MiB: {found:,.0f} MiB"


def planned(rate: float) -> str:
    """How long a million samples take at a number of pairs a second, if workers do not wait."""
    hours = 1_000_000 * REFERENCES / rate / 3600
    alone, ten, hundred = (f"{hours / workers + START / 3600:,.2f}" for workers in (1, 10, 100))
    return (
        f"{rate:,.0f} pairs a second, so a million x {REFERENCES} in {alone} hours, {ten} on ten "
        f"such machines and {hundred} on a hundred"
    )


def of_networks(work: Callable[..., Numbers], genomics: int, dilated: int) -> list[Named]:
    """What ``work`` gives of both networks, of so many sequences of their lengths."""
    return [
        ("genomics", genomics, measured(work, genomics, "genomics", GENOMICS.length)),
        ("dilated", dilated, measured(work, dilated, "dilated", DILATED.length)),
    ]


def row_speed() -> str:
    return "; ".join(
        f"{network}: streamed into a store at {found['run'] / found['store']:.2f} x the speed "
        f"of a run in memory; the store has {found['bytes']:.2f} x the bytes of its file; "
        + planned(samples * REFERENCES / found["store"])
        for network, samples, found in of_networks(speed, 2048, 96)
    )


def row_bookkeeping() -> str:
    small, large = (measured(bookkeeping, count)["seconds"] for count in (250_000, 1_000_000))
    return (
        f"a million samples without any work: {large:,.1f} s; a quarter of them {small:,.1f} s "
        f"({large / small:.1f} x)"
    )


def row_workers() -> str:
    found = measured(workers, 6144)
    return (
        f"two workers at {found['workers 1'] / found['workers 2']:.2f} x the speed of one process "
        "with both cores"
    )


def row_heads() -> str:
    return "; ".join(
        f"{network}: two heads in one run take {found['wall']:.2f} x the time of two runs "
        f"({found['processor']:.2f} x by processor time)"
        for network, _, found in of_networks(heads, 256, 8)
    )


ROWS: dict[str, Callable[[], str]] = {
    "memory": row_memory,
    "long": row_long,
    "speed": row_speed,
    "bookkeeping": row_bookkeeping,
    "workers": row_workers,
    "heads": row_heads,
}


def main() -> int:
    """Print a line for each row."""
    prefer_onednn()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--row", choices=ROWS, action="append")
    for name in parser.parse_args().row or ROWS:
        print(f"- {name}: {ROWS[name]()}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
