"""Small models that real versions of Keras saved, against what these computed; see `make`.

Forward to 1e-5 of the largest magnitude: kernels of two versions differ by 1e-6.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import DeepliftEngineError, UnsupportedModelError
from docs.generate.eras import main as page
from tests.conversion.eras.files import TRUTHS, Saved, extract, saved_models
from tests.helpers import ROOT

ALL = list(saved_models())
ASPECTS = sorted({saved.aspect for saved in ALL})
ERAS = list(dict.fromkeys(saved.era for saved in ALL))
BOUND = 1e-5
REFUSED_LAYERS = {
    "Highway": "is a layer of Keras 1 alone",
    "MaxoutDense": "is a layer of Keras 1 alone",
    "ParametricSoftplus": "is a layer of Keras 1 alone",
    "SReLU": "is a layer of Keras 1 alone",
}
"""What is refused in every version, with a part of the reason."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eras")
    extract(folder)
    return folder


@pytest.fixture(scope="module")
def truths() -> Mapping[str, Any]:
    with np.load(TRUTHS) as stored:
        return dict(stored)


def options(saved: Saved) -> dict[str, Any]:
    """What a user has to say of a model whose file does not: Keras 1 under Theano."""
    says = {}
    if saved.keras.startswith("1.") and saved.backend == "theano":
        says["backend"] = "theano"
    if saved.aspect == "axes" and saved.name.startswith("keras1/"):
        orders = [order for order in ("_th_", "_tf_") if order in saved.name]
        if orders:
            says["data_format"] = "channels_first" if orders == ["_th_"] else "channels_last"
    return says


def arrays(truths: Mapping[str, Any], name: str, letter: str, suffix: str = "") -> Iterator[Any]:
    number = 0
    while (key := f"{name}/{letter}{number}{suffix}") in truths:
        yield truths[key]
        number += 1


def fault(saved: Saved, folder: Path, truths: Mapping[str, Any]) -> str:
    """What is wrong with a model, or nothing."""
    try:
        network = de.load(folder / saved.file, **options(saved))
    except UnsupportedModelError as error:
        reason = REFUSED_LAYERS.get(saved.layer)
        return "" if reason and reason in str(error) else f"refused: {error}"
    except DeepliftEngineError as error:
        return f"refused: {error}"
    x = list(arrays(truths, saved.name, "x"))
    result = network.predict(x if len(x) > 1 else x[0])
    outputs = list(result.values()) if isinstance(result, dict) else [result]
    expected = list(arrays(truths, saved.name, "y", f"/{saved.outcome}"))
    if [output.shape for output in outputs] != [output.shape for output in expected]:
        return f"shapes {[output.shape for output in outputs]}"
    off = [
        float(np.max(np.abs(output - truth))) / max(1.0, float(np.abs(truth).max()))
        for output, truth in zip(outputs, expected, strict=True)
    ]
    return "" if max(off) < BOUND else f"off by {max(off):.2g}"


def faults(models: Iterable[Saved], folder: Path, truths: Mapping[str, Any]) -> dict[str, str]:
    found = {f"{saved.era}: {saved.name}": fault(saved, folder, truths) for saved in models}
    return {name: problem for name, problem in found.items() if problem}


@pytest.mark.parametrize("aspect", ASPECTS)
def test_a_layer_computes_what_it_did_where_versions_begin_and_cease_to_agree(
    aspect: str, folder: Path, truths: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    models = [saved for saved in ALL if saved.aspect == aspect and saved.edge and disputed(saved)]
    assert not faults(models, folder, truths)


def disputed(saved: Saved) -> bool:
    """Whether versions differ about a model."""
    return any(other.name == saved.name and other.outcome != saved.outcome for other in ALL)


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
def test_every_layer_computes_what_the_version_that_saved_it_did(
    era: str, folder: Path, truths: Mapping[str, Any]
) -> None:
    assert not faults([saved for saved in ALL if saved.era == era], folder, truths)


def test_the_page_is_of_this_table_and_these_models(tmp_path: Path) -> None:
    """``python -m docs.generate.eras docs/ERAS.md`` writes it anew."""
    assert page([str(tmp_path / "page.md")]) == 0
    written = (tmp_path / "page.md").read_text()
    assert (ROOT / "docs/ERAS.md").read_text() == written
