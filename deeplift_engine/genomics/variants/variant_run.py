"""A run over a file of variants: read, score, write, and either all files or none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Any

from deeplift_engine.genomics.variants.allele_contributions import AlleleContributions
from deeplift_engine.genomics.variants.variant import Sequences
from deeplift_engine.genomics.variants.variant_files import Vcf, open_variants
from deeplift_engine.genomics.variants.variant_outputs import (
    AnnotatedVcf,
    ContributionsFile,
    Table,
)
from deeplift_engine.genomics.variants.variant_scoring import (
    Survey,
    VariantScorer,
    blocks,
    survey,
)
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


def score_variants(
    networks: Network | Sequence[Network],
    variants: str | os.PathLike[str],
    genome: Sequences,
    prefix: str | os.PathLike[str],
    *,
    target: Any = None,
    references: Any = None,
    options: Mapping[str, Any] | None = None,
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
    not depend on its length. Either all files are there in the end or none.

    Parameters
    ----------
    networks, genome, **scoring
        As for `VariantScorer`.
    variants
        A VCF, plain, gzip or bgzip, or a table of the columns chr, pos (1-based), allele1, allele2
        and id, with ``-`` for an empty allele and no header.
    prefix
        Of the files.
    target, references, options
        Of contributions, as for `AlleleContributions`; there are none without a target.
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
    scorer = VariantScorer(networks, genome, **scoring)
    file = open_variants(variants)
    contributions = None
    if target is not None:
        contributions = AlleleContributions(
            scorer.networks,
            scorer.inputs,
            target=target,
            references=references,
            both_strands=scorer.both_strands,
            batch_size=scorer.batch_size,
            **dict(options or {}),
        )
    counts = survey(file, genome, scorer.length, strict=strict, skip_mismatches=skip_mismatches)
    columns = scorer.columns
    written: list[str] = []
    with ExitStack() as stack, bar(counts.variants, progress, " variants") as tick:

        def opened(suffix: str) -> Any:
            written.append(f"{os.fspath(prefix)}.{suffix}")
            return stack.enter_context(output_file(written[-1], overwrite=overwrite))

        tables: list[Table | AnnotatedVcf] = [Table(opened("variants.tsv"), list(columns))]
        if isinstance(file, Vcf):
            tables.append(AnnotatedVcf(opened("variants.vcf"), file.header, columns))
        arrays = None
        if contributions is not None:
            settings = {"variants": str(variants), **provenance()}
            window = scorer.length, len(scorer.inputs.letters)
            arrays = ContributionsFile(
                opened("variant_contribs.h5"),
                counts.scored,
                window,
                contributions.heads,
                settings,
            )
            stack.callback(arrays.close)
        for records in blocks(file, genome, scorer.length, scorer.rows):
            scored = [each for each in chain.from_iterable(records) if each.reason is None]
            one_hot = scorer.one_hot(scored) if scored else None
            values = scorer.effects(scored, one_hot) if scored else {}
            for table in tables:
                table.write(records, values)
            if arrays is not None and contributions is not None and one_hot is not None:
                arrays.write(scored, one_hot, contributions.hypothetical(one_hot))
            tick(sum(map(len, records)))
    return VariantRun(tuple(written), tuple(columns), counts)


__all__ = ["VariantRun", "score_variants"]
