"""Convert and score the example's model, and hold the scores against the planted motifs.

    python demo.py [--out DIR]    a quarter of a minute; writes logo.png and scores.h5 to DIR

It needs `deeplift_engine[plot]` and the two files beside it, nothing else of the checkout.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

import matplotlib.pyplot as plt
import numpy as np

import deeplift_engine as de
from deeplift_engine.figures import draw_logo

HERE = Path(__file__).resolve().parent
ALPHABET = "ACGT"
REFERENCES = 20
NEAR = 3
"""A site counts as found if a window starts at most so many bases from it."""
SHOWN = 8
"""Sequences in the table."""
EXPECTED_RECALL = 0.9


class Data(NamedTuple):
    """The test sequences and what was planted in them; see README.md."""

    one_hot: np.ndarray
    tasks: list[str]
    labels: np.ndarray
    sites: np.ndarray
    motifs: list[str]
    widths: np.ndarray

    def planted(self, sample: int, motif: int) -> np.ndarray:
        """Starts of a motif's sites in a sequence."""
        sites = self.sites
        return np.sort(sites[(sites[:, 0] == sample) & (sites[:, 1] == motif), 2])


def read_data(path: Path) -> Data:
    with np.load(path) as file:
        letters = file["sequences"].view("S1").reshape(len(file["sequences"]), -1)
        one_hot = letters[..., None] == np.frombuffer(ALPHABET.encode(), "S1")
        return Data(
            one_hot.astype(np.float32),
            file["tasks"].tolist(),
            file["labels"],
            file["sites"],
            file["motifs"].tolist(),
            file["widths"],
        )


def best_windows(contributions: np.ndarray, width: int, count: int) -> np.ndarray:
    """Starts of the ``count`` windows with the largest sums, none overlapping another."""
    sums = np.convolve(contributions, np.ones(width), mode="valid")
    starts = []
    for _ in range(count):
        start = int(sums.argmax())
        starts.append(start)
        sums[max(0, start - width + 1) : start + width] = -np.inf
    return np.sort(np.array(starts, int))


def find(data: Data, contributions: np.ndarray, motif: int) -> dict[int, np.ndarray]:
    """Best windows of every sequence with a motif, as many as were planted, by sample."""
    return {
        int(sample): best_windows(
            contributions[sample], int(data.widths[motif]), len(data.planted(sample, motif))
        )
        for sample in np.unique(data.sites[data.sites[:, 1] == motif, 0])
    }


def is_found(site: int, starts: np.ndarray) -> bool:
    return bool((np.abs(starts - site) <= NEAR).any())


def print_table(data: Data, found: list[dict[int, np.ndarray]]) -> None:
    print(f"\n{'sequence':>8}  {'motif':5}  {'planted at':17}  {'found at':17}  sites found")
    samples = [sample for sample in range(len(data.one_hot)) if data.labels[sample].any()]
    for sample in samples[:SHOWN]:
        for motif, name in enumerate(data.motifs):
            sites = data.planted(sample, motif)
            if len(sites):
                starts = found[motif][sample]
                hits = sum(is_found(site, starts) for site in sites)
                planted, where = (", ".join(map(str, row)) for row in (sites, starts))
                print(f"{sample:8d}  {name:5}  {planted:17}  {where:17}  {hits} of {len(sites)}")
    print(f"     ...  ({len(samples)} sequences with planted motifs in all)\n")


def recall(data: Data, found: list[dict[int, np.ndarray]]) -> float:
    hits = total = 0
    for motif, name in enumerate(data.motifs):
        each = [
            is_found(site, starts)
            for sample, starts in found[motif].items()
            for site in data.planted(sample, motif)
        ]
        hits, total = hits + sum(each), total + len(each)
        print(f"{name:5} sites found within {NEAR} bases: {sum(each)} of {len(each)}")
    print(f"recall {hits / total:.3f}")
    return hits / total


def draw(data: Data, contributions: np.ndarray, path: Path) -> None:
    """Logos of a sequence with GATA sites, one with TAL1 sites, and one with both, twice."""
    rows = []
    for wanted, motifs in (((0, 1, 0), (0,)), ((0, 0, 1), (1,)), ((1, 1, 1), (0, 1))):
        # the first such sequence with more than one site for each motif shown
        sample = next(
            sample
            for sample, labels in enumerate(data.labels)
            if tuple(labels) == wanted
            and all(len(data.planted(sample, motif)) > 1 for motif in motifs)
        )
        rows += [(sample, motif) for motif in motifs]
    figure, axes = plt.subplots(len(rows), 1, figsize=(17, 2.15 * len(rows)), layout="constrained")
    figure.get_layout_engine().set(hspace=0.07, h_pad=0.1, w_pad=0.1)
    for ax, (sample, target) in zip(axes, rows, strict=True):
        spans = [
            (site, site + data.widths[motif], name)
            for motif, name in enumerate(data.motifs)
            for site in data.planted(sample, motif)
        ]
        projected = contributions[target, sample][:, None] * data.one_hot[sample]
        draw_logo(projected, ax, highlight=spans)
        ax.set_title(
            f"Sequence {sample}: contributions to “{data.motifs[target]}”",
            loc="left",
            fontsize=11,
            fontweight="bold",
            pad=16,
        )
        ax.set_ylabel("contribution\nto the logit", fontsize=9)
    figure.align_ylabels(axes)
    axes[-1].set_xlabel("position in the sequence; shaded: planted sites", fontsize=10)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output"), help="default: %(default)s"
    )
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    data = read_data(HERE / "sequences.npz")

    network = de.load(HERE / "model.h5")
    print(f"{network!r}\n")
    print(f"{'layer':28}{'shape':12}rule")
    for row in network.describe(rules="genomics_default"):
        print(f"{row.name:28}{' x '.join(map(str, row.shape)):12}{row.rule}")
    print(f"\n{network.verify(data.one_hot[:16]).message}")
    share = ((network.predict(data.one_hot) > 0.5) == data.labels).mean(axis=0)
    print(
        "test labels right: "
        + ", ".join(f"{t} {s:.1%}" for t, s in zip(data.tasks, share, strict=True))
    )

    started = time.perf_counter()
    result = network.explainer(rules="genomics_default", target="logits").run(
        data.one_hot,
        target=[data.tasks.index(motif) for motif in data.motifs],
        references=de.references.dinucleotide_shuffle(REFERENCES, seed=0),
        strict=True,
    )
    seconds = time.perf_counter() - started
    print(
        f"\n{len(data.one_hot)} sequences x {REFERENCES} references x {len(data.motifs)} targets "
        f"scored in {seconds:.1f} s, compilation included"
    )
    print(
        "contributions sum to the change of the target: largest error "
        f"{np.abs(result.convergence_delta).max():.1e} "
        f"({result.relative_error.max():.1e} of the change)"
    )
    contributions = result.scores.sum(axis=-1)  # over the four letters: one value per position
    found = [find(data, contributions[motif], motif) for motif in range(len(data.motifs))]
    print_table(data, found)
    reached = recall(data, found)

    result.save(out / "scores.h5", overwrite=True, hypothetical=True)
    draw(data, contributions, out / "logo.png")
    print(f"\nwrote {out / 'scores.h5'} and {out / 'logo.png'}")
    if reached < EXPECTED_RECALL:
        print(f"recall is below {EXPECTED_RECALL}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
