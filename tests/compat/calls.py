"""What the tests of the original's calls share."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.compat.conversion import kerasapi_conversion as kc
from deeplift_engine.compat.layers import NonlinearMxtsMode

BACKGROUND = np.array([0.3, 0.2, 0.2, 0.3])
SEQUENCES = 6
SAME = 2e-6
"""float32 rounding: the same walk in batches of other sizes."""


def one_hot(seed: int = 0, length: int = 30) -> Any:
    letters = np.random.default_rng(seed).integers(0, 4, (SEQUENCES, length))
    return np.eye(4, dtype=np.int8)[letters]


def converted(
    path: str, mode: str = NonlinearMxtsMode.DeepLIFT_GenomicsDefault, **more: Any
) -> Any:
    return kc.convert_model_from_saved_files(path, nonlinear_mxts_mode=mode, **more)
