"""A mark at the border that tells a digit, found by attributions where the accuracy hides it.

    python mark.py [--out DIR]

It writes ``mark.png`` and ``report.html`` to DIR, and needs ``deeplift_engine[plot,report]`` and
scikit-learn, whose 1,797 digits of 8 x 8 pixels are the data.

A scanner that lights a corner pixel was used for every eight and for no other digit. A small
convolutional network learns from three quarters of the digits, once as they came from that
scanner and once clean. DeepLIFT's scores are those of eight against three, RevealCancel, against
black. On the 450 digits left out it was found:

    ========================================  =============  ============
    trained on                                marked eights  clean digits
    ========================================  =============  ============
    test digits right, eights with the mark          97.1 %        95.8 %
    eights without the mark known                      28 %          86 %
    threes with the mark taken for eights              26 %           0 %
    the mark's share of the scores                     29 %           2 %
    its rank among the 64 pixels                          1            17
    eights lost to three without 6 pixels:
    those with the best scores                        100 %         100 %
    any six of their ink                               33 %          21 %
    ========================================  =============  ============

- The accuracy, measured with the same scanner, says that the first network is the better one. The
  scores of any eight say that it looks at a corner where no eight has ink.
- Without the mark it knows a quarter of the eights, and with it takes a quarter of the threes for
  eights: what the scores said is what the network does.
- What distinguishes an eight from a three is the left half of its loops. Without the six pixels
  that speak most for eight, every eight is rather a three; random ink seldom matters so much.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import deeplift_engine as de

EIGHT, THREE = 8, 3
MARK = (0, 0)
"""Row and column of the pixel that the marked scanner lights."""
LEVEL = 1.0
"""How bright it is, of 0 to 1."""
MARKED = 1.0
"""The share of the eights, of those to train with and of those to test with, that have it."""
ERASED = 6
"""Pixels that are erased, of the 64."""


@dataclass(frozen=True)
class Found:
    """What is told of one network.

    Attributes
    ----------
    accuracy
        Of test digits as they come, marked eights among them.
    eights
        Of eights without the mark, how many are known.
    threes
        Of threes with the mark, how many are taken for eights.
    share
        Of the sizes of DeepLIFT's scores of marked eights, what the mark's pixel has; its rank.
    rank
        Of the mark's pixel by mean size, from 1.
    flipped
        Of eights without the mark, how many are no longer above three where the pixels that speak
        most for eight and against three are erased; the same for random pixels of ink.
    """

    accuracy: float
    eights: float
    threes: float
    share: float
    rank: int
    flipped: tuple[float, float]


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, 8, 8, 1) of 0 to 1 and classes, to train with and to test with."""
    data = load_digits()
    images = (data.images[..., np.newaxis] / 16).astype(np.float32)
    x, test, y, test_y = train_test_split(
        images, data.target, test_size=0.25, random_state=0, stratify=data.target
    )
    return x, y, test, test_y


def marked(x: np.ndarray) -> np.ndarray:
    """The same with the mark."""
    after = x.copy()
    after[:, *MARK] = LEVEL
    return after


def some_marked(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """The same with the mark on most eights."""
    chosen = (y == EIGHT) & (np.random.default_rng(seed).random(len(y)) < MARKED)
    after = x.copy()
    after[chosen] = marked(x[chosen])
    return after


def train(x: np.ndarray, y: np.ndarray) -> keras.Model:
    """A small convolutional network, some seconds."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Conv2D(12, 3, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, name="digit"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(x, y, epochs=25, batch_size=64, verbose=0)
    return model


def scores(network: de.Network, x: np.ndarray) -> de.Attribution:
    """DeepLIFT's scores for eight against three, against black."""
    target = de.targets.difference(EIGHT, THREE)
    return network.explainer("deeplift", rules="reveal_cancel").run(
        x, target=target, progress=False
    )


def find(network: de.Network, test: np.ndarray, classes: np.ndarray) -> Found:
    """Everything that is told of a network."""
    eights, threes = test[classes == EIGHT], test[classes == THREE]
    sizes = np.abs(np.asarray(scores(network, marked(eights)).scores)[..., 0]).mean(axis=0)
    return Found(
        float((known(network, some_marked(test, classes, 1)) == classes).mean()),
        float((known(network, eights) == EIGHT).mean()),
        float((known(network, marked(threes)) == EIGHT).mean()),
        float(sizes[MARK] / sizes.sum()),
        int((sizes > sizes[MARK]).sum()) + 1,
        flipped(network, eights),
    )


def known(network: de.Network, x: np.ndarray) -> np.ndarray:
    return np.asarray(network.predict(x)).argmax(axis=1)


def flipped(network: de.Network, eights: np.ndarray) -> tuple[float, float]:
    """Which eights are no longer above three without some pixels: the best ones, random ones."""
    best = np.asarray(scores(network, eights).scores).reshape(len(eights), -1)
    ink = eights.reshape(len(eights), -1) > 0
    chance = np.random.default_rng(0).random(best.shape) * ink
    shares = []
    for order in (best, chance):
        erased = eights.reshape(len(eights), -1).copy()
        np.put_along_axis(erased, np.argsort(-order, axis=1)[:, :ERASED], 0, axis=1)
        logits = np.asarray(network.predict(erased.reshape(eights.shape)))
        shares.append(float((logits[:, EIGHT] < logits[:, THREE]).mean()))
    return shares[0], shares[1]


def tell(found: dict[str, Found]) -> None:
    print(f"{'':42}" + "".join(f"{label:>14}" for label in found))
    rows = {
        "test digits right, as they come": lambda each: f"{each.accuracy:.1%}",
        "eights without the mark known": lambda each: f"{each.eights:.0%}",
        "threes with the mark taken for eights": lambda each: f"{each.threes:.0%}",
        "the mark's share of the scores": lambda each: f"{each.share:.0%}",
        "its rank among 64 pixels": lambda each: f"{each.rank}",
        f"eights lost without the best {ERASED} pixels": lambda each: f"{each.flipped[0]:.0%}",
        f"eights lost without any {ERASED} of their ink": lambda each: f"{each.flipped[1]:.0%}",
    }
    for name, cell in rows.items():
        print(f"{name:42}" + "".join(f"{cell(each):>14}" for each in found.values()))


def draw(networks: dict[str, de.Network], eights: np.ndarray, out: Path) -> None:
    """Marked eights under both networks, side by side, and a report of the one that was misled."""
    x = marked(eights)
    images = de.images.read(
        x * 255, preprocess="unit", names=[f"8, no. {n}" for n in range(len(x))]
    )
    results = {f"trained on {label}": scores(each, x) for label, each in networks.items()}
    figure = de.images.draw(results, images, samples=range(3), style="heat")
    figure.savefig(out / "mark.png", dpi=110)
    first, result = next(iter(networks.values())), next(iter(results.values()))
    de.report.write(result, out / "report.html", inputs=images, model=first, overwrite=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("mark-output"))
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    x, y, test, classes = digits()
    networks = {
        "marked eights": de.convert(train(some_marked(x, y, 0), y)),
        "clean digits": de.convert(train(x, y)),
    }
    tell({label: find(network, test, classes) for label, network in networks.items()})
    options.out.mkdir(parents=True, exist_ok=True)
    draw(networks, test[classes == EIGHT][:20], options.out)
    print(f"\n{time.perf_counter() - start:.0f} s; the figure and a report are in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
