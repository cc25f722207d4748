"""Threads and kernels that TensorFlow computes with: they decide the last bits of results."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.util.onednn import ONEDNN, has_started, uses_onednn


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pin_threads(count: int) -> None:
    """Let TensorFlow compute with ``count`` threads in this process, from its start on.

    Raises
    ------
    InputError
        If TensorFlow has started with another number.
    """
    import tensorflow as tf

    if threads() == count:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise InputError(
            f"TensorFlow has started with {threads()} threads in this process, and the run is one "
            f"of {count}: results differ in their last bits. Begin in a new process."
        ) from error


def pin(stored: Mapping[str, Any]) -> None:
    """Let TensorFlow compute in this process as the settings of a store say.

    Raises
    ------
    InputError
        If TensorFlow has started otherwise.
    """
    onednn = stored.get("onednn")
    if onednn is not None:
        if not has_started():
            os.environ[ONEDNN] = str(int(onednn))
        elif uses_onednn() != onednn:
            raise InputError(
                f"TensorFlow has started {'without' if onednn else 'with'} oneDNN in this process, "
                f"and the run began {'with' if onednn else 'without'} it: results differ in their "
                f"last bits. Begin with {ONEDNN}={int(onednn)} in the environment."
            )
    pin_threads(int(stored["threads"]))


def in_use() -> dict[str, Any]:
    """What `pin` takes, of this process."""
    return {"threads": threads(), "onednn": uses_onednn()}


def threads() -> int:
    """How many threads an operation has: as was set, or the environment says, or all cores."""
    import tensorflow as tf

    chosen: Any = tf.config.threading.get_intra_op_parallelism_threads()
    told = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return int(chosen) or (int(told) if told.isdigit() else 0) or usable_cores()
