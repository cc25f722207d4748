"""chrombpnet's own interpretation and tangermeme beside this library, on a network of chrombpnet.

    python -m benchmarks.interpretation --chrombpnet-python PATH --peers-python PATH

prints a Markdown table: how far each is from float64, how well its scores sum to what the target
changes by, time and memory. ``--write docs/GENOMICS.md`` puts it in its section there.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.architectures import LETTERS, Architecture, Convolution
from benchmarks.contenders import BY_DEFAULT, CONTENDERS
from benchmarks.interpreters import HEADS
from benchmarks.process import CHECKOUT, BenchmarkError, Cost, Process, environment
from benchmarks.run import machine, renewed
from benchmarks.work import Array, Data, Problem, Row, load, save
from deeplift_engine.util.onednn import prefer_onednn

_log = logging.getLogger(__name__)
OURS, FORK, TANGERMEME = "interpretation", "chrombpnet", "tangermeme_heads"
TIME_BAR, MEMORY_BAR = 1 / 5, 1 / 4
HEADING = "## Beside chrombpnet and tangermeme"
HEADER = (
    "work",
    "by",
    "time",
    "of it",
    "CPU",
    "of it",
    "memory",
    "of it",
    "from float64",
    "sums to",
    "bars",
)


@dataclass(frozen=True)
class Interpretation:
    """One row: what is explained, by whom, and how near to chrombpnet's scores ours must be.

    ``tolerance`` is a share of the largest score; None where chrombpnet has no such target.
    """

    row: Row
    contenders: tuple[str, ...]
    tolerance: float | None = None


ROWS = (
    Interpretation(Row("counts", "counts"), (OURS, FORK, TANGERMEME), 1e-5),
    Interpretation(Row("profile", "profile, weights of the pair"), (OURS, FORK), 1e-4),
    Interpretation(Row("held", "profile, weights at the input"), (OURS, TANGERMEME)),
    Interpretation(Row("both", "counts and profile of the pair"), (OURS, FORK), 1e-4),
)
NOTES = """\
The network is built, initialised (biases at random too) and saved by chrombpnet's code on its
TensorFlow 2.8; the references are 20 dinucleotide shuffles of each sequence, made by chrombpnet's
function and given to all as an array, so that no time of shuffling is in the table. chrombpnet's
fork is called as its `interpret` does, one sequence at a time, head by head; tangermeme at the
fastest of three batch sizes; this library at its default, both heads in one run. Hypothetical
contributions are compared. Each has a process of its own and both cores; imports, loading and a
first run are not counted. Times are minima over runs taken in turns, "CPU" is the
processor time of all threads, "of it" what this library takes of it; memory is the most that a
process held during a run, in brackets how much of it came on top of libraries and model. "From
float64" is the largest difference from this library's scores in float64 over the largest score;
"sums to" the largest difference between the projected scores of a sequence, added, and the mean
change of the target, which numpy computes from the outputs in float64, over the largest change.
tangermeme goes back through the input's half alone, so that a softmax that is detached weighs as at
the input; its own check, which takes the whole change of such a target, warns of each batch."""


def problem(filters: int, options: argparse.Namespace) -> Problem:
    """The body of a network of chrombpnet, and so many sequences and references of each."""
    dilated = (Convolution(filters, 3, 2**i) for i in range(1, options.dilated + 1))
    network = Architecture(
        title=f"{filters} filters, {options.dilated} dilated layers, {options.length} bases in",
        length=options.length,
        convolutions=(Convolution(filters, 21), *dilated),
        padding="valid",
        pool=None,
        hidden=(),
        outputs=options.outputs,
        output="linear",
    )
    rows = tuple(each.row for each in ROWS)
    return Problem("chrombpnet", network, options.inputs, options.references, rows)


def random_sequences(work: Problem) -> Array:
    """One-hot sequences (N, L, 4)."""
    random = np.random.default_rng(0)
    letters = random.integers(0, LETTERS, (work.inputs, work.architecture.length))
    return np.asarray(np.eye(LETTERS, dtype=np.float32)[letters])


def make(work: Problem, inputs: Array, python: str, folder: Path) -> None:
    """Write the network, and the sequences with their references, by chrombpnet's environment."""
    save(work, Data(inputs, inputs[:0], inputs[:0], []), folder)
    by_chrombpnet(python, str(folder))


def by_chrombpnet(python: str, *arguments: str) -> None:
    """Run `benchmarks.interpreters` in chrombpnet's environment.

    Raises
    ------
    BenchmarkError
        If it fails; with the end of what it said.
    """
    done = subprocess.run(
        [python, "-m", "benchmarks.interpreters", *arguments],
        cwd=CHECKOUT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"chrombpnet failed: {done.stderr.strip()[-500:]}")


# ------------------------------------------------------------------------------ what is right


def once(name: str, row: str | None, folder: Path) -> Array:
    """What a contender of this environment gives, run once in a process of its own."""
    with opened(name, sys.executable, row, folder) as process:
        process.run(folder / f"{name}.npy")
    return np.asarray(np.load(folder / f"{name}.npy"))


def changes(outputs: Array) -> Mapping[str, Array]:
    """The mean change (N,) of each head's target, of outputs (N, 1 + K, profile and counts)."""
    logits, counts = outputs[..., :-1], outputs[..., -1]
    logits = logits - logits.mean(-1, keepdims=True)
    softmax = np.exp(logits - logits.max(-1, keepdims=True))
    softmax /= softmax.sum(-1, keepdims=True)
    change = logits[:, :1] - logits[:, 1:]
    pair = (softmax[:, :1] + softmax[:, 1:]) / 2
    return {
        "counts": counts[:, 0] - counts[:, 1:].mean(1),
        "profile": (pair * change).sum(-1).mean(1),
        "held": (softmax[:, :1] * change).sum(-1).mean(1),
    }


def off(values: Array, expected: Array) -> float:
    """The largest difference head by head, as a share of the head's largest value."""
    axes = tuple(range(1, expected.ndim))
    return float((np.abs(values - expected).max(axes) / np.abs(expected).max(axes)).max())


# ---------------------------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Measured:
    """A contender on a row: cost, difference from float64 and from ours, error of the sums."""

    cost: Cost
    from_float64: float
    from_ours: float
    sums_to: float


@contextmanager
def opened(name: str, python: str, row: str | None, folder: Path) -> Iterator[Process]:
    """A process with its libraries and model loaded."""
    process = Process(name, python, folder)
    try:
        process.opened = process.ask(do="prepare", row=row)
        yield process
    finally:
        process.close()


def measure(
    each: Interpretation, pythons: Mapping[str, str], folder: Path, options: argparse.Namespace
) -> tuple[dict[str, Measured], dict[str, str]]:
    """All contenders of a row, and their versions."""
    _log.info("%s", each.row.title)
    _, data = load(folder)
    expected = once("in_float64", each.row.name, folder)
    change = changes(np.load(folder / "outputs_in_float64.npy"))
    totals = np.stack([change[head] for head in HEADS[each.row.name]])
    scores: dict[str, Array] = {}
    versions: dict[str, str] = {}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(opened(name, pythons[name], each.row.name, folder))
            for name in each.contenders
            if name in pythons
        ]
        for process in processes:
            versions[CONTENDERS[process.name].label] = versions_of(process)
            process.choose_batch_size()
            process.run(folder / f"{process.name}.npy")
            scores[process.name] = np.load(folder / f"{process.name}.npy")
        for _ in range(options.repeats):
            for process in processes:
                process.measure(options.patience)
        measured = {
            process.name: Measured(
                process.cost(),
                off(scores[process.name], expected),
                off(scores[process.name], scores[OURS]),
                off((scores[process.name] * data.inputs).sum((-2, -1)), totals),
            )
            for process in processes
        }
    return measured, versions


def versions_of(process: Process) -> str:
    """The packages of a contender with their versions."""
    packages: Mapping[str, str] = process.opened["versions"]
    return ", ".join(f"{name} {number}" for name, number in packages.items())


# ------------------------------------------------------------------------------------ printing


def lines(each: Interpretation, measured: Mapping[str, Measured]) -> Iterator[str]:
    """Of the table, ours first."""
    ours = measured[OURS]
    for name, found in measured.items():
        cost = found.cost
        batch = f" (batch {cost.batch_size})" if cost.batch_size != BY_DEFAULT else ""
        yield line(
            (
                f"**{each.row.title}**" if name == OURS else "",
                f"{CONTENDERS[name].label}{batch}",
                f"{cost.seconds:.2f} s",
                f"{ours.cost.seconds / cost.seconds:.2f}" if name != OURS else "",
                f"{cost.processor:.2f} s",
                f"{ours.cost.processor / cost.processor:.2f}" if name != OURS else "",
                f"{cost.peak:.0f} MiB (+{cost.peak - cost.idle:.0f})",
                f"{ours.cost.peak / cost.peak:.2f}" if name != OURS else "",
                f"{found.from_float64:.0e}",
                f"{found.sums_to:.0e}",
                "; ".join(verdicts(each, ours, found)) if name == FORK else "",
            )
        )


def verdicts(each: Interpretation, ours: Measured, fork: Measured) -> Iterator[str]:
    """The bars beside chrombpnet's fork, and whether they are met."""
    time, memory = ours.cost.seconds / fork.cost.seconds, ours.cost.peak / fork.cost.peak
    agreed = fork.from_ours
    if each.tolerance is not None:
        yield verdict(f"agrees to {each.tolerance:.0e}: {agreed:.0e}", agreed <= each.tolerance)
    yield verdict(f"at most {TIME_BAR} of its time: {time:.2f}", time <= TIME_BAR)
    yield verdict(f"at most {MEMORY_BAR} of its memory: {memory:.2f}", memory <= MEMORY_BAR)


def verdict(words: str, met: bool) -> str:
    """What was asked and measured, met or missed."""
    return f"{words}, {'met' if met else '**missed**'}"


def line(cells: tuple[str, ...]) -> str:
    """Of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def chosen(options: argparse.Namespace) -> list[Interpretation]:
    """The rows of the options, all by default."""
    return [each for each in ROWS if options.row is None or each.row.name in options.row]


def table(options: argparse.Namespace) -> str:
    """A table for each size of network."""
    pythons = {OURS: sys.executable, FORK: options.chrombpnet_python}
    if options.peers_python:
        pythons[TANGERMEME] = options.peers_python
    tables: list[str] = []
    versions: dict[str, str] = {}
    for filters in options.filters:
        work = problem(filters, options)
        head = f"{work.architecture.title}; {work.inputs} sequences x {work.references} references:"
        body = [head, "", line(HEADER), line(("---",) * len(HEADER))]
        with TemporaryDirectory(prefix="deeplift-benchmark-") as name:
            folder = Path(name)
            make(work, random_sequences(work), options.chrombpnet_python, folder)
            once("outputs_in_float64", None, folder)
            for each in chosen(options):
                measured, found = measure(each, pythons, folder, options)
                body += lines(each, measured)
                versions |= found
        tables.append("\n".join(body))
        print(tables[-1] + "\n", flush=True)
    measured_with = "; ".join(f"{label}: {packages}" for label, packages in versions.items())
    conditions = (
        f"Measured on {date.today()}: {machine()}; {measured_with}. {options.repeats} samples."
    )
    return "\n\n".join([HEADING, NOTES, *tables, conditions])


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 with a message where a contender failed."""
    prefer_onednn()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.interpretation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--chrombpnet-python", metavar="PATH", required=True)
    parser.add_argument("--peers-python", metavar="PATH", help="interpreter that has tangermeme")
    parser.add_argument(
        "--row",
        action="append",
        choices=[each.row.name for each in ROWS],
        help="only this one; repeatable",
    )
    parser.add_argument("--filters", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--dilated", type=int, default=8)
    parser.add_argument("--length", type=int, default=2114)
    parser.add_argument("--outputs", type=int, default=1000)
    parser.add_argument("--inputs", type=int, default=4, help="sequences (default 4)")
    parser.add_argument("--references", type=int, default=20, help="of each (default 20)")
    parser.add_argument("--repeats", type=int, default=5, help="timed samples (default 5)")
    parser.add_argument(
        "--patience", type=float, default=0.0, help="seconds to wait for quiet before each sample"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it in its section there")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        section = table(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if options.write is None:
        print(section)
    else:
        options.write.write_text(renewed(options.write.read_text(), [section]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
