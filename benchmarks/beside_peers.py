"""Methods of this library beside other packages, and beside a GradientTape of one's own.

    python -m benchmarks methods --peers-python PATH

compares the scores of all with float64, then times in turns those that agree, and prints a Markdown
table of each network. ``--write docs/BENCHMARKS.md`` puts them in their section there; with
``--network NAME`` that table is measured again, with ``--methods`` of these rows, and the others
stay.
"""

from __future__ import annotations

import argparse
import functools
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import captum_methods, tape_methods, torch_packages
from benchmarks.contenders import CONTENDERS
from benchmarks.method_rows import NETWORKS, NOT_MEASURED, ROWS, MethodRow, problem
from benchmarks.method_table import HEADING, NOTES, Entry, Error, Measured, Refused, head, lines
from benchmarks.process import BenchmarkError, Process, available, in_turns, save_model
from benchmarks.run import hand_out, machine
from benchmarks.work import Array, make_data, save
from deeplift_engine.util.onednn import ONEDNN

_log = logging.getLogger(__name__)
OURS, JUDGE = "method_engine", "method_in_float64"
PEERS: Mapping[str, Iterable[str]] = {
    "method_tape": tape_methods.METHODS,
    "method_captum": captum_methods.METHODS,
    "method_shap": torch_packages.SHAP,
    "method_zennit": torch_packages.ZENNIT,
    "method_tangermeme": torch_packages.TANGERMEME,
}
"""The methods that each has."""
HERE = (OURS, "method_tape")
"""Those on TensorFlow, which run in this environment, once for each setting of oneDNN."""


@dataclass(frozen=True)
class Plan:
    """So many timed samples of each, fewer once one has used ``budget`` seconds on a row.

    ``quick`` leaves each at its smallest batch size.
    """

    repeats: int
    budget: float
    patience: float
    pythons: Mapping[str, str]
    quick: bool = False


def entries(row: MethodRow, pythons: Mapping[str, str]) -> list[Entry]:
    """Who is measured on a row: this library first."""
    names = [name for name in PEERS if name in pythons and row.method in PEERS[name]]
    return [
        Entry(name, setting)
        for name in (OURS, *names)
        for setting in (("0", "1") if name in HERE else (None,))
    ]


# ---------------------------------------------------------------------------------- measuring


@contextmanager
def opened(entry: Entry, pythons: Mapping[str, str], folder: Path) -> Iterator[Process]:
    """A process that has its libraries loaded, or is about to."""
    settings = {} if entry.onednn is None else {ONEDNN: entry.onednn}
    process = Process(entry.name, pythons[entry.name], folder, settings)
    try:
        yield process
    finally:
        process.close()


def error_of(scores: Array, truth: Array) -> Error:
    """Sample by sample the largest difference over the largest score of all.

    Infinite where shapes differ, or a score is not finite.
    """
    if scores.shape != truth.shape or not np.isfinite(scores).all():
        return Error(np.inf, np.inf)
    off = np.abs(scores - truth).reshape(len(truth), -1).max(1) / np.abs(truth).max()
    return Error(float(off.max()), float(np.median(off)))


def scores_of(process: Process, row: str) -> Array:
    """What a process gives for a row, run once at its smallest batch size."""
    process.runs, process.processor, process.peak = [], [], 0.0
    process.opened = process.ask(do="prepare", row=row)
    process.batch_size, process.count = process.opened["batch_sizes"][0], 1
    path = process.folder / f"{process.name}.npy"
    process.run(path)
    return np.asarray(np.load(path))


def judged(row: MethodRow, process: Process, truth: Array) -> Error:
    """The error of a contender's scores.

    Raises
    ------
    BenchmarkError
        Where it fails, or is off by more than the row's tolerance.
    """
    error = error_of(scores_of(process, row.check().name), truth)
    if not error.within(row.tolerance):
        raise BenchmarkError(f"differs by {error} of the largest score, not timed")
    return error


def measure(
    row: MethodRow, plan: Plan, judge: Process, open_process: Callable[[Entry], Process]
) -> dict[Entry, Measured | Refused]:
    """All contenders of a row: those that agree with float64 are timed in turns.

    Raises
    ------
    BenchmarkError
        Where this library's own scores are refused.
    """
    _log.info("%s: %s", row.network, row.title)
    truth = scores_of(judge, row.truth().name)
    found: dict[Entry, Measured | Refused] = {}
    timed: dict[Entry, tuple[Process, Error]] = {}
    processes = {entry: open_process(entry) for entry in entries(row, plan.pythons)}
    for entry, process in processes.items():
        try:
            error = judged(row, process, truth)
            process.opened = process.ask(do="prepare", row=row.name)
            if plan.quick:
                process.run()  # what is compiled is compiled now
            else:
                process.choose_batch_size()
                process.choose_count()
        except BenchmarkError as refusal:
            if entry.name == OURS:
                raise BenchmarkError(f"{row.network}, {row.title}: {refusal}") from refusal
            found[entry] = Refused(str(refusal))
            _log.info("%s: %s", entry.label, refusal)
        else:
            timed[entry] = process, error
    for process in in_turns([each for each, _ in timed.values()], plan.repeats, plan.budget):
        process.measure(plan.patience)
    for entry, (process, error) in timed.items():
        found[entry] = Measured.of(process, error)
    return {entry: found[entry] for entry in processes}


def network_table(network: str, plan: Plan, options: argparse.Namespace) -> str:
    """The page's part of one network: its table, and with what it was measured."""
    rows = chosen(options, network)
    work = problem(network, rows, options.quick)
    rows = tuple(row.quick() for row in rows) if options.quick else rows
    body = head(work)
    versions: set[str] = set()
    with TemporaryDirectory(prefix="deeplift-benchmark-") as name:
        folder = Path(name)
        save(work, make_data(work), folder)
        save_model(folder)
        with ExitStack() as stack:

            @functools.cache
            def opened_once(entry: Entry) -> Process:
                return stack.enter_context(opened(entry, plan.pythons, folder))

            judge = opened_once(Entry(JUDGE, None))
            for row in rows:
                with ExitStack() as alone:

                    def opened_anew(entry: Entry, alone: ExitStack = alone) -> Process:
                        return alone.enter_context(opened(entry, plan.pythons, folder))

                    found = measure(row, plan, judge, opened_once if options.quick else opened_anew)
                body += lines(row, found)
                for each in found.values():
                    versions |= each.versions
    return "\n".join([*body, "", conditions(plan, versions)])


def conditions(plan: Plan, versions: Iterable[str]) -> str:
    """When and on what a table was measured, and with which packages."""
    sizes = "Small sizes, to see that all agree: no times to compare. " if plan.quick else ""
    return (
        f"{sizes}Measured on {date.today()}: {machine()}, {vector_instructions()}; "
        f"{', '.join(sorted(versions))}. At most {plan.repeats} samples of each."
    )


# ------------------------------------------------------------------------------------ command


def chosen(options: argparse.Namespace, network: str) -> tuple[MethodRow, ...]:
    """The network's rows that are asked for."""
    return tuple(
        row
        for row in ROWS
        if row.network == network and (not options.methods or row.method in options.methods)
    )


def pythons_of(interpreters: Sequence[str]) -> dict[str, str]:
    """The interpreter of each contender: of several that have its packages the first."""
    pythons = dict.fromkeys((*HERE, JUDGE), sys.executable)
    for python in interpreters:
        names = set(available(python)) & set(PEERS)
        pythons |= {name: python for name in names if name not in pythons}
    missing = [CONTENDERS[name].label for name in PEERS if name not in pythons]
    if missing:
        _log.warning("no interpreter has %s: not measured", ", ".join(missing))
    return pythons


def sections(options: argparse.Namespace) -> Iterator[str]:
    """The page's sections: how it is measured, then a table for each network, as it is measured."""
    repeats = 1 if options.quick else options.repeats
    plan = Plan(
        repeats, options.budget, options.patience, pythons_of(options.peers_python), options.quick
    )
    yield "\n\n".join([HEADING, NOTES, NOT_MEASURED])
    for network in NETWORKS:
        if network in (options.network or NETWORKS) and chosen(options, network):
            yield network_table(network, plan, options)


def vector_instructions() -> str:
    """What TensorFlow decides by whether to use oneDNN."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return "instructions unknown"
    return f"{'with' if 'avx512_vnni' in flags else 'without'} AVX512_VNNI"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 with a message where this library failed or was off."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks methods",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--peers-python",
        metavar="PATH",
        action="append",
        default=[],
        help="interpreter that has peers; repeatable",
    )
    names = sorted({row.method for row in ROWS})
    parser.add_argument("--methods", nargs="+", choices=names, metavar="NAME", help="only these")
    parser.add_argument("--network", action="append", choices=list(NETWORKS), help="repeatable")
    parser.add_argument("--repeats", type=int, default=3, help="timed samples (default 3)")
    parser.add_argument(
        "--budget", type=float, default=5.0, help="seconds for one contender and row (default 5)"
    )
    parser.add_argument(
        "--patience", type=float, default=0.0, help="seconds to wait for quiet before each sample"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: do all run and agree?")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it in its section there")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        for section in sections(options):
            hand_out(section, options.write)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    return 0
