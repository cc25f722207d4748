"""Where TensorFlow cannot compute: in a graph that is traced, in a fork of a running process."""

from __future__ import annotations

import functools
import os

import tensorflow as tf
from tensorflow.python.eager import context

from deeplift_engine.errors import InputError


@functools.cache
def watch_forks() -> list[bool]:
    """Note at each fork from now on, in the child, whether TensorFlow was running."""
    forks: list[bool] = []
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: forks.append(_is_running()))
    return forks


def check_process() -> None:
    """Refuse to compute where TensorFlow would not.

    Raises
    ------
    InputError
        In a process that was forked from one in which TensorFlow was running, where it would wait
        for ever; inside a ``tf.function``.
    """
    if any(watch_forks()):
        raise InputError(
            "This process was forked from one in which TensorFlow was running: its threads are not "
            "here, and it would wait for them for ever. Start processes by "
            "multiprocessing.get_context('spawn') instead; networks and explainers can be pickled."
        )
    if not tf.executing_eagerly():
        raise InputError(
            "Scores and predictions are numbers, and inside a tf.function (as Dataset.map and a "
            "layer's call are) there are none yet: call this outside."
        )


def _is_running() -> bool:
    return bool(getattr(context.context(), "_initialized", True))


__all__ = ["check_process", "watch_forks"]
