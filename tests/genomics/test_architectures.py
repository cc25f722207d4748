"""The whole way of the field's models: regions or FASTA, scores, exports, and these read back.

What is read back sums to the change of Keras's own outputs from the references to the inputs, to
1e-4 of the largest sum of magnitudes (1e-3 of float16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.cli import main
from tests.genomics.architectures import (
    ARCHITECTURES,
    TASKS,
    Architecture,
    Outputs,
    with_random_weights,
)
from tests.genomics.scored import COMPLEMENT, one_hot
from tests.helpers import MODELS, needs_models

REFERENCE = 0.25
STRANDS = "+-.+-"
REAL = [name for name, each in ARCHITECTURES.items() if each.file and MODELS in each.file.parents]
LARGE = ("real SpliceAI",)
OF_PARTS_OF_OTHERS = ("ChromBPNet without bias", "DeepSTARR", "Optimus", "the example's")


def marked(name: str) -> Any:
    """A parameter of a test, with what it needs."""
    marks = [needs_models] if name in REAL else []
    more = name in LARGE or name in OF_PARTS_OF_OTHERS
    return pytest.param(name, marks=[*marks, pytest.mark.thorough if more else pytest.mark.slow])


class Inputs:
    """Files of some sequences in a folder, and the same as arrays."""

    def __init__(self, folder: Path, architecture: Architecture) -> None:
        self.folder, self.length = folder, architecture.length
        random = np.random.default_rng(1)
        gap = self.length + 10
        genome = "".join(random.choice(list("ACGT"), gap * (len(STRANDS) + 1)))
        self.starts = [number * gap + 5 for number in range(1, len(STRANDS) + 1)][::-1]
        self.starts = [start - 10 for start in self.starts]
        texts = [genome[start : start + self.length] for start in self.starts]
        if architecture.located:
            (folder / "genome.fa").write_text(f">chr1\n{genome}\n")
            lines = [
                f"chr1\t{start}\t{start + self.length}\tr{number}\t0\t{strand}\n"
                for number, (start, strand) in enumerate(zip(self.starts, STRANDS, strict=True))
            ]
            (folder / "regions.bed").write_text("".join(lines))
            texts = [
                text[::-1].translate(COMPLEMENT) if strand == "-" else text
                for text, strand in zip(texts, STRANDS, strict=True)
            ]
            self.options = [folder / "regions.bed", "--genome", folder / "genome.fa"]
        else:
            records = [f">r{number}\n{text}\n" for number, text in enumerate(texts)]
            (folder / "sequences.fa").write_text("".join(records))
            self.options = [folder / "sequences.fa"]
        self.letters = np.stack([one_hot(text) for text in texts]).astype("float32")
        self.others = {
            name: random.normal(size=(len(texts), *shape)).astype("float32")
            for name, shape in architecture.beside.items()
        }
        for name, array in self.others.items():
            np.save(folder / f"{name}.npy", array)
            self.options += ["--beside", f"{name}={folder / name}.npy"]

    def outputs(self, network: Callable[[Any], Outputs]) -> tuple[Outputs, Outputs]:
        """Of the inputs, and of the references with the same other inputs."""
        others = list(self.others.values())
        reference = np.full_like(self.letters, REFERENCE)
        return network([self.letters, *others]), network([reference, *others])


def network_of(architecture: Architecture, folder: Path) -> Callable[[Any], Outputs]:
    """Save the model in a folder; what it computes, by Keras where it is made here."""
    path = folder / "model.h5"
    if architecture.build is None:
        path.symlink_to(architecture.file)
        net = de.load(path)
        node = net.target_node("logits")
        return lambda x: {"logits": net.activations(x, [node])[node]}
    keras.utils.set_random_seed(0)
    model = with_random_weights(architecture.build())
    model.save(path)
    if architecture.linear:
        model.get_layer(architecture.linear).activation = keras.activations.linear

    def outputs(x: Any) -> Outputs:
        shaped = [
            array.reshape(-1, *each.shape[1:]) if None not in each.shape[1:] else array
            for array, each in zip(x, model.inputs, strict=True)
        ]
        found = model(shaped if len(shaped) > 1 else shaped[0])
        named = zip(model.output_names, found if isinstance(found, list) else [found], strict=True)
        return {name: np.asarray(array) for name, array in named}

    return outputs


def of_modisco(folder: Path, head: str, inputs: Inputs) -> np.ndarray:
    with np.load(folder / f"run{head}.attr.npz") as attr, np.load(folder / "run.ohe.npz") as ohe:
        np.testing.assert_array_equal(ohe["arr_0"], inputs.letters.transpose(0, 2, 1))
        return attr["arr_0"] * ohe["arr_0"]


def of_bpnet(folder: Path, head: str, inputs: Inputs) -> np.ndarray:
    with h5py.File(folder / f"run{head}.bpnet.h5") as file:
        np.testing.assert_array_equal(file["input_seqs"], inputs.letters)
        return file["hyp_scores"][:] * file["input_seqs"][:]


def of_chrombpnet(folder: Path, head: str, inputs: Inputs) -> np.ndarray:
    name = f"run{head}_scores.h5" if head else "run.scores.h5"
    with h5py.File(folder / name) as file:
        np.testing.assert_array_equal(file["raw/seq"], inputs.letters.transpose(0, 2, 1))
        return file["projected_shap/seq"][:].astype("float32")


def of_bigwig(folder: Path, head: str, inputs: Inputs) -> np.ndarray:
    library = pytest.importorskip("pyBigWig")
    with library.open(str(folder / f"run{head}.bw")) as file:
        windows = [file.values("chr1", s, s + inputs.length, numpy=True) for s in inputs.starts]
    return np.nan_to_num(np.stack(windows))


READERS: Mapping[str, Callable[[Path, str, Inputs], np.ndarray]] = {
    "modisco": of_modisco,
    "bpnet": of_bpnet,
    "chrombpnet": of_chrombpnet,
    "bigwig": of_bigwig,
}


@pytest.mark.parametrize("name", [marked(name) for name in ARCHITECTURES])
def test_what_is_exported_sums_to_what_the_model_computes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = ARCHITECTURES[name]
    if "bigwig" in architecture.to:
        pytest.importorskip("pyBigWig")
    monkeypatch.chdir(tmp_path)
    Path("tasks.txt").write_text("\n".join(TASKS))
    inputs = Inputs(tmp_path, architecture)
    x, reference = inputs.outputs(network_of(architecture, tmp_path))
    sequence = "sequence=" if architecture.beside else ""
    score = [
        "score", "model.h5", *inputs.options, "-o", "run.zarr", "-q", *architecture.options,
        "--references", f"{sequence}constant:{REFERENCE}",
        "--arrays", "hypothetical,inputs,predictions",
    ]  # fmt: skip
    assert main([str(each) for each in score]) == 0
    exported = ["export", "run.zarr", "-o", "out"]
    assert main([*exported, *(word for each in architecture.to for word in ("--to", each))]) == 0
    for head, difference in architecture.heads.items():
        expected = difference(x, reference)
        assert np.max(np.abs(expected)) > 1e-4
        for form in architecture.to:
            found = READERS[form](tmp_path / "out", f".{head}" if head else "", inputs)
            magnitudes = np.abs(found).reshape(len(found), -1).sum(axis=1).max()
            error = np.abs(found.reshape(len(found), -1).sum(axis=1) - expected).max()
            assert error < (1e-3 if form == "chrombpnet" else 1e-4) * magnitudes, form
