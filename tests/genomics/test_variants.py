"""Effects of variants against surgery on strings and Keras's own predictions."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics import VariantScorer, score_variants
from deeplift_engine.genomics.variants.variant import split
from deeplift_engine.genomics.variants.variant_effects import PRODUCTS, distance, quantiles
from deeplift_engine.genomics.variants.variant_files import open_variants
from deeplift_engine.genomics.variants.variant_windows import aligned, windows
from tests.genomics.variant_files import (
    LENGTH,
    SCORED,
    encoded,
    genome,
    lines,
    network,
    predicted,
    surgery,
    write_vcf,
)
from tests.helpers import off

TOLERANCE = 1e-5
"""float32 networks on both sides, compared as shares of the largest value."""


def alleles() -> list[tuple[str, int, str, str]]:
    """What is scored of `lines`, in their order."""
    rows = lines()
    return [
        (rows[record][0], int(rows[record][1]), rows[record][3], rows[record][4].split(",")[number])
        for record, numbers in SCORED.items()
        for number in numbers
    ]


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows if not row["skipped"]])


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.mean())
    return shares / shares.sum()


def without_indel(ref: np.ndarray, alt: np.ndarray, sizes: tuple[int, int]) -> list[np.ndarray]:
    """Both profiles without the bases that one of them lacks, as variant-scorer compares them."""
    middle, (one, other) = len(ref) // 2, sizes
    if one > other:
        ref = np.concatenate([ref[: middle + other], ref[middle + one :]])
        alt = alt[: other - one]
    if other > one:
        alt = np.concatenate([alt[: middle + one], alt[middle + other :]])
        ref = ref[: one - other]
    return [each / each.sum() for each in (ref, alt)]


def expected(seed: int = 0) -> dict[str, np.ndarray]:
    jensenshannon = pytest.importorskip("scipy.spatial.distance").jensenshannon
    pairs = [surgery(*each) for each in alleles()]
    ref, alt = (predicted([pair[number] for pair in pairs], seed) for number in (0, 1))
    distances = [
        jensenshannon(
            *without_indel(softmax(one), softmax(other), (len(each[2]), len(each[3]))), base=2
        )
        for one, other, each in zip(ref[0], alt[0], alleles(), strict=True)
    ]
    logfc = np.log2(alt[1] / ref[1])
    return {
        "ref_prediction": ref[1],
        "alt_prediction": alt[1],
        "logfc": logfc,
        "abs_logfc": np.abs(logfc),
        "jsd": np.array(distances),
        "logfc_x_jsd": logfc * distances,
        "abs_logfc_x_jsd": np.abs(logfc) * distances,
    }


def test_windows_are_those_of_surgery_on_the_chromosome(tmp_path: Path) -> None:
    for length in (LENGTH, LENGTH - 1):
        found = [
            list(windows(variant, genome(), length))
            for record in open_variants(write_vcf(tmp_path / "v.vcf"))
            for variant in split(record, genome(), length)
            if variant.reason is None
        ]
        assert len(found) >= len(alleles())
        assert [each for each in found if len(set(map(len, each))) != 1] == []
        if length == LENGTH:
            assert found == [surgery(*each) for each in alleles()]
            assert all(
                each[0][length // 2 :].startswith(a[2].upper())
                for each, a in zip(found, alleles(), strict=True)
            )


def test_windows_of_alleles_longer_than_the_window(tmp_path: Path) -> None:
    text = genome().sequences["chr1"].upper()
    rows = [["chr1", "100", ".", text[99:160], text[99]], ["chr1", "200", ".", text[199], "G" * 99]]
    for record, row in zip(open_variants(write_vcf(tmp_path / "v.vcf", rows)), rows, strict=True):
        (variant,) = split(record, genome(), LENGTH)
        assert variant.reason is None
        assert list(windows(variant, genome(), LENGTH)) == surgery(row[0], int(row[1]), *row[3:])


@pytest.mark.parametrize(("ref", "alt"), [(1, 1), (3, 1), (0, 4), (2, 5), (30, 1), (1, 30)])
def test_aligned_positions_hold_the_same_letters(ref: int, alt: int) -> None:
    flank, behind = "a" * 20, "".join(map(chr, range(200, 300)))
    one = (flank + "R" * ref + behind)[:LENGTH]
    other = (flank + "R" * alt + behind)[:LENGTH]
    left, right = aligned(LENGTH, 20, ref, alt)
    assert [one[i] for i in left] == [other[i] for i in right]
    assert len(left) == max(LENGTH - abs(ref - alt), 20 + min(ref, alt))


def test_effects_are_those_of_predictions_on_both_strands(tmp_path: Path) -> None:
    run = score_variants(
        network(), write_vcf(tmp_path / "v.vcf"), genome(), tmp_path / "out", progress=False
    )
    assert run.files == (f"{tmp_path}/out.variants.tsv", f"{tmp_path}/out.variants.vcf")
    rows = table(tmp_path / "out.variants.tsv")
    assert len(rows) == run.survey.variants == 23
    assert list(rows[0]) == ["chrom", "pos", "id", "ref", "alt", "kind", *run.columns, "skipped"]
    assert set(run.columns) == set(expected())
    scored = [(r["chrom"], int(r["pos"]), r["ref"], r["alt"]) for r in rows if not r["skipped"]]
    assert scored == [(c, p, ref.upper(), alt.upper()) for c, p, ref, alt in alleles()]
    for name, values in expected().items():
        assert off(column(rows, name), values) < TOLERANCE
        assert all(row[name] == "NA" for row in rows if row["skipped"])


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_vcf(tmp_path / "v.vcf")
    score_variants(network(), path, genome(), tmp_path / "one", progress=False)
    monkeypatch.setattr("deeplift_engine.genomics.variants.variant_scoring.MOST", 3)
    score_variants(network(), path, genome(), tmp_path / "more", progress=False)
    one, more = (table(tmp_path / f"{name}.variants.tsv") for name in ("one", "more"))
    assert [row["skipped"] for row in one] == [row["skipped"] for row in more]
    for name in expected():
        assert off(column(more, name), column(one, name)) < TOLERANCE


def test_one_strand_alone(tmp_path: Path) -> None:
    scorer = VariantScorer(network(), genome(), reverse_complement=False)
    variants = [
        variant
        for record in open_variants(write_vcf(tmp_path / "v.vcf"))
        for variant in split(record, genome(), LENGTH)
        if variant.reason is None
    ]
    values = scorer.effects(variants)
    counts = [
        np.exp(
            network()
            .predict(encoded([surgery(*each)[number] for each in alleles()]))[
                "logcount_predictions"
            ][:, 0]
            .astype(float)
        )
        for number in (0, 1)
    ]
    assert off(values["logfc"], np.log2(counts[1] / counts[0])) < TOLERANCE


def test_folds_have_means_deviations_and_directions(tmp_path: Path) -> None:
    folds = [expected(seed) for seed in (0, 1, 2)]
    networks = [network(seed) for seed in (0, 1, 2)]
    path = write_vcf(tmp_path / "v.vcf")
    score_variants(networks, path, genome(), tmp_path / "out", progress=False)
    rows = table(tmp_path / "out.variants.tsv")
    for name in folds[0]:
        values = np.stack([fold[name] for fold in folds])
        assert off(column(rows, name), values.mean(axis=0)) < TOLERANCE
        assert off(column(rows, f"{name}_sd"), values.std(axis=0, ddof=1)) < 10 * TOLERANCE
    logfc = np.stack([fold["logfc"] for fold in folds])
    up, down = (logfc > 0).sum(axis=0), (logfc < 0).sum(axis=0)
    assert 0 < up.sum() < up.size * 3
    assert column(rows, "logfc_positive").tolist() == up.tolist()
    assert column(rows, "logfc_negative").tolist() == down.tolist()
    agree = np.where(logfc.mean(axis=0) > 0, up, down) / 3
    assert off(column(rows, "logfc_direction_agreement"), agree) < 1e-6  # digits of the table
    assert "jsd_positive" not in rows[0]


def test_the_more_active_allele_is_ranked_among_peaks(tmp_path: Path) -> None:
    texts = ["".join(each) for each in np.random.default_rng(3).choice(list("ACGT"), (30, LENGTH))]
    peaks = encoded(texts).astype("int8")
    path = write_vcf(tmp_path / "v.vcf")
    score_variants(network(), path, genome(), tmp_path / "out", peaks=peaks, progress=False)
    rows, counts = table(tmp_path / "out.variants.tsv"), predicted(texts)[1]
    active = np.maximum(expected()["ref_prediction"], expected()["alt_prediction"])
    ranks = [max(np.mean(counts < value), 1 / 30) for value in active]
    assert len(set(ranks)) > 2
    assert off(column(rows, "active_allele_quantile"), np.array(ranks)) < 1e-6
    for factors in PRODUCTS:
        product = np.prod([column(rows, name) for name in factors], axis=0)
        assert off(column(rows, "_x_".join(factors)), product) < 1e-6  # digits of the table


def test_quantiles_count_what_is_below() -> None:
    assert quantiles(np.array([0.5, 1.0, 2.5, 9.0]), np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [
        *(0.25, 0.25, 0.5, 1.0)
    ]


def test_distances_are_between_0_and_1() -> None:
    apart = distance(np.array([1.0, 0, 0]), np.array([0, 2.0, 2.0]))
    assert apart == pytest.approx(1, abs=1e-12)
    assert distance(np.array([0.2, 0.8]), np.array([0.1, 0.4])) == pytest.approx(0, abs=1e-8)


def test_the_annotated_vcf_is_the_file_with_fields(tmp_path: Path) -> None:
    pysam = pytest.importorskip("pysam")
    path = write_vcf(tmp_path / "v.vcf")
    run = score_variants(network(), path, genome(), tmp_path / "out", progress=False)
    values = {name: iter(each) for name, each in expected().items()}
    with pysam.VariantFile(str(path)) as one, pysam.VariantFile(run.files[1]) as other:
        assert set(one.header.info) < set(other.header.info)
        pairs = list(zip(one, other, strict=True))
    for number, (before, after) in enumerate(pairs):
        assert str(after).startswith(str(before).rstrip("\n"))
        alleles_of = SCORED.get(number, [])
        count = len(lines()[number][4].split(","))
        for name, each in values.items():
            field = after.info.get(f"DE_{name}", (None,) * count)
            assert [i for i, value in enumerate(field) if value is not None] == alleles_of
            for allele in alleles_of:
                assert field[allele] == pytest.approx(next(each), rel=1e-4, abs=1e-6)
        reasons = after.info.get("DE_skipped", (None,) * count)
        assert [i for i, code in enumerate(reasons) if code in (None, ".")] == alleles_of


def test_cyvcf2_and_pandas_read_what_is_written(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = write_vcf(tmp_path / "v.vcf")
    run = score_variants(network(), path, genome(), tmp_path / "out", progress=False)
    read = pandas.read_csv(run.files[0], sep="\t", dtype={"chrom": str}, keep_default_na=True)
    rows = table(Path(run.files[0]))
    assert read["pos"].tolist() == [int(row["pos"]) for row in rows]
    scored = read[read["skipped"].isna()]
    for name, values in expected().items():
        np.testing.assert_allclose(scored[name], values, rtol=1e-4, atol=1e-6)
    cyvcf2 = pytest.importorskip("cyvcf2")
    taken = []
    for record in cyvcf2.VCF(run.files[1]):
        field = record.INFO.get("DE_logfc")
        field = field if isinstance(field, tuple) else (field,)
        taken += [value for value in field if value is not None and not np.isnan(value)]
    np.testing.assert_allclose(taken, expected()["logfc"], rtol=1e-4, atol=1e-6)


def test_a_second_annotation_replaces_the_first(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "v.vcf")
    first = score_variants(network(), path, genome(), tmp_path / "one", progress=False)
    again = score_variants(network(), first.files[1], genome(), tmp_path / "two", progress=False)
    assert Path(again.files[1]).read_text() == Path(first.files[1]).read_text()


def test_genotypes_and_odd_bytes_are_kept(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "v.vcf", lines()[:2])
    text = (
        path.read_text().replace("INFO\n", "INFO\tFORMAT\tS\n").replace("AF=0.5", "AF=0.5\tGT\t0/1")
    )
    path.write_bytes(text.encode().replace(b"rs1", b"r\xe91"))
    run = score_variants(network(), path, genome(), tmp_path / "out", progress=False)
    body = [row for row in Path(run.files[1]).read_bytes().splitlines() if row[:1] != b"#"]
    assert body[0].split(b"\t")[2] == b"r\xe91"
    assert [row.split(b"\t")[8:] for row in body] == [[b"GT", b"0/1"]] * 2


def test_contributions_of_both_alleles_differ_by_the_change_of_the_target(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "v.vcf")
    run = score_variants(
        network(),
        path,
        genome(),
        tmp_path / "out",
        target="logcount_predictions:0",
        references=de.references.dinucleotide_shuffle(3, seed=1),
        progress=False,
    )
    pairs = [surgery(*each) for each in alleles()]
    texts = [pair[number] for number in (0, 1) for pair in pairs]
    with h5py.File(run.files[2]) as file:
        letters, scores = file["raw/seq"][()], file["shap/seq"][()]
        projected = file["projected_shap/seq"][()]
        ids, rows = file["variant_ids"].asstr()[()], file["alleles"][()]
        assert file.attrs["variant_start"] == LENGTH // 2
        assert file["ref"].asstr()[0] == alleles()[0][2]
    assert rows.tolist() == [0] * len(pairs) + [1] * len(pairs)
    assert ids[: len(pairs)].tolist() == ids[len(pairs) :].tolist()
    assert ids[1] == f"chr1:120:{alleles()[1][2]}:{alleles()[1][3]}"
    assert np.array_equal(letters, np.swapaxes(encoded(texts), 1, 2))
    assert off(projected, scores * letters) < 1e-7
    forward, back = (
        np.asarray(network().predict(each)["logcount_predictions"])[:, 0]
        for each in (encoded(texts), encoded(texts)[:, ::-1, ::-1])
    )
    target = ((forward + back) / 2).reshape(2, -1)
    sums = projected.sum(axis=(1, 2)).reshape(2, -1)
    # positions of N in two windows have contributions that no letter carries
    clean = [i for i, pair in enumerate(pairs) if "N" not in pair[0] + pair[1]]
    assert len(clean) == len(pairs) - 1
    assert off((sums[1] - sums[0])[clean], (target[1] - target[0])[clean]) < 1e-4


def test_several_heads_have_groups(tmp_path: Path) -> None:
    run = score_variants(
        network(),
        write_vcf(tmp_path / "v.vcf", lines()[:2]),
        genome(),
        tmp_path / "out",
        target={"counts": "logcount_predictions:0", "middle": "logits_profile_predictions:10"},
        references=0,
        reverse_complement=False,
        progress=False,
    )
    with h5py.File(run.files[2]) as file:
        both = [file[f"{head}/shap/seq"][()] for head in ("counts", "middle")]
        assert both[0].shape == (4, 4, LENGTH)
        one_hot = np.swapaxes(file["counts/raw/seq"][()], 1, 2).astype("float32")
    explainer = network().explainer(target="logits_profile_predictions")
    hypothetical = explainer.run(one_hot, target=10, progress=False).hypothetical
    assert off(np.swapaxes(both[1], 1, 2), hypothetical) < TOLERANCE


def test_errors_leave_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_vcf(tmp_path / "v.vcf", [lines()[0], ["chr1", "150", "x", "ACGTACGTAC", "A"]])
    with pytest.raises(InputError, match="record 1"):
        score_variants(network(), path, genome(), tmp_path / "out")
    monkeypatch.setattr(VariantScorer, "effects", lambda *_: 1 / 0)
    write_vcf(path, lines()[:2])
    with pytest.raises(ZeroDivisionError):
        score_variants(network(), path, genome(), tmp_path / "out", progress=False)
    assert [each.name for each in tmp_path.iterdir()] == ["v.vcf"]
    (tmp_path / "out.variants.vcf").write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        score_variants(network(), path, genome(), tmp_path / "out", progress=False)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.variants.vcf", "v.vcf"]
