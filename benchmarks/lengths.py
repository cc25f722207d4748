"""How time and memory grow with the length of a sequence that a recurrent layer reads."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.architectures import LSTM
from benchmarks.measure import Plan, measure_problem
from benchmarks.work import OWN_OF_SEQUENCES, Problem

LENGTHS = (200, 400, 800, 1600)
INPUTS, REFERENCES = 1, 8  # few enough to be walked together at every length
LENGTH_NOTES = """\
One input with eight references, walked together: memory is what a run takes on top of the opened
library and model. A longer data set takes no more, as it is walked in blocks."""


def lengths_table(plan: Plan) -> str:
    """A Markdown table, a line a length."""
    plan = replace(plan, pythons={"engine": plan.pythons["engine"]})
    lines = ["| length | time | a step | memory | a step |", "| --- | --- | --- | --- | --- |"]
    for length in LENGTHS:
        problem = Problem("lstm", LSTM.shortened(length), INPUTS, REFERENCES, (OWN_OF_SEQUENCES,))
        (row,) = measure_problem(problem, problem.rows, plan).rows
        cost = row.costs["engine"]
        memory = max(0.0, cost.peak - cost.idle)
        lines.append(
            f"| {length} | {cost.seconds * 1e3:.0f} ms | {cost.seconds * 1e6 / length:.0f} µs "
            f"| {memory:.0f} MiB | {memory * 1024 / length:.0f} KiB |"
        )
    return "\n".join([f"### {LSTM.title[0].upper()}{LSTM.title[1:]}, by length", "", *lines])
