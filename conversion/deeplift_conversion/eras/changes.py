"""The ways in which versions and backends computed a layer otherwise than Keras 3 on TensorFlow.

One row of `CHANGES` each. A row gives layers an option that no file has, and what translates the
layer goes by it; so nothing behind the reader knows an era. docs/ERAS.md is written from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deeplift_conversion.eras.origin import KERAS, KERAS_3, TF_KERAS, Origin, Version
from deeplift_conversion.layers.table import of_families

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Period:
    """Versions of one line from ``since`` on and before ``until``; empty where it is open."""

    line: str
    since: Version = ()
    until: Version = ()

    def holds(self, origin: Origin) -> bool:
        """Whether a model is of this period."""
        return (
            origin.line == self.line
            and self.since <= origin.version
            and not (self.until and origin.version >= self.until)
        )


@dataclass(frozen=True)
class Change:
    """One way in which a layer was computed otherwise.

    Attributes
    ----------
    summary
        What these versions do, for the page.
    layers
        Classes under Keras 3's names.
    options
        What the layer's options become, or a function of those saved.
    periods
        When; always where there are none.
    backends
        On which backends, ``""`` where none is known; on all where there are none.
    """

    summary: str
    layers: tuple[str, ...]
    options: Options | Callable[[Options], Options]
    periods: tuple[Period, ...] = ()
    backends: tuple[str, ...] = ()

    def holds(self, origin: Origin) -> bool:
        """Whether a model is one of those that are meant."""
        if self.backends and origin.backend not in self.backends:
            return False
        return not self.periods or any(period.holds(origin) for period in self.periods)


def as_computed(class_name: str, config: Options, saved: Options, origin: Origin) -> Options:
    """Return a layer's options with those that say what its version and backend computed.

    Parameters
    ----------
    class_name, config
        In Keras 3's words.
    saved
        All options as the file has them.
    origin
        Who saved the layer.
    """
    for change in CHANGES:
        if class_name in change.layers and change.holds(origin):
            options = change.options
            config = {**config, **(options({**saved, **config}) if callable(options) else options)}
    return config


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (int(value),) * rank


def _reach(config: Options) -> list[int]:
    """How far a kernel reaches along each axis."""
    sizes = _each(config["kernel_size"], 1)
    steps = _each(config.get("dilation_rate", 1), len(sizes))
    return [(size - 1) * step + 1 for size, step in zip(sizes, steps, strict=True)]


def _full(config: Options) -> Options:
    if config.get("padding") != "full":
        return {}
    borders = tuple((reach - 1, reach - 1) for reach in _reach(config))
    return {"padding": "valid", "borders": borders}


def _padded_by_half(config: Options) -> Options:
    if config.get("padding") != "same":
        return {}
    borders = tuple((reach // 2, reach - 1 - reach // 2) for reach in _reach(config))
    return {"padding": "valid", "borders": borders}


def _even_and_same(config: Options) -> Options:
    even = any(size % 2 == 0 for size in _each(config["kernel_size"], 1))
    return {"borders": "unknown"} if even and "borders" in config else {}


def _padded_in_front(config: Options) -> Options:
    if config.get("padding") != "same":
        return {}
    sizes = _each(config["pool_size"], 1)
    return {"padding_in_front": tuple(s - 2 if s > 2 and s % 2 else s - 1 for s in sizes)}


_NEVER_ZEROED = {"never_zeroed": True, "zero_output_for_mask": False}


def _could_be_fused(config: Options) -> Options:
    fused = (
        config["activation"] == "tanh"
        and config["recurrent_activation"] == "sigmoid"
        and config["use_bias"]
        and config.get("reset_after", True)
        and not config["unroll"]
        and not config.get("recurrent_dropout")
    )
    return _NEVER_ZEROED if fused else {}


def _unrolled(config: Options) -> Options:
    return _NEVER_ZEROED if config["unroll"] else {}


def _unrolled_backwards(config: Options) -> Options:
    return {"mask_in_order": True} if config["unroll"] and config["go_backwards"] else {}


def _same(options: Options) -> Callable[[Options], Options]:
    return lambda config: options if config.get("padding") == "same" else {}


def _channels_first(options: Options) -> Callable[[Options], Options]:
    return lambda config: options if config.get("data_format") == "channels_first" else {}


def _bicubic(backend: str) -> Callable[[Options], Options]:
    def change(config: Options) -> Options:
        sharp = config.get("interpolation") == "bicubic" and not config.get("antialias")
        return {"interpolation": f"bicubic_{backend}"} if sharp else {}

    return change


def _symmetric(config: Options) -> Options:
    return {"mode": "edge"} if config.get("mode") == "symmetric" else {}


def _virtual_batches(config: Options) -> Options:
    if not config.get("virtual_batch_size"):
        return {}
    axis = config["axis"]
    axes = axis if isinstance(axis, tuple) else (axis,)
    lowered = tuple(entry - 1 if entry > 0 else entry for entry in axes)
    return {"axis": lowered if isinstance(axis, tuple) else lowered[0]}


_CONVOLUTIONS = of_families("convolution", "depthwise", "separable")
_RECURRENT = of_families("recurrent")

CHANGES = (
    Change(
        "ends a mask",
        ("ReLU",),
        {"ends_mask": True},
        (Period(TF_KERAS, until=(2, 5)),),
    ),
    Change(
        "ends a mask",
        ("Normalization", "Rescaling"),
        {"ends_mask": True},
        (Period(TF_KERAS),),
    ),
    Change(
        "ends a mask, and reads none",
        of_families("merge"),
        {"ends_mask": True},
        (Period(KERAS_3, until=(3, 4)),),
    ),
    Change(
        "with virtual_batch_size, is saved with an axis and arrays that count one axis more",
        ("BatchNormalization",),
        _virtual_batches,
        (Period(TF_KERAS),),
    ),
    Change(
        "ends a mask, and reads none but its argument",
        ("MultiHeadAttention",),
        {"ends_mask": True},
        (Period(TF_KERAS, until=(2, 10)),),
    ),
    Change(
        "drops a mask that its inner layer makes",
        ("TimeDistributed",),
        {"drops_inner_mask": True},
        (Period(KERAS, until=(2, 2)), Period(KERAS_3)),
    ),
    Change(
        "with sequences, gives at a masked step what each half gave last",
        ("Bidirectional",),
        {"zeroes": False},
        (Period(KERAS),),
    ),
    Change(
        "where cuDNN could run it, zeroes no masked step, though zero_output_for_mask, which"
        " Bidirectional sets, says so",
        ("LSTM", "GRU"),
        _could_be_fused,
        (Period(TF_KERAS, until=(2, 3)),),
    ),
    Change(
        "unrolled, zeroes no masked step",
        _RECURRENT,
        _unrolled,
        backends=("jax",),
    ),
    Change(
        "unrolled and going backwards, zeroes its outputs, which are in reversed order, by the mask"
        " in forward order",
        _RECURRENT,
        _unrolled_backwards,
        backends=("", "tensorflow"),
    ),
    Change(
        "of several cells gives at a masked step the state of its first cell, unless unrolled",
        ("RNN",),
        {"masked_output": "first_cell"},
        (Period(KERAS, (2, 2, 3), (2, 3)),),
    ),
    Change(
        "of several cells has the last cell's states first",
        ("RNN",),
        {"states": "last_cell_first"},
        (Period(KERAS, until=(2, 2, 3)),),
    ),
    Change(
        "interpolates from the corners of pixels, not from their middles",
        ("UpSampling2D",),
        {"half_pixel": False},
        (Period(KERAS),),
    ),
    Change(
        'has a border mode "full": an output wherever the kernel meets the input',
        _CONVOLUTIONS,
        _full,
    ),
    Change(
        "pads even kernels by one more in front, and strides from there",
        tuple(name for name in _CONVOLUTIONS if name != "Conv3D"),
        _padded_by_half,
        backends=("theano",),
    ),
    Change(
        "pads even kernels by one more in front, and strides from there",
        ("Conv3D",),
        _padded_by_half,
        (Period(KERAS, (1, 1)),),
        backends=("theano",),
    ),
    Change(
        "pads even kernels in ways of its own; refused",
        of_families("depthwise", "separable"),
        _even_and_same,
        (Period(KERAS, (2,)),),
        backends=("theano",),
    ),
    Change(
        "pads windows in front alone, as far as they reach but for one or two",
        of_families("max_pooling", "average_pooling"),
        _padded_in_front,
        backends=("theano",),
    ),
    Change(
        "repeats the edge where padding is uneven, and averages it in",
        of_families("average_pooling"),
        _same({"edges": "repeated"}),
        backends=("torch",),
    ),
    Change(
        "with channels first and as many columns as channels, adds its bias to the columns",
        (*_CONVOLUTIONS, *of_families("transposed")),
        _channels_first({"bias_along_width": True}),
        (Period(KERAS_3, (3, 7)),),
        backends=("", "tensorflow"),
    ),
    Change(
        "adds a constant that has one axis to the last axis where its size is that one's, else to"
        " the first, wherever it stands",
        ("ops.Add",),
        {"adds_as_bias": True},
        (Period(KERAS_3, (3, 7)),),
        backends=("", "tensorflow"),
    ),
    Change(
        "has another bicubic filter",
        ("Resizing", "UpSampling2D", "ops.Resize"),
        _bicubic("torch"),
        backends=("torch",),
    ),
    Change(
        "has its bicubic filter exactly, TensorFlow from a table",
        ("Resizing", "UpSampling2D", "ops.Resize"),
        _bicubic("jax"),
        backends=("jax",),
    ),
    Change(
        'repeats the edge for mode="symmetric"',
        ("ops.Pad",),
        _symmetric,
        backends=("torch",),
    ),
)
"""Every change, in the order in which they are applied."""


__all__ = ["CHANGES", "Change", "Period", "as_computed"]
