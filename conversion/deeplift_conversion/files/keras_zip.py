"""A ``.keras`` file, which is a zip archive: configuration, version, and weights as HDF5."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
import zlib
from typing import Any

from deeplift_conversion.errors import ModelFileError
from deeplift_conversion.files.architecture import parse_json
from deeplift_conversion.files.untrusted import Budget

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def unpacked(data: bytes, budget: Budget, source: str) -> tuple[dict[str, Any], str, bytes]:
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
            config = parse_json(_member(archive, _CONFIG, budget, source), source)
            version = ""
            if _METADATA in inside:
                metadata: Any = json.loads(_member(archive, _METADATA, budget, source))
                version = str(metadata.get("keras_version") or "")
            return config, version, _member(archive, _WEIGHTS, budget, source)
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


def _member(archive: zipfile.ZipFile, name: str, budget: Budget, source: str) -> bytes:
    budget.take(archive.getinfo(name).file_size, f"{source}: {name}")
    return archive.read(name)
