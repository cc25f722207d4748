"""What the models of all versions have in common. Runs on Python 3.6 and later, with any Keras."""

import os
import zlib

import numpy as np


class Case:
    """One small model: what it shows, a function that makes it, and the inputs to run it on.

    ``predicts``: whether it must be run by ``predict``, as TensorFlow 2.1 drops a mask otherwise.
    """

    def __init__(self, name, layer, aspect, build, *inputs, **options):
        self.name, self.layer, self.aspect = name, layer, aspect
        self.build, self.inputs = build, [np.asarray(array) for array in inputs]
        self.predicts = options.get("predicts", False)


class Keras:
    """The parts of one version's Keras that the builders need."""

    def __init__(self, keras, backend):
        self.keras, self.backend = keras, backend
        self.layers = keras.layers
        if keras.__version__.startswith("1."):
            import keras.engine
        self.Model, self.Sequential = keras.models.Model, keras.models.Sequential

    @property
    def eager(self):
        """Whether a model can be called with arrays: Keras 3, and tf.keras of TensorFlow 2."""
        return self.keras.__version__.startswith("3.") or "tensorflow" in self.layers.__name__

    @staticmethod
    def array(tensor):
        """A tensor of any backend as numpy's."""
        tensor = tensor.detach() if hasattr(tensor, "detach") else tensor
        return np.asarray(tensor)

    def __getattr__(self, name):
        """A layer's class, wherever this version has it."""
        for owner in (self.layers, preprocessing(self.keras)):
            if hasattr(owner, name):
                return getattr(owner, name)
        raise AttributeError(name + " is no layer of this Keras")

    def input(self, *shape, **options):
        make = self.layers.Input if hasattr(self.layers, "Input") else self.keras.engine.Input
        return make(shape=shape, **options)

    def model(self, inputs, outputs):
        if self.keras.__version__.startswith("1."):
            return self.Model(input=inputs, output=outputs)
        return self.Model(inputs, outputs)


def preprocessing(keras):
    """Where TensorFlow 2.1 to 2.5 have what became layers like others."""
    for owner in (
        getattr(keras.layers, "experimental", None),
        getattr(keras, "experimental", None),
    ):
        if hasattr(owner, "preprocessing"):
            return owner.preprocessing
    return None


def generator(name):
    """Random numbers that are the same for one name in every version of numpy."""
    return np.random.RandomState(zlib.crc32(name.encode()))


def numbers(name, *shape):
    """Standard normal numbers of one shape."""
    return generator(name).normal(size=shape).astype("float32")


def steps(name, samples=4, length=6, width=3):
    """Sequences of which some steps are zeros: at the end, here and there, none, all."""
    x = numbers(name, samples, length, width)
    x[0, -2:] = 0
    x[1, [0, 2]] = 0
    if samples > 3:
        x[3] = 0
    return x


def random_weights(model, name, backend):
    """Weights that keep values near 1; scales and variances positive.

    Each array by itself: versions differ in the order of ``get_weights`` and ``weights``.
    """
    draw, pairs = generator(name + " weights"), []
    for weight in model.weights:
        path = str(getattr(weight, "path", "") or weight.name)
        shape = weight.get_value().shape if hasattr(weight, "get_value") else weight.shape
        shape = tuple(int(size) for size in shape)
        if "count" in path or "seed" in path:
            continue
        if any(word in path for word in ("variance", "running_std", "gamma", "moving_std")):
            values = draw.uniform(0.5, 1.5, shape)
        else:
            fan = np.prod(shape[:-1]) if len(shape) > 1 else 4.0
            values = draw.normal(size=shape) / np.sqrt(max(fan, 1))
        pairs.append((weight, values.astype("float32")))
    if hasattr(backend, "batch_set_value"):
        backend.batch_set_value(pairs)
    else:
        for weight, values in pairs:
            weight.assign(values)


def finish(model):
    """Let layers compute what they make of their arrays: Normalization has its mean so."""
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def flat(values):
    """A list of one array or of several."""
    return [
        np.asarray(value) for value in (values if isinstance(values, (list, tuple)) else [values])
    ]


def quiet():
    """Hide devices and chatter before Keras is imported."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0")
