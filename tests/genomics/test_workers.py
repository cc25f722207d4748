"""Regions of a genome, and variants, on the workers of a cluster: what one process gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import cli
from deeplift_engine.jobs import cluster
from deeplift_engine.jobs.threads import threads
from tests.genomics.fasta_files import bgzip, fasta, write
from tests.genomics.variant_files import LENGTH, genome, lines, write_vcf

pytestmark = [
    pytest.mark.slow,
    # distributed leaves sockets to the collector of garbage
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as small as one is, for all processes compile it, its genome, peaks and variants."""
    folder = tmp_path_factory.mktemp("workers")
    source = keras.Input((LENGTH, 4), name="sequence")
    hidden = keras.layers.Conv1D(4, 5, activation="relu")(source)
    hidden = keras.layers.GlobalAveragePooling1D()(hidden)
    counts = keras.layers.Dense(1, name="logcount_predictions")(hidden)
    keras.Model(source, counts).save(folder / "model.keras")
    write(folder / "genome.fa.gz", bgzip(fasta(genome().sequences))[0])
    peaks = [
        f"{chrom}\t{start}\t{start + 30}\tpeak{start}\t0\t{strand}\t0\t-1\t-1\t{start % 30}\n"
        for chrom in ("chr1", "chr2", "chr3")
        for start, strand in zip(range(0, 370, 17), 8 * "+-.", strict=False)
    ]
    (folder / "peaks.narrowPeak").write_text("".join(peaks))
    write_vcf(folder / "variants.vcf", lines())
    return folder


@pytest.fixture(scope="module")
def workers(forked: Any) -> Iterator[Any]:
    """The client of two workers, who do all commands."""
    pytest.importorskip("distributed")
    with forked.workers(2) as client:
        yield client


COMMANDS = {
    "score": (
        "score model.keras peaks.narrowPeak --genome genome.fa.gz "
        "--target logcount_predictions:0 --references dinucleotide_shuffle:3 "
        "--arrays hypothetical,inputs,predictions --shard-size 16"
    ),
    "variants": (
        "variants model.keras variants.vcf --genome genome.fa.gz --target logcount_predictions:0 "
        "--references dinucleotide_shuffle:3 --shard-size 6"
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_workers_give_what_one_process_gives(
    folder: Path, workers: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters = {2: nullcontext(workers)}
    monkeypatch.setattr(cluster, "local_cluster", clusters.__getitem__)
    monkeypatch.chdir(folder)
    command = [*COMMANDS[name].split(), "--threads", str(threads())]
    assert cli.main([*command, "-o", f"{name}.zarr", "--workers", "2"]) == 0
    assert cli.main([*command, "-o", f"{name}_alone.zarr"]) == 0
    stored, alone = (de.open_store(f"{each}.zarr") for each in (name, f"{name}_alone"))
    writers = {mark.receipt["pid"] for mark in stored.store.marks().values()}
    assert os.getpid() not in writers
    assert stored.settings["run"] == alone.settings["run"]
    assert stored.names == alone.names
    for each in stored.names:
        np.testing.assert_array_equal(stored[each][:], alone[each][:], each)
