"""Exports for other programs and checks of their files, from the command line."""

from __future__ import annotations

import json
import re
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


def test_logos_are_drawn_and_a_folder_is_checked(
    command: Command, store: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pyBigWig")
    out = tmp_path / "out"
    formats = ["modisco", "chrombpnet", "bpnet", "bigwig", "seqlets", "shap", "json"]
    told = command("export", store, *(f"--to={name}" for name in formats), "-o", out)
    assert told.code == 0, told.err
    checked = command("export", "--check", out, "--genome", store.with_name("genome.fa"))
    assert "verdict: wrong" not in checked.out
    for each in ("statistics: ", "explanation: ", "projected: ", "rows and genome: all 20"):
        assert f"RIGHT: {each}" in checked.out
    assert command("export", "--check", *out.iterdir()).out.count("RIGHT") > 10
    bed = out / "run.seqlets.bed"
    bed.write_text("chr1\t90\t95\tsite\n")
    told = command("draw", store, "-o", tmp_path / "logos", "--samples", 2, "--motifs", bed)
    assert told.code == 0, told.err
    names = {path.name for path in (tmp_path / "logos").iterdir()}
    assert names == {"000000_peak0.png", "000001_peak1.png"}
    assert "windows: 2" in told.out
    assert "note: the first 2 of 20 windows" in told.err
    told = command("draw", store, "-o", tmp_path / "x.png", "--json", "--sample", "peak3")
    assert json.loads(told.out) == {"written": [str(tmp_path / "x.png")]}
    told = command("draw", store, "-o", tmp_path / "y.png", "--names", bed)
    assert (told.code, "--names is for the motifs of --motifs FILE.h5" in told.err) == (4, True)


def test_statistics_of_another_track_are_wrong(
    command: Command, store: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pyBigWig")
    assert command("export", store, "--to", "bigwig", "-o", tmp_path).code == 0
    table = tmp_path / "run.bw.stats.tsv"
    text = table.read_text()
    table.write_text(re.sub(r"Sum\t\S+", "Sum\t1000", text))
    told = command("export", "--check", table)
    assert told.code == 1
    assert "add up to 1000, and" in told.out
    table.write_text(text.replace("Sum", "Total"))
    assert "expected Sum and Bases" in command("export", "--check", table).err
    table.write_text(text)
    (tmp_path / "run.bw").unlink()
    assert "is not there to compare with" in command("export", "--check", table).out
