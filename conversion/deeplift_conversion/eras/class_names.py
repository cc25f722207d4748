"""Class names of older Keras, and what they are read as."""

from __future__ import annotations

from deeplift_conversion.eras.canonical import ALIASES
from deeplift_conversion.eras.keras1 import CLASSES
from deeplift_conversion.eras.merge import MODES


def old_names() -> dict[str, str]:
    """Return Keras 3's class for every other name that built-in layers were saved under.

    A Keras 1 ``Merge`` is one entry for each of its modes: ``"Merge(mode='sum')"``.
    """
    return {
        **CLASSES,
        **ALIASES,
        **{f"CuDNN{kind}": kind for kind in ("LSTM", "GRU")},
        **{f"Merge(mode={mode!r})": kind for mode, kind in MODES.items()},
    }


__all__ = ["old_names"]
