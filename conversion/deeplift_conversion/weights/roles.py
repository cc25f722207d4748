"""The arrays of each known layer: role, names in files, shape, order and sublayer.

Orders are Keras's own. A shape is a tuple of numbers and of symbols that must agree within
the layer; None says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deeplift_conversion.eras.options import OPTIONS
from deeplift_conversion.errors import ModelConfigError

Shape = tuple[Any, ...] | None
OWN = " Or is the class one of your own, which Keras has too? Then say so: load(..., layers={...})."
"""Advice where arrays do not fit a class."""


@dataclass(frozen=True)
class Slot:
    """One array that a layer must have.

    Attributes
    ----------
    role
        The role in `LayerSpec.weights`.
    shape
        Its expected shape.
    names
        Endings of its name in files, the role itself included.
    trainable
        False for what training does not learn by gradient (moving averages).
    sublayer
        The sublayer that holds it in a ``.keras`` file (``"cell"``, ``"query_dense"``).
    """

    role: str
    shape: Shape = None
    names: tuple[str, ...] = ()
    trainable: bool = True
    sublayer: str = ""


def slots_of(class_name: str, config: Mapping[str, Any]) -> tuple[Slot, ...] | None:
    """Return the arrays of a layer in Keras's order, None where the class is not known."""
    maker = _MAKERS.get(class_name)
    if maker is not None:
        return tuple(maker(class_name, config))
    weightless = class_name in OPTIONS or class_name in _WITHOUT_OPTIONS
    return () if weightless or class_name.startswith(_OPERATIONS) else None


def _kernel_and_bias(kernel: Shape, units: Any, config: Mapping[str, Any]) -> list[Slot]:
    slots = [Slot("kernel", kernel, ("kernel", "W", "depthwise_kernel"))]
    if config["use_bias"]:
        slots.append(Slot("bias", (units,), ("bias", "b")))
    return slots


def _dense(_: str, config: Mapping[str, Any]) -> list[Slot]:
    return _kernel_and_bias(("in", config["units"]), config["units"], config)


def _einsum_dense(_: str, config: Mapping[str, Any]) -> list[Slot]:
    slots = [Slot("kernel", None, ("kernel",))]
    if config["bias_axes"]:
        slots.append(Slot("bias", None, ("bias",)))
    return slots


def _conv(_: str, config: Mapping[str, Any]) -> list[Slot]:
    shape = (*config["kernel_size"], "in", config["filters"])
    return _kernel_and_bias(shape, config["filters"], config)


def _transposed(_: str, config: Mapping[str, Any]) -> list[Slot]:
    shape = (*config["kernel_size"], config["filters"], "in")
    return _kernel_and_bias(shape, config["filters"], config)


def _depthwise(_: str, config: Mapping[str, Any]) -> list[Slot]:
    shape = (*config["kernel_size"], "in", config["depth_multiplier"])
    return _kernel_and_bias(shape, "out", config)


def _separable(_: str, config: Mapping[str, Any]) -> list[Slot]:
    size, filters = config["kernel_size"], config["filters"]
    slots = [
        Slot("depthwise_kernel", (*size, "in", config["depth_multiplier"]), ("depthwise_kernel",)),
        Slot("pointwise_kernel", (*(1 for _ in size), "mid", filters), ("pointwise_kernel",)),
    ]
    if config["use_bias"]:
        slots.append(Slot("bias", (filters,), ("bias", "b")))
    return slots


def _local(_: str, config: Mapping[str, Any]) -> list[Slot]:
    slots = [Slot("kernel", None, ("kernel", "W"))]
    if config["use_bias"]:
        slots.append(Slot("bias", None, ("bias", "b")))
    return slots


def _normalization(class_name: str, config: Mapping[str, Any]) -> list[Slot]:
    shape = None if isinstance(config["axis"], tuple) else ("channels",)
    slots = []
    if config["scale"] or config.get("rms_scaling"):
        slots.append(Slot("gamma", shape, ("gamma",)))
    if config["center"] and not config.get("rms_scaling"):
        slots.append(Slot("beta", shape, ("beta",)))
    if class_name == "BatchNormalization":
        slots.append(Slot("moving_mean", shape, ("moving_mean", "running_mean"), False))
        names = ("moving_variance", "running_std", "running_variance", "running_var")
        slots.append(Slot("moving_variance", shape, names, False))
    return slots


def _feature_normalization(_: str, config: Mapping[str, Any]) -> list[Slot]:
    if config["mean"] is not None:
        return []
    return [
        Slot("mean", None, ("mean",), False),
        Slot("variance", None, ("variance",), False),
        Slot("count", None, ("count",), False),
    ]


def _recurrent(class_name: str, config: Mapping[str, Any]) -> list[Slot]:
    units = config["units"]
    if units is None:
        raise ModelConfigError(
            f"{config.get('name') or class_name} ({class_name}): its options are not in the file;"
            " Keras before 2.1 saves none of a cell's. Save the model again with a later Keras, or"
            " with LSTM, GRU or SimpleRNN in place of RNN."
        )
    gates = {"L": 4, "G": 3}.get(class_name[0], 1) * units
    sublayer = "" if class_name.endswith("Cell") else "cell"
    slots = [
        Slot("kernel", ("in", gates), ("kernel", "W"), sublayer=sublayer),
        Slot("recurrent_kernel", (units, gates), ("recurrent_kernel", "U"), sublayer=sublayer),
    ]
    if config["use_bias"]:
        twice = config.get("reset_after") and gates
        slots.append(
            Slot("bias", (2, gates) if twice else (gates,), ("bias", "b"), sublayer=sublayer)
        )
    return slots


def _conv_lstm(_: str, config: Mapping[str, Any]) -> list[Slot]:
    size, filters = config["kernel_size"], config["filters"]
    slots = [
        Slot("kernel", (*size, "in", 4 * filters), ("kernel", "W"), sublayer="cell"),
        Slot(
            "recurrent_kernel",
            (*size, filters, 4 * filters),
            ("recurrent_kernel", "U"),
            sublayer="cell",
        ),
    ]
    if config["use_bias"]:
        slots.append(Slot("bias", (4 * filters,), ("bias", "b"), sublayer="cell"))
    return slots


def _multi_head(_: str, config: Mapping[str, Any]) -> list[Slot]:
    slots = []
    for sublayer, name in (
        ("query", "query"),
        ("key", "key"),
        ("gate", "gate"),
        ("value", "value"),
        ("output", "attention_output"),
    ):
        if sublayer == "gate" and not config.get("use_gate"):
            continue
        roles = ("kernel", "bias") if config["use_bias"] else ("kernel",)
        for role in roles:
            names = (f"{name}/{role}", f"{sublayer}_dense/{role}")
            slots.append(Slot(f"{sublayer}_{role}", None, names, sublayer=f"{sublayer}_dense"))
    return slots


def _attention(class_name: str, config: Mapping[str, Any]) -> list[Slot]:
    slots = []
    if config["use_scale"]:
        shape = ("channels",) if class_name == "AdditiveAttention" else ()
        slots.append(Slot("scale", shape, ("scale",)))
    if config.get("score_mode") == "concat":
        slots.append(Slot("concat_score_weight", (), ("concat_score_weight",)))
    return slots


def _stft(_: str, config: Mapping[str, Any]) -> list[Slot]:
    components = {"real": ["real"], "imag": ["imag"]}.get(config["mode"], ["real", "imag"])
    shape = (config["frame_length"], 1, "frequencies")
    return [
        Slot(f"{component}_kernel", shape, (f"{component}_kernel",)) for component in components
    ]


def _embedding(_: str, config: Mapping[str, Any]) -> list[Slot]:
    shape = (config["input_dim"], config["output_dim"])
    slots = [Slot("embeddings", shape, ("embeddings", "W"))]
    if not config.get("tie_weights", True):
        slots.append(Slot("reverse_embeddings", shape[::-1], ("reverse_embeddings",)))
    return slots


def _one(role: str, *names: str, trainable: bool = True) -> list[Slot]:
    return [Slot(role, None, (role, *names), trainable)]


_MAKERS: dict[str, Any] = {
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    **{f"Conv{rank}D": _conv for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _transposed for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": _depthwise for rank in (1, 2)},
    **{f"SeparableConv{rank}D": _separable for rank in (1, 2)},
    **{f"LocallyConnected{rank}D": _local for rank in (1, 2)},
    **{f"ConvLSTM{rank}D": _conv_lstm for rank in (1, 2, 3)},
    "BatchNormalization": _normalization,
    "LayerNormalization": _normalization,
    "GroupNormalization": _normalization,
    "Normalization": _feature_normalization,
    "RMSNormalization": lambda _name, _config: _one("scale"),
    "SpectralNormalization": lambda _name, _config: _one("vector_u", "sn_u", trainable=False),
    "PReLU": lambda _name, _config: _one("alpha", "alphas"),
    "Embedding": _embedding,
    "STFTSpectrogram": _stft,
    "ReversibleEmbedding": _embedding,
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), _recurrent),
    **{f"{name}Cell": _recurrent for name in ("SimpleRNN", "LSTM", "GRU")},
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _multi_head,
    "Attention": _attention,
    "AdditiveAttention": _attention,
}
_RANDOM = [
    "Brightness",
    "ColorDegeneration",
    "ColorJitter",
    "Contrast",
    "Crop",
    "ElasticTransform",
    "Erasing",
    "Flip",
    "GaussianBlur",
    "Grayscale",
    "Height",
    "Hue",
    "Invert",
    "Perspective",
    "Posterization",
    "Rotation",
    "Saturation",
    "Sharpness",
    "Shear",
    "Translation",
    "Width",
    "Zoom",
]
_OPERATIONS = ("ops.", "TFOp", "SlicingOp", "TensorFlowOp")
_WITHOUT_OPTIONS = frozenset(
    ["AugMix", "CutMix", "Equalization", "Functional", "Lambda", "MaxNumBoundingBoxes", "Merge"]
    + ["MixUp", "RandAugment", "Solarization"]
    + [f"Random{name}" for name in _RANDOM]
)
"""Classes without arrays whose options nobody reads."""
