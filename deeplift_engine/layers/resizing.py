"""Images made larger or smaller by interpolation, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from deeplift_engine.layers.axis import along
from deeplift_engine.layers.families import Linear
from deeplift_engine.tensors.tensor_ops import features
from deeplift_engine.util.typing import Tensor

MEANS = ("nearest", "bilinear", "area", "gaussian")
"""Methods whose coefficients are never below 0."""
SHARPNESS = {"bicubic_jax": -0.5, "bicubic_torch": -0.75}
"""The parameter of cubic convolution (Keys, 1981); TensorFlow's is JAX's, but from a table."""
METHODS = (*MEANS, "bicubic", *SHARPNESS, "lanczos3", "lanczos5", "mitchellcubic")


@dataclass(frozen=True)
class Interpolation(Linear):
    """Images (n, height, width, c) as TensorFlow resizes them, in any dtype.

    Every method is one matrix along the height and one along the width. They are read off
    TensorFlow's own operation, which has some of its coefficients from tables; where that
    operation is fast and has the dtype, it is what is used.

    Attributes
    ----------
    sizes
        Height and width of the output; None for ``factors``.
    method
        One of `METHODS`.
    antialias
        Whether windows grow where the image becomes smaller.
    factors
        Whole numbers by which height and width grow.
    magnitudes
        Whether the matrices are those of the coefficients' magnitudes.
    half_pixel
        Whether pixels are at their middles, else at their corners (bilinear alone).
    """

    sizes: tuple[int, int] | None
    method: str = "bilinear"
    antialias: bool = False
    factors: tuple[int, int] = (1, 1)
    magnitudes: bool = False
    half_pixel: bool = True

    def linear(self, *inputs: Tensor) -> Tensor:
        """(n, height, width, c) → (n, *sizes, c)."""
        x = inputs[0]
        sizes = features(x, 1)[:2]
        if self._native(x):
            return tf.image.resize(x, self._enlarged(sizes), self.method)
        for axis, matrix in enumerate(self._matrices(sizes, x.dtype), start=1):
            x = along(x, matrix, axis)
        return x

    def transpose(self, multiplier: Tensor, shapes: Sequence[Sequence[Any]]) -> list[Tensor]:
        """(n, *sizes, c) → (n, height, width, c)."""
        if self._native(multiplier):
            return super().transpose(multiplier, shapes)
        matrices = self._matrices(shapes[0][:2], multiplier.dtype)
        for axis, matrix in enumerate(matrices, start=1):
            multiplier = along(multiplier, tf.transpose(matrix), axis)
        return [multiplier]

    def absolute(self) -> Linear:
        """With the matrices' magnitudes."""
        return self if self.method in MEANS else replace(self, magnitudes=True)

    def _native(self, x: Tensor) -> bool:
        fast = self.method in ("nearest", "bilinear") and not self.antialias
        return fast and x.dtype == tf.float32 and self.half_pixel

    def _enlarged(self, sizes: Sequence[Any]) -> Sequence[Any]:
        if self.sizes is not None:
            return self.sizes
        return [size * factor for size, factor in zip(sizes, self.factors, strict=True)]

    def _matrices(self, sizes: Sequence[Any], dtype: Any) -> list[Tensor]:
        """(out, in) along height and width."""
        enlarged = self._enlarged(sizes)
        return [self._matrix(old, new, dtype) for old, new in zip(sizes, enlarged, strict=True)]

    def _matrix(self, old: Any, new: Any, dtype: Any) -> Tensor:
        if isinstance(old, int) and isinstance(new, int):
            with tf.init_scope():  # once, rather than whenever the function runs
                matrix = tf.cast(self._resized_basis(old, new), dtype).numpy()
            return tf.constant(matrix)
        return tf.cast(self._resized_basis(old, new), dtype)

    def _resized_basis(self, old: Any, new: Any) -> Tensor:
        """Resized basis vectors, as the channels of an image of width 1."""
        if self.method in SHARPNESS:
            matrix = _cubic_matrix(old, new, self.method)
        else:
            basis = tf.reshape(tf.eye(old), [1, old, 1, old])
            matrix = tf.reshape(self._resized(basis, [new, 1]), [new, old])
        return tf.abs(matrix) if self.magnitudes else matrix

    def _resized(self, images: Tensor, sizes: Sequence[Any]) -> Tensor:
        if self.half_pixel:
            return tf.image.resize(images, sizes, self.method, antialias=self.antialias)
        return tf.compat.v1.image.resize_bilinear(images, sizes)


def _cubic_matrix(old: Any, new: Any, method: str) -> Tensor:
    """(new, old) coefficients of bicubic interpolation.

    PyTorch repeats the edges; JAX leaves out what is beyond them, and divides by the sum.
    """
    scale = tf.cast(old, tf.float64) / tf.cast(new, tf.float64)
    middles = (tf.range(tf.cast(new, tf.float64), dtype=tf.float64) + 0.5) * scale - 0.5
    first = tf.floor(middles)
    matrix = tf.zeros([new, old], tf.float64)
    for tap in range(-1, 3):
        place = tf.cast(first, tf.int32) + tap
        if method == "bicubic_torch":
            place = tf.clip_by_value(place, 0, old - 1)
        weight = _cubic(tf.abs(middles - first - tap), SHARPNESS[method])
        matrix += weight[:, None] * tf.one_hot(place, old, dtype=tf.float64)
    matrix /= tf.reduce_sum(matrix, axis=1, keepdims=True)
    return tf.cast(matrix, tf.float32)


def _cubic(x: Tensor, a: float) -> Tensor:
    """The kernel of cubic convolution at distances below 2."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return tf.where(x <= 1, near, far)
