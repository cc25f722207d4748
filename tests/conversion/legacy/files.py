"""Where the saved models and their numbers are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
SAVED, NUMBERS = FOLDER / "saved", FOLDER / "numbers.npz"


def files() -> dict[str, Path]:
    """Every saved model by file name."""
    return {path.name: path for path in sorted(SAVED.iterdir())}


def numbers(file: str) -> dict[str, Any]:
    """What TensorFlow 2.15 computed: inputs x0 ..., references r0 ..., outputs y0 ..., yr0 ..."""
    model = file.split(".")[0]
    with np.load(NUMBERS) as stored:
        return {
            key.partition("/")[2]: stored[key]
            for key in stored.files
            if key.partition("/")[0] == model
        }
