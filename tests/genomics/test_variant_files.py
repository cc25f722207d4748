"""Files of variants against pysam's reader, and everything that makes a variant unfit."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.variants.variant import Record, split
from deeplift_engine.genomics.variants.variant_files import open_variants
from deeplift_engine.genomics.variants.variant_scoring import survey
from tests.genomics.variant_files import (
    HEADER,
    LENGTH,
    SCORED,
    at,
    genome,
    lines,
    other,
    write_vcf,
)


def read(path: Path) -> list[tuple[object, ...]]:
    return [
        (each.chrom, each.position, each.name, each.ref, each.alternatives)
        for each in open_variants(path)
    ]


def test_records_are_those_that_pysam_reads(tmp_path: Path) -> None:
    pysam = pytest.importorskip("pysam")
    path = write_vcf(tmp_path / "v.vcf")
    with pysam.VariantFile(str(path)) as file:
        expected = [
            (each.chrom, each.pos, each.id or ".", each.ref, each.alts or (".",)) for each in file
        ]
    assert read(path) == expected
    pysam.tabix_compress(str(path), str(tmp_path / "b.vcf.gz"))
    (tmp_path / "p.vcf.gz").write_bytes(gzip.compress(path.read_bytes()))
    (tmp_path / "crlf.vcf").write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for name in ("b.vcf.gz", "p.vcf.gz", "crlf.vcf"):
        assert read(tmp_path / name) == expected


def test_each_allele_is_a_variant_with_its_own_reason(tmp_path: Path) -> None:
    found = {}
    for record in open_variants(write_vcf(tmp_path / "v.vcf")):
        variants = split(record, genome(), LENGTH)
        assert len(variants) == len(record.alternatives)
        found[record.number] = [v.reason.code if v.reason else "" for v in variants]
    scored = {n: [i for i, code in enumerate(codes) if not code] for n, codes in found.items()}
    assert {number: alleles for number, alleles in scored.items() if alleles} == SCORED
    assert found[4] == ["", "symbolic", "", "overlapping_deletion", ""]
    codes = [found[number][0] for number in (5, 6, 7, 8, 9, 12, 13, 14, 16, 17, 18)]
    assert codes == [
        *("symbolic", "no_alternative", "symbolic", "breakend", "edge", "edge", "edge"),
        *("letters", "letters", "same", "no_chromosome"),
    ]


def test_kinds_are_of_each_allele(tmp_path: Path) -> None:
    kinds = [
        [each.kind for each in split(record, genome(), LENGTH)]
        for record in open_variants(write_vcf(tmp_path / "v.vcf"))
    ]
    assert kinds[:4] == [["SNV"], ["MNV"], ["insertion"], ["deletion"]]
    assert kinds[4] == ["SNV", "other", "SNV", "other", "insertion"]


def test_the_table_of_variant_scorer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "v.tsv"
    path.write_text(
        f"chr1\t100\t{at('chr1', 100)}\tG\tone\nchr1\t101\t-\tCT\t\n\nchr2\t9\tac\t-\tx"
    )
    assert read(path) == [
        ("chr1", 100, "one", at("chr1", 100), ("G",)),
        ("chr1", 101, ".", "", ("CT",)),
        ("chr2", 9, "x", "ac", ("",)),
    ]


@pytest.mark.parametrize("text", ["chr1 100 A C x\n", "chr1\t100\tA\tC\n", "chr1\tx\tA\tC\ti\n"])
def test_what_is_no_table_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "v.tsv"
    path.write_text(f"chr1\t100\tA\tC\tone\n{text}")
    with pytest.raises(InputError, match=r"v\.tsv, line 2, record 1: "):
        list(open_variants(path))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("chr1\t9\t.\tA\tC", "5 columns; a VCF has 8 or more"),
        ("chr1\t9x\t.\tA\tC\t.\t.\t.", "POS is '9x'"),
        ("chr1\t9\t.\t.\tC\t.\t.\t.", "REF is '.'"),
        ("chr1\t9\t.\tA\tC,\t.\t.\t.", "ALT 'C,'"),
    ],
)
def test_what_is_no_record_is_refused_with_its_line(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "v.vcf"
    path.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(InputError, match=r"v\.vcf, line 9, record 0: ") as error:
        list(open_variants(path))
    assert message in str(error.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.vcf"
    with pytest.raises(InputError, match="No such file"):
        open_variants(path)
    path.write_text("##fileformat=VCFv4.2\nchr1\t1\n")
    with pytest.raises(InputError, match="without the line that begins with '#CHROM'"):
        open_variants(path)
    path.write_bytes(gzip.compress(b"BCF\2\2 and bytes"))
    with pytest.raises(InputError, match="bcftools view"):
        open_variants(path)
    whole = gzip.compress(f"{HEADER}\n".encode() + b"chr1\t1\t.\tA\tC\t.\t.\t.\n" * 999)
    path.write_bytes(whole[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        list(open_variants(path))


def mismatch(tmp_path: Path, position: int, ref: str, alt: str, chrom: str = "chr1") -> Path:
    return write_vcf(tmp_path / "v.vcf", [lines()[0], [chrom, str(position), "bad", ref, alt]])


@pytest.mark.parametrize("alt", ["<DEL>", "A", "C", "G", "T", "*"])
def test_ref_is_compared_with_the_genome_whatever_alt_is(tmp_path: Path, alt: str) -> None:
    wrong = other(at("chr1", 150))
    path = mismatch(tmp_path, 150, wrong, alt)
    with pytest.raises(InputError, match=r"v\.vcf, line 10, record 1 \(chr1:150 ") as error:
        survey(open_variants(path), genome(), LENGTH)
    assert f"REF is {wrong!r} and the genome has {at('chr1', 150)!r}" in str(error.value)
    assert ("swapped" in str(error.value)) == (alt == at("chr1", 150))
    found = survey(open_variants(path), genome(), LENGTH, skip_mismatches=True)
    assert (found.records, found.scored, found.skipped) == (2, 1, {"mismatch": 1})


@pytest.mark.parametrize("position", [0, 401, 400])
def test_ref_beyond_a_chromosome_is_a_mismatch(tmp_path: Path, position: int) -> None:
    with pytest.raises(InputError, match="chr1 has 1 to 400"):
        survey(open_variants(mismatch(tmp_path, position, "AA", "A")), genome(), LENGTH)


def test_the_survey_counts_what_is_skipped_and_strict_refuses_it(tmp_path: Path) -> None:
    file = open_variants(write_vcf(tmp_path / "v.vcf"))
    found = survey(file, genome(), LENGTH)
    assert (found.records, found.variants, found.scored) == (19, 23, 10)
    assert found.skipped == {
        "symbolic": 3,
        "overlapping_deletion": 1,
        "no_alternative": 1,
        "breakend": 1,
        "edge": 3,
        "letters": 2,
        "same": 1,
        "no_chromosome": 1,
    }
    with pytest.raises(InputError, match=r"line 13, record 4 .* ALT is <DEL>"):
        survey(file, genome(), LENGTH, strict=True)


def test_files_of_which_nothing_can_be_scored_say_why(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "v.vcf", [["1", "100", ".", at("chr1", 100), "A"]])
    with pytest.raises(InputError, match=r"no_chromosome 1.*no chromosome '1', but 'chr1'"):
        survey(open_variants(path), genome(), LENGTH)
    with pytest.raises(InputError, match="has no records"):
        survey(open_variants(write_vcf(path, [])), genome(), LENGTH)


def test_labels_name_variants_without_an_identifier() -> None:
    record = Record("f", 1, 0, "chr1", 100, ".", "", ("ac",), "")
    assert split(record, genome(), LENGTH)[0].label == "chr1:100:-:AC"
