"""Whether TensorFlow computes with oneDNN: it decides when it starts, by the environment."""

from __future__ import annotations

import os
import sys

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
"""The environment variable that chooses."""


def has_started() -> bool:
    """Whether TensorFlow runs in this process; it may be imported by name, and not have started."""
    return "tensorflow.python" in sys.modules


def prefer_onednn() -> None:
    """Let TensorFlow compute with oneDNN on every processor, unless it runs or the user chose.

    It would leave it off on those without AVX512_VNNI, where it is mostly faster all the same.
    """
    if not has_started():
        os.environ.setdefault(ONEDNN, "1")


def uses_onednn() -> bool:
    """Whether TensorFlow computes with oneDNN in this process, which decides last bits."""
    from tensorflow.python.util import _pywrap_util_port

    return bool(_pywrap_util_port.IsMklEnabled())


__all__ = ["ONEDNN", "has_started", "prefer_onednn", "uses_onednn"]
