"""Motifs of filters: the letters that a convolution's channels fire at.

A position whose activation is above a share of the channel's largest over all sequences is a site,
and the letters of its receptive field are counted (Alipanahi 2015, doi:10.1038/nbt.3300; Kelley
2016, doi:10.1101/gr.200535.115, who takes half).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.engine.blocks import slices
from deeplift_engine.errors import InputError
from deeplift_engine.genomics.motifs import Motif, meme_lines
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.graph.inputs import by_input, by_name
from deeplift_engine.graph.receptive_fields import receptive_field
from deeplift_engine.util.letters import letter_axis
from deeplift_engine.util.options import Integer, Number, checked
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

_BLOCK = 256


def filter_motifs(
    network: Network,
    x: Any,
    layer: str | None = None,
    *,
    threshold: float = 0.5,
    most: int = 10_000,
) -> list[Motif]:
    """The motif of each channel of a convolution, from the sequences that make it fire.

    Parameters
    ----------
    network
        That reads one-hot sequences (N, L, 4).
    x
        Sequences, as for `Network.predict`; of several inputs one has letters.
    layer
        The layer whose channels are taken, at its activation; by default the first with a kernel.
        Of a layer farther up sites are as wide as its receptive field.
    threshold
        A site's activation is above this share of its channel's largest.
    most
        The sites of a channel, at most: those of the largest activations.

    Returns
    -------
    list of Motif
        ``LAYER.filter_NUMBER``; channels without a site are left out. ``contribution`` is the
        activation at a site, ``weights`` the letters' probabilities times the information of their
        position in bits.

    Raises
    ------
    InputError
        If no input has letters, or the layer has no positions along the sequence.
    """
    threshold = checked("threshold", threshold, Number(least=0, below=1), InputError)
    most = checked("most", most, Integer(1), InputError)
    arrays = [np.asarray(each) for each in by_input(x, network.inputs, "x")]
    number = _letters(arrays)
    name = layer or _first_kernel(network, network.inputs[number].name)
    start, stop = _reads(network, name, number, arrays[number].shape[1:])
    largest: Any = -np.inf
    for _, values in _activations(network, arrays, name):
        largest = np.maximum(largest, values.max(axis=(0, 1)))
    sites: list[list[Array]] = [[] for _ in largest]
    whole = np.flatnonzero(stop - start == (stop - start).max())
    for rows, values in _activations(network, arrays, name):
        fires = (values[:, whole] > threshold * largest) & (values[:, whole] > 0)
        for channel, own in enumerate(sites):
            row, position = np.nonzero(fires[..., channel])
            place = whole[position]
            fired = values[row, place, channel]
            own.append(np.stack([rows.start + row, start[place], stop[place], fired], axis=1))
    return [
        _motif(f"{name}.filter_{channel}", np.concatenate(own), arrays[number], most)
        for channel, own in enumerate(sites)
        if sum(map(len, own))
    ]


def write_meme(
    motifs: Sequence[Motif], path: str | os.PathLike[str], *, overwrite: bool = False
) -> None:
    """Write motifs in MEME's minimal format, version 4.

    Raises
    ------
    OutputError
        For an existing file, and any error of the disk.
    """
    with output_file(path, overwrite=overwrite) as disk:
        for line in meme_lines(list(motifs)):
            disk.write(line.encode())


def _letters(arrays: Sequence[Array]) -> int:
    """The number of the input that has letters, on its last axis."""
    for number, array in enumerate(arrays):
        few = np.asarray(array[:_BLOCK], float)
        if few.ndim == 3 and few.shape[2] == len(LETTERS) and letter_axis(few) == -1:
            return number
    raise InputError(
        f"inputs of shapes {', '.join(str(array.shape) for array in arrays)}: expected one-hot "
        f"sequences (N, length, {len(LETTERS)}), in the order {LETTERS}."
    )


def _first_kernel(network: Network, entered: str) -> str:
    """The first layer that reads the sequence through a kernel, at its activation."""
    behind = network.graph.descendants([entered])
    for name, node in network.nodes.items():
        if name in behind and node.layer.has_kernel:
            return node.keras_layer if node.keras_layer in network.nodes else name
    raise InputError("no layer of the network has a kernel: name the layer.")


def _reads(
    network: Network, layer: str, number: int, shape: tuple[int, ...]
) -> tuple[Array, Array]:
    """The first position of the sequence that each of the layer reads, and the one behind."""
    node = network.target_node(layer)
    field = receptive_field(network.graph, node, network.graph.inputs[number], shape, [0])
    if field.start.ndim != 3:
        raise InputError(
            f"{layer!r} has shape {field.start.shape[:-1]} for a sequence: expected positions and "
            "channels. Name a convolution, or what follows it."
        )
    return field.start[:, 0, 0], field.stop[:, 0, 0]


def _activations(
    network: Network, arrays: Sequence[Array], name: str
) -> Iterator[tuple[slice, Array]]:
    """Slices of the samples, and the activations (n, positions, channels) of a layer."""
    for rows in slices(len(arrays[0]), _BLOCK):
        block = by_name([array[rows] for array in arrays], network.inputs)
        yield rows, network.activations(block, name, progress=False)[name].astype(float)


def _motif(name: str, sites: Array, x: Array, most: int) -> Motif:
    """The motif of a channel, from rows, starts, stops and activations (sites, 4)."""
    sites = sites[np.argsort(-sites[:, 3], kind="stable")[:most]]
    row, start, stop = sites[:, :3].astype(int).T
    windows = start[:, np.newaxis] + np.arange(stop[0] - start[0])
    letters = np.asarray(x[row[:, np.newaxis], windows], float)
    counts = letters.sum(axis=0)
    totals = counts.sum(axis=1, keepdims=True)
    even = np.full_like(counts, 1 / len(LETTERS))
    probabilities = np.divide(counts, totals, out=even, where=totals > 0)
    logarithms = np.log2(probabilities, out=np.zeros_like(counts), where=probabilities > 0)
    bits = np.log2(len(LETTERS)) + (probabilities * logarithms).sum(axis=1, keepdims=True)
    turned = np.zeros(len(row), bool)
    return Motif(
        name, probabilities, row, start, stop, turned, letters, sites[:, 3], probabilities * bits
    )


__all__ = ["filter_motifs", "write_meme"]
