"""Effects of variants on each head of a network, and over folds.

The definitions are those of the field's variant-scorer (github.com/kundajelab/variant-scorer):
log2 ratios of counts, the Jensen-Shannon distance of profiles, and the quantile of the more active
allele among peaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.variants.variant_heads import PROFILES, Output
from deeplift_engine.genomics.variants.variant_windows import aligned
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class Effect:
    """A number of a variant on one head.

    Attributes
    ----------
    meaning
        What it is, for the header of a VCF.
    signed
        Whether it has a direction, so that folds may disagree on it.
    """

    meaning: str
    signed: bool = False


OF_HEADS: Mapping[str, Effect] = {
    "ref_prediction": Effect("prediction for REF"),
    "alt_prediction": Effect("prediction for ALT"),
    "logfc": Effect("log2 of the counts with ALT over those with REF", signed=True),
    "abs_logfc": Effect("absolute value of logfc"),
    "active_allele_quantile": Effect(
        "share of the peaks with counts below those of the more active allele"
    ),
    "jsd": Effect("Jensen-Shannon distance, to the base 2, of the profiles with REF and with ALT"),
    "difference": Effect("prediction for ALT minus that for REF", signed=True),
    "largest_difference": Effect(
        "ALT minus REF at the position where they differ most", signed=True
    ),
}
"""The effects on one head."""
PRODUCTS = (
    ("logfc", "jsd"),
    ("abs_logfc", "jsd"),
    ("logfc", "active_allele_quantile"),
    ("abs_logfc", "active_allele_quantile"),
    ("jsd", "active_allele_quantile"),
    ("logfc", "jsd", "active_allele_quantile"),
    ("abs_logfc", "jsd", "active_allele_quantile"),
)
"""Effects that are multiplied, where one head alone has each."""
EFFECTS: Mapping[str, Effect] = {
    **OF_HEADS,
    **{
        "_x_".join(factors): Effect(
            f"{' times '.join(factors)}", signed=any(OF_HEADS[name].signed for name in factors)
        )
        for factors in PRODUCTS
    },
}
"""All effects, in the order of columns."""
OVER_FOLDS = {
    "sd": "standard deviation over the models",
    "positive": "number of models in which it is above 0",
    "negative": "number of models in which it is below 0",
    "direction_agreement": "share of the models in which it has the sign of the mean",
}
"""What folds add to an effect; all but the first to those with a direction alone."""

Alleles = Array
"""Lengths of REF and ALT of each variant, (N, 2)."""


def effects(
    outputs: Sequence[Output],
    ref: Sequence[Array],
    alt: Sequence[Array],
    alleles: Alleles,
    length: int,
    peaks: Mapping[str, Array],
) -> dict[tuple[str, str], Array]:
    """Effects (N,) by head and name, of one model; of products the head is ``""``.

    Parameters
    ----------
    outputs
        The model's.
    ref, alt
        What `Output.levels` gives for each output, with the one and with the other allele.
    alleles
        Lengths of REF and ALT, (N, 2).
    length
        Of the windows. A profile is of the positions in their middle, one value a base.
    peaks
        Rising counts of peaks by head, (P,); empty without any.

    Raises
    ------
    InputError
        For counts that are not above 0.
    """
    of_heads = {
        (head, name): values[:, column]
        for output, one, other in zip(outputs, ref, alt, strict=True)
        for name, values in _of_output(output, one, other, alleles, length, peaks)
        for column, head in enumerate(output.heads)
    }
    return {**of_heads, **_products(of_heads)}


def _products(of_heads: Mapping[tuple[str, str], Array]) -> dict[tuple[str, str], Array]:
    """Products of effects that one head alone has."""
    heads = Counter(name for _, name in of_heads)
    alone = {name: values for (_, name), values in of_heads.items() if heads[name] == 1}
    return {
        ("", "_x_".join(factors)): np.prod([alone[name] for name in factors], axis=0)
        for factors in PRODUCTS
        if all(name in alone for name in factors)
    }


def _of_output(
    output: Output,
    ref: Array,
    alt: Array,
    alleles: Alleles,
    length: int,
    peaks: Mapping[str, Array],
) -> Iterator[tuple[str, Array]]:
    """Effects (N, heads) by name."""
    if output.has_positions:
        start = length // 2 - (length - output.shape[0]) // 2
        if output.kind in PROFILES:
            shares = output.probabilities(ref), output.probabilities(alt)
            yield "jsd", _over_alignments(distance, *shares, alleles, start)
        else:
            yield "largest_difference", _over_alignments(largest, ref, alt, alleles, start)
        return
    yield "ref_prediction", ref
    yield "alt_prediction", alt
    if output.kind == "value":
        yield "difference", alt - ref
        return
    if not (np.all(ref > 0) and np.all(alt > 0)):
        least = min(ref.min(), alt.min())
        raise InputError(
            f"The output {output.name!r} is taken for {output.kind}, and is {least:g} for some "
            "windows, which is no count: say what it is, such as "
            f"kinds={{{output.name!r}: 'value'}}; on the command line --kind {output.name}=value"
        )
    logfc = np.log2(alt / ref)
    yield "logfc", logfc
    yield "abs_logfc", np.abs(logfc)
    if peaks:
        columns = zip(output.heads, np.maximum(ref, alt).T, strict=True)
        ranks = [quantiles(active, peaks[head]) for head, active in columns]
        yield "active_allele_quantile", np.stack(ranks, axis=1)


def quantiles(counts: Array, peaks: Array) -> Array:
    """Share of the peaks with less than some counts, at the least that of one peak.

    Parameters
    ----------
    counts
        (N,).
    peaks
        Rising counts (P,).
    """
    below = np.searchsorted(peaks, counts, side="left")
    return np.asarray(np.maximum(below, 1) / len(peaks))


def distance(one: Array, other: Array) -> Array:
    """Jensen-Shannon distance to the base 2 along the last axis; shares are made to sum to 1.

    The square root of the mean of both relative entropies to the mean distribution; between 0 and
    1. Lin 1991, doi:10.1109/18.61115; Endres 2003, doi:10.1109/TIT.2003.813506.
    """
    one, other = (each / each.sum(axis=-1, keepdims=True) for each in (one, other))
    mean = (one + other) / 2
    entropies = [
        np.sum(each * np.log2(np.where(each > 0, each / mean, 1)), axis=-1) for each in (one, other)
    ]
    return np.asarray(np.sqrt(np.maximum(entropies[0] + entropies[1], 0) / 2))


def largest(one: Array, other: Array) -> Array:
    """The entry of largest magnitude of ``other - one`` along the last axis."""
    change = other - one
    where = np.abs(change).argmax(axis=-1)[..., np.newaxis]
    return np.asarray(np.take_along_axis(change, where, axis=-1)[..., 0])


def _over_alignments(
    compare: Callable[[Array, Array], Array], ref: Array, alt: Array, alleles: Alleles, start: int
) -> Array:
    """Compare (N, heads, positions) where positions of both windows belong together."""
    values = np.zeros(ref.shape[:2])
    sizes, group = np.unique(alleles, axis=0, return_inverse=True)
    for number, (one, other) in enumerate(sizes):
        rows = np.flatnonzero(group.ravel() == number)
        left, right = aligned(ref.shape[2], start, int(one), int(other))
        values[rows] = compare(ref[rows][:, :, left], alt[rows][:, :, right])
    return values


def over_folds(folds: Sequence[Mapping[tuple[str, str], Array]]) -> dict[str, Array]:
    """Columns (N,) by name: the means over models, and for several what `OVER_FOLDS` says.

    A column is named by its effect, with the head in front where several heads have the effect.
    """
    columns: dict[str, Array] = {}
    for (head, effect), name in column_names(folds[0]).items():
        values = np.stack([fold[head, effect] for fold in folds])
        columns[name] = mean = values.mean(axis=0)
        if len(folds) == 1:
            continue
        columns[f"{name}_sd"] = values.std(axis=0, ddof=1)
        if EFFECTS[effect].signed:
            columns[f"{name}_positive"] = (values > 0).sum(axis=0)
            columns[f"{name}_negative"] = (values < 0).sum(axis=0)
            same = np.sign(values) == np.sign(mean)
            columns[f"{name}_direction_agreement"] = same.mean(axis=0)
    return columns


def column_names(keys: Mapping[tuple[str, str], Array]) -> dict[tuple[str, str], str]:
    """The name of each column by head and effect, in the order of `EFFECTS`."""
    effects_of = [effect for _, effect in keys]
    order = list(EFFECTS)
    return {
        (head, effect): effect if effects_of.count(effect) == 1 else f"{head}.{effect}"
        for head, effect in sorted(keys, key=lambda key: order.index(key[1]))
    }


def meaning(column: str) -> str:
    """What a column is, in words."""
    head, _, last = column.rpartition(".")
    effect = next(name for name in sorted(EFFECTS, key=len, reverse=True) if last.startswith(name))
    over = OVER_FOLDS.get(last[len(effect) + 1 :])
    text = EFFECTS[effect].meaning + (f", {over}" if over else "")
    return f"{text} ({head})" if head else text


__all__ = [
    "EFFECTS",
    "OVER_FOLDS",
    "PRODUCTS",
    "column_names",
    "distance",
    "effects",
    "largest",
    "meaning",
    "over_folds",
    "quantiles",
]
