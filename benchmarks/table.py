"""Costs → a Markdown table with the bars and whether they are met."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.contenders import BY_DEFAULT, CONTENDERS, PEERS
from benchmarks.measure import ProblemCosts, RowCosts
from benchmarks.process import Cost
from benchmarks.work import SPEEDUP_OVER_PEERS

HEADER = ("work", "by", "time", "÷ F", "CPU ÷ F", "÷ engine's F", "÷ engine", "memory", "bars")
NOTES = """\
F is the forward pass of N·K sequences as Keras compiles it, the fastest of several batch sizes;
the engine's F is that of `Network.predict`. Times are minima over samples taken in turns, so
only ratios within a row mean something. A sample is as many runs in a row as take half a second,
or one that takes longer: on a machine whose speed changes, the minimum over single runs would
compare the best moment of what is short with the mean of what is long. "CPU ÷ F" is the ratio of
processor time, all threads together, which other processes on the machine disturb less. Peers run
at the fastest of several batch sizes, the engine at its default. Memory is the most a process held
during a run, and in brackets how much of it came on top of the opened libraries and model. Before
anything is timed, the contributions of all are compared; "agrees to" is the largest difference from
the engine's over the largest contribution."""


def problem_table(measured: ProblemCosts, bars: bool = True) -> str:
    """One table: the forward passes first, then row by row."""
    problem = measured.problem
    count = problem.inputs * problem.references
    shape = f"{problem.architecture.length} x 4"
    title = f"### {problem.architecture.title[0].upper()}{problem.architecture.title[1:]}"
    work = f"{problem.inputs} inputs x {problem.references} references of {shape}"
    lines = [title, "", f"{work}; F: forward pass of {count} sequences.", ""]
    lines += [_line(HEADER), _line(["---"] * len(HEADER))]
    lines += [_line(cells) for cells in _forward_cells(measured)]
    for row in measured.rows:
        lines += [_line(cells) for cells in _row_cells(row, bars)]
    if problem.original is not None:
        recorded = f"{problem.original:.3g}"
        lines.append(
            _line(
                [
                    f"**{measured.rows[0].row.title}**",
                    "deeplift 0.6.13, the original: *recorded, not measured here*",
                    "",
                    recorded,
                    *[""] * 5,
                ]
            )
        )
    return "\n".join(lines)


def _forward_cells(measured: ProblemCosts) -> Iterable[list[str]]:
    """Each forward pass at its fastest in any row."""
    best: dict[str, Cost] = {}
    for row in measured.rows:
        for name, cost in row.costs.items():
            if name.endswith("_forward") and cost.seconds <= best.get(name, cost).seconds:
                best[name] = cost
    for name, cost in best.items():
        ratio = cost.seconds / best["keras_forward"].seconds
        own = _ratio(cost, best.get("engine_forward"))
        label = _label(name, cost)
        work = _work(cost, best["keras_forward"])
        times = [_time(cost), f"{ratio:.2f}", work, own, ""]
        yield ["forward pass", label, *times, _memory(cost), ""]


def _row_cells(measured: RowCosts, bars: bool) -> Iterable[list[str]]:
    keras, own = measured.costs["keras_forward"], measured.costs.get("engine_forward")
    engine = measured.costs.get("engine")
    attributions = {n: c for n, c in measured.costs.items() if not n.endswith("_forward")}
    names = sorted(attributions, key=lambda name: name != "engine")
    for number, name in enumerate(names):
        cost = attributions[name]
        if name == "engine":
            remarks = "; ".join(verdicts(measured)) if bars else ""
        elif cost.difference is None:
            remarks = ""
        else:
            remarks = f"agrees to {cost.difference:.0e}"
        yield [
            "" if number else f"**{measured.row.title}**",
            _label(name, cost),
            _time(cost),
            _ratio(cost, keras),
            _work(cost, keras),
            _ratio(cost, own),
            _ratio(cost, engine),
            _memory(cost),
            remarks,
        ]


def verdicts(measured: RowCosts) -> list[str]:
    """Each bar of the row: what was asked, what was measured, met or missed."""
    row, engine = measured.row, measured.costs["engine"]
    found = []
    if row.forwards is not None:
        forwards = engine.seconds / measured.costs["keras_forward"].seconds
        found.append(_verdict(f"at most {row.forwards:g} F", forwards, forwards <= row.forwards))
    if row.times is not None:
        times = engine.seconds / measured.costs["engine_base"].seconds
        asked = f"at most {row.times:g} x the first row"
        found.append(_verdict(asked, times, times <= row.times))
    peers = [cost.seconds for name, cost in measured.costs.items() if name in PEERS]
    if peers:
        faster = min(peers) / engine.seconds
        asked = f"at least {SPEEDUP_OVER_PEERS:g} x faster than the best peer"
        found.append(_verdict(asked, faster, faster >= SPEEDUP_OVER_PEERS))
    return found


def _verdict(asked: str, value: float, met: bool) -> str:
    return f"{asked}: {value:.2f}, {'met' if met else '**missed**'}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _label(name: str, cost: Cost) -> str:
    label = CONTENDERS[name].label
    return label if cost.batch_size == BY_DEFAULT else f"{label} (batch {cost.batch_size})"


def _time(cost: Cost) -> str:
    return f"{cost.seconds * 1e3:.0f} ms"


def _ratio(cost: Cost, unit: Cost | None) -> str:
    return "" if unit is None else f"{cost.seconds / unit.seconds:.2f}"


def _work(cost: Cost, unit: Cost) -> str:
    """The same in processor time, which other processes disturb less."""
    return f"{cost.processor / unit.processor:.2f}"


def _memory(cost: Cost) -> str:
    return f"{cost.peak:.0f} MiB (+{max(0.0, cost.peak - cost.idle):.0f})"
