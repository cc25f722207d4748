"""The arrays of layers by their options, in Keras's own order."""

from __future__ import annotations

from collections.abc import Callable

from deeplift_conversion.layers.keras_layer import Options, Shape, Slot

Arrays = Callable[[Options], list[Slot]]


def one(role: str, *names: str, trainable: bool = True) -> Arrays:
    """Return one array of any shape."""
    return lambda _: [Slot(role, None, (role, *names), trainable)]


def _bias(units: object, options: Options, sublayer: str = "") -> list[Slot]:
    shape = units if isinstance(units, tuple) else (units,)
    return [Slot("bias", shape, ("bias", "b"), sublayer=sublayer)] if options["use_bias"] else []


def _kernel(shape: Shape, units: object, options: Options) -> list[Slot]:
    return [Slot("kernel", shape, ("kernel", "W", "depthwise_kernel")), *_bias(units, options)]


def dense(options: Options) -> list[Slot]:
    """Return kernel and bias (in, units)."""
    return _kernel(("in", options["units"]), options["units"], options)


def einsum_dense(options: Options) -> list[Slot]:
    """Return kernel and bias in the axes of the equation."""
    roles = ("kernel", "bias") if options["bias_axes"] else ("kernel",)
    return [Slot(role, None, (role,)) for role in roles]


def convolution(options: Options) -> list[Slot]:
    """Return a kernel (spatial ..., in, out) and its bias."""
    shape = (*options["kernel_size"], "in", options["filters"])
    return _kernel(shape, options["filters"], options)


def transposed(options: Options) -> list[Slot]:
    """Return a kernel (spatial ..., out, in) and its bias."""
    shape = (*options["kernel_size"], options["filters"], "in")
    return _kernel(shape, options["filters"], options)


def depthwise(options: Options) -> list[Slot]:
    """Return a kernel (spatial ..., in, multiplier) and its bias."""
    shape = (*options["kernel_size"], "in", options["depth_multiplier"])
    return _kernel(shape, "out", options)


def separable(options: Options) -> list[Slot]:
    """Return two kernels and a bias."""
    size, filters = options["kernel_size"], options["filters"]
    depth = (*size, "in", options["depth_multiplier"])
    point = (*(1 for _ in size), "mid", filters)
    return [
        Slot("depthwise_kernel", depth, ("depthwise_kernel",)),
        Slot("pointwise_kernel", point, ("pointwise_kernel",)),
        *_bias(filters, options),
    ]


def local(options: Options) -> list[Slot]:
    """Return a kernel for each position, and the biases."""
    biases = [Slot("bias", None, ("bias", "b"))] if options["use_bias"] else []
    return [Slot("kernel", None, ("kernel", "W")), *biases]


def normalization(options: Options) -> list[Slot]:
    """Return scale and shift of a normaliser."""
    shape = None if isinstance(options["axis"], tuple) else ("channels",)
    rms = options.get("rms_scaling")
    slots = [Slot("gamma", shape, ("gamma",))] if options["scale"] or rms else []
    return slots + ([Slot("beta", shape, ("beta",))] if options["center"] and not rms else [])


def batch_normalization(options: Options) -> list[Slot]:
    """Return scale, shift and the moments of the training set."""
    shape = None if isinstance(options["axis"], tuple) else ("channels",)
    variances = ("moving_variance", "running_std", "running_variance", "running_var")
    return [
        *normalization(options),
        Slot("moving_mean", shape, ("moving_mean", "running_mean"), False),
        Slot("moving_variance", shape, variances, False),
    ]


def feature_normalization(options: Options) -> list[Slot]:
    """Return the moments, where they are no options."""
    roles = ("mean", "variance", "count") if options["mean"] is None else ()
    return [Slot(role, None, (role,), False) for role in roles]


def recurrent(gates: int, sublayer: str = "cell") -> Arrays:
    """Return kernels and bias of so many gates, held by the cell in a ``.keras`` file."""

    def arrays(options: Options) -> list[Slot]:
        units = options["units"]
        width = gates * units
        biases = (2, width) if options.get("reset_after") else (width,)
        return [
            Slot("kernel", ("in", width), ("kernel", "W"), sublayer=sublayer),
            Slot("recurrent_kernel", (units, width), ("recurrent_kernel", "U"), sublayer=sublayer),
            *_bias(biases, options, sublayer),
        ]

    return arrays


def conv_lstm(options: Options) -> list[Slot]:
    """Return kernels and bias of four gates."""
    size, filters = options["kernel_size"], options["filters"]
    kernel, recurrent_kernel = (*size, "in", 4 * filters), (*size, filters, 4 * filters)
    return [
        Slot("kernel", kernel, ("kernel", "W"), sublayer="cell"),
        Slot("recurrent_kernel", recurrent_kernel, ("recurrent_kernel", "U"), sublayer="cell"),
        *_bias(4 * filters, options, "cell"),
    ]


def multi_head(options: Options) -> list[Slot]:
    """Return kernel and bias of each projection."""
    slots = []
    for sublayer in ("query", "key", "gate", "value", "output"):
        if sublayer == "gate" and not options.get("use_gate"):
            continue
        name = "attention_output" if sublayer == "output" else sublayer
        for role in ("kernel", "bias") if options["use_bias"] else ("kernel",):
            names = (f"{name}/{role}", f"{sublayer}_dense/{role}")
            slots.append(Slot(f"{sublayer}_{role}", None, names, sublayer=f"{sublayer}_dense"))
    return slots


def attention(*scale: str) -> Arrays:
    """Return the scale, of this shape, and the weight of concatenated scores."""

    def arrays(options: Options) -> list[Slot]:
        slots = [Slot("scale", scale, ("scale",))] if options["use_scale"] else []
        if options.get("score_mode") == "concat":
            slots.append(Slot("concat_score_weight", (), ("concat_score_weight",)))
        return slots

    return arrays


def stft(options: Options) -> list[Slot]:
    """Return the kernels of the parts of a spectrogram."""
    components = {"real": ["real"], "imag": ["imag"]}.get(options["mode"], ["real", "imag"])
    shape = (options["frame_length"], 1, "frequencies")
    return [Slot(f"{kind}_kernel", shape, (f"{kind}_kernel",)) for kind in components]


def embedding(options: Options) -> list[Slot]:
    """Return the table, and the one of the way back where it has one of its own."""
    shape = (options["input_dim"], options["output_dim"])
    slots = [Slot("embeddings", shape, ("embeddings", "W"))]
    if not options.get("tie_weights", True):
        slots.append(Slot("reverse_embeddings", shape[::-1], ("reverse_embeddings",)))
    return slots
