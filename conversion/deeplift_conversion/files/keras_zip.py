"""A ``.keras`` file, which is a zip archive: configuration, version, and weights as HDF5."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any

from deeplift_conversion.errors import ModelFileError
from deeplift_conversion.files.architecture import parse_json

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST_MEMBER = 100
"""Times its packed size that a member may have."""


def unpacked(data: bytes, source: str) -> tuple[dict[str, Any], str, bytes]:
    """Return configuration, Keras version and weights of a ``.keras`` file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = set(archive.namelist())
            if _CONFIG not in inside:
                raise ModelFileError(
                    f"{source}: a zip file without {_CONFIG}, so not a .keras model. It holds"
                    f" {sorted(inside)[:6]}."
                )
            if _WEIGHTS not in inside:
                raise ModelFileError(
                    f"{source}: no {_WEIGHTS} in the .keras file; it holds {sorted(inside)[:6]}."
                    " Save the model again with HDF5 weights (the default)."
                )
            config = parse_json(_member(archive, _CONFIG, source), source)
            version = ""
            if _METADATA in inside:
                metadata = json.loads(_member(archive, _METADATA, source))
                version = str(metadata.get("keras_version") or "")
            return config, version, _member(archive, _WEIGHTS, source)
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError, ValueError) as error:
        raise ModelFileError(
            f"{source}: a damaged or cut short .keras file ({error}). Fetch or save it again."
        ) from error


def _member(archive: zipfile.ZipFile, name: str, source: str) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > (64 << 20) + _LARGEST_MEMBER * info.compress_size:
        raise ModelFileError(
            f"{source}: {name} would unpack from {info.compress_size:,} to {info.file_size:,}"
            " bytes. The file is damaged or made to exhaust memory."
        )
    return archive.read(name)
