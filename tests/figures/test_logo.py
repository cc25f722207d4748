"""Sequence logos: where letters stand, which way up, in which colour, and what is refused."""

from __future__ import annotations

import builtins
import subprocess
import sys
import time

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from deeplift_engine.errors import DeepliftEngineError, InputError
from deeplift_engine.figures import draw_logo
from deeplift_engine.figures.glyphs import stack
from deeplift_engine.figures.logo import COLOURS


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def boxes(ax) -> np.ndarray:
    """Left, bottom, right, top of the letters drawn, one at each position, by position."""
    found = {}
    for path in ax.collections[0].get_paths():
        middles = np.round(path.vertices[:, 0])
        for middle in np.unique(middles):
            own = path.vertices[middles == middle]
            found[middle] = [*own.min(axis=0), *own.max(axis=0)]
    return np.array([found[middle] for middle in sorted(found)])


def test_letters_are_as_tall_as_their_scores() -> None:
    scores = np.array([[1.0, 0, 0, 0], [0, -2.0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0.5]])
    found = boxes(draw_logo(scores))
    np.testing.assert_allclose(found[:, 1], [0, -2, 0], atol=1e-9)
    np.testing.assert_allclose(found[:, 3], [1, 0, 0.5], atol=1e-9)
    np.testing.assert_allclose((found[:, 0] + found[:, 2]) / 2, [0, 1, 3], atol=1e-9)
    assert (found[:, 2] - found[:, 0] < 1).all()


def test_letters_of_one_position_are_stacked_and_the_tallest_is_outermost() -> None:
    scores = np.array([[3.0, 1.0, -0.5, -2.0]])
    positions, letters, bottoms, heights = stack(scores)
    assert positions.tolist() == [0, 0, 0, 0]
    placed = {
        "ACGT"[letter]: (bottom, bottom + height)
        for letter, bottom, height in zip(letters, bottoms, heights, strict=True)
    }
    assert placed == {"C": (0, 1), "A": (1, 4), "G": (0, -0.5), "T": (-0.5, -2.5)}
    low, high = draw_logo(scores).get_ylim()
    assert low < -2.5
    assert high > 4


def test_letters_of_negative_scores_stand_on_their_head() -> None:
    for sign in (1, -1):
        ax = draw_logo(np.array([[sign * 1.0, 0, 0, 0]]))
        vertices = ax.collections[0].get_paths()[0].vertices
        apex = vertices[np.abs(vertices[:, 1]) > 0.99]
        assert abs(apex[:, 0]).max() < 0.3  # an A is narrow far from the axis, either way up


def test_colours_are_the_fields_own_and_can_be_changed() -> None:
    faces = draw_logo(np.eye(4)).collections[0].get_facecolors()
    assert [to_hex(face) for face in faces] == [COLOURS[letter] for letter in "ACGT"]
    green, blue, orange, red = np.asarray(faces)[:, :3]
    assert green.argmax() == 1
    assert blue.argmax() == 2
    assert orange[0] > orange[1] > orange[2]
    assert red.argmax() == 0
    faces = draw_logo(np.eye(4), colours={"A": "#000000"}).collections[0].get_facecolors()
    assert to_hex(faces[0]) == "#000000"


def test_coordinates_start_where_asked_and_highlights_are_labelled() -> None:
    _, ax = plt.subplots()
    given = draw_logo(np.ones((10, 4)), ax, start=100, highlight=[(102, 105, "GATA")])
    assert given is ax
    assert ax.get_xlim() == (99.5, 109.5)
    span = ax.patches[0]
    across = span.get_path().transformed(span.get_patch_transform()).get_extents()
    assert (across.x0, across.width) == (101.5, 3)
    assert [text.get_text() for text in ax.texts] == ["GATA"]
    assert ax.texts[0].xy[0] == 103


def test_other_alphabets_and_fixed_limits() -> None:
    ax = draw_logo(np.eye(3), alphabet="MKI", limits=(-1, 5))
    assert ax.get_ylim() == (-1, 5)
    assert len(boxes(ax)) == 3


def test_nothing_to_draw_is_an_empty_logo() -> None:
    ax = draw_logo(np.zeros((5, 4)))
    assert not ax.collections[0].get_paths()
    assert ax.get_ylim()[0] < 0 < ax.get_ylim()[1]


@pytest.mark.parametrize("scores", [np.zeros((5, 3)), np.zeros(5), np.full((5, 4), np.nan)])
def test_scores_of_another_shape_are_refused(scores) -> None:
    with pytest.raises(InputError, match=r"finite scores of shape \(L, 4\)"):
        draw_logo(scores)


def test_a_long_sequence_is_drawn_quickly() -> None:
    scores = np.random.default_rng(0).normal(size=(2114, 4))
    started = time.perf_counter()
    draw_logo(scores).figure.canvas.draw()
    assert time.perf_counter() - started < 10  # 0.3 s on a quiet core; one artist per letter: 30 s


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch) -> None:
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DeepliftEngineError, match=r"deeplift_engine\[plot\]"):
        draw_logo(np.eye(4))


def test_importing_the_module_does_not_import_matplotlib() -> None:
    code = "import sys, deeplift_engine.figures; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
