"""Pages of logos: where letters, boxes and words stand, and the files that hold many."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.figures import (
    Box,
    HeatTrack,
    LogoPage,
    LogoTrack,
    draw_logos,
    mutagenesis_tracks,
    save_logos,
)
from deeplift_engine.figures.lettering import Words, width_of, words_path
from deeplift_engine.figures.logo_page import lanes
from deeplift_engine.figures.logo_sheet import ACROSS, LANE, LEFT, TRACK, LogoSheet

ONE_HOT = np.eye(4)[[0, 1, 2, 3, 0]]


def page(scale: float = 1.0, **changes) -> LogoPage:
    tracks = [LogoTrack("one", ONE_HOT * scale), LogoTrack("other", -2 * ONE_HOT * scale)]
    return LogoPage(**{"tracks": tracks, "start": 100, "title": "peak", "name": "a/b", **changes})


def collections(figure) -> dict[str, list]:
    areas, letters, lines, dots, words = figure.artists
    return {
        "areas": [path.vertices for path in areas.get_paths()],
        "letters": [path.vertices for path in letters.get_paths()],
        "lines": list(lines.get_segments()),
        "dots": dots.get_paths(),
        "words": words.get_paths(),
    }


def test_tracks_of_one_scale_have_one_and_others_their_own() -> None:
    drawn = collections(draw_logos(page()))["letters"]
    heights = [np.ptp(path[:, 1]) for path in drawn]
    np.testing.assert_allclose(heights[4:], 2 * np.array(heights[:4]), rtol=1e-9)
    own = [LogoTrack("one", ONE_HOT, "a"), LogoTrack("other", 2 * ONE_HOT, "b")]
    heights = [np.ptp(path[:, 1]) for path in collections(draw_logos(page(tracks=own)))["letters"]]
    np.testing.assert_allclose(heights[4:], heights[:4], rtol=1e-9)
    assert max(heights) < TRACK


def test_letters_and_boxes_stand_at_their_coordinates() -> None:
    boxes = [Box(101, 103, "GATA", "+"), Box(103, 200, "long", "-"), Box(0, 100, "before")]
    drawn = collections(draw_logos(page(boxes=boxes)))
    step = ACROSS / 5
    middles = [(path[:, 0].min() + path[:, 0].max()) / 2 for path in drawn["letters"][1:4]]
    np.testing.assert_allclose(middles, LEFT + step * np.array([1.5, 2.5, 3.5]), atol=1e-6)
    across = [(area[:, 0].min(), area[:, 0].max()) for area in drawn["areas"]]
    expected = [(LEFT + step, LEFT + 3 * step), (LEFT + 3 * step, LEFT + 5 * step)]
    np.testing.assert_allclose(across, expected * 3)  # shades of two tracks, and the boxes above
    first, second = drawn["areas"][4:]
    assert first[2, 0] > first[1, 0]  # the arrow of + points to the right
    assert second[5, 0] < second[4, 0]  # that of - to the left


def test_boxes_that_meet_have_lanes_of_their_own() -> None:
    boxes = [Box(0, 10, "a"), Box(5, 8, "b"), Box(11, 12, "c"), Box(14, 20, "d")]
    assert lanes(boxes, lambda name: 0) == [0, 1, 0, 0]
    assert lanes(boxes, lambda name: 2) == [0, 1, 1, 0]
    one, two = (draw_logos(page(boxes=each)) for each in (boxes[:1], [Box(101, 104, "a")] * 2))
    assert two.get_figheight() - one.get_figheight() == pytest.approx(2 * LANE)


def test_a_heat_map_has_a_cell_for_each_letter_and_a_dot_where_it_is() -> None:
    changes = np.random.default_rng(0).normal(size=(5, 4)) * (1 - ONE_HOT)
    logo, heat = mutagenesis_tracks(changes, ONE_HOT)
    np.testing.assert_allclose(logo.scores.sum(axis=1), -changes.sum(axis=1) / 3)
    assert ((logo.scores != 0) == (ONE_HOT == 1)).all()
    centred = changes - changes.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(mutagenesis_tracks(centred, ONE_HOT)[0].scores, logo.scores)
    figure = draw_logos(page(tracks=[logo, heat]))
    drawn = collections(figure)
    assert len(drawn["dots"]) == 5
    cells, faces = drawn["areas"][:20], figure.artists[0].get_facecolors()
    largest = np.unravel_index(np.abs(changes).argmax(), changes.shape)
    cell = cells[largest[0] * 4 + largest[1]]
    assert cell[:, 0].min() == pytest.approx(LEFT + largest[0] * ACROSS / 5)
    red, blue = mpl.colormaps["RdBu_r"](1.0), mpl.colormaps["RdBu_r"](0.0)
    expected = red if changes[largest] > 0 else blue
    np.testing.assert_allclose(faces[largest[0] * 4 + largest[1]], expected)
    none = mutagenesis_tracks(changes, 0 * ONE_HOT)[0].scores
    assert not none.any()


def test_words_stand_at_their_anchors() -> None:
    for anchor, share in (("left", 0), ("middle", 0.5), ("right", 1)):
        path = words_path([Words("III", 2.0, 1.0, 20, anchor)])
        left = path.vertices[:, 0].min()
        assert left == pytest.approx(2.0 - share * width_of("III", 20), abs=0.05)
        assert (path.vertices[:, 1].min() + path.vertices[:, 1].max()) / 2 == pytest.approx(
            1, abs=0.02
        )
    upright = words_path([Words("IIIIIIII", 2.0, 1.0, 20, "middle", upright=True)]).vertices
    assert np.ptp(upright[:, 1]) > 1.5 * np.ptp(upright[:, 0])
    assert width_of("a b", 20) > width_of("ab", 20)
    assert len(words_path([]).vertices) == 0


def test_a_sheet_shows_nothing_of_the_page_before() -> None:
    sheet = LogoSheet()
    sheet.show(page(boxes=[Box(101, 103, "GATA")], title="first"))
    again, fresh = sheet.show(page(3.0)), draw_logos(page(3.0))
    for (name, one), other in zip(
        collections(again).items(), collections(fresh).values(), strict=True
    ):
        shapes = [getattr(each, "vertices", each) for each in one]
        assert len(one) == len(other), name
        for mine, its in zip(shapes, other, strict=True):
            np.testing.assert_allclose(mine, getattr(its, "vertices", its))
    assert [text.get_text() for text in again.texts] == ["peak"]


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ([], "needs a track"),
        ([LogoTrack("a", np.zeros((5, 3)))], r"'a' has an array of \(5, 3\)"),
        ([LogoTrack("a", np.zeros((5, 4))), LogoTrack("b", np.zeros((6, 4)))], "'b' has an array"),
        ([HeatTrack("h", np.full((5, 4), np.nan), ONE_HOT)], "'h' has an array"),
    ],
)
def test_tracks_that_do_not_fit_are_refused(tracks, message) -> None:
    with pytest.raises(InputError, match=message):
        page(tracks=tracks)


def test_files_hold_all_pages_or_are_not_there(tmp_path: Path) -> None:
    pages = [page(1 + number, boxes=[Box(101, 103, "x")] * (number % 2)) for number in range(3)]
    assert save_logos(pages, tmp_path / "all.pdf") == 3
    assert (tmp_path / "all.pdf").read_bytes().count(b"/Type /Page ") == 3
    assert save_logos(iter(pages), tmp_path / "folder") == 3
    names = [f"00000{number}_a_b.png" for number in range(3)]
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == names
    sizes = [mpl.image.imread(tmp_path / "folder" / name).shape for name in names]
    assert sizes[0] == sizes[2] != sizes[1]
    for suffix in (".png", ".svg"):
        assert save_logos(pages[:1], tmp_path / f"one{suffix}") == 1
        with pytest.raises(InputError, match="holds one picture"):
            save_logos(pages, tmp_path / f"two{suffix}")
    with pytest.raises(OutputError, match="already exists"):
        save_logos(pages, tmp_path / "all.pdf")
    with pytest.raises(OutputError, match="is written anew"):
        save_logos(pages, tmp_path / "folder", overwrite=True)
    with pytest.raises(OutputError, match=r"not as \.txt"):
        save_logos(pages, tmp_path / "x.txt")
    with pytest.raises(InputError, match="no page"):
        save_logos([], tmp_path / "none.pdf")

    def failing():
        yield page()
        yield page(tracks=[])

    for name in ("late.pdf", "late"):
        with pytest.raises(InputError, match="needs a track"):
            save_logos(failing(), tmp_path / name)
    there = {"all.pdf", "folder", "one.png", "one.svg"}
    assert {path.name for path in tmp_path.iterdir()} == there
