"""Borders and axes: windows at the ends of an input, channels first and last (Keras 2 and 3)."""

from tests.conversion.eras.builders.parts import Case, numbers

SIZES = ((7, 3), (5, 8, 2), (4, 5, 6, 2))
WINDOWS = (
    {"kernel_size": 2, "padding": "same"},
    {"kernel_size": 3, "padding": "same", "strides": 2},
    {"kernel_size": 4, "padding": "same", "strides": 2},
    {"kernel_size": 2, "padding": "valid", "dilation_rate": 2},
    {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
    {"kernel_size": 3, "padding": "causal"},
    {"kernel_size": 2, "padding": "causal", "dilation_rate": 2},
    {"kernel_size": 2},
)
POOLS = (
    {},
    {"pool_size": 2, "strides": 1, "padding": "same"},
    {"pool_size": 4, "strides": 2, "padding": "same"},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 3, "strides": 1, "padding": "valid"},
)
OTHERS = {
    "ZeroPadding1D": (1, {"padding": (1, 2)}),
    "ZeroPadding2D": (2, {"padding": ((1, 0), (2, 1))}),
    "ZeroPadding3D": (3, {"padding": ((1, 0), (2, 1), (0, 1))}),
    "Cropping1D": (1, {"cropping": (1, 2)}),
    "Cropping2D": (2, {"cropping": ((1, 0), (2, 1))}),
    "Cropping3D": (3, {"cropping": ((1, 0), (2, 1), (0, 1))}),
    "UpSampling1D": (1, {"size": 2}),
    "UpSampling2D": (2, {"size": (2, 3)}),
    "UpSampling3D": (3, {"size": (2, 1, 2)}),
    "GlobalMaxPooling1D": (1, {}),
    "GlobalMaxPooling2D": (2, {}),
    "GlobalAveragePooling1D": (1, {}),
    "GlobalAveragePooling2D": (2, {}),
    "GlobalAveragePooling3D": (3, {}),
    "Flatten": (2, {}),
}


def shape(rank, first=False):
    sizes = SIZES[rank - 1]
    return (sizes[-1],) + sizes[:-1] if first else sizes


def named(options):
    return " ".join(
        "{}{}".format("".join(part[0] for part in key.split("_")), value).replace(" ", "")
        for key, value in sorted(options.items())
    )


def chain(k, size, *makes):
    """Layers one after the other."""

    def build():
        source = tensor = k.input(*size)
        for make in makes:
            tensor = make()(tensor)
        return k.model(source, tensor)

    return build


def one(k, layer, rank, aspect, *arguments, **options):
    """A model of one layer of a class."""
    first = options.get("data_format") == "channels_first"
    size = shape(rank, first)
    name = (layer + " " + named(options)).strip()

    def make():
        return getattr(k, layer)(*arguments, **options)

    return Case(name, layer, aspect, chain(k, size, make), numbers(name, 2, *size))


def cases(k):
    for rank in (1, 2, 3):
        for options in WINDOWS:
            if rank < 3 or options["kernel_size"] != 4:
                yield one(k, "Conv%dD" % rank, rank, "border", 2, **options)
        for kind in ("Max", "Average"):
            for options in POOLS:
                yield one(k, "%sPooling%dD" % (kind, rank), rank, "border", **options)
        for options in ({"strides": 2}, {"strides": 2, "padding": "same"}, {"padding": "same"}):
            for size in (2, 3):
                wanted = dict(options, kernel_size=size)
                yield one(k, "Conv%dDTranspose" % rank, rank, "border", 2, **wanted)
        wanted = {"kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 0}
        yield one(k, "Conv%dDTranspose" % rank, rank, "border", 2, **wanted)
    for rank in (1, 2):
        for options in WINDOWS[:5]:
            yield one(k, "SeparableConv%dD" % rank, rank, "border", 2, **options)
            yield one(k, "DepthwiseConv%dD" % rank, rank, "border", **options)
        yield one(k, "LocallyConnected%dD" % rank, rank, "border", 2, 3)
        yield one(k, "LocallyConnected%dD" % rank, rank, "border", 2, 2, strides=2)
        yield one(k, "SeparableConv%dD" % rank, rank, "border", 2, 2, depth_multiplier=2)
        yield one(k, "DepthwiseConv%dD" % rank, rank, "border", 2, depth_multiplier=2)
    for layer, (rank, options) in OTHERS.items():
        yield one(k, layer, rank, "border", **options)
    for method in (
        "nearest",
        "bilinear",
        "bicubic",
        "area",
        "lanczos3",
        "gaussian",
        "mitchellcubic",
    ):
        yield one(k, "UpSampling2D", 2, "arithmetic", size=(2, 3), interpolation=method)
        for size in ((3, 5), (9, 11)):
            yield one(
                k, "Resizing", 2, "arithmetic", *size, interpolation=method, name="r%d" % size[0]
            )
    yield one(k, "Resizing", 2, "arithmetic", 4, 9, crop_to_aspect_ratio=True)
    yield one(k, "CenterCrop", 2, "arithmetic", 3, 4)
    yield one(k, "CenterCrop", 2, "arithmetic", 9, 9, name="larger")
    yield from axes(k)
    yield from conv_lstm(k)


def axes(k):
    first = {"data_format": "channels_first"}
    for rank in (1, 2, 3):
        yield one(k, "Conv%dD" % rank, rank, "axes", 2, kernel_size=2, padding="same", **first)
        yield one(k, "Conv%dD" % rank, rank, "axes", 2, kernel_size=3, strides=2, **first)
        for kind in ("Max", "Average"):
            for options in POOLS[:3]:
                wanted = dict(first, **options)
                yield one(k, "%sPooling%dD" % (kind, rank), rank, "axes", **wanted)
        yield one(k, "Conv%dDTranspose" % rank, rank, "axes", 2, kernel_size=3, strides=2, **first)
    for rank in (1, 2):
        yield one(k, "SeparableConv%dD" % rank, rank, "axes", 2, kernel_size=2, **first)
        yield one(k, "DepthwiseConv%dD" % rank, rank, "axes", 2, **first)
        yield one(k, "LocallyConnected%dD" % rank, rank, "axes", 2, 2, **first)
    for layer, (rank, options) in OTHERS.items():
        yield one(k, layer, rank, "axes", **dict(first, **options))
    yield one(k, "UpSampling2D", 2, "axes", size=(2, 3), interpolation="bilinear", **first)
    yield one(k, "Resizing", 2, "axes", 4, 9, **first)
    for axis in (1, 2, 3, -1):
        yield one(k, "BatchNormalization", 2, "axes", axis=axis)
        yield one(k, "LayerNormalization", 2, "axes", axis=axis)
        yield one(k, "Softmax", 2, "axes", axis=axis)
        yield one(k, "GroupNormalization", 2, "axes", groups=1, axis=axis)
    yield one(k, "LayerNormalization", 2, "axes", axis=(1, 2))
    yield one(k, "LayerNormalization", 2, "axes", axis=[2, 3])
    yield one(k, "UnitNormalization", 2, "axes", axis=2)
    yield one(k, "Normalization", 2, "axes", axis=1)
    yield one(k, "PReLU", 2, "axes", shared_axes=[1, 2])
    yield one(k, "PReLU", 2, "axes", shared_axes=(3,))
    yield one(k, "Permute", 2, "axes", (3, 1, 2))
    yield one(k, "Reshape", 2, "axes", (8, -1))
    for axis in (1, 2, -1):
        yield paired(k, "Concatenate", "axes", (5, 5), (5, 5), axis=axis)
    yield paired(k, "Dot", "axes", (4, 5), (4, 5), axes=1)
    yield paired(k, "Dot", "axes", (4, 5), (4, 5), axes=2, normalize=True)
    yield paired(k, "Dot", "axes", (4, 5), (5, 4), axes=(1, 2))
    yield paired(k, "Dot", "axes", (4, 5), (5, 3), axes=(2, 1), normalize=True)
    yield paired(k, "Dot", "axes", (5,), (5,), axes=-1, normalize=True)


def paired(k, layer, aspect, left, right, **options):
    """A model of one layer of two inputs."""
    name = "%s %s" % (layer, named(options))

    def build():
        sources = [k.input(*left), k.input(*right)]
        return k.model(sources, getattr(k, layer)(**options)(sources))

    return Case(name, layer, aspect, build, numbers(name, 3, *left), numbers(name + "2", 3, *right))


def conv_lstm(k):
    for rank, size in ((1, (3, 6, 2)), (2, (3, 5, 6, 2)), (3, (3, 4, 4, 5, 2))):
        for options in (
            {},
            {"padding": "same", "strides": 2},
            {"padding": "same", "return_sequences": True},
            {"dilation_rate": 2, "return_sequences": True},
            {"padding": "same", "data_format": "channels_first"},
            {"go_backwards": True, "return_state": True},
            {"recurrent_activation": "sigmoid"},
        ):
            layer = "ConvLSTM%dD" % rank
            name = (layer + " " + named(options)).strip()
            wanted = size
            if "data_format" in options:
                wanted = (size[0], size[-1]) + size[1:-1]

            def build(layer=layer, options=options, wanted=wanted):
                source = k.input(*wanted)
                outputs = getattr(k, layer)(2, 2, **options)(source)
                return k.model(
                    source, list(outputs) if isinstance(outputs, (list, tuple)) else outputs
                )

            yield Case(name, layer, "border", build, numbers(name, 2, *wanted))
