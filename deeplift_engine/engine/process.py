"""Where TensorFlow cannot compute, a traced graph or a fork, and by which kernels it does."""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from deeplift_engine.errors import InputError, SlowKernelsWarning
from deeplift_engine.util.onednn import ONEDNN, uses_onednn
from deeplift_engine.util.warn import warn

LONG = 30.0
"""Seconds of a run from which on it is told what other kernels would gain."""


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


@contextmanager
def telling_of_faster_kernels() -> Iterator[None]:
    """Warn once where a run took long without oneDNN and nobody had chosen so.

    TensorFlow leaves it off on x86 processors without AVX512_VNNI. Settings of the process are its
    user's, and are not changed here.
    """
    began = time.monotonic()
    yield
    if time.monotonic() - began > LONG and ONEDNN not in os.environ and not uses_onednn():
        _tell_of_onednn()


@functools.cache
def _tell_of_onednn() -> None:
    if platform.machine() in ("x86_64", "AMD64"):
        warn(
            f"TensorFlow leaves oneDNN off on this processor. With {ONEDNN}=1 in the environment "
            "when Python starts, DeepLIFT takes 0.6 to 0.9 of the time on most networks of "
            f"docs/BENCHMARKS.md; {ONEDNN}=0 keeps it off without this advice.",
            SlowKernelsWarning,
        )


def _is_running() -> bool:
    from tensorflow.python.eager import context

    return bool(getattr(context.context(), "_initialized", True))


__all__ = ["check_process", "telling_of_faster_kernels", "watch_forks"]
