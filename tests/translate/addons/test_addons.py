"""Layers of packages beside Keras, against what the packages computed; `make` saved the files."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.translate.addons.table import ADDONS
from tests.helpers import off, slow_among

SAVED = Path(__file__).parent / "saved"
with tarfile.open(SAVED / "models.tar.xz") as opened:
    FILES = sorted(opened.getnames())
KNOWN = [name for name in FILES if not name.startswith("refused")]
OTHERS = [name for name in FILES if name.startswith("refused")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("addons")
    with tarfile.open(SAVED / "models.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def truths() -> Mapping[str, Any]:
    with np.load(SAVED / "truths.npz") as stored:
        return dict(stored)


def loaded(folder: Path, file: str, **options: Any) -> de.Network:
    return de.load(folder / file, **options)


@pytest.mark.parametrize("file", slow_among(KNOWN, [f for f in KNOWN if f.endswith(".keras")]))
def test_a_packages_layer_computes_what_the_package_did(
    folder: Path, truths: Mapping[str, Any], file: str
) -> None:
    """And contributions have the sum that they should, where all of it is exact."""
    network, model = loaded(folder, file), Path(file).stem
    x = truths[f"{model}/x"]
    assert off(network.predict(x), truths[f"{model}/y"]) < 2e-6
    if x.dtype.kind == "i":  # another reference than the tokens' own
        return
    x0 = np.random.default_rng(1).normal(size=x.shape)
    references = de.references.shared(x0[:1])
    network.explainer("deeplift").run(x, references=references, target=0, strict=True)


@pytest.mark.parametrize("file", OTHERS)
def test_what_is_in_no_row_is_refused_by_its_name(folder: Path, file: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"layers=|functions="):
        loaded(folder, file)


def test_every_class_has_a_file(folder: Path) -> None:
    met = {
        name.rpartition(">")[2]
        for path in folder.glob("*.h5")
        if not path.name.startswith("refused")
        for name in classes(path)
    }
    assert {row.class_name.rpartition(">")[2] for row in ADDONS} <= met


def classes(path: Path) -> set[str]:
    import json

    with h5py.File(path) as file:
        config = json.loads(file.attrs["model_config"])["config"]
    return {layer["class_name"] for layer in config["layers"]}


class TCN(L.Layer):
    """A user's own class of a package's name, with an option that the package has not."""

    def __init__(self, factor: float = 2.0, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, x: Any) -> Any:
        return self.factor * x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class ClassToken(TCN):
    """The same of a class that has no options in its package."""


@pytest.mark.parametrize("kind", ["h5", "keras"])
@pytest.mark.parametrize("own", [TCN, ClassToken])
def test_a_class_of_ones_own_is_not_a_packages(own: Any, kind: str, tmp_path: Path) -> None:
    x = keras.Input((8, 4))
    keras.Model(x, L.Dense(2)(L.Flatten()(own(3.0)(x)))).save(tmp_path / f"m.{kind}")
    with pytest.raises(UnsupportedModelError, match=own.__name__):
        de.load(tmp_path / f"m.{kind}")


def test_a_users_definition_goes_before_a_packages(folder: Path, truths: Mapping[str, Any]) -> None:
    x = truths["tfa_snake/x"]
    plain = loaded(folder, "tfa_snake.h5")
    other = loaded(folder, "tfa_snake.h5", layers={"Snake": lambda layer: 3 * layer.input})
    assert off(other.predict(x), plain.predict(x)) > 0.1
    own = loaded(folder, "tfa_activation_lisht.h5", functions={"lisht": lambda values: 0 * values})
    assert np.ptp(own.predict(truths["tfa_activation_lisht/x"]), axis=0).max() == 0


def test_coverage_names_the_package(folder: Path) -> None:
    covered = de.coverage(folder / "tcn.h5")
    assert "keras-tcn 3.5.0" in repr(covered)
    assert not covered.having("refused")
