"""Columns of numbers with names, from data frames, files of tables, mappings and arrays."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.csv_rows import numbered_rows
from deeplift_engine.util.optional import optional
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array
from deeplift_engine.util.utf8_text import decoded

SUFFIXES = (".csv", ".tsv", ".parquet")
_NUMBERS = "biuf"


@dataclass(frozen=True)
class TableColumns:
    """Columns with names of their own, in the order of the table.

    Attributes
    ----------
    columns
        Arrays (N,) by name; of several of one name, all but the first are numbered.
    rows
        Names of the rows; their numbers where they have none.
    source
        What the table is called in messages.
    lines
        On which line of a file each row begins; empty where that is not known.
    """

    columns: Mapping[str, Array]
    rows: Sequence[str]
    source: str
    lines: Sequence[int] = ()

    def __len__(self) -> int:
        """N."""
        return len(self.rows)

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return list(self.columns)

    def without(self, name: str) -> TableColumns:
        """The table with the column ``name`` as names of its rows.

        Raises
        ------
        InputError
            If there is no such column.
        """
        self.check([name])
        rows = [str(value) for value in self.columns[name]]
        rest = {each: values for each, values in self.columns.items() if each != name}
        return TableColumns(rest, rows, self.source, self.lines)

    def check(self, names: Sequence[str]) -> None:
        """Refuse names that no column has.

        Raises
        ------
        InputError
            Naming the first.
        """
        for name in names:
            if name not in self.columns:
                listed = f"It has {', '.join(self.names)}."
                raise InputError(
                    f"{self.source} has no column {name!r}. {suggest(name, self.names, listed)}"
                )

    def numbers(self, names: Sequence[str]) -> Array:
        """Some columns as numbers (N, F), float32 unless some are whole or float64.

        Raises
        ------
        InputError
            If there is no such column, or one holds text or has no value somewhere.
        """
        self.check(names)
        return np.stack([self._number(name) for name in names], axis=1)

    def _number(self, name: str) -> Array:
        values = self.columns[name]
        if values.dtype.kind == "O":
            values = _plain_numbers(values)
        if values.dtype.kind not in _NUMBERS:
            row = next((n for n, each in enumerate(values) if not _is_number(each)), 0)
            raise InputError(
                f"{self._place(row)}: column {name!r} holds {values[row]!r}, "
                "which is no number. Encode it as for the training of the model, as by "
                "pandas.get_dummies, or leave it out: columns= (--columns)."
            )
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InputError(
                f"{self._place(row)}: column {name!r} has {values[row]}: fill in what was filled "
                "in for the training of the model."
            )
        return values.astype(np.int8) if values.dtype.kind == "b" else values

    def _place(self, row: int) -> str:
        line = f", line {self.lines[row]}" if row < len(self.lines) else ""
        return f"{self.source}{line} (row {self.rows[row]!r})"


def _is_number(value: Any) -> bool:
    """Whether a cell reads as one, or is empty."""
    try:
        float("nan" if value is None else value)
    except (TypeError, ValueError):
        return False
    return True


def _plain_numbers(values: Array) -> Array:
    """A column of objects as floats, NaN for what is not there; unchanged where some are text."""
    missing = [each is None or type(each).__name__ in ("NAType", "NaTType") for each in values]
    if not all(
        absent or isinstance(each, bool | int | float | np.number | np.bool_)
        for absent, each in zip(missing, values, strict=True)
    ):
        return values
    return np.array(
        [np.nan if absent else each for absent, each in zip(missing, values, strict=True)], float
    )


def distinct(names: Sequence[str]) -> list[str]:
    """Names of which none is another's: ``a, b, a`` is ``a, b, a (2)``."""
    seen: Counter[str] = Counter()
    taken = set(names)
    result = []
    for name in names:
        seen[name] += 1
        chosen = name
        while seen[name] > 1 and chosen in taken:
            chosen = f"{name} ({seen[name]})"
            seen[name] += chosen in taken
        taken.add(chosen)
        result.append(chosen)
    return result


def table_columns(source: Any, columns: Sequence[str] | None = None) -> TableColumns:
    """The columns of a table, of which nothing is changed yet.

    Parameters
    ----------
    source
        A data frame; a ``.csv``, ``.tsv`` or ``.parquet`` file; a mapping of names to columns; or
        an array (N, F), whose names are ``columns`` or ``"feature 0"`` and so on.
    columns
        Names of the columns of an array.

    Raises
    ------
    InputError
        For anything else, a file that cannot be read, a table without rows.
    """
    name, lines = "the table", list[int]()
    if isinstance(source, str | os.PathLike):
        name = str(source)
        source, lines = _frame_of_file(Path(source))
    if isinstance(source, Mapping):
        arrays = [np.asarray(values) for values in source.values()]
        labels, rows = [str(each) for each in source], None
    elif hasattr(source, "columns"):
        labels = [label(each) for each in source.columns]
        arrays = [_column(source, number) for number in range(len(labels))]
        rows = _row_names(source)
    else:
        table = np.asarray(source)
        if table.ndim != 2:
            raise InputError(f"a table of shape {table.shape}: expected (rows, columns).")
        numbered = [f"feature {number}" for number in range(table.shape[1])]
        labels, arrays, rows = list(columns or numbered), list(table.T), None
    lengths = {array.shape for array in arrays}
    if lengths == {(0,)}:
        raise InputError(f"{name} has no rows below the names of its columns.")
    if len(lengths) != 1 or len(shape := lengths.pop()) != 1:
        raise InputError(f"{name}: expected columns of one length.")
    if len(labels) != len(arrays):
        raise InputError(f"{name} has {len(arrays)} columns, and columns= names {len(labels)}.")
    named = dict(zip(distinct(labels), arrays, strict=True))
    if len(lines) != shape[0]:  # a file whose rows pandas sees otherwise
        lines = []
    return TableColumns(named, rows or [str(row) for row in range(shape[0])], name, lines)


def _frame_of_file(path: Path) -> tuple[Any, list[int]]:
    """A data frame of a file, whose header keeps names that two columns share, and its lines."""
    pandas = optional("pandas", f"pandas, to read {path}", "tables")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: tables are read from {', '.join(SUFFIXES)} files.")
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    try:
        if suffix == ".parquet":
            return pandas.read_parquet(path), []
        separator = "\t" if suffix == ".tsv" else ","
        lines = _checked_lines(path, separator)
        frame = pandas.read_csv(path, sep=separator, index_col=False)
        header = pandas.read_csv(path, sep=separator, header=None, nrows=1, dtype=str).iloc[0]
        frame.columns = ["" if each != each else str(each) for each in header]
    except UnicodeDecodeError as error:
        decoded(path.read_bytes(), path)  # which names the line
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    except (OSError, ValueError, ImportError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(f"{path} cannot be read as a table: {reason}.") from error
    return frame, lines


def _checked_lines(path: Path, separator: str) -> list[int]:
    """The first line of each row; a row longer than the header, which pandas cuts, is refused."""
    lines: list[int] = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = numbered_rows(file, separator, path, strict=False)
        first, header = next(rows, (1, []))
        if header and _are_values(header):
            raise InputError(
                f"{path}, line {first}: {', '.join(header[:3])} are numbers, where the names of "
                "the columns are expected: write them above the first row."
            )
        for line, row in rows:
            if len(header) == 1 and (other := _shared(header[0], "".join(row), separator)):
                raise InputError(
                    f"{path}, line 1: the columns have {other!r} between them, and those of a "
                    f"{path.suffix} file {separator!r}: save it with that, and with points in "
                    "numbers."
                )
            if any(row[len(header) :]):  # a separator at the end of lines is none
                raise InputError(
                    f"{path}, line {line} (record {len(lines)}) has {len(row)} columns, and the "
                    f"header has {len(header)}: a value with {separator!r} in it stands between "
                    "quotation marks."
                )
            lines.append(line)
    return lines


def _are_values(header: Sequence[str]) -> bool:
    """Whether a header is a row of numbers, and not of names such as years: some are fractions."""
    return all(map(_is_number, header)) and not all(name.strip().isdecimal() for name in header)


def _shared(header: str, row: str, separator: str) -> str:
    """What else than the separator may stand between the columns of both lines; or nothing."""
    others = ";\t,".replace(separator, "")
    return next((each for each in others if each in header and each in row), "")


def label(name: Any) -> str:
    """A column's name as text; of several levels those that are there, with blanks between."""
    if isinstance(name, tuple):
        return " ".join(str(level) for level in name if str(level))
    return str(name)


def _column(frame: Any, number: int) -> Array:
    """A column by its number: a name may be that of two."""
    series = frame.iloc[:, number] if hasattr(frame, "iloc") else frame[frame.columns[number]]
    return np.asarray(series.to_numpy() if hasattr(series, "to_numpy") else series)


def _row_names(frame: Any) -> list[str] | None:
    index = getattr(frame, "index", None)
    if index is None or callable(index) or type(index).__name__ == "RangeIndex":
        return None
    return [label(each) for each in index]


__all__ = ["SUFFIXES", "TableColumns", "distinct", "label", "table_columns"]
