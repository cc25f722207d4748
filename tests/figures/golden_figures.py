"""One small figure of every function that draws, and how far a picture is from its golden one.

``python -m tests.figures.golden_figures`` prints the distances, and with ``--update`` writes the
golden pictures of ``tests/figures/golden`` again: look at each before it is committed.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine import figures
from deeplift_engine.figures.comparison_figure import ComparisonData
from deeplift_engine.figures.feature_figures import draw_bar

GOLDEN = Path(__file__).parent / "golden"
RESOLUTION = 48
"""Pixels of an inch."""
CELL, SHIFT = 12, 5
"""Pixels of the squares whose means are compared, and how far a layout may move them.

Letters are left out: how wide they are depends on matplotlib's version.
"""
TOLERANCE = 0.11
"""The largest difference of two such means, of 1 between black and white.

matplotlib 3.8 and 3.9 are up to 0.083 from 3.11, the nearest of five other colour maps 0.14.
"""
FONTS = {"font.family": "DejaVu Sans"}
"""Those that matplotlib brings."""


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def one_hot(length: int, seed: int = 1) -> np.ndarray:
    return np.eye(4)[random(seed).integers(4, size=length)]


def bumps(length: int) -> np.ndarray:
    """Scores (L,) with a motif that speaks for the target and one against it."""
    at = np.arange(length)
    up = np.exp(-(((at - length * 0.3) / 2.5) ** 2))
    return up - 0.6 * np.exp(-(((at - length * 0.75) / 2) ** 2)) + 0.03 * np.sin(at)


def climbs(count: int) -> np.ndarray:
    """A target (S + 1, M) that grows by step."""
    return 1 - np.exp(-np.arange(9)[:, np.newaxis] / np.arange(1, count + 1))


def attribution(scores: np.ndarray) -> Any:
    from deeplift_engine.results.attribution import Attribution

    zeros = np.zeros(len(scores))
    sums = scores.reshape(len(scores), -1).sum(axis=1)
    return Attribution(scores, None, zeros, sums, zeros, sums, scores)


def comparison() -> Any:
    from deeplift_engine.results.measured import Measured

    names, steps = ("rescale", "gradient * input", "occlusion"), (1, 4, 16, 64)
    measured = {
        name: {
            "deletion": Measured(
                random(n).normal(0.5 + 0.2 * n, 0.1, 12),
                0.1 * n + np.linspace(1, 0.2, 4) + random(n).normal(0, 0.02, (12, 4)),
                steps,
                "positions deleted",
            ),
            "rank_stability": Measured(random(9 + n).uniform(0.4, 0.9, 12)),
        }
        for n, name in enumerate(names)
    }
    agreement = np.array([[1, 0.8, -0.3], [0.8, 1, 0.1], [-0.3, 0.1, 1]])
    return figures.draw_comparison(
        ComparisonData(measured, {"deletion": "low", "rank_stability": "high"}, agreement)
    )


def sweep() -> Any:
    from deeplift_engine.results.sweep_result import Sweep

    base = random(2).normal(size=(6, 40))
    settings = [(r, rule) for r in ("zeros", "shuffles") for rule in ("rescale", "reveal_cancel")]
    results = {
        setting: attribution(base + 0.5 * n * random(n).normal(size=base.shape))
        for n, setting in enumerate(settings)
    }
    return figures.draw_sweep(Sweep(("zeros", "shuffles"), ("rescale", "reveal_cancel"), results))


FEATURES = ["age", "income in $", "city_A", "city_B", "dose"]
SCORES = random(3).normal(size=(40, 5)) * [2, 1, 0.6, 0.3, 1.4]
DATA = SCORES * [1, -1, 1, 1, 2] + random(4).normal(size=SCORES.shape) * 0.3
UNIT = "contribution (units of the logit of classes)"


def spacing() -> Any:
    distances = np.array([0, 5, 10, 20, 40])
    effects = {
        name: level + random(n).normal(0, 0.1, (5, 6))
        for n, (name, level) in enumerate({"first": 0.4, "second": 0.6, "both": 1.6}.items())
    }
    return figures.draw_spacing(distances, effects, effects["both"] - 1)


def design() -> Any:
    values = np.linspace(0, 2, 9)[:, None] + random(5).normal(0, 0.15, (9, 4))
    return figures.draw_design(values, one_hot(60), np.array([10, 11, 12, 30, 31]))


def logos() -> Any:
    length = 48
    present = one_hot(length)
    track = figures.LogoTrack("contribution\n(units of counts)", present * bumps(length)[:, None])
    changes = random(6).normal(size=(length, 4)) * np.abs(bumps(length))[:, None] * (1 - present)
    boxes = [figures.Box(1010, 1018, "GATA", "+"), figures.Box(1033, 1039, "TAL1", "-")]
    page = figures.LogoPage(
        [track, *figures.mutagenesis_tracks(changes, present, "change\n(units of counts)")],
        "peak 7: counts",
        1000,
        "position on chr1, from 0",
        boxes,
    )
    return figures.draw_logos(page)


def picture() -> np.ndarray:
    down, across = np.mgrid[0:24, 0:32] / 32
    return np.stack([across, down, 0.5 + 0.4 * np.sin(9 * across)], axis=-1)[np.newaxis]


def overlays(style: str) -> Any:
    down, across = np.mgrid[0:24, 0:32]
    up = np.exp(-((across - 10) ** 2 + (down - 8) ** 2) / 30)
    scores = (up - 0.7 * np.exp(-((across - 24) ** 2 + (down - 16) ** 2) / 20))[np.newaxis]
    return figures.draw_overlays(
        picture(),
        {"deeplift": scores},
        names=["cat.png"],
        style=figures.OverlayStyle(style),
        unit=UNIT,
        segments=(across > 16).astype(int)[np.newaxis],
    )


def texts() -> Any:
    words = [
        figures.ColouredWord(text, score)
        for text, score in (("not ", -0.9), ("a ", None), ("bad ", 0.6), ("film, 5$", 0.1))
    ]
    return figures.draw_texts([figures.ColouredText("review 1", words)], scale=1.0, label=UNIT)


def traces() -> Any:
    time = np.arange(300) / 100
    signal = np.stack([np.sin(9 * time), np.cos(5 * time) * 2], axis=1)
    scores = signal * np.exp(-((time - 1.5) ** 2) * 4)[:, None]
    return figures.draw_traces(
        signal, scores, channels=["I", "V1"], rate=100, value_unit="mV", unit=UNIT, title="ecg 3"
    )


def channels() -> Any:
    kernels = np.stack([np.outer(bumps(5), bumps(5)) * sign for sign in (1, -1, 0.5)])
    maps = np.abs(np.stack([bumps(40), bumps(40)[::-1]]))[None]
    return figures.draw_channels(
        [
            figures.ChannelMaps("conv: kernels", kernels, "012", ("column", "row"), signed=True),
            figures.ChannelMaps("pool", maps, [""], ("position", "channel"), rows=["3", "1"]),
        ]
    )


def logo() -> Any:
    return figures.draw_logo(
        one_hot(40) * bumps(40)[:, None], start=100, highlight=[(108, 116, "GATA")]
    ).figure


def waterfall() -> Any:
    names = [f"{name} = {value:.3g}" for name, value in zip(FEATURES, DATA[0], strict=True)]
    return figures.draw_waterfall(SCORES[0], names, base=1.5, unit=UNIT, title="row 0", most=4)


FIGURES: dict[str, Callable[[], Any]] = {
    "atlas": lambda: figures.draw_atlas(
        random(11).uniform(size=(4, 6, 6, 3)),
        [[0, 0], [0, 2], [1, 1], [2, 0]],
        3,
        [9, 4, 1, 2],
        title=": 16 activations",
    ),
    "bar": lambda: draw_bar(SCORES, FEATURES, unit=UNIT, most=4),
    "beeswarm": lambda: figures.draw_beeswarm(SCORES, DATA, FEATURES, unit=UNIT),
    "channels": channels,
    "comparison": comparison,
    "concepts": lambda: figures.draw_concepts(
        [[0.7, 0.3, 0.1], [0.2, 0.6, 0.1]],
        np.full((2, 3), 0.05),
        ["4", "0", "2"],
        random(10).uniform(size=(2, 3, 6, 6, 3)),
    ),
    "design": design,
    "effects": lambda: figures.draw_effects(
        ["GATA", "TAL1", "SP1"], np.array([[2], [0], [-1]]) + random(7).normal(size=(3, 8))
    ),
    "heat_map": lambda: figures.draw_heat_map(SCORES, FEATURES, unit=UNIT),
    "logo": logo,
    "logos": logos,
    "overlay_alpha": lambda: overlays("alpha"),
    "overlay_blend": lambda: overlays("blend"),
    "overlay_heat": lambda: overlays("heat"),
    "overlay_mask": lambda: overlays("mask"),
    "pictures": lambda: figures.draw_pictures(
        random(9).uniform(size=(3, 6, 6, 3)), np.arange(3.0), climbs(3), columns=2
    ),
    "sequences": lambda: figures.draw_sequences(
        np.stack([one_hot(24, seed) for seed in (1, 2)]), np.arange(2.0), climbs(2)
    ),
    "similarity": lambda: figures.draw_similarity(
        [[1, 0.7, 0.2], [0.7, 1, np.nan]], ["conv", "dense"], ["conv", "dense", "logits"]
    ),
    "spacing": spacing,
    "sweep": sweep,
    "texts": texts,
    "traces": traces,
    "waterfall": waterfall,
}
"""What draws each golden picture, by its name."""


def drawn(figure: Any) -> np.ndarray:
    """The pixels of a figure (H, W, 3), 0 to 1, without its letters."""
    import matplotlib as mpl
    from matplotlib.image import imread
    from matplotlib.text import Text

    with mpl.rc_context(FONTS):
        figure.draw_without_rendering()  # makes the labels of ticks
        for text in figure.findobj(Text):
            text.set_alpha(0)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=RESOLUTION, facecolor="white")
    file.seek(0)
    return np.asarray(imread(file))[..., :3]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """How far means of squares are beyond those nearby in the other; infinite for another size."""
    if one.shape != other.shape:
        return float("inf")
    means = [_mean_of_squares(each) for each in (one, other)]
    beyond = [
        np.maximum(own - _nearby(its, np.max), _nearby(its, np.min) - own).max()
        for own, its in (means, means[::-1])
    ]
    return float(max(beyond))


def _mean_of_squares(pixels: np.ndarray) -> np.ndarray:
    sums = np.pad(pixels.astype(float), ((1, 0), (1, 0), (0, 0))).cumsum(0).cumsum(1)
    down = sums[CELL:] - sums[:-CELL]
    return np.asarray((down[:, CELL:] - down[:, :-CELL]) / CELL**2)


def _nearby(means: np.ndarray, end: Any) -> np.ndarray:
    """The least or the largest within `SHIFT` pixels."""
    found = np.pad(means, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    for axis in (0, 1):
        found = end(np.lib.stride_tricks.sliding_window_view(found, 2 * SHIFT + 1, axis), axis=-1)
    return found


def unnamed(figure: Any) -> list[str]:
    """Axes of a drawn figure with numbers or names along them, and no name of their own."""
    found = []
    for n, panel in enumerate(figure.axes):
        along = {"x": panel.xaxis, "y": panel.yaxis}
        told = [
            name
            for name, axis in along.items()
            if panel.axison
            and panel.get_visible()
            and any(text.get_text() and text.get_visible() for text in axis.get_ticklabels())
            and not axis.get_label_text()
        ]
        shared = panel.get_shared_y_axes().get_siblings(panel)
        named_beside = any(each.get_ylabel() for each in shared)
        found += [f"{name} of axes {n}" for name in told if name == "x" or not named_beside]
    return found


def golden(name: str) -> np.ndarray:
    from matplotlib.image import imread

    return np.asarray(imread(GOLDEN / f"{name}.png"))[..., :3]


def figure_of(name: str) -> Any:
    import matplotlib as mpl

    with mpl.rc_context(FONTS):
        return FIGURES[name]()


def write(name: str) -> None:
    from PIL import Image

    pixels = np.rint(drawn(figure_of(name)) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(GOLDEN / f"{name}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the golden pictures again")
    update = parser.parse_args().update
    for name in FIGURES:
        if update:
            write(name)
        sys.stdout.write(f"{distance(drawn(figure_of(name)), golden(name)):.4f} {name}\n")


if __name__ == "__main__":
    main()
