"""Files of regions: what is read of them, and what is refused with its line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.region_files import read_regions
from tests.genomics.fasta_files import write

PEAK = "chr1\t{}\t{}\tpeak\t0\t{}\t1\t2\t3\t{}\n"


def rows(path: Path) -> list[tuple[str, int, int, str, str, int]]:
    return [
        (each.chrom, each.start, each.end, each.strand, each.name, each.centre)
        for each in read_regions(path).records
    ]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_beds_are_read_and_what_is_no_record_is_passed_over(tmp_path, compress, end) -> None:
    lines = [
        "browser position chr7:1-2",
        'track name="peaks" description="x"',
        "chrom\tstart\tend\tname\tscore\tstrand",
        "# a comment",
        "",
        "chr1\t10\t20\tfirst\t0\t-",
        "track2\t5\t8\t.\t0\t+",
        "   ",
        "chr 1\t0\t3\tlast\t7\t.",
    ]
    path = write(tmp_path / "peaks.bed", compress(end.join(lines).encode()))
    assert rows(path) == [
        ("chr1", 10, 20, "-", "first", 15),
        ("track2", 5, 8, "+", "", 6),
        ("chr 1", 0, 3, ".", "last", 1),
    ]
    file = read_regions(path)
    assert [record.line for record in file.records] == [6, 7, 9]
    assert file.locate(1) == f"{path}, line 7 (record 1)"
    assert file.missing_summits == 0


def test_three_columns_with_spaces_are_a_bed(tmp_path: Path) -> None:
    path = write(tmp_path / "peaks.bed", b"chr1 10 21\nchr2   5 6\n")
    assert rows(path) == [("chr1", 10, 21, ".", "", 15), ("chr2", 5, 6, ".", "", 5)]


@pytest.mark.parametrize("name", ["peaks.narrowPeak", "peaks.bed", "peaks.narrowPeak.gz"])
def test_the_centre_of_a_narrow_peak_is_its_summit(tmp_path: Path, name: str) -> None:
    content = (PEAK.format(100, 151, ".", 7) + PEAK.format(100, 151, "-", -1)).encode()
    path = write(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    assert [row[3:] for row in rows(path)] == [(".", "peak", 107), ("-", "peak", 125)]
    assert read_regions(path).missing_summits == 1


def test_region_strings_are_read_from_files_and_lists(tmp_path: Path) -> None:
    texts = ["chr1:10-20", "HLA-A*01:01:5-9:-", "chr2:0-1:+"]
    expected = [
        ("chr1", 10, 20, ".", "", 15),
        ("HLA-A*01:01", 5, 9, "-", "", 7),
        ("chr2", 0, 1, "+", "", 0),
    ]
    assert rows(write(tmp_path / "list.txt", "\n".join(texts).encode())) == expected
    assert rows(texts) == expected
    assert read_regions(texts).locate(2) == "regions, line 3 (record 2)"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t20\t20", "chr1:20-20 is no region: expected 0 <= start < end"),
        ("chr1\t30\t20", "chr1:30-20 is no region"),
        ("chr1\t-3\t20", "chr1:-3-20 is no region"),
        ("chr1\tten\t20", "expected a whole number, not 'ten'"),
        ("chr1\t1.5\t20", "expected a whole number, not '1.5'"),
        ("chr1\t1\t20\t.", "has 4 columns, and the first record has 3"),
        ("chr1\t1", "has 2 columns"),
    ],
)
def test_a_line_that_is_no_record_is_refused(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "peaks.bed", f"# x\nchr1\t1\t2\n{line}\n".encode())
    where = re.escape(f"{path}, line 3 (record 1)")
    with pytest.raises(InputError, match=f"{where}.*{message}"):
        read_regions(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.bed", "", "has no regions"),
        ("a.bed", "# only this\n", "has no regions"),
        ("a.bed", "chrom\tstart\tend\n", "has no regions"),
        ("a.bed", "chr1\t1\t9\nc\0h\0r\0", "line 2 is not UTF-8 text, at byte 10 of the file"),
        ("a.bed", "chr1\n", r"line 1 \(record 0\): expected the columns .* not 'chr1'"),
        ("a.bed", "chr1:1,000-2,000\n", "expected the columns .* not 'chr1:1,000-2,000'"),
        ("a.bed", "chr1\t1\t9\tx\t0\tforward\n", "the strand is 'forward'"),
        ("a.narrowPeak", "chr1\t1\t9\n", "has 3 columns: a narrowPeak has 10"),
        ("a.narrowPeak", PEAK.format(1, 9, ".", 8), "the summit 8 is not within chr1:1-9"),
        ("a.narrowPeak", PEAK.format(1, 9, ".", -2), "the summit -2 is not within"),
        ("a.narrowPeak", PEAK.format(1, 9, ".", "."), r"expected a whole number, not '\.'"),
    ],
)
def test_what_is_no_file_of_regions_is_refused(tmp_path, name, content, message) -> None:
    path = write(tmp_path / name, content.encode())
    with pytest.raises(InputError, match=f"{re.escape(str(path))}.*{message}"):
        read_regions(path)


@pytest.mark.parametrize("content", [b"\x1f\x8b broken", b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "peaks.bed"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"peaks\.bed(, line 1 is not UTF-8| cannot be read: )"):
        read_regions(path)
