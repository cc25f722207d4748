"""Concepts of a layer, found in crops of samples, and how far the target varies with each (CRAFT).

Activations A of a layer, rows of channels that are 0 or more, are factored into A = U W by crops of
the samples: the rows of W are concepts, directions of the layer, and U says how much of each
concept a row has.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import ConvergenceWarning, InputError
from deeplift_engine.evaluate.bench import Bench
from deeplift_engine.evaluate.layer_concepts import Concepts, at_layer, concept_coefficients
from deeplift_engine.explainers.maps.feature_maps import resized
from deeplift_engine.explainers.perturbation.sobol_designs import Designs, check_rows
from deeplift_engine.graph.inputs import InputInfo, by_input
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Among, Integer, Number, checked
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

if TYPE_CHECKING:
    from deeplift_engine.network import Network

STRIDE = 0.8
"""From crop to crop, as a share of a crop's size; the authors' program has the same."""
STEPS, TOLERANCE = 4000, 1e-4
"""Of the factorisation; the tolerance is that of scikit-learn."""


def discover_concepts(
    network: Network,
    x: Any,
    layer: str,
    *,
    target: Any = None,
    target_layer: str = "logits",
    concepts: int = 10,
    size: float | Sequence[int] = 1 / 3,
    fit: str = "resize",
    samples: int = 32,
    seed: int = 0,
    batch_size: int | None = None,
) -> Concepts:
    """Find the concepts of a layer in crops of samples, and rank them (Fel 2023, CRAFT).

    The importance of a concept is its total Sobol index: each concept of a sample is scaled by a
    number from 0 to 1, the network is run from the layer on with the activations that are left, and
    the index is the share of the target's variance that is lost without knowing that number.

    Parameters
    ----------
    network
        From `load` or `convert`, of one input.
    x
        Samples (N, *S) of a class, as for `Network.predict`.
    layer
        A layer that all ways to the target go through, and whose activations are 0 or more.
        Positions are rows by themselves; of crops their mean is taken.
    target, target_layer
        As for `Explainer.run` and `Network.explainer`.
    concepts
        How many.
    size
        Of crops along the axes of positions: a share of the sample's, or numbers of positions.
    fit
        ``"resize"``: crops are enlarged to the sample's size, linear between positions, as in the
        publication. ``"zeros"``: they stay where they are, among zeros, which suits letters.
    samples
        Rows of the designs of Sobol's masks, a power of two: samples · (concepts + 2) passes from
        the layer on for each sample.
    seed
        Of the masks and the factorisation.
    batch_size
        As for `Explainer.run`.

    Returns
    -------
    Concepts
        Directions, importances, and maps by `Concepts.maps`.

    Raises
    ------
    InputError
        For several inputs, activations below 0, or a layer that is no cut of the network.
    RuleError
        If ``samples`` is no power of two.
    DeepliftEngineError
        If scikit-learn or scipy is not installed.

    Notes
    -----
    Fel 2023, arXiv:2211.10154: `Concepts.maps` are the coefficients of each position,
    `Concepts.attribute` gives maps by implicit differentiation (section 3.4).
    """
    concepts = checked("concepts", concepts, Integer(1), InputError)
    samples = checked("samples", samples, Integer(2), InputError)
    checked("fit", fit, Among(("resize", "zeros")), InputError)
    check_rows(samples)
    if len(network.inputs) != 1:
        raise InputError(
            f"Crops are those of one input; this network has {len(network.inputs)}: "
            f"{', '.join(info.name for info in network.inputs)}."
        )
    info = network.inputs[0]
    (data,) = by_input(x, network.inputs, "x")
    array = np.asarray(data, network.dtype)
    crops = np.concatenate(list(_crops(array, info, size, fit)))
    activations = at_layer(network, layer, crops, batch_size)
    channels = activations.shape[-1]
    rows = activations.reshape(len(activations), -1, channels).mean(axis=1).astype(float)
    if activations.min() < 0:
        raise InputError(
            f"{layer!r} has activations below 0, which are no sum of concepts: name a layer behind "
            "its ReLU."
        )
    if not rows.any():
        raise InputError(f"{layer!r} is 0 for all crops: there is nothing that concepts add up to.")
    reducer, coefficients = _factored(rows, concepts, seed)
    directions = np.asarray(reducer.components_)
    rest = ((rows - coefficients @ directions) ** 2).sum()
    bench = Bench(
        network,
        x,
        target=target,
        target_layer=target_layer,
        layers=layer,
        batch_size=batch_size,
        progress=False,
    )
    each = _importance(bench, reducer, Designs.of(concepts, samples, seed))
    count = each.shape[1]
    spread = each.std(axis=1, ddof=1) if count > 1 else np.full_like(each[:, 0], np.nan)
    stacked = bench.request.stacked
    mean, errors = each.mean(axis=1), spread / np.sqrt(count)
    return Concepts(
        layer,
        directions,
        mean if stacked else mean[0],
        errors if stacked else errors[0],
        crops,
        coefficients,
        float(1 - rest / max((rows**2).sum(), np.finfo(float).tiny)),
        network,
        reducer,
    )


def _importance(bench: Bench, reducer: Any, designs: Designs) -> Array:
    """Total indices (T, N, R), sample by sample."""
    activations = bench.request.data[0]
    masks = designs.masks(slice(0, designs.draws))
    indices = []
    for sample, own in enumerate(activations):
        coefficients = concept_coefficients(reducer, own[np.newaxis])[0]
        scaled = coefficients * masks.reshape(len(masks), *[1] * (own.ndim - 1), -1)
        points = [(scaled @ reducer.components_).astype(own.dtype)]
        points += [np.repeat(other[[sample]], len(masks), 0) for other in bench.request.data[1:]]
        values = bench.at(points, np.full(len(masks), sample))
        indices.append(designs.indices(values.astype(float)))
    return np.stack(indices, axis=1)


def _factored(rows: Array, concepts: int, seed: int) -> tuple[Any, Array]:
    """The model that factors rows (M, C), and their coefficients (M, R)."""
    decomposition = optional("sklearn.decomposition", "scikit-learn")
    ended = optional("sklearn.exceptions", "scikit-learn").ConvergenceWarning
    reducer = decomposition.NMF(
        concepts, random_state=seed, max_iter=STEPS, tol=TOLERANCE, init=None
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ended)
        try:
            return reducer, np.asarray(reducer.fit_transform(rows))
        except ended:
            warn(
                f"The factorisation has not come to an end after {STEPS} steps: take fewer "
                "concepts.",
                ConvergenceWarning,
            )
        warnings.simplefilter("ignore", ended)
        return reducer, np.asarray(reducer.fit_transform(rows))


def _crops(array: Array, info: InputInfo, size: Any, fit: str) -> Iterator[Array]:
    """Crops (N, *S) of samples (N, *S), window by window, as large as the samples are."""
    axes = [1 + axis for axis in info.positions]
    lengths = [array.shape[axis] for axis in axes]
    if not axes or info.table is not None:
        raise InputError(f"Input {info.name!r} of shape {info.shape} has no positions to crop.")
    if isinstance(size, int | float):
        share = checked("size", size, Number(above=0, most=1), InputError)
        sizes = [max(1, round(share * length)) for length in lengths]
    else:
        sizes = list(size)
    if len(sizes) != len(axes) or any(
        not 1 <= own <= length for own, length in zip(sizes, lengths, strict=False)
    ):
        raise InputError(f"size={size!r}: expected a share, or sizes of axes as long as {lengths}.")
    firsts = [
        sorted({*range(0, length - own, max(1, int(STRIDE * own))), length - own})
        for own, length in zip(sizes, lengths, strict=True)
    ]
    for start in itertools.product(*firsts):
        index: list[Any] = [slice(None)] * array.ndim
        for axis, first, own in zip(axes, start, sizes, strict=True):
            index[axis] = slice(first, first + own)
        if fit == "zeros":
            alone = np.zeros_like(array)
            alone[tuple(index)] = array[tuple(index)]
            yield alone
        else:
            crop = np.moveaxis(array[tuple(index)], axes, range(1, 1 + len(axes)))
            yield np.moveaxis(resized(crop, lengths, 1), range(1, 1 + len(axes)), axes)


__all__ = ["discover_concepts"]
