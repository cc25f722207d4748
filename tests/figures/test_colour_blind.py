"""Colours that mean different things stay apart for who sees no red, or no green.

Colours are seen by the matrices of Machado, Oliveira and Fernandes 2009 (IEEE Transactions on
Visualization and Computer Graphics 15: 1291-1298, doi:10.1109/TVCG.2009.113, severity 1), which
act on linear red, green and blue; distances are Euclidean in CIELAB (D65): 2.3 is just seen.
"""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from skimage.color import rgb2lab

from deeplift_engine.figures import (
    comparison_figure,
    experiment_figures,
    feature_figures,
    logo,
    overlay_figure,
    text_figure,
    trace_figure,
)
from deeplift_engine.report.page import FOLDER

APART = 20.0
"""Between any two colours of a palette, and between scores of either sign from `QUARTER` on."""
QUARTER = 0.25
SIGHTS = {
    "all colours": np.eye(3),
    "no red (protanopia)": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green (deuteranopia)": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
STYLE = (FOLDER / "style.css").read_text("utf-8")


def seen(colours: Any, sight: str) -> np.ndarray:
    """Colours (N, 3), red, green and blue of 0 to 1, in CIELAB as somebody sees them."""
    values = np.asarray([to_rgb(each) for each in colours])
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(SIGHTS[sight]), 0, 1)
    back = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(back))


def of_page(*names: str, dark: bool) -> list[str]:
    """Colours of the report's style sheet, by what stands in front of them."""
    two = r".*?light-dark\((#\w+), (#\w+)\)"
    found = (re.search(re.escape(name) + two, STYLE) for name in names)
    return [match[1 + dark] for match in found if match]


LETTERS = (".letter.A {", ".letter.C {", ".letter.G {", ".letter.T,", ".letter.other {")
PALETTES = {
    "letters": [*{**logo.COLOURS, "other": logo.OTHER_COLOUR}.values()],
    "methods": comparison_figure.PALETTE,
    "effects": experiment_figures.EFFECTS,
    "steps of a waterfall": [feature_figures.MORE, feature_figures.LESS],
    **{
        f"{what} of the page, {'dark' if dark else 'light'}": of_page(*names, dark=dark)
        for dark in (False, True)
        for what, names in {
            "letters": LETTERS,
            "layers": ("--exact:", "--near:", "--wrong:"),
            "signs": ("--up:", "--down:"),
            "words": (".token.up {", ".token.down {"),
        }.items()
    },
}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", PALETTES)
def test_colours_of_a_palette_stay_apart(name: str, sight: str) -> None:
    colours = list(dict.fromkeys(PALETTES[name]))
    assert len(colours) > 1
    lab = seen(colours, sight)
    for first, second in combinations(range(len(colours)), 2):
        distance = np.linalg.norm(lab[first] - lab[second])
        assert distance > APART, (colours[first], colours[second], distance)


def page_map() -> LinearSegmentedColormap:
    """The colours that the report's program blends, of its own text."""
    core = (FOLDER / "core.js").read_text("utf-8")
    below, above = re.search(r"share < 0 \? \[([\d, ]+)\] : \[([\d, ]+)\]", core).groups()  # type: ignore[union-attr]
    ends = [tuple(int(each) / 255 for each in end.split(",")) for end in (below, above)]
    return LinearSegmentedColormap.from_list("page", [ends[0], (247 / 255,) * 3, ends[1]])


def text_map() -> LinearSegmentedColormap:
    grounds = np.array([text_figure.LOW, text_figure.NONE, text_figure.HIGH]) / 255
    return LinearSegmentedColormap.from_list("text", grounds.tolist())


DIVERGING = {
    "pictures and maps": mpl.colormaps[overlay_figure.DIVERGING],
    "traces": LinearSegmentedColormap.from_list("traces", trace_figure.ENDS),
    "texts": text_map(),
    "the report": page_map(),
}


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", DIVERGING)
def test_both_signs_stay_apart_and_sizes_have_an_order(name: str, sight: str) -> None:
    shares = np.linspace(0, 1, 9)
    above, below, zero = (
        seen(DIVERGING[name](0.5 + 0.5 * each)[:, :3], sight)
        for each in (shares, -shares, np.zeros(1))
    )
    apart = np.linalg.norm(above - below, axis=1)
    assert apart[shares >= QUARTER].min() > APART, apart
    for side in (above, below):
        assert (np.diff(side[:, 0]) < 0).all()  # the larger, the darker
        assert np.linalg.norm(side[-1] - zero) > 2 * APART


@pytest.mark.parametrize("sight", SIGHTS)
def test_sizes_of_one_sign_have_an_order(sight: str) -> None:
    lightness = seen(mpl.colormaps[overlay_figure.ONE_SIGN](np.linspace(0, 1, 9))[:, :3], sight)
    assert all(low < high for low, high in pairwise(lightness[:, 0]))
