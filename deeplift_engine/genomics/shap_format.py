"""Contributions of positions as SHAP's plots take them: an `Explanation`, and its file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.array_rows import Entry, write_npz
from deeplift_engine.genomics.exported import (
    Choices,
    Exported,
    Exporter,
    read_back,
    settings_of,
)
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.util.optional import optional
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array

ARRAYS = ("values", "base_values", "data", "feature_names", "sample")
"""Of a file: (N, L) float32, (N,) float32, (N, L) letters, (L,) and (N,) text."""
HOLDS = (
    "values: projected contributions of positions, added over letters; base_values: 0, as they "
    "explain the target's difference from the references"
)


def letters_of(one_hot: Array) -> Array:
    """Text ``(n, L)`` of one-hot rows ``(n, 4, L)``; N where no letter is known."""
    codes = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), len(LETTERS))
    return np.array([*f"{LETTERS}N"])[codes]


def write(windows: ScoredWindows, choices: Choices) -> Exported:
    """Write a file for each head."""
    exported = Exported("shap")
    for head, label in windows.labels.items():
        path = choices.file(f"{label}shap.npz")
        with output_file(path, overwrite=choices.overwrite) as disk:
            write_npz(disk, _entries(windows, head), settings_of(windows, head, HOLDS))
            expected = {name: entry.blocks for name, entry in _entries(windows, head).items()}
            read_back(disk, ".npz", expected, path)
        exported.files[path] = HOLDS
        exported.hints.append(f"python: deeplift_engine.genomics.explanation({str(path)!r})")
    return exported


def _entries(windows: ScoredWindows, head: str) -> dict[str, Entry]:
    count, length = len(windows.samples), windows.length
    features = np.array([f"position {number}" for number in range(length)])
    names = windows.names.astype(str)
    values, data = (_blocks(windows, head, content) for content in ("projected", "one_hot"))
    return {
        "values": Entry((count, length), np.float32, values),
        "base_values": Entry((count,), np.float32, [np.zeros(count, np.float32)]),
        "data": Entry((count, length), np.dtype("<U1"), data),
        "feature_names": Entry((length,), features.dtype, [features]),
        "sample": Entry((count,), names.dtype, [names]),
    }


def _blocks(windows: ScoredWindows, head: str, content: str) -> Iterator[Array]:
    for _, (block,) in windows.blocks(head, [content]):
        yield letters_of(block) if content == "one_hot" else block.sum(axis=1)


def explanation(path: str | os.PathLike[str]) -> Any:
    """What ``export --to shap`` wrote, as a ``shap.Explanation`` for SHAP's plots.

    Its rows are samples, its features positions with their letters as data: ``bar`` and
    ``beeswarm`` take all of it, ``waterfall`` and ``text`` one row, ``explanation(path)[0]``.

    Parameters
    ----------
    path
        The .npz file.

    Raises
    ------
    InputError
        If it is no such file.
    DeepliftEngineError
        If shap is not installed.
    """
    library = optional("shap", "shap", "shap")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ARRAYS}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read as an explanation: {error}. Expected the .npz file of --to shap"
        ) from error
    return library.Explanation(
        values=arrays["values"],
        base_values=arrays["base_values"],
        data=arrays["data"],
        feature_names=arrays["feature_names"].tolist(),
    )


def _files(windows: ScoredWindows) -> list[str]:
    return [f"{label}shap.npz" for label in windows.labels.values()]


SHAP = Exporter(
    "arrays of a shap.Explanation, of positions", ("projected", "inputs"), False, _files, write
)

__all__ = ["ARRAYS", "SHAP", "explanation", "letters_of"]
