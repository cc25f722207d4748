"""DeepLIFT beside its peers on one GPU, within eight minutes.

    python -m benchmarks.gpu --peers-python peers/bin/python --write docs/BENCHMARKS.md

measures the rows of ``python -m benchmarks`` on as many sequences as keep a GPU busy: against the
forward pass, and against tangermeme and Captum on the same GPU. ``--device cpu --quick`` tries the
command where there is none.
"""

from __future__ import annotations

import argparse
import logging
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders import DEVICE
from benchmarks.measure import Plan, measure_problem
from benchmarks.process import BenchmarkError
from benchmarks.run import GPU_HEADING, conditions, plan_of, renewed
from benchmarks.table import problem_table
from benchmarks.work import PROBLEMS, QUICK, Problem

OWN_BAR, SHARED_BAR = 2.3, 1.2
"""At most so many forward passes, with references of their own and with a shared set."""
INPUTS = {"genomics": 2048, "dilated": 64}
LAST_START = 5.5
"""Minutes after which no row is begun: the longest one ends within eight."""
ALIKE = {"NVIDIA_TF32_OVERRIDE": "0", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
"""Every library multiplies in float32, and TensorFlow leaves the others memory."""
SETTINGS = {
    "cuda": {DEVICE: "cuda", **ALIKE},
    "cpu": {DEVICE: "cpu", "CUDA_VISIBLE_DEVICES": "-1"},
}
NOTES = f"""\
`python -m benchmarks.gpu`: the tables above on one GPU, in float32 throughout
(`NVIDIA_TF32_OVERRIDE=0`); arrays are copied to the device, and scores back, within the times.
Bars: at most {OWN_BAR:g} F with references of their own and {SHARED_BAR:g} F with a shared set,
and at least 3 x faster than tangermeme and Captum there. Memory is the host's."""


def problems(quick: bool) -> Iterator[Problem]:
    """The networks with convolutions, with the bars of a GPU."""
    forwards = {"own": OWN_BAR, "shared": SHARED_BAR}
    for problem in QUICK if quick else PROBLEMS:
        if problem.name in INPUTS:
            rows = tuple(
                replace(row, forwards=forwards.get(row.name, row.forwards)) for row in problem.rows
            )
            inputs = problem.inputs if quick else INPUTS[problem.name]
            yield replace(problem, rows=rows, inputs=inputs, original=None)


def devices(device: str) -> str:
    """The names of the GPUs, for the page; that of no GPU under ``"cpu"``.

    Raises
    ------
    BenchmarkError
        Where there is no GPU under ``"cuda"``.
    """
    if device == "cpu":
        return "no GPU"
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    found = ""
    if shutil.which(query[0]) is not None:
        found = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    if not found:
        raise BenchmarkError("nvidia-smi lists no GPU here; --device cpu --quick tries the command")
    return found.replace("\n", "; ")


def section(options: argparse.Namespace) -> str:
    """The page's section: a table for each network."""
    gpus = devices(options.device)
    plan: Plan = replace(
        plan_of(options),
        settings=SETTINGS[options.device],
        deadline=math.inf if options.quick else time.monotonic() + 60 * LAST_START,
    )
    parts = [GPU_HEADING, NOTES]
    for problem in problems(options.quick):
        if options.problem in (None, problem.name):
            costs = measure_problem(problem, problem.rows, plan)
            if not costs.rows:  # no time was left
                continue
            title, _, table = problem_table(costs, bars=not options.quick).partition("\n")
            parts += [
                f"**{title.lstrip('# ')}**\n{table}",
                f"{conditions([costs], plan)} On {gpus}.",
            ]
            print(parts[-2] + "\n", flush=True)
    return "\n\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 with a message if a contender failed or disagreed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peers-python", metavar="PATH", help="interpreter that has the peers")
    parser.add_argument("--device", choices=list(SETTINGS), default="cuda")
    parser.add_argument("--problem", choices=list(INPUTS), help="only this network")
    parser.add_argument("--repeats", type=int, default=5, help="timed samples (default 5)")
    parser.add_argument(
        "--budget", type=float, default=4.0, help="seconds for one contender and row (default 4)"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, no bars: does it run?")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it in its section there")
    parser.set_defaults(patience=0.0, without=["shap"])
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        text = section(options)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if options.write is not None:
        options.write.write_text(renewed(options.write.read_text(), [text]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
