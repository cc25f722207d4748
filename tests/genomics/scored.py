"""Small stores of windows on a made genome, scored by a tiny network, for tests of exports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import deeplift_engine as de
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.store import Store

LENGTH = 24
SIZES = {"chr2": 400, "chr10": 300, "chr1": 500}
ARRAYS = ("inputs", "hypothetical", "projected", "scores", "predictions")
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@cache
def genome() -> dict[str, str]:
    random = np.random.default_rng(5)
    letters = {chrom: random.choice(list("ACGT"), size) for chrom, size in SIZES.items()}
    letters["chr1"][100:103] = "N"
    return {chrom: "".join(each) for chrom, each in letters.items()}


def fasta(path: Path) -> Path:
    path.write_text("".join(f">{chrom}\n{letters}\n" for chrom, letters in genome().items()))
    return path


def windows(count: int, length: int = LENGTH, seed: int = 0) -> dict[str, np.ndarray]:
    """Windows that overlap, on both strands, in no order, two of them equal."""
    random = np.random.default_rng(seed)
    chrom = random.choice(list(SIZES), count)
    start = np.array([random.integers(0, SIZES[each] - length + 1) for each in chrom])
    chrom[:2], start[:2] = "chr1", (90, 95)  # where letters are unknown
    chrom[-1], start[-1] = chrom[2], start[2]
    return {
        "sample": np.array([f"peak{row}" for row in range(count)], object),
        "chrom": chrom.astype(object),
        "start": start.astype(np.int64),
        "end": (start + length).astype(np.int64),
        "strand": random.choice(np.array(["+", "-", "."], object), count),
    }


def sequence(chrom: str, start: int, end: int, strand: str) -> str:
    text = genome()[chrom][start:end]
    return text[::-1].translate(COMPLEMENT) if strand == "-" else text


def one_hot(text: str, letters: str = "ACGT") -> np.ndarray:
    return np.array([[letter == each for each in letters] for letter in text], np.int8)


def constants(count: int = 30, length: int = LENGTH, letters: str = "ACGT") -> dict[str, Any]:
    """Those of a run in which each third record of the regions file was dropped."""
    rows = windows(count, length)
    records = np.flatnonzero(np.arange(2 * count) % 3 != 2)[:count]
    kept = np.isin(np.arange(records[-1] + 2), records)
    return {
        **rows,
        "record": records.astype(np.int64),
        "kept": kept,
        "reason": np.where(kept, "", "at the edge").astype(object),
        "letter": np.array(list(letters), object),
    }


def inputs(rows: Mapping[str, Any], letters: str = "ACGT") -> np.ndarray:
    places = zip(rows["chrom"], rows["start"], rows["end"], rows["strand"], strict=True)
    return np.stack([one_hot(sequence(*place), letters) for place in places])


@cache
def network(folder: Path) -> de.Network:
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    letters = keras.Input((LENGTH, 4), name="letters")
    hidden = layers.Conv1D(6, 7, activation="relu", name="conv")(letters)
    hidden = layers.GlobalAveragePooling1D(name="pool")(hidden)
    outputs = [layers.Dense(2, name=name)(hidden) for name in ("counts", "profile")]
    keras.Model(letters, outputs).save(folder / "model.h5")
    return de.load(folder / "model.h5")


def score(path: Path, folder: Path, target: Any = 0, **changes: Any) -> Path:
    """A complete store of 30 windows in shards of 8: units of ``counts``, or heads by name."""
    known = constants()
    options = {"arrays": ARRAYS, "dimensions": ("position", "letter"), "shard": 8, "rows": 4}
    if isinstance(target, dict):
        explainer = network(folder).explainer(target=target)
    else:
        explainer = network(folder).explainer(target="counts")
        options["target"] = target
    references = de.references.dinucleotide_shuffle(2, seed=0)
    job = de.Job(
        explainer,
        inputs(known),
        references=references,
        constants=known,
        **{**options, **changes},
    )
    assert not job.run(job.create(path)).pending
    return path


def fill(path: Path, arrays: Mapping[str, Any], failed: Mapping[int, str] | None = None,
         shard: int = 8, **changes: Any) -> Path:  # fmt: skip
    """A complete store of arrays that a test made, ``(N, L, 4)``."""
    count = len(next(iter(arrays.values())))
    dimensions = changes.pop("dimensions", ("position", "letter"))
    plans = [
        ArrayPlan(name, array.shape[1:], str(array.dtype), dimensions)
        for name, array in arrays.items()
    ]
    settings = {"run": {"method": "deeplift", "references_averaged": True}}
    settings |= changes.pop("settings", {})
    store = Store.create(path, count, shard, shard, plans, settings, changes.pop("constants", {}))
    for number in range(store.shards):
        rows = store.rows(number)
        own = {str(row): why for row, why in (failed or {}).items() if row in range(count)[rows]}
        blocks = {name: array[rows] for name, array in arrays.items()}
        store.write(number, blocks, {"failed": own})
    return path
