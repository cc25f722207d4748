"""What transformers make of columns: names, and which column each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.tables.feature_space import is_feature_space, space_columns
from deeplift_engine.tables.table_columns import distinct


def encoded_columns(transformer: Any) -> tuple[list[str], list[str]]:
    """Names of the columns that a fitted transformer makes, and the column that each comes from.

    Columns come in the order of a ColumnTransformer's transformers, and names that two features
    share are told apart: ``b_c`` of ``a`` and ``c`` of ``a_b`` are both called ``a_b_c``, and are
    of two groups.

    Parameters
    ----------
    transformer
        Of scikit-learn, a fitted ``ColumnTransformer``, ``OneHotEncoder``, or what makes one
        column of each; or Keras's FeatureSpace, adapted, or the ``.keras`` file of it.

    Returns
    -------
    names, groups
        Of each column: what `deeplift_engine.tables.read` takes as ``columns`` and ``groups``.

    Raises
    ------
    InputError
        For what mixes columns, or was not fitted.
    """
    if is_feature_space(transformer):
        pairs = space_columns(transformer)
        return distinct([name for name, _ in pairs]), [group for _, group in pairs]
    pairs = list(_pairs(transformer, getattr(transformer, "feature_names_in_", None)))
    return distinct([name for name, _ in pairs]), [group for _, group in pairs]


def _pairs(transformer: Any, columns: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """The name of each column that is made, and the column that it is made of."""
    if columns is None:
        raise InputError(
            f"{type(transformer).__name__} does not say the names of its columns: fit it on a data "
            "frame."
        )
    if hasattr(transformer, "transformers_"):
        known = list(transformer.feature_names_in_)
        for name, part, _ in transformer.transformers_:
            read = [known[number] for number in transformer._transformer_to_input_indices[name]]
            if read and not (isinstance(part, str) and part == "drop"):
                yield from _pairs(part, read)
    elif hasattr(transformer, "_n_features_outs"):  # of a OneHotEncoder, rare ones joined too
        made = transformer.get_feature_names_out(columns)
        counts = zip(columns, transformer._n_features_outs, strict=True)
        groups = [name for name, count in counts for _ in range(count)]
        yield from zip(made, groups, strict=True)
    elif hasattr(transformer, "steps"):
        yield from _of_steps(transformer, columns)
    else:
        yield from ((name, name) for name in _one_each(transformer, columns))


def _of_steps(pipeline: Any, columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of a pipeline: only one of its steps may make more columns than it takes."""
    pairs = [(name, name) for name in columns]
    for _, step in pipeline.steps:
        origin = dict(pairs)
        after = list(_pairs(step, [name for name, _ in pairs]))
        pairs = [(name, origin[before]) for name, before in after]
    yield from pairs


def _one_each(transformer: Any, columns: Sequence[str]) -> Sequence[str]:
    if isinstance(transformer, str) or not hasattr(transformer, "get_feature_names_out"):
        return columns
    made = list(transformer.get_feature_names_out(columns))
    if made != list(columns):
        raise InputError(
            f"{type(transformer).__name__} makes the columns {', '.join(made[:5])} of "
            f"{', '.join(columns[:5])}: name columns and groups yourself."
        )
    return columns


__all__ = ["encoded_columns"]
