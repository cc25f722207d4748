"""Files and folders that are on the disk, not on their way to it, before others rely on them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from deeplift_engine.errors import OutputError

_BLOCK = 2**20  # bytes
_WAITING = 16
"""Files that are waited for together."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file and wait until the disk has it.

    Raises
    ------
    FileExistsError
        If there is a file of that name.
    OSError
        What the disk says, also when it is full.
    """
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder."""
    _sync(folder)


def sync_tree(folder: Path) -> None:
    """Wait until the disk has all files and folders below a folder."""
    paths = [folder, *folder.rglob("*")]
    with ThreadPoolExecutor(_WAITING) as waiting:  # the disk does many at once
        list(waiting.map(_sync, paths))


def copy_durably(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file to a new one; its length and SHA-256 as they were read."""
    digest, length = hashlib.sha256(), 0
    with source.open("rb") as reading, target.open("xb") as writing:
        while block := reading.read(_BLOCK):
            digest.update(block)
            length += len(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    return length, digest.hexdigest()


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_errors(path: str | os.PathLike[str], action: str) -> Iterator[None]:
    """Raise what the disk says within the block as an `OutputError`.

    Parameters
    ----------
    path
        What the user named.
    action
        What failed, after "could not be": ``"written"``.
    """
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
        where = "" if error.filename in (None, os.fspath(path)) else f" ({error.filename})"
        raise OutputError(
            f"{path} could not be {action}: {reason}{where}. Check the folder, its permissions "
            "and the space on its disk"
        ) from error
