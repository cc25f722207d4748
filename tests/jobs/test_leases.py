"""One living process has a lease, and a dead one's is taken over by exactly one heir."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deeplift_engine.errors import LeasedError, OutputError
from deeplift_engine.jobs import leases
from deeplift_engine.jobs.leases import lease
from tests.jobs import stores

DEAD = 2**22 + 1  # above the largest number of a process


def forge(folder: Path, *, age: float = 0.0, generation: int = 0, **changes: Any) -> Path:
    """A lease that another process left."""
    holder = {**leases._this_process("forged"), **changes}
    path = folder / f"7.{generation}"
    path.write_text(json.dumps(holder))
    os.utime(path, (time.time() - age,) * 2)
    return path


def take(folder: Path) -> str:
    with lease(folder, "7", "shard 7") as held:
        held.check()
        return held.path.name


def test_a_lease_is_held_by_one(tmp_path: Path) -> None:
    with lease(tmp_path, "7", "shard 7"):
        words = f"shard 7 is leased by process {os.getpid()} on .* since .* touched .* 0 s ago"
        with pytest.raises(LeasedError, match=words):
            take(tmp_path)
        with lease(tmp_path, "77", "shard 77"):
            pass
    assert os.listdir(tmp_path) == []
    take(tmp_path)


def test_a_lease_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lease(tmp_path, "7", "shard 7"):
        _ = 1 / 0
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        ({"age": 10_000.0}, True),  # it lives, however long it was silent
        ({"pid": DEAD}, False),
        ({"started": "1"}, False),  # its number is another process's now
        ({"pid": DEAD, "machine": "another", "age": 10.0}, True),
        ({"machine": "another", "age": 10_000.0}, False),
    ],
    ids=str,
)
def test_a_dead_holders_lease_is_taken_over(
    tmp_path: Path, changes: dict[str, Any], alive: bool
) -> None:
    forge(tmp_path, **changes)
    if alive:
        with pytest.raises(LeasedError):
            take(tmp_path)
        assert os.listdir(tmp_path) == ["7.0"]
    else:
        assert take(tmp_path) == "7.1"
        assert os.listdir(tmp_path) == []


def test_a_lease_that_is_locked_lives(tmp_path: Path) -> None:
    path = forge(tmp_path, machine="another", age=10_000.0)
    descriptor = os.open(path, os.O_RDWR)
    assert leases.lock(descriptor)
    with pytest.raises(LeasedError):
        take(tmp_path)
    os.close(descriptor)
    assert take(tmp_path) == "7.1"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_lease_that_is_not_yet_written_lives_for_some_minutes(
    tmp_path: Path, content: str
) -> None:
    path = forge(tmp_path)
    path.write_text(content)
    with pytest.raises(LeasedError, match="another process"):
        take(tmp_path)
    os.utime(path, (time.time() - 1000,) * 2)
    assert take(tmp_path) == "7.1"


def test_of_many_heirs_one_wins(tmp_path: Path) -> None:
    forge(tmp_path, pid=DEAD)
    start, winners, losers = threading.Barrier(16), [], []

    def heir() -> None:
        start.wait()
        try:
            with lease(tmp_path, "7", "shard 7") as held:
                winners.append(held.token)
                done.wait(10)
        except LeasedError:
            losers.append(1)

    done = threading.Event()
    threads = [threading.Thread(target=heir) for _ in range(16)]
    for thread in threads:
        thread.start()
    while len(losers) + len(winners) < 16:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert len(winners) == 1


@pytest.mark.parametrize("failure", [OSError(95, "Operation not supported")])
def test_a_disk_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError
) -> None:
    def unsupported(*_: object) -> None:
        raise failure

    monkeypatch.setattr(Path, "hardlink_to", unsupported)
    with lease(tmp_path, "7", "shard 7") as held:
        held.check()
        with pytest.raises(LeasedError):
            take(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_holder_touches_its_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT", 0.02)
    with lease(tmp_path, "7", "shard 7") as held:
        os.utime(held.path, (0, 0))
        limit = time.monotonic() + 10
        while held.path.stat().st_mtime < 1 and time.monotonic() < limit:
            time.sleep(0.01)
        assert time.time() - held.path.stat().st_mtime < 10


def test_a_writer_that_lost_its_lease_publishes_nothing(tmp_path: Path) -> None:
    store = stores.create(tmp_path / "run")
    other = stores.create(tmp_path / "other")
    with store.lease(0) as held:
        forged = json.loads(held.path.read_text())
        heir = held.folder / f"{held.key}.1"
        heir.write_text(json.dumps({**forged, "token": "heir"}))
        with pytest.raises(LeasedError, match="held by process"):
            stores.write(store, 0)
    assert store.pending() == [0, 1, 2]
    assert sorted(path.name for path in store.arrays.rglob("*")) == sorted(
        path.name for path in other.arrays.rglob("*")
    )
    assert heir.exists()


def test_what_the_dead_left_is_removed(tmp_path: Path) -> None:
    forge(tmp_path, pid=DEAD)
    (tmp_path / ".0123.lease").write_text((tmp_path / "7.0").read_text())
    (tmp_path / ".4567.lease").touch()  # ended before it wrote who it is
    with lease(tmp_path, "8", "shard 8") as held:
        leases.remove_dead(tmp_path)
        held.check()
        assert os.listdir(tmp_path) == [held.path.name]


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_lease_that_is_removed_before_it_has_a_name_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    link, removed = Path.hardlink_to, list[Path]()

    def hardlink_to(path: Path, target: Path) -> None:
        if not removed:
            removed.append(target)
            target.unlink()
        if not hard_links:
            raise PermissionError("no hard links here")
        return link(path, target)

    monkeypatch.setattr(Path, "hardlink_to", hardlink_to)
    with lease(tmp_path, "7", "shard 7") as held:
        held.check()
        assert removed
        assert os.listdir(tmp_path) == ["7.0"]
    assert os.listdir(tmp_path) == []


def test_shards_are_leased_apart_and_once(tmp_path: Path) -> None:
    store = stores.create(tmp_path / "run")
    with store.lease(0), store.lease(1):
        with pytest.raises(LeasedError, match=f"shard 1 of {store.path} is leased"):
            stores.write(type(store).open(store.path), 1)
        stores.write(store, 0)
        stores.write(store, 1)
        stores.write(store, 2)
    assert store.pending() == []
    with pytest.raises(OutputError, match="no shard 3"), store.lease(3):
        pass
