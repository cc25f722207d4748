"""The commands of in-silico experiments: tables, figures, files, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import genomics
from tests.helpers import off

COMMANDS = {
    "marginalise": ("--motif", "gata=AGATAAG", "--motif", "TGA"),
    "spacing": ("--first", "AGAT", "--second", "TGAC", "--distances", "0-6"),
    "ablate": ("--span", "site=3-9", "--span", "10-15", "--shuffles", "4"),
    "design": ("--steps", "3", "--positions", "2-17"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_writes_its_table_and_its_picture(name: str, folder, command, tmp_path: Path) -> None:
    start = (name, folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q")
    table, figure = tmp_path / "t.csv", tmp_path / "f.png"
    outcome = command(*start, *COMMANDS[name], "-o", table, "-o", figure)
    assert outcome.code == 0, outcome.err
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    lines = outcome.out.splitlines()
    assert lines[0].replace(" ", "") == "".join(rows[0]).replace("_", "")
    assert len(lines) == len(rows) + 1
    assert figure.read_bytes().startswith(b"\x89PNG")
    as_json = json.loads(command(*start, *COMMANDS[name], "--json").out)["rows"]
    assert [list(map(str, row.values())) for row in as_json] == [list(r.values()) for r in rows]


def test_marginalisation_is_that_of_the_library(folder, inputs, command) -> None:
    start = ("marginalise", folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q")
    rows = json.loads(command(*start, *COMMANDS["marginalise"], "--json").out)["rows"]
    network = de.load(folder / "model.h5")
    motifs = {"gata": "AGATAAG", "TGA": "TGA"}
    result = genomics.marginalise(network, motifs, inputs, target=1)
    assert [row["effect"] for row in rows] == pytest.approx(result.effects.mean(axis=1), rel=1e-5)


def test_ablation_takes_the_seed(folder, command) -> None:
    start = ("ablate", folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q", "--json")
    seeds = [command(*start, *COMMANDS["ablate"], "--seed", seed).out for seed in (1, 1, 2)]
    assert seeds[0] == seeds[1] != seeds[2]


def test_designed_sequences_are_kept(folder, inputs, command, tmp_path: Path) -> None:
    path = tmp_path / "new.npy"
    start = ("design", folder / "model.h5", folder / "inputs.npy", "--target", "1", "-q")
    outcome = command(*start, "--steps", "2", "--minimise", "--json", "--sequences", path)
    assert outcome.code == 0, outcome.err
    network = de.load(folder / "model.h5")
    result = genomics.design(network, inputs, 2, maximise=False, target=1)
    assert np.array_equal(np.load(path), result.sequences)
    logits = network.activations(np.load(path), [network.target_node()])
    assert off(next(iter(logits.values()))[:, 1], result.values[-1]) < 1e-5
    outcome = command(*start, "--sequences", path)
    assert outcome.code == 5
    assert "already exists" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("marginalise", "--target", "1"), 4, "--motif: name at least one"),
        (("marginalise", "--target", "1", "--motif", "AXC"), 4, "'AXC' is no motif"),
        (("ablate", "--target", "1", "--span", "3"), 2, "expected [NAME=]FIRST-END"),
        (("spacing", "--first", "A", "--second", "C", "--distances", "9-3"), 2, "FIRST-LAST"),
        (("design", "--target", "1", "-o", "x.h5"), 5, "experiments are written as tables"),
    ],
)
def test_mistakes_are_refused(arguments, code, message, folder, command) -> None:
    name, *rest = arguments
    outcome = command(name, folder / "model.h5", folder / "inputs.npy", *rest, "-q")
    assert outcome.code == code
    assert message in outcome.err
