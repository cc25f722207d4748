"""Shares of a run: process I of N, as clusters and makefiles number them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from deeplift_engine.errors import InputError

ARRAY = "SLURM_ARRAY_TASK_"


@dataclass(frozen=True)
class Share:
    """Share ``number`` of ``count``, from 1: shards in a row, as many as of each other share."""

    number: int = 1
    count: int = 1

    def of(self, shards: int) -> list[int]:
        """The numbers of its shards; none where there are more shares than shards."""
        edges = [shards * edge // self.count for edge in (self.number - 1, self.number)]
        return list(range(*edges))


def share(text: str, environment: Mapping[str, str] | None = None) -> Share:
    """The share that ``I/N`` says, or ``slurm``: the place of this task in its array.

    Raises
    ------
    InputError
        For another text, a number that is not between 1 and N, and an array of SLURM that is a list
        or whose length cannot be known.
    """
    if text == "slurm":
        return _of_slurm(os.environ if environment is None else environment)
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match:
        raise InputError(f"--shard {text}: expected I/N, such as 3/10, or slurm")
    number, count = map(int, match.groups())
    if not 1 <= number <= count:
        raise InputError(f"--shard {text}: shares are numbered 1 to {count}")
    return Share(number, count)


def _of_slurm(environment: Mapping[str, str]) -> Share:
    """The place among MIN, MIN + STEP, ... MAX; ids in a list have no place that is known."""
    names = ("ID", "MIN", "MAX", "STEP", "COUNT")
    missing = [ARRAY + name for name in names if not environment.get(ARRAY + name, "").isdigit()]
    if missing:
        raise InputError(
            f"--shard slurm: {missing[0]} is no number here; say it in a job of an array, sbatch "
            "--array=1-10, or give --shard I/N"
        )
    own, least, most, step, count = (int(environment[ARRAY + name]) for name in names)
    ids = range(least, most + 1, step)  # SLURM has no step 0, and says 1 for a list
    if len(ids) != count or own not in ids:
        raise InputError(
            f"--shard slurm: the array is a list of {count} ids from {least} to {most}, in which a "
            "task does not know its place: use --array=1-N, or give --shard I/N"
        )
    return Share(ids.index(own) + 1, count)


__all__ = ["Share", "share"]
