"""Stores of every kind of samples, made without a network: what a report is written of."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import deeplift_engine as de
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.store import Store

EVIL = "<img src=x onerror=\"document.title='run'\"></script><b>bold</b> & \u2028"
HEADS = ("counts", "profile")
LENGTH = 300
SETTINGS = {
    "method": "deeplift",
    "target": "0",
    "target_layer": "dense",
    "references": "dinucleotide_shuffle(20, seed=3)",
    "references_averaged": True,
    "options": {"rules": "genomics_default", "max_pooling": "exact"},
}


def store(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    constants: Mapping[str, Any],
    failed: Mapping[int, str] | None = None,
    **settings: Any,
) -> Path:
    """A complete store in shards of 20."""
    plans = [
        ArrayPlan(name, array.shape[1:], str(array.dtype),
                  tuple(f"{name}_{axis}" for axis in range(1, array.ndim)))
        for name, array in arrays.items()
    ]  # fmt: skip
    count = len(next(iter(arrays.values())))
    told = {"run": {**SETTINGS, **settings}, "model": "absent.h5", "source": "peaks.bed"}
    made = Store.create(path, count, 20, 20, plans, told, constants)
    for number in range(made.shards):
        rows = made.rows(number)
        own = {str(row): why for row, why in (failed or {}).items() if row in range(count)[rows]}
        made.write(number, {name: each[rows] for name, each in arrays.items()}, {"failed": own})
    return path


def sequences(path: Path, count: int = 40, length: int = LENGTH, **settings: Any) -> Path:
    """Windows with two heads, on both strands; a sample without scores, and a name like markup."""
    random = np.random.default_rng(0)
    x = np.eye(4, dtype=np.int8)[random.integers(0, 4, (count, length))]
    arrays: dict[str, np.ndarray] = {
        "inputs": x,
        "predictions": random.normal(size=(count, 2)).astype(np.float32),
    }
    for head in HEADS:
        peak = np.exp(-(((np.arange(length) - length * 0.6) / 9) ** 2)) + 0.02
        hypothetical = random.normal(size=(count, length, 4)) * peak[:, np.newaxis]
        arrays[f"{head}/hypothetical"] = hypothetical.astype(np.float32)
        arrays[f"{head}/scores"] = (hypothetical * x).astype(np.float32)
        total = arrays[f"{head}/scores"].sum(axis=(1, 2), dtype=np.float64)
        error = random.normal(size=count) * 1e-6
        arrays[f"{head}/convergence_delta"] = error.astype(np.float32)
        arrays[f"{head}/target_delta"] = (total - error).astype(np.float32)
        arrays[f"{head}/relative_error"] = np.abs(error / total).astype(np.float32)
        arrays[f"{head}/scores"][3] = np.nan
    start = np.sort(random.integers(10_000, 1_000_000, count))
    names = np.array([f"peak{row}" for row in range(count)], object)
    names[1] = EVIL
    constants = {
        "sample": names,
        "chrom": np.array([f"chr{row % 5 + 1}" for row in range(count)], object),
        "start": start,
        "end": start + length,
        "strand": np.array(["+", "-"] * (count // 2), object),
        "letter": np.array(list("ACGT"), object),
    }
    own = {"target": dict.fromkeys(HEADS, "0"), "target_layer": {h: h for h in HEADS}}
    return store(path, arrays, constants, {3: "scores are not finite"}, **own, **settings)


def texts(path: Path) -> Path:
    """Words of a text with characters beyond 16 bits and what looks like markup."""
    text = "not <i>bad</i> 😀 at all"
    words = [(match.start(), match.end()) for match in re.finditer(r"\S+", text)]
    count, length = 4, 8
    token = np.full((count, length), "[PAD]", object)
    begin, end = np.full((2, count, length), -1)
    for n, (first, last) in enumerate(words):
        token[:, n], begin[:, n], end[:, n] = text[first:last], first, last
    scores = np.zeros((count, length), np.float32)
    scores[:, : len(words)] = np.linspace(-1, 1, count * len(words)).reshape(count, -1)
    constants = {
        "text": np.array([text] * count, object),
        "token": token,
        "begin": begin,
        "end": end,
    }
    return store(path, {"scores": scores}, constants)


def images(path: Path) -> Path:
    """Pictures whose edge is longer than a page draws, and no multiple of its cells."""
    random = np.random.default_rng(1)
    x = random.integers(0, 256, (2, 301, 40, 3)).astype(np.uint8)
    return store(path, {"scores": random.normal(size=x.shape).astype(np.float32), "inputs": x}, {})


def signals(path: Path) -> Path:
    """Two leads at 100 Hz."""
    x = np.random.default_rng(2).normal(size=(3, 250, 2)).astype(np.float32)
    channel = np.array(["I", "V1 <b>"], object)
    return store(
        path,
        {"scores": x**3, "inputs": x},
        {"channel": channel},
        kind="signal",
        rate="100",
        unit="mV",
    )


def table(path: Path) -> Path:
    """Two columns of one name, and a feature in three one-hot columns."""
    random = np.random.default_rng(3)
    x = np.c_[random.normal(size=(5, 2)), np.eye(3)[[0, 1, 2, 0, 1]]].astype(np.float32)
    feature = np.array(["age", "age", "city_A", "city_B", "city_C"], object)
    group = np.array(["age", "age of partner", "city", "city", "city"], object)
    arrays = {"scores": random.normal(size=x.shape).astype(np.float32), "inputs": x}
    return store(path, arrays, {"feature": feature, "group": group})


def branched(path: Path) -> de.Network:
    """A network of windows of 12 letters with two branches that are added."""
    import keras
    from keras import layers

    x = keras.Input((12, 4), name="dna")
    left, right = (layers.Dense(3, activation="relu", name=n)(x) for n in ("left", "right"))
    y = layers.Flatten()(layers.Add(name="both")([left, right]))
    keras.Model(x, layers.Dense(2, name="out")(y)).save(path)
    return de.load(path)


KINDS = {"text": texts, "image": images, "signal": signals, "table": table}


def data_of(page: Path) -> dict[str, Any]:
    """What a page holds for its program."""
    text = re.search(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    assert text
    held: dict[str, Any] = json.loads(text[1])
    return held


def values_of(page: Path, number: int) -> dict[str, Any]:
    """The values of a sample of a page, unpacked by another hand than the page's program."""
    packed = re.search(rf'id="packed-{number}">(.*?)</script>', page.read_text("utf-8"))
    assert packed
    return unpacked(packed[1])


def unpacked(text: str) -> dict[str, Any]:
    whole = zlib.decompress(base64.b64decode(text))
    size = int.from_bytes(whole[:4], "little")
    values: dict[str, Any] = json.loads(whole[4 : 4 + size])
    for name, told in values.pop("arrays").items():
        steps = np.frombuffer(
            whole, f"<{told['type']}", int(np.prod(told["shape"])), 4 + size + told["at"]
        )
        values[name] = steps.reshape(told["shape"]) * told["step"]
    return values


def motifs(path: Path, run: Path, sites: Mapping[int, int], cropped: int = 10) -> Path:
    """A result of ``modisco motifs`` with one motif, whose seqlets begin at places of samples.

    Sample 3 has no scores, so it is no row of an export.
    """
    opened, width = de.open_store(run), 8
    rows = [sample - (sample > 3) for sample in sites]
    letters = np.stack(
        [opened["inputs"][sample][start : start + width] for sample, start in sites.items()]
    ).astype(np.float32)
    seqlets = {
        "start": np.array([*sites.values()]) - cropped,
        "end": np.array([*sites.values()]) - cropped + width,
        "example_idx": np.array(rows),
        "is_revcomp": np.zeros(len(rows), bool),
        "sequence": letters,
        "contrib_scores": letters * 0.5,
    }
    with h5py.File(path, "w") as file:
        file.attrs["window_size"] = LENGTH - 2 * cropped
        for name, values in seqlets.items():
            file[f"pos_patterns/pattern_0/seqlets/{name}"] = values
    return path
