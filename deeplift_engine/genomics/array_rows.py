"""Rows of arrays in npz, npy and HDF5 files, written and read block by block."""

from __future__ import annotations

import itertools
import math
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util import storage
from deeplift_engine.util.output_file import OutputFile
from deeplift_engine.util.typing import Array

ENTRY = "arr_0"
_CHUNK_BYTES = 1 << 20
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, EOFError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Rows:
    """An array of a file.

    Attributes
    ----------
    name
        The file's, and the array's within it.
    shape, dtype
        Of the array.
    pieces
        Gives the rows in order, in pieces of these sizes.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pieces: Callable[[Iterable[int]], Iterator[Array]]

    def blocks(self, size: int) -> Iterator[Array]:
        """The rows in order, so many at a time."""
        starts = range(0, self.shape[0], size)
        return self.pieces(min(size, self.shape[0] - start) for start in starts)


class Entry(NamedTuple):
    """An array of a file that is written: its blocks of rows, in order."""

    shape: tuple[int, ...]
    dtype: Any
    blocks: Iterable[Array]


def write_npz(disk: OutputFile, entries: Mapping[str, Entry], settings: Mapping[str, Any]) -> None:
    """Write arrays block by block as entries of an npz file, and settings as text."""
    text = np.array(storage.settings_text(settings))
    with zipfile.ZipFile(disk, "w") as archive:
        for name, (shape, dtype, blocks) in entries.items():
            header = {
                "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
                "fortran_order": False,
                "shape": shape,
            }
            each = iter(blocks)
            first = next(each)
            with archive.open(storage.npz_entry(name, first), "w", force_zip64=True) as entry:
                np.lib.format.write_array_header_2_0(entry, header)
                for block in itertools.chain([first], each):
                    entry.write(np.ascontiguousarray(block, dtype).view(np.uint8).data)
        with archive.open(storage.npz_entry(storage.SETTINGS, text), "w") as entry:
            np.lib.format.write_array(entry, text)


def hdf5_array(file: Any, name: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """A new data set of an open HDF5 file: gzip and shuffle, chunks of about a megabyte."""
    row = math.prod(shape[1:]) * np.dtype(dtype).itemsize
    chunk = (min(shape[0], max(1, _CHUNK_BYTES // row)), *shape[1:])
    return file.create_dataset(
        name, shape, dtype, chunks=chunk, compression="gzip", compression_opts=1, shuffle=True
    )


def differs(rows: Rows, blocks: Iterable[Array]) -> bool:
    """Whether rows of a file are others than those of some blocks, NaN equal to NaN."""
    held: list[Array] = []  # the one block: `itertools.tee` would keep dozens

    def sizes() -> Iterator[int]:
        for block in blocks:
            held[:] = [block]
            yield len(block)

    count = 0
    for piece in rows.pieces(sizes()):
        (block,) = held
        count += len(piece)
        if not np.array_equal(block, piece, equal_nan=block.dtype.kind == "f"):
            return True
    return count != rows.shape[0]


def open_rows(path: str | os.PathLike[str], suffix: str | None = None) -> dict[str, Rows]:
    """The arrays of a file by name: ``arr_0`` of npz, "" of npy, data sets of HDF5.

    Parameters
    ----------
    path
        The file.
    suffix
        What kind it is, where its name does not tell.

    Raises
    ------
    InputError
        If it is no such file, or damaged.
    """
    source = Path(path)
    readers = {".npz": _npz, ".npy": _npy, ".h5": _hdf5, ".hdf5": _hdf5}
    try:
        return readers[suffix or source.suffix.lower()](source)
    except _DAMAGE as error:
        raise InputError(
            f"{path} cannot be read: {error}. Expected a whole file, .npz, .npy or .h5"
        ) from error


def _npz(path: Path) -> dict[str, Rows]:
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if ".npy" in name]
    return {name: _npz_entry(path, name) for name in names}


def _npz_entry(path: Path, name: str) -> Rows:
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as entry:
        shape, fortran, dtype = _header(entry)

    def pieces(sizes: Iterable[int]) -> Iterator[Array]:
        if fortran or dtype.hasobject:
            with np.load(path) as content:
                yield from _pieces(content[name], sizes)
            return
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as entry:
            _header(entry)
            row = math.prod(shape[1:]) * dtype.itemsize
            for count in sizes:
                data = np.frombuffer(entry.read(count * row), dtype)
                yield data.reshape(count, *shape[1:])

    return Rows(f"{path}: {name}", shape, dtype, pieces)


def _header(entry: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(entry)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(entry)
    return shape, fortran, dtype


def _npy(path: Path) -> dict[str, Rows]:
    array = np.load(path, mmap_mode="r")
    return {"": Rows(str(path), array.shape, array.dtype, partial(_pieces, array))}


def _hdf5(path: Path) -> dict[str, Rows]:
    rows: dict[str, Rows] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim:
            rows[name] = Rows(f"{path}: {name}", item.shape, item.dtype, _reader(path, name))

    with h5py.File(path, "r") as file:
        file.visititems(take)
    return rows


def _reader(path: Path, name: str) -> Callable[[Iterable[int]], Iterator[Array]]:
    def pieces(sizes: Iterable[int]) -> Iterator[Array]:
        with h5py.File(path, "r") as file:
            yield from _pieces(file[name], sizes)

    return pieces


def _pieces(array: Any, sizes: Iterable[int]) -> Iterator[Array]:
    first = 0
    for size in sizes:
        yield np.asarray(array[first : first + size])
        first += size


__all__ = ["ENTRY", "Entry", "Rows", "differs", "hdf5_array", "open_rows", "write_npz"]
