"""Arrays in npy, npz, HDF5 and zarr files: read whole, or opened so that slices are read."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array
from deeplift_engine.util.zarr_library import zarr_module

SUFFIXES = (".npy", ".npz", ".h5", ".hdf5", ".zarr")
_DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile)
NUMBERS = "biuf"
TEXT = "SUOT"
"""Kinds of dtypes."""
_LOCAL_HEADER = struct.Struct("<4s22xHH")


def open_array(path: Path, key: str | None = None, kinds: str = NUMBERS) -> Any:
    """Open one array of numbers, of which slices are read when they are asked for.

    Parameters
    ----------
    path
        A ``.npy``, ``.npz``, ``.h5`` or ``.hdf5`` file or ``.zarr`` folder. A compressed array of
        a ``.npz`` file has no slices, so it is read whole.
    key
        Name of the array; optional where the file holds only one.
    kinds
        Of the dtypes that it may have: `NUMBERS`, `TEXT` or both.

    Returns
    -------
    object
        With ``shape``, ``dtype``, a length, and numpy arrays for slices of the first axis.

    Raises
    ------
    InputError
        If there is no such file or array, or the file is damaged or of another kind.
    """
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if suffix not in SUFFIXES or path.is_dir() != (suffix == ".zarr"):
        raise InputError(f"{path}: arrays are read from {', '.join(SUFFIXES)} files")
    with _damage(path):
        if suffix == ".npy":
            array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        elif suffix == ".npz":
            array = _of_npz(path, key)
        elif suffix == ".zarr":
            array = _of_zarr(path, key)
        else:
            file = h5py.File(path, "r")
            array = file[_choose(path, key, _datasets(file))]
    kind = getattr(getattr(array, "dtype", None), "kind", None)
    if kind is None or kind not in kinds:
        raise InputError(
            f"{path}: expected an array of {'numbers' if kinds == NUMBERS else 'numbers or text'}, "
            f"not {getattr(array, 'dtype', type(array))}"
        )
    return array


def read_array(path: Path, key: str | None = None, kinds: str = NUMBERS) -> Array:
    """Read one array whole; arguments and errors are those of `open_array`."""
    array = open_array(path, key, kinds)
    with _damage(path), array.file if isinstance(array, h5py.Dataset) else nullcontext():
        return np.array(array[...])


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """What libraries raise on a damaged file, as one error."""
    try:
        yield
    except _DAMAGE as error:
        what = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(f"{path} cannot be read as {path.suffix.lower()}: {what}") from error


def _of_npz(path: Path, key: str | None) -> Array:
    """An array of an archive: a memory map where it is stored as it is."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        name = _choose(path, key, archive.files)
        entry = archive.zip.getinfo(f"{name}.npy")
        if entry.compress_type != zipfile.ZIP_STORED:
            return np.asarray(archive[name])
        file.seek(entry.header_offset)
        _, name_length, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        file.seek(entry.header_offset + _LOCAL_HEADER.size + name_length + extra)
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            return np.asarray(archive[name])
        shape, fortran, dtype = read(file)
        if dtype.hasobject or 0 in shape:
            return np.asarray(archive[name])
        order: Any = "F" if fortran else "C"
        return np.memmap(path, dtype, "r", file.tell(), shape, order)


def _of_zarr(path: Path, key: str | None) -> Any:
    zarr = zarr_module()
    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        if key is not None:
            raise InputError(f"{path} is one array, without names: leave --key out")
        return opened
    names = [name for name, item in opened.members(None) if isinstance(item, zarr.Array)]
    return opened[_choose(path, key, names)]


def _choose(path: Path, key: str | None, names: Sequence[str]) -> str:
    listed = ", ".join(names) or "none"
    if key is None:
        if len(names) != 1:
            raise InputError(f"{path} holds {len(names)} arrays ({listed}): choose one with --key")
        return names[0]
    if key not in names:
        raise InputError(f"{path} has no array named {key!r}; it holds: {listed}")
    return key


def _datasets(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(
        lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return names


__all__ = ["NUMBERS", "SUFFIXES", "TEXT", "open_array", "read_array"]
