"""Logos of scored windows, from one store or from several of the same windows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures import HeatTrack, LogoPage, LogoTrack, mutagenesis_tracks, save_logos
from deeplift_engine.figures.logo_files import check_logo_path
from deeplift_engine.genomics.located import Located
from deeplift_engine.genomics.motif_boxes import SiteTable, read_sites
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

WIDTH = 200
"""Positions that are drawn by default."""
MOST = 1000
"""Windows that are drawn by default."""
_MUTAGENESIS = "saturation_mutagenesis"
_Tracks = list[LogoTrack | HeatTrack]


@dataclass(frozen=True)
class Drawn:
    """What was drawn.

    Attributes
    ----------
    path
        The file or folder.
    windows
        How many windows it shows.
    notes
        What a user should know, a sentence each.
    """

    path: Path
    windows: int
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Source:
    """One head of one store.

    Attributes
    ----------
    windows, head
        The store and the head.
    label
        What the store is called beside others; empty of a single one.
    hypothetical
        Whether there is a track of hypothetical contributions, too.
    """

    windows: ScoredWindows
    head: str
    label: str
    hypothetical: bool

    @property
    def is_mutagenesis(self) -> bool:
        """Whether the scores are changes by mutations."""
        method = self.windows.run.settings.get("run", {}).get("method")
        return bool(method == _MUTAGENESIS)

    @property
    def contents(self) -> tuple[str, ...]:
        """The arrays that are drawn."""
        if self.is_mutagenesis:
            return ("one_hot", "scores")
        return ("projected", *(["hypothetical"] if self.hypothetical else []))

    def arrays(self, only: Array) -> Iterator[list[Array]]:
        """The arrays of each sample, ``(4, L)``, as they were scored."""
        for _, blocks in self.windows.blocks(self.head, self.contents, only):
            yield from map(list, zip(*blocks, strict=True))

    def tracks(self, arrays: Sequence[Array]) -> _Tracks:
        """The tracks of one window, of arrays ``(L, 4)``."""
        if self.is_mutagenesis:
            present, changes = arrays
            change = f"change of {self.head}" if self.head else "change"
            return [*mutagenesis_tracks(changes, present, f"{self.label}\n{change}".strip())]
        drawn = f"contribution to {self.head}" if self.head else "contribution"
        tracks: _Tracks = [LogoTrack(f"{self.label}\n{drawn}".strip(), arrays[0], self.head)]
        if self.hypothetical:
            label = f"{self.label} hypothetical\n{drawn}".strip()
            tracks.append(LogoTrack(label, arrays[1], f"{self.head} all"))
        return tracks


@dataclass(frozen=True)
class View:
    """What of a window a page shows.

    Attributes
    ----------
    width
        So many positions, those with the largest contributions; None for all.
    span
        Positions of the window on the forward strand, half-open, in place of those.
    sites
        Sites of motifs.
    """

    width: int | None = WIDTH
    span: tuple[int, int] | None = None
    sites: SiteTable | None = field(default=None)

    def stretch(self, tracks: _Tracks, length: int) -> tuple[int, int]:
        """First and last position, half-open, of a window."""
        if self.span is not None:
            return self.span
        if self.width is None or self.width >= length:
            return 0, length
        sizes = np.zeros(length)
        for track in tracks:
            if isinstance(track, LogoTrack):
                sizes += np.abs(track.scores).sum(axis=1)
        middle = np.hanning(self.width + 2)[1:-1]  # so that what counts stands in the middle
        sums = np.convolve(sizes, middle, "valid")
        first = int(sums.argmax())
        return first, first + self.width


def draw(
    stores: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    path: str | os.PathLike[str],
    *,
    heads: Sequence[str] = (),
    samples: Sequence[str] = (),
    most: int = MOST,
    width: int | None = WIDTH,
    span: tuple[int, int] | None = None,
    hypothetical: bool = False,
    motifs: str | os.PathLike[str] | None = None,
    names: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    overwrite: bool = False,
) -> Drawn:
    """Draw logos of scored windows, each window a page.

    Contributions of the letters that are there (``projected``) are drawn on the forward strand in
    genome coordinates, 0-based. Runs of ``saturation_mutagenesis`` are a heat map of the changes
    under a logo of the mean loss.

    Parameters
    ----------
    stores
        A store, or several of the same windows, as of several methods or folds: their tracks stand
        one under another, those of one head on one scale.
    path
        A .pdf file, a .png or .svg of one window, or a new folder of PNG files.
    heads
        Heads to draw; all by default.
    samples
        Names of windows to draw; by default the first ones.
    most
        How many these are.
    width
        Positions of a window that are drawn, those with the largest contributions; None for all.
    span
        First and last position of the window, half-open, in place of these.
    hypothetical
        Whether to draw hypothetical contributions, too, under those of the letters.
    motifs
        A result of ``modisco motifs``, a BED file, or finemo's hits.tsv: boxes of their sites.
    names
        What motifs are called, by their names there, as of `de.genomics.match_motifs`.
    labels
        Of the stores; their names by default.
    overwrite
        Whether an existing file may be replaced.

    Returns
    -------
    Drawn
        The number of windows, and notes.

    Raises
    ------
    InputError
        For heads, samples or positions that there are not, stores of other windows, a store that
        lacks arrays, and a file of motifs that does not fit.
    OutputError
        For another suffix, existing files, and any error of the disk.
    DeepliftEngineError
        If matplotlib is not installed.
    """
    paths = [stores] if isinstance(stores, str | os.PathLike) else list(stores)
    if not paths:
        raise InputError("name a store that is to be drawn")
    checked("most", most, Integer(1), InputError)
    checked("width", WIDTH if width is None else width, Integer(1), InputError)
    check_logo_path(Path(path), overwrite=overwrite)
    runs = [ScoredWindows(each) for each in paths]
    _check_same(runs)
    sources = _sources(runs, _labels(paths, labels), heads, hypothetical)
    first = runs[0]
    if span is not None and not 0 <= span[0] < span[1] <= first.length:
        raise InputError(
            f"span={span} is not within windows of {first.length} positions: expected the first "
            "and the last, half-open"
        )
    rows = _rows(first, samples, most)
    notes = []
    if not samples and len(rows) < len(first.samples):
        notes.append(f"the first {len(rows)} of {len(first.samples)} windows were drawn")
    sites = None if motifs is None else read_sites(motifs, first, names)
    pages = _pages(sources, rows, View(width, span, sites))
    return Drawn(Path(path), save_logos(pages, path, overwrite=overwrite), notes)


def _pages(sources: Sequence[Source], rows: Array, view: View) -> Iterator[LogoPage]:
    windows = sources[0].windows
    places, only = windows.places[rows], windows.samples[rows]
    arrays = zip(*(source.arrays(only) for source in sources), strict=True)
    for number, window in enumerate(arrays):
        turned = places.strand[number] == "-"
        tracks = [
            track
            for source, each in zip(sources, window, strict=True)
            for track in source.tracks([forward(array, turned=turned) for array in each])
        ]
        yield _page(places, number, tracks, view, located=windows.located is not None)


def forward(array: Array, *, turned: bool) -> Array:
    """``(L, 4)`` on the forward strand, of ``(4, L)`` as a window was scored."""
    return (array[::-1, ::-1] if turned else array).T


def _page(places: Located, number: int, tracks: _Tracks, view: View, *, located: bool) -> LogoPage:
    name, chrom, strand = (
        str(getattr(places, each)[number]) for each in ("name", "chrom", "strand")
    )
    start, end = int(places.start[number]), int(places.end[number])
    first, last = view.stretch(tracks, end - start)
    title, axis = name, "position"
    if located:
        title = f"{name}   {chrom}:{start:,}-{end:,}" + " (-), drawn forward" * (strand == "-")
        axis = f"{chrom}, 0-based"
    if (first, last) != (0, end - start):
        title += f"   {last - first} of {end - start} positions"
    boxes = () if view.sites is None else view.sites.within(chrom, start + first, start + last)
    return LogoPage(
        [_cut(track, first, last) for track in tracks], title, start + first, axis, boxes, name=name
    )


def _cut(track: LogoTrack | HeatTrack, first: int, last: int) -> LogoTrack | HeatTrack:
    if isinstance(track, LogoTrack):
        return LogoTrack(track.label, track.scores[first:last], track.scale)
    return HeatTrack(track.label, track.values[first:last], track.present[first:last])


def _labels(paths: Sequence[str | os.PathLike[str]], labels: Sequence[str]) -> Sequence[str]:
    if labels and len(labels) != len(paths):
        raise InputError(f"{len(labels)} labels for {len(paths)} stores: give one for each")
    return labels or [Path(path).stem for path in paths]


def _sources(
    runs: Sequence[ScoredWindows], labels: Sequence[str], heads: Sequence[str], hypothetical: bool
) -> list[Source]:
    """The heads of all stores, those of one name next to each other."""
    known = list(dict.fromkeys(head for run in runs for head in run.heads))
    for head in heads:
        if head not in known:
            listed = f"There are: {', '.join(known)}." if known != [""] else "The run has none."
            raise InputError(f"there is no head {head!r}. {suggest(head, known, listed)}")
    sources = []
    for head in heads or known:
        for run, label in zip(runs, labels, strict=True):
            if head not in run.heads:
                raise InputError(f"{run.run.store.path} has no head {head!r}, as another store has")
            source = Source(run, head, label if len(runs) > 1 else "", hypothetical)
            needed = ["inputs" if name == "one_hot" else name for name in source.contents]
            missing = [name for name in needed if not run.gives(head, name)]
            if missing:
                run.needed(needed, "a logo")
            sources.append(source)
    return sources


def _rows(windows: ScoredWindows, samples: Sequence[str], most: int) -> Array:
    if not samples:
        return np.arange(min(most, len(windows.samples)))
    known = {str(name): row for row, name in enumerate(windows.names)}
    for name in samples:
        if name not in known:
            raise InputError(f"no window is called {name!r}. {suggest(name, known, '')}".rstrip())
    return np.unique([known[name] for name in samples])


def _check_same(runs: Sequence[ScoredWindows]) -> None:
    """Check that stores are of the same windows.

    Raises
    ------
    InputError
        Naming the first that differs.
    """
    one = runs[0].places
    for run in runs[1:]:
        other, path = run.places, run.run.store.path
        if len(other) != len(one) or run.length != runs[0].length:
            raise InputError(
                f"{path} has {len(other)} windows of {run.length} positions, and "
                f"{runs[0].run.store.path} {len(one)} of {runs[0].length}: logos are aligned of "
                "the same windows"
            )
        fields = ("chrom", "start", "end", "strand", "name")
        same = [getattr(one, name) == getattr(other, name) for name in fields]
        differs = np.flatnonzero(~np.logical_and.reduce(same))
        if len(differs):
            row = int(differs[0])
            raise InputError(
                f"window {row} of {path} is {other.name[row]}, {other.chrom[row]}:"
                f"{other.start[row]}-{other.end[row]}, and not that of {runs[0].run.store.path}: "
                "logos are aligned of the same windows"
            )


__all__ = ["Drawn", "draw"]
