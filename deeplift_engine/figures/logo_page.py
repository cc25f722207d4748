"""What a page of logos shows: tracks one under another on one axis of positions, and boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.logo import limits_of
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Box:
    """A named span, such as a motif's site.

    Attributes
    ----------
    start, end
        Coordinates of the page, half-open.
    name
        Its label.
    strand
        ``"+"`` or ``"-"`` has an arrow that way; anything else has none.
    """

    start: int
    end: int
    name: str
    strand: str = "."


@dataclass(frozen=True)
class LogoTrack:
    """Scores that are drawn as letters.

    Attributes
    ----------
    label
        Of its vertical axis.
    scores
        (L, A), a column for each letter.
    scale
        Tracks of the same scale on a page have the same vertical axis.
    """

    label: str
    scores: Array
    scale: str = ""


@dataclass(frozen=True)
class HeatTrack:
    """A value for each letter at each position, drawn as a heat map.

    Attributes
    ----------
    label
        Of its vertical axis.
    values
        (L, A).
    present
        (L, A), one-hot: cells of letters that are there have a dot.
    """

    label: str
    values: Array
    present: Array


@dataclass(frozen=True)
class LogoPage:
    """One picture.

    Attributes
    ----------
    tracks
        From top to bottom, all of L positions.
    title
        Above them.
    start
        Coordinate of the first position; i is drawn from ``start + i - 0.5`` to ``+ 0.5``.
    axis
        What the coordinates are.
    boxes
        Shaded in all tracks, with their names above; what lies beyond the positions is cut.
    alphabet
        The letters of the columns.
    name
        What a file of the page is called.
    """

    tracks: Sequence[LogoTrack | HeatTrack]
    title: str = ""
    start: int = 0
    axis: str = "position"
    boxes: Sequence[Box] = field(default=())
    alphabet: str = "ACGT"
    name: str = ""

    def __post_init__(self) -> None:
        """Check the arrays.

        Raises
        ------
        InputError
            If there are no tracks, or one is no finite (L, A) array of the others' length.
        """
        if not self.tracks:
            raise InputError("a page of logos needs a track")
        wanted = (len(arrays_of(self.tracks[0])[0]), len(self.alphabet))
        for track in self.tracks:
            for array in arrays_of(track):
                if array.shape != wanted or not np.isfinite(array).all():
                    raise InputError(
                        f"the track {track.label!r} has an array of {array.shape}: expected finite "
                        f"numbers of {wanted}, as long as the first track, a column for each of "
                        f"{self.alphabet!r}"
                    )

    @property
    def end(self) -> int:
        """The coordinate behind the last position."""
        return self.start + len(arrays_of(self.tracks[0])[0])

    @property
    def shown(self) -> list[Box]:
        """The boxes within the positions, cut to them, by their starts."""
        inside = [box for box in self.boxes if box.start < self.end and box.end > self.start]
        inside.sort(key=lambda box: (box.start, box.end))
        return [
            Box(max(box.start, self.start), min(box.end, self.end), box.name, box.strand)
            for box in inside
        ]

    def limits(self, track: LogoTrack) -> tuple[float, float]:
        """The vertical axis of a logo: that of all logos of its scale."""
        return limits_of(
            *(
                each.scores
                for each in self.tracks
                if isinstance(each, LogoTrack) and each.scale == track.scale
            )
        )


def arrays_of(track: LogoTrack | HeatTrack) -> list[Array]:
    """The arrays of a track, (L, A) each."""
    if isinstance(track, LogoTrack):
        return [track.scores]
    return [track.values, track.present]


def lanes(boxes: Sequence[Box], label_width: Callable[[str], float]) -> list[int]:
    """The lane of each box, from 0, so that in no lane one meets another or its name.

    Parameters
    ----------
    boxes
        By their starts.
    label_width
        Positions that a name takes.
    """
    ends: list[float] = []
    chosen = []
    for box in boxes:
        lane = next((n for n, end in enumerate(ends) if end <= box.start), len(ends))
        ends[lane : lane + 1] = [box.end + label_width(box.name)]
        chosen.append(lane)
    return chosen


def mutagenesis_tracks(
    changes: Array, present: Array, label: str = "change"
) -> tuple[LogoTrack, HeatTrack]:
    """A heat map of the changes by mutations, and the logo of what the letters there hold up.

    Parameters
    ----------
    changes
        (L, A), the target's change where a letter is put at a position.
    present
        (L, A), one-hot.
    label
        Of the heat map.

    Returns
    -------
    LogoTrack, HeatTrack
        A letter is as tall as the mean loss by the others in its place.
    """
    others = np.maximum(changes.shape[1] - present.sum(axis=1, keepdims=True), 1)
    from_present = changes - (changes * present).sum(axis=1, keepdims=True)
    loss = -from_present.sum(axis=1, keepdims=True) / others
    return (
        LogoTrack("mean loss", present * loss, "mutagenesis"),
        HeatTrack(label, changes, present),
    )


__all__ = ["Box", "HeatTrack", "LogoPage", "LogoTrack", "lanes", "mutagenesis_tracks"]
