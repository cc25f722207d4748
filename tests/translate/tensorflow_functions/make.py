"""Saves a model of each function of TensorFlow that is called on Keras tensors.

Run from the repository's root by Python 3.11 with ``tensorflow-cpu==2.15.1 numpy<2``::

    python -m tests.translate.tensorflow_functions.make

writes ``saved/models.tar.xz`` and ``saved/truths.npz`` beside this file: for expression NNN, as the
array ``expressions`` has them, ``NNN.functions.h5``, of TFOpLambda and SlicingOpLambda, and
``NNN.nodes.h5``, of TensorFlowOpLayer, as TensorFlow 2.2 and 2.3 wrote it. A form that TensorFlow
itself cannot save is left out; .keras files hold the same configuration.
"""

import os
import pathlib
import re
import sys
import tempfile

import numpy as np

SAVED = pathlib.Path(__file__).parent / "saved"
NUMBERS = np.random.default_rng(0)
SAMPLES = 2
SHAPES = {"x": (6, 4), "y": (6, 4), "image": (6, 6, 3), "volume": (4, 4, 4, 2), "tokens": (6,)}
"""Inputs by name; those that an expression names are its model's. Numbers are of -0.9 to 0.9."""
CONSTANTS = {
    "ROW": NUMBERS.normal(size=4).astype("float32"),
    "SPREAD": NUMBERS.uniform(0.5, 2, size=4).astype("float32"),
    "KERNEL": NUMBERS.normal(size=(4, 3)).astype("float32"),
    "LINE": NUMBERS.normal(size=(3, 4, 2)).astype("float32"),
    "PLANE": NUMBERS.normal(size=(3, 3, 3, 2)).astype("float32"),
    "SOLID": NUMBERS.normal(size=(2, 2, 2, 2, 3)).astype("float32"),
    "POINTS": NUMBERS.normal(size=(1, 1, 6, 4)).astype("float32"),
    "SQUARE": NUMBERS.normal(size=(3, 3, 3)).astype("float32"),
    "TABLE": NUMBERS.normal(size=(5, 3)).astype("float32"),
}

ANY_SIGN = """
    abs asinh atan ceil conj cos cosh erf erfc exp expm1 floor is_finite is_inf is_nan log_sigmoid
    negative reciprocal_no_nan rint round sigmoid sign sin sinh softplus softsign square tan tanh
    acos asin atanh erfinv real bessel_i0 bessel_i0e bessel_i1 imag angle
"""
POSITIVE = "log log1p reciprocal rsqrt sqrt digamma lgamma acosh"
TWO = """
    add subtract multiply divide truediv floordiv floormod mod maximum minimum squared_difference
    multiply_no_nan divide_no_nan atan2 less less_equal greater greater_equal equal not_equal xdivy
"""
POSITIVE_TWO = "pow xlogy xlog1py igamma zeta polygamma"
LOGICAL = "logical_and logical_or logical_xor"
REDUCED = "max mean min prod std sum variance logsumexp euclidean_norm"
ACTIVATIONS = """
    relu relu6 leaky_relu elu selu gelu silu swish crelu softmax log_softmax softplus softsign
    sigmoid tanh
"""
OPERATORS = """
    x + y
    x - y
    x * y
    x / (y + 3.0)
    x // 0.3
    x % 0.3
    x ** 2
    2.0 ** x
    x @ KERNEL
    -x
    abs(x);
    1 - x; 2 / (x + 3.0); ~(x > y); (x > y) & (x > 0); (x > y) | (x > 0); (x > y) ^ (x > 0);
    x[:, 1:-1, ::2]; x[..., 0]; x[:, tf.newaxis, -1]; x[:, ::-1]
"""
OTHERS = """
    tf.add_n([x, y]); tf.math.accumulate_n([x, y]); tf.scalar_mul(3.0, x); tf.cast(x, "int32")
    tf.clip_by_value(x, -0.5, 0.5); tf.clip_by_norm(x, 1.0, axes=[1, 2]); tf.identity(x)
    tf.identity_n([x, y])
    tf.stop_gradient(x)
    tf.debugging.check_numerics(x, "met")
    tf.zeros_like(x)
    tf.ones_like(x); tf.ensure_shape(x, [None, 6, 4]); tf.saturate_cast(x, "float32")
    tf.grad_pass_through(tf.abs)(x); tf.where(x > y, x, y); tf.logical_not(x > y)
    tf.math.approximate_equal(x, y, 0.3); tf.nn.gelu(x, approximate=True)

    tf.reduce_any(x > 0, axis=1)
    tf.reduce_all(x > 0, axis=1)
    tf.math.count_nonzero(x > 0, axis=1)
    tf.norm(x, axis=-1); tf.norm(x, ord=1, axis=1); tf.linalg.norm(x, ord=np.inf, axis=1)
    tf.linalg.normalize(x, axis=-1)[0]; tf.nn.l2_normalize(x, axis=-1); tf.nn.moments(x, axes=[1])
    tf.nn.weighted_moments(x, [1], y + 2.0); tf.cumsum(x, axis=1); tf.math.cumprod(x, axis=1)
    tf.cumsum(x, axis=1, exclusive=True, reverse=True)
    tf.math.cumulative_logsumexp(x, axis=1); tf.argmax(x, axis=1); tf.argmin(x, axis=1)
    tf.math.top_k(x, 2)[0]
    tf.sort(x, axis=1)
    tf.argsort(x, axis=1)
    tf.math.l2_normalize(x, axis=1)

    tf.concat([x, y], axis=1)
    tf.stack([x, y], axis=1)
    tf.unstack(x, axis=1)
    tf.split(x, 2, axis=1)
    tf.split(x, [1, 2, 3], 1); tf.reshape(x, [-1, 24]); tf.reshape(x, [tf.shape(x)[0], 4, 6])
    tf.transpose(x, [0, 2, 1]); tf.expand_dims(x, -1); tf.squeeze(x[:, :1], axis=1)
    tf.broadcast_to(x[:, :1], [tf.shape(x)[0], 6, 4])
    tf.tile(x, [1, 2, 1])
    tf.repeat(x, 2, axis=1)
    tf.reverse(x, axis=[1]); tf.roll(x, 1, axis=1); tf.pad(x, [[0, 0], [1, 2], [0, 0]])
    tf.pad(x, [[0, 0], [1, 0], [0, 1]], "REFLECT")
    tf.pad(x, [[0, 0], [1, 1], [0, 0]], "SYMMETRIC")
    tf.slice(x, [0, 1, 0], [-1, 2, -1])
    tf.strided_slice(x, [0, 1, 0], [0, 4, 4], [1, 2, 1], begin_mask=1, end_mask=1)
    tf.gather(x, [0, 2], axis=1)
    tf.gather(x, [[0, 2], [1, 1]], axis=1)
    tf.gather_nd(x[0], [[0, 1]])
    tf.boolean_mask(x, [True, False, True, True, False, True], axis=1); tf.meshgrid(x, y)[0]
    tf.reverse_sequence(x, tf.ones_like(x[:, 0, 0], "int32"), seq_axis=1, batch_axis=0)
    tf.dynamic_partition(x, [0], 1)
    tf.tensor_scatter_nd_update(x, [[0]], y[:1])
    tf.unique(x[0, 0])[0]
    tf.searchsorted(x, y); tf.fill(tf.shape(x), 2.0) * x; tf.size(x[0]); tf.range(6.0) * x[..., 0]

    tf.matmul(x, y, transpose_b=True); tf.matmul(x, KERNEL); tf.tensordot(x, KERNEL, axes=1)
    tf.einsum("nij,nkj->nik", x, y); tf.linalg.matvec(x, ROW); tf.linalg.matvec(x, y[:, 0])
    tf.linalg.matrix_transpose(x); tf.linalg.adjoint(x); tf.linalg.diag(x); tf.linalg.diag_part(x)
    tf.linalg.band_part(x, 1, 0); tf.linalg.set_diag(x, y[:, :4, 0]); tf.linalg.trace(x)
    tf.linalg.cross(x[..., :3], y[..., :3]); tf.linalg.inv(x[:, :4]); tf.linalg.det(x[:, :4])
    tf.linalg.expm(x[:, :4])
    tf.linalg.svd(x, compute_uv=False)
    tf.linalg.tensor_diag_part(x[0, :4])

    tf.nn.bias_add(x, ROW); tf.nn.batch_normalization(x, ROW, SPREAD, ROW, SPREAD, 1e-3)
    tf.nn.batch_normalization(x, ROW, SPREAD, None, None, 1e-3); tf.nn.dropout(x, 0.0)
    tf.nn.conv1d(x, LINE, 1, "SAME"); tf.nn.conv2d(image, PLANE, 1, "VALID")
    tf.nn.conv2d(image, PLANE, 1, [[0, 0], [1, 1], [2, 0], [0, 0]])
    tf.nn.conv3d(volume, SOLID, [1, 1, 1, 1, 1], "SAME")
    tf.nn.convolution(image, PLANE, padding="SAME"); tf.nn.atrous_conv2d(image, PLANE, 2, "SAME")
    tf.nn.depthwise_conv2d(image, PLANE, [1, 1, 1, 1], "SAME")
    tf.nn.separable_conv2d(image, PLANE, POINTS, [1, 1, 1, 1], "SAME")
    tf.nn.conv1d_transpose(x[..., :2], LINE, [SAMPLES, 12, 4], 2)
    tf.nn.dilation2d(image, SQUARE, [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1])
    tf.nn.max_pool(image, 2, 2, "VALID")
    tf.nn.max_pool1d(x, 2, 2, "VALID")
    tf.nn.max_pool2d(image, 3, 1, "SAME")
    tf.nn.max_pool3d(volume, 2, 2, "VALID")
    tf.nn.avg_pool(image, 2, 2, "VALID")
    tf.nn.avg_pool1d(x, 2, 2, "VALID")
    tf.nn.avg_pool2d(image, 3, 1, "SAME"); tf.nn.avg_pool3d(volume, 2, 2, "VALID")
    tf.nn.pool(image, [2, 2], "MAX", strides=[2, 2]); tf.nn.local_response_normalization(image)
    tf.nn.depth_to_space(tf.concat([image, image[..., :1]], -1), 2)
    tf.nn.space_to_depth(image, 2)
    tf.nn.sigmoid_cross_entropy_with_logits(x, y)
    tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(x), y)
    tf.nn.embedding_lookup(TABLE, tokens)
    tf.one_hot(tokens, 5)
    tf.gather(TABLE, tokens)
    tf.sequence_mask(tokens, 5)
    tf.math.bincount(tokens, axis=-1, minlength=5, maxlength=5); tf.nn.l2_loss(x)

    tf.image.resize(image, [4, 5])
    tf.image.resize(image, [9, 9], "nearest")
    tf.image.resize(image, [4, 4], "bicubic", antialias=True)
    tf.image.flip_left_right(image)
    tf.image.flip_up_down(image)
    tf.image.rot90(image)
    tf.image.transpose(image)
    tf.image.rgb_to_grayscale(image)
    tf.image.grayscale_to_rgb(image[..., :1])
    tf.image.adjust_brightness(image, 0.1)
    tf.image.adjust_contrast(image, 2.0); tf.image.adjust_gamma(image + 1.0, 2.0)
    tf.image.per_image_standardization(image); tf.image.central_crop(image, 0.5)
    tf.image.crop_to_bounding_box(image, 1, 1, 3, 4)
    tf.image.pad_to_bounding_box(image, 1, 1, 9, 9)
    tf.image.resize_with_crop_or_pad(image, 4, 8); tf.image.resize_with_pad(image, 8, 5)
    tf.image.extract_patches(image, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
    tf.image.total_variation(image); tf.image.sobel_edges(image); tf.image.image_gradients(image)
    tf.image.convert_image_dtype(image, "float32")
    tf.image.rgb_to_yuv(image)
    tf.image.rgb_to_hsv(image)
    tf.image.adjust_saturation(image, 0.5); tf.image.adjust_hue(image, 0.1)

    tf.abs(tf.signal.rfft(x))
    tf.signal.frame(x, 4, 2, axis=1)
    tf.abs(tf.signal.stft(x, 4, 2))
    tf.signal.dct(x)

    keras.backend.mean(x, axis=1)
    keras.backend.sum(x, axis=-1, keepdims=True)
    keras.backend.max(x, axis=1)
    keras.backend.var(x, axis=1); keras.backend.std(x, axis=1); keras.backend.prod(x, axis=1)
    keras.backend.dot(x, tf.constant(KERNEL))
    keras.backend.batch_dot(x, y, axes=2)
    keras.backend.square(x)
    keras.backend.sqrt(x + 3.0)
    keras.backend.exp(x)
    keras.backend.log(x + 3.0)
    keras.backend.abs(x)
    keras.backend.softmax(x)
    keras.backend.sigmoid(x)
    keras.backend.hard_sigmoid(x)
    keras.backend.tanh(x)
    keras.backend.relu(x, alpha=0.1, max_value=0.5)
    keras.backend.elu(x, 0.3)
    keras.backend.softplus(x)
    keras.backend.softsign(x)
    keras.backend.l2_normalize(x, axis=-1)
    keras.backend.clip(x, -0.5, 0.5)
    keras.backend.concatenate([x, y])
    keras.backend.stack([x, y], axis=1)
    keras.backend.reshape(x, (-1, 24))
    keras.backend.permute_dimensions(x, (0, 2, 1))
    keras.backend.expand_dims(x)
    keras.backend.squeeze(x[:, :1], 1)
    keras.backend.repeat_elements(x, 2, 1)
    keras.backend.repeat(x[:, 0], 3)
    keras.backend.tile(x, [1, 2, 1])
    keras.backend.batch_flatten(x); keras.backend.reverse(x, 1); keras.backend.cumsum(x, 1)
    keras.backend.temporal_padding(x)
    keras.backend.spatial_2d_padding(image)
    keras.backend.bias_add(x, tf.constant(ROW))
    keras.backend.conv1d(x, tf.constant(LINE))
    keras.backend.conv2d(image, tf.constant(PLANE))
    keras.backend.pool2d(image, (2, 2))
    keras.backend.resize_images(image, 2, 2, "channels_last"); keras.backend.one_hot(tokens, 5)
    keras.backend.maximum(x, y)
    keras.backend.minimum(x, y)
    keras.backend.pow(x, 2)
    keras.backend.sign(x)
    keras.backend.logsumexp(x, axis=1)
    keras.backend.cast(x > y, "float32")
    keras.backend.switch(x > y, x, y)
    keras.activations.relu(x, threshold=0.1)
    keras.activations.elu(x, 0.3)
    keras.activations.gelu(x)
    keras.activations.mish(x); keras.activations.hard_sigmoid(x); keras.activations.softmax(x)
"""


def expressions():
    """All expressions, in the order of the page."""
    functions = [f"tf.math.{name}(x)" for name in ANY_SIGN.split()]
    functions += [f"tf.math.{name}(x + 3.0)" for name in POSITIVE.split()]
    functions += [f"tf.math.{name}(x, y)" for name in TWO.split()]
    functions += [f"tf.math.{name}(x + 2.0, y + 3.0)" for name in POSITIVE_TWO.split()]
    functions += [f"tf.math.{name}(x > 0, y > 0)" for name in LOGICAL.split()]
    for axes in ("axis=1", "axis=[1, 2], keepdims=True"):
        functions += [f"tf.math.reduce_{name}(x, {axes})" for name in REDUCED.split()]
    functions += [f"tf.nn.{name}(x)" for name in ACTIVATIONS.split()]
    others = (text.strip() for text in re.split(r";|\n", OPERATORS + OTHERS))
    return functions + [text for text in others if text]


def drawn(name):
    """Samples of an input."""
    shape = (SAMPLES, *SHAPES[name])
    if name == "tokens":
        return NUMBERS.integers(0, 5, shape).astype("int32")
    return NUMBERS.uniform(-0.9, 0.9, shape).astype("float32")


def computed(tf, expression, inputs):
    """What an expression gives for inputs by name: tensors, those of whole numbers cast."""
    space = {"tf": tf, "keras": tf.keras, "np": np, "SAMPLES": SAMPLES, **CONSTANTS, **inputs}
    value = eval(expression, space)
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return [value if value.dtype.is_floating else tf.cast(value, "float32") for value in values]


def calling(tf, expression, names):
    """An expression as a function of its inputs, in the order of their names."""
    return lambda *tensors: computed(tf, expression, dict(zip(names, tensors, strict=True)))


def main():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    from tests.translate.addons.make import pack
    from tests.translate.old_operations.make import as_layers, flat, save

    data = {name: drawn(name) for name in SHAPES}
    truths = {**data, "expressions": np.array(expressions())}
    with tempfile.TemporaryDirectory() as folder:
        for number, expression in enumerate(expressions()):
            names = [name for name in SHAPES if re.search(rf"\b{name}\b", expression)]
            for form in ("functions", "nodes"):
                tf.keras.backend.clear_session()
                inputs = [
                    tf.keras.Input(SHAPES[name], dtype=data[name].dtype, name=name)
                    for name in names
                ]

                make = calling(tf, expression, names)
                path = pathlib.Path(folder, f"{number:03}.{form}.h5")
                try:
                    outputs = make(*inputs) if form == "functions" else as_layers(make, inputs)
                    model = tf.keras.Model(inputs, flat(outputs))
                    truth = model([data[name] for name in names]).numpy()
                    save(model, path)
                except Exception as error:
                    reason = str(error).strip().split("\n")[0][:150]
                    sys.stderr.write(f"{number} {form} {expression} is left out: {reason}\n")
                    path.unlink(missing_ok=True)
                else:
                    truths.setdefault(f"{number:03}", truth)
        pack(folder, SAVED / "models.tar.xz")
    np.savez_compressed(SAVED / "truths.npz", **truths)


if __name__ == "__main__":
    main()
