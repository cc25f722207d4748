"""Layers of packages beside Keras, against what the packages computed; `make` saved the files."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_conversion import read_model
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.translate.addons.table import ADDONS, addon_of
from tests.helpers import off, slow_among

SAVED = Path(__file__).parent / "saved"
ARCHIVES = {"models": "truths", "keras_hub": "keras_hub", "keras_nlp": "keras_nlp"}
"""Archives of models, and what has their numbers."""


def names(archive: str) -> list[str]:
    with tarfile.open(SAVED / f"{archive}.tar.xz") as opened:
        return [f"{archive}/{name}" for name in sorted(opened.getnames())]


FILES = [name for archive in ARCHIVES for name in names(archive)]
OTHERS = [name for name in FILES if "/refused" in name]
KNOWN = [name for name in FILES if name not in OTHERS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("addons")
    for name in ARCHIVES:
        with tarfile.open(SAVED / f"{name}.tar.xz") as archive:
            archive.extractall(folder / name, filter="data")
    return folder


@pytest.fixture(scope="module")
def truths() -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for archive, numbers in ARCHIVES.items():
        with np.load(SAVED / f"{numbers}.npz") as stored:
            values |= {f"{archive}/{name}": array for name, array in stored.items()}
    return values


def loaded(folder: Path, file: str, **options: Any) -> de.Network:
    return de.load(folder / file, **options)


@pytest.mark.parametrize("file", slow_among(KNOWN, [f for f in KNOWN if f.endswith(".keras")]))
def test_a_packages_layer_computes_what_the_package_did(
    folder: Path, truths: Mapping[str, Any], file: str
) -> None:
    """And contributions have the sum that they should, where all of it is exact."""
    network, model = loaded(folder, file), file.rpartition(".")[0]
    x = truths[f"{model}/x"]
    assert off(network.predict(x), truths[f"{model}/y"]) < 2e-6
    if x.dtype.kind == "i":  # another reference than the tokens' own
        return
    x0 = np.random.default_rng(1).normal(size=x.shape)
    references = de.references.shared(x0[:1])
    network.explainer("deeplift").run(x, references=references, target=0, strict=True)


@pytest.mark.parametrize("file", OTHERS)
def test_what_is_in_no_row_is_refused_by_its_name(folder: Path, file: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"layers=|functions=|Save the model"):
        loaded(folder, file)


def test_every_class_has_a_file(folder: Path) -> None:
    files = [folder / name for name in KNOWN]
    met = {addon_of(layer) for path in files for layer in read_model(path).layers.values()}
    assert set(ADDONS) <= met


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
    x = truths["models/tfa_snake/x"]
    plain = loaded(folder, "models/tfa_snake.h5")
    other = loaded(folder, "models/tfa_snake.h5", layers={"Snake": lambda layer: 3 * layer.input})
    assert off(other.predict(x), plain.predict(x)) > 0.1
    own = loaded(
        folder, "models/tfa_activation_lisht.h5", functions={"lisht": lambda values: 0 * values}
    )
    assert np.ptp(own.predict(truths["models/tfa_activation_lisht/x"]), axis=0).max() == 0


def test_coverage_names_the_package(folder: Path) -> None:
    covered = de.coverage(folder / "models" / "tcn.h5")
    assert "keras-tcn 3.5.0" in repr(covered)
    assert not covered.having("refused")
