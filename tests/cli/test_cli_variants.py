"""The command `variants`, on files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deeplift_engine.genomics import score_variants
from deeplift_engine.genomics.genome import Genome
from tests.genomics.variant_files import genome, lines, model, network, write_vcf


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variants")
    sequences = genome().sequences.items()
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in sequences))
    for seed in (0, 1):
        model(seed).save(folder / f"fold_{seed}.keras")
    write_vcf(folder / "v.vcf")
    (folder / "peaks.bed").write_text("".join(f"chr1\t{n}\t{n + 9}\n" for n in range(30, 360, 9)))
    return folder


def test_files_of_folds_are_those_of_the_library(files: Path, command, tmp_path: Path) -> None:
    outcome = command(
        *("variants", files / "fold_0.keras", files / "fold_1.keras", files / "v.vcf"),
        *("--genome", files / "genome.fa", "-o", tmp_path / "out", "--json", "-q"),
    )
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["records"], told["variants"], told["scored"]) == (19, 23, 10)
    assert told["skipped"]["symbolic"] == 3
    assert "logfc_direction_agreement" in told["effects"]
    networks = [network(0), network(1)]
    fasta = Genome(files / "genome.fa")
    run = score_variants(networks, files / "v.vcf", fasta, tmp_path / "own", progress=False)
    assert told["written"] == [each.replace("own", "out") for each in run.files]
    for one, other in zip(told["written"], run.files, strict=True):
        assert Path(one).read_text() == Path(other).read_text()


def test_peaks_and_contributions(files: Path, command, tmp_path: Path) -> None:
    outcome = command(
        *("variants", files / "fold_0.keras", files / "v.vcf", "--genome", files / "genome.fa"),
        *("-o", tmp_path / "out", "--peaks", files / "peaks.bed", "--target"),
        *("counts=logcount_predictions:0", "--references", "dinucleotide_shuffle:2", "-q"),
    )
    assert outcome.code == 0, outcome.err
    assert "peaks: " in outcome.out
    assert "active_allele_quantile" in outcome.out
    assert (tmp_path / "out.variant_contribs.h5").is_file()


def test_shares_of_a_store_and_its_files(files: Path, command, tmp_path: Path) -> None:
    store = tmp_path / "run.zarr"
    common = (
        *("variants", files / "fold_0.keras", files / "v.vcf", "--genome", files / "genome.fa"),
        *("-o", store, "-q", "--shard-size", 12),
    )
    outcome = command(*common, "--shard", "2/2")
    assert outcome.code == 0, outcome.err
    assert "share: 2/2" in outcome.out
    assert "skipped: " in outcome.out
    assert "has no scores" not in outcome.err
    assert command("export", store, "--to", "variants", "-o", tmp_path / "out").code == 5
    outcome = command(*common, "--resume", "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert (told["variants"], told["scored"], told["shards"], told["done"]) == (23, 10, 2, 2)
    assert command(*common).code == 5
    outcome = command("export", store, "--to", "variants", "-o", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    written = sorted(each.name for each in (tmp_path / "out").iterdir())
    assert written == ["run.variants.tsv", "run.variants.vcf"]
    outcome = command(*common[:5], "-o", tmp_path / "other", "--shard", "1/2")
    assert outcome.code == 4
    assert "--shard is for an output that ends in .zarr" in outcome.err


def test_mistakes_have_one_line_and_leave_no_file(files: Path, command, tmp_path: Path) -> None:
    bad = write_vcf(tmp_path / "bad.vcf", [lines()[0], ["chr1", "30", ".", "ACGTACGTACG", "A"]])
    start = ("variants", files / "fold_0.keras", bad, "--genome", files / "genome.fa")
    outcome = command(*start, "-o", tmp_path / "out")
    assert outcome.code == 4
    assert "bad.vcf, line 10, record 1 (chr1:30 ACGTACGTACG>A): REF is" in outcome.err
    assert [each.name for each in tmp_path.iterdir()] == ["bad.vcf"]
    assert command(*start, "-o", tmp_path / "out", "--skip-mismatches", "-q").code == 0
    outcome = command(*start, "-o", tmp_path / "out", "--skip-mismatches", "-q")
    assert outcome.code == 5
    assert "already exists" in outcome.err
    outcome = command(*start, "-o", tmp_path / "new", "--kind", "nowhere=counts")
    assert outcome.code == 4
    assert "there is no output 'nowhere'" in outcome.err
    outcome = command(*start, "-o", tmp_path / "new", "--references", "zeros")
    assert outcome.code == 4
    assert "say --target" in outcome.err
