"""Tables and signals on the command line: columns and channels by name, and their figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli import console
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.cli.declarations import Group, Once, choice, option, several
from deeplift_engine.cli.input_kind import Kind
from deeplift_engine.errors import InputError
from deeplift_engine.tables.recordings import KNOWN
from deeplift_engine.tables.table_columns import SUFFIXES
from deeplift_engine.util import storage, tables
from deeplift_engine.util.array_files import SUFFIXES as ARRAYS
from deeplift_engine.util.array_files import open_array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.jobs.scored_run import ScoredRun
    from deeplift_engine.network import Network

TABLE_OPTIONS = Group(
    "tables (a .csv, .tsv or .parquet file with a header)",
    (
        several(
            "--columns [INPUT=]NAME,...",
            values.named_list,
            "the columns that the model reads, in its order, where the table has others too; of "
            "several inputs, for each",
            Once,
        ),
        option("--names COLUMN", str, "the column with names of the rows"),
        several(
            "--group NAME=COLUMNS",
            values.pair,
            "one-hot columns of one feature: names with commas between, or a pattern, colour_*; "
            "may be repeated",
            Once,
        ),
    ),
)
SIGNAL_OPTIONS = Group(
    "signals (.wav, .edf, .bdf, .hea; with --kind signal tables of a row for each step, or arrays)",
    (
        option("--rate HZ", float, "steps a second, where the file does not say"),
        option("--channels NAME,...", values.names, "names of the channels, in the model's order"),
        option("--unit UNIT", str, "of the recorded values, such as mV"),
    ),
)
TABLE_DRAWING = Group(
    "tables",
    (
        choice(
            "--figure",
            "of all samples (default: beeswarm), or with --sample a waterfall",
            *("bar", "beeswarm", "heat_map", "waterfall"),
        ),
        option(
            "--most N", values.at_least_one, "features that are drawn (default: 20)", default=20
        ),
        choice("--by", "scores of columns, or of groups of them (default)", "columns", "groups"),
    ),
)
SIGNAL_DRAWING = Group("signals", ())


def read_table(options: argparse.Namespace, network: Network) -> Any:
    """The columns that each input reads.

    Raises
    ------
    InputError
        As the library does.
    """
    from deeplift_engine import tables as front

    path = Path(options.inputs)
    named = dict(options.columns)
    if "" in named and len(named) > 1:
        raise InputError("--columns: say INPUT=NAME,... for each input, or none of them")
    groups = {
        name: members.split(",") if "*" not in members else members
        for name, members in options.group
    }
    table = front.read(
        open_array(path) if path.suffix.lower() in ARRAYS else path,
        network,
        columns=named.get("", named or None),
        names=options.names,
        groups=groups or None,
    )
    for note in table.notes:
        console.complain("note", note)
    return table.inputs


def read_signals(options: argparse.Namespace, network: Network) -> Any:
    """The recordings as the network reads them.

    Raises
    ------
    InputError
        As the library does.
    """
    from deeplift_engine import tables as front

    path = Path(options.inputs)
    signals = front.read_signals(
        open_array(path) if path.suffix.lower() in ARRAYS else path,
        network,
        rate=options.rate,
        channels=options.channels,
        unit=options.unit,
        input=options.input,
    )
    for note in signals.notes:
        console.complain("note", note)
    return signals


def draw_table(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """A figure of the scores of a table's features."""
    from deeplift_engine.tables.feature_scores import open_scores

    scores = open_scores(run, head=options.head, target=options.target_number)
    scores = scores if options.by == "columns" else scores.summed()
    kind = options.figure or ("waterfall" if options.sample else "beeswarm")
    if (kind == "waterfall") != bool(options.sample) or len(options.sample) > 1:
        raise InputError("--sample NAME and the figure waterfall go together, for one sample")
    if kind == "waterfall":
        figure = scores.draw_waterfall(run.number_of(options.sample[0]), options.most)
    else:
        figure = getattr(scores, f"draw_{kind}")(options.most)
    return _written(figure, options)


def draw_signals(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """The traces of one recording."""
    from deeplift_engine.tables.signal_drawing import draw_run

    if len(options.sample) > 1:
        raise InputError("--sample: the traces of one recording are drawn; name one")
    figure = draw_run(
        run,
        run.number_of(options.sample[0]) if options.sample else 0,
        input=options.input,
        head=options.head,
        target=options.target_number,
    )
    return _written(figure, options)


def export_table(options: argparse.Namespace, run: ScoredRun) -> list[Path]:
    """Scores with the names of features as CSV."""
    from deeplift_engine.tables.feature_scores import open_scores

    open_scores(run).save(options.output, overwrite=options.overwrite)
    return [options.output]


def _written(figure: Figure, options: argparse.Namespace) -> list[Path]:
    picture = tables.to_picture(figure, options.output.suffix.lower())
    storage.write_bytes(options.output, picture, overwrite=options.overwrite)
    return [options.output]


TABLE = Kind(
    "table",
    SUFFIXES,
    TABLE_OPTIONS,
    TABLE_DRAWING,
    read_table,
    draw_table,
    exports=(".csv",),
    export=export_table,
)
SIGNAL = Kind(
    "signal",
    (".wav", ".edf", ".bdf", ".hea"),
    SIGNAL_OPTIONS,
    SIGNAL_DRAWING,
    read_signals,
    draw_signals,
    in_folder=KNOWN,
)

__all__ = ["SIGNAL", "TABLE"]
