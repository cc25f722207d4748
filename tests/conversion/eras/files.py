"""The models that each version of Keras saved: where they are, and what it computed of them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAVED = Path(__file__).parent / "saved"
MODELS, TRUTHS, INDEX = SAVED / "models.tar.xz", SAVED / "truths.npz", SAVED / "index.json"


@dataclass(frozen=True)
class Saved:
    """One model that one version saved.

    ``era`` names the version as `make` does, ``outcome`` what it computed: versions with the same
    number agree.
    """

    era: str
    keras: str
    backend: str
    name: str
    layer: str
    aspect: str
    outcome: int

    @property
    def file(self) -> str:
        """Its name in the archive."""
        archive = self.keras.startswith("3.") and self.backend == "tensorflow"
        suffix = ".keras" if archive else ".h5"
        return f"{self.era}/{self.name.removeprefix('keras1/')}{suffix}"


def order(era: str) -> tuple[Any, ...]:
    """Versions by age: Keras 1 and 2, then tf.keras, then Keras 3; backends one after another."""
    kind, version, *backend = era.split("-")
    numbers = tuple(map(int, version.split(".")))
    return (numbers[0] == 3, kind, backend or ["tensorflow"], numbers)


def saved_models() -> Iterator[Saved]:
    """Every model of every version, oldest first."""
    index = json.loads(INDEX.read_text())
    for name, model in sorted(index["models"].items()):
        for era, outcome in sorted(model["outcomes"].items(), key=lambda item: order(item[0])):
            about = index["versions"][era]
            yield Saved(
                era,
                about["keras"],
                about["backend"],
                name,
                model["layer"],
                model["aspect"],
                outcome,
            )


def extract(folder: Path) -> None:
    """Unpack all models into a folder."""
    with tarfile.open(MODELS) as archive:
        archive.extractall(folder, filter="data")
