"""The folder of a store: made at once, or not at all, and never over what is there."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from deeplift_engine.errors import LeasedError, OutputError
from deeplift_engine.jobs.array_plan import SAMPLE, ArrayPlan, Layout
from deeplift_engine.jobs.leases import Lease, lease
from deeplift_engine.jobs.shard_files import create_arrays
from deeplift_engine.jobs.stored_constants import constant_of, plain_constant
from deeplift_engine.util.durable import disk_errors, sync_folder, sync_tree, write_durably
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.typing import Array

ARRAYS, MARKS, LEASES, ATTEMPTS = "arrays.zarr", "marks", "leases", "attempts"
_LAYOUT = "run.json"
_FORMAT = {"format": "store of deeplift_engine", "version": 1}


def describe(
    samples: int,
    shard: int,
    chunk: int,
    plans: tuple[ArrayPlan, ...],
    settings: Mapping[str, Any],
    constants: Mapping[str, Any],
) -> tuple[Layout, dict[str, Array]]:
    """The layout of a new store, and the values of its constants as they are stored.

    Raises
    ------
    OutputError
        For what a store cannot hold.
    """
    values = {name: plain_constant(name, array) for name, array in constants.items()}
    lengths = {
        dimension: size
        for plan in plans
        for dimension, size in zip(plan.dimensions, plan.shape, strict=True)
    }
    layout = Layout(
        samples,
        shard,
        chunk,
        plans,
        json.loads(json.dumps(plain(settings))),
        {
            name: constant_of({**lengths, SAMPLE: samples}, name, array)
            for name, array in values.items()
        },
    )
    return layout, values


def create_folder(path: Path, layout: Layout, constants: Mapping[str, Array]) -> None:
    """Make the folder of a new store: built beside, and renamed when the disk has all of it.

    Of several creators one wins, since a folder is never renamed over another. Each holds a lease
    inside what it builds: by that the next one knows what killed creators left, and removes it.

    Raises
    ------
    OutputError
        For a path that exists, and any error of the disk.
    """
    _refuse_existing(path)
    if not path.parent.is_dir():
        raise OutputError(f"{path} could not be created: there is no folder {path.parent}")
    with disk_errors(path, "created"):
        remove_unborn(path)
        with _unborn(path) as (folder, held):
            for name in (MARKS, ATTEMPTS):
                (folder / name).mkdir()
            create_arrays(folder / ARRAYS, layout, constants)
            content = json.dumps({**_FORMAT, **layout.to_json()}, indent=1)
            write_durably(folder / _LAYOUT, content.encode())
            sync_tree(folder)
            held.check()
            try:
                folder.rename(path)
            except OSError:
                _refuse_existing(path)  # another creator was first
                raise
            (path / LEASES / held.path.name).unlink()
        sync_folder(path.parent)


def read_layout(folder: Path) -> Layout:
    """The layout of the store in a folder.

    Raises
    ------
    OutputError
        If there is none; the message says what there is.
    """
    if not (folder / _LAYOUT).is_file():
        raise OutputError(f"{folder} is no store of a run: {_what_is(folder)}")
    with disk_errors(folder, "read"):
        content = (folder / _LAYOUT).read_bytes()
    try:
        values = json.loads(content)
        version = {key: values.get(key) for key in _FORMAT}
        if version != _FORMAT:
            raise OutputError(
                f"{folder / _LAYOUT} says {version}: expected {_FORMAT}. It is of another "
                "program or version; open it with that"
            )
        return Layout.from_json(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(
            f"{folder / _LAYOUT} is damaged ({error}): take it from a copy of the store"
        ) from error


def _refuse_existing(path: Path) -> None:
    if path.is_symlink() or path.exists():
        is_store = (path / _LAYOUT).is_file()
        raise OutputError(
            f"{path} could not be created: "
            + (
                "a store of a run is there; open it to go on with it"
                if is_store
                else _what_is(path)
            )
            + ". Nothing is overwritten: name another folder"
        )


@contextmanager
def _unborn(path: Path) -> Iterator[tuple[Path, Lease]]:
    """A folder beside a store that is to be, and its lease; what is left of it goes at the end."""
    with ExitStack() as stack:
        while True:
            folder = path.with_name(f".{path.name}-{secrets.token_hex(8)}.partial")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            with suppress(FileNotFoundError, LeasedError):  # taken for a dead one's: again
                folder.mkdir()
                held = stack.enter_context(_creators_lease(folder))
                break
        yield folder, held


def remove_unborn(path: Path) -> None:
    """Remove what killed creators of this store left."""
    unborn = re.compile(rf"\.{re.escape(path.name)}-[0-9a-f]{{16}}\.partial")
    for folder in [
        path.parent / name for name in os.listdir(path.parent) if unborn.fullmatch(name)
    ]:
        with suppress(FileNotFoundError, LeasedError), _creators_lease(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _creators_lease(folder: Path) -> AbstractContextManager[Lease]:
    (folder / LEASES).mkdir(exist_ok=True)
    return lease(folder / LEASES, "creator", f"the creation of {folder}")


def _what_is(path: Path) -> str:
    """What there is at a path that is no store."""
    if not path.exists():
        return "there is nothing" + (" but a broken link" if path.is_symlink() else "")
    if not path.is_dir():
        return "there is a file, and a store is a folder"
    if (path.parent / _LAYOUT).is_file():
        return f"it belongs to the store {path.parent}"
    names = sorted(os.listdir(path))
    kind = "a group or an array of zarr that another program made, " if "zarr.json" in names else ""
    return f"there is {kind}a folder with {', '.join(names[:5]) or 'nothing in it'}" + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )


__all__ = [
    "ARRAYS",
    "ATTEMPTS",
    "LEASES",
    "MARKS",
    "create_folder",
    "describe",
    "read_layout",
    "remove_unborn",
]
