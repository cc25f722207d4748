"""Functions of TensorFlow that are made of others: traced, and each of their operations put."""

from __future__ import annotations

import inspect
from operator import attrgetter
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.translate.forward_functions import put_traced
from deeplift_engine.translate.layer_context import NodeName
from deeplift_engine.translate.operations.call import Operation, Translator
from deeplift_engine.translate.operations.spellings import Spelling

PATHS = """
    clip_by_norm
    linalg.adjoint linalg.matrix_transpose linalg.normalize linalg.trace
    nn.pool nn.separable_conv2d nn.sigmoid_cross_entropy_with_logits nn.weighted_moments
    image.adjust_brightness image.adjust_gamma image.central_crop image.convert_image_dtype
    image.crop_to_bounding_box image.extract_patches image.grayscale_to_rgb
    image.pad_to_bounding_box image.per_image_standardization image.resize_with_crop_or_pad
    image.resize_with_pad image.rgb_to_yuv image.transpose
"""
"""Where TensorFlow has them. Only these are called: what they give depends on nothing else."""


def spelling(path: str) -> Spelling:
    """A function's name here, ``"tf.clip_by_norm"``, and its own parameters."""
    parameters = inspect.signature(attrgetter(path)(tf)).parameters
    return Spelling(f"tf.{path}", {name: name for name in parameters if name != "name"})


def composed(op: Operation) -> tuple[str, ...]:
    """The operations that a function is made of."""
    function = attrgetter(op.name.removeprefix("tf."))(tf)
    tensors = {key: value for key, value in op.arguments.items() if isinstance(value, NodeName)}
    fixed = {key: _constant(op.dtype, op.option(key)) for key in op.arguments.keys() - tensors}

    def call(*values: Any) -> Any:
        outputs = function(**dict(zip(tensors, values, strict=True)), **fixed)
        return tf.nest.map_structure(lambda output: _in_dtype(op.dtype, output), outputs)

    return put_traced(op.context, call, [op.numbers(name) for name in tensors])


def _constant(dtype: str, value: Any) -> Any:
    """Nested numbers as an array of the network's dtype, of which TensorFlow makes float32."""
    leaves = tf.nest.flatten(value)
    if isinstance(value, np.ndarray) or not any(isinstance(leaf, float) for leaf in leaves):
        return value
    return np.asarray(value, dtype)


def _in_dtype(dtype: str, output: Any) -> Any:
    """An output in the network's dtype: tf.image resizes to float32 whatever it is given."""
    return tf.cast(output, dtype) if output.dtype.is_floating else output


OPERATIONS: dict[str, Translator] = {f"tf.{path}": composed for path in PATHS.split()}
