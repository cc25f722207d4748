"""The command: measure, print, and on request write the page of the documentation."""

from __future__ import annotations

import argparse
import logging
import os
import platform
import re
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.breakdown import BREAKDOWN_NOTES, breakdown
from benchmarks.contenders import PEERS
from benchmarks.lengths import LENGTH_NOTES, lengths_table
from benchmarks.measure import Plan, ProblemCosts, measure_problem
from benchmarks.method_table import HEADING, SUBHEADING
from benchmarks.process import BenchmarkError, available
from benchmarks.table import NOTES, problem_table
from benchmarks.work import PROBLEMS, QUICK, Problem, Row
from deeplift_engine.util.onednn import prefer_onednn

ONEDNN_HEADING = "## oneDNN"
GROWTH_HEADING = "## How cost grows"
GPU_HEADING = "## On a GPU"
STEPS_HEADING = "## Integrated gradients, steps to a complete sum"
DRAWS_HEADING = "## References, fewer for the same error"
_HEADINGS = (HEADING, ONEDNN_HEADING, GROWTH_HEADING, GPU_HEADING, STEPS_HEADING, DRAWS_HEADING)
OTHERS = (*(f"{heading}\n" for heading in _HEADINGS), SUBHEADING)
"""What begins the sections that other commands write: methods, onednn, growth, gpu, path_steps,
reference_draws."""
FORWARDS = ("keras_forward", "engine_forward")
EXAMPLES = """\
examples:
  python -m benchmarks                                     this library, and peers installed here
  python -m benchmarks --peers-python peers/bin/python     peers that have their own environment
  python -m benchmarks --profile                           where this library's time goes
  python -m benchmarks --quick                             small sizes, no bars: does it run?
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure what the options say; 0, or 1 with a message if a contender failed or disagreed."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    prefer_onednn()  # for all alike, as the command line has it
    sections: list[str] = []
    try:
        if not options.profile:
            sections += _measured(options)
        whole = options.write is not None and options.problem is None
        if options.profile or (whole and not options.quick):
            sections += _profiled(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if options.write is not None:
        page = "\n\n".join(["# Benchmarks", *sections]) + "\n"
        there = options.write.read_text() if options.write.exists() else ""
        if options.problem is not None and there:
            page = renewed(there, sections[1:])
        else:
            kept = [part.rstrip() for part in _parts(there) if part.startswith(OTHERS)]
            page = renewed(page, kept)
        options.write.write_text(page)
    return 0


def renewed(page: str, sections: Sequence[str]) -> str:
    """The page with the first section of each heading replaced by the one of ``sections``.

    A section whose heading is not there is added at the end.
    """
    parts = _parts(page)
    headings = [part.partition("\n")[0] for part in parts]
    for section in sections:
        heading, text = section.partition("\n")[0], f"{section}\n\n"
        if heading in headings:
            parts[headings.index(heading)] = text
        else:
            parts[-1:] = [f"{parts[-1].rstrip()}\n\n", text]
    return "".join(parts).rstrip() + "\n"


def hand_out(section: str, page: Path | None) -> None:
    """Print a section, and put it in its place on a page if there is one."""
    print(section + "\n", flush=True)
    if page is not None:
        page.write_text(renewed(page.read_text(), [section]))


def _parts(page: str) -> list[str]:
    """The page at its headings."""
    return re.split(r"^(?=##)", page, flags=re.MULTILINE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peers-python", metavar="PATH", help="interpreter that has the peers")
    parser.add_argument(
        "--repeats",
        type=int,
        default=7,
        help="timed samples of each (default 7)",
    )
    parser.add_argument(
        "--budget", type=float, default=20.0, help="seconds for one contender and row (default 20)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait so long at most before each run for other processes to be quiet (default 0)",
    )
    parser.add_argument("--problem", choices=[problem.name for problem in PROBLEMS])
    parser.add_argument("--row", action="append", metavar="NAME", help="only this row; repeatable")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave out")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write tables and profile there; with --problem, its table in the page that is there",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, one repeat, no bars")
    parser.add_argument("--profile", action="store_true", help="this library, operation by kind")
    return parser


def _problems(options: argparse.Namespace) -> list[Problem]:
    return [
        problem
        for problem in (QUICK if options.quick else PROBLEMS)
        if options.problem in (None, problem.name) and _rows(problem, options)
    ]


def _rows(problem: Problem, options: argparse.Namespace) -> list[Row]:
    return [row for row in problem.rows if options.row is None or row.name in options.row]


def _measured(options: argparse.Namespace) -> list[str]:
    plan = plan_of(options)
    results: list[ProblemCosts] = []
    sections: list[str] = []
    for problem in _problems(options):
        results.append(measure_problem(problem, _rows(problem, options), plan))
        section = problem_table(results[-1], bars=not options.quick)
        sections.append(f"{section}\n\n{conditions(results[-1:], plan)}")
        print(sections[-1] + "\n", flush=True)
    if not options.quick and options.problem in (None, "lstm") and options.row is None:
        sections += [lengths_table(plan), LENGTH_NOTES]
        print(sections[-2] + "\n", flush=True)
    print(NOTES)
    return [NOTES, *sections]


def _profiled(options: argparse.Namespace) -> list[str]:
    sections = ["## Where the time goes", BREAKDOWN_NOTES]
    for problem in _problems(options):
        sections.append(breakdown(problem, _rows(problem, options)))
        print(sections[-1] + "\n", flush=True)
    return sections


def plan_of(options: argparse.Namespace) -> Plan:
    """How the options have it measured, and by which interpreters."""
    pythons = dict.fromkeys((*FORWARDS, "engine"), sys.executable)
    peers = options.peers_python or sys.executable
    found = available(peers)
    if options.peers_python and not set(PEERS) & set(found):
        raise BenchmarkError(f"{peers} has none of {', '.join(PEERS)} (with torch)")
    if "torch_forward" in found:
        pythons |= {name: peers for name in ("torch_forward", *PEERS) if name in found}
    kept = {name: python for name, python in pythons.items() if name not in options.without}
    repeats = 1 if options.quick else options.repeats
    return Plan(repeats, options.budget, options.patience, kept)


def conditions(results: list[ProblemCosts], plan: Plan) -> str:
    """Date, machine and versions."""
    versions: dict[str, str] = {}
    for result in results:
        versions.update(result.versions)
    packages = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
    return f"Measured on {date.today()}: {machine()}; {packages}. {plan.repeats} samples of each."


def machine() -> str:
    """Processor, cores, system and this Python."""
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores for every contender, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
