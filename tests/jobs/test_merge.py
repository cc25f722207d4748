"""Stores of one job become one, whatever the order; those of different jobs do not."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.merge import merge
from deeplift_engine.jobs.store import Store
from tests.jobs import stores


@pytest.fixture(scope="module")
def thirds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stores that have a shard each."""
    folder = tmp_path_factory.mktemp("thirds")
    for number in range(3):
        stores.write(stores.create(folder / f"run{number}"), number)
    return [folder / f"run{number}" for number in range(3)]


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stores.fill(stores.create(tmp_path_factory.mktemp("complete") / "run"))


def files(store: Store) -> dict[str, bytes]:
    return {
        str(path.relative_to(store.path)): path.read_bytes()
        for path in store.path.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_a_merge_is_the_store_of_one_run(
    tmp_path: Path, thirds: list[Path], complete: Store, order: tuple[int, ...]
) -> None:
    merged = merge([thirds[number] for number in order], tmp_path / "all")
    assert merged.pending() == []
    assert files(merged) == files(complete)


def test_what_no_store_has_remains_to_do_and_may_come_later(
    tmp_path: Path, thirds: list[Path], complete: Store
) -> None:
    assert merge(thirds[:1], tmp_path / "all").pending() == [1, 2]
    assert merge(thirds[:2], tmp_path / "all").pending() == [2]
    assert files(merge(thirds, tmp_path / "all")) == files(complete)


def test_a_shard_of_several_stores_is_copied_once(
    tmp_path: Path, thirds: list[Path], complete: Store
) -> None:
    merged = merge([complete.path, *thirds], tmp_path / "all")
    assert files(merged) == files(complete)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"settings": {**stores.SETTINGS, "target": 1}}, "settings.target: 0 against 1"),
        ({"settings": {**stores.SETTINGS, "nested": {}}}, "settings.nested.rules: .* against null"),
        ({"samples": 23, "constants": {}}, "constants"),
        ({"constants": {**stores.CONSTANTS, "start": np.arange(22)}}, "constants.start.sha256"),
        (
            {"plans": [*stores.PLANS[:-1], ArrayPlan("note", (), "int8", ())]},
            'plans.5.dtype: "str" against "int8"',
        ),
        ({"plans": stores.PLANS[:-1]}, "plans: "),
    ],
)
def test_stores_of_different_jobs_are_refused(
    tmp_path: Path, thirds: list[Path], change: dict[str, object], field: str
) -> None:
    stores.create(tmp_path / "other", **change)  # type: ignore[arg-type]
    with pytest.raises(OutputError, match=f"different jobs: {field}"):
        merge([thirds[0], tmp_path / "other"], tmp_path / "all")
    with pytest.raises(OutputError, match="different jobs"):
        merge([thirds[0]], tmp_path / "other")
    assert not (tmp_path / "all").exists()


def test_a_damaged_file_is_not_copied(tmp_path: Path) -> None:
    store = stores.fill(stores.create(tmp_path / "run"))
    (file,) = store.arrays.glob("scores/c.1.0.0")
    content = bytearray(file.read_bytes())
    content[30] ^= 1
    file.write_bytes(content)
    with pytest.raises(OutputError, match=f"{file}: the file holds other bytes"):
        merge([store.path], tmp_path / "all")
    assert Store.open(tmp_path / "all").done() == [0]


@pytest.mark.parametrize("paths", [[], "run"])
def test_a_merge_needs_stores(tmp_path: Path, paths: object) -> None:
    with pytest.raises(InputError, match="list of paths"):
        merge(paths, tmp_path / "all")  # type: ignore[arg-type]
