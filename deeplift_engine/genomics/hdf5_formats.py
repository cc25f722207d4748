"""The HDF5 files of chrombpnet and of bpnet, which modisco-lite and finemo read too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.array_rows import hdf5_array
from deeplift_engine.genomics.exported import (
    HYPOTHETICAL,
    MOST_SEQLETS,
    PROJECTED,
    Choices,
    Exported,
    Exporter,
    command,
    even_width,
    finemo_notes,
    read_back,
    settings_of,
)
from deeplift_engine.genomics.scored_windows import ScoredWindows
from deeplift_engine.util import storage
from deeplift_engine.util.output_file import output_file
from deeplift_engine.util.typing import Array


class Dataset(NamedTuple):
    """A data set of a file: which array it holds, as what, and turned how."""

    content: str
    dtype: type[Any]
    turn: Callable[[Array], Array]


@dataclass
class Halves:
    """A cast to float16 that tells what it loses.

    Attributes
    ----------
    name
        What is cast.
    values, vanished
        How many values that are not zero were cast, and how many of them became zero.
    """

    name: str
    values: int = field(default=0)
    vanished: int = field(default=0)

    def __call__(self, array: Array) -> Array:
        """Values as float16.

        Raises
        ------
        InputError
            For values beyond 65,504.
        """
        largest = float(np.abs(array).max(initial=0))
        if largest > float(np.finfo(np.float16).max):
            raise InputError(
                f"{self.name} has values up to {largest:.6g}, and float16 ends at 65,504: export "
                "them --to modisco or --to bpnet, which keep float32"
            )
        with np.errstate(under="ignore"):
            halves = array.astype(np.float16)
        self.values += int(np.count_nonzero(array))
        self.vanished += int(np.count_nonzero((halves == 0) & (array != 0)))
        return halves

    def note(self) -> list[str]:
        """What was lost, in words."""
        if not self.vanished:
            return []
        share = self.vanished / self.values
        return [f"{self.name}: {share:.2%} of the values are below 6e-8, and 0 as float16"]


def as_letters(array: Array) -> Array:
    """One-hot rows as they are."""
    return array


def last_letters(array: Array) -> Array:
    """``(n, L, 4)`` of ``(n, 4, L)``."""
    return np.ascontiguousarray(array.swapaxes(1, 2))


def write_chrombpnet(windows: ScoredWindows, choices: Choices) -> Exported:
    """Write a file of scores for each head, the regions, and the settings."""
    exported = Exported("chrombpnet")
    regions = choices.file("interpreted_regions.bed")
    for head, label in windows.labels.items():
        path = choices.file(_chrombpnet_name(label))
        hypothetical, projected = Halves("hypothetical"), Halves("projected")
        datasets = {
            "raw/seq": Dataset("one_hot", np.int8, as_letters),
            "shap/seq": Dataset("hypothetical", np.float16, hypothetical),
            "projected_shap/seq": Dataset("projected", np.float16, projected),
        }
        holds = f"shap/seq: {HYPOTHETICAL}; projected_shap/seq: {PROJECTED}"
        _write(windows, head, path, datasets, holds, choices, {})
        exported.files[path] = f"{holds}; float16 (N, 4, L)"
        exported.notes += [*hypothetical.note(), *projected.note()]
        exported.hints += _hints(windows, path, "extract-regions-chrombpnet-h5", regions)
    assert windows.located is not None
    with output_file(regions, overwrite=choices.overwrite) as disk:
        for line in windows.located.lines():
            disk.write(line.encode())
    exported.files[regions] = "the window of each row, 10 columns"
    settings = choices.file("interpret.args.json")
    with output_file(settings, overwrite=choices.overwrite) as disk:
        text = storage.settings_text(windows.run.settings)
        disk.write(json.dumps(json.loads(text), indent=4).encode())
    exported.files[settings] = "the settings of the run"
    exported.notes += finemo_notes(windows)
    return exported


def write_bpnet(windows: ScoredWindows, choices: Choices) -> Exported:
    """Write a file for each head: hypothetical contributions, sequences and coordinates."""
    exported = Exported("bpnet")
    for head, label in windows.labels.items():
        path = choices.file(_bpnet_name(label))
        datasets = {
            "hyp_scores": Dataset("hypothetical", np.float32, last_letters),
            "input_seqs": Dataset("one_hot", np.int8, last_letters),
        }
        holds = f"hyp_scores: {HYPOTHETICAL}"
        _write(windows, head, path, datasets, holds, choices, _coordinates(windows))
        exported.files[path] = f"{holds}; float32 (N, L, 4)"
        exported.hints += _hints(windows, path, "extract-regions-bpnet-h5", None)
    return exported


def _write(
    windows: ScoredWindows,
    head: str,
    path: Path,
    datasets: Mapping[str, Dataset],
    holds: str,
    choices: Choices,
    beside: Mapping[str, Array],
) -> None:
    contents = [dataset.content for dataset in datasets.values()]
    with output_file(path, overwrite=choices.overwrite) as disk:
        with h5py.File(disk, "w") as file:
            storage.write_hdf5_settings(file, settings_of(windows, head, holds))
            for name, values in beside.items():
                file.create_dataset(name, data=values)
            for rows, arrays in windows.blocks(head, contents):
                for (name, dataset), array in zip(datasets.items(), arrays, strict=True):
                    block = dataset.turn(array)
                    if name not in file:
                        shape = (len(windows.samples), *block.shape[1:])
                        hdf5_array(file, name, shape, dataset.dtype)
                    file[name][rows] = block
        expected = {name: _turned(windows, head, dataset) for name, dataset in datasets.items()}
        read_back(disk, ".h5", expected, path)


def _turned(windows: ScoredWindows, head: str, dataset: Dataset) -> Iterator[Array]:
    for _, (block,) in windows.blocks(head, [dataset.content]):
        yield dataset.turn(block)


def _coordinates(windows: ScoredWindows) -> dict[str, Array]:
    """Names of rows, and where they lie, under bpnet's names."""
    text: Any = h5py.string_dtype()
    arrays = {"names": windows.names.astype(text)}
    if windows.located is not None:
        located = windows.located
        arrays |= {
            "coords_chrom": located.chrom.astype(text),
            "coords_start": located.start,
            "coords_end": located.end,
            "coords_strand": located.strand.astype(text),
        }
    return arrays


def _hints(windows: ScoredWindows, path: Path, extract: str, regions: Path | None) -> list[str]:
    width = even_width(windows.length)
    peaks = [] if regions is None else ["-p", regions]
    stem = path.with_suffix("")
    return [
        command(
            "modisco motifs", "-i", path, "-n", MOST_SEQLETS, "-w", width, "-o", f"{stem}.motifs.h5"
        ),
        command(f"finemo {extract}", "-c", path, *peaks, "-o", f"{stem}.finemo.npz", "-w", width),
    ]


def _chrombpnet_name(label: str) -> str:
    return f"{label.replace('.', '_')}scores.h5"


def _bpnet_name(label: str) -> str:
    return f"{label}bpnet.h5"


def _chrombpnet_files(windows: ScoredWindows) -> list[str]:
    scores = [_chrombpnet_name(label) for label in windows.labels.values()]
    return [*scores, "interpreted_regions.bed", "interpret.args.json"]


def _bpnet_files(windows: ScoredWindows) -> list[str]:
    return [_bpnet_name(label) for label in windows.labels.values()]


_NEEDS = ("hypothetical", "inputs")
CHROMBPNET = Exporter(
    "chrombpnet's files of scores, float16", _NEEDS, True, _chrombpnet_files, write_chrombpnet
)
BPNET = Exporter("bpnet's file of scores, (N, L, 4)", _NEEDS, False, _bpnet_files, write_bpnet)

__all__ = ["BPNET", "CHROMBPNET"]
