"""Stores of one job whose shards were computed in different places, as one store."""

from __future__ import annotations

import os
from collections.abc import Sequence

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.jobs.reader import StoredRun
from deeplift_engine.jobs.store import Store


def merge(paths: Sequence[str | os.PathLike[str]], path: str | os.PathLike[str]) -> Store:
    """Copy the completed shards of several stores into one.

    Each file is compared with its checksum on the way. A merge that was interrupted goes on where
    it stopped, and stores that are computed later may be merged into the same store.

    Parameters
    ----------
    paths
        Stores of the same job. Where several have a shard, the first one's is copied.
    path
        The store to fill: a new one, or one of the same job.

    Returns
    -------
    Store
        At ``path``; its `Store.pending` are the shards that no store has.

    Raises
    ------
    InputError
        Without stores.
    OutputError
        For stores of different jobs, naming the first field that differs, a damaged file, and any
        error of the disk.
    LeasedError
        If another process works on a shard of ``path``.
    """
    if isinstance(paths, str | os.PathLike) or not paths:
        raise InputError(f"merge reads several stores: expected a list of paths, not {paths!r}")
    sources = [Store.open(source) for source in paths]
    for source in sources[1:]:
        _check_equal(sources[0], source)
    merged = _open_or_create(path, sources[0])
    for source in sources:
        for number in sorted(set(source.done()) - set(merged.done())):
            merged.adopt(number, source)
    return merged


def _open_or_create(path: str | os.PathLike[str], like: Store) -> Store:
    if os.path.lexists(path):
        merged = Store.open(path)
        _check_equal(like, merged)
        return merged
    layout, run = like.layout, StoredRun(like)
    constants = {name: run[name] for name in layout.constants}
    return Store.create(
        path, layout.samples, layout.shard, layout.chunk, layout.plans, layout.settings, constants
    )


def _check_equal(first: Store, other: Store) -> None:
    difference = first.layout.difference(other.layout)
    if difference is not None:
        raise OutputError(
            f"{first.path} and {other.path} are of different jobs: {difference}. Only stores whose "
            "descriptions are equal are merged"
        )


__all__ = ["merge"]
