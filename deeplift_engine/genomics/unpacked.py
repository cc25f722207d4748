"""Compressed files, unpacked once on a machine for all processes that read them.

The content lies in a file below the folder for temporary files and is mapped, so that it counts
once however many processes there are. Each shares a lock on a file beside it as long as it reads;
the last to let go removes both. Who begins or ends does so under a second lock, alone. The system
takes locks from a process that is killed, and what it left is removed by the next reader. Windows,
which has no such locks, unpacks into the memory of each process.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import mmap
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.packed_files import read_errors

if sys.platform != "win32":
    import fcntl

_BLOCK = 1 << 22
"""Bytes that are copied together."""


def unpacked(path: Path) -> mmap.mmap | bytes:
    """The content of a gzip or bgzip file.

    Raises
    ------
    InputError
        If it cannot be read, or unpacked for lack of room.
    """
    with read_errors(path):
        if sys.platform == "win32":
            return gzip.decompress(path.read_bytes())
        stat = path.stat()
    identity = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    content = _folder() / f"{name}.content"
    with _alone(content):
        held = os.open(content.with_suffix(".readers"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(held, fcntl.LOCK_SH)
        try:
            if not content.exists():
                _unpack(path, content)
            with content.open("rb") as file:
                mapped = _mapped(file.fileno())
        except BaseException:
            _remove_unread(held, content)
            raise
    if isinstance(mapped, bytes):
        _let_go(held, content)
    else:
        weakref.finalize(mapped, _let_go, held, content)
    return mapped


def _folder() -> Path:
    """The folder of this user's unpacked files, which nobody else can write to.

    Raises
    ------
    InputError
        If it is another user's.
    """
    folder = Path(tempfile.gettempdir()) / f"deeplift_engine-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise InputError(f"{folder} belongs to another user: set TMPDIR to a folder of your own")
    return folder


@contextmanager
def _alone(content: Path, wait: int = 0) -> Iterator[None]:
    """Be the only process that begins or ends to read; ``wait`` may be `fcntl.LOCK_NB`.

    Raises
    ------
    BlockingIOError
        If another one is, and this does not wait.
    """
    path = content.with_suffix(".lock")
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | wait)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield
                return
        finally:  # or the last reader removed it while this one waited
            os.close(descriptor)


def _unpack(path: Path, content: Path) -> None:
    partial = content.with_suffix(".partial")
    try:
        with read_errors(path), gzip.open(path) as packed, partial.open("wb") as file:
            shutil.copyfileobj(packed, file, _BLOCK)
    except InputError as error:
        partial.unlink(missing_ok=True)
        if getattr(error.__cause__, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"{error}. It is unpacked into {content.parent}: set TMPDIR to a folder with room, "
                "or unpack it yourself, with gunzip"
            ) from error
        raise
    partial.replace(content)


def _mapped(descriptor: int) -> mmap.mmap | bytes:
    if not os.fstat(descriptor).st_size:
        return b""
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)


def _let_go(held: int, content: Path) -> None:
    """Stop reading, and remove the content where nobody else reads it."""
    try:
        with _alone(content, fcntl.LOCK_NB):
            _remove_unread(held, content)
    except OSError:  # another one begins to read, or the folder is gone
        os.close(held)


def _remove_unread(held: int, content: Path) -> None:
    """Let go of the readers' lock, and remove all files where nobody shares it."""
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        for suffix in (".content", ".readers", ".lock"):
            content.with_suffix(suffix).unlink(missing_ok=True)
    finally:
        os.close(held)


__all__ = ["unpacked"]
