"""Models in the words of Keras 1: merges with modes, border modes, orders of axes."""

import numpy as np

from tests.conversion.eras.builders.borders import chain, named
from tests.conversion.eras.builders.parts import Case, numbers, steps

SIZES = ((8, 3), (5, 8, 2), (4, 5, 6, 2))
CONVOLUTIONS = {
    1: ("Convolution1D", (2,), ({"filter_length": 2}, {"filter_length": 3}, {"filter_length": 4})),
    2: ("Convolution2D", (2,), ({"nb_row": 2, "nb_col": 3}, {"nb_row": 3, "nb_col": 4})),
    3: ("Convolution3D", (2,), ({"kernel_dim1": 2, "kernel_dim2": 3, "kernel_dim3": 2},)),
}
FUNCTIONS = "elu hard_sigmoid linear relu sigmoid softmax softplus softsign tanh".split()
TIES = np.linspace(-4, 4, 33, dtype="float32").reshape(3, 11)
MODES = ("sum", "mul", "ave", "max", "concat", "dot", "cos")


def shape(rank, ordering="tf"):
    sizes = SIZES[rank - 1]
    return (sizes[-1],) + sizes[:-1] if ordering == "th" else sizes


def one(k, layer, size, aspect, *arguments, **options):
    sizes = " ".join(map(str, arguments[1:3]))
    name = " ".join([layer, named(options), sizes]).strip()

    def make():
        return getattr(k, layer)(*arguments, **options)

    return Case(name, layer, aspect, chain(k, size, make), numbers(name, 2, *size))


def orders(rank):
    """Options that say the order of axes; none for sequences."""
    return ({},) if rank == 1 else ({"dim_ordering": "tf"}, {"dim_ordering": "th"})


def cases(k):
    yield from convolutions(k)
    yield from pools(k)
    yield from unsaid(k)
    yield from merges(k)
    yield from recurrent(k)
    yield from arithmetic(k)
    yield from nested(k)


def convolutions(k):
    for rank, (layer, arguments, sizes) in CONVOLUTIONS.items():
        for order in orders(rank):
            for size in sizes:
                for mode in ("valid", "same", "full"):
                    for stride in (1, 2):
                        key = "subsample_length" if rank == 1 else "subsample"
                        value = stride if rank == 1 else (stride,) * rank
                        options = dict(size, **{"border_mode": mode, key: value})
                        options.update(order)
                        target = shape(rank, order.get("dim_ordering", "tf"))
                        yield one(k, layer, target, "border", *arguments, **options)
    for mode in ("valid", "same"):
        for size in (2, 3):
            yield one(
                k,
                "AtrousConvolution1D",
                (8, 3),
                "border",
                2,
                filter_length=size,
                atrous_rate=2,
                border_mode=mode,
            )
            for order in orders(2):
                target = shape(2, order["dim_ordering"])
                options = dict(order, border_mode=mode)
                yield one(
                    k,
                    "AtrousConvolution2D",
                    target,
                    "border",
                    2,
                    size,
                    size,
                    atrous_rate=(2, 2),
                    **options,
                )
                yield one(k, "SeparableConvolution2D", target, "border", 2, size, size, **options)
    for order in orders(2):
        first = order["dim_ordering"] == "th"
        for mode, wanted in (("valid", (6, 9)), ("same", (5, 8))):
            output = (None, 3) + wanted if first else (None,) + wanted + (3,)
            yield one(
                k,
                "Deconvolution2D",
                shape(2, order["dim_ordering"]),
                "border",
                3,
                2,
                2,
                output,
                border_mode=mode,
                **order,
            )
        yield one(
            k,
            "Deconvolution2D",
            shape(2, order["dim_ordering"]),
            "border",
            3,
            3,
            3,
            (None, 3, 11, 17) if first else (None, 11, 17, 3),
            border_mode="valid",
            subsample=(2, 2),
            **order,
        )
        yield one(
            k, "LocallyConnected2D", shape(2, order["dim_ordering"]), "border", 2, 2, 3, **order
        )
    yield one(k, "LocallyConnected1D", (8, 3), "border", 2, 3)
    yield one(k, "LocallyConnected1D", (8, 3), "border", 2, 2, subsample_length=2)
    for mode in ("valid", "same"):
        for size in (3, 2):
            for order in orders(2):
                target = (3,) + shape(2, order["dim_ordering"])
                yield one(
                    k, "ConvLSTM2D", target, "border", 2, size, size, border_mode=mode, **order
                )


def pools(k):
    for kind in ("Max", "Average"):
        for size, stride in ((2, 2), (2, 1), (3, 2), (4, 2), (3, 1), (5, 2)):
            for mode in ("valid", "same"):
                yield one(
                    k,
                    kind + "Pooling1D",
                    (8, 3),
                    "border",
                    pool_length=size,
                    stride=stride,
                    border_mode=mode,
                )
                for order in orders(2):
                    yield one(
                        k,
                        kind + "Pooling2D",
                        shape(2, order["dim_ordering"]),
                        "border",
                        pool_size=(size, min(size, 3)),
                        strides=(stride, stride),
                        border_mode=mode,
                        **order,
                    )
        for mode in ("valid", "same"):
            for order in orders(3):
                yield one(
                    k,
                    kind + "Pooling3D",
                    shape(3, order["dim_ordering"]),
                    "border",
                    pool_size=(2, 3, 2),
                    strides=(1, 2, 2),
                    border_mode=mode,
                    **order,
                )
    for kind in ("Max", "Average"):
        yield one(k, "Global%sPooling1D" % kind, (8, 3), "border")
        for rank in (2, 3):
            for order in orders(rank):
                target = shape(rank, order["dim_ordering"])
                yield one(k, "Global%sPooling%dD" % (kind, rank), target, "axes", **order)


UNSAID = {
    "UpSampling2D": (2, {"size": (2, 3)}),
    "UpSampling3D": (3, {"size": (2, 1, 2)}),
    "ZeroPadding2D": (2, {"padding": (1, 2)}),
    "ZeroPadding3D": (3, {"padding": (1, 2, 1)}),
    "Cropping2D": (2, {"cropping": ((1, 0), (1, 1))}),
    "Cropping3D": (3, {"cropping": ((1, 0), (1, 1), (0, 1))}),
}
PADDINGS = (
    (1, 2, 0, 1),
    {"top_pad": 1},
    {"left_pad": 2, "bottom_pad": 1},
    {"bottom_pad": 1, "right_pad": 2, "left_pad": 0, "top_pad": 3},
)


def unsaid(k):
    """Layers whose file does not say their order of axes, beside layers that do, and alone."""
    for layer, (rank, options) in UNSAID.items():
        for order in orders(rank):
            ordering = order["dim_ordering"]
            target = shape(rank, ordering)
            convolution = "Convolution%dD" % rank

            def own(layer=layer, options=options, order=order):
                return getattr(k, layer)(**dict(options, **order))

            def conv(kind=convolution, rank=rank, order=order):
                return getattr(k, kind)(2, *([2] * rank), **order)

            def pool(rank=rank, order=order):
                return getattr(k, "MaxPooling%dD" % rank)(**dict(order, strides=(1,) * rank))

            def norm(ordering=ordering):
                return k.BatchNormalization(axis=1 if ordering == "th" else -1)

            makers = {
                "alone": [own],
                "before": [own, conv],
                "behind": [conv, own],
                "pooled": [own, lambda: k.Activation("tanh"), pool],
                "normalised": [norm, own],
                "flattened": [own, k.Flatten, lambda: k.Dense(2)],
            }
            for name, makes in makers.items():
                title = "%s %s %s" % (layer, ordering, name)
                yield Case(
                    title, layer, "axes", chain(k, target, *makes), numbers(title, 2, *target)
                )
    for padding in PADDINGS if not k.keras.__version__.startswith("1.0") else ():
        for order in orders(2):
            target = shape(2, order["dim_ordering"])
            title = "ZeroPadding2D %s %s" % (order["dim_ordering"], named({"padding": padding}))

            def padded(padding=padding, order=order):
                return k.ZeroPadding2D(padding=padding, **order)

            def conv(order=order):
                return k.Convolution2D(2, 2, 2, **order)

            yield Case(
                title,
                "ZeroPadding2D",
                "border",
                chain(k, target, padded, conv),
                numbers(title, 2, *target),
            )
    for padding in ((1, 2), {"left_pad": 2}, {"right_pad": 1}, {"right_pad": 1, "left_pad": 2}, 2):
        yield one(k, "ZeroPadding1D", (8, 3), "border", padding=padding)
    yield one(k, "Cropping1D", (8, 3), "border", cropping=(1, 2))
    yield one(k, "UpSampling1D", (8, 3), "border", length=2)


def joined(k, mode, left, right, masks, **options):
    """Two inputs joined by a mode of Merge, each with a mask or not, and what reads the mask."""
    sources = [k.input(*left), k.input(*right)]
    pair = [
        k.Masking(value)(source) if which else source
        for source, which, value in zip(sources, masks, (0.0, 0.25))
    ]
    tensor = k.layers.merge(pair, mode=mode, **options)
    outputs = [tensor, k.SimpleRNN(2)(tensor)] if any(masks) else tensor
    return k.model(sources, outputs)


def merges(k):
    x = steps("merges"), steps("merges second")[:, ::-1]
    for mode in MODES[:5]:
        for masks in ((False, False), (True, True), (True, False), (False, True)):
            if all(masks) or not any(masks) or mode == "concat":
                title = "merge %s %s" % (mode, "".join("nm"[mask] for mask in masks))
                yield Case(
                    title,
                    "Merge",
                    "mask",
                    lambda m=mode, w=masks: joined(k, m, (6, 3), (6, 3), w),
                    *x,
                )
    yield Case(
        "merge concat steps",
        "Merge",
        "mask",
        lambda: joined(k, "concat", (6, 3), (6, 3), (True, True), concat_axis=1),
        *x,
    )
    for mode in ("dot", "cos"):
        for left, right, axes in (
            ((5,), (5,), -1),
            ((5,), (5,), 1),
            ((4, 5), (4, 5), 2),
            ((4, 5), (4, 5), 1),
            ((4, 5), (5, 3), (2, 1)),
            ((4, 5), (4, 5), -1),
        ):
            title = "merge %s %s %s" % (mode, len(left), axes)
            yield Case(
                title,
                "Merge",
                "arithmetic",
                lambda m=mode, a=left, b=right, d=axes: joined(
                    k, m, a, b, (False, False), dot_axes=d
                ),
                numbers(title, 3, *left),
                numbers(title + "2", 3, *right),
            )

    def branches():
        halves = []
        for _ in range(2):
            half = k.Sequential()
            half.add(k.Masking(input_shape=(6, 3)))
            half.add(k.Dense(3) if hasattr(k.Dense, "supports_masking") else k.Activation("tanh"))
            halves.append(half)
        model = k.Sequential()
        model.add(k.Merge(halves, mode="sum"))
        model.add(k.SimpleRNN(2))
        return model

    yield Case("merge branches", "Merge", "mask", branches, *x)


def recurrent(k):
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        for options in (
            {},
            {"return_sequences": True},
            {"go_backwards": True},
            {"consume_less": "gpu"},
            {"consume_less": "mem", "return_sequences": True},
            {"unroll": True},
            {"inner_activation": "sigmoid"},
            {"activation": "relu", "return_sequences": True},
        ):
            if kind == "SimpleRNN" and "inner_activation" in options:
                continue

            def masked(kind=kind, options=options):
                source = k.input(6, 3)
                return k.model(source, getattr(k, kind)(2, **options)(k.Masking()(source)))

            title = ("%s %s" % (kind, named(options))).strip()
            yield Case("masked " + title, kind, "mask", masked, steps(title))
            yield one(k, kind, (6, 3), "default", 2, **options)
        for mode in ("concat", "sum", "mul", "ave", None):
            for sequences in (False, True):

                def both(kind=kind, mode=mode, sequences=sequences, has_mask=True):
                    source = k.input(6, 3)
                    tensor = k.Masking()(source) if has_mask else source
                    inner = getattr(k, kind)(2, return_sequences=sequences)
                    outputs = k.Bidirectional(inner, merge_mode=mode)(tensor)
                    return k.model(source, outputs)

                title = "bidirectional %s %s %s" % (kind, mode, sequences)
                yield Case("masked " + title, "Bidirectional", "mask", both, steps(title))
                if mode in ("concat", "mul"):
                    yield Case(
                        title,
                        "Bidirectional",
                        "order of arrays",
                        lambda b=both: b(has_mask=False),
                        numbers(title, 2, 6, 3),
                    )

    for layer, make in (
        ("Dense", lambda: k.TimeDistributed(k.Dense(3))),
        ("Dropout", lambda: k.Dropout(0.5)),
        ("Activation", lambda: k.Activation("tanh")),
        ("BatchNormalization", lambda: k.BatchNormalization()),
        ("LeakyReLU", lambda: k.LeakyReLU()),
        ("PReLU", lambda: k.PReLU()),
        ("ELU", lambda: k.ELU()),
        ("ThresholdedReLU", lambda: k.ThresholdedReLU(0.1)),
        ("GaussianNoise", lambda: k.GaussianNoise(0.1)),
        ("TimeDistributedDense", lambda: k.TimeDistributedDense(3)),
        ("Masking", lambda: k.Masking(0.5)),
        ("SpatialDropout1D", lambda: k.SpatialDropout1D(0.1)),
        ("ActivityRegularization", lambda: k.ActivityRegularization()),
        ("SReLU", lambda: k.SReLU()),
        ("ParametricSoftplus", lambda: k.ParametricSoftplus()),
        ("GRU", lambda: k.GRU(2, return_sequences=True)),
        ("Bidirectional", lambda: k.Bidirectional(k.GRU(2, return_sequences=True))),
    ):

        def through(make=make):
            source = k.input(6, 3)
            tensor = make()(k.Masking()(source))
            return k.model(source, [tensor, k.SimpleRNN(2)(tensor)])

        yield Case("through " + layer, layer, "mask", through, steps(layer))

    def embedding():
        source = k.input(6, dtype="int32")
        return k.model(source, k.LSTM(2)(k.Embedding(5, 3, mask_zero=True)(source)))

    tokens = np.array([[1, 2, 3, 4, 0, 0], [0, 1, 0, 2, 3, 1]], "int32")
    yield Case("embedding", "Embedding", "mask", embedding, tokens)


def arithmetic(k):
    for name in FUNCTIONS:
        yield Case(
            "function " + name,
            "Activation",
            "tie",
            chain(k, (11,), lambda n=name: k.Activation(n)),
            TIES,
        )
    for layer, options in (
        ("LeakyReLU", {}),
        ("LeakyReLU", {"alpha": 0.1}),
        ("ELU", {}),
        ("ELU", {"alpha": 0.5}),
        ("ThresholdedReLU", {}),
        ("ThresholdedReLU", {"theta": 0.5}),
        ("PReLU", {}),
        ("SReLU", {}),
        ("ParametricSoftplus", {}),
    ):
        title = "%s %s" % (layer, named(options))

        def make(layer=layer, options=options):
            return getattr(k, layer)(**options)

        yield Case(title.strip(), layer, "tie", chain(k, (11,), make), TIES)
    for options in (
        {},
        {"axis": 1},
        {"axis": 2},
        {"epsilon": 0.1},
        {"mode": 1},
        {"mode": 2},
    ):
        yield one(k, "BatchNormalization", (5, 8, 2), "default", **options)
        yield one(k, "BatchNormalization", (5,), "default", **dict(options, axis=-1))
    yield one(k, "Highway", (5,), "default")
    yield one(k, "Highway", (5,), "default", activation="tanh")
    yield one(k, "MaxoutDense", (5,), "default", 3)
    yield one(k, "MaxoutDense", (5,), "default", 3, nb_feature=2)
    yield one(k, "Dense", (5,), "default", 3)
    yield one(k, "Dense", (5,), "default", 3, bias=False)
    yield one(k, "PReLU", (5, 8, 2), "axes", shared_axes=[1, 2])
    yield one(k, "Permute", (5, 8, 2), "axes", (3, 1, 2))
    yield one(k, "Reshape", (5, 8, 2), "axes", (8, -1))
    yield one(k, "RepeatVector", (5,), "axes", 3)
    yield one(k, "Flatten", (2, 5, 8), "axes")


def nested(k):
    def sequential(models):
        def build():
            inner = k.Sequential()
            inner.add(k.Dense(4, input_dim=5, activation="tanh"))
            inner.add(k.BatchNormalization())
            outer = k.Sequential()
            if models == "within":
                outer.add(inner)
                outer.add(k.Dense(2))
                return outer
            if models == "last":
                outer.add(k.Dense(5, input_dim=5))
                outer.add(inner)
                return outer
            if models == "twice":
                again = k.Sequential()
                again.add(inner)
                outer.add(again)
                outer.add(k.Dense(2))
                return outer
            if models == "frozen":
                inner.layers[0].trainable = False
                outer.add(inner)
                outer.add(k.Dense(2))
                return outer
            source = k.input(5)
            tensor = inner(source)
            return k.model(source, k.Dense(2)(tensor))

        return build

    for models in ("within", "last", "twice", "frozen", "functional"):
        title = "sequential " + models
        yield Case(title, "Sequential", "order of arrays", sequential(models), numbers(title, 3, 5))

    def functional():
        inner_source = k.input(5)
        inner = k.model(inner_source, k.BatchNormalization()(k.Dense(4)(inner_source)))
        source = k.input(5)
        return k.model(source, k.Dense(2)(inner(source)))

    yield Case(
        "functional within", "Model", "order of arrays", functional, numbers("functional", 3, 5)
    )

    def shared():
        source, layer = k.input(5), k.Dense(5)
        return k.model(source, k.Dense(2)(layer(layer(source))))

    yield Case("shared", "Dense", "order of arrays", shared, numbers("shared", 3, 5))

    def steps_of_model():
        inner = k.Sequential()
        inner.add(k.Dense(4, input_dim=3))
        inner.add(k.BatchNormalization())
        source = k.input(5, 3)
        return k.model(source, k.TimeDistributed(inner)(source))

    yield Case(
        "steps of model",
        "TimeDistributed",
        "order of arrays",
        steps_of_model,
        numbers("steps of", 3, 5, 3),
    )
