"""A store: made at once, filled shard by shard, and never wrong without a word."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import xarray

from deeplift_engine.errors import DeepliftEngineError, LeasedError, OutputError
from deeplift_engine.jobs.array_plan import ArrayPlan
from deeplift_engine.jobs.folder import ARRAYS
from deeplift_engine.jobs.leases import lease
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.jobs.store import Store
from tests.jobs import stores
from tests.loaded_zarr import zarr


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return stores.create(tmp_path / "run")


def shard_file(store: Store, number: int, array: str = "scores") -> Path:
    (name,) = [name for name in store.marks()[number].files if f"{ARRAYS}/{array}/" in name]
    return store.path / name


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# creating


def test_a_store_opens_as_what_was_created(store: Store) -> None:
    again = Store.open(store.path)
    assert (again.samples, again.shard, again.shards) == (22, 8, 3)
    assert again.plans == stores.PLANS
    assert again.settings == stores.SETTINGS
    assert again.layout == store.layout
    assert [again.rows(number) for number in range(3)] == [
        slice(0, 8),
        slice(8, 16),
        slice(16, 22),
    ]
    assert again.pending() == [0, 1, 2]
    assert again.done() == []


def test_creating_leaves_nothing_beside(store: Store) -> None:
    assert os.listdir(store.path.parent) == ["run"]
    assert os.listdir(store.path / "leases") == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "a folder with nothing in it"),
        (lambda path: path.write_text("x"), "there is a file"),
        (lambda path: path.symlink_to("nowhere"), "a broken link"),
        (lambda path: stores.create(path), "a store of a run is there"),
        (lambda path: zarr.create_group(str(path)), "a group or an array of zarr"),
    ],
)
def test_what_is_there_is_not_overwritten(tmp_path: Path, make: object, words: str) -> None:
    make(tmp_path / "run")  # type: ignore[operator]
    before = tree(tmp_path)
    with pytest.raises(OutputError, match=words):
        stores.create(tmp_path / "run")
    assert tree(tmp_path) == before


def test_a_creation_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deeplift_engine.jobs.folder.sync_tree", full)
    with pytest.raises(OutputError, match="No space left on device"):
        stores.create(tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_leftovers_of_killed_creators_go_with_the_next(tmp_path: Path) -> None:
    token = "0123456789abcdef"
    (tmp_path / f".run-{token}.partial" / "arrays.zarr").mkdir(parents=True)
    others = [f".run-2-{token}.partial", ".run-2.partial"]  # of stores of other names
    for name in others:
        (tmp_path / name).mkdir()
    living = f".run-{'f' * 16}.partial"
    (tmp_path / living / "leases").mkdir(parents=True)
    with lease(tmp_path / living / "leases", "creator", "the creation of run"):
        stores.create(tmp_path / "run")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, living, "run"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plans": []}, "none is planned"),
        ({"plans": [stores.PLANS[0], stores.PLANS[0]]}, "there twice"),
        ({"constants": {"scores": np.zeros(3)}}, "there twice"),
        ({"constants": {"counts": np.zeros(3)}}, "the group of 'counts/scores'"),
        ({"constants": {"x": np.zeros(3, complex)}}, "dtype complex128"),
        ({"constants": {"x": np.array([1, "a"], dtype=object)}}, "1 at .0,.: expected text"),
        ({"constants": {"x": np.array(["\udcff"])}}, "UTF-8"),
        ({"samples": 0}, "samples=0"),
    ],
)
def test_what_a_store_cannot_hold_is_refused(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(OutputError, match=words):
        stores.create(tmp_path / "run", **change)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (("a/b/c", (), "float32", ()), "cannot be called"),
        ((".a", (), "float32", ()), "cannot be called"),
        (("zarr.json", (), "float32", ()), "cannot be called"),
        (("a", (), "bfloat16", ()), "dtype 'bfloat16'"),
        (("a", (0,), "float32", ("x",)), "sizes above 0"),
        (("a", (2,), "float32", ()), "a name for each axis"),
        (("a", (2, 2), "float32", ("x", "x")), "all different"),
        (("a", (2,), "float32", ("sample",)), "none of them 'sample'"),
    ],
)
def test_arrays_that_cannot_be_are_refused(plan: tuple[object, ...], words: str) -> None:
    with pytest.raises(OutputError, match=words):
        ArrayPlan(*plan)  # type: ignore[arg-type]


def test_axes_of_different_lengths_have_different_names(tmp_path: Path) -> None:
    plans = [ArrayPlan("a", (2,), "float32", ("x",)), ArrayPlan("b", (3,), "float32", ("x",))]
    with pytest.raises(OutputError, match="'b' has 3 entries along 'x', another has 2"):
        stores.create(tmp_path / "run", plans=plans)


def test_a_chunk_divides_a_shard(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="divides the shard"):
        Store.create(tmp_path / "run", 10, 8, 3, stores.PLANS, {})


def test_a_missing_folder_and_a_read_only_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        stores.create(tmp_path / "a" / "run")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is nothing"),
        (lambda path: path.write_text("x"), "a store is a folder"),
        (lambda path: path.mkdir(), "a folder with nothing in it"),
        (lambda path: zarr.create_group(str(path)), "another program made"),
    ],
)
def test_what_is_no_store_is_named(tmp_path: Path, make: object, words: str) -> None:
    make(tmp_path / "run")  # type: ignore[operator]
    with pytest.raises(OutputError, match=words):
        Store.open(tmp_path / "run")


def test_the_arrays_of_a_store_are_told_from_the_store(store: Store) -> None:
    with pytest.raises(OutputError, match=f"it belongs to the store {store.path}"):
        Store.open(store.path / ARRAYS)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"samples": 3}'])
def test_a_damaged_layout_is_named(store: Store, content: str) -> None:
    (store.path / "run.json").write_text(content)
    with pytest.raises(OutputError, match=r"run\.json (is damaged|says)"):
        Store.open(store.path)


# writing


def test_a_shard_is_done_when_it_is_written(store: Store) -> None:
    stores.write(store, 1)
    again = Store.open(store.path)
    assert again.is_done(1)
    assert (again.done(), again.pending()) == ([1], [0, 2])
    mark = again.marks()[1]
    assert mark.rows == slice(8, 16)
    assert mark.receipt == {"seconds": 1.5}
    assert len(mark.files) == len(stores.PLANS)
    for name, record in mark.files.items():
        assert (store.path / name).stat().st_size == record.length
    assert os.listdir(store.path / "attempts") == os.listdir(store.path / "leases") == []


def test_a_shard_that_is_done_is_not_written_again(store: Store) -> None:
    stores.write(store, 0)
    before = {path: path.stat().st_mtime_ns for path in store.path.rglob("*") if path.is_file()}
    other = {name: np.zeros_like(array) for name, array in stores.values(store.rows(0)).items()}
    assert store.write(0, other, {"seconds": 3}).receipt == {"seconds": 1.5}
    after = {path: path.stat().st_mtime_ns for path in store.path.rglob("*") if path.is_file()}
    assert after == before


def test_zeros_are_written_as_all_else(store: Store) -> None:
    rows = store.rows(0)
    zeros = {name: np.zeros_like(array) for name, array in stores.values(rows).items()}
    mark = store.write(0, {**zeros, "note": np.full(8, "")}, {})
    assert all(record.length > 0 for record in mark.files.values())
    assert np.array_equal(open_store(store.path)["scores"][rows], np.zeros((8, 5, 4)))


def test_zarr_would_have_written_the_same_files(store: Store, tmp_path: Path) -> None:
    stores.fill(store)
    plain = zarr.open_group(str(stores.create(tmp_path / "plain").arrays), mode="r+")
    with zarr.config.set({"array.write_empty_chunks": True}):
        for plan in stores.PLANS:
            plain[plan.name][...] = np.concatenate(
                [stores.values(store.rows(number))[plan.name] for number in range(store.shards)]
            )
    for plan in stores.PLANS:
        for number in range(store.shards):
            ours = shard_file(store, number, plan.name)
            theirs = tmp_path / "plain" / ours.relative_to(store.path)
            assert ours.read_bytes() == theirs.read_bytes()


def test_threads_that_share_a_lease_publish_once(store: Store) -> None:
    start, marks = threading.Barrier(4), []

    def write(second: int) -> None:
        start.wait()
        marks.append(store.write(0, stores.values(store.rows(0)), {"seconds": second}))

    with store.lease(0):
        threads = [threading.Thread(target=write, args=(second,)) for second in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert marks == [store.marks()[0]] * 4
    store.verify(0)
    assert os.listdir(store.path / "attempts") == []


def test_a_store_is_pickled_without_its_leases(store: Store) -> None:
    with store.lease(0):
        again = pickle.loads(pickle.dumps(store))
        assert again.layout == store.layout
        with pytest.raises(LeasedError):
            stores.write(again, 0)
    stores.write(again, 0)
    assert store.is_done(0)


@pytest.mark.parametrize("number", [-1, 3])
def test_shards_past_the_end_are_refused(store: Store, number: int) -> None:
    with pytest.raises(OutputError, match=f"no shard {number}: .* 0 to 2"):
        store.write(number, stores.values(slice(0, 8)), {})


def test_rows_past_the_end_are_refused(store: Store) -> None:
    with pytest.raises(OutputError, match=r"samples 16 to 21 has shape \(8,.*expected \(6,"):
        store.write(2, stores.values(slice(16, 24)), {})
    assert store.pending() == [0, 1, 2]


def test_names_of_arrays_are_checked(store: Store) -> None:
    arrays = stores.values(store.rows(0))
    arrays["more"] = arrays.pop("flag")
    with pytest.raises(OutputError, match=r"missing \['flag'\], unknown \['more'\]"):
        store.write(0, arrays, {})


def test_failed_samples_may_be_nan(store: Store) -> None:
    arrays = stores.values(store.rows(1))
    arrays["scores"][2] = np.nan
    with pytest.raises(OutputError, match=r"sample 10 at \(0, 0\): nan is not finite"):
        store.write(1, arrays, {})
    store.write(1, arrays, {"failed": {10: "the model gave NaN"}})
    assert np.isnan(open_store(store.path)["scores"][10]).all()
    assert store.marks()[1].receipt["failed"] == {"10": "the model gave NaN"}


def test_an_error_of_the_disk_leaves_the_shard_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("deeplift_engine.jobs.store.write_mark", full)
        with pytest.raises(OutputError, match="No space left"):
            stores.write(store, 0)
    assert not store.is_done(0)
    assert os.listdir(store.path / "attempts") == []
    stores.write(store, 0)
    assert store.is_done(0)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody during the block, where root runs the tests."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_read_only_store_is_named() -> None:
    with tempfile.TemporaryDirectory() as parent:  # others cannot enter a folder of pytest
        Path(parent).chmod(0o755)
        store = stores.create(Path(parent) / "run")
        folders = [store.path, *(path for path in store.path.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        try:
            with unprivileged(), pytest.raises(OutputError, match="Permission denied"):
                stores.write(store, 0)
            with unprivileged():
                assert Store.open(store.path).pending() == [0, 1, 2]
        finally:
            for folder in folders:
                folder.chmod(0o755)


# what is damaged


def test_a_mark_of_another_job_is_none(store: Store, tmp_path: Path) -> None:
    other = stores.create(tmp_path / "other", settings={"method": "gradient"})
    stores.write(other, 0)
    name = Path("marks") / "00000000.json"
    (store.path / name).write_bytes((other.path / name).read_bytes())
    assert store.pending() == [0, 1, 2]


@pytest.mark.parametrize("length", [0, 1, 40, -2])
def test_a_torn_mark_is_none(store: Store, length: int) -> None:
    stores.write(store, 0)
    mark = store.path / "marks" / "00000000.json"
    mark.write_bytes(mark.read_bytes()[:length])
    assert not store.is_done(0)
    assert store.done() == []
    stores.write(store, 0)
    assert store.is_done(0)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: b"", "0 bytes"),
        (lambda content: content[:-1], "bytes and had"),
        (lambda content: content[:20] + bytes([content[20] ^ 4]) + content[21:], "other bytes"),
    ],
)
def test_damaged_files_are_named_and_made_again(store: Store, damage: object, words: str) -> None:
    stores.fill(store)
    file = shard_file(store, 1)
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(OutputError, match="damaged"):
        open_store(store.path)["scores"][8:16]
    with pytest.raises(OutputError, match=f"{file}.*{words}"):
        store.verify(1)
    assert store.is_done(1)
    with pytest.raises(OutputError, match=words):
        store.verify(1, drop=True)
    assert store.pending() == [1]
    stores.write(store, 1)
    store.verify(1)
    assert np.array_equal(
        open_store(store.path)["scores"][8:16], stores.values(slice(8, 16))["scores"]
    )


def test_a_file_that_is_gone_is_named(store: Store) -> None:
    stores.fill(store)
    file = shard_file(store, 2)
    file.unlink()
    with pytest.raises(OutputError, match=f"{file}: the file is not there"):
        store.verify(2)
    with pytest.raises(OutputError, match="the file is not there"):
        open_store(store.path)["scores"][-1]


def test_a_damaged_constant_is_named(store: Store) -> None:
    for file in (store.arrays / "name").glob("c.*"):
        file.write_bytes(b"")
    with pytest.raises(OutputError, match=r"'name' of .* is damaged"):
        open_store(store.path)["name"]


def test_what_killed_writers_left_is_removed(store: Store) -> None:
    (store.path / "attempts" / "00000001-abc").mkdir()
    (store.path / "attempts" / "00000001-abc" / "0").write_bytes(b"half")
    with store.lease(2) as lease:
        mine = store.path / "attempts" / f"00000002-{lease.token}"
        mine.mkdir()
        store.clean()
        assert mine.is_dir()
        lease.check()
    store.clean()
    assert os.listdir(store.path / "attempts") == os.listdir(store.path / "leases") == []


# other programs


def test_zarr_and_xarray_open_the_arrays_without_a_word(store: Store) -> None:
    stores.fill(store)
    group = zarr.open_group(str(store.arrays), mode="r")
    names = {name for name, _ in group.members(max_depth=None)}
    assert names == {*(plan.name for plan in stores.PLANS), *stores.CONSTANTS, "counts"}
    assert group.attrs["settings"] == stores.SETTINGS
    with xarray.open_zarr(store.arrays, consolidated=False) as data:
        assert data["scores"].dims == ("sample", "position", "letter")
        assert data["letter"].values.tolist() == list("ACGT")
        expected = np.concatenate([stores.values(store.rows(n))["scores"] for n in range(3)])
        assert np.array_equal(data["scores"].sel(letter="C").values, expected[..., 1])
        assert data["name"].dims == ("sample",)
        assert data["name"].values.tolist() == stores.CONSTANTS["name"].tolist()


def test_what_nobody_wrote_reads_as_nan_elsewhere(store: Store) -> None:
    stores.write(store, 0)
    with xarray.open_zarr(store.arrays, consolidated=False) as data:
        assert np.isnan(data["scores"].values[8:]).all()
        assert not np.isnan(data["scores"].values[:8]).any()


def test_a_store_needs_no_tensorflow() -> None:
    code = (
        "import sys, deeplift_engine.jobs.store, deeplift_engine.jobs.export, "
        "deeplift_engine.jobs.merge; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "deeplift_engine.jobs.store" in loaded
    assert not {"tensorflow", "keras", "zarr", "pandas"} & set(loaded)


def test_the_mark_is_written_last_and_says_all(store: Store) -> None:
    stores.write(store, 0)
    values = json.loads((store.path / "marks" / "00000000.json").read_text())
    assert values["rows"] == [0, 8]
    newest = max(path.stat().st_mtime_ns for path in store.arrays.rglob("c.0*"))
    assert (store.path / "marks" / "00000000.json").stat().st_mtime_ns >= newest


def test_a_store_without_zarr_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(DeepliftEngineError, match=r'pip install "deeplift_engine\[jobs\]"'):
        stores.create(tmp_path / "run")
    assert os.listdir(tmp_path) == []
