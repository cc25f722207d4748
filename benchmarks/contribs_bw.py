"""chrombpnet's `contribs_bw` beside this library's `score` and `export`, each as whole commands.

    python -m benchmarks.contribs_bw --chrombpnet-python PATH

makes a network by chrombpnet's code, a genome and regions whose windows lie over each other, runs
the commands of both on the same files and references, and prints how far the bigWig files of each
head are apart, base by base, and how long the commands take. Its exit code is 1 where they differ
by more than chrombpnet's file of scores, which is float16, may hide.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.architectures import LETTERS
from benchmarks.interpretation import by_chrombpnet, make, problem
from benchmarks.process import CHECKOUT, BenchmarkError, environment
from benchmarks.work import Array, Problem, load

ALPHABET = b"ACGT"
HEADS = {"counts": "counts", "profile": "profile:pair"}
"""The target of each head that is what chrombpnet explains."""
OVERLAP = 0.3
"""Share of a window that the next one covers, too."""
TOLERANCES = {"counts": 1e-5, "profile": 1e-4}
"""How far scores of both may differ, as shares of the largest."""


@dataclass(frozen=True)
class Tracks:
    """The values (n,) of every base of one head that a file has, by chrombpnet and by us."""

    theirs: Array
    ours: Array

    @property
    def difference(self) -> float:
        """The largest, as a share of the largest value."""
        return float(np.abs(self.theirs - self.ours).max() / np.abs(self.theirs).max())


# -------------------------------------------------------------------------------------- the files


def write_genome(work: Problem, folder: Path) -> Array:
    """``genome.fa``, ``sizes.tsv`` and ``regions.narrowPeak``; the windows (N, L, 4).

    The window of the last record goes over the end of the chromosome, and is none. Half of the
    letters are lower case, as in repeats.
    """
    random = np.random.default_rng(0)
    length, count = work.architecture.length, work.inputs
    step = round(length * (1 - OVERLAP))
    codes = random.integers(0, LETTERS, step * (count + 1) + length)
    letters = np.frombuffer(ALPHABET + ALPHABET.lower(), np.uint8)
    text = letters[codes + LETTERS * (random.random(len(codes)) < 0.5)].tobytes()
    (folder / "genome.fa").write_bytes(b">chr1\n" + text + b"\n")
    (folder / "sizes.tsv").write_text(f"chr1\t{len(codes)}\n")
    starts = [*(step * np.arange(count)), len(codes) - length // 2 - 1]
    lines = (
        f"chr1\t{start + 10}\t{start + length // 2 + 1}\tpeak{row}\t0\t.\t0\t0\t0\t"
        f"{length // 2 - 10}\n"
        for row, start in enumerate(starts)
    )
    (folder / "regions.narrowPeak").write_text("".join(lines))
    windows = np.stack([codes[start : start + length] for start in starts[:-1]])
    return np.asarray(np.eye(LETTERS, dtype=np.float32)[windows])


# ----------------------------------------------------------------------------------- the commands


def theirs(folder: Path, python: str) -> None:
    """``contribs_bw``, whose shuffles are the references of the folder."""
    options = {
        "-m": "model.h5", "-g": "genome.fa", "-r": "regions.narrowPeak", "-c": "sizes.tsv",
        "-op": "theirs",
    }  # fmt: skip
    paths = (item for flag, name in options.items() for item in (flag, str(folder / name)))
    by_chrombpnet(python, str(folder), "contribs_bw", *paths)


def ours(folder: Path) -> None:
    """``score`` of both heads against the same references, and ``export``."""
    np.save(folder / "references.npy", load(folder)[1].own)
    heads = (word for target in HEADS.values() for word in ("--target", target))
    engine(
        folder, "score", "model.h5", "regions.narrowPeak", "--genome", "genome.fa", *heads,
        "--references", "references.npy", "--arrays", "hypothetical,inputs", "-o", "ours.zarr",
    )  # fmt: skip
    engine(folder, "export", "ours.zarr", "--to", "bigwig", "-o", ".")


def engine(folder: Path, *arguments: str) -> None:
    """One command of this library.

    Raises
    ------
    BenchmarkError
        If it fails; with the end of what it said.
    """
    path = f"{CHECKOUT}:{CHECKOUT / 'conversion'}"
    done = subprocess.run(
        [sys.executable, "-m", "deeplift_engine", *arguments],
        cwd=folder,
        env={**environment(), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"deeplift-engine failed: {done.stderr.strip()[-500:]}")


# ---------------------------------------------------------------------------------- what is right


def tracks(folder: Path, head: str) -> Tracks:
    """Both files of a head.

    Raises
    ------
    BenchmarkError
        If they have not the same bases.
    """
    first, second = (
        track(folder / name) for name in (f"theirs.{head}_scores.bw", f"ours.{head}.bw")
    )
    if not np.array_equal(np.isnan(first), np.isnan(second)):
        raise BenchmarkError(f"the tracks of {head} have not the same bases")
    present = ~np.isnan(first)
    return Tracks(first[present], second[present])


def track(path: Path) -> Array:
    """The value of each base of the one chromosome of a bigWig file; NaN where it has none."""
    import pyBigWig

    with pyBigWig.open(str(path)) as file:
        ((name, length),) = file.chroms().items()
        return np.asarray(file.values(name, 0, length), np.float64)


def allowed(values: Array, tolerance: float) -> Array:
    """How far ours may be from each value of theirs, which chrombpnet has rounded to float16."""
    steps = np.spacing(np.abs(values).astype(np.float16)).astype(np.float64)
    return np.asarray(tolerance * np.abs(values).max() + steps / 2)


def agree(both: Tracks, tolerance: float) -> bool:
    """Whether no base of ours is farther from theirs than is allowed."""
    return bool((np.abs(both.theirs - both.ours) <= allowed(both.theirs, tolerance)).all())


def lines(folder: Path, seconds: tuple[float, float]) -> Iterator[tuple[str, bool]]:
    """A line of Markdown for each head, and whether its files agree; one of the times."""
    for head, tolerance in TOLERANCES.items():
        both = tracks(folder, head)
        right = agree(both, tolerance)
        yield (
            f"- {head}: {len(both.ours):,} bases, the largest difference is {both.difference:.1e} "
            f"of the largest value; within {tolerance:.0e} and the rounding to float16: "
            f"{'met' if right else '**missed**'}",
            right,
        )
    first, second = seconds
    yield (
        f"- `chrombpnet contribs_bw` took {first:.1f} s, `score` and `export` {second:.1f} s, "
        f"imports and compilation included ({second / first:.2f} x)",
        True,
    )


def timed(work: Callable[[], None]) -> float:
    """Seconds of the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def parser() -> argparse.ArgumentParser:
    """Options; the network is small by default."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.contribs_bw",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("--chrombpnet-python", metavar="PATH", required=True)
    result.add_argument("--filters", type=int, default=16)
    result.add_argument("--dilated", type=int, default=4)
    result.add_argument("--length", type=int, default=714)
    result.add_argument("--outputs", type=int, default=500)
    result.add_argument("--inputs", type=int, default=6, help="windows (default 6)")
    result.add_argument("--references", type=int, default=20, help="of each (default 20)")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run both and print; 1 where they differ or one failed."""
    options = parser().parse_args(arguments)
    work = problem(options.filters, options)
    try:
        with tempfile.TemporaryDirectory(prefix="deeplift-contribs-") as name:
            folder = Path(name)
            make(work, write_genome(work, folder), options.chrombpnet_python, folder)
            seconds = (
                timed(lambda: theirs(folder, options.chrombpnet_python)),
                timed(lambda: ours(folder)),
            )
            right = True
            print(f"{work.architecture.title}; {work.inputs} windows:\n")
            for line, agreed in lines(folder, seconds):
                print(line)
                right = right and agreed
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
