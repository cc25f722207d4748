"""This library's methods, in float32 as measured and in float64 as the judge of all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.contenders import BY_DEFAULT, Prepared, Setting
from benchmarks.method_rows import MethodRow, labels
from benchmarks.work import Array


def engine(setting: Setting, row: MethodRow, dtype: str = "float32") -> Prepared:
    """`Explainer.run` as it comes, at its default batch size; scores (N, *S) or (N, *Y)."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
    import deeplift_engine as de

    inputs = row.data(setting.data)
    options = dict(row.options)
    if "groups" in options:
        options["groups"] = labels(row, inputs.shape[1:])
    network = de.load(setting.model, dtype=dtype)
    explainer = network.explainer(row.method, layers=row.layer, **options)
    arguments: dict[str, Any] = {}
    if row.shared:
        arguments["references"] = de.references.shared(setting.data.shared)

    def run(batch_size: int) -> Any:
        return explainer.run(inputs, target=0, progress=False, **arguments)

    def scores(result: Any) -> Array:
        size = math.prod(options["window"]) if row.method == "occlusion" else 1
        return np.asarray(result.scores) * size

    return Prepared(run, scores, (BY_DEFAULT,))


def in_float64(setting: Setting, row: MethodRow) -> Prepared:
    """The judge."""
    return engine(setting, row, "float64")
