"""Activations of layers on the first samples of a page, small enough to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.jobs.scored_run import ScoredRun
from deeplift_engine.report.cell_sums import cell_means, cell_size
from deeplift_engine.report.packing import Steps, number
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

ROWS, COLUMNS = 40, 96
"""Cells of a map at most."""


def layer_activations(
    network: Network, run: ScoredRun, layers: Sequence[str], samples: Array
) -> list[dict[str, Any]]:
    """Activations of layers, as a page holds them.

    Parameters
    ----------
    network
        The network.
    run
        A run of it that keeps its inputs.
    layers
        Names of layers in the order of the drawing.
    samples
        Numbers of samples.

    Returns
    -------
    list of dict
        For each sample, of the layer k with numbers: ``layerk/map`` (rows, columns), and
        ``layerk/about`` with the axes of the map and the smallest, mean and largest activation.
        Empty where the run does not keep the inputs.
    """
    inputs = network_inputs(network, run, samples)
    names = {k: name for k, name in enumerate(layers) if name in network.nodes}
    if inputs is None or not names:
        return []
    activations = network.activations(inputs, list(names.values()), progress=False)
    held: list[dict[str, Any]] = [{} for _ in samples]
    for k, name in names.items():
        if activations[name].dtype.kind not in "fiu":
            continue
        for own, values in zip(held, activations[name], strict=True):
            shown, axes = _map(np.asarray(values, np.float64))
            own[f"layer{k}/map"] = Steps(shown, "i1")
            least, mean, most = values.min(), values.mean(), values.max()
            own[f"layer{k}/about"] = {
                "axes": axes,
                "numbers": [number(np.float32(each)) for each in (least, mean, most)],
                "zeros": number(np.float32(np.mean(values == 0))),
            }
    return held


def network_inputs(network: Network, run: ScoredRun, samples: Array) -> Any:
    """The inputs of samples as the network takes them; None where the run keeps not all."""
    single, kept = len(network.inputs) == 1, run.by_input("inputs")
    named: Mapping[str, Any] = {
        info.name: kept.get("" if single else info.name.replace("/", "."))
        for info in network.inputs
    }
    if any(array is None for array in named.values()):
        return None
    chosen = {name: np.asarray(array[samples]) for name, array in named.items()}
    return next(iter(chosen.values())) if single else chosen


def _map(values: Array) -> tuple[Array, list[str]]:
    """Activations of one sample as rows and columns, and what these are."""
    if values.ndim >= 3:
        plane = values.reshape(*values.shape[:2], -1).mean(axis=-1)
        cell = max(cell_size(plane.shape[0], ROWS), cell_size(plane.shape[1], COLUMNS))
        axes = [_axis("rows", cell), f"{_axis('columns', cell)}, mean of channels"]
        return cell_means(plane, {0: cell, 1: cell}), axes
    matrix = np.atleast_2d(values if values.ndim < 2 else values.T)
    sizes = {0: cell_size(matrix.shape[0], ROWS), 1: cell_size(matrix.shape[1], COLUMNS)}
    across = "units" if values.ndim < 2 else "positions"
    down = _axis("channels", sizes[0]) if values.ndim == 2 else ""
    return cell_means(matrix, sizes), [down, _axis(across, sizes[1])]


def _axis(name: str, cell: int) -> str:
    """An axis of a map in words."""
    return name if cell == 1 else f"{name} (means of {cell})"


__all__ = ["layer_activations", "network_inputs"]
