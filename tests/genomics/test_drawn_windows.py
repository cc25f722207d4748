"""Logos of stores: which letters of which windows stand where, and the boxes of motifs above."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.figures import Box, HeatTrack, LogoPage
from deeplift_engine.genomics import drawn_windows
from deeplift_engine.genomics.drawn_windows import draw
from deeplift_engine.genomics.motifs import export_motifs
from deeplift_engine.genomics.scored_windows import ScoredWindows
from tests.genomics import planted, scored
from tests.genomics.planted import MOTIF, Planted
from tests.genomics.test_motifs import write_result

COUNT, LENGTH = 10, 80
NAMES = ("sample", "chrom", "start", "end", "strand", "record", "kept", "reason", "letter")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return planted.plant(tmp_path_factory.mktemp("drawn"), COUNT, LENGTH, margin=12)


@pytest.fixture(scope="module")
def constants(world: Planted) -> dict[str, Any]:
    run = de.open_store(world.store)
    return {name: run[name][:] for name in NAMES}


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[LogoPage]:
    """What is drawn, in place of its file."""
    taken: list[LogoPage] = []

    def take(each, path, *, overwrite) -> int:
        taken[:] = each
        return len(taken)

    monkeypatch.setattr(drawn_windows, "save_logos", take)
    return taken


def other(world: Planted, path: Path, constants: dict[str, Any], **settings: Any) -> Path:
    run = de.open_store(world.store)
    name = "scores" if settings else "hypothetical"
    arrays = {"inputs": run["inputs"][:], name: 2 * run["hypothetical"][:]}
    run_settings = {"references_averaged": True, "method": "deeplift", **settings}
    return scored.fill(path, arrays, shard=3, constants=constants, settings={"run": run_settings})


def test_planted_sites_are_drawn_forward_at_their_coordinates(
    world: Planted, pages: list[LogoPage], tmp_path: Path
) -> None:
    drawn = draw(world.store, tmp_path / "x.pdf", width=40)
    assert (drawn.windows, list(drawn.notes)) == (COUNT, [])
    run = de.open_store(world.store)
    assert {"+", "-"} <= set(run["strand"])
    for number, page in enumerate(pages):
        (track,) = page.tracks
        assert track.scores.shape == (40, 4)
        first = world.start[number] - page.start
        site = track.scores[first : first + len(MOTIF)]
        word = "".join("ACGT"[letter] for letter in site.argmax(axis=1))
        assert word == (MOTIF if world.strand[number] == "+" else reverse(MOTIF))
        assert (site.max(axis=1) > 0.5).all()
        assert ((track.scores != 0).sum(axis=1) <= 1).all()
        assert 10 < first < 20  # in the middle of what is shown
        assert run["sample"][number] in page.title
        assert "chr7:" in page.title


def reverse(text: str) -> str:
    return text[::-1].translate(scored.COMPLEMENT)


def test_windows_heads_and_stretches_are_chosen(
    world: Planted, pages: list[LogoPage], tmp_path: Path
) -> None:
    run = de.open_store(world.store)
    names = [run["sample"][row] for row in (7, 2)]
    draw(world.store, tmp_path / "x.pdf", samples=names, span=(10, 30), hypothetical=True)
    assert [page.name for page in pages] == names[::-1]
    for page, row in zip(pages, (2, 7), strict=True):
        assert page.start == run["start"][row] + 10
        values = run["hypothetical"][row]
        values = values[::-1, ::-1] if run["strand"][row] == "-" else values
        np.testing.assert_array_equal(page.tracks[1].scores, values[10:30])
    assert draw(world.store, tmp_path / "x.pdf", most=3, width=None).notes == [
        f"the first 3 of {COUNT} windows were drawn"
    ]
    assert [len(page.tracks[0].scores) for page in pages] == [LENGTH] * 3


def test_stores_of_the_same_windows_are_aligned(
    world: Planted, constants: dict[str, Any], pages: list[LogoPage], tmp_path: Path
) -> None:
    two = other(world, tmp_path / "two.zarr", constants)
    draw([world.store, two], tmp_path / "x.pdf", labels=["one", "two"])
    for page in pages:
        one, more = page.tracks
        np.testing.assert_array_equal(2 * one.scores, more.scores)
        assert (one.label, more.label) == ("one\ncontribution", "two\ncontribution")
        assert page.limits(one) == page.limits(more)
    source = drawn_windows.Source(ScoredWindows(two), "counts", "two", hypothetical=True)
    labels = [track.label for track in source.tracks([np.ones((9, 4))] * 2)]
    assert labels == ["two\ncontribution to counts", "two hypothetical\ncontribution to counts"]
    moved = {**constants, "start": constants["start"] + 1, "end": constants["end"] + 1}
    third = other(world, tmp_path / "three.zarr", moved)
    with pytest.raises(InputError, match=r"window 0 of .*three.* logos are aligned of the same"):
        draw([world.store, third], tmp_path / "x.pdf")


def test_mutagenesis_is_a_heat_map_under_a_logo(
    world: Planted, constants: dict[str, Any], pages: list[LogoPage], tmp_path: Path
) -> None:
    store = other(world, tmp_path / "ism.zarr", constants, method="saturation_mutagenesis")
    draw(store, tmp_path / "x.pdf", width=None)
    run = de.open_store(store)
    for row, page in enumerate(pages):
        logo, heat = page.tracks
        assert isinstance(heat, HeatTrack)
        x, changes = (run[name][row] for name in ("inputs", "scores"))
        if run["strand"][row] == "-":
            x, changes = x[::-1, ::-1], changes[::-1, ::-1]
        np.testing.assert_array_equal(heat.values, changes)
        loss = ((changes * x).sum(axis=1, keepdims=True) - changes).sum(axis=1) / 3
        np.testing.assert_allclose(logo.scores, x * loss[:, np.newaxis], atol=1e-5)


def test_sites_of_all_files_are_the_same_boxes(
    world: Planted, pages: list[LogoPage], tmp_path: Path
) -> None:
    de.genomics.export(world.store, tmp_path, ["modisco"])
    ohe, attr = (np.load(tmp_path / f"planted.{name}.npz")["arr_0"] for name in ("ohe", "attr"))
    result = tmp_path / "motifs.h5"
    write_result(result, world, ohe, attr, np.arange(COUNT), window=LENGTH)
    with_flanks = 4
    export_motifs(result, tmp_path, store=world.store)
    hits = tmp_path / "hits.tsv"
    header = ["chr", "start", "end", "start_untrimmed", "end_untrimmed", "motif_name", "strand"]
    header += ["peak_name"]
    lines, run = ["\t".join(header)], de.open_store(world.store)
    for row in range(COUNT):  # as finemo gives them: from the start of each row as it is
        start, strand = world.start[row], world.strand[row]
        if run["strand"][row] == "-":
            start = run["start"][row] + run["end"][row] - start - len(MOTIF)
            strand = "+-"[strand == "+"]
        cells = ["chr7", start, start + len(MOTIF), 0, 0, "AP1", strand, run["sample"][row]]
        lines.append("\t".join(map(str, cells)))
    hits.write_text("\n".join(lines) + "\n")
    renamed = {"pos_patterns.pattern_0": "AP1"}
    for path, flank in ((result, 0), (tmp_path / "motifs.sites.bed", with_flanks), (hits, 0)):
        draw(world.store, tmp_path / "x.pdf", motifs=path, names=renamed)
        for number, page in enumerate(pages):
            start, end = world.start[number] - flank, world.start[number] + len(MOTIF) + flank
            assert page.shown == [Box(start, end, "AP1", world.strand[number])], path
    hits.write_text("\n".join(["\t".join(header), lines[1].replace("chr7", "")]) + "\n")
    with pytest.raises(InputError, match="line 2: a hit without a chromosome"):
        draw(world.store, tmp_path / "x.pdf", motifs=hits)
    hits.write_text("chr\n")
    with pytest.raises(InputError, match="no columns end, motif_name, peak_name, start, strand"):
        draw(world.store, tmp_path / "x.pdf", motifs=hits)
    with pytest.raises(InputError, match=r"expected sites of motifs as \.h5"):
        draw(world.store, tmp_path / "x.pdf", motifs=tmp_path / "x.txt")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": ["count"]}, "no head 'count'. The run has none"),
        ({"samples": ["peak"]}, "no window is called 'peak'. Near it: peak"),
        ({"span": (10, 100)}, "windows of 80 positions"),
        ({"labels": ["a", "b"]}, "2 labels for 1 stores"),
        ({"width": 0}, "width is a whole number of 1 or more"),
    ],
)
def test_what_is_not_there_is_refused(
    world: Planted, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        draw(world.store, tmp_path / "x.pdf", **options)
    assert not list(tmp_path.iterdir())
