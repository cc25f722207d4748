"""Recordings in files of devices, EDF and BDF by edfio, WFDB by wfdb: channels, units, rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.tables.table_columns import distinct
from deeplift_engine.util.optional import optional
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

SPELLINGS = {"uV": "µV", "AuV": "µV", "μV": "µV"}
"""Units that programs spell in several ways; the last has a Greek letter, the result a micro."""


@dataclass(frozen=True)
class DeviceHeader:
    """What a file says of its channels.

    Attributes
    ----------
    channels
        Names, each once.
    units
        Of their values; empty where the file says none.
    rates
        Samples a second (Hz).
    lengths
        Samples.
    """

    channels: tuple[str, ...]
    units: tuple[str, ...]
    rates: tuple[float, ...]
    lengths: tuple[int, ...]

    def numbers(self, names: Sequence[str] | None, source: Path) -> list[int]:
        """The numbers of some channels, or of all, which have one rate.

        Raises
        ------
        InputError
            If there is no such channel, or they have several rates.
        """
        for name in names or ():
            if name not in self.channels:
                listed = f"It has {', '.join(self.channels)}."
                raise InputError(f"{source} has no channel {name!r}. "
                                 f"{suggest(name, self.channels, listed)}")  # fmt: skip
        chosen = [self.channels.index(name) for name in (names or self.channels)]
        if len({self.rates[number] for number in chosen}) > 1:
            told = ", ".join(f"{self.channels[n]} {self.rates[n]:g} Hz" for n in chosen)
            raise InputError(
                f"{source} has channels of several rates: {told}. Name those of one, channels= "
                "(--channels), or resample as for the training of the model."
            )
        return chosen


@dataclass(frozen=True)
class DeviceFormat:
    """How files of a format are read.

    Attributes
    ----------
    header
        What a file says.
    values
        Channels of a file by their numbers, (T, C).
    """

    header: Callable[[Path], DeviceHeader]
    values: Callable[[Path, Sequence[int]], Array]


def read_header(path: Path) -> DeviceHeader:
    """What a file says of its channels.

    Raises
    ------
    InputError
        If it cannot be read, or has gaps.
    DeepliftEngineError
        If the package that reads it is not installed.
    """
    return FORMATS[path.suffix.lower()].header(path)


def read_values(path: Path, channels: Sequence[str]) -> Array:
    """Some channels of a file (T, C) in its own units, in the order of their names.

    Raises
    ------
    InputError
        As `read_header`; if there is no such channel, or they have several rates.
    """
    form = FORMATS[path.suffix.lower()]
    return form.values(path, form.header(path).numbers(channels, path))


# ------------------------------------------------------------ EDF and BDF


def _edf(path: Path) -> Any:
    edfio = optional("edfio", f"edfio, to read {path}", "signals")
    with _readable(path):
        file = (edfio.read_bdf if path.suffix.lower() == ".bdf" else edfio.read_edf)(path)
        continuous = file.is_continuous
    if not continuous:
        raise InputError(
            f"{path} has gaps (EDF+D): expected one stretch. Cut it into files without gaps."
        )
    return file


def _edf_header(path: Path) -> DeviceHeader:
    signals = _edf(path).signals
    with _readable(path):
        return DeviceHeader(
            tuple(distinct([signal.label for signal in signals])),
            tuple(_spelt(signal.physical_dimension) for signal in signals),
            tuple(float(signal.sampling_frequency) for signal in signals),
            tuple(len(signal.digital) for signal in signals),
        )


def _edf_values(path: Path, numbers: Sequence[int]) -> Array:
    signals = _edf(path).signals
    with _readable(path):
        return np.stack([signals[number].data for number in numbers], axis=1)


# ------------------------------------------------------------ WFDB


def _wfdb_header(path: Path) -> DeviceHeader:
    wfdb, name = optional("wfdb", f"wfdb, to read {path}", "signals"), str(path.with_suffix(""))
    with _readable(path):
        length = int(wfdb.rdheader(name).sig_len)
        start = wfdb.rdrecord(name, sampto=1, smooth_frames=False)
        frames = [int(each or 1) for each in start.samps_per_frame]
        return DeviceHeader(
            tuple(distinct([str(each) for each in start.sig_name])),
            tuple(_spelt(each or "") for each in start.units),
            tuple(float(start.fs) * each for each in frames),
            tuple(length * each for each in frames),
        )


def _wfdb_values(path: Path, numbers: Sequence[int]) -> Array:
    """All samples of a frame, not their mean, in the units of the header."""
    wfdb, name = optional("wfdb", f"wfdb, to read {path}", "signals"), str(path.with_suffix(""))
    with _readable(path):
        record = wfdb.rdrecord(name, channels=list(numbers), smooth_frames=False)
        return np.stack([np.asarray(each, float) for each in record.e_p_signal], axis=1)


# ------------------------------------------------------------ MNE's objects


@dataclass(frozen=True)
class MneRecordings:
    """Recordings of a ``Raw``, one, or of ``Epochs`` without bad ones, one each, of MNE.

    Attributes
    ----------
    source
        The object.
    header
        Its channels; MNE keeps volts, teslas.
    """

    source: Any
    header: DeviceHeader
    channels: tuple[str, ...]

    def __len__(self) -> int:
        """N: 1 of a ``Raw``."""
        return len(self.source) if hasattr(self.source, "events") else 1

    def read(self, number: int) -> Array:
        """One of them, (T, C)."""
        picks = [self.header.channels.index(name) for name in self.channels]
        if hasattr(self.source, "events"):
            return np.asarray(self.source[number].get_data()[0][picks]).T
        return np.asarray(self.source.get_data()[picks]).T


_FIFF_UNITS = {107: "V", 112: "T", 201: "T/m"}
"""MNE's numbers of units."""


def is_mne(source: Any) -> bool:
    """Whether an object is a ``Raw`` or ``Epochs`` of MNE."""
    return all(hasattr(source, name) for name in ("ch_names", "info", "get_data"))


def mne_header(source: Any) -> DeviceHeader:
    """What an object of MNE says of its channels."""
    count = len(source.ch_names)
    units = tuple(_FIFF_UNITS.get(int(each["unit"]), "") for each in source.info["chs"])
    rates = (float(source.info["sfreq"]),) * count
    return DeviceHeader(tuple(source.ch_names), units, rates, (len(source.times),) * count)


def _spelt(unit: str) -> str:
    stripped = str(unit).strip()
    return SPELLINGS.get(stripped, stripped)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever the package raises of bytes that it does not expect
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(
            f"{path} cannot be read as {path.suffix[1:].upper()}: {reason}."
        ) from error


FORMATS: Mapping[str, DeviceFormat] = {
    ".edf": DeviceFormat(_edf_header, _edf_values),
    ".bdf": DeviceFormat(_edf_header, _edf_values),
    ".hea": DeviceFormat(_wfdb_header, _wfdb_values),
}
"""By the suffix of a file; of WFDB that of the header, beside which the signals are."""

__all__ = [
    "FORMATS",
    "DeviceFormat",
    "DeviceHeader",
    "MneRecordings",
    "is_mne",
    "mne_header",
    "read_header",
    "read_values",
]
