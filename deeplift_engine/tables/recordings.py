"""Recordings wherever they are: arrays, tables, WAV files, files of devices, objects of MNE."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.tables import device_files, sound_files
from deeplift_engine.tables.table_columns import SUFFIXES, table_columns
from deeplift_engine.util.array_files import NUMBERS
from deeplift_engine.util.folders import visible_files
from deeplift_engine.util.options import Several, Text, checked
from deeplift_engine.util.suggestions import first_of
from deeplift_engine.util.typing import Array

KNOWN = (*SUFFIXES, sound_files.SUFFIX, *device_files.FORMATS)
"""Suffixes of files of recordings."""
OTHERS = (".flac", ".mp3", ".ogg", ".m4a", ".aif", ".aiff", ".mat", ".gdf", ".fif", ".vhdr", ".set")
"""Suffixes of recordings that are not read."""


class Recordings(Protocol):
    """N recordings of one length."""

    def __len__(self) -> int:
        """N."""

    def read(self, number: int) -> Array:
        """One of them, (T, C)."""


@dataclass(frozen=True, eq=False)
class OfArrays:
    """Recordings in memory, or in an array of which slices are read, (N, T, C)."""

    array: Any

    def __len__(self) -> int:
        """N."""
        return len(self.array)

    def read(self, number: int) -> Array:
        """One of them, (T, C)."""
        return np.asarray(np.asarray(self.array[number : number + 1])[0])


@dataclass(frozen=True)
class OfSounds:
    """Recordings in WAV files."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        """N."""
        return len(self.paths)

    def read(self, number: int) -> Array:
        """One of them, (T, C)."""
        return sound_files.read_sound(self.paths[number])


@dataclass(frozen=True)
class OfDevices:
    """Recordings in files of devices, of which channels of these names are read."""

    paths: tuple[Path, ...]
    channels: tuple[str, ...]

    def __len__(self) -> int:
        """N."""
        return len(self.paths)

    def read(self, number: int) -> Array:
        """One of them, (T, C), channels in the order of their names."""
        return device_files.read_values(self.paths[number], self.channels)


@dataclass(frozen=True)
class OfTables:
    """Recordings in tables of a row for each step, whose columns are channels of these names."""

    sources: tuple[Any, ...]
    channels: tuple[str, ...]

    def __len__(self) -> int:
        """N."""
        return len(self.sources)

    def read(self, number: int) -> Array:
        """One of them, (T, C), channels in the order of their names."""
        return table_columns(self.sources[number]).numbers(self.channels)


@dataclass(frozen=True)
class Opened:
    """Recordings with what is known of them.

    Attributes
    ----------
    recordings
        What reads them.
    channels
        Names, in the order in which they are read.
    names
        Of the recordings.
    rate
        Steps a second (Hz), where the source says it.
    units
        Of the channels, where the source says them; else nothing.
    notes
        What of a folder is left out, in words.
    """

    recordings: Recordings
    channels: Sequence[str]
    names: Sequence[str]
    rate: float | None = None
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def open_recordings(source: Any, channels: Sequence[str] | None) -> Opened:
    """Recordings of whatever `deeplift_engine.tables.read_signals` takes.

    Raises
    ------
    InputError
        If there are none, channels are not there, or files differ in rate or channels.
    """
    channels = _checked_names(channels)
    if device_files.is_mne(source):
        return _of_mne(source, channels)
    if hasattr(source, "columns"):
        source = [source]
    if isinstance(source, str | os.PathLike):
        return _of_place(Path(source), channels)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | os.PathLike):
        paths = [Path(each) for each in source]
        return _of_files(paths, [path.stem for path in paths], channels)
    if isinstance(source, list | tuple) and source and hasattr(source[0], "columns"):
        return _of_tables(source, [str(number) for number in range(len(source))], channels)
    try:
        array = source if hasattr(source, "shape") else np.asarray(source)
    except ValueError as error:
        raise InputError(
            "recordings are of several shapes: cut or resample them as for the training of the "
            "model."
        ) from error
    if len(array.shape) == 2:
        array = np.asarray(array)[..., np.newaxis]
    if len(array.shape) != 3 or not len(array) or array.dtype.kind not in NUMBERS:
        raise InputError(
            f"recordings of shape {tuple(array.shape)} and dtype {array.dtype}: expected numbers "
            "(samples, time, channels), or (samples, time)."
        )
    labels = _channel_names(channels, array.shape[2])
    return Opened(OfArrays(array), labels, [str(number) for number in range(len(array))])


def _of_place(place: Path, channels: Sequence[str] | None) -> Opened:
    """The recording in a file, or those in a folder and its folders, called by their paths."""
    if not place.is_dir():
        return _of_files([place], [place.stem], channels)
    files = visible_files(place)
    paths = [path for path in files if path.suffix.lower() in KNOWN]
    if not paths:
        raise InputError(f"{place} has no recordings: files that end in {', '.join(KNOWN)}.")
    names = [path.relative_to(place).with_suffix("").as_posix() for path in paths]
    others = [path.name for path in files if path.suffix.lower() in OTHERS]
    told = (
        f"{len(others)} of {len(others) + len(paths)} recordings ({first_of(others)}): left out; "
        f"read are {', '.join(KNOWN)}, and arrays from Python"
    )
    return replace(_of_files(paths, names, channels), notes=(told,) * bool(others))


def _of_files(
    paths: Sequence[Path], names: Sequence[str], channels: Sequence[str] | None
) -> Opened:
    suffixes = {path.suffix.lower() for path in paths}
    if suffixes <= set(SUFFIXES):
        return _of_tables(paths, names, channels)
    if suffixes <= set(device_files.FORMATS):
        return _of_devices(paths, names, channels)
    if suffixes != {sound_files.SUFFIX}:
        raise InputError(
            f"{paths[0].parent} has files that end in {', '.join(sorted(suffixes))}: name those of "
            f"one kind; recordings are read from {', '.join(KNOWN)}."
        )
    headers = [sound_files.read_sound_header(path) for path in paths]
    for path, header in zip(paths, headers, strict=True):
        if (header.rate, header.channels) != (headers[0].rate, headers[0].channels):
            raise InputError(
                f"{path} has {header.channels} channels of {header.rate:g} Hz, and {paths[0]} "
                f"{headers[0].channels} of {headers[0].rate:g} Hz: resample as for the training of "
                "the model."
            )
    labels = _channel_names(channels, headers[0].channels)
    return Opened(OfSounds(tuple(paths)), labels, names, headers[0].rate)


def _of_devices(
    paths: Sequence[Path], names: Sequence[str], channels: Sequence[str] | None
) -> Opened:
    """Files of devices, which agree in the rate and the units of what is read of them."""
    known: list[tuple[tuple[str, ...], tuple[str, ...], float]] = []
    for path in paths:
        header = device_files.read_header(path)
        numbers = header.numbers(channels or (known[0][0] if known else None), path)
        labels = tuple(header.channels[number] for number in numbers)
        units = tuple(header.units[number] for number in numbers)
        known.append((labels, units, header.rates[numbers[0]]))
        if known[-1] != known[0]:
            raise InputError(
                f"{path} has {_in_words(*known[-1])}, and {paths[0]} {_in_words(*known[0])}: "
                "bring recordings to one rate and one unit as for the training of the model."
            )
    labels, units, rate = known[0]
    return Opened(OfDevices(tuple(paths), labels), labels, names, rate, units)


def _in_words(labels: Sequence[str], units: Sequence[str], rate: float) -> str:
    each = (f"{name} ({unit})" for name, unit in zip(labels, units, strict=True))
    return f"{', '.join(each)} of {rate:g} Hz"


def _of_mne(source: Any, channels: Sequence[str] | None) -> Opened:
    if hasattr(source, "drop_bad"):  # before it, epochs do not know how many they are
        source = source.copy().drop_bad(verbose="error")
    header = device_files.mne_header(source)
    numbers = header.numbers(channels, Path(f"the {type(source).__name__}"))
    labels = tuple(header.channels[number] for number in numbers)
    units = tuple(header.units[number] for number in numbers)
    recordings = device_files.MneRecordings(source, header, labels)
    names = [str(number) for number in range(len(recordings))]
    return Opened(recordings, labels, names, header.rates[0], units)


def _of_tables(
    sources: Sequence[Any], names: Sequence[str], channels: Sequence[str] | None
) -> Opened:
    first = table_columns(sources[0])
    chosen = first.names if channels is None else list(channels)
    first.check(chosen)
    return Opened(OfTables(tuple(sources), tuple(chosen)), chosen, names)


def _channel_names(channels: Sequence[str] | None, count: int) -> list[str]:
    if channels is None:
        return [f"channel {number}" for number in range(count)]
    if len(channels) != count:
        raise InputError(f"channels: {len(channels)} names for {count} channels.")
    return list(channels)


def _checked_names(channels: Sequence[str] | None) -> Sequence[str] | None:
    """Names of channels, each once."""
    if channels is None:
        return None
    names: list[str] = checked("channels", channels, Several(Text()), InputError)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"channels: {twice!r} is there twice; give each its own name.")
    return names


__all__ = [
    "KNOWN",
    "OfArrays",
    "OfDevices",
    "OfSounds",
    "OfTables",
    "Opened",
    "Recordings",
    "open_recordings",
]
