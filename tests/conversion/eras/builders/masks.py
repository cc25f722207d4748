"""Masks: which layers hand one on, what reads it, what a masked step gives (Keras 2 and 3)."""

from tests.conversion.eras.builders.parts import Case, numbers, steps

THROUGH = {
    "Activation": lambda k: k.Activation("tanh"),
    "ActivityRegularization": lambda k: k.ActivityRegularization(),
    "AlphaDropout": lambda k: k.AlphaDropout(0.1),
    "BatchNormalization": lambda k: k.BatchNormalization(),
    "Conv1D": lambda k: k.Conv1D(2, 3, padding="same"),
    "Cropping1D": lambda k: k.Cropping1D((1, 0)),
    "Dense": lambda k: k.Dense(3),
    "Dropout": lambda k: k.Dropout(0.5),
    "ELU": lambda k: k.ELU(),
    "EinsumDense": lambda k: k.EinsumDense("abc,cd->abd", output_shape=(None, 2)),
    "GaussianDropout": lambda k: k.GaussianDropout(0.1),
    "GaussianNoise": lambda k: k.GaussianNoise(0.1),
    "GroupNormalization": lambda k: k.GroupNormalization(groups=3),
    "Identity": lambda k: k.Identity(),
    "LayerNormalization": lambda k: k.LayerNormalization(),
    "LeakyReLU": lambda k: k.LeakyReLU(),
    "Masking": lambda k: k.Masking(0.5),
    "MaxPooling1D": lambda k: k.MaxPooling1D(2, strides=1, padding="same"),
    "Normalization": lambda k: k.Normalization(),
    "PReLU": lambda k: k.PReLU(),
    "Permute": lambda k: k.Permute((2, 1)),
    "RMSNormalization": lambda k: k.RMSNormalization(),
    "ReLU": lambda k: k.ReLU(),
    "Rescaling": lambda k: k.Rescaling(0.5, 0.1),
    "Reshape": lambda k: k.Reshape((3, 6)),
    "Softmax": lambda k: k.Softmax(),
    "SpatialDropout1D": lambda k: k.SpatialDropout1D(0.1),
    "SeparableConv1D": lambda k: k.SeparableConv1D(2, 3, padding="same"),
    "ThresholdedReLU": lambda k: k.ThresholdedReLU(0.1),
    "TimeDistributed": lambda k: k.TimeDistributed(k.Dense(2)),
    "UnitNormalization": lambda k: k.UnitNormalization(),
    "UpSampling1D": lambda k: k.UpSampling1D(2),
    "ZeroPadding1D": lambda k: k.ZeroPadding1D((1, 0)),
}
"""Layers between a mask and what reads it, steps for steps."""

MERGES = {
    "Add": lambda k: k.Add(),
    "Average": lambda k: k.Average(),
    "Concatenate": lambda k: k.Concatenate(),
    "Maximum": lambda k: k.Maximum(),
    "Minimum": lambda k: k.Minimum(),
    "Multiply": lambda k: k.Multiply(),
    "Subtract": lambda k: k.Subtract(),
}
RECURRENT = {
    "SimpleRNN": {},
    "LSTM": {},
    "GRU": {},
    "LSTM relu": {"activation": "relu"},
    "LSTM unrolled": {"unroll": True},
    "LSTM implementation": {"implementation": 1},
    "GRU before": {"reset_after": False},
    "GRU after": {"reset_after": True},
    "GRU sigmoid": {"recurrent_activation": "sigmoid"},
    "SimpleRNN unrolled": {"unroll": True},
    "LSTM backwards": {"go_backwards": True},
    "LSTM dropout": {"recurrent_dropout": 0.1},
    "LSTM zero": {"zero_output_for_mask": True},
    "GRU zero": {"zero_output_for_mask": True, "activation": "relu"},
}


def masked(k):
    source = k.input(6, 3)
    return source, k.Masking()(source)


def through(k, make):
    """The layer's output, and what a recurrent layer makes of it."""
    source, tensor = masked(k)
    tensor = make(k)(tensor)
    return k.model(source, [tensor, k.SimpleRNN(2)(tensor)])


def merged(k, make, which):
    """Two inputs with masks of their own, one mask for both, or one input that has a mask."""
    first, second = k.input(6, 3), k.input(6, 3)
    pair = [k.Masking()(first), k.Masking(0.25)(second)]
    if which == "one":
        pair[1] = second
    elif which == "other":
        pair[0] = first
    elif which == "same":
        pair[1] = k.Dense(3)(pair[0])
    inputs = first if which == "same" else [first, second]
    tensor = make(k)(pair)
    return k.model(inputs, [tensor, k.SimpleRNN(2)(tensor)])


def second(name):
    x = numbers(name + " second", 4, 6, 3)
    x[0, :2] = 0.25
    x[1, [2, 5]] = 0.25
    x[2, 3] = 0.25
    x[3] = 0.25
    return x


def recurrent(k, kind, options):
    source, tensor = masked(k)
    return k.model(source, getattr(k, kind.split()[0])(2, **options)(tensor))


def states(k, kind):
    source, tensor = masked(k)
    outputs = getattr(k, kind)(2, return_state=True, return_sequences=True)(tensor)
    return k.model(source, list(outputs))


def bidirectional(k, kind, options, wrapper):
    source, tensor = masked(k)
    inner = getattr(k, kind.split()[0])(2, **options)
    outputs = k.Bidirectional(inner, **wrapper)(tensor)
    return k.model(source, list(outputs) if isinstance(outputs, (list, tuple)) else outputs)


def stacked(k, kinds, options, has_mask=True):
    source, tensor = masked(k) if has_mask else [k.input(6, 3)] * 2
    cells = [
        getattr(k, kind + "Cell")(units) for units, kind in zip((2, 2 if has_mask else 3), kinds)
    ]
    outputs = k.RNN(cells if len(cells) > 1 else cells[0], **options)(tensor)
    return k.model(source, flattened_list(outputs))


def flattened_list(values):
    """Tensors of lists within lists; one tensor as it is."""
    if not isinstance(values, (list, tuple)):
        return values
    entries = [flattened_list(value) for value in values]
    return [
        tensor for entry in entries for tensor in (entry if isinstance(entry, list) else [entry])
    ]


def cases(k):
    for name, make in THROUGH.items():
        yield Case("through " + name, name, "mask", lambda m=make: through(k, m), steps(name))
    for name, make in MERGES.items():
        for which in ("same", "both", "one", "other"):
            x = [steps(name)] if which == "same" else [steps(name), second(name)]
            yield Case(
                "merge " + name + " " + which,
                name,
                "mask",
                lambda m=make, w=which: merged(k, m, w),
                *x,
            )
    for kind, options in RECURRENT.items():
        for sequences in (False, True):
            name = kind + (" steps" if sequences else " last")
            yield Case(
                "recurrent " + name,
                kind.split()[0],
                "mask",
                lambda c=kind, o=dict(options, return_sequences=sequences): recurrent(k, c, o),
                steps(name),
            )
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        yield Case("states " + kind, kind, "mask", lambda c=kind: states(k, c), steps(kind))
    wrappers = ("SimpleRNN", "LSTM", "GRU", "LSTM relu", "LSTM unrolled", "GRU before", "GRU after")
    for kind in wrappers:
        for sequences in (False, True):
            for mode in (
                ("concat", "sum", "mul", None) if kind in ("LSTM", "SimpleRNN") else ("concat",)
            ):
                name = kind + (" steps " if sequences else " last ") + str(mode)
                yield Case(
                    "bidirectional " + name,
                    "Bidirectional",
                    "mask",
                    lambda c=kind, o=dict(RECURRENT[kind], return_sequences=sequences), m=mode: (
                        bidirectional(k, c, o, {"merge_mode": m})
                    ),
                    steps(name),
                )
    for kinds in ("LSTM GRU", "GRU GRU", "SimpleRNN LSTM", "LSTM LSTM", "LSTM"):
        for what in (
            {},
            {"return_sequences": True},
            {"return_state": True},
            {"go_backwards": True},
        ):
            name = kinds + " " + "".join(what)
            yield Case(
                "cells " + name,
                "RNN",
                "mask",
                lambda c=kinds.split(), o=what: stacked(k, c, o),
                steps(name),
            )
    yield Case(
        "cells unmasked",
        "RNN",
        "default",
        lambda: stacked(k, ["LSTM", "GRU"], {}, False),
        steps("c"),
    )
    for special in (
        embedding,
        pooled,
        attention,
        additive,
        multi_head,
        nested,
        nested_within,
        over_steps,
        steps_of_steps,
        repeated,
        concatenated,
        dotted,
        bidirectional_state,
        chained,
        self_attention,
        cross_attention,
        flattened,
        pooled_maximum,
        reader_of_bidirectional,
        masked_twice,
    ):
        yield special(k)


def embedding(k):
    def build():
        source = k.input(6, dtype="int32")
        tensor = k.Embedding(5, 3, mask_zero=True)(source)
        return k.model(source, k.LSTM(2)(tensor))

    return Case("embedding", "Embedding", "mask", build, TOKENS)


def pooled(k):
    def build():
        source, tensor = masked(k)
        return k.model(source, k.GlobalAveragePooling1D()(tensor))

    return Case("pooled", "GlobalAveragePooling1D", "mask", build, steps("pooled", samples=3))


def pooled_maximum(k):
    def build():
        source, tensor = masked(k)
        return k.model(source, k.GlobalMaxPooling1D()(tensor))

    return Case("pooled maximum", "GlobalMaxPooling1D", "mask", build, steps("pooled maximum"))


def flattened(k):
    def build():
        source, tensor = masked(k)
        return k.model(source, k.Dense(2)(k.Flatten()(tensor)))

    return Case("flattened", "Flatten", "mask", build, steps("flattened"))


def two_masked(k, layer):
    first, second_input = k.input(6, 3), k.input(6, 3)
    pair = [k.Masking()(first), k.Masking(0.25)(second_input)]
    tensor = layer(pair)
    return k.model([first, second_input], [tensor, k.SimpleRNN(2)(tensor)])


def attention(k):
    x = steps("attention", samples=3), second("attention")[:3]
    return Case("attention", "Attention", "mask", lambda: two_masked(k, k.Attention()), *x)


def additive(k):
    x = steps("additive", samples=3), second("additive")[:3]
    return Case(
        "additive attention",
        "AdditiveAttention",
        "mask",
        lambda: two_masked(k, k.AdditiveAttention()),
        *x,
    )


def multi_head(k):
    def build():
        layer = k.MultiHeadAttention(2, 2)
        return two_masked(k, lambda pair: layer(pair[0], pair[1]))

    x = steps("multi head", samples=3), second("multi head")[:3]
    return Case("multi head", "MultiHeadAttention", "mask", build, *x)


def self_attention(k):
    def build():
        source, tensor = masked(k)
        tensor = k.MultiHeadAttention(2, 2)(tensor, tensor)
        return k.model(source, [tensor, k.SimpleRNN(2)(tensor)])

    return Case("self attention", "MultiHeadAttention", "mask", build, steps("self", samples=3))


def cross_attention(k):
    def build():
        first, other = k.input(6, 3), k.input(6, 3)
        tensor = k.MultiHeadAttention(1, 2)(first, k.Masking()(other))
        return k.model([first, other], [tensor, k.SimpleRNN(2)(tensor)])

    x = numbers("cross", 3, 6, 3), steps("cross attention", samples=3)
    return Case("cross attention", "MultiHeadAttention", "mask", build, *x)


def nested(k):
    def build():
        inner_source = k.input(6, 3)
        inner = k.model(inner_source, k.Dense(3)(k.Masking()(inner_source)))
        source = k.input(6, 3)
        return k.model(source, k.SimpleRNN(2)(inner(source)))

    return Case("nested", "Model", "mask", build, steps("nested"))


def nested_within(k):
    def build():
        inner_source = k.input(6, 3)
        inner = k.model(inner_source, k.Dense(3)(inner_source))
        source, tensor = masked(k)
        return k.model(source, k.SimpleRNN(2)(inner(tensor)))

    return Case("nested within", "Model", "mask", build, steps("nested within"))


def over_steps(k):
    def build():
        source, tensor = masked(k)
        tensor = k.TimeDistributed(k.BatchNormalization())(tensor)
        return k.model(source, k.SimpleRNN(2)(tensor))

    return Case("over steps", "TimeDistributed", "mask", build, steps("over steps"))


def steps_of_steps(k):
    def build():
        source = k.input(2, 3, 3)
        tensor = k.TimeDistributed(k.Masking())(source)
        return k.model(source, k.TimeDistributed(k.SimpleRNN(2))(tensor))

    x = steps("steps of steps").reshape(4, 2, 3, 3)
    return Case("steps of steps", "TimeDistributed", "mask", build, x, predicts=True)


def repeated(k):
    def build():
        source, tensor = masked(k)
        tensor = k.RepeatVector(3)(k.LSTM(2)(tensor))
        return k.model(source, k.GRU(2)(tensor))

    return Case("repeated", "RepeatVector", "mask", build, steps("repeated"))


def concatenated(k):
    def build():
        first, other = k.input(6, 3), k.input(6, 3)
        tensor = k.Concatenate(axis=1)([k.Masking()(first), k.Masking(0.25)(other)])
        return k.model([first, other], [tensor, k.SimpleRNN(2)(tensor)])

    x = steps("concatenated"), second("concatenated")
    return Case("concatenated steps", "Concatenate", "mask", build, *x)


def dotted(k):
    def build():
        first, other = k.input(6, 3), k.input(6, 3)
        tensor = k.Dot(2)([k.Masking()(first), k.Masking(0.25)(other)])
        return k.model([first, other], [tensor, k.SimpleRNN(2)(tensor)])

    return Case("dotted", "Dot", "mask", build, steps("dotted"), second("dotted"))


def bidirectional_state(k):
    def build():
        source, tensor = masked(k)
        outputs = k.Bidirectional(k.LSTM(2, return_sequences=True, return_state=True))(tensor)
        return k.model(source, list(outputs))

    return Case(
        "bidirectional states", "Bidirectional", "mask", build, steps("bidirectional states")
    )


def chained(k):
    def build():
        source, tensor = masked(k)
        tensor = k.LSTM(2, return_sequences=True)(tensor)
        return k.model(source, k.GRU(2)(tensor))

    return Case("chained", "LSTM", "mask", build, steps("chained"))


def reader_of_bidirectional(k):
    def build():
        source, tensor = masked(k)
        tensor = k.Bidirectional(k.GRU(2, return_sequences=True))(tensor)
        return k.model(source, [tensor, k.SimpleRNN(2)(tensor)])

    return Case("behind bidirectional", "Bidirectional", "mask", build, steps("behind"))


def masked_twice(k):
    def build():
        source, tensor = masked(k)
        tensor = k.Masking(0.25)(tensor)
        return k.model(source, [tensor, k.SimpleRNN(2)(tensor)])

    return Case("masked twice", "Masking", "mask", build, second("masked twice"))


TOKENS = [[1, 2, 3, 4, 0, 0], [0, 1, 0, 2, 3, 1], [4, 3, 2, 1, 2, 3]]
