"""Shares of a run: all shards, each once, by whoever numbers the processes."""

from __future__ import annotations

from itertools import chain

import pytest

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.shards import Share, share


@pytest.mark.parametrize("shards", [0, 1, 6, 7, 100])
@pytest.mark.parametrize("count", [1, 3, 7, 20])
def test_shares_are_all_shards_each_once_and_even(shards: int, count: int) -> None:
    shares = [Share(number, count).of(shards) for number in range(1, count + 1)]
    assert list(chain.from_iterable(shares)) == list(range(shards))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "a/b", "1/2/3", "-1/2"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"expected I/N|numbered"):
        share(text)


def array(**values: int) -> dict[str, str]:
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


def test_a_task_of_an_array_knows_its_place() -> None:
    """With what SLURM sets for the arrays 1-10, 0-9, 1-10:4 and 4."""
    assert share("slurm", array(ID=3, MIN=1, MAX=10, STEP=1, COUNT=10)) == Share(3, 10)
    assert share("slurm", array(ID=0, MIN=0, MAX=9, STEP=1, COUNT=10)) == Share(1, 10)
    ids = [share("slurm", array(ID=task, MIN=1, MAX=9, STEP=4, COUNT=3)) for task in (1, 5, 9)]
    assert ids == [Share(1, 3), Share(2, 3), Share(3, 3)]
    assert share("slurm", array(ID=4, MIN=4, MAX=4, STEP=1, COUNT=1)) == Share(1, 1)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        array(ID=3, MIN=1, MAX=10, COUNT=10),  # no STEP
        array(ID=3, MIN=3, MAX=7, STEP=1, COUNT=2),  # --array=3,7
        array(ID=3, MIN=1, MAX=7, STEP=1, COUNT=3),  # --array=1,3,7
        array(ID=1, MIN=1, MAX=9, STEP=4, COUNT=4),  # --array=1-10:4,2
        array(ID=4, MIN=1, MAX=9, STEP=4, COUNT=3),
        array(ID=12, MIN=1, MAX=10, STEP=1, COUNT=10),
        {**array(MIN=1, MAX=10, STEP=1, COUNT=10), "SLURM_ARRAY_TASK_ID": "x"},
    ],
)
def test_a_place_that_is_not_known_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(InputError, match="--shard slurm"):
        share("slurm", environment)
