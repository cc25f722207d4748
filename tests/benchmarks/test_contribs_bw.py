"""The workings of the comparison with chrombpnet's command; chrombpnet itself is not run here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import contribs_bw
from benchmarks.contribs_bw import HEADS, TOLERANCES, write_genome
from benchmarks.interpretation import problem
from benchmarks.process import BenchmarkError

bigwig = pytest.importorskip("pyBigWig")
VALUES = np.array([1.0, -0.5, 2.0**-20])


def write_track(path: Path, values: np.ndarray) -> None:
    with bigwig.open(str(path), "w") as file:
        file.addHeader([("chr1", 10)])
        file.addEntries("chr1", 2, values=values.tolist(), span=1, step=1)


def compared(folder: Path, change: np.ndarray) -> list[tuple[str, bool]]:
    """The lines about both files of each head, of which ours has these changes."""
    for head in HEADS:
        write_track(folder / f"theirs.{head}_scores.bw", VALUES)
        write_track(folder / f"ours.{head}.bw", VALUES + change)
    return list(contribs_bw.lines(folder, (4.0, 1.0)))


def test_tracks_agree_up_to_the_tolerance_and_the_rounding(tmp_path: Path) -> None:
    rounded = [0.9 * 2.0**-11, 0.9 * 2.0**-12, 0.9 * 2.0**-25]  # the last is subnormal
    same = compared(tmp_path, np.array(rounded))
    assert [right for _, right in same] == [True, True, True]
    assert "3 bases" in same[0][0]
    assert same[0][0].endswith(": met")
    assert "0.25 x" in same[-1][0]
    # the smallest value may be off by little of its own, and by a share of the largest
    off = np.array([0.0, 0.0, 3e-5])
    counts, profile, _ = compared(tmp_path, off)
    assert TOLERANCES["counts"] < 3e-5 < TOLERANCES["profile"]
    assert (counts[1], profile[1]) == (False, True)
    assert counts[0].endswith("**missed**")


def test_tracks_of_other_bases_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="not the same bases"):
        compared(tmp_path, np.array([0.0, 0.0, np.nan]))


def test_windows_lie_over_each_other_and_are_those_of_the_regions(tmp_path: Path) -> None:
    from deeplift_engine.genomics import regions

    options = contribs_bw.parser().parse_args(
        ["--chrombpnet-python", "python", "--length", "60", "--inputs", "3"]
    )
    windows = write_genome(problem(4, options), tmp_path)
    read = regions(tmp_path / "regions.narrowPeak", tmp_path / "genome.fa", length=60)
    np.testing.assert_array_equal(np.asarray(read), windows)
    starts = read.constants["start"]
    assert (np.diff(starts) < 60).all()
    scored = read.constants["kept"]
    assert scored.tolist() == [True, True, True, False]
