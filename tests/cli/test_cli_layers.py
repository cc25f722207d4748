"""The commands that look at layers: similarities and motifs of filters, as the library has them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import genomics
from deeplift_engine.evaluate import layer_similarity

PNG = b"\x89PNG"


def test_similarity_is_that_of_the_library(folder, inputs, command, tmp_path: Path) -> None:
    start = ("similarity", folder / "model.h5", folder / "inputs.npy", "--layers", "conv,hidden")
    table, figure = tmp_path / "t.csv", tmp_path / "f.png"
    outcome = command(*start, "-o", table, "-o", figure)
    assert outcome.code == 0, outcome.err
    assert "cka of activations for 6 samples" in outcome.out
    assert figure.read_bytes().startswith(PNG)
    expected = layer_similarity(de.load(folder / "model.h5"), inputs, ["conv", "hidden"])
    rows = list(csv.DictReader(table.read_text().splitlines()))
    values = [[float(row[name]) for name in ("conv", "hidden")] for row in rows]
    np.testing.assert_allclose(values, expected.values, rtol=1e-4)
    between = command(*start, "--other", folder / "model.keras", "--other-layers", "conv", "--json")
    found = json.loads(between.out)
    assert found["rows"][0] == {"layer": "conv", "conv": pytest.approx(1)}
    assert found["rows"][1]["conv"] == pytest.approx(expected.values[1, 0], rel=1e-4)


@pytest.mark.slow
def test_filters_are_written_as_motifs(folder, inputs, command, tmp_path: Path) -> None:
    start = ("filters", folder / "model.h5", folder / "inputs.npy")
    meme, figure = tmp_path / "filters.meme", tmp_path / "kernels.png"
    outcome = command(*start, "--threshold", "0.3", "-o", meme, "-o", figure)
    assert outcome.code == 0, outcome.err
    assert figure.read_bytes().startswith(PNG)
    motifs = genomics.filter_motifs(de.load(folder / "model.h5"), inputs, threshold=0.3)
    genomics.write_meme(motifs, tmp_path / "expected.meme")
    assert meme.read_text() == (tmp_path / "expected.meme").read_text()
    rows = json.loads(command(*start, "--threshold", "0.3", "--json").out)["rows"]
    assert [row["motif"] for row in rows] == [motif.name for motif in motifs]
    assert [row["sites"] for row in rows] == [len(motif) for motif in motifs]
    first = motifs[0]
    assert rows[0]["consensus"] == first.consensus
    assert "".join("ACGT"[n] for n in first.probabilities.argmax(1)) == first.consensus.upper()
    assert [c.isupper() for c in first.consensus] == [*(first.probabilities.max(1) >= 0.5)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("similarity", "-o", "x.h5"), 5, "similarities are written as tables"),
        (("similarity", "--measure", "cca"), 2, "there is no 'cca'"),
        (("filters", "-o", "x.csv"), 5, "motifs of filters are written as tables (.meme)"),
        (("filters", "--layer", "hidden"), 4, "expected positions and channels"),
    ],
)
def test_mistakes_at_layers_are_refused(arguments, code, message, folder, command) -> None:
    name, *rest = arguments
    outcome = command(name, folder / "model.h5", folder / "inputs.npy", *rest)
    assert outcome.code == code
    assert message in outcome.err
