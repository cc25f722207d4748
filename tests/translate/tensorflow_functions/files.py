"""The models of TensorFlow's functions, and what becomes of each here."""

from __future__ import annotations

import functools
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from tests.helpers import off
from tests.translate.tensorflow_functions.make import SAVED, SHAPES

FORMS = ("functions", "nodes")
"""Files of TFOpLambda and SlicingOpLambda layers, and of TensorFlowOpLayer."""
NEAR = 1e-5
LONGEST = 110


@functools.cache
def truths() -> Mapping[str, Any]:
    """Inputs by name, outputs by the number of an expression, and the expressions."""
    with np.load(SAVED / "truths.npz") as stored:
        return dict(stored)


def expressions() -> list[str]:
    """All of them, by the number of their files."""
    return [str(text) for text in truths()["expressions"]]


def truth(name: str) -> Any:
    """What TensorFlow computed with the model of a file."""
    return truths()[name.partition(".")[0]]


def names() -> list[str]:
    """Names of all files, without their ends."""
    with tarfile.open(SAVED / "models.tar.xz") as archive:
        return sorted(name.removesuffix(".h5") for name in archive.getnames())


def unpack(folder: Path) -> None:
    """Write all files into a folder."""
    with tarfile.open(SAVED / "models.tar.xz") as archive:
        archive.extractall(folder, filter="data")


def inputs(expression: str) -> dict[str, Any]:
    """The samples of an expression's model."""
    return {name: truths()[name] for name in SHAPES if re.search(rf"\b{name}\b", expression)}


def function(expression: str) -> str:
    """What an expression is called in tables: its outermost function, or an operator itself."""
    found = re.match(r"(tf|keras)\.([\w.]+)\(", expression)
    inner = re.search(r"tf\.signal\.\w+", expression)
    return inner[0] if inner else f"{found[1]}.{found[2]}" if found else expression


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its network, or the reason of the refusal."""

    network: de.Network | None
    reason: str = ""


def outcome(folder: Path, name: str, **options: Any) -> Outcome:
    """Load a file."""
    try:
        return Outcome(de.load(folder / f"{name}.h5", **options))
    except UnsupportedModelError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return Outcome(None, lines[1].partition(": ")[2])


def difference(network: de.Network, name: str) -> float:
    """How far the network's outputs are from TensorFlow's, relative to these."""
    expression = expressions()[int(name[:3])]
    return off(network.predict(inputs(expression)), truth(name))
