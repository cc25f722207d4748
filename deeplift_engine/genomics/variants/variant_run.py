"""A run over a file of variants: read, score, write, and either all files or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from deeplift_engine.genomics.variants.allele_scores import AlleleScorer, AlleleScores
from deeplift_engine.genomics.variants.variant import Sequences
from deeplift_engine.genomics.variants.variant_files import VariantFile, Vcf, open_variants
from deeplift_engine.genomics.variants.variant_outputs import (
    AnnotatedVcf,
    ContributionsFile,
    Records,
    Table,
)
from deeplift_engine.genomics.variants.variant_scoring import Survey, blocks, survey
from deeplift_engine.network import Network
from deeplift_engine.results.provenance import provenance
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.progress import bar


@dataclass(frozen=True)
class VariantRun:
    """What `score_variants` did.

    Attributes
    ----------
    files
        The files that were written.
    columns
        The table's columns of effects.
    survey
        How many variants there were, and how many of them were skipped for which reason.
    """

    files: tuple[str, ...]
    columns: tuple[str, ...]
    survey: Survey


@dataclass(frozen=True)
class VariantResults:
    """All that the files of a run hold, block by block.

    Attributes
    ----------
    file
        The variants.
    survey
        How many there are.
    columns
        Names of the effects, and their dtypes.
    heads
        Of contributions; none without these.
    window
        L and C.
    blocks
        Records with their variants, and what was computed of those.
    """

    file: VariantFile
    survey: Survey
    columns: Mapping[str, np.dtype[Any]]
    heads: tuple[str, ...]
    window: tuple[int, int]
    blocks: Iterable[tuple[Records, AlleleScores]]


def score_variants(
    networks: Network | Sequence[Network],
    variants: str | os.PathLike[str],
    genome: Sequences,
    prefix: str | os.PathLike[str],
    *,
    strict: bool = False,
    skip_mismatches: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
    **scoring: Any,
) -> VariantRun:
    """Score the variants of a file and write what they change.

    ``PREFIX.variants.tsv`` has a row for each variant, in the order of the file, also of those that
    are skipped, with the reason. ``PREFIX.variants.vcf`` is the VCF with an INFO field for each
    column. With a target ``PREFIX.variant_contribs.h5`` has the contributions of both alleles. The
    file is read twice: to check and count it, and to score it block by block, so that memory does
    not depend on its length. Either all files are there in the end or none; `VariantJob` does the
    same into a store, from which it can go on.

    Parameters
    ----------
    networks, genome, **scoring
        As for `AlleleScorer`.
    variants
        A VCF, plain, gzip or bgzip, or a table of the columns chr, pos (1-based), allele1, allele2
        and id, with ``-`` for an empty allele and no header.
    prefix
        Of the files.
    strict, skip_mismatches
        As for `survey`: whether nothing may be skipped; whether variants are whose REF is not that
        of the genome, which is an error otherwise.
    overwrite, progress
        Whether files may be replaced; a bar, as for `Explainer.run`.

    Raises
    ------
    InputError
        If the file, the genome and the networks do not fit each other.
    OutputError
        If a file exists or cannot be written.
    """
    scorer = AlleleScorer(networks, genome, **scoring)
    file, length = open_variants(variants), scorer.effects.length
    counts = survey(file, genome, length, strict=strict, skip_mismatches=skip_mismatches)
    computed = (
        (records, scorer.score(list(chain.from_iterable(records))))
        for records in blocks(file, genome, length, scorer.effects.rows)
    )
    results = VariantResults(
        file, counts, scorer.effects.columns, scorer.heads, scorer.window, computed
    )
    return write_variants(results, prefix, overwrite=overwrite, progress=progress)


def write_variants(
    results: VariantResults,
    prefix: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    progress: bool | None = None,
) -> VariantRun:
    """Write the files of `score_variants`, all or none.

    Raises
    ------
    OutputError
        If a file exists or cannot be written.
    """
    written: list[str] = []
    columns, counts = results.columns, results.survey
    with ExitStack() as stack, bar(counts.variants, progress, " variants") as tick:

        def opened(suffix: str) -> Any:
            written.append(f"{os.fspath(prefix)}.{suffix}")
            return stack.enter_context(output_file(written[-1], overwrite=overwrite))

        tables: list[Table | AnnotatedVcf] = [Table(opened("variants.tsv"), list(columns))]
        if isinstance(results.file, Vcf):
            header = results.file.header
            tables.append(AnnotatedVcf(opened("variants.vcf"), header, columns))
        arrays = None
        if results.heads:
            settings = {"variants": str(results.file.path), **provenance()}
            disk = opened("variant_contribs.h5")
            arrays = ContributionsFile(disk, counts.scored, results.window, results.heads, settings)
            stack.callback(arrays.close)
        for records, scores in results.blocks:
            for table in tables:
                table.write(records, scores.effects)
            if arrays is not None and scores.one_hot is not None:
                arrays.write(scores.variants, scores.one_hot, scores.hypothetical)
            tick(sum(map(len, records)))
    return VariantRun(tuple(written), tuple(columns), counts)


__all__ = ["VariantResults", "VariantRun", "score_variants", "write_variants"]
