"""bgzip files read in place: their content is packed in blocks, which an index tells.

The index, ``FILE.gzi`` as bgzip and ``samtools faidx`` write it, is whole numbers of eight bytes,
little-endian: how many blocks there are behind the first, and where each of these begins in the
file and in its content.
"""

from __future__ import annotations

import functools
import gzip
import mmap
import zlib
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.packed_files import read_errors
from deeplift_engine.util.typing import Array

_MAGIC, _FIELD, _FIELD_AT = b"\x1f\x8b\x08\x04", b"BC\x02\x00", 12
"""How a block begins: gzip with an extra field, and what that begins with at byte 12."""
_BLOCK_BYTES = 1 << 16
"""Bytes of a block at most, packed and unpacked."""
_HELD = 64
"""Blocks that are kept unpacked: those of neighbouring regions."""
_GZIP_MEMBER = 31


class BgzipContent:
    """The content of a bgzip file: it has a length, and slices of it are bytes.

    Parameters
    ----------
    path
        The file, which has its index beside it.

    Raises
    ------
    InputError
        If the index is older than the file or does not fit it, or one of them cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._index = path, _index_of(path)
        with read_errors(path), path.open("rb") as file:
            self._packed = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if path.stat().st_mtime > self._index.stat().st_mtime:
            raise self._error("is older than")
        with read_errors(self._index):
            entries = _entries(self._index.read_bytes())
        if entries is None or len(self._packed) - entries[-1, 0] > 2 * _BLOCK_BYTES:
            raise self._error("does not fit")
        self._starts = np.append(entries[:, 0], len(self._packed))
        self._offsets = entries[:, 1]
        self._block = functools.lru_cache(_HELD)(self._unpacked)
        self._length = int(self._offsets[-1]) + len(self._block(len(self._offsets) - 1))

    def __len__(self) -> int:
        """Bytes of the content."""
        return self._length

    def __getitem__(self, part: slice) -> bytes:
        """Some of the content, without a step.

        Raises
        ------
        InputError
            If a block is damaged, or is not where the index says.
        """
        start, stop, _ = part.indices(self._length)
        if start >= stop:
            return b""
        ends = np.searchsorted(self._offsets, [start, stop - 1], side="right") - 1
        first, last = map(int, ends)
        content = b"".join(map(self._block, range(first, last + 1)))
        before = start - int(self._offsets[first])
        return content[before : before + stop - start]

    def _unpacked(self, number: int) -> bytes:
        packed = self._packed[self._starts[number] : self._starts[number + 1]]
        with read_errors(self._path):
            if number == len(self._offsets) - 1:  # an empty block may be behind it
                return gzip.decompress(packed)
            content = zlib.decompress(packed, _GZIP_MEMBER)
        if len(content) != self._offsets[number + 1] - self._offsets[number]:
            raise self._error("does not fit")
        return content

    def _error(self, fault: str) -> InputError:
        return InputError(
            f"{self._index} {fault} its file. Delete it, or make it again: bgzip -r {self._path}"
        )


def bgzip_content(path: Path) -> BgzipContent | None:
    """The content of a bgzip file that has an index; None of any other file.

    Raises
    ------
    InputError
        As for `BgzipContent`.
    """
    if not _index_of(path).is_file():
        return None
    with read_errors(path), path.open("rb") as file:
        begin = file.read(_FIELD_AT + len(_FIELD))
    is_bgzip = begin.startswith(_MAGIC) and begin.endswith(_FIELD)
    return BgzipContent(path) if is_bgzip else None


def _index_of(path: Path) -> Path:
    return Path(f"{path}.gzi")


def _entries(index: bytes) -> Array | None:
    """Where blocks begin, in the file and in its content (blocks, 2); None of what is no index."""
    if not index or len(index) % 8:
        return None
    numbers = np.frombuffer(index, "<u8").astype(np.int64)
    if len(numbers) != 1 + 2 * int(numbers[0]):
        return None
    entries = np.vstack([np.zeros((1, 2), np.int64), numbers[1:].reshape(-1, 2)])
    steps = np.diff(entries, axis=0)
    return entries if (steps >= [1, 0]).all() else None


__all__ = ["BgzipContent", "bgzip_content"]
