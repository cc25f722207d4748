"""Methods as users of Keras write them: a compiled function with a GradientTape, or predictions.

The functions take whole batches; what a method needs around them is a few lines of numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.contenders import Prepared, Setting
from benchmarks.method_rows import MethodRow, labels
from benchmarks.work import Array

BATCH_SIZES = (32, 128, 512)


class Tape:
    """A Keras model up to its logits, and compiled functions of it on arrays (n, *S)."""

    def __init__(self, setting: Setting, row: MethodRow) -> None:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
        import keras

        model = keras.models.load_model(setting.model, compile=False)
        last = model.layers[-1]
        logits = last.input if isinstance(last, keras.layers.Activation) else last.output
        self.row, self.inputs = row, row.data(setting.data)
        self.shared = setting.data.shared
        explained = keras.Model(model.inputs, logits)
        layer = model.layers[0] if row.layer is None else model.get_layer(row.layer)
        both = keras.Model(model.inputs, [layer.output, logits])
        spec = tf.TensorSpec((None, *self.inputs.shape[1:]), tf.float32)

        def target(x: Any) -> Any:
            return explained(x, training=False)[:, 0]

        def gradient(x: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = target(x)
            return tape.gradient(y, x)

        def layer_gradient(x: Any) -> Any:
            with tf.GradientTape() as tape:
                activations, outputs = both(x, training=False)
                y = outputs[:, 0]
            return activations, tape.gradient(y, activations)

        self.target = tf.function(target, input_signature=[spec])
        self.gradient = tf.function(gradient, input_signature=[spec])
        self.layer_gradient = tf.function(layer_gradient, input_signature=[spec])

    def gradients(self, points: Array, batch_size: int) -> Array:
        """Of points (n, *S), so many at a time."""
        return np.concatenate([self.gradient(part).numpy() for part in split(points, batch_size)])

    def predictions(self, points: Array, batch_size: int) -> Array:
        """The target (n,) of points (n, *S)."""
        return np.concatenate([self.target(part).numpy() for part in split(points, batch_size)])


def split(array: Array, size: int) -> Iterator[Array]:
    """Parts of so many rows."""
    return (array[start : start + size] for start in range(0, len(array), size))


def saliency(tape: Tape, batch_size: int) -> Array:
    """The size of the gradient."""
    return np.abs(tape.gradients(tape.inputs, batch_size))


def gradient_times_input(tape: Tape, batch_size: int) -> Array:
    """The gradient times the input."""
    return tape.gradients(tape.inputs, batch_size) * tape.inputs


def integrated_gradients(tape: Tape, batch_size: int) -> Array:
    """Gradients at Gauss-Legendre nodes between zero and each input, several inputs at a time."""
    nodes, weights = np.polynomial.legendre.leggauss(tape.row.options["steps"])
    at = ((nodes + 1) / 2).astype(np.float32)
    shares = (weights / 2).astype(np.float32)
    scores = []
    for part in split(tape.inputs, max(1, batch_size // len(at))):
        points = np.multiply.outer(at, part).reshape(-1, *part.shape[1:])
        gradients = tape.gradients(points, batch_size).reshape(len(at), *part.shape)
        scores.append(np.tensordot(shares, gradients, 1) * part)
    return np.concatenate(scores)


def smoothgrad(tape: Tape, batch_size: int) -> Array:
    """The mean gradient at noisy copies."""
    random, options = np.random.default_rng(0), tape.row.options
    scores = []
    for x in tape.inputs:
        shape = (options["samples"], *x.shape)
        noise = random.standard_normal(shape, np.float32) * (options["noise"] * np.ptp(x))
        scores.append(tape.gradients(x + noise, batch_size).mean(0))
    return np.stack(scores)


def expected_gradients(tape: Tape, batch_size: int) -> Array:
    """The mean gradient times difference at points between drawn references and the input."""
    random, count = np.random.default_rng(0), tape.row.options["samples"]
    scores = []
    for x in tape.inputs:
        difference = x - tape.shared[random.integers(0, len(tape.shared), count)]
        at = random.random((count, *[1] * x.ndim), np.float32)
        gradients = tape.gradients(x - at * difference, batch_size)
        scores.append((gradients * difference).mean(0))
    return np.stack(scores)


def grad_cam(tape: Tape, batch_size: int) -> Array:
    """The layer's channels, weighted by their mean gradients."""
    maps = []
    for part in split(tape.inputs, batch_size):
        activations, gradients = (each.numpy() for each in tape.layer_gradient(part))
        positions = tuple(range(1, gradients.ndim - 1))
        weights = gradients.mean(positions, keepdims=True)
        maps.append((weights * activations).sum(-1))
    return np.concatenate(maps)


def _losses(tape: Tape, masks: Array, batch_size: int) -> Array:
    """What the target loses (N, M) where elements are zero that masks (M, *S) leave out."""
    level = tape.predictions(tape.inputs, batch_size)
    without = [tape.predictions(masks * x, batch_size) for x in tape.inputs]
    return np.asarray(level[:, np.newaxis] - np.stack(without))


def feature_ablation(tape: Tape, batch_size: int) -> Array:
    """Each group's loss, at all of its elements."""
    groups = labels(tape.row, tape.inputs.shape[1:])
    numbers = np.arange(groups.max() + 1).reshape(-1, *[1] * groups.ndim)
    return _losses(tape, (groups != numbers).astype(np.float32), batch_size)[:, groups]


def occlusion(tape: Tape, batch_size: int) -> Array:
    """The mean loss of the windows above each element."""
    shape = tape.inputs.shape[1:]
    window, stride = tape.row.options["window"], tape.row.options["stride"]
    starts = [
        range(0, size - width + 1, step)
        for size, width, step in zip(shape, window, stride, strict=True)
    ]
    corners = np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, len(shape))
    covers = np.zeros((len(corners), *shape), np.float32)
    for cover, corner in zip(covers, corners, strict=True):
        cover[tuple(slice(a, a + width) for a, width in zip(corner, window, strict=True))] = 1
    return np.tensordot(_losses(tape, 1 - covers, batch_size), covers, 1) / covers.sum(0)


def saturation_mutagenesis(tape: Tape, batch_size: int) -> Array:
    """The change of every mutant, about the mean over the letters."""
    level = tape.predictions(tape.inputs, batch_size)
    scores = np.zeros(tape.inputs.shape, np.float32)
    for x, before, changes in zip(tape.inputs, level, scores, strict=True):
        positions, letters = np.nonzero(x == 0)
        mutants = np.repeat(x[np.newaxis], len(positions), 0)
        numbers = np.arange(len(positions))
        mutants[numbers, positions] = 0
        mutants[numbers, positions, letters] = 1
        changes[positions, letters] = tape.predictions(mutants, batch_size) - before
    return scores - scores.mean(-1, keepdims=True)


METHODS: Mapping[str, Callable[[Tape, int], Array]] = {
    "saliency": saliency,
    "gradient_times_input": gradient_times_input,
    "integrated_gradients": integrated_gradients,
    "smoothgrad": smoothgrad,
    "expected_gradients": expected_gradients,
    "grad_cam": grad_cam,
    "feature_ablation": feature_ablation,
    "occlusion": occlusion,
    "saturation_mutagenesis": saturation_mutagenesis,
}


def tape(setting: Setting, row: MethodRow) -> Prepared:
    """One of `METHODS`; scores as this library has them."""
    method, opened = METHODS[row.method], Tape(setting, row)
    return Prepared(lambda batch_size: method(opened, batch_size), np.asarray, BATCH_SIZES)
