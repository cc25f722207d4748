"""Files of pictures: which there are, what their headers say, and pixels as Keras reads them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.folders import visible_files
from deeplift_engine.util.optional import optional
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
OTHERS = (".gif", ".webp", ".heic", ".heif", ".avif", ".jp2", ".jfif")
"""Suffixes of pictures that are not read."""
DEPTHS = ("raw", "clipped", "eight_bits")
_ORIENTATION = 0x0112
"""The tag of EXIF that says how a camera was held."""
_DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class PictureForm:
    """How the pixels of files are read.

    Attributes
    ----------
    channels
        1 (grey), 3 (red, green, blue) or 4 (with alpha).
    depth
        What becomes of grey pictures of more than 8 bits: ``"raw"`` values, ``"clipped"`` at 255,
        or ``"eight_bits"``, divided by 256; None refuses them, as libraries differ.
    upright
        Whether the orientation that a camera wrote is applied.
    """

    channels: int
    depth: str | None = None
    upright: bool = False

    def __post_init__(self) -> None:
        if self.channels not in _MODES:
            raise InputError(
                f"channels={self.channels}: files of pictures have 1, 3 or 4; hand in an array."
            )
        if self.depth not in (None, *DEPTHS):
            raise InputError(f"depth={self.depth!r}: choose one of {', '.join(DEPTHS)}.")


_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class PictureHeader:
    """What a file says of its picture before it is read.

    Attributes
    ----------
    size
        Height and width as they are read.
    notes
        What of the file is left out, each in words that are the same for all files.
    """

    size: tuple[int, int]
    notes: tuple[str, ...]


def picture_files(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The files of a folder and of those within, in plain order of their paths; or those named.

    Raises
    ------
    InputError
        If there is no such file or folder, or none of pictures in it.
    """
    if not isinstance(source, str | os.PathLike):
        return [path for each in _several(source) for path in picture_files(each)]
    place = Path(source)
    if place.is_dir():
        paths = _pictures(place, SUFFIXES)
        if not paths:
            raise InputError(f"{place} has no pictures: files that end in {', '.join(SUFFIXES)}.")
        return paths
    if not place.is_file():
        raise InputError(f"{place}: no such file or folder.")
    return [place]


def left_out(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Pictures in the folders of `picture_files` that it passes over, as they are not read."""
    if not isinstance(source, str | os.PathLike):
        return [path for each in _several(source) for path in left_out(each)]
    return _pictures(Path(source), OTHERS)


def _several(source: Any) -> list[str | os.PathLike[str]]:
    """The files and folders of a list."""
    named = list(source) if isinstance(source, Iterable) else []
    if not named or not all(isinstance(each, str | os.PathLike) for each in named):
        raise InputError(
            f"pictures of type {type(source).__name__}: expected files or folders, one or a list, "
            "or an array (N, height, width, channels), such as np.stack makes of several."
        )
    return named


def _pictures(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return [path for path in visible_files(folder) if path.suffix.lower() in suffixes]


def read_header(path: Path, form: PictureForm, record: int = 0) -> PictureHeader:
    """What a file says of its picture; ``record`` is its number, for messages.

    Raises
    ------
    InputError
        If it is none, or a grey one of more than 8 bits where nothing says how to read it.
    """
    with _opened(path, record) as image:
        notes = []
        turn = int(image.getexif().get(_ORIENTATION, 1))
        if turn != 1 and not form.upright:
            notes.append(
                "an orientation that the camera wrote is not applied, as in Keras; "
                "upright=True (--upright) applies it"
            )
        if image.mode in ("RGBA", "LA", "PA") and form.channels < 4:
            notes.append("alpha is dropped, as in Keras: colours under it show")
        if getattr(image, "n_frames", 1) > 1:
            notes.append("the first page of several is read")
        if image.mode in _DEEP_MODES and form.depth is None:
            raise InputError(
                f"{_place(path, record)} is a grey picture of more than 8 bits ({image.mode}), "
                "which libraries read differently: say depth='raw' (--depth raw), as Keras's "
                "load_img of 'grayscale', 'clipped' at 255, as its 'rgb', or 'eight_bits', divided "
                "by 256, as TensorFlow."
            )
        width, height = image.size
        sideways = form.upright and turn >= 5
        return PictureHeader((width, height) if sideways else (height, width), tuple(notes))


def read_pixels(path: Path, form: PictureForm, record: int = 0) -> Array:
    """The pixels (H, W, C) of a file, float32, 0 to 255 unless they are raw.

    ``record`` is its number, for messages.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    with _opened(path, record) as image:
        if form.upright:
            image = optional("PIL.ImageOps", "Pillow", "images").exif_transpose(image)
        if image.mode in _DEEP_MODES:
            return _of_deep(np.asarray(image, np.float32), form)
        pixels = np.asarray(image.convert(_MODES[form.channels]), np.float32)
        return pixels.reshape(*pixels.shape[:2], form.channels)


def _of_deep(grey: Array, form: PictureForm) -> Array:
    """Grey values of more than 8 bits (H, W) as pixels (H, W, C), alpha opaque."""
    if form.depth == "clipped":
        grey = np.clip(grey, 0, 255)
    elif form.depth == "eight_bits":
        grey = np.floor(grey / 256)
    pixels = np.repeat(grey[..., np.newaxis], form.channels, axis=-1)
    if form.channels == 4:
        pixels[..., 3] = 255
    return pixels


def _place(path: Path, record: int) -> str:
    return f"{path} (record {record})"


@contextmanager
def _opened(path: Path, record: int) -> Iterator[Any]:
    """An open picture; what Pillow raises on it, while it is read too, as one error."""
    library = optional("PIL.Image", f"Pillow, to read {path}", "images")
    try:
        with library.open(path) as image:
            yield image
    except (OSError, SyntaxError, ValueError, library.DecompressionBombError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(
            f"{_place(path, record)} cannot be read as a picture: {reason}. It is damaged, or no "
            f"{path.suffix or 'picture'}: save it again, or leave it out."
        ) from error


__all__ = [
    "DEPTHS",
    "SUFFIXES",
    "PictureForm",
    "PictureHeader",
    "left_out",
    "picture_files",
    "read_header",
    "read_pixels",
]
