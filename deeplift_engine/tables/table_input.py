"""A table as the inputs of a network: columns matched by name, with groups of one-hot columns."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine import references
from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of
from deeplift_engine.tables.table_columns import TableColumns, distinct, label, table_columns
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.graph.inputs import InputInfo
    from deeplift_engine.network import Network

KIND = "table"
Groups = Mapping[str, str | Sequence[str]] | Sequence[str]
"""Columns of each group, by names or by one pattern; or the group of each column, in order."""


@dataclass(frozen=True, eq=False)
class InputColumns:
    """The columns that one input of a network reads, (N, F).

    Attributes
    ----------
    values
        The numbers.
    features
        Names of the columns.
    told
        What a run keeps beside the scores: of the whole table, with one of its inputs.
    settings
        What a store's description tells.
    dimension
        Name of the axis of the columns.
    """

    values: Array
    features: tuple[str, ...]
    told: Mapping[str, Any]
    settings: Mapping[str, str]
    dimension: str

    def __len__(self) -> int:
        """N."""
        return len(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, F)."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """2."""
        return self.values.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return self.values.dtype

    def __getitem__(self, rows: Any) -> Array:
        """Some rows."""
        return np.asarray(self.values[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype) if copy else np.asarray(self.values, dtype)

    def rows_of(self, source: Any) -> Array:
        """The same columns of another table (M, F), by name; what it may be is said at `read`.

        Raises
        ------
        InputError
            If a column is not there, or holds no numbers.
        """
        return table_columns(source, self.features).numbers(self.features)

    @property
    def constants(self) -> dict[str, Any]:
        """What a store keeps beside the scores, as `Job` takes it."""
        return dict(self.told)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes of a sample."""
        return (self.dimension,)

    @property
    def about(self) -> dict[str, str]:
        """What a store's description tells."""
        return dict(self.settings)


@dataclass(frozen=True, eq=False)
class Table:
    """A table as the inputs of a network; one of a single input is what `Explainer.run` takes, too.

    Attributes
    ----------
    by_input
        The columns that each input reads, by the inputs' names.
    samples
        Names of the rows.
    groups
        Of each feature, in the order of `features`, the group that it is added up in.
    notes
        What was chosen without being told, in words.
    """

    by_input: Mapping[str, InputColumns]
    samples: tuple[str, ...]
    groups: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """N."""
        return len(self.samples)

    @property
    def inputs(self) -> Any:
        """What `Explainer.run`, `Explainer.stream` and `Job` take: columns, or them by input."""
        several = list(self.by_input.values())
        return several[0] if len(several) == 1 else dict(self.by_input)

    def __getitem__(self, rows: Any) -> Any:
        """Some rows of what the network takes: an array, or several by input."""
        parts = {name: columns[rows] for name, columns in self.by_input.items()}
        return parts if len(parts) > 1 else next(iter(parts.values()))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if len(self.by_input) > 1:
            raise TypeError("a table of several inputs is no array: take its inputs")
        return next(iter(self.by_input.values())).__array__(dtype, copy)

    @property
    def features(self) -> list[str]:
        """Names of all columns that the network reads, input by input."""
        return [name for columns in self.by_input.values() for name in columns.features]

    @property
    def constants(self) -> dict[str, Any]:
        """What a store keeps beside the scores: ``sample``, ``feature`` and ``group``."""
        return next(iter(self.by_input.values())).constants

    def references(self, source: Any) -> Any:
        """Rows of another table as references that all samples share, matched by name.

        Parameters
        ----------
        source
            As for `read`; its columns may be in any order, and it may have more.

        Returns
        -------
        References or dict
            What `Explainer.run` takes as ``references``; by input where there are several.

        Raises
        ------
        InputError
            If a column is not there, or holds no numbers.
        """
        table = table_columns(source, self.features)
        shared = {
            name: references.shared(table.numbers(columns.features))
            for name, columns in self.by_input.items()
        }
        return shared if len(shared) > 1 else next(iter(shared.values()))


def read(
    source: Any,
    network: Network | None = None,
    *,
    columns: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    names: str | None = None,
    groups: Groups | None = None,
) -> Table:
    """A table as the inputs of a network, its columns matched by name.

    Parameters
    ----------
    source
        A data frame; a ``.csv``, ``.tsv`` or ``.parquet`` file; a mapping of names to columns; or
        an array (N, F).
    network
        The network that reads it. Of several inputs, one of a single number takes the column of
        its name.
    columns
        The columns that the network reads, in its order, which no file of a model says: needed
        where the table has others too. Of several inputs, by their names, where these are not
        those of columns. Of an array, names of all its columns.
    names
        The column with names of the rows; by default the frame's index.
    groups
        One-hot columns of one feature, whose scores may be added up: their names, or one pattern
        (``"colour_*"``), by the name of the group; or the group of each column in order, as
        `encoded_columns` gives it. Others are groups of their own.

    Raises
    ------
    InputError
        If columns are missing or hold no numbers, or do not fit the network.
    """
    table = table_columns(source, None if isinstance(columns, Mapping) else columns)
    table = table if names is None else table.without(names)
    notes: list[str] = []
    if network is None or len(network.inputs) == 1:
        info = None if network is None else network.inputs[0]
        chosen = {"" if info is None else info.name: _columns_of(table, info, columns, notes)}
    else:
        chosen = _by_input(table, network.inputs, columns)
    features = [name for each in chosen.values() for name in each]
    group = _group_of(features, groups)
    told = {"sample": list(table.rows), "feature": features, "group": group}
    infos = {info.name: info for info in network.inputs} if network is not None else {}
    by_input = {
        name: InputColumns(
            _values(table, each, infos.get(name)),
            tuple(each),
            told if number == 0 else {},
            {"kind": KIND},
            "feature" if len(chosen) == 1 else f"feature of {name}".replace("/", "."),
        )
        for number, (name, each) in enumerate(chosen.items())
    }
    return Table(by_input, tuple(table.rows), tuple(group), tuple(notes))


def _columns_of(
    table: TableColumns, info: InputInfo | None, columns: Any, notes: list[str]
) -> list[str]:
    """The columns of the only input."""
    if isinstance(columns, Mapping):
        if info is not None:
            columns = _by_known(columns, [info])
        if len(columns) != 1:
            raise InputError(
                f"columns: those of {len(columns)} inputs, and there is one; give its alone."
            )
        (columns,) = columns.values()
    chosen = table.names if columns is None else _distinct(columns)
    table.check(chosen)
    if info is None:
        return chosen
    if len(info.shape) != 1:
        raise InputError(
            f"input {info.name!r} reads samples of shape {info.shape}, and a row of a table is one "
            "line of numbers: expected an input of one axis."
        )
    if info.shape[0] not in (None, len(chosen)):
        advice = (
            "say which it reads, in its order, columns= (--columns)"
            if columns is None
            else ("name as many as it reads")
        )
        raise InputError(
            f"{table.source} has {len(chosen)} columns for input {info.name!r}, which reads "
            f"{info.shape[0]}: {', '.join(chosen)}; {advice}."
        )
    if columns is None:
        notes.append(f"the model reads the columns in the table's order: {', '.join(chosen)}")
    return chosen


def _distinct(columns: Any) -> list[str]:
    """Names of columns as a table has them; one string is no list of them."""
    if isinstance(columns, str):
        raise InputError(
            f"columns={columns!r}: give a list of names, such as {columns.split(',')}."
        )
    return distinct(list(map(label, columns)))


def _by_known(
    columns: Mapping[str, Sequence[str]], inputs: Sequence[InputInfo]
) -> dict[str, Sequence[str]]:
    """Columns by the inputs' names; an unknown one is refused."""
    keyed = {key_of(name, inputs): each for name, each in columns.items()}
    known = {info.name for info in inputs}
    if unknown := [name for name in keyed if name not in known]:
        listed = f"There are {', '.join(sorted(known))}."
        raise InputError(f"columns: no input is called {unknown[0]!r}. "
                         f"{suggest(unknown[0], known, listed)}")  # fmt: skip
    return keyed


def _by_input(
    table: TableColumns, inputs: Sequence[InputInfo], columns: Any
) -> dict[str, list[str]]:
    """The columns of each of several inputs."""
    if columns is not None and not isinstance(columns, Mapping):
        raise InputError(
            "columns: the network has several inputs; give a mapping of their names to columns, "
            "{'input': ['a', 'b'], ...}."
        )
    keyed = _by_known(columns or {}, inputs)
    chosen = {}
    for info in inputs:
        called = (name for name in (info.name, info.layer) if name in table.columns)
        own = _distinct(keyed.get(info.name, ())) or list(islice(called, 1))
        size = info.shape[0] if len(info.shape) == 1 else 1 if not info.shape else None
        if not own or size not in (None, len(own)):
            there = f"{len(own)} columns" if own else "no column of that name"
            raise InputError(
                f"{table.source} has {there} for input {info.name!r} of shape {info.shape}: say "
                f"columns={{{info.name!r}: [...]}} (--columns {info.name}=NAME,...). It has "
                f"{', '.join(table.names)}."
            )
        chosen[info.name] = own
    return chosen


def _values(table: TableColumns, names: Sequence[str], info: InputInfo | None) -> Array:
    """The numbers of an input, whole where it reads tokens."""
    values = table.numbers(names)
    if info is not None and not info.dtype.startswith("float") and values.dtype.kind == "f":
        if not np.array_equal(values, np.floor(values)):
            raise InputError(
                f"{table.source}: input {info.name!r} reads whole numbers, and "
                f"{', '.join(names)} hold fractions."
            )
        return values.astype(np.int64)
    return values


def _group_of(features: Sequence[str], groups: Groups | None) -> list[str]:
    """The group of each feature."""
    if groups is None:
        return list(features)
    if not isinstance(groups, Mapping):
        if len(groups) != len(features):
            raise InputError(f"groups: {len(groups)} names for {len(features)} columns.")
        return list(groups)
    group = dict(zip(features, features, strict=True))
    for name, members in groups.items():
        each = members if not isinstance(members, str) else fnmatch.filter(features, members)
        if name in group and name not in each:
            raise InputError(f"groups: {name!r} is a column that is not in it; call it otherwise.")
        for member in each:
            if member not in group:
                listed = f"There are {', '.join(features)}."
                raise InputError(f"groups: no column is called {member!r}. "
                                 f"{suggest(member, features, listed)}")  # fmt: skip
            if group[member] != member:
                raise InputError(f"groups: {member!r} is in {group[member]!r} and in {name!r}.")
            group[member] = name
        if not each:
            raise InputError(f"groups: no column fits {members!r} of {name!r}.")
    return [group[feature] for feature in features]


__all__ = ["KIND", "InputColumns", "Table", "read"]
