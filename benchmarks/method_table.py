"""What was measured of methods beside other packages → lines of a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.contenders import BY_DEFAULT, CONTENDERS
from benchmarks.method_rows import KINK, MethodRow
from benchmarks.process import Process
from benchmarks.work import Problem

HEADING = "## Methods beside peers"
SUBHEADING = "### Methods beside peers: "
"""Of a network's table, before its title."""
HEADER = (
    "work",
    "by",
    "time",
    "CPU",
    "÷ ours, oneDNN off",
    "÷ ours, oneDNN on",
    "memory above imports",
    "error",
)
NOTES = """\
Every contender has a process of its own and all cores. Before anything is timed, its scores are
compared with those that this library computes in float64: "error" is the largest difference over
the largest score, in brackets that of the median sample. Where what a ReLU or a maximum reads is
within rounding of its kink, float32 may take the other side, and one sample's gradient is another
by one unit's share, in all packages alike. Who differs in the median sample by more than 1e-3, in
one by more than 2e-2, or, where it draws or adds up steps, by more than these explain, is not
timed, and its line says by how much it differs. Times are minima over samples taken in turns, each
as many runs in a row as take half a second; CPU is the processor time of all threads. "÷ ours" is
how many times as long a peer takes as this library with oneDNN off and on, in brackets by CPU: the
median over the turns. What runs on TensorFlow is measured under both settings of
TF_ENABLE_ONEDNN_OPTS and compared under its own; torch does not read it. Peers run at the fastest
of three batch sizes, this library at its default. Memory is the most a process held in a run, less
what it held when its packages were imported. The tape is a compiled function of the model as Keras
loads it, and what the method needs around it in numpy."""


@dataclass(frozen=True)
class Entry:
    """A contender, and the setting of oneDNN it runs under: "0", "1", or None on torch."""

    name: str
    onednn: str | None

    @property
    def label(self) -> str:
        """For the table."""
        setting = {None: "", "0": ", oneDNN off", "1": ", oneDNN on"}[self.onednn]
        return f"{CONTENDERS[self.name].label}{setting}"


@dataclass(frozen=True)
class Error:
    """Of a contender's scores, as shares of the largest score.

    Attributes
    ----------
    largest
        Of all samples.
    median
        Of the samples' largest errors.
    """

    largest: float
    median: float

    def __str__(self) -> str:
        """The largest, in brackets the median."""
        return f"{self.largest:.0e} ({self.median:.0e})"

    def within(self, tolerance: float) -> bool:
        """Whether scores are the same: see `MethodRow.tolerance`."""
        return self.median <= tolerance and self.largest <= max(tolerance, KINK)


@dataclass(frozen=True)
class Refused:
    """Who is not timed, and why."""

    reason: str
    versions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Measured:
    """A contender on a row.

    Attributes
    ----------
    seconds, processor
        Of a run, sample by sample; of the processor all threads together.
    memory
        MiB at most, above those with the packages imported.
    """

    seconds: Sequence[float]
    processor: Sequence[float]
    memory: float
    batch_size: int
    error: Error
    versions: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, process: Process, error: Error) -> Measured:
        """Of a process that was measured."""
        count = len(process.runs)
        return cls(
            process.runs,
            process.processor[-count:],
            process.peak - process.opened["bare"],
            process.batch_size,
            error,
            frozenset(f"{name} {n}" for name, n in process.opened["versions"].items()),
        )

    def over(self, other: Measured) -> str:
        """How many times as long, in brackets by processor time: medians over the turns."""
        wall, processor = (
            median(mine / its for mine, its in zip(a, b, strict=False))
            for a, b in ((self.seconds, other.seconds), (self.processor, other.processor))
        )
        return f"{wall:.2f} ({processor:.2f})"


def head(work: Problem) -> list[str]:
    """The lines above the rows of one network."""
    shape = " x ".join(map(str, work.architecture.shape))
    return [
        f"{SUBHEADING}{work.architecture.title}",
        "",
        f"Samples of {shape}.",
        "",
        line(HEADER),
        line(["---"] * len(HEADER)),
    ]


def lines(row: MethodRow, found: Mapping[Entry, Measured | Refused]) -> Iterator[str]:
    """Of one row: a line for each contender, this library's first."""
    ours = {entry.onednn: each for entry, each in found.items() if entry.name == "method_engine"}
    same = f"; {row.same}" if row.same else ""
    for number, (entry, each) in enumerate(found.items()):
        work = "" if number else f"**{row.title}**, N = {row.inputs}{same}"
        yield line([work, *_cells(entry, each, ours)])


def _cells(
    entry: Entry, each: Measured | Refused, ours: Mapping[str | None, Measured | Refused]
) -> list[str]:
    if isinstance(each, Refused):
        return [entry.label, *[""] * (len(HEADER) - 3), each.reason]
    ratios = []
    for setting in ("0", "1"):
        other = ours[setting]
        compared = entry.name != "method_engine" and entry.onednn in (None, setting)
        ratios.append(each.over(other) if compared and isinstance(other, Measured) else "")
    batch = "" if each.batch_size == BY_DEFAULT else f" (batch {each.batch_size})"
    return [
        f"{entry.label}{batch}",
        milliseconds(min(each.seconds)),
        milliseconds(min(each.processor)),
        *ratios,
        f"{each.memory:.0f} MiB",
        str(each.error),
    ]


def milliseconds(seconds: float) -> str:
    """With three digits or all before the point."""
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds * 1e3:.0f} ms"


def line(cells: Sequence[str]) -> str:
    """Of a Markdown table."""
    return f"| {' | '.join(cells)} |"
