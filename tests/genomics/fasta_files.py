"""FASTA files for tests, written in every way that such files are written."""

from __future__ import annotations

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
