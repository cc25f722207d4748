"""What is measured: the problems, the rows of their tables, and the bars that rows must meet."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.architectures import (
    ATTENTION,
    DILATED,
    GENOMICS,
    GRU,
    LETTERS,
    LSTM,
    Architecture,
    Weights,
    make_weights,
)

Array = NDArray[Any]
SPEEDUP_OVER_PEERS = 3.0


@dataclass(frozen=True)
class Row:
    """One piece of work, and what it may cost.

    Attributes
    ----------
    forwards
        At most so many forward passes of the N·K sequences, or None.
    times
        At most so many times the row named ``base``, or None.
    peers
        Whether other libraries can do it.
    """

    name: str
    title: str
    rules: str = "rescale"
    shared: bool = False
    targets: int = 1
    forwards: float | None = None
    base: str | None = None
    times: float | None = None
    peers: bool = True


@dataclass(frozen=True)
class Problem:
    """A network, N inputs, K references of each, and the rows measured on them.

    ``original`` is what the original implementation of DeepLIFT took, in forward passes, when
    it was measured where it still runs; it is recorded here, not measured.
    """

    name: str
    architecture: Architecture
    inputs: int
    references: int
    rows: tuple[Row, ...]
    original: float | None = None

    def shortened(self, length: int, inputs: int, references: int) -> Problem:
        """The same rows on less."""
        return replace(
            self,
            architecture=self.architecture.shortened(length),
            inputs=inputs,
            references=references,
            original=None,
        )


OWN = Row("own", "Rescale, references of their own", forwards=2.5)
SHARED = Row("shared", "Rescale, one shared set", shared=True, forwards=1.5)
REVEAL_CANCEL = Row(
    "genomics_default",
    "genomics default (RevealCancel on dense layers), references of their own",
    rules="genomics_default",
    base="own",
    times=1.3,
    peers=False,
)
TEN_TARGETS = Row(
    "targets", "Rescale, references of their own, ten targets", targets=10, base="own", times=6.0
)
OWN_OF_SEQUENCES = Row("own", "Rescale, references of their own", forwards=4.0, peers=False)
SHARED_OF_SEQUENCES = Row(
    "shared", "Rescale, one shared set", shared=True, forwards=4.0, peers=False
)
OF_SEQUENCES = (OWN_OF_SEQUENCES, SHARED_OF_SEQUENCES)

PROBLEMS = (
    Problem("genomics", GENOMICS, 64, 10, (OWN, SHARED, REVEAL_CANCEL), original=7.0),
    Problem("dilated", DILATED, 4, 20, (OWN, SHARED, TEN_TARGETS)),
    Problem("lstm", LSTM, 4, 20, OF_SEQUENCES),
    Problem("gru", GRU, 4, 20, OF_SEQUENCES),
    Problem("attention", ATTENTION, 4, 20, OF_SEQUENCES),
)
QUICK = (
    PROBLEMS[0].shortened(60, 4, 3),
    PROBLEMS[1].shortened(120, 2, 3),
    *(problem.shortened(30, 2, 3) for problem in PROBLEMS[2:]),
)


@dataclass(frozen=True)
class Data:
    """Arrays of a problem.

    ``inputs`` (N, L, 4), ``own`` (N, K, L, 4), ``shared`` (K, L, 4), one-hot float32; of images
    (N, H, W, channels) and so on.
    """

    inputs: Array
    own: Array
    shared: Array
    weights: Weights

    def references(self, row: Row) -> Array:
        """Those of the row: (K, L, 4) shared by all, or (N, K, L, 4)."""
        return self.shared if row.shared else self.own

    @property
    def sequences(self) -> Array:
        """The N·K references of their own in one batch: what a forward pass is timed on."""
        return self.own.reshape(-1, *self.own.shape[2:])


def make_data(problem: Problem, seed: int = 0) -> Data:
    """Random sequences; dinucleotide shuffles of each; the first input's serve as shared set.

    Of images, inputs and references are normal noise, cut off so that all have one range.
    """
    from deeplift_engine.references.shuffles import shuffle_dinucleotides

    random, architecture = np.random.default_rng(seed), problem.architecture
    if architecture.axes == 1:
        letters = random.integers(0, LETTERS, (problem.inputs, architecture.length))
        inputs = np.eye(LETTERS, dtype=np.float32)[letters]
        own = shuffle_dinucleotides(inputs, problem.references, seed)
    else:
        counts = (problem.inputs, 1 + problem.references)
        noise = random.standard_normal((*counts, *architecture.shape)).clip(-2, 2)
        inputs, own = noise[:, 0].astype(np.float32), noise[:, 1:].astype(np.float32)
    return Data(inputs, own, own[0], make_weights(architecture, seed))


def save(problem: Problem, data: Data, folder: Path) -> None:
    """Write all that the other processes need but the model's file."""
    arrays: dict[str, Any] = {"inputs": data.inputs, "own": data.own, "shared": data.shared}
    arrays |= {f"weight{index:03d}": weight for index, weight in enumerate(data.weights)}
    np.savez(folder / "data.npz", **arrays)
    (folder / "problem.pickle").write_bytes(pickle.dumps(problem))


def load(folder: Path) -> tuple[Problem, Data]:
    """Undo `save`; only ever called on a folder that this program made."""
    problem = pickle.loads((folder / "problem.pickle").read_bytes())
    with np.load(folder / "data.npz") as stored:
        names = sorted(name for name in stored.files if name.startswith("weight"))
        weights = [stored[name] for name in names]
        data = Data(stored["inputs"], stored["own"], stored["shared"], weights)
    return problem, data
