"""WAV files of whole numbers, with the standard library, scaled as soundfile scales them."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

SUFFIX = ".wav"


@dataclass(frozen=True)
class SoundHeader:
    """What a file says of its recording.

    Attributes
    ----------
    rate
        Samples a second (Hz).
    length
        Steps.
    channels
        How many are recorded.
    """

    rate: float
    length: int
    channels: int


def read_sound_header(path: Path) -> SoundHeader:
    """What a file says of its recording.

    Raises
    ------
    InputError
        If it is no WAV file of whole numbers.
    """
    with _opened(path) as file:
        return SoundHeader(float(file.getframerate()), file.getnframes(), file.getnchannels())


def read_sound(path: Path) -> Array:
    """A recording (T, C) float32, -1 to 1: whole numbers divided by the largest power of two.

    Raises
    ------
    InputError
        If it is no WAV file of whole numbers.
    """
    with _opened(path) as file:
        width, channels = file.getsampwidth(), file.getnchannels()
        expected = file.getnframes() * channels * width
        content = np.frombuffer(file.readframes(file.getnframes()), np.uint8)
    if len(content) != expected:
        raise InputError(
            f"{path} is cut off: it has {len(content)} of the {expected} bytes that its header "
            "says."
        )
    raw = content.reshape(-1, channels, width).astype(np.int64)
    whole = (raw << (8 * np.arange(width))).sum(axis=-1)
    half = 1 << (8 * width - 1)
    signed = whole - half if width == 1 else (whole ^ half) - half
    return np.asarray(signed / half, np.float32)


def _opened(path: Path) -> wave.Wave_read:
    try:
        return wave.open(str(path), "rb")
    except (OSError, EOFError, wave.Error) as error:
        reason = str(error) or "it is cut off"
        raise InputError(
            f"{path} cannot be read as a WAV file of whole numbers: {reason}. "
            "Other recordings are handed in as arrays (samples, time, channels)."
        ) from error


__all__ = ["SUFFIX", "SoundHeader", "read_sound", "read_sound_header"]
