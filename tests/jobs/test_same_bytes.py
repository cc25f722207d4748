"""A shard's file is the same bytes whatever else its writer's process has loaded."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.jobs import shard_files
from deeplift_engine.jobs.array_plan import ArrayPlan, Layout

ROOT = Path(__file__).resolve().parents[2]
SAMPLES, LENGTH = 8, 50_000
TELL = f"from {__name__} import digest; print(digest())"
"""A program that compresses, and tells what came out."""


def digest() -> str:
    """Of a file with chunks so large that versions of zstd cut them into other blocks."""
    plan = ArrayPlan("scores", (LENGTH,), "float32", ("position",))
    layout = Layout(SAMPLES, SAMPLES, 1, (plan,), {}, {})
    values = np.random.default_rng(0).integers(0, 4, (SAMPLES, LENGTH)).astype("float32")
    values[:, LENGTH // 3 :] *= np.linspace(0, 1, LENGTH - LENGTH // 3, dtype="float32")
    return hashlib.sha256(shard_files.encode(plan, layout, values)).hexdigest()


def test_bytes_are_the_same_with_tensorflow_and_without(forked: Any) -> None:
    beside_it = forked.run(f"import tensorflow.python; {TELL}")
    alone = subprocess.run(
        [sys.executable, "-c", TELL], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert beside_it.out == alone.stdout, beside_it.err
