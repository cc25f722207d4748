"""Layers with kernels, pooling, normalisation and activations."""

from __future__ import annotations

import tensorflow as tf

from tests.conversion.legacy.builders.common import Builder, L, together


def convolutions() -> tf.keras.Model:
    line = tf.keras.Input((8, 3), name="line")
    image = tf.keras.Input((5, 6, 4), name="image")
    volume = tf.keras.Input((4, 4, 3, 2), name="volume")
    causal = L.Conv1D(2, 3, padding="causal", dilation_rate=2, activation="relu", name="causal")
    return together(
        [line, image, volume],
        [
            causal(line),
            L.Conv1D(2, 3, strides=2, use_bias=False, name="strided")(line),
            L.Conv2D(4, (2, 3), groups=2, name="groups")(image),
            L.Conv2D(2, 3, padding="same", dilation_rate=(1, 2), name="dilated")(image),
            L.Conv3D(2, 2, strides=(1, 2, 1), padding="same", name="volume_same")(volume),
        ],
    )


def transposed() -> tf.keras.Model:
    line = tf.keras.Input((4, 3), name="line")
    image = tf.keras.Input((3, 4, 2), name="image")
    volume = tf.keras.Input((2, 3, 2, 2), name="volume")
    padded = L.Conv2DTranspose(
        2, 3, strides=(2, 3), output_padding=(1, 2), padding="same", name="output_padding"
    )
    return together(
        [line, image, volume],
        [
            L.Conv1DTranspose(2, 3, strides=2, padding="same", name="line_same")(line),
            L.Conv1DTranspose(2, 2, output_padding=1, strides=3, name="line_valid")(line),
            L.Conv2DTranspose(2, (2, 3), strides=2, activation="relu", name="image_valid")(image),
            padded(image),
            L.Conv2DTranspose(1, 2, dilation_rate=2, use_bias=False, name="dilated")(image),
            L.Conv3DTranspose(1, 2, strides=2, padding="same", name="volume_same")(volume),
            L.Conv3DTranspose(1, 2, strides=(1, 2, 1), name="volume_valid")(volume),
        ],
    )


def depthwise() -> tf.keras.Model:
    line = tf.keras.Input((6, 2), name="line")
    image = tf.keras.Input((5, 4, 2), name="image")
    separable = L.SeparableConv2D(
        3, (3, 2), depth_multiplier=2, padding="same", activation="elu", name="separable"
    )
    return together(
        [line, image],
        [
            L.DepthwiseConv1D(3, depth_multiplier=2, padding="same", name="line_depthwise")(line),
            L.DepthwiseConv1D(2, strides=2, use_bias=False, name="line_strided")(line),
            L.SeparableConv1D(3, 3, dilation_rate=2, name="line_separable")(line),
            L.SeparableConv1D(2, 2, padding="causal", name="line_causal")(line),
            L.DepthwiseConv2D((2, 3), depth_multiplier=2, name="image_depthwise")(image),
            L.DepthwiseConv2D(3, strides=2, padding="same", activation="relu", name="same")(image),
            separable(image),
            L.SeparableConv2D(2, 2, strides=2, use_bias=False, name="separable_strided")(image),
        ],
    )


def locally_connected() -> tf.keras.Model:
    line = tf.keras.Input((6, 2), name="line")
    image = tf.keras.Input((4, 5, 2), name="image")
    branches = [
        L.LocallyConnected1D(2, 3, implementation=1, activation="tanh", name="line_1")(line),
        L.LocallyConnected1D(2, 3, strides=2, use_bias=False, name="line_strided")(line),
        L.LocallyConnected2D(2, (2, 3), strides=(2, 1), name="image_1")(image),
        L.LocallyConnected2D(1, 2, strides=2, use_bias=False, name="image_no_bias")(image),
    ]
    for implementation in (2, 3):
        options = {"implementation": implementation, "padding": "same"}
        branches += [
            L.LocallyConnected1D(2, 3, **options, name=f"line_{implementation}")(line),
            L.LocallyConnected2D(1, 2, **options, name=f"image_{implementation}")(image),
        ]
    return together([line, image], branches)


def pooling() -> tf.keras.Model:
    line = tf.keras.Input((7, 2), name="line")
    image = tf.keras.Input((5, 6, 2), name="image")
    volume = tf.keras.Input((3, 4, 3, 2), name="volume")
    return together(
        [line, image, volume],
        [
            L.MaxPooling1D(3, strides=2, padding="same", name="line_max")(line),
            L.AveragePooling1D(3, strides=2, padding="same", name="line_mean")(line),
            L.GlobalMaxPooling1D(keepdims=True, name="line_all_max")(line),
            L.GlobalAveragePooling1D(name="line_all_mean")(line),
            L.MaxPooling2D((2, 3), name="image_max")(image),
            L.AveragePooling2D(2, padding="same", name="image_mean")(image),
            L.GlobalMaxPooling2D(name="image_all_max")(image),
            L.GlobalAveragePooling2D(keepdims=True, name="image_all_mean")(image),
            L.MaxPooling3D(2, padding="same", name="volume_max")(volume),
            L.AveragePooling3D((1, 2, 3), name="volume_mean")(volume),
            L.GlobalMaxPooling3D(name="volume_all_max")(volume),
            L.GlobalAveragePooling3D(name="volume_all_mean")(volume),
        ],
    )


def reshaping() -> tf.keras.Model:
    line = tf.keras.Input((6, 2), name="line")
    image = tf.keras.Input((4, 3, 2), name="image")
    volume = tf.keras.Input((2, 3, 2, 1), name="volume")
    flat = L.Dense(3, name="flat")(L.Flatten()(line))
    return together(
        [line, image, volume],
        [
            L.ZeroPadding1D((2, 1), name="line_padded")(line),
            L.Cropping1D((1, 2), name="line_cropped")(line),
            L.UpSampling1D(2, name="line_up")(line),
            L.Reshape((3, -1), name="reshaped")(line),
            L.Permute((3, 1, 2), name="permuted")(image),
            L.RepeatVector(2, name="repeated")(flat),
            L.ZeroPadding2D(((1, 0), (0, 2)), name="image_padded")(image),
            L.Cropping2D((1, 0), name="image_cropped")(image),
            L.UpSampling2D((2, 1), name="image_up")(image),
            L.UpSampling2D(2, interpolation="bilinear", name="image_bilinear")(image),
            L.ZeroPadding3D((0, 1, 0), name="volume_padded")(volume),
            L.Cropping3D(((0, 1), (1, 0), (0, 0)), name="volume_cropped")(volume),
            L.UpSampling3D((1, 2, 1), name="volume_up")(volume),
        ],
    )


def normalisation() -> tf.keras.Model:
    line = tf.keras.Input((4, 6), name="line")
    image = tf.keras.Input((3, 4, 4), name="image")
    adapted = L.Normalization(mean=[0.1, -0.2, 0.3, 0.0], variance=[1.0, 2.0, 0.5, 1.5])
    learned = L.Normalization(name="learned")
    learned.adapt(tf.random.stateless_normal((20, 4, 6), [1, 2], mean=0.5, stddev=2.0))
    spectral = L.SpectralNormalization(L.Conv2D(2, 2), name="spectral")
    return together(
        [line, image],
        [
            L.BatchNormalization(name="batch")(line),
            L.BatchNormalization(scale=False, epsilon=1e-4, name="batch_no_scale")(image),
            L.BatchNormalization(axis=1, center=False, name="batch_axis_1")(image),
            L.LayerNormalization(name="layer")(line),
            L.LayerNormalization(axis=[1, 2], scale=False, name="layer_two_axes")(line),
            L.LayerNormalization(epsilon=1e-5, center=False, name="layer_no_center")(image),
            L.GroupNormalization(2, name="group")(line),
            L.UnitNormalization(name="unit")(line),
            adapted(image),
            learned(line),
            L.Rescaling(0.5, offset=-1.0, name="rescaling")(image),
            spectral(image),
        ],
    )


def activations() -> tf.keras.Model:
    x = tf.keras.Input((6,), name="x")
    image = tf.keras.Input((2, 3, 2), name="image")
    names = ("elu", "exponential", "gelu", "hard_sigmoid", "mish", "relu", "selu", "sigmoid")
    names += ("softmax", "softplus", "softsign", "swish", "tanh", "linear")
    return together(
        [x, image],
        [
            *[L.Activation(name, name=f"is_{name}")(x) for name in names],
            L.Dense(3, activation=tf.nn.relu6, name="relu6")(x),
            L.Dense(3, activation=tf.keras.activations.hard_sigmoid, name="dense_hard")(x),
            L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2, name="relu_options")(x),
            L.LeakyReLU(alpha=0.2, name="leaky")(x),
            L.ELU(alpha=0.7, name="elu_alpha")(x),
            L.ThresholdedReLU(theta=0.6, name="thresholded")(x),
            L.PReLU(name="prelu")(x),
            L.PReLU(shared_axes=[1, 2], name="prelu_shared")(image),
            L.Softmax(axis=1, name="softmax_axis")(image),
        ],
    )


def merging() -> tf.keras.Model:
    a, b = tf.keras.Input((3, 4), name="a"), tf.keras.Input((3, 4), name="b")
    row = tf.keras.Input((4,), name="row")
    pair, several = [a, b], [a, b, L.Dense(4, name="third")(a)]
    return together(
        [a, b, row],
        [
            L.Add(name="add")(several),
            L.Subtract(name="subtract")(pair),
            L.Multiply(name="multiply")(several),
            L.Average(name="average")(several),
            L.Maximum(name="maximum")(several),
            L.Minimum(name="minimum")(several),
            L.Concatenate(axis=1, name="concatenate_rows")(several),
            L.Dot(axes=(2, 2), name="dot")(pair),
            L.Dot(axes=(2, 1), normalize=True, name="cosine")([a, row]),
            L.Add(name="broadcast")([a, L.Reshape((1, 4))(row)]),
        ],
    )


def sequential_cnn() -> tf.keras.Model:
    return tf.keras.Sequential(
        [
            L.Conv2D(3, 3, input_shape=(8, 7, 1), name="conv"),
            L.BatchNormalization(),
            L.LeakyReLU(0.1),
            L.MaxPooling2D(2),
            L.DepthwiseConv2D(2, padding="same"),
            L.Activation("swish"),
            L.Conv2DTranspose(2, 2, strides=2),
            L.GlobalAveragePooling2D(),
            L.GaussianNoise(0.1),
            L.Dense(3, activation="softmax", name="total"),
        ]
    )


def models() -> dict[str, Builder]:
    """Every model of this file by name."""
    builders = (convolutions, transposed, depthwise, locally_connected, pooling, reshaping)
    builders += (normalisation, activations, merging, sequential_cnn)
    return {builder.__name__: builder for builder in builders}
