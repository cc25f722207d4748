"""From a genome and peaks to contributions, tracks and motifs, held against what was planted.

    python demo.py [--out DIR] [--small]    minutes on two cores; with --small less than one

simulates a genome, runs the commands as a user would, and prints which method's contributions lie
where the motifs were planted. It needs `deeplift_engine[plot,jobs,genomics]` and the files beside
it; motifs are looked for where modisco-lite is there: its program `modisco` on the path, or named
by DEEPLIFT_ENGINE_MODISCO.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
from judge import WINDOW, Curve, Truth, Windows, compare_track, patterns, stretches
from pictures import draw_curves, draw_logos
from simulate import MOTIFS, write_genome

import deeplift_engine as de

HERE = Path(__file__).resolve().parent
FOLDS = ("fold_0.h5", "fold_1.h5")
METHODS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "deeplift, RevealCancel": ("deeplift", {"rules": "reveal_cancel"}),
    "deeplift, genomics default": ("deeplift", {"rules": "genomics_default"}),
    "deeplift, Rescale": ("deeplift", {"rules": "rescale"}),
    "integrated gradients": ("integrated_gradients", {"steps": 20}),
    "gradient x input": ("gradient_times_input", {}),
    "saturation mutagenesis": ("saturation_mutagenesis", {"centre": "mean"}),
}
STORED = "deeplift, Rescale, both strands"
"""What the store holds."""
SHOWN_SITES = 5
"""The logos are of the first peak with so many."""
EXPECTED_AREA = 0.8
"""Of the store's contributions, by stretches."""


@dataclass(frozen=True)
class Size:
    """How much is done: share of the 50 Mb, references, peaks and folds compared, seqlets."""

    share: float
    references: int
    compared: int
    folds: int
    seqlets: int


FULL, SMALL = Size(1.0, 10, 500, 2, 5000), Size(0.04, 5, 40, 1, 0)


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"({what}: {time.perf_counter() - started:.0f} s)\n", flush=True)


def command(folder: Path, program: list[str], *arguments: str) -> None:
    """Print a command line and run it in a folder; what it prints is printed."""
    name = Path(program[0]).name if len(program) == 1 else "deeplift-engine"
    print(f"$ {name} {shlex.join(arguments)}", flush=True)
    with timed("it took"):
        subprocess.run([*program, *arguments], cwd=folder, check=True)


def engine(folder: Path, *arguments: str) -> None:
    command(folder, [sys.executable, "-m", "deeplift_engine"], *arguments)


# ---------------------------------------------------------------- the three steps


def simulate(folder: Path, size: Size) -> None:
    with timed("simulated in"):
        written = write_genome(folder, size.share)
        print(
            f"genome.fa: {written.bases / 1e6:.0f} Mb; peaks.narrowPeak: {written.peaks} peaks and "
            f"{written.unfit} records that cannot be scored; planted.bed: {written.sites} sites of "
            f"{', '.join(MOTIFS)}"
        )
    for fold in FOLDS:
        shutil.copy(HERE / fold, folder)


def score(folder: Path, size: Size) -> None:
    engine(
        folder, "score", *FOLDS, "peaks.narrowPeak", "--genome", "genome.fa", "-o", "scores.zarr",
        "--target", "counts", "--reverse-complement", "--arrays", "hypothetical,inputs,predictions",
        "--references", f"dinucleotide_shuffle:{size.references}",
    )  # fmt: skip


def export(folder: Path) -> None:
    engine(folder, "export", "scores.zarr", "--to", "modisco", "--to", "bigwig", "-o", "out")


def check_track(folder: Path, windows: Windows) -> bool:
    """Whether the bigWig file has the store's contributions, bit by bit."""
    bases, largest, total, expected = compare_track(folder / "out" / "scores.bw", windows)
    print(
        f"out/scores.bw, read by pyBigWig: {bases} bases, largest difference from the store "
        f"{largest:g}, sum {total:.3f} and {expected:.3f}\n"
    )
    return bases == windows.contributions.size and largest == 0


def motifs(folder: Path, truth: Truth, size: Size) -> None:
    """Let modisco-lite find motifs, and compare their sites with the planted ones."""
    program = os.environ.get("DEEPLIFT_ENGINE_MODISCO") or shutil.which("modisco")
    if not program or not size.seqlets:
        reason = "--small leaves it out" if program else "modisco-lite is not there"
        print(f"no motifs were looked for: {reason}\n")
        return
    command(
        folder, [program], "motifs", "-s", "out/scores.ohe.npz", "-a", "out/scores.attr.npz",
        "-n", str(size.seqlets), "-w", "200", "-o", "out/scores.motifs.h5",
    )  # fmt: skip
    engine(folder, "export", "scores.zarr", "--motifs", "out/scores.motifs.h5", "-o", "out")
    print(f"{'found':26}{'seqlets':>8}  {'planted':8}at planted sites")
    for each in patterns(folder / "out" / "scores.motifs.sites.bed", truth):
        print(f"{each.name:26}{each.seqlets:8}  {each.motif:8}{each.share:.1%}")
    print()


# ---------------------------------------------------------------- methods


def contributions(windows: Windows, size: Size) -> dict[str, np.ndarray]:
    """Contributions ``(n, L)`` of the letters of some windows, by method: means over folds."""
    networks = [de.load(HERE / fold) for fold in FOLDS[: size.folds]]
    references = de.references.dinucleotide_shuffle(size.references)
    found: dict[str, np.ndarray] = {}
    for name, (method, options) in METHODS.items():
        each = [network.explainer(method, target="counts", **options) for network in networks]
        explainer = de.folds(each) if len(each) > 1 else each[0]
        compared = {"references": references} if explainer.traits.uses_references else {}
        scores = explainer.run(windows.one_hot, progress=False, **compared).scores
        # of a mutagenesis the other letters have values of their own
        present = 1 if explainer.traits.uses_references else windows.one_hot
        found[name] = (scores * present).sum(axis=-1)
    return found


def compare(folder: Path, windows: Windows, truth: Truth, size: Size) -> float:
    """Print and draw how well each method's contributions tell planted sites; the store's area."""
    is_planted = windows.planted(truth)
    with timed("all methods, compilation included"):
        found = contributions(windows, size)
        found = {STORED: windows.contributions, **found}
        print(
            f"area under the precision-recall curve, {len(windows)} peaks, {is_planted.mean():.1%} "
            f"of their bases in planted sites; methods of {size.folds} of {len(FOLDS)} folds:"
        )
        print(f"{'':34}{'bases':>8}{f'{WINDOW} bases':>10}")
        curves = {name: Curve.of(stretches(each), is_planted) for name, each in found.items()}
        for name, each in found.items():
            print(f"{name:34}{Curve.of(each, is_planted).area:8.3f}{curves[name].area:10.3f}")
    draw_curves(curves, float(is_planted.mean()), folder / "curves.png")
    counts = np.array([len(windows.sites(row, truth)) for row in range(len(windows))])
    draw_logos(found, windows, int(np.argmax(counts == SHOWN_SITES)), truth, folder / "logos.png")
    print(f"wrote {folder / 'curves.png'} and {folder / 'logos.png'}")
    return curves[STORED].area


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("demo-output/genome"), help="default: %(default)s"
    )
    parser.add_argument(
        "--small", action="store_true", help="2 Mb, 200 peaks, no motifs, methods by one fold"
    )
    options = parser.parse_args(arguments)
    folder, size = options.out, SMALL if options.small else FULL
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "scores.zarr", ignore_errors=True)
    shutil.rmtree(folder / "out", ignore_errors=True)

    simulate(folder, size)
    score(folder, size)
    export(folder)
    truth, windows = Truth.read(folder / "planted.bed"), Windows.read(folder / "scores.zarr")
    same = check_track(folder, windows)
    motifs(folder, truth, size)
    area = compare(folder, windows.spread(size.compared), truth, size)
    if not same:
        print("the bigWig file differs from the store", file=sys.stderr)
    if area < EXPECTED_AREA:
        print(f"the area of {STORED} is below {EXPECTED_AREA}", file=sys.stderr)
    return 0 if same and area >= EXPECTED_AREA else 1


if __name__ == "__main__":
    sys.exit(main())
