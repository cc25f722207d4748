"""Reads HDF5 without following it anywhere: attributes, groups and arrays of one image."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from deeplift_conversion.errors import ModelConfigError, ModelFileError
from deeplift_conversion.files.untrusted import Budget, text
from deeplift_conversion.spec import Array


@contextmanager
def opened(data: bytes, name: str) -> Iterator[h5py.File]:
    """Open HDF5 from memory, closing it afterwards."""
    try:
        file = h5py.File(io.BytesIO(data), "r")
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ModelFileError(
            f"{name}: damaged or cut short HDF5 ({error}). Fetch or save the file again."
        ) from error
    with file:
        yield file


def attribute(item: h5py.Group, key: str) -> Any:
    """Return an attribute (None if absent); text comes as str."""
    if key not in item.attrs:
        return None
    value = item.attrs[key]
    if isinstance(value, bytes | np.bytes_ | str):
        return text(value)
    if isinstance(value, np.ndarray) and value.shape == () and value.dtype.kind in "SOU":
        return text(value)
    return value


def split_text(item: h5py.Group, key: str) -> str | None:
    """Return a text attribute, joined when it was split over ``key0, key1, ...``."""
    value = attribute(item, key)
    if value is not None:
        return text(value)
    chunks: list[str] = []
    while f"{key}{len(chunks)}" in item.attrs:
        chunks.append(text(attribute(item, f"{key}{len(chunks)}")))
    return "".join(chunks) if chunks else None


def names(item: h5py.Group, key: str) -> list[str] | None:
    """Return an attribute that lists names, also when split over ``key0, key1, ...``."""
    if key in item.attrs:
        return [text(name) for name in np.asarray(item.attrs[key]).ravel()]
    entries: list[str] = []
    chunk = 0
    while f"{key}{chunk}" in item.attrs:
        entries += [text(name) for name in np.asarray(item.attrs[f"{key}{chunk}"]).ravel()]
        chunk += 1
    return entries if chunk else None


def child(group: h5py.Group, path: str) -> h5py.Group | h5py.Dataset | None:
    """Return what lies at ``path`` (None if nothing), refusing links to other files."""
    item: Any = group
    for key in path.split("/"):
        if not key:
            continue
        if not isinstance(item, h5py.Group):
            return None
        link = item.get(key, getlink=True)
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise ModelFileError(
                f"HDF5 object {item.name}/{key} is a link to another file"
                f" ({link.filename!r}); expected the array itself. Links are not followed."
            )
        item = item.get(key)
        if item is None:
            return None
    return item if isinstance(item, h5py.Group | h5py.Dataset) else None


def subgroup(group: h5py.Group, path: str) -> h5py.Group | None:
    """Return the group at ``path``, None if there is none."""
    item = child(group, path)
    return item if isinstance(item, h5py.Group) else None


def array(dataset: h5py.Dataset, budget: Budget) -> Array:
    """Read a weight array fully, after checking that it is one.

    Parameters
    ----------
    dataset
        The dataset.
    budget
        The bytes that the arrays of the file may still have.
    """
    where = dataset.name
    kind = dataset.dtype.kind
    bfloat16 = dataset.attrs.get("dtype") == "bfloat16" or dataset.dtype == np.dtype("V2")
    if kind not in "fiub" and not bfloat16:
        raise ModelConfigError(
            f"array {where}: expected numbers, met data of type {dataset.dtype} instead of weights."
        )
    if dataset.external or dataset.is_virtual:
        raise ModelFileError(
            f"array {where} is stored in another file; expected it inside this one."
            " Other files are not read."
        )
    if dataset.shape is None:
        raise ModelConfigError(f"array {where} is empty (no shape); expected a weight array.")
    chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize  # is unpacked as one
    budget.take(max(dataset.nbytes, chunk), f"array {where} of shape {dataset.shape}")
    try:
        values: Array = np.asarray(dataset[()])
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"array {where} cannot be read ({error}). The file is damaged: fetch or save it again."
        ) from error
    if kind == "V":  # bfloat16 is the upper half of a float32
        values = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    if values.dtype.byteorder not in "=|":
        values = values.astype(values.dtype.newbyteorder("="))
    return values
