"""One output file: complete or not there, whoever else writes it and however the run ends.

The bytes go to a file beside the target, which takes the target's name when it is complete. Its
own name is unique, and its writer holds a lock on it: a file that nobody locks was left by a killed
run, and the next run for the same target removes it.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from deeplift_engine.errors import OutputError

if sys.platform != "win32":
    import fcntl

_ABANDONED = 86_400  # seconds, on a disk without locks


class OutputFile(io.FileIO):
    """A file that records its first error instead of raising it.

    HDF5 does not survive a write that fails: it tries again when it closes the file and when
    the process ends, and crashes (zip archives try again, too). So they are told that all went
    well, and the file is dropped.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of ``data``; one system call may write less."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while len(rest) and self.failure is None:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Change the file's length."""
        try:
            return super().truncate(size) if self.failure is None else 0
        except OSError as error:
            self.failure = error
            return 0


def check_writable(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Check, before long work, that a file can be written there, by beginning one beside it.

    Raises
    ------
    OutputError
        For an existing file that may not be replaced, something that is no file, a missing folder,
        and whatever the disk says of a new file in it.
    """
    with _failures(path):
        target, present = _destination(path, overwrite)
        disk, temporary = _create(target, present)
        disk.close()
        temporary.unlink()


@contextmanager
def output_file(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[OutputFile]:
    """Open a file that becomes ``path`` when the block ends, and vanishes when it raises.

    Links are followed: their target is replaced. A file that is replaced leaves its permissions to
    the new one. Where replacing was not allowed, the first of several writers has the name.

    Raises
    ------
    OutputError
        As for `check_writable`, and for any error of the disk.
    """
    with _failures(path):
        target, present = _destination(path, overwrite)
        disk, temporary = _create(target, present)
        try:
            with disk:
                yield disk
                if disk.failure is not None:
                    raise disk.failure
                os.fsync(disk.fileno())  # some disks tell only now that they are full
                if sys.platform == "win32":  # which renames no open file
                    disk.close()
                _publish(temporary, target, overwrite)
        finally:
            with suppress(FileNotFoundError, NotADirectoryError):
                temporary.unlink()


@contextmanager
def _failures(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise OutputError(
            f"{path} already exists: name another file, or allow "
            "overwriting it (overwrite=True, on the command line --overwrite)"
        ) from None
    # HDF5 tells of some failures as RuntimeError, a name with a zero byte is a ValueError
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise OutputError(
            f"{path} could not be written: {reason}. No file was left behind; "
            "check the folder, its permissions and the space on its disk"
        ) from error


def _destination(
    path: str | os.PathLike[str], overwrite: bool
) -> tuple[Path, os.stat_result | None]:
    """The file that ``path`` leads to, and its status where it exists."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise OutputError(f"{path} could not be written: there is no folder {target.parent}")
    try:
        present = target.stat()
    except FileNotFoundError:
        return target, None
    if not stat.S_ISREG(present.st_mode):
        raise OutputError(f"{path} is a folder, a device or a pipe: name a file")
    if not overwrite:
        raise FileExistsError(path)
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{path} is read-only")
    return target, present


def _create(target: Path, present: os.stat_result | None) -> tuple[OutputFile, Path]:
    """A new file beside ``target``, locked; what killed runs left of others is removed."""
    prefix = f".deeplift_engine-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}-"
    _remove_abandoned(target.parent, prefix)
    while True:
        temporary = target.with_name(f"{prefix}{secrets.token_hex(8)}.part")
        disk = OutputFile(temporary, "x+b")
        # another run may take the file for an abandoned one between its creation and its lock
        with suppress(FileNotFoundError):
            if lock(disk.fileno(), shared=True) and os.path.samestat(
                temporary.stat(), os.fstat(disk.fileno())
            ):
                break
        disk.close()
    if present is not None and sys.platform != "win32":
        with suppress(PermissionError):  # of another owner, who does not count
            os.fchown(disk.fileno(), present.st_uid, present.st_gid)
        with suppress(PermissionError):  # a disk without permissions
            os.fchmod(disk.fileno(), stat.S_IMODE(present.st_mode))
    return disk, temporary


def lock(descriptor: int, shared: bool = False, without_locks: bool = True) -> bool:
    """Lock an open file; False where another process has.

    A writer's lock is shared: HDF5's readers take such a one too, of the file that has its name
    a moment before its writer lets go.
    """
    if sys.platform != "win32":
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a disk without locks
            return without_locks
    return True


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the temporary files of one target whose writers no longer live."""
    with suppress(OSError):  # a folder that may not be listed
        for name in [name for name in os.listdir(folder) if name.startswith(prefix)]:
            with suppress(OSError):
                if sys.platform == "win32":  # which removes no open file
                    os.unlink(folder / name)
                    continue
                descriptor = os.open(folder / name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    age = time.time() - os.fstat(descriptor).st_mtime
                    if lock(descriptor, without_locks=age > _ABANDONED):
                        os.unlink(folder / name)
                finally:
                    os.close(descriptor)


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give the complete file its name."""
    if overwrite:
        temporary.replace(target)
        return
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links: the name is taken first
        target.open("xb").close()
        temporary.replace(target)


__all__ = ["OutputFile", "check_writable", "lock", "output_file"]
