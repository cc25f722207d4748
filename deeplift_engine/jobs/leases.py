"""Who works on a shard: one living process, on whatever machine.

A lease is a file that exactly one process can create. It names its holder, who locks it and touches
it every so often. A lease is dead when its holder's process is gone, if that ran on this machine,
or else when nobody locks it and nobody has touched it for minutes. The heir of a dead lease creates
the next generation of it, a name that again exactly one process can create: of two heirs one wins,
on disks without locks, too.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deeplift_engine.errors import LeasedError
from deeplift_engine.util.output_file import lock

HEARTBEAT = 20.0
"""Seconds between two touches of a lease."""
STALE = 300.0
"""Seconds after which a lease of another machine that nobody touched is dead."""


@dataclass(frozen=True)
class Lease:
    """A lease that this process holds.

    Attributes
    ----------
    folder, key
        The leases of one store lie in one folder; the key says of what.
    generation
        How many holders died before.
    token
        No other lease has it.
    """

    folder: Path
    key: str
    generation: int
    token: str
    _descriptor: int = field(repr=False)

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.key}.{self.generation}"

    def check(self) -> None:
        """Raise `LeasedError` if another process has taken the lease over."""
        newest = _newest(self.folder, self.key)
        with suppress(OSError):
            if newest == self.generation and os.path.samestat(
                self.path.stat(), os.fstat(self._descriptor)
            ):
                return
        heir = "nobody now" if newest is None else _words(self.folder / f"{self.key}.{newest}")
        raise LeasedError(
            f"{self.path}: this process was taken for dead, and its lease is held by {heir}. "
            "Its results are dropped; the heir computes them again"
        )


@contextmanager
def lease(folder: Path, key: str, subject: str) -> Iterator[Lease]:
    """Hold the lease of ``key`` during the block.

    Parameters
    ----------
    folder
        Where the leases lie.
    key
        A file's name.
    subject
        What is leased, for the message.

    Raises
    ------
    LeasedError
        If a living process holds it, or takes it at the same moment.
    OSError
        What the disk says.
    """
    held = _take(folder, key, subject)
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(held, stop), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        stop.set()
        thread.join()
        with suppress(OSError):
            if os.path.samestat(held.path.stat(), os.fstat(held._descriptor)):
                held.path.unlink()
        os.close(held._descriptor)


def living(folder: Path) -> list[str]:
    """The keys that living processes hold, in order."""
    now = time.time()
    names = [name for name in os.listdir(folder) if not name.startswith(".")]
    return sorted({name.rpartition(".")[0] for name in names if _is_alive(folder / name, now)})


def remove_dead(folder: Path) -> None:
    """Remove the leases of holders who are no more."""
    for name in os.listdir(folder):
        if name.startswith("."):  # has no name yet; if its process lives, that begins again
            with suppress(OSError):
                if not _is_locked(folder / name):
                    (folder / name).unlink()
        else:
            with suppress(LeasedError), lease(folder, name.rpartition(".")[0], name):
                pass  # whoever holds it last removes it


def _take(folder: Path, key: str, subject: str) -> Lease:
    while True:
        with suppress(_RemovedError):
            return _take_once(folder, key, subject)


class _RemovedError(Exception):
    """The file of a lease was removed, as of a dead process, before it had a name."""


def _take_once(folder: Path, key: str, subject: str) -> Lease:
    token = secrets.token_hex(8)
    holder = json.dumps(_this_process(token)).encode()
    temporary = folder / f".{token}.lease"
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
    try:
        lock(descriptor)
        os.write(descriptor, holder)
        now = os.fstat(descriptor).st_mtime  # by the clock of the disk, as the leases' own
        newest = _newest(folder, key)
        if newest is not None and _is_alive(folder / f"{key}.{newest}", now):
            raise _taken(folder / f"{key}.{newest}", subject, now)
        generation = 0 if newest is None else newest + 1
        _name(temporary, folder / f"{key}.{generation}", subject, now)
    except BaseException:
        os.close(descriptor)
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    for dead in range(generation):
        with suppress(FileNotFoundError):
            (folder / f"{key}.{dead}").unlink()
    return Lease(folder, key, generation, token, descriptor)


def _name(temporary: Path, path: Path, subject: str, now: float) -> None:
    """Give a lease its name, which nobody else may have."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise _taken(path, subject, now) from None
    except FileNotFoundError:
        raise _RemovedError from None
    except OSError:  # a disk without hard links
        try:
            path.open("xb").close()
        except FileExistsError:
            raise _taken(path, subject, now) from None
        try:
            temporary.replace(path)
        except FileNotFoundError:
            path.unlink()
            raise _RemovedError from None


def _taken(path: Path, subject: str, now: float) -> LeasedError:
    age = 0.0
    with suppress(OSError):
        age = max(now - path.stat().st_mtime, 0.0)
    return LeasedError(
        f"{subject} is leased by {_words(path)}, which touched {path} {age:.0f} s ago. Leave it to "
        f"that process; when it ends, or after {STALE:.0f} s of silence, others may take it"
    )


def _words(path: Path) -> str:
    holder = _read(path)
    return (
        f"process {holder['pid']} on {holder['host']} since {holder['since']}"
        if holder
        else "another process"
    )


def _newest(folder: Path, key: str) -> int | None:
    """The newest generation of a lease."""
    start = f"{key}."
    ends = (name.removeprefix(start) for name in os.listdir(folder) if name.startswith(start))
    return max((int(end) for end in ends if end.isdecimal()), default=None)


def _read(path: Path) -> dict[str, Any]:
    """What a lease says of its holder; nothing where it is gone or not yet written."""
    try:
        holder = json.loads(path.read_bytes())
        return (
            holder if {"token", "host", "machine", "pid", "started", "since"} <= {*holder} else {}
        )
    except (OSError, ValueError, TypeError):
        return {}


def _is_alive(path: Path, now: float) -> bool:
    holder = _read(path)
    if holder and holder["machine"] == _machine():
        started = _start_of(holder["pid"])
        return started is not None and (not started or started == holder["started"])
    try:
        return _is_locked(path) or now - path.stat().st_mtime < STALE
    except FileNotFoundError:
        return False


def _beat(held: Lease, stop: threading.Event) -> None:
    while not stop.wait(HEARTBEAT):
        with suppress(OSError):
            os.utime(held._descriptor)


def _this_process(token: str) -> dict[str, Any]:
    return {
        "token": token,
        "host": socket.gethostname(),
        "machine": _machine(),
        "pid": os.getpid(),
        "started": _start_of(os.getpid()),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _machine() -> str:
    """Where a process's number means the same process: a start of a kernel, a namespace in it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _start_of(pid: int) -> str | None:
    """When a process of this machine began, in ticks; None where it is no more, "" if unknown."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:  # of another user
        pass
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return None if state in "ZX" else rest[18]


def _is_locked(path: Path) -> bool:
    """Whether another process locks a file; False for one of another user, which shows nothing."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except PermissionError:
        return False
    try:
        return not lock(descriptor)
    finally:
        os.close(descriptor)


__all__ = ["HEARTBEAT", "STALE", "Lease", "lease", "remove_dead"]
