"""Named arrays and settings in one HDF5 or npz file, written completely or not at all."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.typing import Array

Arrays = Mapping[str, Array]

SETTINGS = "settings"
# what h5py, numpy and zipfile raise on a damaged file or one of another kind
_DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile)
_SMALL, _PROBE, _WORTH = 4096, 2**18, 0.75
"""Smaller arrays are stored as they are, in bytes; bytes that are tried; the share to reach."""
_LARGEST_ATTRIBUTE = 60_000  # bytes; HDF5 takes 64 KiB with the header


def write(
    path: str | os.PathLike[str],
    arrays: Arrays,
    settings: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> None:
    """Write arrays and settings to ``path``: all of them, or no file.

    The bytes go to a file beside ``path``, which is renamed to ``path`` when it is complete.

    Parameters
    ----------
    path
        Ends in ``.h5``, ``.hdf5`` or ``.npz``, which chooses the format.
    arrays
        By name; ``a/b`` lands in the HDF5 group ``a``.
    settings
        Anything JSON can hold. In HDF5 they are the attribute ``settings`` (a data set of that
        name where they are too long for an attribute), and each plain value at the top is an
        attribute of its own too; in npz they are the entry ``settings``.
    overwrite
        Whether to replace an existing file.

    Raises
    ------
    OutputError
        For another suffix, an existing file, and any error of the disk.
    """
    target = Path(path)
    check_destination(target, overwrite=overwrite)
    writer = _format(target)[0]
    with _aside(target) as disk:
        writer(disk, arrays, settings)


def write_bytes(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = False) -> None:
    """Write ``content`` to ``path``: all of it, or no file.

    Raises
    ------
    OutputError
        For an existing file, a missing folder, and any error of the disk.
    """
    target = Path(path)
    check_writable(target, overwrite=overwrite)
    with _aside(target) as disk:
        disk.write(content)


def check_destination(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Check, before long work, that `write` would begin to write to ``path``.

    Raises
    ------
    OutputError
        For a suffix that `write` does not take, an existing file, or a missing folder.
    """
    target = Path(path)
    _format(target)
    check_writable(target, overwrite=overwrite)


def check_writable(target: Path, *, overwrite: bool = False) -> None:
    """Check, before long work, that a file can be written there.

    Raises
    ------
    OutputError
        If one is, or its folder is not.
    """
    if target.exists() and not overwrite:
        raise OutputError(
            f"{target} already exists: name another file, or allow "
            "overwriting it (overwrite=True, on the command line --overwrite)"
        )
    if not target.parent.is_dir():
        raise OutputError(f"{target} could not be written: there is no folder {target.parent}")


def read(
    path: str | os.PathLike[str], writer: str = "Attribution.save"
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read back what `write` wrote: arrays by name, and the settings.

    ``writer`` is the call that makes such files, for the message.

    Raises
    ------
    OutputError
        If the file does not exist, is damaged, or was not written by `write`.
    """
    source = Path(path)
    reader = _format(source)[1]
    if not source.exists():
        raise OutputError(f"{source}: no such file")
    try:
        return reader(source)
    except _DAMAGE as error:
        raise OutputError(
            f"{source} is not a whole result file: {_first_line(error)}. Expected a file that "
            f"{writer} wrote; make it again"
        ) from error


class _Patient(io.FileIO):
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


@contextmanager
def _aside(target: Path) -> Iterator[_Patient]:
    """Open a file beside ``target``; when it is complete, rename it to ``target``."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with _Patient(temporary, "w+b") as disk:
            yield disk
            if disk.failure is not None:
                raise disk.failure
            os.fsync(disk.fileno())  # some disks tell only now that they are full
        temporary.replace(target)
    except (OSError, RuntimeError) as error:  # HDF5 tells of some failures as RuntimeError
        raise OutputError(
            f"{target} could not be written: {_first_line(error)}. No file was left behind; "
            "check the folder, its permissions and the space on its disk"
        ) from error
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            temporary.unlink()


def _write_hdf5(disk: _Patient, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    text = _to_json(settings)
    with h5py.File(disk, "w") as file:
        for name, array in arrays.items():
            smaller = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
            file.create_dataset(name, data=array, **(smaller if _shrinks(array) else {}))
        for name, value in settings.items():
            if isinstance(value, str | bool | int | float) and len(str(value)) < 1000:
                file.attrs[name] = value
        if len(text.encode()) < _LARGEST_ATTRIBUTE:
            file.attrs[SETTINGS] = text
        else:
            file.create_dataset(SETTINGS, data=text)


def _read_hdf5(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    arrays: dict[str, Array] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name != SETTINGS:
            arrays[name] = item[()]

    with h5py.File(path, "r") as file:
        text = file.attrs[SETTINGS] if SETTINGS in file.attrs else file[SETTINGS].asstr()[()]
        file.visititems(take)
    return arrays, json.loads(text)


def _write_npz(disk: _Patient, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(disk, "w") as archive:
        for name, array in {SETTINGS: np.array(_to_json(settings)), **arrays}.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED if _shrinks(array) else zipfile.ZIP_STORED
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def _read_npz(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        settings = json.loads(str(archive[SETTINGS]))
        return {name: archive[name] for name in archive.files if name != SETTINGS}, settings


def _shrinks(array: Array) -> bool:
    """Whether an array is worth compressing, by a look at its first bytes.

    One-hot letters and scores of them are mostly zeros; multipliers hardly shrink.
    """
    start = np.ravel(array)[: _PROBE // max(array.itemsize, 1)].tobytes()
    return len(start) >= _SMALL and len(zlib.compress(start, 1)) < _WORTH * len(start)


Writer = Callable[[_Patient, Arrays, Mapping[str, Any]], None]
Reader = Callable[[Path], tuple[dict[str, Array], dict[str, Any]]]
_FORMATS: dict[str, tuple[Writer, Reader]] = {
    ".h5": (_write_hdf5, _read_hdf5),
    ".hdf5": (_write_hdf5, _read_hdf5),
    ".npz": (_write_npz, _read_npz),
}


def _format(path: Path) -> tuple[Writer, Reader]:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise OutputError(
            f"{path}: results are kept as HDF5 (.h5, .hdf5) or npz (.npz), not as "
            f"{path.suffix or 'a file without a suffix'}; name the file accordingly"
        ) from None


def _to_json(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, default=plain, ensure_ascii=False)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
