"""The files of `score_variants` from a store that `VariantJob` filled."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.variants.allele_scores import AlleleScores
from deeplift_engine.genomics.variants.variant import EMPTY, Reason, Record, Variant
from deeplift_engine.genomics.variants.variant_files import VariantFile, open_variants
from deeplift_engine.genomics.variants.variant_job import (
    METHOD,
    content_of_file,
    scores_of_arrays,
    stored_names,
)
from deeplift_engine.genomics.variants.variant_outputs import Records
from deeplift_engine.genomics.variants.variant_run import (
    VariantResults,
    VariantRun,
    write_variants,
)
from deeplift_engine.genomics.variants.variant_scoring import Survey
from deeplift_engine.jobs.reader import StoredRun, open_store


def export_variants(
    store: str | os.PathLike[str],
    prefix: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: bool | None = None,
) -> VariantRun:
    """Write the table, the annotated VCF and the contributions of a complete run of variants.

    The file of variants is read again, where the run says it is; of it the annotated VCF has the
    lines. Memory holds a shard.

    Parameters
    ----------
    store
        That of a `VariantJob`.
    prefix, overwrite, progress
        As for `score_variants`.

    Raises
    ------
    InputError
        If the store is of another run, or the file of variants is not what it was.
    OutputError
        For variants that are not scored yet, and as `score_variants`.
    """
    run = open_store(store)
    settings = run.settings["run"]
    if settings.get("method") != METHOD:
        raise InputError(
            f"{store} is a run of {settings.get('method')}, and no run of variants: make one, "
            "variants MODEL VARIANTS --genome FASTA -o run.zarr"
        )
    run.require()
    file = open_variants(run.settings["variants"])
    if content_of_file(file.path) != settings["variants"]:
        raise InputError(f"{file.path} is not what it was when {store} was made.")
    heads = settings["heads"]
    plans = run.store.layout.plan_of
    columns = {
        name: np.dtype(plans[stored].dtype)
        for name, stored in zip(
            settings["columns"], stored_names(settings["columns"], ()), strict=True
        )
    }
    window = plans["inputs"].shape[1:] if heads else (settings["length"], len(settings["letters"]))
    results = VariantResults(
        file,
        Survey(**settings["survey"]),
        columns,
        tuple(heads),
        (window[0], window[1]),
        _blocks(run, file, settings),
    )
    return write_variants(results, prefix, overwrite=overwrite, progress=progress)


def _blocks(
    run: StoredRun, file: VariantFile, settings: Mapping[str, Any]
) -> Iterator[tuple[Records, AlleleScores]]:
    """Records with their variants, a shard or so at a time, and what is stored of these."""
    names = stored_names(settings["columns"], settings["heads"])
    start = 0
    for records in _grouped(file, run.store.shard):
        stop = start + sum(len(record.alternatives) for record in records)
        ref, alt, skipped = (run[name][start:stop] for name in ("ref", "alt", "skipped"))
        texts = iter(zip(ref, alt, skipped, strict=True))
        variants = [[_variant(record, *next(texts)) for _ in record.alternatives]
                    for record in records]  # fmt: skip
        scored = np.flatnonzero(skipped == "")
        arrays = {name: np.asarray(run[name][start:stop])[scored] for name in names}
        flat = [variant for several in variants for variant in several if variant.reason is None]
        yield (
            variants,
            scores_of_arrays(flat, arrays, settings["columns"], settings["heads"])
            if flat
            else AlleleScores(),
        )
        start = stop


def _grouped(file: VariantFile, most: int) -> Iterator[list[Record]]:
    """Records of about ``most`` variants together."""
    records: list[Record] = []
    count = 0
    for record in file:
        records.append(record)
        count += len(record.alternatives)
        if count >= most:
            yield records
            records, count = [], 0
    if records:
        yield records


def _variant(record: Record, ref: str, alt: str, skipped: str) -> Variant:
    one, other = ("" if text == EMPTY else text for text in (ref, alt))
    return Variant(record, one, other, Reason.of_text(skipped))


__all__ = ["export_variants"]
