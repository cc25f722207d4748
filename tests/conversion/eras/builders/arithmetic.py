"""Arithmetic: ties, options left alone, functions of every name (Keras 2 and 3)."""

import numpy as np

from tests.conversion.eras.builders.borders import chain, named, paired
from tests.conversion.eras.builders.parts import Case, numbers

FUNCTIONS = (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh"
    " leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink"
    " softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh"
    " tanh_shrink threshold"
).split()
TIES = np.linspace(-4, 4, 33, dtype="float32").reshape(3, 11)
"""Every multiple of a quarter: thresholds, bends and bounds are among them."""

ADVANCED = {
    "ReLU": (
        {},
        {"max_value": 1.0},
        {"negative_slope": 0.5},
        {"threshold": 1.0},
        {"threshold": -1.0},
        {"max_value": 2.0, "threshold": 1.0},
        {"max_value": 2.0, "threshold": -1.0},
        {"max_value": 1.0, "negative_slope": 0.25, "threshold": 0.5},
        {"max_value": 1.0, "negative_slope": 0.25, "threshold": -0.5},
        {"max_value": 6.0},
        {"max_value": 6.0, "threshold": -0.5},
        {"max_value": 0.0},
        {"negative_slope": 0.25, "threshold": -1.0},
    ),
    "ThresholdedReLU": ({}, {"theta": 0.5}, {"theta": 0.0}),
    "LeakyReLU": ({}, {"alpha": 0.25}, {"negative_slope": 0.25}),
    "ELU": ({}, {"alpha": 0.5}),
    "Softmax": ({},),
}


def functions(k):
    """All activation functions of one version that have a name, each an output."""

    def build():
        source = k.input(11)
        return k.model(source, k.Activation(name)(source))

    for name in FUNCTIONS:
        yield Case("function " + name, "Activation", "tie", lambda n=name: activated(k, n), TIES)


def activated(k, name):
    source = k.input(11)
    return k.model(source, k.Activation(name)(source))


def cases(k):
    yield from functions(k)
    for layer, variants in ADVANCED.items():
        for options in variants:
            name = (layer + " " + named(options)).strip()

            def make(layer=layer, options=options):
                return getattr(k, layer)(**options)

            yield Case(name, layer, "tie", chain(k, (11,), make), TIES)
    x = numbers("pooled ties", 2, 8, 2).round()
    for layer in ("MaxPooling1D", "GlobalMaxPooling1D"):
        yield Case(
            layer + " ties", layer, "tie", chain(k, (8, 2), lambda c=layer: getattr(k, c)()), x
        )
    for layer in ("Maximum", "Minimum"):
        yield paired(k, layer, "tie", (5,), (5,))
    yield from defaults(k)


def defaults(k):
    """Layers with no option but the sizes that they must have."""
    rows, image = (6, 3), (5, 6, 2)
    wanted = {
        "BatchNormalization": (image, ()),
        "Conv1D": (rows, (2, 3)),
        "Dense": (rows, (2,)),
        "GRU": (rows, (2,)),
        "GroupNormalization": ((5, 5, 32), ()),
        "LSTM": (rows, (2,)),
        "LayerNormalization": (image, ()),
        "Normalization": (rows, ()),
        "PReLU": (rows, ()),
        "RMSNormalization": (rows, ()),
        "Rescaling": (rows, (2.0,)),
        "SimpleRNN": (rows, (2,)),
        "SpatialDropout2D": (image, (0.5,)),
        "UnitNormalization": (image, ()),
        "AlphaDropout": (rows, (0.5,)),
    }
    for layer, (size, arguments) in wanted.items():

        def make(layer=layer, arguments=arguments):
            return getattr(k, layer)(*arguments)

        name = "default " + layer
        yield Case(name, layer, "default", chain(k, size, make), numbers(name, 2, *size))
    for layer, options in (
        ("BatchNormalization", {"scale": False}),
        ("BatchNormalization", {"center": False}),
        ("BatchNormalization", {"epsilon": 0.1}),
        ("BatchNormalization", {"axis": 1, "epsilon": 0.01}),
        ("LayerNormalization", {"scale": False, "epsilon": 0.1}),
        ("GroupNormalization", {"groups": 1, "epsilon": 0.1}),
        ("GRU", {"reset_after": True, "recurrent_activation": "hard_sigmoid"}),
        ("GRU", {"reset_after": False}),
        ("GRU", {"use_bias": False}),
        ("LSTM", {"unit_forget_bias": False, "recurrent_activation": "hard_sigmoid"}),
        ("LSTM", {"use_bias": False, "activation": "relu"}),
        ("LSTM", {"implementation": 2, "return_sequences": True}),
        ("SimpleRNN", {"activation": "softsign", "return_sequences": True}),
    ):
        size = image if "Norm" in layer else rows
        name = "options " + layer + " " + named(options)

        def make(layer=layer, options=options):
            return getattr(k, layer)(
                *([2] if layer in ("GRU", "LSTM", "SimpleRNN") else []), **options
            )

        yield Case(name, layer, "default", chain(k, size, make), numbers(name, 2, *size))
    yield from attentions(k)


def causal(k):
    """An Attention that is causal, where a version saves that."""
    layer = k.Attention(causal=True)
    if "causal" not in layer.get_config():
        raise ValueError("it does not save that it is causal")
    source = k.input(4, 3)
    return k.model(source, layer([source, source]))


def constants(k):
    """Constants of one axis added to tensors, whose axes have one size or several."""
    for shape, constant in (
        ((5, 5), (5, 1)),
        ((5, 5), (1, 5)),
        ((5, 5), (5,)),
        ((3, 5), (3, 1)),
        ((4, 4, 3), (4, 1)),
        ((4, 4, 4), (4, 1, 1)),
        ((4, 4, 4), (1, 4, 1)),
    ):

        def build(shape=shape, constant=constant):
            source = k.input(*shape)
            return k.model(source, k.keras.ops.add(source, numbers("constant", *constant)))

        name = "added %s %s" % (shape, constant)
        yield Case(name, "ops.Add", "axes", build, numbers(name, 2, *shape))
    for rank in (1, 2, 3):
        for layer in ("Conv%dD" % rank, "Conv%dDTranspose" % rank, "SeparableConv%dD" % rank):

            def make(layer=layer):
                return getattr(k, layer)(4, 1, data_format="channels_first", activation="tanh")

            size = (2,) + (4,) * rank
            name = "square " + layer
            yield Case(name, layer, "axes", chain(k, size, make), numbers(name, 2, *size))


def attentions(k):
    yield Case("Attention causal", "Attention", "default", lambda: causal(k), numbers("c", 2, 4, 3))
    yield from constants(k)

    for layer, options in (
        ("Attention", {}),
        ("Attention", {"use_scale": True}),
        ("Attention", {"score_mode": "concat"}),
        ("AdditiveAttention", {}),
        ("AdditiveAttention", {"use_scale": False}),
    ):
        yield paired(
            k, layer, "default", (4, 3), (5, 3) if "causal" not in options else (4, 3), **options
        )
    for options in ({}, {"value_dim": 3}, {"use_bias": False}, {"output_shape": 2}):

        def build(options=options):
            first, other = k.input(4, 3), k.input(5, 3)
            tensor = k.MultiHeadAttention(2, 2, **options)(first, other)
            return k.model([first, other], tensor)

        name = "MultiHeadAttention " + named(options)
        x = numbers(name, 2, 4, 3), numbers(name + "2", 2, 5, 3)
        yield Case(name.strip(), "MultiHeadAttention", "default", build, *x)
