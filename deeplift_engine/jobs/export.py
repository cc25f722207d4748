"""Results of a run in one file of a common format, compared before it has its name."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.export_formats import FORMATS, Reader
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.jobs.selection import TARGET, Selection, select
from deeplift_engine.util.durable import disk_errors, sync_folder
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array


def export(
    path: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    arrays: Sequence[str] | None = None,
    rows: slice | Sequence[int] | None = None,
    *,
    overwrite: bool = False,
    per_shard: bool = False,
) -> None:
    """Write arrays of a store to one file, completely or not at all.

    Memory holds the samples of a shard at a time (for .npz, one array while it is compared). What
    was written is read back and compared before the file takes its name. float16 is written as
    float32.

    Parameters
    ----------
    path
        The store.
    destination
        Its suffix chooses the format:

        - ``.h5``, ``.hdf5``, ``.npz``: the layout of `Attribution.save`; `Attribution.load` reads
          it where the store has scores, inputs and predictions. Results of several targets have
          the targets first.
        - ``.csv``: a line for each sample, with its number and all values of all arrays. pandas
          reads names such as "NA" as text with ``keep_default_na=False`` alone.
        - ``.parquet``: a column for each array, of lists where it has axes.
    arrays
        Names of arrays; all by default. Tables hold those with an entry for each sample.
    rows
        A slice or numbers of samples, in any order; all by default.
    overwrite
        Whether an existing file may be replaced.
    per_shard
        Of .parquet: whether to write a new folder of files, one for each shard.

    Raises
    ------
    InputError
        For an unknown array, a sample that there is not, or values that the format cannot hold.
    OutputError
        For samples that are not computed yet, another suffix, an existing file, and any error of
        the disk.
    """
    target = Path(destination)
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(
            f"{destination}: results are exported as {', '.join(FORMATS)}, not as "
            f"{suffix or 'a file without a suffix'}; name the file accordingly"
        )
    if per_shard and suffix != ".parquet":
        raise InputError(f"per_shard writes a folder of .parquet files, not {suffix}")
    selection = select(open_store(path), arrays, rows)
    if per_shard:
        _folder(selection, target, overwrite)
    else:
        _file(selection, target, overwrite)


def _file(selection: Selection, target: Path, overwrite: bool) -> None:
    writer, reader = FORMATS[target.suffix.lower()]
    with output_file(target, overwrite=overwrite) as disk:
        writer(disk, selection, _settings(selection))
        if disk.failure is not None:
            raise disk.failure
        _compare(Path(os.fspath(disk.name)), reader, selection, target)


def _folder(selection: Selection, target: Path, overwrite: bool) -> None:
    if overwrite or os.path.lexists(target):
        raise OutputError(
            f"{target}: a folder of files is written anew; name one that is not there"
        )
    with disk_errors(target, "written"), ExitStack() as stack:
        folder = target.with_name(f".{target.name}-{secrets.token_hex(8)}.partial")
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for number, block in enumerate(selection.blocks()):
            samples = replace(selection, samples=selection.samples[block])
            _file(samples, folder / f"{number:08d}.parquet", overwrite=False)
        sync_folder(folder)
        folder.rename(target)
        sync_folder(target.absolute().parent)


def _compare(written: Path, reader: Reader, selection: Selection, target: Path) -> None:
    """Compare what a file holds with the store.

    Raises
    ------
    OutputError
        For the first array that differs.
    """
    with written.open("rb") as file:
        for column, values, expected in reader(file, selection):
            if values.shape != expected.shape or not _equal(values, expected):
                raise OutputError(
                    f"{target} was not written: read back, array {column.name!r} differs from the "
                    "store. Export it in another format, or check the disk"
                )


def _equal(values: Array, expected: Array) -> bool:
    same = values == expected
    if expected.dtype.kind == "f":
        same |= np.isnan(values) & np.isnan(expected)
    return bool(np.all(same))


def _settings(selection: Selection) -> dict[str, Any]:
    """The settings of a file, with the leading axes of the scores, as `Attribution` has them."""
    scores = [column for column in selection.columns if column.name.partition("/")[0] == "scores"]
    first = [TARGET] if any(column.targets_first for column in scores) else []
    second = ["reference"] if any("reference" in column.dimensions[:2] for column in scores) else []
    return {**selection.run.settings, "axes": [*first, "sample", *second]}


__all__ = ["export"]
