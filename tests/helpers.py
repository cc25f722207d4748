"""What several tests share: how far off, and where the shared files are."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("DEEPLIFT_ENGINE_SHARED", ROOT.parent / "shared"))
CONFORMANCE, MODELS = SHARED / "conformance", SHARED / "models"

needs_conformance = pytest.mark.skipif(
    not CONFORMANCE.is_dir(),
    reason=f"no {CONFORMANCE}: set DEEPLIFT_ENGINE_SHARED to where the originals' numbers are",
)
needs_models = pytest.mark.skipif(
    not MODELS.is_dir(),
    reason=f"no {MODELS}: set DEEPLIFT_ENGINE_SHARED to where the real models are",
)


def keras_has(version: str) -> bool:
    """Whether the installed Keras is of a version such as "3.13", or of a later one."""
    numbers = re.findall(r"\d+", importlib.metadata.version("keras"))[:2]
    return [int(number) for number in numbers] >= [int(number) for number in version.split(".")]


def needs_keras(version: str) -> pytest.MarkDecorator:
    """Skip under an older Keras than a test is for; `make test-lowest` has such a one."""
    return pytest.mark.skipif(not keras_has(version), reason=f"it is for Keras from {version} on")


MIXTURES = {
    *("lrp_z", "lrp_z_plus", "lrp_epsilon_ratio"),  # values of an option of another rule
    *("lrp_epsilon_plus", "lrp_epsilon_plus_flat"),  # of rules that lrp_best_practice has too
    *("lrp_epsilon_alpha2_beta1", "lrp_epsilon_alpha2_beta1_flat"),
    *("lrp_sequential_preset_a", "lrp_sequential_preset_b", "lrp_sequential_preset_a_flat"),
    *("lrp_sequential_preset_b_flat", "lrp_sequential_preset_b_flat_until_index"),
    "lrp_signal_take_all",  # epsilon where there are no gates
    *("squaregrad", "vargrad"),  # other moments of smoothgrad's copies
    "deepshap",  # deeplift of many references
}
"""Methods that run as others do: what all methods keep is a slow test of these."""


def slow_among(names: Iterable[str], repeats: Collection[str] = MIXTURES) -> list[Any]:
    """Parameters of a test, of which those that repeat what others show are slow."""
    return [
        pytest.param(name, marks=pytest.mark.slow) if name in repeats else name for name in names
    ]


def off(found: Any, expected: Any) -> float:
    """Largest difference as a share of the largest expected magnitude; infinite for NaN."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"shape {found.shape}, expected {expected.shape}"
    largest = float(np.max(np.abs(found.astype(float) - expected), initial=0))
    scale = float(np.max(np.abs(expected), initial=0))
    if not np.isfinite(largest):
        return float("inf")
    return largest / scale if scale else largest
