"""Keras's classes that no multipliers cross, each with the reason and what to do instead."""

from __future__ import annotations

_BEFOREHAND = (
    "Apply it to the data, and explain the model behind it: load(..., behind={name!r}), --behind."
)
_FUNCTION = "Give its forward pass, functions={{{name!r}: f}}, or save what it computes in Keras."
_STRINGS = "reads text, of which there is no difference-from-reference"
_CODE = "runs code of another library, which the file does not hold"
_CELL = "is one step of a recurrent layer"
_IN_RNN = "Call it through RNN."

REFUSED: dict[str, tuple[str, str]] = {
    "AutoContrast": ("stretches every image by its own darkest and brightest point", _BEFOREHAND),
    "ContrastLimitedAdaptiveHistogramEqualization": (
        "moves values by their ranks in a histogram, which jump",
        _BEFOREHAND,
    ),
    "Discretization": ("cuts numbers into bins, so that its output jumps", _BEFOREHAND),
    "FlaxLayer": (_CODE, _FUNCTION),
    "GRUCell": (_CELL, _IN_RNN),
    "HashedCrossing": ("gives hashes, whose differences mean nothing", _BEFOREHAND),
    "Hashing": ("gives hashes, whose differences mean nothing", _BEFOREHAND),
    "IntegerLookup": ("has its vocabulary in a file beside the weights", _BEFOREHAND),
    "JaxLayer": (_CODE, _FUNCTION),
    "LSTMCell": (_CELL, _IN_RNN),
    "MelSpectrogram": (
        "cuts off what is quieter than the loudest of the whole batch, so that samples depend on"
        " each other",
        _BEFOREHAND,
    ),
    "SimpleRNNCell": (_CELL, _IN_RNN),
    "StackedRNNCells": (_CELL, _IN_RNN),
    "StringLookup": (_STRINGS, _BEFOREHAND),
    "TFSMLayer": (_CODE, _FUNCTION),
    "TextVectorization": (_STRINGS, _BEFOREHAND),
    "TorchModuleWrapper": (_CODE, _FUNCTION),
}
"""Class of Keras 3 → (reason, advice)."""

QUANTIZED = (
    "computes with quantised numbers ({mode}), so that its output jumps",
    "Explain the model as it was before quantize(); weights of Dense, Embedding and EinsumDense may"
    " be quantised, if their activations are not (activation_quantizer=None).",
)
"""The same of any layer that is quantised, by its mode."""

_OLD = "is a layer of Keras 1 alone"
_COMPOSE = "Say what it is made of: layers={{{kind!r}: made}}."
REFUSED_OLD: dict[str, tuple[str, str]] = {
    "BatchNormalizationMode1": (
        "normalises each sample by its own statistics (mode=1 of Keras 1)",
        "Say what it is made of: layers={{{name!r}: made}}.",
    ),
    "BatchNormalizationMode2": (
        "normalises by the statistics of the batch (mode=2 of Keras 1), so that samples depend on"
        " each other",
        "Train it with mode=0.",
    ),
    "Highway": (_OLD, _COMPOSE),
    "MaxoutDense": (_OLD, _COMPOSE),
    "ParametricSoftplus": (_OLD, _COMPOSE),
    "SReLU": (_OLD, _COMPOSE),
}
"""The same of classes that only older Keras has."""


def reason_and_advice(class_name: str, name: str) -> tuple[str, str]:
    """Why the layer called ``name`` is refused, and what to do."""
    reason, advice = (REFUSED | REFUSED_OLD)[class_name]
    return reason, advice.format(name=name, kind=class_name)
