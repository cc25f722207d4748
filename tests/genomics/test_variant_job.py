"""Variants into a store: shard by shard, in any order, and out of it again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics import VariantJob, export_variants, score_variants
from deeplift_engine.genomics.variants import variant_scoring
from deeplift_engine.genomics.variants.allele_scores import AlleleScorer, AlleleScores
from deeplift_engine.genomics.variants.variant import Record
from deeplift_engine.genomics.variants.variant_files import VariantFile
from tests.genomics.variant_files import at, genome, lines, network, write_vcf
from tests.genomics.variant_files import other as another

VARIANTS, SCORED = 23, 10


def arrays(path: Path) -> dict[str, np.ndarray]:
    run = de.open_store(path)
    return {name: run[name][:] for name in run.names}


def assert_equal(one: Path, other: Path) -> None:
    expected = arrays(other)
    for name, array in arrays(one).items():
        np.testing.assert_array_equal(array, expected[name], name)


def test_what_is_exported_is_what_is_written_at_once(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "v.vcf")
    networks = [network(0), network(1)]
    chosen: dict[str, Any] = {
        "target": {"counts": "logcount_predictions:0", "mid": "logits_profile_predictions:10"},
        "references": de.references.dinucleotide_shuffle(2, seed=1),
    }
    job = VariantJob(networks, path, genome(), **chosen)
    report = job.run(job.open_or_create(tmp_path / "run.zarr"))
    assert not report.pending
    assert len(report.failed) == VARIANTS - SCORED
    run = de.open_store(tmp_path / "run.zarr")
    assert run["skipped"][4] == ""
    assert run["skipped"][5].startswith("symbolic: ")
    assert run["mid/hypothetical"][:].shape == (VARIANTS, 2, 41, 4)
    exported = export_variants(tmp_path / "run.zarr", tmp_path / "exported", progress=False)
    direct = score_variants(networks, path, genome(), tmp_path / "direct", progress=False, **chosen)
    assert exported.survey == direct.survey
    assert exported.columns == direct.columns
    for one, other in zip(exported.files[:2], direct.files[:2], strict=True):
        assert Path(one).read_text() == Path(other).read_text()
    with h5py.File(exported.files[2]) as one, h5py.File(direct.files[2]) as other:
        names: list[str] = []
        other.visititems(
            lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
        )
        assert "mid/shap/seq" in names
        for name in names:
            assert np.array_equal(one[name][()], other[name][()]), name
    with pytest.raises(OutputError, match="already exists"):
        export_variants(tmp_path / "run.zarr", tmp_path / "exported", progress=False)
    path.write_text(path.read_text().replace("AF=0.5", "AF=0.6"))
    with pytest.raises(InputError, match="is not what it was"):
        export_variants(tmp_path / "run.zarr", tmp_path / "other", progress=False)


def test_shards_in_any_order_by_any_number_of_runs_are_one_run(tmp_path: Path) -> None:
    path = write_vcf(tmp_path / "v.vcf")
    options: dict[str, Any] = {"reverse_complement": False, "shard": 6}  # one ends within a record
    whole = VariantJob(network(), path, genome(), **options)
    whole.run(whole.create(tmp_path / "whole.zarr"))
    first = VariantJob(network(), path, genome(), **options)
    report = first.run(first.create(tmp_path / "run.zarr"), [2, 0])
    assert report.done == (0, 2)
    with pytest.raises(OutputError, match="not computed yet"):
        export_variants(tmp_path / "run.zarr", tmp_path / "out", progress=False)
    second = VariantJob(network(), path, genome(), **options)
    store = second.open(tmp_path / "run.zarr")
    for number in (3, 1):  # as workers of a cluster do: the file is read again for a smaller one
        assert second.run(store, [number]).done == (number,)
    assert_equal(tmp_path / "run.zarr", tmp_path / "whole.zarr")
    other = VariantJob(network(1), path, genome(), **options)
    with pytest.raises(OutputError, match="its models is"):
        other.open(tmp_path / "run.zarr")
    write_vcf(path, lines()[:4])
    changed = VariantJob(network(), path, genome(), **options)
    with pytest.raises(OutputError, match="its variants is"):
        changed.open(tmp_path / "run.zarr")


@pytest.mark.parametrize("stored", [False, True])
def test_no_more_records_are_held_than_two_blocks_have(
    tmp_path: Path, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, count = 8, 64
    held: list[weakref.ref[Any]] = []
    most = {Record: 0, AlleleScores: 0}

    def counted(kind: type, make: Callable[..., Any]) -> Callable[..., Any]:
        """What makes a record, or the scores of a block, and counts those that are held."""

        def call(*arguments: Any) -> Any:
            made = make(*arguments)
            held.append(weakref.ref(made))
            alive = sum(isinstance(each(), kind) for each in held)
            most[kind] = max(most[kind], alive)
            return made

        return call

    monkeypatch.setattr(variant_scoring, "MOST", block)
    monkeypatch.setattr(VariantFile, "_record", counted(Record, VariantFile._record))
    monkeypatch.setattr(AlleleScorer, "score", counted(AlleleScores, AlleleScorer.score))
    places = range(30, 30 + count)
    path = write_vcf(
        tmp_path / "v.vcf",
        [["chr1", str(n), f"v{n}", at("chr1", n), another(at("chr1", n))] for n in places],
    )
    if stored:
        job = VariantJob(network(), path, genome(), shard=block)
        assert not job.run(job.create(tmp_path / "run.zarr")).pending
        export_variants(tmp_path / "run.zarr", tmp_path / "out", progress=False)
    else:
        score_variants(network(), path, genome(), tmp_path / "out", progress=False)
    assert len((tmp_path / "out.variants.tsv").read_text().splitlines()) == 1 + count
    assert len(held) > count
    assert 0 < most[Record] <= 3 * block
    assert 0 < most[AlleleScores] <= 2
