"""Text files of the field, which are plain, gzip or bgzip whatever their names say."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from deeplift_engine.errors import InputError

_GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path, *others: type[Exception]) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """The content of a file, unpacked as it is read; ``others`` are as for `read_errors`.

    Raises
    ------
    InputError
        If it cannot be read, when it is opened or later on.
    """
    with read_errors(path, *others), path.open("rb") as file:
        yield gzip.GzipFile(fileobj=file) if is_packed(file) else file


def is_packed(file: IO[bytes]) -> bool:
    """Whether a file begins as gzip and bgzip do; it is at its beginning again then."""
    packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    return packed


@contextmanager
def read_errors(path: Path, *others: type[Exception]) -> Iterator[None]:
    """What goes wrong while a file is read, and ``others``, as one error of the project's."""
    errors: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error, *others)
    try:
        yield
    except errors as error:
        what: Any = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{path} cannot be read: {what}") from error


__all__ = ["is_packed", "opened", "read_errors"]
