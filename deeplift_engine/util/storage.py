"""Named arrays and settings in one HDF5 or npz file, written completely or not at all."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.output_file import OutputFile, check_writable, output_file
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

    Parameters
    ----------
    path
        Ends in ``.h5``, ``.hdf5`` or ``.npz``, which chooses the format.
    arrays
        By name, of numbers or text; ``a/b`` lands in the HDF5 group ``a``. Those of a group come
        back in this order.
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
    writer = _format(Path(path))[0]
    with output_file(path, overwrite=overwrite) as disk:
        writer(disk, arrays, settings)


def write_bytes(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = False) -> None:
    """Write ``content`` to ``path``: all of it, or no file.

    Raises
    ------
    OutputError
        For an existing file, a missing folder, and any error of the disk.
    """
    with output_file(path, overwrite=overwrite) as disk:
        disk.write(content)


def check_destination(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Check, before long work, that `write` would begin to write to ``path``.

    Raises
    ------
    OutputError
        For a suffix that `write` does not take, and as for `check_writable`.
    """
    _format(Path(path))
    check_writable(path, overwrite=overwrite)


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
    try:
        if not source.is_file():
            what = "a folder, a device or a pipe" if source.exists() else "no such file"
            raise OutputError(f"{source}: {what}")
        return reader(source)
    except _DAMAGE as error:
        raise OutputError(
            f"{source} is not a whole result file: {_first_line(error)}. Expected a file that "
            f"{writer} wrote; make it again"
        ) from error


def _write_hdf5(disk: OutputFile, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    with h5py.File(disk, "w") as file:
        for name, array in arrays.items():
            make_groups(file, name)
            if array.dtype.kind in "UO":
                file.create_dataset(name, data=array.astype(object), dtype=h5py.string_dtype())
            else:
                file.create_dataset(name, data=array, **hdf5_compression(array))
        write_hdf5_settings(file, settings)


def make_groups(file: Any, name: str) -> None:
    """Make the groups of an HDF5 file that an array stands in, which keep the order of theirs."""
    parents = name.split("/")[:-1]
    for depth in range(1, len(parents) + 1):
        group = "/".join(parents[:depth])
        if group not in file:
            file.create_group(group, track_order=True)


def _datasets(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays of a group and of those within, in the order that these keep."""
    for name, item in group.items():
        if isinstance(item, h5py.Dataset):
            yield f"{path}{name}", item
        else:
            yield from _datasets(item, f"{path}{name}/")


def hdf5_compression(array: Array) -> dict[str, Any]:
    """How a data set of HDF5 is compressed that begins like ``array``."""
    smaller = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    return smaller if _shrinks(array) else {}


def write_hdf5_settings(file: Any, settings: Mapping[str, Any]) -> None:
    """Put settings into an open HDF5 file, as `write` explains them."""
    text = settings_text(settings)
    for name, value in settings.items():
        if isinstance(value, str | bool | int | float) and len(str(value)) < 1000:
            file.attrs[name] = _utf_8(value) if isinstance(value, str) else value
    if len(text.encode()) < _LARGEST_ATTRIBUTE:
        file.attrs[SETTINGS] = text
    else:
        file.create_dataset(SETTINGS, data=text)


def _read_hdf5(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    with h5py.File(path, "r") as file:
        text = file.attrs[SETTINGS] if SETTINGS in file.attrs else file[SETTINGS].asstr()[()]
        arrays = {name: item[()] for name, item in _datasets(file) if name != SETTINGS}
    return arrays, json.loads(text)


def _write_npz(disk: OutputFile, arrays: Arrays, settings: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(disk, "w") as archive:
        plain = {name: a.astype(str) if a.dtype == object else a for name, a in arrays.items()}
        for name, array in {SETTINGS: np.array(settings_text(settings)), **plain}.items():
            with archive.open(npz_entry(name, array), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)


def npz_entry(name: str, array: Array) -> zipfile.ZipInfo:
    """The entry of an npz file for an array that begins like ``array``."""
    entry = zipfile.ZipInfo(f"{name}.npy")
    entry.compress_type = zipfile.ZIP_DEFLATED if _shrinks(array) else zipfile.ZIP_STORED
    return entry


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


Writer = Callable[[OutputFile, Arrays, Mapping[str, Any]], None]
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


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings as the JSON that files hold."""
    return _utf_8(json.dumps(settings, default=plain, ensure_ascii=False))


def _utf_8(text: str) -> str:
    """Text of which UTF-8 can hold all: other bytes of a path are escaped, as JSON reads it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


__all__ = [
    "SETTINGS",
    "Arrays",
    "check_destination",
    "check_writable",
    "hdf5_compression",
    "npz_entry",
    "output_file",
    "read",
    "settings_text",
    "write",
    "write_bytes",
    "write_hdf5_settings",
]
