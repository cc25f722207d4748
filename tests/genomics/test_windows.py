"""Windows around regions, compared letter by letter, and what is left out of them."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.genomics import one_hot, regions, reverse_complement, sequences
from tests.genomics.fasta_files import fasta, random_sequences, write

SEQUENCES = random_sequences({"chr1": 500, "chr2": 300}, "ACGTacgtN", seed=3)
BED = """\
track name=x
chr1\t100\t150\tone\t0\t+
chr1\t201\t240\ttwo\t0\t-
chr3\t5\t9\tabsent\t0\t.
chr1\t0\t9\tleft\t0\t.
chr2\t250\t300\tright\t0\t.
chr1\t90\t161\tagain\t0\t.
chr1\t90\t161\tother\t0\t-
chr2\t30\t41\tlast\t0\t.
"""
"""Records 0, 1, 6 and 7 are scored; 5 has the window of 0, and 6 its other strand."""
SCORED = [0, 1, 6, 7]
CENTRES = {0: ("chr1", 125), 1: ("chr1", 220), 6: ("chr1", 125), 7: ("chr2", 35)}
REVERSE = {1, 6}


@pytest.fixture
def genome(tmp_path: Path) -> Path:
    return write(tmp_path / "genome.fa", fasta(SEQUENCES))


@pytest.fixture
def bed(tmp_path: Path) -> Path:
    return write(tmp_path / "peaks.bed", BED.encode())


def by_hand(number: int, length: int, stranded: bool = True) -> str:
    chrom, centre = CENTRES[number]
    start = centre - length // 2
    letters = SEQUENCES[chrom][start : start + length]
    assert len(letters) == length
    return reverse_complement(letters) if stranded and number in REVERSE else letters


@pytest.mark.parametrize("length", [1, 2, 59, 60, 61, 62])
def test_windows_are_centred_for_every_length(genome: Path, bed: Path, length: int) -> None:
    x = regions(bed, genome, length)
    scored = [n for n, reason in enumerate(x.records.reasons) if not reason]
    assert set(SCORED) <= set(scored)
    rows = [scored.index(n) for n in SCORED]
    expected = one_hot([by_hand(n, length) for n in SCORED])
    np.testing.assert_array_equal(x[rows], expected)
    starts = [CENTRES[n][1] - length // 2 for n in SCORED]
    assert x.constants["start"][rows].tolist() == starts
    assert x.constants["end"][rows].tolist() == [start + length for start in starts]


def test_nothing_is_left_out_silently(genome: Path, bed: Path) -> None:
    x = regions(bed, genome, 60)
    assert len(x) == 4
    assert x.records.reasons[2:6] == [
        "absent chromosome: genome.fa has no chr3. Near it: chr2, chr1",
        "edge of chromosome: the window chr1:-26-34 is not within 0-500",
        "edge of chromosome: the window chr2:245-305 is not within 0-300",
        "duplicate: the window of record 0, line 2",
    ]
    assert str(x.records) == (
        "4 of 8 records; left out: 1 absent chromosome, 2 edge of chromosome, 1 duplicate"
    )
    constants = x.constants
    assert constants["record"].tolist() == SCORED
    assert constants["kept"].tolist() == [n in SCORED for n in range(8)]
    assert [bool(reason) for reason in constants["reason"]] == [n not in SCORED for n in range(8)]
    assert constants["sample"] == x.names == ["one", "two", "other", "last"]
    assert constants["chrom"] == ["chr1", "chr1", "chr1", "chr2"]
    assert constants["strand"] == ["+", "-", "-", "."]
    assert constants["letter"] == list("ACGT")
    assert x.files == {"regions": str(bed), "genome": str(genome)}
    with pytest.raises(InputError, match=r"peaks\.bed, line 4 \(record 2\): absent.*4 of 8"):
        regions(bed, genome, 60, strict=True)


def test_windows_at_the_very_ends_are_scored(tmp_path: Path, genome: Path) -> None:
    x = regions(["chr2:0-300", "chr2:0-10", "chr2:290-300", "chr2:1-11"], genome, 10)
    assert x.constants["start"].tolist() == [145, 0, 290, 1]
    whole = regions(["chr2:0-300"], genome)
    np.testing.assert_array_equal(whole[:], one_hot([SEQUENCES["chr2"]]))


def test_strands_may_be_ignored(genome: Path, bed: Path) -> None:
    x = regions(bed, genome, 60, stranded=False)
    assert x.records.numbers.tolist() == [0, 1, 7]
    assert x.constants["strand"] == [".", ".", "."]
    expected = one_hot([by_hand(n, 60, stranded=False) for n in (0, 1, 7)])
    np.testing.assert_array_equal(x[:], expected)


@pytest.mark.parametrize(
    ("axes", "turn"),
    [
        ("NLC", lambda x: x),
        ("NCL", lambda x: np.transpose(x, (0, 2, 1))),
        ("NLC1", lambda x: x[..., np.newaxis]),
        ("NCL1", lambda x: np.transpose(x, (0, 2, 1))[..., np.newaxis]),
        ("N1LC", lambda x: x[:, np.newaxis]),
        ("nc1l", lambda x: np.transpose(x, (0, 2, 1))[:, :, np.newaxis]),
    ],
)
def test_letters_stand_on_any_axis(genome: Path, bed: Path, axes: str, turn: Any) -> None:
    x = regions(bed, genome, 60, letters="ATCG", axes=axes, unknown="uniform")
    plain = one_hot([by_hand(n, 60) for n in SCORED], "ATCG", unknown="uniform")
    np.testing.assert_array_equal(np.asarray(x), turn(plain))
    assert x.shape == np.asarray(x).shape
    assert x.dtype == np.float32
    assert x.constants["letter"] == list("ATCG")
    assert [x.dimensions.index(name) for name in ("position", "letter")] == [
        axes.upper().index("L") - 1,
        axes.upper().index("C") - 1,
    ]


def test_codes_have_the_order_of_the_letters(genome: Path, bed: Path) -> None:
    x = regions(bed, genome, 60, letters="NTCGA", axes="NL", first_code=1)
    order = "NTCGA"
    expected = [[1 + order.index(c) for c in by_hand(n, 60).upper()] for n in SCORED]
    np.testing.assert_array_equal(x[:], expected)
    assert x.dimensions == ("position",)


@pytest.mark.parametrize("options", [{"unknown": "refuse"}, {"axes": "NL"}])
def test_letters_without_a_value_leave_a_window_out(genome: Path, options: Any) -> None:
    starts = range(0, 480, 20)
    x = regions([f"chr1:{start}-{start + 5}" for start in starts], genome, **options)
    texts = [SEQUENCES["chr1"][start : start + 5].upper() for start in starts]
    kept = [n for n, text in enumerate(texts) if "N" not in text]
    assert 5 < len(kept) < len(texts) - 5
    assert x.records.numbers.tolist() == kept
    first = next(n for n, text in enumerate(texts) if "N" in text)
    expected = f"unknown letter: 'N' at position {texts[first].index('N')}"
    assert x.records.reasons[first] == expected


def test_slices_are_those_of_the_whole_array(genome: Path, bed: Path) -> None:
    x = regions(bed, de.genomics.Genome(genome), 60)
    whole = np.asarray(x)
    assert whole.shape == x.shape == (4, 60, 4)
    for rows in (slice(1, 3), slice(None, None, -1), slice(9, 9), np.array([3, 0]), -1):
        np.testing.assert_array_equal(x[rows], whole[rows])
    with pytest.raises(IndexError):
        x[4]
    assert np.asarray(x, "float32").dtype == np.float32


def test_inputs_are_read_in_other_processes(genome: Path, bed: Path) -> None:
    x = regions(bed, genome, 60)
    content = pickle.dumps(x)
    assert len(content) < 3000
    assert SEQUENCES["chr1"][:20].encode() not in content
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        parts = list(pool.map(x.__getitem__, [slice(0, 2), slice(2, 4)]))
    np.testing.assert_array_equal(np.concatenate(parts), x[:])


def test_missing_summits_are_counted(tmp_path: Path, genome: Path) -> None:
    peak = "chr1\t{}\t200\t.\t0\t.\t1\t1\t1\t{}\n"
    content = peak.format(100, 9) + peak.format(101, -1)
    path = write(tmp_path / "peaks.narrowPeak", content.encode())
    x = regions(path, genome, 20)
    assert x.missing_summits == 1
    assert x.constants["start"].tolist() == [109 - 10, 150 - 10]
    assert x.names == ["chr1:99-119", "chr1:140-160"]


@pytest.mark.parametrize(
    ("line", "options", "message"),
    [
        ("chr1:480-501", {}, r"line 1 \(record 0\): chr1:480-501 ends beyond chr1, which has 500"),
        ("chr4:1-5", {}, r"\(record 0\): absent chromosome: .* Nothing is left to score: 0 of 1"),
        ("1:1-5", {}, "absent chromosome: genome.fa has no 1"),
        ("chr1:1-5", {"length": 0}, "length"),
        ("chr1:1-5", {"letters": "ACG"}, "letters='ACG'"),
        ("chr1:1-5", {"axes": "LNC"}, "axes='LNC'"),
        ("chr1:1-5", {"axes": "NLCC"}, "axes='NLCC'"),
        ("chr1:1-5", {"unknown": "drop"}, "unknown='drop'"),
    ],
)
def test_what_cannot_be_read_is_refused(genome, line, options, message) -> None:
    with pytest.raises(InputError, match=message):
        regions([line], genome, **options)


def test_regions_of_different_lengths_need_a_length(genome: Path, bed: Path) -> None:
    with pytest.raises(InputError, match=r"peaks\.bed: regions of 4 to 71 positions; .*--length"):
        regions(bed, genome)


# sequences


def test_sequences_of_a_fasta_file(tmp_path: Path) -> None:
    texts = random_sequences({"a": 30, "b": 20, "c": 30, "d": 30}, "ACGTn")
    x = sequences(write(tmp_path / "x.fa", fasta(texts)), length=30, axes="NCL")
    expected = one_hot([texts[name] for name in "acd"]).swapaxes(1, 2)
    np.testing.assert_array_equal(x[:], expected)
    assert x.names == ["a", "c", "d"]
    assert x.records.reasons == ["", "wrong length: 20 letters, not 30", "", ""]
    assert set(x.constants) == {"sample", "record", "kept", "reason", "letter"}
    assert x.files == {"sequences": str(tmp_path / "x.fa")}
    assert x.about == {**x.files, "length": 30}
    with pytest.raises(InputError, match=r"x\.fa, record 1 \(b\): wrong length: 20 letters"):
        sequences(tmp_path / "x.fa", length=30, strict=True)
    with pytest.raises(InputError, match=r"x\.fa: sequences of 20 to 30 letters; .*--length"):
        sequences(tmp_path / "x.fa")


def test_sequences_in_memory() -> None:
    texts = random_sequences({"a": 30, "b": 30}, "ACGT")
    for source in (texts, list(texts.values()), np.array(list(texts.values()), "S")):
        np.testing.assert_array_equal(sequences(source)[:], one_hot(texts.values()))
    assert sequences(texts).names == ["a", "b"]
    assert sequences(["ACGT"]).names == ["0"]
    with pytest.raises(InputError, match=r"record 1 \(1\) has '\*' at position 2"):
        sequences(["ACGT", "AC*T"])
    with pytest.raises(InputError, match="Nothing is left to score"):
        sequences(["ACNT"], unknown="refuse")
