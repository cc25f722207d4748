"""TensorFlow's functions on Keras tensors, a model each: exact, or refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import ROOT, slow_among
from tests.translate.tensorflow_functions.files import (
    NEAR,
    difference,
    expressions,
    inputs,
    names,
    outcome,
    truth,
    unpack,
)
from tests.translate.tensorflow_functions.rows import TITLES, cell

PAGE = (ROOT / "docs/MODELS.md").read_text()
REFUSED = set(re.findall(rf"^\| `(.*)` \| ({'|'.join(TITLES.values())}) \|", PAGE, re.MULTILINE))
"""Expressions and forms that the page says are refused."""
OFTEN = names()[::12]
"""What the fast tests try."""


def is_refused(name: str) -> bool:
    number, _, form = name.partition(".")
    return (cell(expressions()[int(number)]), TITLES[form]) in REFUSED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("functions")
    unpack(folder)
    return folder


@pytest.mark.parametrize("name", slow_among(names(), set(names()) - set(OFTEN)))
def test_a_function_computes_what_tensorflow_does_or_is_refused(folder: Path, name: str) -> None:
    met = outcome(folder, name)
    if is_refused(name):
        assert met.network is None
        assert met.reason
    else:
        assert met.network is not None, met.reason
        assert difference(met.network, name) < NEAR


@pytest.mark.parametrize(
    "name", slow_among([n for n in names() if not is_refused(n)], set(names()) - set(OFTEN))
)
def test_a_function_keeps_the_sum(folder: Path, name: str) -> None:
    network = outcome(folder, name, dtype="float64").network
    assert network is not None
    x = inputs(expressions()[int(name.partition(".")[0])])
    x0 = {key: np.roll(values, 1, axis=0) for key, values in x.items()}
    weights = np.random.default_rng(0).normal(size=truth(name).shape[1])
    audit = network.audit(x, x0, target=weights)
    assert audit.worst.error < 1e-9, audit
