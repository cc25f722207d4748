"""The files that an export writes, each with what reads it back to compare.

A writer takes an open file and a selection, and writes block by block. A reader of the same format
yields what the file holds, block by block, beside what it should hold.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import h5py
import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.array_plan import SAMPLE
from deeplift_engine.jobs.selection import Column, Selection
from deeplift_engine.util import storage
from deeplift_engine.util.optional import optional
from deeplift_engine.util.output_file import OutputFile
from deeplift_engine.util.typing import Array

Values = Iterator[tuple[Column, Array, Array]]
"""Blocks of arrays: which array, what a file holds, and what the store holds."""
Writer = Callable[[OutputFile, Selection, Mapping[str, Any]], None]
Reader = Callable[[BinaryIO, Selection], Values]

_MOST_COLUMNS = 4096
_EVERYTHING = slice(None)


def blocks_of(column: Column, selection: Selection) -> Iterator[tuple[slice, Array]]:
    """The values of an array block by block; at once where it does not run along the samples."""
    if column.along_samples:
        for block in selection.blocks():
            yield block, selection.read(column, block)
    else:
        yield _EVERYTHING, selection.read_all(column)


def write_hdf5(disk: OutputFile, selection: Selection, settings: Mapping[str, Any]) -> None:
    """A data set for each array, the settings as attributes: as `Attribution.save` does."""
    with h5py.File(disk, "w") as file:
        for column in selection.columns:
            dataset = None
            storage.make_groups(file, column.name)
            for block, values in blocks_of(column, selection):
                if dataset is None:
                    is_text = column.dtype == object
                    dataset = file.create_dataset(
                        column.name,
                        column.stored_shape(len(selection.samples)),
                        h5py.string_dtype() if is_text else column.dtype,
                        **({} if is_text or not values.ndim else storage.hdf5_compression(values)),
                    )
                dataset[_region(column, block)] = _as_stored(column, values)
        storage.write_hdf5_settings(file, settings)


def read_hdf5(file: BinaryIO, selection: Selection) -> Values:
    """What `write_hdf5` wrote."""
    with h5py.File(file, "r") as content:
        for column in selection.columns:
            dataset = content[column.name]
            dataset = dataset.asstr() if column.dtype == object else dataset
            for block, values in blocks_of(column, selection):
                read = np.asarray(dataset[_region(column, block)])
                yield column, read, _as_stored(column, values)


def write_npz(disk: OutputFile, selection: Selection, settings: Mapping[str, Any]) -> None:
    """An entry for each array, text at the width of the longest; the settings as text."""
    with zipfile.ZipFile(disk, "w") as archive:
        text = np.array(storage.settings_text(settings))
        with archive.open(storage.npz_entry(storage.SETTINGS, text), "w") as entry:
            np.lib.format.write_array(entry, text)
        for column in selection.columns:
            dtype = _npz_dtype(column, selection)
            first = next((values for _, values in blocks_of(column, selection)), np.zeros(0, dtype))
            sample = first if column.dtype != object else first.astype(dtype)
            with archive.open(
                storage.npz_entry(column.name, sample), "w", force_zip64=True
            ) as entry:
                header = {
                    "descr": np.lib.format.dtype_to_descr(dtype),
                    "fortran_order": False,
                    "shape": column.stored_shape(len(selection.samples)),
                }
                np.lib.format.write_array_header_2_0(entry, header)
                for values in _in_order(column, selection):
                    entry.write(np.ascontiguousarray(values, dtype).tobytes())


def read_npz(file: BinaryIO, selection: Selection) -> Values:
    """What `write_npz` wrote."""
    with zipfile.ZipFile(file) as archive:
        for column in selection.columns:
            with archive.open(f"{column.name}.npy") as entry:
                np.lib.format.read_magic(entry)
                shape, _, dtype = np.lib.format.read_array_header_2_0(entry)
                expected = column.stored_shape(len(selection.samples))
                yield column, np.array(shape), np.array(expected)
                for values in _in_order(column, selection):
                    read = np.frombuffer(entry.read(values.size * dtype.itemsize), dtype)
                    yield column, read.reshape(values.shape).astype(values.dtype), values


def write_csv(disk: OutputFile, selection: Selection, settings: Mapping[str, Any]) -> None:
    """A line for each sample: its number, then all values; the settings are left out."""
    table = _table(selection)
    names = [SAMPLE] if _is_numbered(table) else []
    for column in table:
        names += [
            column.name + (f"[{','.join(map(str, index))}]" if index else "")
            for index in np.ndindex(column.shape)
        ]
    if len(names) > _MOST_COLUMNS:
        raise InputError(
            f"{len(names) - 1} values for each sample are too many for csv, which takes "
            f"{_MOST_COLUMNS - 1}: choose smaller arrays (arrays=), or write .h5 or .parquet"
        )
    disk.write(_lines([names]))
    for block in selection.blocks():
        columns = [selection.samples[block].astype(str)[:, None]] if _is_numbered(table) else []
        columns += [_flat(selection.read(column, block)).astype(str) for column in table]
        disk.write(_lines(np.concatenate([texts.astype(object) for texts in columns], axis=1)))


def read_csv(file: BinaryIO, selection: Selection) -> Values:
    """What `write_csv` wrote."""
    table = _table(selection)
    lines = csv.reader(line.decode() for line in file)
    next(lines)
    for block in selection.blocks():
        rows = [next(lines) for _ in range(block.start, block.stop)]
        first = int(_is_numbered(table))
        for column in table:
            after = first + int(np.prod(column.shape))
            texts = np.array([row[first:after] for row in rows], dtype=object)
            values = texts == "True" if column.dtype == bool else texts.astype(column.dtype)
            yield column, values.reshape(-1, *column.shape), selection.read(column, block)
            first = after


def write_parquet(disk: OutputFile, selection: Selection, settings: Mapping[str, Any]) -> None:
    """A column for each array, a row group for each block.

    An array with axes is a column of lists of fixed length; the metadata ``deeplift_engine`` hold
    the settings, and the shape of one sample of each array.
    """
    arrow = optional("pyarrow", "pyarrow", "parquet")
    parquet = optional("pyarrow.parquet", "pyarrow", "parquet")
    table = _table(selection)
    notes = {
        "settings": json.loads(storage.settings_text(settings)),
        "shapes": {column.name: column.shape for column in table},
        "dimensions": {column.name: column.dimensions for column in table},
    }
    kinds = {column.name: _arrow_type(arrow, column) for column in table}
    schema = arrow.schema(
        [*([(SAMPLE, arrow.int64())] if _is_numbered(table) else []), *kinds.items()],
        metadata={"deeplift_engine": json.dumps(notes)},
    )
    with parquet.ParquetWriter(disk, schema) as writer:
        for block in selection.blocks():
            columns = {SAMPLE: arrow.array(selection.samples[block], arrow.int64())}
            for column in table:
                values = selection.read(column, block)
                flat = arrow.array(values.ravel(), _arrow_value(arrow, column))
                columns[column.name] = (
                    arrow.FixedSizeListArray.from_arrays(flat, type=kinds[column.name])
                    if column.shape
                    else flat
                )
            writer.write_table(
                arrow.table([columns[name] for name in schema.names], schema=schema),
                row_group_size=block.stop - block.start,
            )


def read_parquet(file: BinaryIO, selection: Selection) -> Values:
    """What `write_parquet` wrote."""
    content = optional("pyarrow.parquet", "pyarrow", "parquet").ParquetFile(file)
    for group, block in enumerate(selection.blocks()):
        for column in _table(selection):
            values = content.read_row_group(group, columns=[column.name])[column.name]
            values = values.combine_chunks()
            values = values.flatten() if column.shape else values
            array = values.to_numpy(zero_copy_only=False)
            yield column, array.reshape(-1, *column.shape), selection.read(column, block)


FORMATS: Mapping[str, tuple[Writer, Reader]] = {
    ".h5": (write_hdf5, read_hdf5),
    ".hdf5": (write_hdf5, read_hdf5),
    ".npz": (write_npz, read_npz),
    ".csv": (write_csv, read_csv),
    ".parquet": (write_parquet, read_parquet),
}


def _table(selection: Selection) -> list[Column]:
    """The arrays that a table has: those along the samples."""
    return [column for column in selection.columns if column.along_samples]


def _is_numbered(table: list[Column]) -> bool:
    """Whether a table begins with the numbers of samples: no array of it is called so."""
    return all(column.name != SAMPLE for column in table)


def _region(column: Column, block: slice) -> Any:
    """Where a block lies in a file's array."""
    if not column.along_samples:
        return ()
    return (_EVERYTHING, block) if column.targets_first else block


def _as_stored(column: Column, values: Array) -> Array:
    return np.moveaxis(values, 1, 0) if column.targets_first else values


def _in_order(column: Column, selection: Selection) -> Iterator[Array]:
    """The values of an array in the order in which a file has them."""
    if column.targets_first:
        for target in range(column.shape[0]):
            for _, values in blocks_of(column, selection):
                yield values[:, target]
    else:
        for _, values in blocks_of(column, selection):
            yield values


def _npz_dtype(column: Column, selection: Selection) -> np.dtype[Any]:
    if column.dtype != object:
        return column.dtype
    lengths = (
        len(text) for _, values in blocks_of(column, selection) for text in values.ravel().tolist()
    )
    return np.dtype(f"<U{max(lengths, default=1) or 1}")


def _flat(values: Array) -> Array:
    return values.reshape(len(values), -1)


def _lines(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _arrow_value(arrow: Any, column: Column) -> Any:
    return arrow.string() if column.dtype == object else arrow.from_numpy_dtype(column.dtype)


def _arrow_type(arrow: Any, column: Column) -> Any:
    value = _arrow_value(arrow, column)
    return arrow.list_(value, int(np.prod(column.shape))) if column.shape else value


__all__ = ["FORMATS", "Reader", "Values", "Writer"]
