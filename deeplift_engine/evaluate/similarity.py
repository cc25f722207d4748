"""How alike layers are: of one network, or of two, by their activations for the same samples.

Read are the Gram matrices K = X Xᵀ (N, N) of activations X (N, features) whose means over the
samples are taken off, and their eigenvectors, so that layers of any width compare.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.similarity_figure import draw_similarity
from deeplift_engine.util import storage
from deeplift_engine.util.options import Number, checked
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.tables import PICTURES, aligned, checked_suffix, to_csv, to_picture
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.network import Network

FEWEST = 4
"""Samples that the unbiased estimate divides by the number of, less 3."""


@dataclass(frozen=True)
class LayerSimilarity:
    """The result of `layer_similarity`.

    Attributes
    ----------
    values
        (rows, columns): 1 for layers that hold the same, 0 for such that have nothing in common.
    rows, columns
        Names of layers.
    measure
        Its name.
    samples
        How many samples it was measured on.
    """

    values: Array
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    measure: str
    samples: int

    def __repr__(self) -> str:
        """The table."""
        lines = [
            [name, *(f"{value:.3f}" for value in row)]
            for name, row in zip(self.rows, self.values, strict=True)
        ]
        table = aligned([["layer", *self.columns], *lines], right=range(1, len(self.columns) + 1))
        return f"{self.measure} of activations for {self.samples} samples\n\n{table}"

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows of the table, by the names of columns."""
        return [
            {"layer": name, **dict(zip(self.columns, map(float, values), strict=True))}
            for name, values in zip(self.rows, self.values, strict=True)
        ]

    def figure(self) -> Figure:
        """The table as a heat map."""
        return draw_similarity(self.values, self.rows, self.columns, measure=self.measure)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table (``.csv``) or the figure (``.png``, ``.pdf``, ``.svg``).

        Raises
        ------
        OutputError
            For another suffix, an existing file, and any error of the disk.
        """
        kind = checked_suffix(path, "similarities", (".csv",))
        if kind in PICTURES:
            content = to_picture(self.figure(), kind)
        else:
            content = to_csv(self.records).encode()
        storage.write_bytes(path, content, overwrite=overwrite)


@dataclass(frozen=True)
class Spectrum:
    """Centred activations (N, features), and what is read of them."""

    features: Array

    @classmethod
    def of(cls, activations: Array) -> Spectrum:
        """That of activations (N, ...)."""
        features = np.asarray(activations, float).reshape(len(activations), -1)
        return cls(features - features.mean(axis=0))

    @cached_property
    def gram(self) -> Array:
        """The Gram matrix (N, N)."""
        return self.features @ self.features.T

    @cached_property
    def parts(self) -> tuple[Array, Array]:
        """Variances, largest first, and the orthonormal vectors (N, k) that have them."""
        if self.features.shape[1] < len(self.features):
            vectors, sizes, _ = np.linalg.svd(self.features, full_matrices=False)
            return sizes**2, vectors
        values, vectors = np.linalg.eigh(self.gram)
        return np.maximum(values[::-1], 0), vectors[:, ::-1]

    def subspace(self, share: float) -> Array:
        """Orthonormal vectors (N, k), the fewest that have a share of the variance."""
        values, vectors = self.parts
        total = values.cumsum()
        kept = values > len(vectors) * np.finfo(float).eps * values[0]
        count = min(np.count_nonzero(kept), 1 + np.searchsorted(total, share * total[-1]))
        return vectors[:, :count]


def cka(first: Spectrum, second: Spectrum, share: float) -> float:
    """Linear centred kernel alignment: Kornblith 2019, arXiv:1905.00414, equation 5."""
    k, m = first.gram, second.gram
    return _ratio((k * m).sum(), (k * k).sum(), (m * m).sum())


def unbiased_cka(first: Spectrum, second: Spectrum, share: float) -> float:
    """The same with HSIC estimated without bias: Nguyen 2021, arXiv:2010.15327, equation 3."""
    k, m = (spectrum.gram - np.diag(np.diag(spectrum.gram)) for spectrum in (first, second))
    return _ratio(_hsic(k, m), _hsic(k, k), _hsic(m, m))


def svcca(first: Spectrum, second: Spectrum, share: float) -> float:
    """Mean canonical correlation of leading singular vectors: Raghu 2017, arXiv:1706.05806."""
    one, other = first.subspace(share), second.subspace(share)
    if not (one.size and other.size):
        return float("nan")
    correlations = np.linalg.svd(one.T @ other, compute_uv=False)
    return float(np.minimum(correlations, 1).mean())


Measure = Callable[[Spectrum, Spectrum, float], float]
MEASURES: Mapping[str, Measure] = {"cka": cka, "unbiased_cka": unbiased_cka, "svcca": svcca}
"""Measures by name."""


def layer_similarity(
    network: Network,
    x: Any,
    layers: str | Iterable[str] | None = None,
    other: Network | None = None,
    other_layers: str | Iterable[str] | None = None,
    *,
    measure: str = "cka",
    share: float = 0.99,
    batch_size: int | None = None,
) -> LayerSimilarity:
    """How alike the activations of layers are, over a data set.

    Parameters
    ----------
    network
        From `load` or `convert`.
    x
        Samples (N, ...), as for `Network.predict`. The activations of all layers for all of them,
        and matrices (N, N), are held in memory: a few hundred samples do.
    layers
        Names of layers; by default all that a Keras layer ends with, but the inputs.
    other
        Another network, whose layers are the columns; by default the same.
    other_layers
        Its layers, by default those of the same rule.
    measure
        ``"cka"``, linear centred kernel alignment; ``"unbiased_cka"``, which does not grow where
        samples are fewer than features; ``"svcca"``, the mean canonical correlation of the leading
        singular vectors. All are 1 for a layer with itself, and for one that was rotated or scaled.
    share
        Of svcca: the share of the variance that the singular vectors have.

    Returns
    -------
    LayerSimilarity
        Whose entries are NaN where a layer is the same for all samples.

    Raises
    ------
    InputError
        For another measure or share, or too few samples.

    Notes
    -----
    Activations of a convolution are features at every position. cka-pytorch 1.1 adds 1e-4 under the
    root, which makes 0.0006 of a softmax layer with itself; here nothing is added.
    """
    if measure not in MEASURES:
        raise InputError(
            f"There is no measure {measure!r}. "
            f"{suggest(measure, MEASURES, 'There are: ' + ', '.join(MEASURES) + '.')}"
        )
    share = checked("share", share, Number(above=0, most=1), InputError)
    rows = _spectra(network, x, layers, batch_size)
    columns = rows
    if other is not None or other_layers is not None:
        columns = _spectra(other or network, x, other_layers, batch_size)
    samples = len(next(iter(rows.values())).features)
    if samples < FEWEST:
        raise InputError(f"{samples} samples: similarities are measured on {FEWEST} or more.")
    if measure == "svcca":
        _warn_of_few(rows, columns, samples, share)
    compute = MEASURES[measure]
    values = [[compute(one, two, share) for two in columns.values()] for one in rows.values()]
    return LayerSimilarity(np.array(values), tuple(rows), tuple(columns), measure, samples)


def _spectra(network: Network, x: Any, layers: Any, batch_size: int | None) -> dict[str, Spectrum]:
    if layers is None:
        names = {node.keras_layer: name for name, node in network.nodes.items() if node.inputs}
        layers = list(names.values())
    found = network.activations(x, layers, batch_size, False)
    return {name: Spectrum.of(found.pop(name)) for name in list(found)}


def _warn_of_few(
    rows: Mapping[str, Spectrum], columns: Mapping[str, Spectrum], samples: int, share: float
) -> None:
    """Two subspaces that fill the space of the samples have all in common, whatever they hold."""
    one, two = (max(s.subspace(share).shape[1] for s in each.values()) for each in (rows, columns))
    if one + two > samples:
        warn(
            f"{samples} samples, and layers with {one} and {two} directions: canonical "
            "correlations come out too large; take more samples than both together, or a smaller "
            "share=."
        )


def _ratio(between: float, first: float, second: float) -> float:
    size = np.sqrt(first) * np.sqrt(second) if min(first, second) > 0 else 0.0
    return float(between / size) if size > 0 else float("nan")


def _hsic(k: Array, m: Array) -> float:
    """The unbiased estimate of HSIC, of matrices without their diagonals (Song 2012)."""
    n = len(k)
    sums = k.sum() * m.sum() / ((n - 1) * (n - 2))
    rows = 2 / (n - 2) * (k.sum(axis=0) @ m.sum(axis=0))
    return float(((k * m).sum() + sums - rows) / (n * (n - 3)))


__all__ = ["MEASURES", "LayerSimilarity", "layer_similarity"]
