"""Exports for other programs and checks of their files, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.genomics import scored

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    known = scored.constants(20)
    x = scored.inputs(known)
    random = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
    arrays = {"inputs": x, "hypothetical": random}
    path = tmp_path_factory.mktemp("exports") / "run.zarr"
    scored.fasta(path.with_name("genome.fa"))
    settings = {"genome": str(path.with_name("genome.fa"))}
    return scored.fill(path, arrays, constants=known, settings=settings)


def test_formats_go_into_a_folder_beside_what_reads_them(
    command: Command, store: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pyBigWig")
    out = tmp_path / "out"
    told = command("export", store, "--to", "modisco", "--to", "bigwig", "-o", out)
    assert told.code == 0, told.err
    assert {path.name for path in out.iterdir()} == {
        *(f"run.{name}" for name in ("ohe.npz", "attr.npz", "kept.npy", "regions.bed")),
        *("run.bw", "run.bw.stats.tsv"),
    }
    assert f"written: {out / 'run.attr.npz'}: hypothetical contributions" in told.out
    assert f"written: {out / 'run.bw'}: projected contributions" in told.out
    assert f"next: modisco motifs -s {out / 'run.ohe.npz'} -a {out / 'run.attr.npz'}" in told.out
    assert f"-w {scored.LENGTH} " in told.out
    files = [out / f"run.{name}" for name in ("ohe.npz", "attr.npz", "regions.bed", "kept.npy")]
    genome = store.with_name("genome.fa")
    checked = command("export", "--check", *files, out / "run.bw", "--genome", genome)
    assert checked.code == 0, checked.out
    assert "verdict: right" in checked.out


def test_a_check_that_fails_is_code_1(command: Command, store: Path, tmp_path: Path) -> None:
    assert command("export", store, "--to", "modisco", "-o", tmp_path).code == 0
    ohe, attr = tmp_path / "run.ohe.npz", tmp_path / "run.attr.npz"
    ohe.rename(tmp_path / "aside")
    attr.rename(ohe)
    (tmp_path / "aside").rename(attr)
    told = command("export", "--check", ohe, attr)
    assert told.code == 1
    assert "WRONG: one-hot and contributions: swapped" in told.out
    as_json = json.loads(command("export", "--check", ohe, attr, "--json").out)
    assert as_json["verdict"] == "wrong"


def test_json(command: Command, store: Path, tmp_path: Path) -> None:
    told = command("export", store, "--to", "bpnet", "-o", tmp_path, "--prefix", "p", "--json")
    (written,) = json.loads(told.out)["written"]
    assert written["format"] == "bpnet"
    assert [*written["files"]] == [str(tmp_path / "p.bpnet.h5")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "modisco"], "say where to write: -o FOLDER"),
        ([], "say where to write: -o FILE"),
        (["-o", "x.h5", "--overlaps", "mean"], "--overlaps goes with --to"),
        (["-o", "out", "--to", "modisco", "--arrays", "scores"], "--arrays is for one file"),
        (["-o", "out", "--to", "modiscos"], "Near it: modisco"),
        (["-o", "out", "--to", "modisco", "--genome", "g.fa"], "--genome goes with --check"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(
    command: Command, store: Path, arguments: list[str], message: str
) -> None:
    told = command("export", store, *arguments)
    assert told.code == 4
    assert message in told.err


def test_an_export_needs_a_store(command: Command, tmp_path: Path) -> None:
    for arguments in (["-o", tmp_path / "x.h5"], ["--to", "modisco", "-o", tmp_path]):
        told = command("export", *arguments)
        assert told.code == 4
        assert "name the store" in told.err
