"""FASTA files for tests, written in every way that such files are written."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def random_sequences(sizes: Mapping[str, int], letters: str, seed: int = 0) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    return {name: "".join(rng.choice(list(letters), size)) for name, size in sizes.items()}


def fasta(sequences: Mapping[str, str], width: int = 60, end: str = "\n") -> bytes:
    lines: list[str] = []
    for name, sequence in sequences.items():
        lines.append(f">{name} a description")
        lines += [sequence[i : i + width] for i in range(0, len(sequence), width)]
    return (end.join(lines) + end).encode()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def bgzip(content: bytes, size: int = 1 << 15) -> tuple[bytes, bytes]:
    """A bgzip file of blocks of a size, and its ``.gzi``, as the specification of SAM has them."""
    packed, entries = b"", list[int]()
    for start in range(0, len(content) + size, size):
        if start:
            entries += [len(packed), min(start, len(content))]
        packed += _bgzip_block(content[start : start + size])
    numbers = np.array([len(entries) // 2, *entries], "<u8")
    return packed, numbers.tobytes()


def _bgzip_block(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    body = packer.compress(content) + packer.flush()
    head = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff\x06\x00BC\x02\x00"
    ends = struct.pack("<II", zlib.crc32(content), len(content))
    return head + struct.pack("<H", len(head) + len(body) + 9) + body + ends
