"""Recordings as a run reads them: channels by name, in the axes of a network, with their rate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.tables import sound_files
from deeplift_engine.tables.table_columns import SUFFIXES, table_columns
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network

KIND = "signal"


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


@dataclass(frozen=True, eq=False)
class SignalInput:
    """N recordings as an array of an input, of which slices are made when they are asked for.

    Attributes
    ----------
    recordings
        What reads them.
    channels
        C names, in the network's order.
    length
        T.
    rate
        Steps a second (Hz).
    unit
        Of the recorded values, such as ``"mV"``; empty where it is not known.
    names
        Of the samples.
    channel_axis
        -1 where the network reads (T, C), -2 where (C, T), None where (T,).
    """

    recordings: Recordings
    channels: tuple[str, ...]
    length: int
    rate: float
    unit: str
    names: tuple[str, ...]
    channel_axis: int | None = -1

    def __len__(self) -> int:
        """N."""
        return len(self.recordings)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array."""
        count = len(self.channels)
        one = {-1: (self.length, count), -2: (count, self.length), None: (self.length,)}
        return (len(self), *one[self.channel_axis])

    @property
    def ndim(self) -> int:
        """Of the whole array."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32."""
        return np.dtype(np.float32)

    def __getitem__(self, rows: Any) -> Array:
        """The samples of a slice, of an array of numbers, or one sample.

        Raises
        ------
        InputError
            If a recording has another length or other channels.
        """
        numbers = np.arange(len(self))[rows]
        block = np.empty((np.size(numbers), *self.shape[1:]), np.float32)
        for row, number in enumerate(np.atleast_1d(numbers)):
            block[row] = self._arranged(self.recordings.read(int(number)), int(number))
        return block if np.ndim(numbers) else np.asarray(block[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is made when it is asked for: copy=False is not possible")
        return np.asarray(self[:], dtype)

    @property
    def inputs(self) -> SignalInput:
        """What the network takes: this."""
        return self

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of a sample, as `Job` takes them."""
        return {-1: ("time", "channel"), -2: ("channel", "time"), None: ("time",)}[
            self.channel_axis
        ]

    @property
    def constants(self) -> dict[str, Any]:
        """What a store keeps beside the scores: ``sample`` and ``channel``."""
        return {"sample": list(self.names), "channel": list(self.channels)}

    @property
    def about(self) -> dict[str, str]:
        """What a store's description tells: what a drawing needs to know."""
        axis = "none" if self.channel_axis is None else str(self.channel_axis)
        return {"kind": KIND, "rate": f"{self.rate:g}", "unit": self.unit, "channel_axis": axis}

    def _arranged(self, recording: Array, number: int) -> Array:
        expected = (self.length, len(self.channels))
        if recording.shape != expected:
            raise InputError(
                f"recording {self.names[number]!r} has {recording.shape[0]} steps of "
                f"{recording.shape[1]} channels: expected {expected[0]} of {expected[1]}."
            )
        if not np.isfinite(recording).all():
            raise InputError(f"recording {self.names[number]!r} has values that are not finite.")
        if self.channel_axis is None:
            return recording[:, 0]
        return recording if self.channel_axis == -1 else recording.T


def read_signals(
    source: Any,
    network: Network | None = None,
    *,
    rate: float | None = None,
    channels: Sequence[str] | None = None,
    unit: str = "",
    names: Sequence[str] | None = None,
    input: str | None = None,
) -> SignalInput:
    """Recordings as an input of a network, channels matched by name, read when they are asked for.

    Parameters
    ----------
    source
        An array (N, T, C), or (N, T) of one channel; a data frame of one recording, with a row for
        each step, or several; ``.csv``, ``.tsv``, ``.parquet`` or ``.wav`` files or a folder of
        them, one recording each.
    network
        The network whose axes, length and channels are taken.
    rate
        Steps a second (Hz); WAV files say it.
    channels
        Names of the channels in the network's order: of tables, the columns that are read; of
        arrays and WAV files, what their channels are called.
    unit
        Of the values, for axes of figures.
    names
        Of the recordings.
    input
        The network's input that reads them, where it has several.

    Raises
    ------
    InputError
        If there is no rate, files differ in it, or shapes do not fit the network.
    """
    info = None if network is None else _signal_input_of(network, input)
    opened = _opened(source, channels)
    if rate is not None and opened.rate not in (None, rate):
        raise InputError(f"rate={rate:g}: the files say {opened.rate:g} Hz; leave it out.")
    hertz = opened.rate if rate is None else rate
    if hertz is None or not np.isfinite(hertz) or hertz <= 0:
        raise InputError(f"rate={rate}: say how many steps a second has, in Hz (--rate).")
    first = opened.recordings.read(0)
    axis = -1 if info is None else _axis_of(info, first.shape[1])
    made = SignalInput(
        opened.recordings,
        tuple(opened.channels),
        first.shape[0],
        float(hertz),
        unit,
        tuple(opened.names if names is None else names),
        axis,
    )
    if len(made.names) != len(made):
        raise InputError(f"{len(made.names)} names for {len(made)} recordings.")
    if info is not None and any(
        wanted not in (None, size) for wanted, size in zip(info.shape, made.shape[1:], strict=True)
    ):
        raise InputError(
            f"input {info.name!r} reads samples of shape {info.shape}, and recordings are "
            f"{made.shape[1:]}: {', '.join(made.dimensions)}. Cut or resample them as for the "
            "training of the model."
        )
    return made


@dataclass(frozen=True)
class _Opened:
    recordings: Recordings
    channels: Sequence[str]
    names: Sequence[str]
    rate: float | None = None


def _opened(source: Any, channels: Sequence[str] | None) -> _Opened:
    if hasattr(source, "columns"):
        source = [source]
    if isinstance(source, str | os.PathLike):
        place = Path(source)
        known = (*SUFFIXES, sound_files.SUFFIX)
        paths = (
            sorted(each for each in place.iterdir() if each.suffix.lower() in known)
            if (place.is_dir())
            else [place]
        )
        if not paths:
            raise InputError(f"{place} has no recordings: files that end in {', '.join(known)}.")
        return _of_files(paths, channels)
    if isinstance(source, list | tuple) and source and isinstance(source[0], str | os.PathLike):
        return _of_files([Path(each) for each in source], channels)
    if isinstance(source, list | tuple) and source and hasattr(source[0], "columns"):
        return _of_tables(source, [str(number) for number in range(len(source))], channels)
    array = source if hasattr(source, "shape") else np.asarray(source)
    if len(array.shape) == 2:
        array = np.asarray(array)[..., np.newaxis]
    if len(array.shape) != 3 or not len(array):
        raise InputError(
            f"recordings of shape {tuple(array.shape)}: expected (samples, time, channels), or "
            "(samples, time)."
        )
    labels = _channel_names(channels, array.shape[2])
    return _Opened(OfArrays(array), labels, [str(number) for number in range(len(array))])


def _of_files(paths: Sequence[Path], channels: Sequence[str] | None) -> _Opened:
    names = [path.stem for path in paths]
    sounds = [path.suffix.lower() == sound_files.SUFFIX for path in paths]
    if not any(sounds):
        return _of_tables(paths, names, channels)
    if not all(sounds):
        raise InputError(f"{paths[0].parent} has WAV files and tables: name those of one kind.")
    headers = [sound_files.read_sound_header(path) for path in paths]
    for path, header in zip(paths, headers, strict=True):
        if (header.rate, header.channels) != (headers[0].rate, headers[0].channels):
            raise InputError(
                f"{path} has {header.channels} channels of {header.rate:g} Hz, and {paths[0]} "
                f"{headers[0].channels} of {headers[0].rate:g} Hz: resample as for the training of "
                "the model."
            )
    labels = _channel_names(channels, headers[0].channels)
    return _Opened(OfSounds(tuple(paths)), labels, names, headers[0].rate)


def _of_tables(
    sources: Sequence[Any], names: Sequence[str], channels: Sequence[str] | None
) -> _Opened:
    first = table_columns(sources[0])
    chosen = first.names if channels is None else list(channels)
    first.check(chosen)
    return _Opened(OfTables(tuple(sources), tuple(chosen)), chosen, names)


def _channel_names(channels: Sequence[str] | None, count: int) -> list[str]:
    if channels is None:
        return [f"channel {number}" for number in range(count)]
    if len(channels) != count:
        raise InputError(f"channels: {len(channels)} names for {count} channels.")
    return list(channels)


def _signal_input_of(network: Network, name: str | None) -> InputInfo:
    known = {info.name: info for info in network.inputs}
    if name is None and len(known) > 1:
        raise InputError(
            f"the network has the inputs {', '.join(known)}: say which one reads the recordings, "
            "input= (--input)."
        )
    key = next(iter(known)) if name is None else key_of(name, network.inputs)
    if key not in known:
        raise InputError(f"input={name!r}: {suggest(name, known, f'there are {list(known)}.')}")
    return known[key]


def _axis_of(info: InputInfo, channels: int) -> int | None:
    """Where the network has its channels."""
    if len(info.shape) == 1 and channels == 1:
        return None
    if len(info.shape) != 2:
        raise InputError(
            f"input {info.name!r} reads samples of shape {info.shape}: expected (time, channels), "
            "(channels, time), or (time) of one channel."
        )
    return -2 if info.channels in (-2, 0) else -1


__all__ = ["KIND", "SignalInput", "read_signals"]
