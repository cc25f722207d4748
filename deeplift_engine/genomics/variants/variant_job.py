"""Variants of a file into a store, shard by shard: the samples are the variants, in its order."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.engine.blocks import slices
from deeplift_engine.errors import InputError
from deeplift_engine.genomics.packed_files import read_errors
from deeplift_engine.genomics.variants.allele_scores import AlleleScorer, AlleleScores
from deeplift_engine.genomics.variants.variant import EMPTY, Sequences, Variant, split
from deeplift_engine.genomics.variants.variant_files import VariantFile, open_variants
from deeplift_engine.genomics.variants.variant_scoring import survey
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.description import described
from deeplift_engine.jobs.part_scores import no_values, without_unfit
from deeplift_engine.jobs.sharded_job import Computed, ShardedJob
from deeplift_engine.jobs.threads import in_use
from deeplift_engine.network import Network
from deeplift_engine.results.provenance import provenance
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array

METHOD = "variants"
"""What a store of variants calls its method."""
ALLELES = ("ref", "alt")


class VariantJob(ShardedJob):
    """Effects of the variants of a file, and contributions of both alleles, into a store.

    Its arrays are the columns of `score_variants`, with ``chrom``, ``pos``, ``id``, ``ref``,
    ``alt``, ``kind`` and ``skipped``, and with a target ``inputs`` int8 and ``hypothetical``
    (variants, 2, L, C), of REF and of ALT; of several heads in a group of each. Variants that are
    skipped are samples without scores. `export_variants` writes the files of `score_variants`.

    Parameters
    ----------
    networks, genome, **scoring
        As for `AlleleScorer`.
    variants, strict, skip_mismatches
        As for `score_variants`.
    dtype
        Of contributions, ``"float32"`` or ``"float16"``.
    shard
        Variants of a shard; None chooses by the size of what is kept.
    about
        What else the description tells, and what decides nothing: paths of files.

    Raises
    ------
    InputError
        If the file, the genome and the networks do not fit each other.
    """

    def __init__(
        self,
        networks: Network | Sequence[Network],
        variants: str | os.PathLike[str],
        genome: Sequences,
        *,
        strict: bool = False,
        skip_mismatches: bool = False,
        dtype: str = "float32",
        shard: int | None = None,
        about: Mapping[str, str] | None = None,
        **scoring: Any,
    ) -> None:
        self.scorer, self.strict = AlleleScorer(networks, genome, **scoring), strict
        effects, file = self.scorer.effects, open_variants(variants)
        self.survey = survey(
            file, genome, effects.length, strict=strict, skip_mismatches=skip_mismatches
        )
        self.samples = self.survey.variants
        self._cursor = _Cursor(file, genome, effects.length)
        self.constants = {"allele": list(ALLELES), "letter": list(effects.inputs.letters)}
        self.columns = {_label(name): kind for name, kind in effects.columns.items()}
        self.plans = (
            *(ArrayPlan(name, (), kind, ()) for name, kind in _WORDS.items()),
            *(ArrayPlan(name, (), kind.name, ()) for name, kind in self.columns.items()),
            *self._contributions(dtype),
        )
        own = max(1, self._shard_samples()) if shard is None else shard
        self.shard = int(checked("shard", own, Integer(1), InputError))
        run = {
            "method": METHOD,
            **self.scorer.description,
            "variants": content_of_file(file.path),
            "genome": _digest(dict(genome.sizes)),
            "survey": asdict(self.survey),
            "columns": list(effects.columns),
            "heads": list(self.scorer.heads),
            "strict": strict,
            "skip_mismatches": skip_mismatches,
            "stored_dtype": dtype,
            "shard": self.shard,
            **provenance(),
        }
        self.description = {
            **described(run),
            **in_use(),
            "variants": str(variants),
            **(about or {}),
        }

    def read(self, shards: Sequence[slice]) -> Generator[list[Variant]]:
        """The variants of each of some shards."""
        for rows in shards:
            yield self._cursor.take(rows)

    def compute(self, rows: slice, read: Sequence[Variant]) -> Computed:
        """The arrays of the variants of a shard."""
        arrays = _words_of(read)
        arrays |= {
            plan.name: no_values(plan, len(read)) for plan in self.plans if plan.name not in arrays
        }
        digest = hashlib.sha256()
        for part in slices(len(read), self.scorer.effects.rows):
            some = read[part]
            numbers = part.start + np.flatnonzero([variant.reason is None for variant in some])
            scores = self.scorer.score(some)
            for name, values in _arrays_of(scores).items():
                arrays[name][numbers] = values
            if scores.one_hot is not None:
                digest.update(np.ascontiguousarray(scores.one_hot).data)
        failed = {
            rows.start + number: variant.reason.code
            for number, variant in enumerate(read)
            if variant.reason is not None
        }
        failed = {**self._without_effects(arrays, rows.start), **failed}
        failed |= without_unfit(self.plans, arrays, rows.start, strict=self.strict)
        return Computed(arrays, failed, digest.hexdigest())

    def _contributions(self, dtype: str) -> list[ArrayPlan]:
        """The arrays of contributions; none without a target."""
        if dtype not in ("float32", "float16"):
            raise InputError(f"dtype={dtype!r}: a store keeps float32 or float16.")
        if not self.scorer.heads:
            return []
        shape, axes = (len(ALLELES), *self.scorer.window), ("allele", "position", "letter")
        hypothetical = [
            ArrayPlan(_of_head(head, "hypothetical"), shape, dtype, axes)
            for head in self.scorer.heads
        ]
        return [ArrayPlan("inputs", shape, "int8", axes), *hypothetical]

    def _without_effects(self, arrays: Mapping[str, Array], first: int) -> dict[int, str]:
        """Variants with effects that are not finite, by number, and why they have no scores."""
        failed: dict[int, str] = {}
        for name, kind in self.columns.items():
            if kind.kind == "f":
                for row in np.flatnonzero(~np.isfinite(arrays[name])):
                    failed.setdefault(first + int(row), f"{name} is {arrays[name][row]}")
        return failed


class _Cursor:
    """The variants of a file by their numbers; it is read on from where it is."""

    def __init__(self, file: VariantFile, genome: Sequences, length: int) -> None:
        self.file, self.genome, self.length = file, genome, length
        self._restart()

    def _restart(self) -> None:
        self._records = iter(self.file)
        self._record, self._first = next(self._records, None), 0

    def take(self, rows: slice) -> list[Variant]:
        """The variants ``rows``.

        Raises
        ------
        InputError
            If the file has no such variants any more.
        """
        if rows.start < self._first:
            self._restart()
        found: list[Variant] = []
        while self._record is not None and self._first < rows.stop:
            end = self._first + len(self._record.alternatives)
            if end > rows.start:
                own = split(self._record, self.genome, self.length)
                found += own[max(0, rows.start - self._first) : rows.stop - self._first]
            if end > rows.stop:  # the rest of the record is of the next shard
                break
            self._record, self._first = next(self._records, None), end
        if len(found) < rows.stop - rows.start:
            raise InputError(f"{self.file.path} has fewer variants than when the run began.")
        return found


_WORDS = {
    "chrom": "str", "pos": "int64", "id": "str", "ref": "str", "alt": "str", "kind": "str",
    "skipped": "str",
}  # fmt: skip
"""What a store keeps of each variant beside its effects."""


def _words_of(variants: Sequence[Variant]) -> dict[str, Array]:
    rows = [
        (
            variant.record.chrom,
            variant.record.position,
            variant.record.name,
            variant.ref or EMPTY,
            variant.alt or EMPTY,
            variant.kind,
            str(variant.reason) if variant.reason else "",
        )
        for variant in variants
    ]
    columns = dict(zip(_WORDS, zip(*rows, strict=True), strict=True))
    return {
        name: np.array(values, np.int64)
        if _WORDS[name] == "int64"
        else np.array([_utf_8(value) for value in values], object)
        for name, values in columns.items()
    }


def _arrays_of(scores: AlleleScores) -> dict[str, Array]:
    """Scores as they are stored, (n, ...)."""
    arrays = {_label(name): values for name, values in scores.effects.items()}
    pairs = {_of_head(head, "hypothetical"): each for head, each in scores.hypothetical.items()}
    if pairs and scores.one_hot is not None:
        pairs["inputs"] = scores.one_hot
    return arrays | {
        name: np.swapaxes(each.reshape(len(ALLELES), -1, *each.shape[1:]), 0, 1)
        for name, each in pairs.items()
    }


def scores_of_arrays(
    variants: Sequence[Variant], arrays: Mapping[str, Array], columns: Sequence[str],
    heads: Sequence[str],
) -> AlleleScores:  # fmt: skip
    """What `_arrays_of` was given, of the rows of variants that were scored."""

    def pair(name: str) -> Array:
        each = np.swapaxes(arrays[name], 0, 1)
        return each.reshape(-1, *each.shape[2:])

    return AlleleScores(
        variants,
        {name: arrays[_label(name)] for name in columns},
        pair("inputs") if heads else None,
        {head: pair(_of_head(head, "hypothetical")) for head in heads},
    )


def stored_names(columns: Sequence[str], heads: Sequence[str]) -> list[str]:
    """The arrays that `scores_of_arrays` reads."""
    pairs = [_of_head(head, "hypothetical") for head in heads]
    return [*map(_label, columns), *(["inputs", *pairs] if heads else [])]


def content_of_file(path: Path) -> str:
    """SHA-256 of a file as it lies on the disk.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with read_errors(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _label(column: str) -> str:
    return column.replace("/", ".")


def _of_head(head: str, name: str) -> str:
    return f"{_label(head)}/{name}" if head else name


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _utf_8(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


__all__ = ["METHOD", "VariantJob", "content_of_file", "scores_of_arrays", "stored_names"]
