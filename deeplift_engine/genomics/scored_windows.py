"""A store of sequences as rows of (4, L), letters in the order ACGT: what every exporter reads.

The axes of a store are those of its model, its heads are groups or an axis of targets. Here they
are one thing: a head has arrays by name, and each gives ``(n, 4, L)`` for samples.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.located import Located
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.contents import CONTENTS
from deeplift_engine.jobs.reader import StoredRun, open_store
from deeplift_engine.util.typing import Array

OF_LETTERS = ("hypothetical", "projected", "scores")
"""Arrays of a head that have letters, by their names in a store."""


@dataclass(frozen=True)
class LetterArray:
    """An array of a store, read as ``(n, 4, L)``.

    Attributes
    ----------
    plan
        What the store says of it.
    position, letter
        Its axes of positions and letters, that of the samples not counted.
    target
        The entry along its third axis, of targets; 0 where there is none.
    order
        Where A, C, G and T stand along its axis of letters.
    """

    plan: ArrayPlan
    position: int
    letter: int
    target: int
    order: tuple[int, ...]

    @property
    def length(self) -> int:
        """The number of positions."""
        return self.plan.shape[self.position]

    def read(self, run: StoredRun, rows: slice) -> Array:
        """The values of samples, ``(n, 4, L)``."""
        values = np.asarray(run[self.plan.name][rows])
        values = np.moveaxis(values, (self.letter + 1, self.position + 1), (-2, -1))
        values = values.reshape(len(values), -1, len(self.order), self.length)
        return values[:, self.target][:, list(self.order)]


class ScoredWindows:
    """A complete run on sequences, for exporters.

    Parameters
    ----------
    path
        The store.

    Attributes
    ----------
    run
        The store's reader.
    heads
        The arrays of each head by name; a run without heads has one, called "".
    samples
        The numbers of the samples that have scores, in order: the rows of exports.
    failed
        The samples without scores, and the reasons.

    Raises
    ------
    InputError
        If no array has letters, several inputs have, or references are kept apart.
    OutputError
        If there is no store, or some of its samples are not computed yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.run = open_store(path)
        store = self.run.store
        self.run.require()
        if self._settings_of_run().get("references_averaged") is False:
            raise InputError(
                f"{store.path} keeps references apart; exports are of their mean: score again "
                "without keeping them apart"
            )
        self.failed = self.run.failed()
        self.samples = np.setdiff1d(np.arange(self.run.samples), list(self.failed))
        if not len(self.samples):
            raise InputError(f"{store.path}: no sample has scores: nothing is there to export")
        self._order = self._letter_order()
        self._one_hot = self._input_with_letters()
        self.heads = self._heads()
        if not self.heads:
            raise InputError(
                f"{store.path} has no array of letters, only {', '.join(self.run.names)}: exports "
                "are of scores of one-hot sequences, with --arrays hypothetical,inputs"
            )

    @property
    def length(self) -> int:
        """L, the positions of a window."""
        return next(array.length for arrays in self.heads.values() for array in arrays.values())

    @property
    def labels(self) -> Mapping[str, str]:
        """What stands before the names of files of each head: ``"HEAD."``, or nothing."""
        return {head: f"{head}." if head else "" for head in self.heads}

    @cached_property
    def names(self) -> Array:
        """The names of the rows: the store's, or the samples' numbers."""
        if "sample" in self.run.names:
            return np.asarray(self.run["sample"][self.samples])
        return np.asarray(self.samples.astype(str).astype(object))

    @cached_property
    def located(self) -> Located | None:
        """Where the rows lie in the genome; None where the store does not say.

        Raises
        ------
        InputError
            For a window that is not as long as its scores.
        """
        if not {"chrom", "start", "end"} <= {*self.run.names}:
            return None
        chrom, start, end = (self.run[name][self.samples] for name in ("chrom", "start", "end"))
        strand = np.full(len(chrom), ".", object)
        if "strand" in self.run.names:
            strand = np.asarray(self.run["strand"])[self.samples]
        located = Located(self.names, chrom, start, end, strand)
        located.check_length(self.length, str(self.run.store.path))
        return located

    @property
    def places(self) -> Located:
        """Where the rows lie: in the genome, or each on a sequence of its own name."""
        if self.located is not None:
            return self.located
        count = len(self.samples)
        ends = np.full(count, self.length, np.int64)
        strand = np.full(count, ".", object)
        return Located(self.names, self.names, np.zeros(count, np.int64), ends, strand)

    @cached_property
    def kept(self) -> Array:
        """Which records of the regions file are rows, (records,): not dropped, not failed.

        Raises
        ------
        InputError
            If they are not as many as rows.
        """
        names = self.run.names
        records = np.asarray(self.run["record"]) if "record" in names else None
        kept = np.array(self.run["kept"]) if "kept" in names else np.ones(self.run.samples, bool)
        failed = list(self.failed)
        kept[records[failed] if records is not None else failed] = False
        if kept.sum() != len(self.samples):
            raise InputError(
                f"{self.run.store.path}: {kept.sum()} records of the regions file are kept, and "
                f"{len(self.samples)} rows have scores: its tables do not belong together"
            )
        return kept

    def needed(self, contents: Sequence[str], purpose: str) -> None:
        """Check that every head has what an export reads.

        Raises
        ------
        InputError
            Saying with which ``--arrays`` to score.
        """
        missing = {name for head in self.heads for name in contents if not self.gives(head, name)}
        if missing:
            wanted = [name for name in contents if name != "projected"] or ["projected"]
            raise InputError(
                f"{purpose} needs {' and '.join(contents)}, and {self.run.store.path} keeps "
                f"{', '.join(self.run.store.layout.plan_of)}: score again with --arrays "
                f"{','.join(wanted)}"
            )

    def gives(self, head: str, *contents: str) -> bool:
        """Whether a head has some arrays; projected is there where its factors are."""
        inputs = self._one_hot is not None
        factors = inputs and "hypothetical" in self.heads[head]
        return all(
            name in self.heads[head]
            or (name == "inputs" and inputs)
            or (name == "projected" and factors)
            for name in contents
        )

    def blocks(
        self, head: str, contents: Sequence[str], only: Array | None = None
    ) -> Iterator[tuple[slice, list[Array]]]:
        """Go through the rows, shard by shard.

        Parameters
        ----------
        head
            Its name.
        contents
            Of ``"one_hot"`` (int8; zeros where no letter is known), ``"hypothetical"``,
            ``"projected"`` (hypothetical x one-hot) and ``"scores"``.
        only
            Numbers of samples, rising, to read no others; all rows by default.

        Yields
        ------
        slice, list
            Rows, counted among those that are read, and their arrays, each ``(n, 4, L)``.
        """
        wanted = self.samples if only is None else only
        first = 0
        for number in range(self.run.store.shards):
            samples = self.run.store.rows(number)
            scored = np.isin(np.arange(samples.start, samples.stop), wanted)
            rows = slice(first, first + int(scored.sum()))
            first = rows.stop
            if rows.start < rows.stop:
                yield rows, [self._read(head, name, samples)[scored] for name in contents]

    def _read(self, head: str, content: str, samples: slice) -> Array:
        if content == "one_hot":
            assert self._one_hot is not None
            return np.asarray(self._one_hot.read(self.run, samples) == 1, np.int8)
        if content == "projected" and self.gives(head, "hypothetical", "inputs"):
            factors = (self._read(head, name, samples) for name in ("hypothetical", "one_hot"))
            return np.asarray(np.multiply(*factors))
        return self.heads[head][content].read(self.run, samples).astype(np.float32, copy=False)

    def _settings_of_run(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.run.settings.get("run", {})
        return settings

    def _letter_order(self) -> tuple[int, ...]:
        if "letter" not in self.run.names:
            return tuple(range(len(LETTERS)))
        letters = "".join(map(str, self.run["letter"])).upper().replace("U", "T")
        if sorted(letters) != sorted(LETTERS):
            raise InputError(
                f"{self.run.store.path} has the letters {letters}: exports are of nucleotides, ACGT"
            )
        return tuple(letters.index(letter) for letter in LETTERS)

    def _input_with_letters(self) -> LetterArray | None:
        plans = self.run.store.layout.plan_of
        inputs = [
            array
            for name, plan in plans.items()
            if split(name)[1] == "inputs"
            for array in self._letter_arrays(plan)
        ]
        if len(inputs) > 1:
            raise InputError(
                f"{self.run.store.path} has several inputs with letters, "
                f"{', '.join(array.plan.name for array in inputs)}: exports take stores of one"
            )
        return inputs[0] if inputs else None

    def _heads(self) -> dict[str, dict[str, LetterArray]]:
        heads: dict[str, dict[str, LetterArray]] = {}
        own = split(self._one_hot.plan.name)[2] if self._one_hot else None
        for name, plan in self.run.store.layout.plan_of.items():
            head, content, origin = split(name)
            if content not in OF_LETTERS or (own is not None and origin != own):
                continue
            arrays = self._letter_arrays(plan)
            for array, label in zip(arrays, self._target_names(len(arrays)), strict=True):
                heads.setdefault(".".join(filter(None, (head, label))), {})[content] = array
        return heads

    def _letter_arrays(self, plan: ArrayPlan) -> list[LetterArray]:
        """An array for each target of a planned one; none where it has no axis of letters."""
        axes = letter_axes(plan)
        if axes is None:
            return []
        count = int(np.prod(plan.shape)) // (plan.shape[axes[0]] * plan.shape[axes[1]])
        return [LetterArray(plan, *axes, target, self._order) for target in range(count)]

    def _target_names(self, count: int) -> list[str]:
        """What the targets of an axis are called: after their units where the settings tell."""
        if count == 1:
            return [""]
        try:
            units = ast.literal_eval(str(self._settings_of_run().get("target")))
        except (SyntaxError, ValueError):
            units = None
        fits = isinstance(units, list) and len(units) == count
        return [f"target_{unit}" for unit in (units if fits else range(count))]


def split(name: str) -> tuple[str, str, str]:
    """The head, the content and the input that the name of an array in a store tells."""
    first, _, rest = name.partition("/")
    if first in CONTENTS:
        return "", first, rest
    content, _, origin = rest.partition(".")
    return first, content, origin


def letter_axes(plan: ArrayPlan) -> tuple[int, int] | None:
    """The axes of positions and of letters: by their names, or of two long ones that with 4."""
    names = plan.dimensions
    if "position" in names and "letter" in names:
        axes = names.index("position"), names.index("letter")
        return axes if plan.shape[axes[1]] == len(LETTERS) else None
    long = [axis for axis, size in enumerate(plan.shape) if size > 1][-2:]
    if len(long) == 2:
        for letter, position in (long[::-1], long):
            if plan.shape[letter] == len(LETTERS):
                return position, letter
    return None


__all__ = ["LETTERS", "LetterArray", "ScoredWindows", "letter_axes", "split"]
