"""Files that chrombpnet saved, beside what chrombpnet computed of them; see `saved.make`."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.util.typing import Array
from tests.helpers import off

FOLDER = Path(__file__).parent / "saved"
NUMBERS = dict(np.load(FOLDER / "chrombpnet.npz"))
INPUTS, REFERENCES = NUMBERS["inputs"], NUMBERS["references"]
FILES = ("bias", "chrombpnet", "chrombpnet_nobias")
TARGETS = {"counts": de.targets.counts(), "profile": de.targets.profile("pair")}
LOSSY = "chrombpnet", "counts"
"""What the fork scores otherwise: see the last test."""


@functools.cache
def network(name: str) -> de.Network:
    return de.load(FOLDER / f"{name}.h5", functions="chrombpnet")


@functools.cache
def result(name: str) -> de.Attribution:
    explainer = network(name).explainer("deeplift", target=TARGETS)
    return explainer.run(INPUTS, references=de.references.per_sample(REFERENCES))


def outputs(name: str) -> tuple[Array, Array]:
    """Logits and counts of inputs and references by chrombpnet: (N, 1 + K, ...)."""
    each = []
    for head in ("profile", "counts"):
        values = np.asarray(NUMBERS[f"{name}/{head}"], float)
        inputs, references = values[: len(INPUTS), None], values[len(INPUTS) :]
        shape = (*REFERENCES.shape[:2], values.shape[-1])
        each.append(np.concatenate([inputs, references.reshape(shape)], 1))
    return each[0], each[1]


@pytest.mark.parametrize("name", FILES)
def test_outputs_and_heads_are_those_of_chrombpnet(name: str) -> None:
    net = network(name)
    assert net.known_heads is not None
    assert net.known_heads.program == "chrombpnet"
    assert [output.rpartition("bpnet_")[2] for output in net.known_heads.outputs.values()] == [
        "logcount_predictions",
        "logits_profile_predictions",
    ]
    x = np.concatenate([INPUTS, *REFERENCES])
    for found, head in zip(net.output_arrays(x), ("profile", "counts"), strict=True):
        assert off(found, NUMBERS[f"{name}/{head}"]) < 1e-5


@pytest.mark.parametrize(
    ("name", "head"),
    [(name, head) for name in FILES for head in TARGETS if (name, head) != LOSSY],
)
def test_scores_are_those_of_the_fork(name: str, head: str) -> None:
    tolerance = {"counts": 1e-5, "profile": 1e-4}[head]
    expected = NUMBERS[f"{name}/{head}_scores"]
    assert off(result(name).heads[head].hypothetical, expected) < tolerance


def test_the_lambda_is_refused_without_its_function() -> None:
    with pytest.raises(UnsupportedModelError, match="logcount_predictions"):
        de.load(FOLDER / "chrombpnet.h5")


def test_the_fork_loses_a_part_of_the_logarithm_of_a_sum() -> None:
    """It holds the larger of both counts, which TensorFlow takes off before exponentials.

    Its chords are those of ``exp(c - m)`` and of the logarithm of their sum, and what goes by way
    of the maximum m is lost. Ours sum to the change.
    """
    counts = np.stack([outputs(name)[1][..., 0] for name in ("chrombpnet_nobias", "bias")], -1)
    shifted = counts - counts.max(-1, keepdims=True)
    x, r = shifted[:, :1], shifted[:, 1:]
    sums, sums_of_r = np.exp(x).sum(-1), np.exp(r).sum(-1)
    chord = (np.log(sums) - np.log(sums_of_r)) / (sums - sums_of_r)
    still = x == r
    chords = np.where(still, np.exp(x), (np.exp(x) - np.exp(r)) / np.where(still, 1, x - r))
    theirs = (chord[..., None] * chords * (counts[:, :1] - counts[:, 1:])).sum(-1).mean(1)
    total = outputs("chrombpnet")[1][..., 0]
    change = total[:, 0] - total[:, 1:].mean(1)
    projected = {
        "fork": NUMBERS["chrombpnet/counts_scores"] * INPUTS,
        "ours": result("chrombpnet").heads["counts"].hypothetical * INPUTS,
    }
    assert off(projected["fork"].sum((1, 2)), theirs) < 1e-4  # its chords are float32
    assert off(projected["ours"].sum((1, 2)), change) < 1e-5
    assert off(theirs, change) > 0.01
