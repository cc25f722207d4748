"""Motifs of modisco-lite as a page draws them: heights of letters, and where seqlets lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.motifs import check_letters, read_motifs
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.report.packing import number
from deeplift_engine.report.sample_kinds import Kind
from deeplift_engine.report.views import View
from deeplift_engine.util.typing import Array

BITS = 2.0
"""The most information a letter of four has."""
_BLOCK = 256


def motifs_of(
    path: str | os.PathLike[str], view: View, kind: Kind, samples: Array
) -> dict[str, Any]:
    """The motifs of a result of ``modisco motifs`` on the export of a run.

    Parameters
    ----------
    path
        Its HDF5 file.
    view, kind
        A view of the run, and how it is drawn.
    samples
        The samples that the page shows.

    Returns
    -------
    dict
        ``motifs``: name, seqlets, heights of letters in bits, mean contribution of a seqlet.
        ``sites``: for each sample shown that has some, ``[motif, start, end, strand]`` within it.

    Raises
    ------
    InputError
        If the run is not of nucleotides, the file is no such result, or seqlets hold other
        letters than the samples.
    """
    if kind.name != "sequence" or sorted(kind.told["alphabet"]) != sorted(LETTERS):
        raise InputError(f"{path}: motifs are of nucleotides, and {view.run.name} is not")
    motifs = read_motifs(path, kind.told["length"])
    scored = np.setdiff1d(np.arange(len(view.run)), list(view.run.failed))
    check_letters(motifs, _one_hot(view, kind, scored), view.run.name)
    place = {int(row): n for n, row in enumerate(samples)}
    sites: dict[int, list[list[Any]]] = {}
    for at, motif in enumerate(motifs):
        for row, start, end, turned in zip(
            motif.row, motif.start, motif.end, motif.is_turned, strict=True
        ):
            shown = place.get(int(scored[row]))
            if shown is not None:
                strand = "-" if turned else "+"
                sites.setdefault(shown, []).append([at, int(start), int(end), strand])
    return {
        "motifs": [
            {
                "name": motif.name,
                "seqlets": len(motif),
                "contribution": number(np.float32(motif.contribution.mean())),
                "heights": np.round(_information(motif.probabilities), 3).tolist(),
            }
            for motif in motifs
        ],
        "sites": {str(sample): found for sample, found in sites.items()},
    }


def _information(probabilities: Array) -> Array:
    """Heights of letters ``(width, 4)``: their share of a position's information, in bits."""
    logs = np.log2(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    bits = BITS + (probabilities * logs).sum(axis=1, keepdims=True)
    return np.asarray(probabilities * bits)


def _one_hot(view: View, kind: Kind, scored: Array) -> Iterator[tuple[slice, Array]]:
    """The rows that an export of the run has, ``(n, 4, L)``, letters in the order ACGT."""
    for start in range(0, len(scored), _BLOCK):
        rows = scored[start : start + _BLOCK]
        stretch = slice(int(rows[0]), int(rows[-1]) + 1)
        samples = kind.content(view, stretch)
        letters = [samples[row - stretch.start].get("letters", "") for row in rows]
        if not all(letters):
            raise InputError(
                f"{view.run.name} keeps no inputs, with whose letters motifs are compared: score "
                "with --arrays inputs,..."
            )
        texts = np.array([list(text) for text in letters])
        one_hot = np.stack([texts == letter for letter in LETTERS], axis=1)
        yield slice(start, start + len(rows)), one_hot.astype(np.int8)


__all__ = ["motifs_of"]
