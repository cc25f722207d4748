"""Genomic networks that others trained, where their files are: a folder with one of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.work import Array

INPUTS = "x0"
"""The array of the sequences in a model's ``truth.npz``."""


@dataclass(frozen=True)
class RealModel:
    """A network, by its files below the folder, and sequences that are stored with it."""

    title: str
    weights: str
    truth: str
    architecture: str | None = None
    theano_kernels: bool | None = None

    def opened(self, folder: Path) -> tuple[Any, Array]:
        """The network, and its sequences (N, *S)."""
        import deeplift_engine as de

        options: dict[str, Any] = {}
        if self.architecture is not None:
            options["architecture"] = folder / self.architecture
        if self.theano_kernels is not None:
            options["theano_kernels"] = self.theano_kernels
        network = de.load(folder / self.weights, **options)
        with np.load(folder / self.truth) as stored:
            return network, stored[INPUTS]


REAL = (
    RealModel(
        "DeepLIFT's genomics model",
        "avanti-talgata/keras2_conv1d_record_5_model_PQzyq_modelWeights.h5",
        "avanti-talgata/truth_keras2_conv1d.npz",
        "avanti-talgata/keras2_conv1d_record_5_model_PQzyq_modelJson.json",
    ),
    RealModel("PENGUINN", "penguinn/model_1_1.h5", "penguinn/truth.npz"),
    RealModel(
        "Optimus 5-prime",
        "optimus5p-keras2/retrained_evolution_model.hdf5",
        "optimus5p-keras2/truth.npz",
    ),
)


def real_models(folder: Path | None) -> Iterator[tuple[str, Any, Array]]:
    """Title, network and sequences of each that is there; none without a folder."""
    for model in REAL if folder is not None else ():
        assert folder is not None
        if (folder / model.weights).exists():
            yield model.title, *model.opened(folder)
