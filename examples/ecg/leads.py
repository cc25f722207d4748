"""Which leads a network read that knows an infarction, and whether attributions say so.

    python leads.py [--out DIR]

It writes ``traces.png`` and ``leads.png`` to DIR, and needs ``deeplift_engine[plot]``.

A network of two convolutions over time learns to tell simulated recordings (``simulate.py``) with
an inferior infarction from healthy ones; 99 % of 400 others are right. The infarction was
planted: it lifts the ST segment in II, III and aVF, sinks it in aVR and aVL, and leaves I and the
chest leads as they are. The same wave, harmless, lies in the chest leads of half of all
recordings. What the network used of it is measured by taking the plant out of one lead at a time;
what methods say is the sum of their scores in the ST segments of a lead.

Of 40 recordings with an infarction, of whose cells (a step of a lead) 5.3 % are planted, was
found:

    ================================  =====  =======  ========  ====
    method and reference               area  planted  harmless     r
    ================================  =====  =======  ========  ====
    gradient, its size                 0.41     22 %       2 %  0.95
    gradient x input                   0.34     23 %       3 %  0.98
    integrated gradients, flat line    0.36     23 %       3 %  0.98
    DeepLIFT Rescale, flat line        0.34     23 %       2 %  0.98
    DeepLIFT RevealCancel, flat line   0.35     26 %       2 %  0.97
    DeepLIFT Rescale, healthy hearts   0.30     19 %       2 %  0.98
    DeepLIFT Rescale, its own twin     0.96     95 %       0 %  0.99
    ================================  =====  =======  ========  ====

(area under precision and recall of planted cells, ranked by sizes of scores; shares of these
sizes on planted and on harmless cells; correlation over leads with what taking the plant out
costs.)

- *Which leads* every method answers, against any reference: III most, then aVF and II, some of
  aVL, hardly aVR, and no chest lead, although half of the recordings have the same wave there.
- *When* depends on the reference and not on the method. Against a flat line three quarters of the
  scores lie on what every heart has, QRS above all; other hearts are no better, as their beats
  come at other times. Against the same heart without the infarction 95 % are on the plant.
- Leads cover for each other. Taken out one by one the five planted ones cost 5.9 units of the
  logit, all at once 12.0, which is the sum of DeepLIFT's scores against the twin.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np
from simulate import LEADS, RATE, Recordings, simulate

import deeplift_engine as de

SCORED = 40
"""Recordings with an infarction that are scored."""
LEAST = 0.04
"""Millivolts of the plant from which on a cell, a step of a lead, counts as planted."""
HEALTHY = 10
"""Healthy recordings that are references."""


@dataclass(frozen=True)
class Judged:
    """What a method said of the leads.

    Attributes
    ----------
    precision
        Area under the curve of precision and recall, planted cells ranked by sizes of scores.
    planted, decoy
        Shares of the sizes of scores on planted cells, and on those of the harmless wave alone.
    by_lead
        Scores of the planted steps of each lead, added up and averaged over recordings (12,).
    """

    precision: float
    planted: float
    decoy: float
    by_lead: np.ndarray


def train(data: Recordings) -> keras.Model:
    """Two convolutions over time that see all leads, some seconds."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(data.x.shape[1:], name="ecg"),
            keras.layers.Conv1D(12, 11, activation="relu"),
            keras.layers.MaxPooling1D(2),
            keras.layers.Conv1D(16, 9, activation="relu"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, name="infarction"),
        ]
    )
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(data.x, data.has_infarction, epochs=10, batch_size=64, verbose=0)
    return model


def methods(healthy: np.ndarray, twins: np.ndarray) -> dict[str, tuple[str, dict[str, Any], Any]]:
    """By label: method, its options, references."""
    reveal = {"rules": "reveal_cancel"}
    return {
        "gradient, its size": ("saliency", {}, None),
        "gradient x input": ("gradient_times_input", {}, None),
        "integrated gradients, flat line": ("integrated_gradients", {"steps": 40}, 0.0),
        "DeepLIFT Rescale, flat line": ("deeplift", {}, 0.0),
        "DeepLIFT RevealCancel, flat line": ("deeplift", reveal, 0.0),
        "DeepLIFT Rescale, healthy hearts": ("deeplift", {}, de.references.shared(healthy)),
        "DeepLIFT Rescale, its own twin": ("deeplift", {}, de.references.per_sample(twins)),
    }


def removed(network: de.Network, data: Recordings) -> np.ndarray:
    """What the logit loses where the plant is taken out of one lead alone (12,), the mean."""
    before = network.predict(data.x)
    losses = []
    for lead in range(len(LEADS)):
        x = data.x.copy()
        x[..., lead] -= data.plant[..., lead]
        losses.append((before - network.predict(x)).mean())
    return np.array(losses)


def judged(scores: np.ndarray, data: Recordings) -> Judged:
    """How well scores (N, T, 12) tell what was planted."""
    planted = np.abs(data.plant) > LEAST
    decoy = (np.abs(data.decoy) > LEAST) & ~planted
    sizes = np.abs(scores).astype(float)
    when = planted.any(axis=-1, keepdims=True)
    return Judged(
        average_precision(sizes.ravel(), planted.ravel()),
        float(sizes[planted].sum() / sizes.sum()),
        float(sizes[decoy].sum() / sizes.sum()),
        (scores * when).sum(axis=1).mean(axis=0),
    )


def average_precision(values: np.ndarray, is_planted: np.ndarray) -> float:
    hits = is_planted[np.argsort(-values, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def measure(
    network: de.Network,
    data: Recordings,
    healthy: np.ndarray,
    labels: Container[str] | None = None,
) -> dict[str, Judged]:
    """What each method says of recordings with an infarction; those of some labels, or all."""
    found = {}
    for label, (name, options, references) in methods(healthy, data.x - data.plant).items():
        if labels is not None and label not in labels:
            continue
        result = network.explainer(name, **options).run(
            data.x, references=references, progress=False
        )
        found[label] = judged(np.asarray(result.scores), data)
    return found


def tell(found: dict[str, Judged], lost: np.ndarray, rate: float) -> None:
    print(f"{rate:.1%} of the cells are planted\n")
    print(f"{'':34}{'area':>6}{'planted':>9}{'harmless':>10}{'r':>7}")
    for label, each in found.items():
        r = np.corrcoef(each.by_lead, lost)[0, 1]
        print(f"{label:34}{each.precision:6.2f}{each.planted:9.0%}{each.decoy:10.0%}{r:7.2f}")
    print(f"\n{'':34}" + "".join(f"{lead:>6}" for lead in LEADS))
    print(f"{'without the plant in the lead':34}" + "".join(f"{-each:6.1f}" for each in lost))
    for label, each in found.items():
        print(f"{label:34}" + "".join(f"{value:6.1f}" for value in each.by_lead))


def draw_leads(found: dict[str, Judged], lost: np.ndarray, path: Path) -> None:
    """What each lead gave, by intervention and by two references."""
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(9, 4.2), layout="constrained")
    labels = [label for label in found if label.startswith("DeepLIFT Rescale")]
    rows = [lost, *(found[label].by_lead for label in labels)]
    names = ["plant taken out of the lead", *labels]
    colours, places = ("#20242c", "#0072b2", "#e69f00", "#009e73"), np.arange(len(LEADS))
    for number, (name, row, colour) in enumerate(zip(names, rows, colours, strict=False)):
        ax.bar(places + 0.2 * (number - 1.5), row, width=0.2, color=colour, label=name)
    ax.axhline(0, color="#6b7484", linewidth=0.8)
    ax.set_xticks(places, LEADS)
    ax.set_xlabel("lead")
    ax.set_ylabel("share of the logit in the ST segments\n(units of the logit)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("ecg-output"))
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    network = de.convert(train(simulate(1500, 0)))
    test = simulate(400, 1)
    right = (network.predict(test.x)[:, 0] > 0) == test.has_infarction
    print(f"{right.mean():.1%} of {len(right)} recordings right")
    data, healthy = ill(test), test.x[test.has_infarction == 0][:HEALTHY]
    found, lost = measure(network, data, healthy), removed(network, data)
    tell(found, lost, float((np.abs(data.plant) > LEAST).mean()))
    options.out.mkdir(parents=True, exist_ok=True)
    draw_leads(found, lost, options.out / "leads.png")
    draw_traces(network, data, healthy, options.out / "traces.png")
    print(f"\n{time.perf_counter() - start:.0f} s; the figures are in {options.out}")
    return 0


def ill(data: Recordings) -> Recordings:
    """The first recordings with an infarction."""
    rows = np.flatnonzero(data.has_infarction)[:SCORED]
    return Recordings(data.x[rows], data.has_infarction[rows], data.plant[rows], data.decoy[rows])


def draw_traces(network: de.Network, data: Recordings, healthy: np.ndarray, path: Path) -> None:
    """The recording with the largest harmless wave, coloured by what its leads gave."""
    row = int(np.abs(data.decoy).max(axis=(1, 2)).argmax())
    signals = de.tables.read_signals(
        data.x[row : row + 1], network, rate=RATE, channels=LEADS, unit="mV", names=["infarction"]
    )
    result = network.explainer("deeplift").run(
        signals, references=de.references.shared(healthy), progress=False
    )
    de.tables.draw_signal(result, signals).savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())
