"""Small models that real versions of Keras saved, against what these computed; see `make`.

Forward to 1e-5 of the largest magnitude: kernels of two versions differ by 1e-6.
"""

from __future__ import annotations

import logging
import re
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
ERAS = list(dict.fromkeys(saved.era for saved in ALL))
BOUND = 1e-5
REFUSALS = (
    "is a layer of Keras 1 alone",
    "(mode=1 of Keras 1)",
    "(mode=2 of Keras 1)",
    "which Theano pads",
)
"""What is refused, see docs/LAYERS.md."""


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
        return "" if any(reason in str(error) for reason in REFUSALS) else f"refused: {error}"
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


def disputes() -> list[Saved]:
    """Of each layer and aspect one model about which versions differ, by one of each opinion."""
    outcomes: dict[str, set[int]] = {}
    for saved in ALL:
        outcomes.setdefault(saved.name, set()).add(saved.outcome)
    names: dict[tuple[str, str], str] = {}
    for saved in ALL:
        if len(outcomes[saved.name]) > 1:
            names.setdefault((saved.layer, saved.aspect), saved.name)
    chosen = {(s.name, s.outcome): s for s in ALL if s.name in names.values()}
    return list(chosen.values())


@pytest.mark.parametrize("share", range(4))
def test_a_layer_computes_what_it_did_in_versions_that_disagree(
    share: int, folder: Path, truths: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    models = disputes()
    assert len(models) > 50
    assert not faults(models[share::4], folder, truths)


@pytest.mark.thorough
@pytest.mark.parametrize("era", ERAS)
def test_every_layer_computes_what_the_version_that_saved_it_did(
    era: str, folder: Path, truths: Mapping[str, Any]
) -> None:
    # on JAX Keras returns the states of one stacked cell as one array: other outputs, equal numbers
    models = [
        saved
        for saved in ALL
        if saved.era == era
        and not (saved.backend == "jax" and re.match("cells_.*_return_state", saved.name))
    ]
    assert not faults(models, folder, truths)


def test_the_page_is_of_this_table_and_these_models(tmp_path: Path) -> None:
    """``python -m docs.generate.eras docs/ERAS.md`` writes it anew."""
    assert page([str(tmp_path / "page.md")]) == 0
    written = (tmp_path / "page.md").read_text()
    assert (ROOT / "docs/ERAS.md").read_text() == written
