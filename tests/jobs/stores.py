"""Small stores for tests: values that depend on their sample, so that a wrong row shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deeplift_engine.jobs.store import ArrayPlan, Store

SAMPLES, SHARD, CHUNK = 22, 8, 4
PLANS = (
    ArrayPlan("scores", (5, 4), "float32", ("position", "letter")),
    ArrayPlan("counts/scores", (3,), "float16", ("bin",)),
    ArrayPlan("inputs", (5, 4), "int8", ("position", "letter")),
    ArrayPlan("predictions", (), "float64", ()),
    ArrayPlan("flag", (), "bool", ()),
    ArrayPlan("note", (), "str", ()),
)
SETTINGS = {"method": "deeplift", "target": 0, "nested": {"rules": ["rescale", 1.5, None]}}
CONSTANTS = {
    "name": np.array([f"chr1:{row}" * (row + 1) for row in range(SAMPLES)]),
    "start": np.arange(SAMPLES) * 1000,
    "letter": np.array(list("ACGT")),
}


def create(path: Path, samples: int = SAMPLES, **changes: object) -> Store:
    options: dict[str, object] = {"plans": PLANS, "settings": SETTINGS, "constants": CONSTANTS}
    return Store.create(path, samples, SHARD, CHUNK, **{**options, **changes})


def values(rows: slice) -> dict[str, np.ndarray]:
    """What the shard of these samples holds, the same at every call."""
    sample = np.arange(rows.start, rows.stop)
    random = np.array([np.random.default_rng(row).normal(size=(5, 4)) for row in sample])
    return {
        "scores": random.astype(np.float32) * (sample % 5 != 0)[:, None, None],
        "counts/scores": random[:, :3, 0].astype(np.float16),
        "inputs": np.eye(4, dtype=np.int8)[(sample[:, None] + np.arange(5)) % 4],
        "predictions": sample + 0.25,
        "flag": sample % 3 == 0,
        "note": np.array([f"sample {row} ☃" * (row % 3) for row in sample]),
    }


def write(store: Store, number: int) -> None:
    store.write(number, values(store.rows(number)), {"seconds": 1.5})


def fill(store: Store) -> Store:
    for number in range(store.shards):
        write(store, number)
    return store
