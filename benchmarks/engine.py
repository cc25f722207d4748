"""The contenders on TensorFlow: Keras's own forward pass, and this library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.architectures import build_keras
from benchmarks.contenders import BY_DEFAULT, Prepared, Setting
from benchmarks.work import Array, Row, load


def _threads(setting: Setting) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)


def save_model(folder: Path) -> None:
    """Build the Keras model of the problem in ``folder`` and save it there as HDF5."""
    problem, data = load(folder)
    build_keras(problem.architecture, data.weights).save(folder / "model.h5")


def keras_forward(setting: Setting, row: Row | None) -> Prepared:
    """The model as Keras loads it, called in a compiled function."""
    _threads(setting)
    import keras
    import tensorflow as tf

    model = keras.models.load_model(setting.model, compile=False)
    shape = (None, *setting.data.sequences.shape[1:])
    call = tf.function(
        lambda x: model(x, training=False), input_signature=[tf.TensorSpec(shape, tf.float32)]
    )
    sequences = setting.data.sequences

    def run(batch_size: int) -> Array:
        starts = range(0, len(sequences), batch_size)
        return np.concatenate([call(sequences[i : i + batch_size]).numpy() for i in starts])

    return Prepared(run, np.asarray, (16, 64, 256, len(sequences)))


def engine_forward(setting: Setting, row: Row | None) -> Prepared:
    """`Network.predict` as it comes."""
    _threads(setting)
    import deeplift_engine as de

    network = de.load(setting.model)
    return Prepared(
        lambda batch_size: network.predict(setting.data.sequences), np.asarray, (BY_DEFAULT,)
    )


def engine(setting: Setting, row: Row | None) -> Prepared:
    """`Explainer.run` as it comes: no batch size is tried but the default one."""
    _threads(setting)
    import deeplift_engine as de

    assert row is not None
    explainer = de.load(setting.model).explainer("deeplift", rules=row.rules)
    target: Any = 0 if row.targets == 1 else list(range(row.targets))
    data = setting.data
    references = (
        de.references.shared(data.shared) if row.shared else de.references.per_sample(data.own)
    )

    def run(batch_size: int) -> Any:
        return explainer.run(data.inputs, target=target, references=references, progress=False)

    def positions(result: Any) -> Array:
        scores: Array = result.scores.sum(-1)
        return scores.reshape(row.targets, *scores.shape[-2:])

    return Prepared(run, positions, (BY_DEFAULT,))


if __name__ == "__main__":
    save_model(Path(sys.argv[1]))
