"""FASTA files against pyfaidx and pysam, and what is wrong with them."""

from __future__ import annotations

import gc
import gzip
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from tests.genomics.fasta_files import bgzip, fasta, random_sequences, write

SEQUENCES = random_sequences({"chr2": 1000, "chr1": 617, "chrM": 60, "tiny": 1}, "ACGTNacgtnRYk")


def regions(count: int = 200) -> list[tuple[str, int, int]]:
    rng = np.random.default_rng(1)
    chosen = []
    for name in rng.choice(list(SEQUENCES), count):
        start, end = sorted(rng.integers(0, len(SEQUENCES[name]) + 1, 2).tolist())
        chosen.append((str(name), start, end))
    return chosen


def irregular(sequences: dict[str, str]) -> bytes:
    return b"".join(
        f">{name}\n{text[:7]}\n\n{text[7:40]}\n{text[40:]}\n\n".encode()
        for name, text in sequences.items()
    )


WAYS = {
    "plain": fasta(SEQUENCES),
    "crlf": fasta(SEQUENCES, end="\r\n"),
    "one line": fasta(SEQUENCES, width=10**6),
    "no end of line": fasta(SEQUENCES).rstrip(),
    "irregular": irregular(SEQUENCES),
    "last line longer": b">a\nACGT\nACGTACGT\n" + fasta(SEQUENCES),
    "gzip": gzip.compress(fasta(SEQUENCES)),
    "two members": gzip.compress(fasta(SEQUENCES)[:500]) + gzip.compress(fasta(SEQUENCES)[500:]),
}


@pytest.mark.parametrize("way", WAYS)
def test_regions_are_those_of_the_sequences(tmp_path: Path, way: str) -> None:
    genome = de.genomics.Genome(write(tmp_path / "genome.fa", WAYS[way]))
    assert [name for name in genome.sizes if name != "a"] == list(SEQUENCES)
    assert {name: genome.sizes[name] for name in SEQUENCES} == {
        name: len(text) for name, text in SEQUENCES.items()
    }
    for name, start, end in regions():
        assert genome.fetch(name, start, end) == SEQUENCES[name][start:end]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genome.fa"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tool", ["pyfaidx", "pysam"])
def test_indexes_of_other_tools_are_read(tmp_path: Path, tool: str, end: str) -> None:
    library = pytest.importorskip(tool)
    path = write(tmp_path / "genome.fa", fasta(SEQUENCES, end=end))
    if tool == "pysam":
        library.faidx(str(path))
        with library.FastaFile(str(path)) as theirs:
            expected = [theirs.fetch(*region) for region in regions()]
    else:
        with library.Fasta(str(path)) as theirs:
            expected = [str(theirs[name][start:end]) for name, start, end in regions()]
    assert (tmp_path / "genome.fa.fai").exists()
    genome = de.genomics.Genome(path)
    assert [genome.fetch(*region) for region in regions()] == expected
    assert list(genome.sizes) == list(SEQUENCES)


def test_bgzip_of_pysam_is_read(tmp_path: Path) -> None:
    pysam = pytest.importorskip("pysam")
    path = write(tmp_path / "genome.fa", fasta(SEQUENCES))
    pysam.tabix_compress(str(path), f"{path}.gz")
    unindexed = de.genomics.Genome(f"{path}.gz")
    pysam.faidx(f"{path}.gz")
    genome = de.genomics.Genome(f"{path}.gz")
    assert (tmp_path / "genome.fa.gz.gzi").exists()
    for region in regions():
        assert genome.fetch(*region) == SEQUENCES[region[0]][region[1] : region[2]]
        assert unindexed.fetch(*region) == genome.fetch(*region)


@pytest.fixture
def blocks(tmp_path: Path) -> Path:
    """The genome as bgzip of many blocks with both indexes."""
    content = fasta(SEQUENCES)
    path, (packed, index) = tmp_path / "genome.fa.gz", bgzip(content, 100)
    write(path, packed)
    write(tmp_path / "genome.fa.gz.gzi", index)
    lines = []
    for name, text in SEQUENCES.items():
        first = content.index(b"\n", content.index(f">{name} ".encode())) + 1
        lines.append(f"{name}\t{len(text)}\t{first}\t60\t61\n")
    write(tmp_path / "genome.fa.gz.fai", "".join(lines).encode())
    return path


def test_bgzip_with_its_indexes_is_read_in_place(
    blocks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gzip.decompress(blocks.read_bytes()) == fasta(SEQUENCES)
    monkeypatch.setattr(tempfile, "tempdir", str(blocks.parent / "absent"))
    genome = pickle.loads(pickle.dumps(de.genomics.Genome(blocks)))
    assert list(genome.sizes) == list(SEQUENCES)
    for name, start, end in regions():
        assert genome.fetch(name, start, end) == SEQUENCES[name][start:end]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: index[:-1], "does not fit"),
        (lambda index: index[:-16], "does not fit"),
        (lambda index: b"\x01" + index[1:], "does not fit"),
        (lambda index: index[:8] + b"\xff" * 8 + index[16:], "does not fit"),
        (lambda index: index[:16] + b"\x63" + index[17:], "does not fit"),
        (lambda index: index[:8] + b"\x01" + index[9:], "cannot be read"),
    ],
)
def test_an_index_of_other_blocks_is_refused(
    blocks: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    index = Path(f"{blocks}.gzi")
    write(index, change(index.read_bytes()))
    with pytest.raises(InputError, match=rf"genome\.fa\.gz(\.gzi)? {message}"):
        de.genomics.Genome(blocks).fetch("chr2", 0, 1000)


def test_damaged_blocks_and_an_older_index_of_them_are_refused(blocks: Path) -> None:
    content = bytearray(blocks.read_bytes())
    content[30] ^= 1
    write(blocks, bytes(content))
    os.utime(blocks, (0, 0))
    with pytest.raises(InputError, match=r"genome\.fa\.gz cannot be read"):
        de.genomics.Genome(blocks).fetch("chr2", 0, 1000)
    index = Path(f"{blocks}.gzi")
    os.utime(index, (0, 0))
    os.utime(blocks, (10, 10))
    with pytest.raises(InputError, match=r"gzi is older than its file.* bgzip -r"):
        de.genomics.Genome(blocks)


def test_an_older_index_is_refused(tmp_path: Path) -> None:
    pyfaidx = pytest.importorskip("pyfaidx")
    path = write(tmp_path / "genome.fa", fasta(SEQUENCES))
    pyfaidx.Fasta(str(path)).close()
    stat = path.stat()
    os.utime(path, (stat.st_atime, stat.st_mtime + 10))
    with pytest.raises(InputError, match=r"genome\.fa\.fai is older than .* samtools faidx"):
        de.genomics.Genome(path)


@pytest.mark.parametrize(
    "change",
    [
        {"chr2": "ACGT" * 100},
        {"chr2": SEQUENCES["chr2"] + "A" * 60},
        {"chrM": SEQUENCES["chrM"] + "A"},
        {"tiny": "AC"},
        {"new": "ACGT"},
    ],
)
def test_an_index_of_another_file_is_refused(tmp_path: Path, change: dict[str, str]) -> None:
    pyfaidx = pytest.importorskip("pyfaidx")
    path = write(tmp_path / "genome.fa", fasta(SEQUENCES))
    pyfaidx.Fasta(str(path)).close()
    write(path, fasta({**SEQUENCES, **change}))
    os.utime(path, (0, 0))
    with pytest.raises(InputError, match=r"genome\.fa\.fai does not fit .* samtools faidx"):
        de.genomics.Genome(path)


@pytest.mark.parametrize("line", ["chr1\t10\t6", "chr1\tx\t6\t60\t61", "chr1\t9\t6\t0\t61", ""])
def test_a_damaged_index_is_refused(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "genome.fa", b">chr1\nACGTACGTA\n")
    write(tmp_path / "genome.fa.fai", f"{line}\n".encode())
    with pytest.raises(InputError, match=r"genome\.fa\.fai, line 1 is no line of an index"):
        de.genomics.Genome(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"ACGT\n", "line 1: expected a FASTA file"),
        (b"\x93NUMPY\x01\x00", "line 1: expected a FASTA file"),
        (b">\nACGT\n", "line 1: a header without a name"),
        (b">a\nAC\n>b\nA\n>a\nAC\n", "line 5: a second sequence 'a'"),
        (b">a\rACGT\r", "line 1: lines end in CR alone"),
        (gzip.compress(b">a\nACGT\n" * 100, mtime=0)[:-20], "cannot be read"),
        (b"\x1f\x8b nothing", "cannot be read"),
    ],
)
def test_what_is_no_fasta_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path / "genome.fa", content)
    with pytest.raises(InputError, match=f"{re.escape(str(path))}.*{message}"):
        de.genomics.Genome(path)


def test_a_file_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"genome\.fa cannot be read: No such file"):
        de.genomics.Genome(tmp_path / "genome.fa")


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (("chr3", 0, 5), "no sequence 'chr3'.*chr1"),
        (("chr1", -1, 5), "chr1:-1-5 is no region of chr1, which has the positions 0 to 617"),
        (("chr1", 600, 618), "chr1:600-618 is no region"),
        (("chr1", 6, 5), "chr1:6-5 is no region"),
    ],
)
def test_what_is_no_region_is_refused(
    tmp_path: Path, region: tuple[str, int, int], message: str
) -> None:
    genome = de.genomics.Genome(write(tmp_path / "genome.fa", fasta(SEQUENCES)))
    with pytest.raises(InputError, match=rf"genome\.fa.*{message}"):
        genome.fetch(*region)


def test_what_is_no_letter_is_refused(tmp_path: Path) -> None:
    genome = de.genomics.Genome(write(tmp_path / "genome.fa", b">chr1\nACGT\nAC*T\n"))
    assert genome.fetch("chr1", 0, 6) == "ACGTAC"
    with pytest.raises(InputError, match=r"chr1:2-8 has '\*' at position 6 \(0-based\)"):
        genome.fetch("chr1", 2, 8)


def test_processes_read_one_genome(tmp_path: Path) -> None:
    genome = de.genomics.Genome(write(tmp_path / "genome.fa", fasta(SEQUENCES)))
    again = pickle.loads(pickle.dumps(genome))
    assert again.sizes == genome.sizes
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        read = list(pool.map(genome.fetch, *zip(*regions(8), strict=True)))
    assert read == [SEQUENCES[name][start:end] for name, start, end in regions(8)]


def test_all_sequences_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "sequences.fa.gz", gzip.compress(irregular(SEQUENCES)))
    assert de.genomics.read_fasta(path) == SEQUENCES
    assert list(de.genomics.read_fasta(path)) == list(SEQUENCES)


def test_a_compressed_file_is_unpacked_once_for_all_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = write(tmp_path / "genome.fa.gz", gzip.compress(fasta(SEQUENCES)))
    code = (
        "import sys, deeplift_engine as de; genome = de.genomics.Genome(sys.argv[1])\n"
        "print(genome.fetch('chr1', 0, 5), flush=True); sys.stdin.read()"
    )
    (folder,) = (scratch / f"deeplift_engine-{os.getuid()}",)
    genome = de.genomics.Genome(path)
    (content,) = folder.glob("*.content")
    written = content.stat()
    with subprocess.Popen(
        [sys.executable, "-c", code, path],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout.readline().strip() == genome.fetch("chr1", 0, 5)
        del genome
        gc.collect()
        assert content.stat() == written  # another process reads it
        other.kill()
    assert content.exists()
    assert de.genomics.Genome(path).sizes == {name: len(s) for name, s in SEQUENCES.items()}
    gc.collect()
    assert os.listdir(folder) == []
