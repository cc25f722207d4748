"""Reading by name and samples: the right rows, or an error that names what is to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.reader import StoredRun, open_store
from deeplift_engine.jobs.store import Store
from tests.jobs import stores

ALL = {
    name: np.concatenate(
        [stores.values(slice(first, min(first + 8, 22)))[name] for first in range(0, 22, 8)]
    )
    for name in stores.values(slice(0, 1))
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stores.fill(stores.create(tmp_path_factory.mktemp("read") / "run"))


@pytest.fixture(scope="module")
def run(store: Store) -> StoredRun:
    return open_store(store.path)


def test_a_run_says_what_it_holds(run: StoredRun) -> None:
    assert run.names == (*ALL, *stores.CONSTANTS)
    assert run.samples == len(run) == len(run["scores"]) == 22
    assert run.settings == stores.SETTINGS
    assert run.is_complete
    assert run["scores"].shape == (22, 5, 4)


@pytest.mark.parametrize(
    "key",
    [
        slice(10, 20),
        slice(None),
        slice(-3, None),
        slice(2, 21, 5),
        slice(None, None, -3),
        slice(5, 5),
        slice(0, 100),
        [3, 21, 0, 0, -1, 9],
        np.zeros(0, int),
        np.arange(22) % 2 == 1,
        np.array([9, 8, 7]),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ALL)
def test_reading_is_numpys_indexing(run: StoredRun, name: str, key: object) -> None:
    expected = ALL[name][key]  # type: ignore[index]
    values = run[name][key]
    assert values.shape == expected.shape
    assert values.tolist() == expected.tolist()


@pytest.mark.parametrize("key", [0, 7, 8, 21, -1, -22, np.int64(9)])
def test_a_number_gives_one_sample(run: StoredRun, key: int) -> None:
    assert np.array_equal(run["scores"][key], ALL["scores"][key])
    assert run["note"][key] == ALL["note"][key]
    assert run["predictions"][key] == ALL["predictions"][key]


def test_float16_comes_as_float32(run: StoredRun) -> None:
    assert ALL["counts/scores"].dtype == np.float16
    assert run["counts/scores"][:].dtype == run["counts/scores"].dtype == np.float32
    assert run["predictions"][:].dtype == np.float64


def test_constants_come_whole(run: StoredRun) -> None:
    assert run["name"].tolist() == stores.CONSTANTS["name"].tolist()
    assert run["letter"].tolist() == list("ACGT")
    assert run["start"][-1] == 21_000
    with pytest.raises(ValueError, match="read-only"):
        run["start"][0] = 1


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (22, "no sample 22: the run has 22"),
        ([0, -23], "no sample -23"),
        ((slice(0, 3), 2), "read by samples"),
        (0.5, "read by samples"),
        ([True, False], "a mask of 22 samples"),
        ("scores", "read by samples"),
        (None, "read by samples"),
    ],
)
def test_other_keys_are_refused(run: StoredRun, key: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run["scores"][key]


def test_an_unknown_array_is_named(run: StoredRun) -> None:
    with pytest.raises(InputError, match=r"no array 'score'\. Near it: scores"):
        run["score"]
    with pytest.raises(InputError, match="missing='zero'"):
        open_store(run.store.path, missing="zero")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [None, 3, 100])
def test_blocks_are_all_samples_in_order(run: StoredRun, size: int | None) -> None:
    blocks = list(run.blocks(["scores", "name"], size=size))
    assert [row for rows, _ in blocks for row in range(rows.start, rows.stop)] == list(range(22))
    assert all(rows.start // 8 == (rows.stop - 1) // 8 for rows, _ in blocks)
    together = np.concatenate([arrays["scores"] for _, arrays in blocks])
    assert np.array_equal(together, ALL["scores"])


@pytest.fixture
def half(tmp_path: Path) -> StoredRun:
    store = stores.create(tmp_path / "half")
    stores.write(store, 1)
    return open_store(store.path)


def test_samples_that_are_not_computed_are_an_error(half: StoredRun) -> None:
    assert np.array_equal(half["scores"][8:16], ALL["scores"][8:16])
    for key in (slice(7, 9), 0, [9, 21], slice(None)):
        with pytest.raises(OutputError, match=r"Still to do: shard \d.* of 3"):
            half["scores"][key]
    with pytest.raises(OutputError, match="Still to do: shard 0, 2 of 3"):
        half["scores"][:]
    assert not half.is_complete


def test_samples_that_are_not_computed_may_be_nan(half: StoredRun) -> None:
    run = open_store(half.store.path, missing="nan")
    scores = run["scores"][:]
    assert np.isnan(scores[:8]).all()
    assert np.isnan(scores[16:]).all()
    assert np.array_equal(scores[8:16], ALL["scores"][8:16])
    with pytest.raises(OutputError, match="for arrays of floats"):
        run["inputs"][:]


def test_blocks_leave_out_what_is_not_computed_when_asked(half: StoredRun) -> None:
    assert [rows for rows, _ in half.blocks(done_only=True)] == [slice(8, 16)]
    with pytest.raises(OutputError, match="Still to do"):
        list(half.blocks())


def test_an_open_run_sees_later_shards(half: StoredRun) -> None:
    stores.write(half.store, 2)
    assert np.array_equal(half["scores"][10:], ALL["scores"][10:])
