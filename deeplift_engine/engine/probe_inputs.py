"""Random inputs to try a network with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.options import SEED, Integer, checked

SAMPLES = 4
FREE_LENGTH = 64


def random_inputs(
    inputs: Sequence[InputInfo], dtype: str, samples: int = SAMPLES, seed: int = 0
) -> list[Any]:
    """Standard normal inputs (samples, ...) of these shapes, free axes ``FREE_LENGTH`` long.

    Where an input is looked up in a table, tokens of the whole table.
    """
    generator = np.random.default_rng(checked("seed", seed, SEED, InputError))
    samples = checked("samples", samples, Integer(1), InputError)
    arrays: list[Any] = []
    for info in inputs:
        shape = (samples, *(FREE_LENGTH if size is None else size for size in info.shape))
        if info.table is not None:
            tokens = generator.integers(0, info.table.rows, shape)
            arrays.append(tokens.astype(info.dtype))
        elif "int" in info.dtype:
            arrays.append(generator.integers(0, 2, shape).astype(info.dtype))
        else:
            arrays.append(generator.normal(size=shape).astype(dtype))
    return arrays
