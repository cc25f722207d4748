"""What oneDNN gains: the same runs of DeepLIFT with it and without, in turns.

    python -m benchmarks.onednn

prints a Markdown table; ``--write docs/BENCHMARKS.md`` puts it in its section there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.beside_peers import vector_instructions
from benchmarks.process import Process, in_turns, save_model
from benchmarks.run import ONEDNN_HEADING, hand_out, machine
from benchmarks.work import PROBLEMS, QUICK, Problem, Row, make_data, save
from deeplift_engine.util.onednn import ONEDNN

NOTES = """\
`python -m benchmarks.onednn`: DeepLIFT as it comes, with oneDNN (`TF_ENABLE_ONEDNN_OPTS=1`) over
without (`=0`), two processes in turns. Time is the median quotient of turns, processor time that of
the least of each."""


def lines_of(problem: Problem, rows: Sequence[Row], repeats: int, patience: float) -> list[str]:
    """Rows of the table for a problem."""
    lines = []
    with TemporaryDirectory(prefix="deeplift-benchmark-") as name:
        folder = Path(name)
        save(problem, make_data(problem), folder)
        save_model(folder)
        for row in rows:
            with_it, without = measured(folder, row, repeats, patience)
            turns = zip(with_it.runs, without.runs, strict=True)
            time = median(mine / its for mine, its in turns)
            processor = min(with_it.processor[-repeats:]) / min(without.processor[-repeats:])
            lines.append(f"| {problem.name} | {row.title} | {time:.2f} | {processor:.2f} |")
    return lines


def measured(folder: Path, row: Row, repeats: int, patience: float) -> list[Process]:
    """The processes with oneDNN and without, after as many samples of each."""
    with ExitStack() as stack:
        processes = []
        for onednn in ("1", "0"):
            process = Process("engine", sys.executable, folder, {ONEDNN: onednn})
            stack.callback(process.close)
            process.opened = process.ask(do="prepare", row=row.name)
            process.run()  # what is compiled is compiled now
            process.choose_count()
            processes.append(process)
        for process in in_turns(processes, repeats, float("inf")):
            process.measure(patience)
    return processes


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.onednn",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=7, help="samples of each (default 7)")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds to wait for quiet")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into this page")
    options = parser.parse_args(arguments)
    body = ["| network | what | time | processor time |", "| --- | --- | --- | --- |"]
    for problem in QUICK if options.quick else PROBLEMS:
        rows = [row for row in problem.rows if row.name in ("own", "shared")]
        body += lines_of(problem, rows, options.repeats, options.patience)
    conditions = f"Measured on {date.today()}: {machine()}, {vector_instructions()}."
    section = "\n\n".join([ONEDNN_HEADING, conditions, NOTES, "\n".join(body)])
    hand_out(section, options.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
