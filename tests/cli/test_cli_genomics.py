"""Sequences on the command line: regions of a genome, FASTA files, letters, axes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from deeplift_engine.genomics import one_hot, reverse_complement
from deeplift_engine.jobs.contents import DEFAULT, OF_SEQUENCES
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.results.attribution import Attribution
from tests.genomics.fasta_files import fasta, random_sequences, write

Command = Callable[..., Any]
LENGTH = 20
SEQUENCES = random_sequences({"chr1": 300, "chr2": 100}, "ACGTacgtN", seed=5)
PEAKS = [
    ("chr1", 50, 70, "+", 3),
    ("chr1", 100, 130, "-", -1),
    ("chr2", 0, 8, ".", 2),
    ("chr7", 10, 20, ".", 2),
    ("chr1", 51, 60, ".", 2),
    ("chr2", 40, 61, "-", 20),
]
SCORED = {0: 53, 1: 115, 5: 60}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("genomics")
    write(where / "genome.fa", fasta(SEQUENCES))
    lines = ["track name=peaks"] + [
        f"{chrom}\t{start}\t{end}\tp{n}\t0\t{strand}\t1\t2\t3\t{summit}"
        for n, (chrom, start, end, strand, summit) in enumerate(PEAKS)
    ]
    write(where / "peaks.narrowPeak", "\n".join(lines).encode())
    return where


def windows() -> np.ndarray:
    texts = []
    for number, centre in SCORED.items():
        chrom, _, _, strand, _ = PEAKS[number]
        text = SEQUENCES[chrom][centre - LENGTH // 2 : centre + LENGTH // 2]
        texts.append(reverse_complement(text) if strand == "-" else text)
    return one_hot(texts)


@pytest.fixture
def score(folder: Path, command: Command) -> Command:
    def run(inputs: Path, output: Path, *options: Any) -> Any:
        return command(
            "score", folder / "model.h5", inputs, "-o", output, "--target", 1,
            "--references", "dinucleotide_shuffle:3", *options,
        )  # fmt: skip

    return run


@pytest.fixture
def expected(score: Command, tmp_path: Path) -> np.ndarray:
    np.save(tmp_path / "windows.npy", windows())
    assert score(tmp_path / "windows.npy", tmp_path / "expected.h5").code == 0
    return np.asarray(Attribution.load(tmp_path / "expected.h5").scores)


def test_peaks_into_a_store(
    score: Command, files: Path, tmp_path: Path, expected: np.ndarray
) -> None:
    peaks, run = files / "peaks.narrowPeak", tmp_path / "run.zarr"
    options = ("--genome", files / "genome.fa", "--arrays", "scores,inputs,predictions")
    outcome = score(peaks, run, *options)
    assert outcome.code == 0, outcome.err
    assert "records: 6\n" in outcome.out
    left_out = "left out: 1 edge of chromosome, 1 absent chromosome, 1 duplicate\n"
    assert left_out in outcome.out
    assert "1 records of" in outcome.err
    assert "have no summit" in outcome.err
    store = open_store(run)
    np.testing.assert_array_equal(store["scores"][:], expected)
    np.testing.assert_array_equal(store["inputs"][:], windows())
    assert store["inputs"][:].dtype == np.int8
    assert store["record"].tolist() == list(SCORED)
    assert store["kept"].tolist() == [n in SCORED for n in range(6)]
    assert [reason.partition(":")[0] for reason in store["reason"]] == [
        "", "", "edge of chromosome", "absent chromosome", "duplicate", "",
    ]  # fmt: skip
    assert store["sample"].tolist() == ["p0", "p1", "p5"]
    assert store["chrom"].tolist() == ["chr1", "chr1", "chr2"]
    assert store["strand"].tolist() == ["+", "-", "-"]
    assert store["start"].tolist() == [centre - 10 for centre in SCORED.values()]
    assert store["end"].tolist() == [centre + 10 for centre in SCORED.values()]
    assert store["letter"].tolist() == list("ACGT")
    assert store.settings["regions"] == str(peaks)
    assert store.settings["genome"] == str(files / "genome.fa")
    plans = {plan.name: plan.dimensions for plan in store.store.plans}
    assert plans["inputs"] == plans["scores"] == ("position", "letter")
    assert plans["predictions"] == ("predictions_0",)
    again = score(peaks, run, *options, "--resume")
    assert again.code == 0, again.err


def test_peaks_into_one_file(
    score: Command, files: Path, tmp_path: Path, expected: np.ndarray
) -> None:
    outcome = score(
        files / "peaks.narrowPeak",
        tmp_path / "scores.h5",
        "--genome",
        files / "genome.fa",
        "--json",
    )
    assert outcome.code == 0, outcome.err
    summary = json.loads(outcome.out)
    assert summary["records"] == 6
    assert summary["left out"] == ["1 edge of chromosome", "1 absent chromosome", "1 duplicate"]
    result = Attribution.load(tmp_path / "scores.h5")
    np.testing.assert_array_equal(result.scores, expected)
    with h5py.File(tmp_path / "scores.h5") as file:
        assert file["sample"].asstr()[:].tolist() == ["p0", "p1", "p5"]
        assert file["start"][:].tolist() == [centre - 10 for centre in SCORED.values()]
        assert file["kept"][:].tolist() == [n in SCORED for n in range(6)]
        assert file["reason"].asstr()[4] == "duplicate: the window of record 0, line 2"
    assert result.settings["regions"] == str(files / "peaks.narrowPeak")


def test_hypothetical_contributions_of_peaks(score: Command, files: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "windows.npy", windows())
    options = (files / "peaks.narrowPeak", tmp_path / "a.npz", "--genome", files / "genome.fa")
    for outcome in (
        score(*options, "--hypothetical"),
        score(tmp_path / "windows.npy", tmp_path / "b.npz", "--hypothetical"),
    ):
        assert outcome.code == 0, outcome.err
    with np.load(tmp_path / "a.npz") as file, np.load(tmp_path / "b.npz") as other:
        np.testing.assert_array_equal(file["hypothetical"], other["hypothetical"])


def test_a_column_of_a_table(
    score: Command, files: Path, tmp_path: Path, expected: np.ndarray
) -> None:
    texts = ["".join("ACGTN"[row.argmax() if row.any() else 4] for row in x) for x in windows()]
    table = tmp_path / "table.tsv.gz"
    lines = ["name\tsequence\tactivity", *(f"a\t {text} \t1" for text in texts)]
    table.write_bytes(gzip.compress("\r\n".join(lines).encode()))
    outcome = score(table, tmp_path / "scores.npz", "--column", "sequence")
    assert outcome.code == 0, outcome.err
    np.testing.assert_array_equal(Attribution.load(tmp_path / "scores.npz").scores, expected)
    outcome = score(table, tmp_path / "other.npz", "--column", "sequenc")
    assert outcome.code == 4
    assert "Near it: sequence" in outcome.err
    outcome = score(table, tmp_path / "other.npz")
    assert outcome.code == 4
    assert "say which column has sequences, --column" in outcome.err


def test_other_commands_take_peaks(
    command: Command, folder: Path, files: Path, tmp_path: Path
) -> None:
    peaks = (files / "peaks.narrowPeak", "--genome", files / "genome.fa")
    np.save(tmp_path / "windows.npy", windows())
    for options in (
        ("check", folder / "model.h5", "--samples", 2),
        ("sweep", folder / "model.h5", "--target", 0, "--references", "zeros"),
        ("compare", folder / "model.h5", "--target", 0, "--method", "deeplift", "--json"),
    ):
        outcome = command(*options[:2], *peaks, *options[2:])
        expected = command(*options[:2], tmp_path / "windows.npy", *options[2:])
        assert outcome.code == expected.code == 0, outcome.err
        assert len(outcome.out) > 50
        if options[0] == "sweep":
            assert outcome.out == expected.out


def test_strict_refuses_what_is_left_out(score: Command, files: Path, tmp_path: Path) -> None:
    for name in ("run.zarr", "scores.h5"):
        options = ("--genome", files / "genome.fa", "--strict")
        outcome = score(files / "peaks.narrowPeak", tmp_path / name, *options)
        assert outcome.code == 4
        assert "peaks.narrowPeak, line 4 (record 2): edge of chromosome" in outcome.err
        assert not (tmp_path / name).exists()


def test_fasta_files_letters_and_axes(score: Command, tmp_path: Path, expected: np.ndarray) -> None:
    texts = ["".join("ACGTN"[row.argmax() if row.any() else 4] for row in x) for x in windows()]
    named = {"first": texts[0], "short": "ACGT", "second": texts[1], "third": texts[2]}
    np.save(tmp_path / "text.npy", np.array(texts, "S"))
    np.savez(tmp_path / "text.npz", words=np.array(texts), other=np.zeros(3))
    np.save(tmp_path / "first.npy", windows().swapaxes(1, 2))
    cases: dict[str, tuple[Path, tuple[Any, ...]]] = {
        "fasta": (write(tmp_path / "x.fa", fasta(named)), ()),
        "letters": (tmp_path / "text.npy", ()),
        "a key": (tmp_path / "text.npz", ("--key", "words")),
        "axes": (tmp_path / "first.npy", ("--axes", "NCL")),
    }
    for name, (inputs, options) in cases.items():
        outcome = score(inputs, tmp_path / f"{name}.npz", *options)
        assert outcome.code == 0, outcome.err
        result = Attribution.load(tmp_path / f"{name}.npz")
        np.testing.assert_array_equal(result.scores, expected, err_msg=name)
    with np.load(tmp_path / "fasta.npz") as file:
        assert file["sample"].tolist() == ["first", "second", "third"]
        assert file["record"].tolist() == [0, 2, 3]
    outcome = score(tmp_path / "x.fa", tmp_path / "fasta.zarr")
    assert "records: 4\nleft out: 1 wrong length" in outcome.out
    store = open_store(tmp_path / "fasta.zarr")
    assert store["sample"].tolist() == ["first", "second", "third"]
    assert {*DEFAULT, *OF_SEQUENCES} - {"convergence"} < {*store.names}  # what exports read, too
    turned = score(tmp_path / "first.npy", tmp_path / "refused.h5")
    assert turned.code == 4
    assert "--axes NCL" in turned.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "peaks.narrowPeak holds regions: say of which genome, --genome FASTA"),
        (("--genome", "{}/genome.fa", "--length", 19), "reads 20 positions"),
        (("--genome", "{}/genome.fa", "--letters", "ACG"), "letters='ACG'"),
        (("--genome", "{}/genome.fa", "--unknown", "drop"), "unknown='drop'"),
        (("--genome", "{}/genome.fa", "--axes", "NCL"), "axes='NCL' does not fit the input"),
        (("--genome", "{}/genome.fa", "--input", "dna"), "input='dna': the network's inputs"),
        (("--genome", "{}/genome.fa", "--beside", "x={}/y.npy"), "say --beside"),
        (("--genome", "{}/no.fa"), "no.fa cannot be read: No such file"),
    ],
)
def test_options_that_do_not_fit_are_refused(score, files, tmp_path, options, message) -> None:
    options = [str(option).format(files) for option in options]
    np.save(files / "y.npy", np.zeros((6, 3)))
    outcome = score(files / "peaks.narrowPeak", tmp_path / "run.zarr", *options)
    assert outcome.code == 4
    assert message in outcome.err
    assert not (tmp_path / "run.zarr").exists()


@pytest.mark.parametrize(
    "options", [("--genome", "g.fa"), ("--length", 5), ("--ignore-strand",)], ids=lambda o: o[0]
)
def test_options_of_regions_are_refused_with_arrays(score, folder, tmp_path, options) -> None:
    outcome = score(folder / "inputs.npy", tmp_path / "run.h5", *options)
    assert outcome.code == 4
    assert f"{options[0]} is for regions" in outcome.err


def test_other_inputs_of_a_model_stand_beside(
    command: Command, files: Path, tmp_path: Path
) -> None:
    import keras
    from keras import layers

    keras.utils.set_random_seed(2)
    dna, control = keras.Input((LENGTH, 4), name="dna"), keras.Input((3,), name="control")
    hidden = layers.Flatten()(layers.Conv1D(3, 4, activation="relu")(dna))
    both = layers.Concatenate()([hidden, control])
    keras.Model([dna, control], layers.Dense(1)(both)).save(tmp_path / "two.h5")
    rows = np.random.default_rng(0).random((6, 3)).astype("float32")
    np.save(tmp_path / "control.npy", rows)
    np.savez(tmp_path / "arrays.npz", dna=windows(), control=rows[list(SCORED)])

    def run(inputs: Path, output: str, *options: Any) -> Any:
        return command(
            "score", tmp_path / "two.h5", inputs, "-o", tmp_path / output,
            "--references", "dna=zeros", *options,
        )  # fmt: skip

    assert run(tmp_path / "arrays.npz", "expected.h5").code == 0
    beside = ("--genome", files / "genome.fa", "--beside", f"control={tmp_path / 'control.npy'}")
    outcome = run(files / "peaks.narrowPeak", "run.zarr", *beside)
    assert outcome.code == 0, outcome.err
    expected, store = Attribution.load(tmp_path / "expected.h5"), open_store(tmp_path / "run.zarr")
    np.testing.assert_array_equal(store["scores/dna"][:], expected.scores["dna"])
    assert not store["scores/control"][:].any()
    plans = {plan.name: plan.dimensions for plan in store.store.plans}
    assert plans["scores/dna"] == ("position", "letter")
    assert plans["scores/control"] == ("scores/control_0",)
    missing = run(files / "peaks.narrowPeak", "no.zarr", *beside[:2])
    assert missing.code == 4
    assert "the model has the inputs dna, control, and dna reads " in missing.err
