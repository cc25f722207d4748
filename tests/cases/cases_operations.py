"""Cases of Keras 3's operations, several of a family in one model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import layers as L  # noqa: N812
from keras import ops

from tests.cases.case import UNITS, Case

ROWS, COLUMNS = 6, 4
NUMBERS = np.random.default_rng(0)
ROW, COLUMN = (NUMBERS.uniform(0.5, 2, shape).astype("float32") for shape in (COLUMNS, (ROWS, 1)))
KERNEL = NUMBERS.normal(size=(COLUMNS, 3)).astype("float32")
FILTERS = NUMBERS.normal(size=(3, COLUMNS, 2)).astype("float32")
Values = Callable[..., Iterable[Any]]


def joined(values: Iterable[Any]) -> Any:
    """All that a model computes, behind two units."""
    rows = [_row(value) for value in values]
    return L.Dense(UNITS, name="units")(L.Concatenate()(rows) if len(rows) > 1 else rows[0])


def _row(value: Any) -> Any:
    if value.dtype != "float32":
        value = ops.cast(value, "float32")
    if value.ndim == 2:
        return value
    return ops.reshape(value, (-1, int(np.prod(value.shape[1:]))))


def of_tables(values: Values, **options: Any) -> Case:
    """What ``values`` makes of two tables in (-1, 1)."""

    def build() -> keras.Model:
        source = keras.Input((ROWS, COLUMNS), name="x")
        tables = [L.Dense(COLUMNS, activation="tanh")(source) for _ in range(2)]
        return keras.Model(source, joined(values(*tables)))

    return Case(build, **options)


def of_tokens(values: Values, count: int = 1, dtype: str = "int32") -> Case:
    """What ``values`` makes of rows of tokens."""

    def build() -> keras.Model:
        rows = [keras.Input((ROWS,), dtype=dtype, name=f"tokens_{n}") for n in range(count)]
        return keras.Model(rows if count > 1 else rows[0], joined(values(*rows)))

    return Case(build)


# ---------------------------------------------------------------- numbers


def sums(x: Any, y: Any) -> Iterable[Any]:
    """With numbers, rows, columns and each other, on either side, broadcast."""
    yield from (x + 2.0, 3.0 - x, x - ROW, x * ROW, x / COLUMN, x + y[:, :1], x * y[:, :, :1])
    yield from (x - y, -x, 2 * x, ops.subtract(x[:, :1], y), x[:, :, :1] * ROW, x[:, :1] - COLUMN)
    yield from (
        ops.maximum(x, y),
        ops.minimum(x, 0.1),
        ops.maximum(ROW, x),
        ops.minimum(x[:, 1:2], y),
    )


def quotients(x: Any, y: Any) -> Iterable[Any]:
    """Quotients and powers, over numbers above 0 and on both sides of it."""
    yield from (1 / (x + 2.0), x / (y + 2.0), x[:, :1] / (y + 2.0), ops.divide(ROW, y + 2.0))
    yield from (ops.divide_no_nan(x, y + 2.0), ops.divide_no_nan(1.0, y + 2.0), x / (y - 2.0))
    yield from (x**2, x**3, 2.0**x, (x + 2.0) ** y, (x + 2.0) ** -1.5, ops.power(x + 2.0, ROW))
    yield from (ops.hypot(x, y + 2.0), ops.logaddexp(x, y), ops.logaddexp(3 * x, 0.2))


def functions(x: Any, y: Any) -> Iterable[Any]:
    """Smooth functions of one element."""
    positive = x + 2.0
    for name in ("log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "arccosh"):
        yield getattr(ops, name)(positive + 1.0)
    for name in ("exp", "exp2", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "square"):
        yield getattr(ops, name)(x)
    for name in ("arcsin", "arccos", "arctanh", "erfinv"):
        yield getattr(ops, name)(0.5 * x)
    for name in (
        "arctan",
        "arcsinh",
        "erf",
        "absolute",
        "cbrt",
        "deg2rad",
        "copy",
    ):
        yield getattr(ops, name)(y + 1.5)


def steps(x: Any, y: Any) -> Iterable[Any]:
    """Functions with jumps or corners."""
    yield from (ops.floor(3 * x), ops.ceil(3 * x), ops.round(x, 1), ops.sign(x), ops.trunc(3 * x))
    yield from (ops.mod(x, 0.3), ops.floor_divide(x, 0.3), ops.clip(x, -0.3, 0.4), ops.abs(y))
    yield from (
        ops.nan_to_num(x),
        ops.heaviside(x, ROW),
        ops.conj(ops.convert_to_tensor(x)),
        ops.real(ops.array(y)),
        ops.ones_like(x),
        ops.full_like(x, 3.0),
    )


def activations(x: Any, y: Any) -> Iterable[Any]:
    yield from (ops.relu(x), ops.relu6(9 * x), ops.leaky_relu(x, 0.3), ops.elu(x, 0.5))
    yield from (ops.celu(x, 0.7), ops.gelu(x), ops.gelu(x, False), ops.silu(x), ops.selu(x))
    yield from (ops.softplus(x), ops.hard_sigmoid(3 * x), ops.soft_shrink(x, 0.3), ops.sigmoid(x))
    yield from (ops.threshold(x, 0.1, 0.2), ops.squareplus(x, 2), ops.sparse_plus(2 * x))
    yield from (ops.softmax(x), ops.softmax(x, axis=1), ops.log_softmax(y), ops.glu(x, axis=1))
    yield from (
        ops.sparsemax(x, axis=1),
        ops.hard_shrink(x),
        ops.hard_silu(3 * x),
        ops.hard_tanh(2 * y),
    )
    yield from (ops.log_sigmoid(x), ops.sparse_sigmoid(2 * x), ops.tanh_shrink(x), ops.softsign(y))


# ---------------------------------------------------------------- shapes


def reshapes(x: Any, y: Any) -> Iterable[Any]:
    yield from (ops.reshape(x, (-1, 4, 6)), ops.transpose(x, (0, 2, 1)), ops.swapaxes(y, 1, -1))
    yield from (ops.moveaxis(x, -1, 1), ops.expand_dims(x, (1, -1)), ops.squeeze(x[:, :1], 1))
    yield ops.flip(x, axis=1)
    yield from (ops.roll(x, 2, axis=1), ops.roll(x, (1, -1), axis=(1, 2)))


def joins(x: Any, y: Any) -> Iterable[Any]:
    yield from (ops.concatenate([x, y], axis=1), ops.stack([x, y, x], axis=-1), ops.hstack([x, y]))
    yield from ops.split(x, 2, axis=1)
    yield from ops.split(x, [1, 3], axis=-1)
    yield from ops.array_split(y, 4, axis=1)
    yield from ops.unstack(y, axis=2)
    yield from (ops.append(x, y, axis=2), ops.tile(x, (1, 2, 3)), ops.repeat(x, 2, axis=2))
    yield from (ops.repeat(x, [1, 2, 1, 3], axis=2), ops.pad(x, ((0, 0), (1, 2), (0, 0))))
    yield ops.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=2.0)
    yield ops.pad(y, ((0, 0), (1, 2), (1, 0)), mode="reflect")


def elements(x: Any, y: Any) -> Iterable[Any]:
    yield from (x[:, 1:-1, ::2], x[..., None, 0], x[:, -1], x[:, ::-1], y[:, None, :, 1])
    yield from (
        ops.take(x, [0, 2, -1], axis=1),
        ops.take(x, 3, axis=2),
        ops.tril(x),
        ops.triu(x, 1),
    )
    yield from (ops.diff(x, axis=1), ops.diff(x, n=2, axis=2))


# ---------------------------------------------------------------- several elements together


def reductions(x: Any, y: Any) -> Iterable[Any]:
    yield from (ops.mean(x, axis=1), ops.sum(x, axis=-1, keepdims=True), ops.sum(y, axis=(1, 2)))
    yield from (
        ops.prod(x + 1.5, axis=2),
        ops.cumprod(y + 0.5, axis=1),
        ops.var(x, axis=1),
        ops.std(x, axis=-1, keepdims=True),
    )
    yield from (
        ops.average(x, axis=1, weights=np.arange(1, 7, dtype="float32")),
        ops.cumsum(x, axis=1),
    )
    yield from ops.moments(y, axes=[1], keepdims=True)


def norms(x: Any, y: Any) -> Iterable[Any]:
    yield from (ops.logsumexp(x, axis=1), ops.logsumexp(x, axis=(1, 2), keepdims=True))
    yield from (ops.norm(x, axis=-1), ops.norm(x, ord=1, axis=1), ops.norm(y, axis=(1, 2)))
    yield from (ops.norm(x, ord=np.inf, axis=1), ops.norm(x, ord=3, axis=1, keepdims=True))
    yield from (ops.normalize(x, axis=-1), ops.normalize(y, axis=1, order=1))
    yield from (ops.layer_normalization(x, ROW, ROW, axis=-1), ops.rms_normalization(y, ROW))
    yield ops.batch_normalization(x, ROW, ROW, axis=-1, offset=ROW, scale=ROW)
    yield ops.batch_normalization(y, COLUMN[:, 0], COLUMN[:, 0], axis=1, epsilon=0.1)


def extremes(x: Any, y: Any) -> Iterable[Any]:
    yield from (ops.max(x, axis=(1, 2)), ops.min(x, axis=1, keepdims=True), ops.amax(y, axis=-1))
    yield from (ops.amin(y, axis=2), ops.max(x, axis=1, initial=0.2))
    yield from (ops.max_pool(x, 3, 1, padding="same"), ops.average_pool(x, 2))


def products(x: Any, y: Any) -> Iterable[Any]:
    """Two tensors, three, and two with a constant."""
    yield from (ops.matmul(x, ops.transpose(y, (0, 2, 1))), ops.einsum("nij,nkj->nik", x, y))
    yield from (
        ops.einsum("nij,nij,nij->ni", x, y, x),
        ops.einsum("...ij,...kj,k->...ik", x, y, COLUMN[:, 0]),
    )


def kernels(x: Any, y: Any) -> Iterable[Any]:
    """A tensor and a constant, on either side."""
    yield from (ops.matmul(x, KERNEL), ops.matmul(KERNEL[:3].T @ FILTERS[:, :3, 0], x[:, :3]))
    yield from (ops.matmul(x, ROW), ops.dot(x, KERNEL), ops.dot(ROW, ops.swapaxes(y, 1, 2)))
    yield from (ops.tensordot(x, KERNEL, axes=1), ops.einsum("nij,jk->nki", y, KERNEL))
    yield ops.conv(x, FILTERS, 2, padding="same")


def images(x: Any, y: Any) -> Iterable[Any]:
    image = ops.reshape(ops.concatenate([x, y], axis=1), (-1, 4, 4, 3))
    last = {"data_format": "channels_last"}
    yield ops.image.resize(image, (6, 5), **last)
    yield ops.image.resize(image, (2, 3), interpolation="nearest", **last)
    yield ops.image.rgb_to_grayscale(image, **last)


def attention(x: Any, y: Any) -> Iterable[Any]:
    """Two heads; with fewer of keys, a bias, a mask that is made of numbers."""
    query, key, value = (
        ops.reshape(table, (-1, ROWS, 2, 2)) for table in (x, y, ops.flip(x, axis=2))
    )
    some = key[:, :4, :1], value[:, :4, :1]
    mask = ops.expand_dims(ops.matmul(x, ops.transpose(y, (0, 2, 1))) > -0.5, 1)
    bias = np.linspace(-1, 1, 2 * ROWS**2, dtype="float32").reshape(2, ROWS, ROWS)
    yield ops.dot_product_attention(query, key, value, bias=bias, scale=0.5)
    yield ops.dot_product_attention(query, key, value, mask=mask, is_causal=True)
    yield ops.dot_product_attention(query[:, :, :1], *some)


def later(x: Any, y: Any) -> Iterable[Any]:
    """Of every kind: what Keras 3.14 and 3.15 added, or mended where they say shapes."""
    yield from (ops.ptp(y, axis=1), ops.rad2deg(y + 1.5), ops.erfc(y + 1.5))
    yield from (
        ops.flip(x, axis=(1, 2)),
        ops.squeeze(x[:, :, :1]),
        ops.diagonal(x, axis1=1, axis2=2),
    )
    last = {"data_format": "channels_last"}
    image = ops.reshape(ops.concatenate([x, y], axis=1), (-1, 4, 4, 3))
    yield ops.image.extract_patches(image, (2, 3), **last)
    yield ops.image.extract_patches(image, 3, strides=2, padding="same", **last)
    yield ops.depth_to_space(ops.reshape(x, (-1, 2, 3, COLUMNS)), 2, **last)
    yield ops.space_to_depth(image, 2, **last)


# ---------------------------------------------------------------- comparisons


def comparisons(x: Any, y: Any) -> Iterable[Any]:
    yield from (
        x > y,
        x >= 0.2,
        ops.less(0.2, y),
        ops.less_equal(x, ROW - 1),
        ops.equal(x, y),
        x != y[:, :1],
    )
    yield from (ops.isnan(x), ops.isinf(x), ops.saturate_cast(3 * y, "int8"))
    yield from (ops.isclose(x, 0.2, atol=0.3), ops.isfinite(x), ops.cast(4 * x, "int32"))
    yield from (ops.any(x > 0.5, axis=-1), ops.all(x < 0.5, axis=(1, 2), keepdims=True))
    yield ops.count_nonzero(x > 0.1, axis=1)


def choices(x: Any, y: Any) -> Iterable[Any]:
    both = ops.logical_and(x > 0, y < 0.5)
    yield from (ops.where(both, x, y), ops.where(x > 0, x, 0.5), ops.where(y > 0, ROW, x))
    yield ops.where(ops.logical_xor(both, x > 0.3), y, x)
    yield ops.where(ops.any(x > 0.5, axis=-1, keepdims=True), x, y)
    yield ops.where(ops.logical_or(ops.logical_not(both), x > y), ops.log(x + 1.5), 2.0)
    yield from (x * ops.cast(x > 0, "float32"), ops.select([x > 0.5, y > 0], [y, 2.0], 0.5))


def masked() -> keras.Model:
    """Keras saves the mask that Dense drops and LSTM gets as operations."""
    x = source = keras.Input((ROWS, COLUMNS), name="x")
    x = L.LSTM(3)(L.Dense(3)(L.Masking()(x)))
    return keras.Model(source, L.Dense(UNITS, name="units")(x))


# ---------------------------------------------------------------- tokens


def masked_tokens() -> keras.Model:
    source = keras.Input((ROWS,), dtype="int32", name="tokens")
    x = L.LSTM(3, return_sequences=True)(L.Embedding(5, 4, mask_zero=True)(source))
    return keras.Model(source, L.Dense(UNITS, name="units")(L.GRU(2)(x)))


def looked_up(i: Any) -> Iterable[Any]:
    yield from (ops.cast(i, "float32"), ops.one_hot(i, 5), ops.one_hot(i, 5, axis=1))
    yield from (ops.multi_hot(i, 5), ops.take(KERNEL, ops.minimum(i, 3), axis=0), i / 2, i * 2.5)
    yield from (ops.sum(i, axis=1), ops.mean(i, axis=1), ops.cast(i, "bool"))


def moved_tokens(i: Any) -> Iterable[Any]:
    for tokens in (
        i + 1,
        ops.where(i > 2, 0, i),
        ops.flip(i, axis=1),
        ops.concatenate([i, i[:, :2]], axis=1),
        ops.pad(i, ((0, 0), (1, 1)), constant_values=1),
        ops.minimum(i * 2, 5),
        ops.reshape(i, (-1, 3, 2)),
        i // 2,
    ):
        yield L.Embedding(7, 2)(tokens)


def compared_tokens(i: Any, j: Any) -> Iterable[Any]:
    yield from (
        ops.equal(i, j),
        i > j[:, :1],
        ops.logical_and(i > 1, j > 1),
        ops.where(i > j, i, 0),
    )
    yield from (i - j, i * j, ops.not_equal(i, 3), ops.less(2.5, j))


def booleans(i: Any, j: Any) -> Iterable[Any]:
    yield from (ops.where(i, 2.0, 3.0), ops.logical_not(i), ops.any(i, axis=1), i[:, 1:])
    yield from (ops.all(ops.logical_or(i, j), axis=1), ops.logical_xor(i, j), ops.not_equal(i, j))


def picture() -> keras.Model:
    """Whole numbers to 255, scaled by a layer and by an operation."""
    source = keras.Input((4, 4, 3), dtype="uint8", name="tokens")
    return keras.Model(source, joined([L.Rescaling(1 / 255)(source), source / 255]))


def cases() -> dict[str, Case]:
    """All of them."""
    tables = (
        *(sums, quotients, functions, steps, activations, reshapes, joins, elements),
        *(reductions, norms, extremes, products, kernels, images, attention, comparisons, choices),
    )
    return {
        **{f"operations, {values.__name__}": of_tables(values) for values in tables},
        "operations, later": of_tables(later, since="3.15"),
        "operations, masks": Case(masked, masked=True),
        "tokens, operations, masks": Case(masked_tokens),
        "tokens, operations, looked up": of_tokens(looked_up),
        "tokens, operations, moved": of_tokens(moved_tokens),
        "tokens, operations, compared": of_tokens(compared_tokens, 2),
        "tokens, operations, booleans": of_tokens(booleans, 2, "bool"),
        "tokens, operations, picture": Case(picture, tokens=256),
    }
