"""The forward pass beside Keras's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.graph.inputs import InputInfo, by_input
from deeplift_engine.graph.structure import leaves, packed

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Verification:
    """Whether the forward pass equals Keras's.

    Attributes
    ----------
    ok
        True or False, None where Keras could not load the file.
    max_error
        Largest difference relative to the output's largest magnitude, None likewise.
    message
        One sentence.
    """

    ok: bool | None
    max_error: float | None
    message: str


def verify(
    source: str, inputs: Sequence[InputInfo], predict: Callable[[Any], list[Any]], x: Any
) -> Verification:
    """Compare what ``predict`` gives on ``x`` with what Keras's model of the file gives.

    Parameters
    ----------
    source
        The saved model.
    inputs
        The network's inputs.
    predict
        From inputs to a list of outputs (N, ...), in the order in which Keras flattens them.
    x
        Inputs, as `Network.predict` takes them.
    """
    import keras

    try:
        model = keras.saving.load_model(source, compile=False)
    except Exception as error:  # whatever Keras raises, the answer is that it cannot load the file
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        return Verification(None, None, f"Keras {keras.__version__} cannot load {source}: {reason}")
    values = packed([info.path for info in inputs], by_input(x, inputs, "x"))
    theirs = list(leaves(model.predict(values, verbose=0)))
    ours = predict(x)
    largest = max(
        float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(b))), 1e-30))
        for a, b in zip(ours, theirs, strict=True)
    )
    ok = largest <= TOLERANCE
    verdict = "equals" if ok else "differs from"
    return Verification(
        ok,
        largest,
        f"The forward pass {verdict} Keras {keras.__version__}'s: largest difference {largest:.2g} "
        f"of the output's largest magnitude (tolerance {TOLERANCE:g}).",
    )
