"""The arrays of a store as zarr has them: format 3, a file for each shard of an array.

Only the creator lets zarr write into the store. The content of a shard's file is encoded in memory,
so that it can be written, checked and published as one file that nobody sees before it is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import OutputError
from deeplift_engine.jobs.array_plan import SAMPLE, ArrayPlan, Layout
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.typing import Array
from deeplift_engine.util.zarr_library import zarr_module

_CONSTANT_BYTES = 2**22
"""Bytes of a constant that are compressed together, about."""


def create_arrays(folder: Path, layout: Layout, constants: Mapping[str, Array]) -> None:
    """Create the group of a store, with all arrays at full length and the constants' values.

    ``folder`` must not exist yet. Settings become attributes of the group, so that they are there
    for readers of the arrays alone. Numbers of shards that nobody wrote read as NaN, as 0 where the
    dtype has no NaN.
    """
    zarr = zarr_module()
    root = zarr.create_group(
        store=str(folder), zarr_format=3, attributes=plain({"settings": layout.settings})
    )
    for name in sorted({name.partition("/")[0] for name in _names(layout) if "/" in name}):
        root.create_group(name)
    for plan in layout.plans:
        options = _options(plan, layout)
        root.create_array(plan.name, shape=(layout.samples, *plan.shape), **options)
    for name, values in constants.items():
        constant = layout.constants[name]
        array = root.create_array(
            name,
            shape=values.shape,
            chunks=_chunks(values),
            dtype=_dtype(constant.dtype),
            dimension_names=constant.dimensions,
            **_codecs(),
        )
        array[...] = values


def encode(plan: ArrayPlan, layout: Layout, values: Array) -> bytes:
    """The content of a shard's file, ``values`` of shape ``(rows, *plan.shape)``.

    Chunks of zeros are there as any others.
    """
    memory: dict[str, Any] = {}
    array = zarr_module().create_array(
        store=zarr_module("zarr.storage").MemoryStore(memory),
        shape=values.shape,
        config={"write_empty_chunks": True},
        zarr_format=3,
        **_options(plan, layout),
    )
    array[...] = values
    content: bytes = memory[_key(plan, 0)].to_bytes()
    return content


def file_of(plan: ArrayPlan, number: int) -> str:
    """The path of a shard's file of an array, below the folder of the arrays."""
    return f"{plan.name}/{_key(plan, number)}"


def open_array(folder: Path, name: str) -> Any:
    """An array of a store as zarr's own, to read from.

    Raises
    ------
    OutputError
        If its metadata are damaged or not there.
    """
    try:
        return zarr_module().open_array(str(folder / name), mode="r", zarr_format=3)
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(
            f"array {name!r} of {folder} does not open: {error}. Its file zarr.json was changed; "
            "take it from a copy of the store"
        ) from error


def _names(layout: Layout) -> list[str]:
    return [*(plan.name for plan in layout.plans), *layout.constants]


def _options(plan: ArrayPlan, layout: Layout) -> dict[str, Any]:
    """What zarr is told of an array; of one shard of it, too."""
    return {
        "chunks": (layout.chunk, *plan.shape),
        "shards": (layout.shard, *plan.shape),
        "dtype": _dtype(plan.dtype),
        "dimension_names": (SAMPLE, *plan.dimensions),
        "fill_value": _fill_value(plan.dtype),
        **_codecs(),
    }


def _codecs() -> dict[str, Any]:
    """Compressed, then with a checksum that tells a flipped bit; one folder an array."""
    codecs = zarr_module("zarr.codecs")
    return {
        "compressors": (codecs.ZstdCodec(level=3), codecs.Crc32cCodec()),
        "chunk_key_encoding": {"name": "default", "separator": "."},
    }


def _chunks(values: Array) -> tuple[int, ...]:
    """Chunks of a constant, along its first axis."""
    if not values.ndim:
        return ()
    rows = max(_CONSTANT_BYTES * len(values) // max(values.nbytes, 1), 1)
    return tuple(max(size, 1) for size in (min(rows, len(values)), *values.shape[1:]))


def _dtype(name: str) -> Any:
    return str if name == "str" else name


def _fill_value(dtype: str) -> Any:
    """What samples that nobody wrote read as."""
    if dtype == "str":
        return ""
    return np.nan if dtype.startswith("float") else np.dtype(dtype).type(0)


def _key(plan: ArrayPlan, number: int) -> str:
    return ".".join(["c", str(number), *("0" for _ in plan.shape)])


__all__ = [
    "create_arrays",
    "encode",
    "file_of",
    "open_array",
]
