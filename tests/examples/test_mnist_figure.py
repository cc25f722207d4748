"""The DeepLIFT paper's experiment on MNIST: the images that its notebook printed."""

from __future__ import annotations

import functools
import json
import runpy
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deeplift_engine as de
from tests.helpers import CONFORMANCE, MODELS, ROOT, SHARED

MODEL = MODELS / "avanti-mnist-th" / "keras2_mnist_cnn_allconv.h5"
DATA = SHARED / "data" / "mnist"
LISTS = CONFORMANCE / "mnist_erasure.json"
SCRIPT = ROOT / "examples" / "mnist" / "erase.py"
MORE = {
    "9->1": {"revealcancel": [2263, 6302, 3885, 5377, 1793, 8457, 5587, 9079, 4835, 8782]},
    "4->1": {
        "revealcancel": [2256, 762, 9873, 1529, 2145, 2889, 5294, 3752, 3357, 3500],
        "grad_times_inp": [3752, 2256, 3357, 3397, 9873, 5191, 7629, 9861, 3819, 3500],
    },
}
"""What the notebook printed beside the lists of the JSON file."""
MOST_SECONDS = 200
"""Of the processor, at least what a clock shows on a machine that does nothing else."""

missing = [path for path in (MODEL, DATA, LISTS) if not path.exists()]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing), reason=f"no {missing}: set DEEPLIFT_ENGINE_SHARED to where they are"
    ),
]


@functools.cache
def published() -> dict[str, dict[str, list[int]]]:
    lists = json.loads(LISTS.read_text())
    del lists["about"]
    return lists | MORE


@pytest.fixture(scope="module")
def experiment() -> tuple[dict[str, Any], dict[str, dict[str, Any]], float]:
    script = runpy.run_path(str(SCRIPT))
    start = time.process_time()
    found = script["erase"](de.load(MODEL), *script["read_digits"](DATA))
    return script, found, time.process_time() - start


def test_every_list_is_the_one_published(experiment: Any) -> None:
    _, found, _ = experiment
    assert sum(len(methods) for methods in published().values()) == 17
    for pair, methods in published().items():
        for method, listed in methods.items():
            assert found[pair][method].top == listed, f"{pair}, {method}"


def test_all_of_it_takes_less_than_the_bar(experiment: Any) -> None:
    assert experiment[2] < MOST_SECONDS


def test_reveal_cancel_changes_most(experiment: Any) -> None:
    for outcomes in experiment[1].values():
        medians = {name: np.median(outcome.change) for name, outcome in outcomes.items()}
        assert max(medians, key=medians.__getitem__) == "revealcancel"


def test_the_box_plot_is_drawn(experiment: Any, tmp_path: Path) -> None:
    script, found, _ = experiment
    script["draw"](found, tmp_path / "log_odds.png")
    assert (tmp_path / "log_odds.png").read_bytes().startswith(b"\x89PNG")


def test_differences_from_published_lists_are_told(
    experiment: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script, found, _ = experiment
    assert script["tell"](found, published()) == 0
    assert capsys.readouterr().out.count("as published") == 17
    other = {"8->3": {"revealcancel": published()["8->3"]["revealcancel"][::-1]}}
    assert script["tell"](found, other) == 1
