"""The forward pass beside Keras's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.options import SEED, Whole, checked

if TYPE_CHECKING:
    from deeplift_engine.network import Network

TOLERANCE = 1e-5
SAMPLES = 4
FREE_LENGTH = 64


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


def random_inputs(network: Network, samples: int = SAMPLES, seed: int = 0) -> list[Any]:
    """Standard normal inputs of the network's shapes, free axes ``FREE_LENGTH`` long.

    Where an input is looked up in a table, tokens of the whole table.
    """
    generator = np.random.default_rng(checked("seed", seed, SEED, InputError))
    samples = checked("samples", samples, Whole(1), InputError)
    found = []
    for info in network.inputs:
        shape = (samples, *(FREE_LENGTH if size is None else size for size in info.shape))
        if info.table is not None:
            tokens = generator.integers(0, info.table.rows, shape)
            found.append(tokens.astype(network.nodes[info.name].dtype))
        elif "int" in info.dtype:
            found.append(generator.integers(0, 2, shape).astype(info.dtype))
        else:
            found.append(generator.normal(size=shape).astype(network.dtype))
    return found


def verify(network: Network, x: Any = None) -> Verification:
    """Predict with both and compare; ``x`` defaults to random inputs."""
    import keras

    data = random_inputs(network) if x is None else x
    try:
        model = keras.saving.load_model(network.spec.source, compile=False)
    except Exception as error:  # whatever Keras raises, the answer is that it cannot load the file
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        return Verification(
            None, None, f"Keras {keras.__version__} cannot load {network.spec.source}: {reason}"
        )
    values = list(data) if isinstance(data, list | tuple) else data
    if isinstance(values, dict):
        values = [values[info.name] for info in network.inputs]
    single = isinstance(values, list) and len(values) == 1
    expected = model.predict(values[0] if single else values, verbose=0)
    if isinstance(expected, dict):
        expected = list(expected.values())
    found = network.predict(data)
    ours = list(found.values()) if isinstance(found, dict) else [found]
    theirs = expected if isinstance(expected, list | tuple) else [expected]
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
