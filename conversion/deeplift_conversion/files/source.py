"""Opens the user's file; the content, never the name, decides which format it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from deeplift_conversion.errors import ModelFileError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)


def check_path(path: Any, kind: str = "model file") -> None:
    """Refuse what is no name of a file, with the way to read it.

    Raises
    ------
    ModelFileError
        For a model in memory, an open file, its content, JSON text and the like.
    """
    is_text = isinstance(path, str) and path.lstrip().startswith("{")
    if isinstance(path, str | os.PathLike) and not is_text:
        return
    name = getattr(path, "filename", getattr(path, "name", None))
    if is_text:
        advice = "JSON text is an architecture: load(weights, architecture=text)."
    elif hasattr(path, "get_config"):
        advice = (
            "a model in memory is taken by deeplift_engine.convert(model); its architecture is "
            "model.to_json()."
        )
    elif isinstance(name, str):
        advice = f"it is an open file: give its name, {name!r}."
    elif isinstance(path, bytes | bytearray | memoryview) or hasattr(path, "read"):
        advice = "write its bytes to a file, and give the name of that."
    else:
        advice = "give the name of a file."
    raise ModelFileError(
        f"The {kind} is told by its name, and this is of type {type(path).__name__}: {advice}"
    )


def read_bytes(path: str | Path, kind: str = "model file") -> bytes:
    """Return the whole content of a file.

    Raises
    ------
    ModelFileError
        If there is no such file, it is a directory, a pipe or a device, is empty or cannot be read.
    """
    check_path(path, kind)
    file = Path(path)
    if file.is_dir():
        inside = {entry.name for entry in file.iterdir()}
        hint = "Give one file: .h5, .hdf5, .keras, or weights and an architecture."
        if "saved_model.pb" in inside:
            hint = "This is a TensorFlow SavedModel: save the model as .h5 or .keras instead."
        elif "config.json" in inside:
            hint = "It has a config.json, but no model.weights.h5: save the model again."
        raise ModelFileError(f"{path}: a directory, expected a {kind}. {hint}")
    try:
        # opening a pipe would wait for its writer
        with open(file, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE)) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ModelFileError(
                    f"{path}: a pipe or a device, expected a {kind}. Copy what it gives to a file."
                )
            data = stream.read()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such {kind}.") from error
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path}: cannot be read: {error}") from error
    if not data:
        raise ModelFileError(f"{path}: the {kind} is empty (0 bytes). Was the download cut short?")
    if data.startswith(b"version https://git-lfs"):
        raise ModelFileError(
            f"{path}: a git-LFS pointer, not the file itself. Run 'git lfs pull' to fetch it."
        )
    return data


def container(data: bytes, path: str | Path) -> str:
    """Return ``"hdf5"``, ``"zip"``, or ``"shards"`` for the index of weights in several files.

    Raises
    ------
    ModelFileError
        If it is neither; the message says what it looks like.
    """
    if data.startswith(ZIP_SIGNATURE):
        return "zip"
    offset = 0
    while offset + len(HDF5_SIGNATURE) <= len(data):  # a user block may come first
        if data.startswith(HDF5_SIGNATURE, offset):
            return "hdf5"
        offset = max(512, 2 * offset)
    start = data[:200].lstrip().lower()
    if start.startswith(b"{") and b'"weight_map"' in data[:4096]:
        return "shards"
    if start.startswith((b"<!doctype", b"<html")):
        looks = "It is a web page: the download gave an error page instead of the file."
    elif start.startswith((b"{", b"[")):
        looks = "It is JSON: give the weights file first and this one as architecture=..."
    elif start.startswith(b"\x93numpy"):
        looks = "It is an array of numpy: data are what a network is run on, not what it is."
    elif start.startswith((b"\x80", b"cnumpy")):
        looks = "It looks like a pickle, which is never opened: it could run any code."
    else:
        looks = f"It starts with {data[:8]!r}."
    raise ModelFileError(
        f"{path}: neither HDF5 nor a .keras (zip) file. {looks} Expected a model saved by Keras."
    )
