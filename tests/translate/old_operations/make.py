"""Models of TensorFlow's functions as tf.keras saves them, and what they give.

Run with TensorFlow 2.15 (Python 3.11), in this folder: ``python make.py``. Each model is a file
``<name>.h5`` of TFOpLambda and SlicingOpLambda layers, ``nodes.h5`` of TensorFlowOpLayer, which
TensorFlow 2.2 and 2.3 saved in their place; ``truth.npz`` holds for each input
``<name>/x<i>``, reference ``<name>/r<i>`` and the outputs at both, ``y`` and ``yr``.
"""

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import numpy as np
import tensorflow as tf
from keras.src.engine.base_layer import TensorFlowOpLayer

K = tf.keras
HERE = Path(__file__).parent
NUMBERS = np.random.default_rng(0)
ROW = NUMBERS.normal(size=4).astype("float32")
KERNEL = NUMBERS.normal(size=(4, 3)).astype("float32")
TABLE = NUMBERS.normal(size=(5, 3)).astype("float32")


def arithmetic(x, y):
    yield from (x + 2.0, 1 - x, x * y, x / (y + 3.0), x**2, -x, abs(x), x + ROW, ROW * x)
    yield from (tf.add(x, y), tf.subtract(3.0, x), tf.divide(2.0, x + 3.0), tf.pow(x, 3.0))
    yield from (
        tf.maximum(x, 0.0),
        tf.minimum(x, y),
        tf.exp(x),
        tf.math.log(x + 3.0),
        tf.sqrt(x + 3),
    )
    yield from (tf.math.rsqrt(x + 3), tf.square(x), tf.math.erf(x), tf.sign(x), tf.round(x))
    yield from (
        tf.math.floormod(x, 0.3),
        x // 0.3,
        tf.math.squared_difference(x, y),
        tf.add_n([x, y]),
    )
    yield from (
        tf.clip_by_value(x, -0.5, 0.5),
        tf.nn.bias_add(x, ROW),
        tf.atan(x),
        tf.stop_gradient(x),
    )
    yield from (
        tf.math.divide_no_nan(x, y),
        tf.scalar_mul(3.0, x),
        tf.zeros_like(x),
        tf.identity(y),
    )


def activations(x, y):
    yield from (tf.nn.relu(x), tf.nn.leaky_relu(x, alpha=0.1), tf.nn.elu(x), tf.nn.selu(x))
    yield from (tf.nn.gelu(x), tf.nn.gelu(x, approximate=True), tf.nn.silu(x), tf.sigmoid(x))
    yield from (
        tf.tanh(y),
        tf.nn.softplus(x),
        tf.nn.softsign(x),
        tf.nn.relu6(9 * x),
        tf.nn.crelu(x),
    )
    yield from (tf.nn.softmax(x), tf.nn.softmax(x, axis=1), tf.nn.log_softmax(y))
    yield K.activations.relu(x, threshold=0.1)
    yield K.backend.relu(x, alpha=0.1, max_value=0.5)
    yield K.activations.elu(x, alpha=0.3)
    yield K.activations.hard_sigmoid(x)


def shapes(x, y):
    yield from (tf.concat([x, y], axis=1), tf.stack([x, y], axis=1), tf.unstack(x, axis=1)[2])
    yield from (tf.split(x, 2, axis=1)[1], tf.split(y, [1, 2, 3], 1)[2], tf.reshape(x, [-1, 24]))
    yield tf.reshape(x, [tf.shape(x)[0], 4, 6])
    yield tf.reshape(x, tf.concat([tf.shape(x)[:1], [8, 3]], axis=0))
    yield x / tf.sqrt(tf.cast(tf.shape(x)[-1], tf.float32))
    yield from (tf.transpose(x, [0, 2, 1]), tf.expand_dims(x, -1), tf.squeeze(x[:, :1], axis=1))
    yield from (
        x[:, 1:-1, ::2],
        x[..., 0],
        x[:, tf.newaxis],
        x[:, -1, :],
        tf.gather(x, [0, 2], axis=1),
    )
    yield from (tf.pad(x, [[0, 0], [1, 2], [0, 0]]), tf.pad(x, [[0, 0], [1, 0], [0, 1]], "REFLECT"))
    yield from (tf.tile(x, [1, 2, 1]), tf.repeat(x, 2, axis=1), tf.reverse(x, axis=[1]))
    yield from (
        tf.roll(x, 1, axis=1),
        tf.slice(x, [0, 1, 0], [-1, 2, -1]),
        tf.linalg.band_part(x, 1, 0),
    )
    yield tf.strided_slice(x, [0, 1, 0], [0, 4, 4], [1, 2, 1], begin_mask=1, end_mask=1)
    yield tf.broadcast_to(x[:, :1], [tf.shape(x)[0], 6, 4])
    yield K.backend.repeat_elements(x, 2, 1)
    yield K.backend.batch_flatten(x)


def reductions(x, y):
    yield from (
        tf.reduce_mean(x, axis=1),
        tf.reduce_sum(x, -1, keepdims=True),
        tf.reduce_max(x, [1, 2]),
    )
    yield from (tf.reduce_min(x, 1), tf.reduce_prod(x + 1, 2), tf.math.reduce_std(x, 1))
    yield from (tf.math.reduce_variance(x, -1), tf.reduce_logsumexp(x, 1), tf.norm(x, axis=-1))
    yield from (tf.norm(x, ord=1, axis=1), tf.nn.l2_normalize(x, axis=-1), tf.cumsum(x, axis=1))
    yield from tf.nn.moments(x, axes=[1])
    yield from (tf.matmul(x, y, transpose_b=True), x @ KERNEL, tf.tensordot(x, KERNEL, axes=1))
    yield from (tf.tensordot(x, KERNEL, axes=[[2], [0]]), K.backend.batch_dot(x, y, axes=2))
    yield from (tf.nn.max_pool1d(x, 2, 2, "VALID"), tf.nn.avg_pool1d(x, 2, 2, "VALID"))
    yield tf.nn.conv1d(x, NUMBERS.normal(size=(3, 4, 2)).astype("float32"), 1, "SAME")


def choices(x, y):
    positive = tf.logical_and(x > 0, tf.logical_not(y > 0.5))
    yield from (tf.where(positive, x, 0.0), tf.where(x >= y, x, tf.zeros_like(x)))
    yield from (
        tf.cast(tf.reduce_any(x > 1.0, axis=1), tf.float32),
        tf.cast(positive, tf.float32) * y,
    )
    yield tf.cast(tf.cast(3 * x, "int32"), tf.float32)


def tokens(x):
    yield from (
        tf.cast(x, tf.float32),
        tf.one_hot(x, 5),
        tf.gather(TABLE, x),
        tf.one_hot(x, 5, axis=1),
    )
    yield tf.nn.embedding_lookup(TABLE, x)
    yield tf.cast(tf.reduce_any(tf.not_equal(x, 2), axis=1), tf.float32)
    yield tf.where(x > 2, 1.0, tf.cast(x, tf.float32))
    yield tf.cast(tf.sequence_mask(tf.reduce_sum(x, 1), 20), tf.float32)


def nodes(x, y):
    """Saved as TensorFlow 2.2 and 2.3 did, each operation of the graph by its definition."""
    yield from (x + 2.0, 1 - x, x * ROW, x / (y + 3.0), x**3, tf.maximum(x, y), -tf.abs(x))
    yield from (tf.nn.relu(x), tf.nn.leaky_relu(y, 0.1), tf.nn.softmax(x), tf.sigmoid(y), tf.exp(x))
    yield from (tf.reduce_mean(x, 1), tf.reduce_sum(y, [1, 2], keepdims=True), tf.reduce_max(x, -1))
    yield from (tf.concat([x, y], axis=1), tf.stack([x, y], axis=1), tf.unstack(x, axis=1)[2])
    yield from (tf.split(x, 2, axis=1)[1], tf.split(y, [1, 2, 3], 1)[2], tf.transpose(x, [0, 2, 1]))
    yield from (tf.reshape(x, [-1, 24]), tf.reshape(x, [tf.shape(x)[0], 4, 6]))
    yield from (tf.expand_dims(x, 1), tf.squeeze(x[:, :1], axis=1), x[..., 1:, ::2], x[:, -1, None])
    yield from (
        tf.gather(x, [0, 2], axis=1),
        tf.tile(x, [1, 2, 1]),
        tf.pad(x, [[0, 0], [1, 2], [0, 0]]),
    )
    yield from (tf.matmul(x, y, transpose_b=True), tf.cumsum(x, 1))
    yield from (tf.where(x > 0.0, x, tf.zeros_like(y)), tf.cast(x > y, tf.float32) * y)
    yield from (tf.einsum("nij,nkj->nik", x, y), tf.nn.bias_add(x, ROW), tf.add_n([x, y]))
    yield tf.nn.avg_pool2d(x[:, :, :, None], 2, 2, "VALID")


def as_layers(make, inputs):
    """What ``make`` computes in a graph, node by node as layers."""
    graph = tf.Graph()
    with graph.as_default():
        inputs_of_graph = [
            tf.compat.v1.placeholder(x.dtype, [None, *x.shape[1:]], name=f"input_{number}")
            for number, x in enumerate(inputs)
        ]
        wanted = list(make(*inputs_of_graph))
    values_by_name = {
        placeholder.name: x for placeholder, x in zip(inputs_of_graph, inputs, strict=True)
    }
    for operation in graph.get_operations():
        sources = [source.name for source in operation.inputs]
        if not any(name in values_by_name for name in sources):
            continue
        constants = {
            index: tf.get_static_value(source)
            for index, source in enumerate(operation.inputs)
            if source.name not in values_by_name
        }
        layer = TensorFlowOpLayer(
            operation.node_def.SerializeToString(), operation.name.replace("/", "_"), constants
        )
        tensors = [values_by_name[name] for name in sources if name in values_by_name]
        outputs = layer(tensors if len(tensors) > 1 else tensors[0])
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        names = (output.name for output in operation.outputs)
        values_by_name |= dict(zip(names, outputs, strict=True))
    return [values_by_name[tensor.name] for tensor in wanted]


def flat(values):
    """All values behind each other, in one row."""
    rows = [K.layers.Flatten()(value) for value in values]
    return K.layers.Concatenate()(rows)


def save(model, path):
    """A file as tf.keras writes it, without the empty groups of layers that have no weights."""
    model.save(path, include_optimizer=False)
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        file.create_group("model_weights").attrs["layer_names"] = []


def main():
    truth = {}
    for make in (arithmetic, activations, shapes, reductions, choices, tokens, nodes):
        K.backend.clear_session()
        is_tokens = make is tokens
        count = 1 if is_tokens else 2
        shape, dtype = ((6,), "int32") if is_tokens else ((6, 4), "float32")
        inputs = [K.Input(shape, dtype=dtype, name=f"x{number}") for number in range(count)]
        values = as_layers(make, inputs) if make is nodes else make(*inputs)
        model = K.Model(inputs, flat(values))
        save(model, HERE / f"{make.__name__}.h5")
        for letter, output in (("x", "y"), ("r", "yr")):
            data = [
                NUMBERS.integers(0, 5, (3, *shape)).astype(dtype)
                if is_tokens
                else NUMBERS.uniform(-1, 1, (3, *shape)).astype(dtype)
                for _ in inputs
            ]
            for number, values in enumerate(data):
                truth[f"{make.__name__}/{letter}{number}"] = values
            truth[f"{make.__name__}/{output}"] = model(data if count > 1 else data[0]).numpy()
    np.savez_compressed(HERE / "truth.npz", **truth)


if __name__ == "__main__":
    main()
