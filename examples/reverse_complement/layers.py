"""What the layers of model.h5 are that Keras does not know, in terms of those it does.

Python gives this to `deeplift_engine.load`, as demo.py does; the command line takes the file:

    deeplift-engine inspect model.h5 --custom layers.py
"""

from __future__ import annotations

from typing import Any

import numpy as np

import deeplift_engine as de


def revcomp_conv1d(layer: de.CustomLayer) -> Any:
    """A Conv1D of every kernel and its reverse complement.

    Letters are ordered ACGT and channels in mirrored pairs, so the complement is the other order of
    channels, and both are reversed together.
    """
    kernel, bias = layer.weights.values()
    both = {
        "kernel": np.concatenate([kernel, kernel[::-1, ::-1, ::-1]], axis=-1),
        "bias": np.concatenate([bias, bias[::-1]]),
    }
    options = {**layer.config, "filters": 2 * layer.config["filters"]}
    return layer.apply("Conv1D", layer.input, weights=both, **options)


def crop(x: Any, config: dict[str, Any]) -> Any:
    """The middle of the sequence, as long as the file says that the output is."""
    margin = (x.shape[1] - config["output_shape"][0]) // 2
    return x[:, margin:-margin]


LAYERS = {"RevCompConv1D": revcomp_conv1d}
FUNCTIONS = {"crop_*": crop}
