"""A model of Keras 3: configuration, version, and weights as HDF5, in a zip archive or a folder."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from deeplift_conversion.errors import ModelFileError
from deeplift_conversion.files.architecture import parse_json
from deeplift_conversion.files.hdf5 import array, opened
from deeplift_conversion.files.source import read_bytes
from deeplift_conversion.files.untrusted import Budget

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"

_ASSETS, _VOCABULARY = "assets/", "/vocabulary.txt"

Parse = Callable[[bytes, str], dict[str, Any]]
"""The configuration of a file's bytes and name."""


class Content(NamedTuple):
    """Configuration, Keras version and weights; vocabularies of layers by their folders."""

    config: dict[str, Any]
    version: str
    weights: bytes
    vocabularies: Mapping[str, bytes]


def unpacked(data: bytes, budget: Budget, source: str, parse: Parse = parse_json) -> Content:
    """Return what a ``.keras`` file holds, its configuration as ``parse`` reads it: a model's."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            read = partial(_member, archive, budget, source)
            return _content(archive.namelist(), read, source, "zip file", parse)
    except (
        zipfile.BadZipFile,  # raised for sums that differ, too
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,  # encrypted
        NotImplementedError,  # packed by a method that Python does not have
    ) as error:
        raise ModelFileError(
            f"{source}: a damaged or cut short .keras file ({error}). Fetch or save it again."
        ) from error


def is_folder(path: str | Path) -> bool:
    """Tell a folder that ``save(zipped=False)`` wrote."""
    return all((Path(path) / name).is_file() for name in (_CONFIG, _WEIGHTS))


def of_folder(path: str | Path) -> tuple[Content, bytes]:
    """Return what such a folder holds, and its bytes for the hash."""
    folder = Path(path)
    files = [entry for entry in folder.iterdir() if entry.is_file()]
    files += (folder / _ASSETS).rglob(Path(_VOCABULARY).name)
    names = [file.relative_to(folder).as_posix() for file in files]
    content = _content(names, lambda name: read_bytes(folder / name), str(path), "folder")
    return content, read_bytes(folder / _CONFIG) + content.weights


def _content(
    names: Collection[str],
    read: Callable[[str], bytes],
    source: str,
    kind: str,
    parse: Parse = parse_json,
) -> Content:
    if _CONFIG not in names:
        raise ModelFileError(
            f"{source}: a {kind} without {_CONFIG}, so not a .keras model. It holds"
            f" {sorted(names)[:6]}."
        )
    if _WEIGHTS not in names:
        raise ModelFileError(
            f"{source}: no {_WEIGHTS} in the .keras file; it holds {sorted(names)[:6]}."
            " Save the model again with HDF5 weights (the default)."
        )
    metadata = json.loads(read(_METADATA)) if _METADATA in names else {}
    version = str(metadata.get("keras_version") or "")
    vocabularies = {
        name.removeprefix(_ASSETS).removesuffix(_VOCABULARY): read(name)
        for name in names
        if name.startswith(_ASSETS) and name.endswith(_VOCABULARY)
    }
    return Content(parse(read(_CONFIG), source), version, read(_WEIGHTS), vocabularies)


def _member(archive: zipfile.ZipFile, budget: Budget, source: str, name: str) -> bytes:
    budget.take(archive.getinfo(name).file_size, f"{source}: {name}")
    return archive.read(name)


def zipped(path: str | Path) -> bytes:
    """Return such a folder as the ``.keras`` file that it could be."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        vocabularies = (Path(path) / _ASSETS).rglob(Path(_VOCABULARY).name)
        for file in (
            *(Path(path) / name for name in (_CONFIG, _METADATA, _WEIGHTS)),
            *vocabularies,
        ):
            if file.exists():
                archive.writestr(file.relative_to(path).as_posix(), read_bytes(file))
    return packed.getvalue()


def joined_shards(index: bytes, path: str | Path) -> bytes:
    """Return the HDF5 of weights that ``save_weights(max_shard_size=...)`` cut in several files.

    Parameters
    ----------
    index
        The content of ``x.weights.json``.
    path
        Where it was read: its shards are beside it.

    Raises
    ------
    ModelFileError
        If a shard is missing, damaged, or not beside the index.
    """
    files: set[str] = set()
    for entry in dict(json.loads(index)["weight_map"]).values():
        files.update(entry if isinstance(entry, list) else [entry])
    strange = sorted(str(name) for name in files if not _is_shard(name))
    if strange or not files:
        raise ModelFileError(
            f"{path}: its weights are in {strange[:3] or 'no file'}, expected names of HDF5 files"
            " beside it."
        )
    shards = {
        name: read_bytes(Path(path).with_name(name), "shard of the weights")
        for name in sorted(files)
    }
    joined, budget = io.BytesIO(), Budget(sum(map(len, shards.values())))
    with h5py.File(joined, "w") as target:
        for name, data in shards.items():
            with opened(data, name) as shard:
                shard.visititems(partial(_copy, target, budget))
    return joined.getvalue()


def _is_shard(name: Any) -> bool:
    return isinstance(name, str) and Path(name).name == name and name.endswith(".weights.h5")


def _copy(target: h5py.File, budget: Budget, name: str, item: Any) -> None:
    """Copy an array, or a group with the name of its layer."""
    if isinstance(item, h5py.Dataset):
        target[name] = array(item, budget)
    elif isinstance(item.attrs.get("name"), str):
        target.require_group(name).attrs["name"] = item.attrs["name"]
    else:
        target.require_group(name)
