"""Pictures of files and arrays before they are prepared: pixels, sizes, names, notes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.images.picture_files import (
    PictureForm,
    left_out,
    picture_files,
    read_header,
    read_pixels,
)
from deeplift_engine.util.suggestions import first_of
from deeplift_engine.util.typing import Array


class Pixels(Protocol):
    """N pictures, red, green, blue, 0 to 255."""

    def __len__(self) -> int:
        """N."""

    def read(self, number: int) -> Array:
        """The pixels of one of them (H, W, C)."""


@dataclass(frozen=True)
class OfFiles:
    """Pictures in files."""

    paths: tuple[Path, ...]
    form: PictureForm

    def __len__(self) -> int:
        """N."""
        return len(self.paths)

    def read(self, number: int) -> Array:
        """The pixels of one of them (H, W, C)."""
        return read_pixels(self.paths[number], self.form, number)


@dataclass(frozen=True, eq=False)
class OfArray:
    """Pictures in memory, or in an array of which slices are read, (N, H, W, C)."""

    array: Any

    def __len__(self) -> int:
        """N."""
        return len(self.array)

    def read(self, number: int) -> Array:
        """The pixels of one of them (H, W, C).

        Raises
        ------
        InputError
            If they are not 0 to 255, or are of a picture that was prepared: fractions up to 1.
        """
        pixels = np.asarray(np.asarray(self.array[number : number + 1])[0])
        low, high = float(pixels.min()), float(pixels.max())
        is_prepared = high <= 1 and bool(np.any(pixels != np.floor(pixels)))
        if not 0 <= low <= high <= 255 or is_prepared:
            raise InputError(
                f"pixels of picture {number} are {low:g} to {high:g}: expected 0 to 255, not "
                "prepared yet. Hand what is prepared to the explainer as it is."
            )
        return pixels


@dataclass(frozen=True)
class OpenedPictures:
    """Pictures before they are read.

    Attributes
    ----------
    pixels
        What reads them.
    channels
        How many they have.
    sizes
        Height and width of each.
    names
        Of each.
    notes
        What of the files is left out, in words.
    """

    pixels: Pixels
    channels: int
    sizes: list[tuple[int, int]]
    names: list[str]
    notes: list[str]


def open_pictures(
    source: Any, channels: int | None = None, depth: str | None = None, upright: bool = False
) -> OpenedPictures:
    """Pictures of files, folders or an array; see `deeplift_engine.images.read`.

    Raises
    ------
    InputError
        If a file cannot be read, or an array holds no pixels of 0 to 255.
    """
    if _is_array(source):
        return _of_array(source, channels)
    form = PictureForm(channels or 3, depth, upright)
    paths, others = picture_files(source), left_out(source)
    headers = [read_header(path, form, number) for number, path in enumerate(paths)]
    names = _names(source, paths)
    told: dict[str, list[str]] = {}
    for name, header in zip(names, headers, strict=True):
        for note in header.notes:
            told.setdefault(note, []).append(name)
    for name, path in zip(_names(source, others), others, strict=True):
        note = f"left out, as {path.suffix} files are not read; save them as .png"
        told.setdefault(note, []).append(name)
    count = len(paths) + len(others)
    return OpenedPictures(
        OfFiles(tuple(paths), form),
        form.channels,
        [header.size for header in headers],
        names,
        [
            f"{len(those)} of {count} pictures ({first_of(those)}): {note}"
            for note, those in told.items()
        ],
    )


def _is_array(source: Any) -> bool:
    return hasattr(source, "shape") and hasattr(source, "__getitem__")


def _of_array(array: Any, channels: int | None) -> OpenedPictures:
    shape = tuple(array.shape)
    if len(shape) == 3 and channels in (None, 1):
        array, shape = np.asarray(array)[..., np.newaxis], (*shape, 1)
    if len(shape) != 4 or channels not in (None, shape[3]):
        raise InputError(
            f"pixels of shape {shape}: expected (pictures, height, width, "
            f"{channels or 'channels'}), channels last, red, green, blue."
        )
    if 0 in shape or array.dtype.kind not in "iuf":
        raise InputError(
            f"pixels of shape {shape} and dtype {array.dtype}: expected numbers, of one picture or "
            "more."
        )
    pictures = OfArray(array)
    pictures.read(0)
    labels = [str(number) for number in range(shape[0])]
    return OpenedPictures(pictures, shape[3], [(shape[1], shape[2])] * shape[0], labels, [])


def _names(source: Any, paths: Sequence[Path]) -> list[str]:
    """Paths within the folder that was named; those of several sources as they are."""
    if isinstance(source, str | os.PathLike):
        folder = Path(source) if Path(source).is_dir() else Path(source).parent
        return [path.relative_to(folder).as_posix() for path in paths]
    return [path.as_posix() for path in paths]


__all__ = ["OfArray", "OfFiles", "OpenedPictures", "Pixels", "open_pictures"]
