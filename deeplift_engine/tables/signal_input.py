"""Recordings as a run reads them: channels by name, in the axes of a network, with their rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.tables.recordings import Recordings, open_recordings
from deeplift_engine.util.options import Number, fits
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network

KIND = "signal"


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
    units
        Of the values of each channel, such as ``"mV"``; empty where they are not known.
    names
        Of the samples.
    channel_axis
        -1 where the network reads (T, C), -2 where (C, T), None where (T,).
    notes
        What of a folder is left out, in words.
    """

    recordings: Recordings
    channels: tuple[str, ...]
    length: int
    rate: float
    units: tuple[str, ...]
    names: tuple[str, ...]
    channel_axis: int | None = -1
    notes: tuple[str, ...] = ()

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
    def unit(self) -> str:
        """Of all channels; empty where they differ or are not known."""
        return self.units[0] if len(set(self.units)) == 1 else ""

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
        """What a store keeps beside the scores: ``sample``, ``channel`` and ``unit`` of each."""
        return {
            "sample": list(self.names),
            "channel": list(self.channels),
            "unit": list(self.units),
        }

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
            step, channel = np.argwhere(~np.isfinite(recording))[0]
            raise InputError(
                f"recording {self.names[number]!r} has {recording[step, channel]} in channel "
                f"{self.channels[channel]!r} at {step / self.rate:g} s (files of WFDB say so where "
                "nothing was recorded): fill in what was filled in for the training of the model."
            )
        if self.channel_axis is None:
            return recording[:, 0]
        return recording if self.channel_axis == -1 else recording.T


def read_signals(
    source: Any,
    network: Network | None = None,
    *,
    rate: float | None = None,
    channels: Sequence[str] | None = None,
    unit: str | None = None,
    names: Sequence[str] | None = None,
    input: str | None = None,
) -> SignalInput:
    """Recordings as an input of a network, channels matched by name, read when they are asked for.

    Parameters
    ----------
    source
        An array (N, T, C), or (N, T) of one channel; a data frame of one recording, with a row for
        each step, or several; ``.csv``, ``.tsv``, ``.parquet``, ``.wav``, ``.edf``, ``.bdf`` or
        ``.hea`` (WFDB) files or a folder of them, one recording each; a ``Raw`` or ``Epochs`` of
        MNE.
    network
        The network whose axes, length and channels are taken.
    rate
        Steps a second (Hz); files of sounds and of devices say it.
    channels
        Names of the channels in the network's order: of tables and files of devices, those that
        are read; of arrays and WAV files, what their channels are called.
    unit
        Of the values, for axes of figures; files of devices say it.
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
    opened = open_recordings(source, channels)
    if rate is not None and opened.rate not in (None, rate):
        raise InputError(f"rate={rate}: the files say {opened.rate:g} Hz; leave it out.")
    hertz = opened.rate if rate is None else rate
    if not fits(hertz, Number(above=0)):
        raise InputError(f"rate={rate!r}: say how many steps a second has, in Hz (--rate).")
    first = opened.recordings.read(0)
    axis = -1 if info is None else _axis_of(info, first.shape[1])
    made = SignalInput(
        opened.recordings,
        tuple(opened.channels),
        first.shape[0],
        float(hertz or 0),
        opened.units if unit is None and opened.units else (unit or "",) * len(opened.channels),
        tuple(opened.names if names is None else names),
        axis,
        opened.notes,
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
