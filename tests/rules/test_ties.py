"""Inputs that tie for a maximum have equal shares, in every layer that selects."""

import itertools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.helpers import needs_keras

EXACT = {"float32": 1e-5, "float64": 1e-12}
"""Rounding of sums of tens of terms about 1."""

POOLS: dict[str, tuple[Any, tuple[int, ...], tuple[int, ...], tuple[int, ...], str]] = {
    "apart": (L.MaxPooling1D, (12, 2), (3,), (3,), "valid"),
    "a rest": (L.MaxPooling1D, (11, 2), (3,), (3,), "valid"),
    "gaps": (L.MaxPooling1D, (11, 2), (2,), (3,), "valid"),
    "gaps, same": (L.MaxPooling1D, (11, 2), (2,), (4,), "same"),
    "same": (L.MaxPooling1D, (11, 2), (4,), (4,), "same"),
    "overlapping": (L.MaxPooling1D, (11, 2), (4,), (2,), "valid"),
    "overlapping, same": (L.MaxPooling1D, (11, 2), (5,), (2,), "same"),
    "at every position": (L.MaxPooling1D, (8, 2), (3,), (1,), "same"),
    "planes": (L.MaxPooling2D, (6, 5, 2), (2, 2), (2, 2), "valid"),
    "planes, same": (L.MaxPooling2D, (6, 5, 2), (3, 2), (2, 2), "same"),
    "volumes": (L.MaxPooling3D, (4, 4, 5, 1), (2, 2, 2), (2, 2, 2), "same"),
    "volumes, overlapping": (L.MaxPooling3D, (4, 3, 4, 1), (3, 2, 2), (1, 2, 1), "valid"),
}


def windows(
    lengths: tuple[int, ...], size: tuple[int, ...], strides: tuple[int, ...], padding: str
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each window's index and elements, by Keras's definition."""
    axes = []
    for length, width, stride in zip(lengths, size, strides, strict=True):
        count = -(-length // stride) if padding == "same" else (length - width) // stride + 1
        before = max((count - 1) * stride + width - length, 0) // 2 if padding == "same" else 0
        begins = [number * stride - before for number in range(count)]
        axes.append([slice(max(b, 0), min(b + width, length)) for b in begins])
    for index in itertools.product(*(range(len(spans)) for spans in axes)):
        yield index, tuple(spans[i] for i, spans in zip(index, axes, strict=True))


def pooled(x: np.ndarray, x0: np.ndarray, m: np.ndarray, spans: list[Any], rule: str) -> np.ndarray:
    """Multipliers of one sample (..., c) by going over windows; ``m`` is (windows..., c)."""
    x, x0 = x.astype(float), x0.astype(float)
    gradient, risen = np.zeros_like(x), np.zeros_like(x)
    for (index, window), channel in itertools.product(spans, range(x.shape[-1])):
        end, start = x[(*window, channel)], x0[(*window, channel)]
        delta = end.max() - start.max()
        arrived = m[(*index, channel)]
        winners = end == end.max()
        if rule != "gradient":
            both = np.maximum(end, start)
            winners = both == both.max()
        gradient[(*window, channel)] += arrived * winners / winners.sum()
        risen[(*window, channel)] += arrived * delta * winners / winners.sum()
    if rule == "gradient":
        return gradient
    change = x - x0
    return np.where(change == 0, gradient, risen / np.where(change == 0, 1, change))


def scored(
    model: keras.Model, x: Any, x0: Any, rule: str, dtype: str = "float64", **options: Any
) -> Any:
    explainer = de.convert(model, dtype=dtype).explainer(rules=rule, fused=False, **options)
    return explainer.run(x, references=x0)


def tied(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Small integers: most windows have several winners."""
    return np.random.default_rng(seed).integers(-1, 2, shape).astype("float32")


def weighted(layer: Any, shape: tuple[int, ...]) -> tuple[keras.Model, np.ndarray]:
    """The layer, its outputs summed by weights; the weights, as float64."""
    given = keras.Input(shape)
    output = layer(given)
    weights = np.random.default_rng(5).normal(size=output.shape[1:]).astype("float32")
    head = L.Dense(1, use_bias=False)
    model = keras.Model(given, head(L.Flatten()(output)))
    head.set_weights([weights.reshape(-1, 1)])
    return model, weights.astype(float)  # numpy 1 and 2 disagree of which type a sum is


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("name", POOLS)
def test_winners_of_a_window_have_equal_shares(name: str, dtype: str) -> None:
    make, shape, size, strides, padding = POOLS[name]
    model, weights = weighted(make(size, strides, padding), shape)
    spans = list(windows(shape[:-1], size, strides, padding))
    x, x0 = tied((3, *shape), 1), tied((3, *shape), 2)
    for rule in ("rescale", "gradient"):
        result = scored(model, x, x0, rule, dtype)
        expected = [pooled(*ends, weights, spans, rule) for ends in zip(x, x0, strict=True)]
        np.testing.assert_allclose(result.multipliers, expected, atol=EXACT[dtype])
        if rule == "rescale":
            sums = result.scores.reshape(3, -1).sum(1)
            np.testing.assert_allclose(sums, result.target_delta, atol=EXACT[dtype])


@pytest.mark.parametrize("name", ["apart", "overlapping, same", "planes, same"])
def test_compiled_shares_are_the_same(name: str) -> None:
    make, shape, size, strides, padding = POOLS[name]
    model, _ = weighted(make(size, strides, padding), shape)
    x, x0 = tied((3, *shape), 1), tied((1, *shape), 2)
    for rule in ("rescale", "gradient"):
        met, plain = (
            de.convert(model).explainer(rules=rule, fused=fused).run(x, references=x0).multipliers
            for fused in (True, False)
        )
        np.testing.assert_allclose(met, plain, atol=EXACT["float32"])


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_the_order_of_elements_does_not_matter(layout: str) -> None:
    first = layout == "channels_first"
    shape = (2, 4, 6) if first else (4, 6, 2)
    model, weights = weighted(L.MaxPooling2D((2, 3), data_format=layout), shape)
    spans = list(windows((4, 6), (2, 3), (2, 3), "valid"))
    x, x0 = tied((3, *shape), 1), tied((3, *shape), 2)
    axes = [axis + 1 + first for axis in (0, 1)]
    mirrored = [np.flip(end, axes) for end in (x, x0)]
    for rule in ("rescale", "gradient"):
        met = scored(model, x, x0, rule).multipliers
        last = [np.moveaxis(end, 1, -1) if first else end for end in (x, x0, met)]
        kernel = np.moveaxis(weights, 0, -1) if first else weights
        for end, start, shares in zip(*last, strict=True):
            np.testing.assert_allclose(shares, pooled(end, start, kernel, spans, rule), atol=1e-12)
        model.layers[-1].set_weights([np.flip(weights, [1, 2] if first else [0, 1]).reshape(-1, 1)])
        np.testing.assert_allclose(
            np.flip(scored(model, *mirrored, rule).multipliers, axes), met, atol=1e-12
        )
        model.layers[-1].set_weights([weights.reshape(-1, 1)])


def steps(x: Any) -> list[Any]:
    return [x[:, number : number + 1] for number in range(5)]


def chain(x: Any) -> Any:
    result, *others = steps(x)
    for other in others:
        result = keras.ops.maximum(other, result)
    return result


def tree(x: Any) -> Any:
    a, b, c, d, e = steps(x)
    return L.Maximum()([L.Maximum()([a, L.Maximum()([b, c])]), L.Dropout(0.1)(L.Maximum()([d, e]))])


LARGEST: dict[str, Any] = {
    "window": lambda x: L.MaxPooling1D(5)(x),
    "overlapping": lambda x: L.MaxPooling1D(5, 2)(x),
    "global": lambda x: L.GlobalMaxPooling1D(keepdims=True)(x),
    "largest": lambda x: keras.ops.max(x, axis=1, keepdims=True),
    "of opposites": lambda x: -keras.ops.min(-x, axis=1, keepdims=True),
    "one Maximum": lambda x: L.Maximum()(steps(x)),
    "chain": chain,
    "tree": tree,
    "Minimum of opposites": lambda x: -L.Minimum()([-step for step in steps(x)]),
}
"""The largest of five steps, written in several ways."""

EXPECTED = {"ones": [0.2] * 5, "three": [1 / 3, 0, 1 / 3, 0, 1 / 3], "one": [0, 0, 0, 1, 0]}
X = {"ones": [1.0] * 5, "three": [1.0, 0, 1, 0.5, 1], "one": [0.5, 0.5, 0, 1, 0]}
METHODS: dict[str, dict[str, Any]] = {
    "deeplift": {"references": 0.0},
    "gradient": {},
    "input_x_gradient": {},
    "integrated_gradients": {"references": 0.0},
    "guided_backprop": {},
    "deconvnet": {},
    "lrp_epsilon": {},
}


@pytest.mark.parametrize("name", LARGEST)
def test_one_function_has_one_answer(name: str) -> None:
    source = keras.Input((5, 1))
    network = de.convert(keras.Model(source, L.Flatten()(LARGEST[name](source))))
    x = np.array(list(X.values()), "float32")[..., np.newaxis]
    for method, options in METHODS.items():
        scores = network.explainer(method).run(x, **options).scores[..., 0]
        np.testing.assert_allclose(scores, list(EXPECTED.values()), atol=1e-5, err_msg=method)


@needs_keras("3.13")
def test_an_adaptive_pool_to_one_has_that_answer_too() -> None:
    LARGEST["adaptive"] = lambda x: L.AdaptiveMaxPooling1D(1)(x)
    try:
        test_one_function_has_one_answer("adaptive")
    finally:
        del LARGEST["adaptive"]


def test_a_sum_of_exponentials_in_the_logarithm_has_its_own_gradient_at_a_tie() -> None:
    """It is computed from the larger of two, which has half of each."""
    given = [keras.Input((2,), name=name) for name in ("a", "b")]
    network = de.convert(keras.Model(given, keras.ops.logaddexp(*given)))
    result = network.explainer("gradient").run([np.ones((1, 2), "float32")] * 2, target=0)
    for shares in result.scores.values():
        np.testing.assert_allclose(shares, [[0.5, 0]], atol=1e-6)


def test_the_gradient_option_is_the_original_first_winner() -> None:
    model = keras.Sequential([keras.Input((5, 1)), L.MaxPooling1D(5), L.Flatten()])
    ones = np.ones((1, 5, 1), "float32")
    result = scored(model, ones, 0.0, "rescale", max_pooling="gradient")
    np.testing.assert_array_equal(result.scores.ravel(), [1, 0, 0, 0, 0])


@pytest.mark.parametrize("rule", ["rescale", "gradient"])
@pytest.mark.parametrize(("layer", "sign"), [(L.Maximum, 1), (L.Minimum, -1)])
def test_inputs_that_tie_have_equal_shares(layer: Any, sign: int, rule: str) -> None:
    given = [keras.Input((6,), name=f"input_{number}") for number in range(3)]
    model = keras.Model(given, L.Dense(1, use_bias=False, name="sum")(layer()(given)))
    weights = np.arange(1.0, 7.0)
    model.get_layer("sum").set_weights([weights[:, np.newaxis]])
    x, x0 = sign * tied((3, 4, 6), 3), sign * tied((3, 4, 6), 4)
    result = scored(model, list(sign * x), list(sign * x0), rule)
    for sample in range(4):
        ends = [np.moveaxis(end[:, sample], 0, -1)[..., np.newaxis] for end in (x, x0)]
        spans = [((number,), (number, slice(None))) for number in range(6)]
        expected = pooled(*ends, weights[:, np.newaxis], spans, rule)[..., 0]
        met = np.stack([each[sample] for each in result.multipliers.values()], -1)
        np.testing.assert_allclose(met, expected, atol=1e-12)


def test_an_input_that_is_broadcast_shares_at_each_element() -> None:
    wide, narrow = keras.Input((4,), name="wide"), keras.Input((1,), name="narrow")
    model = keras.Model([wide, narrow], keras.ops.sum(L.Maximum()([wide, narrow]), 1, True))
    x = [np.array([[1.0, 0, 1, 2]], "float32"), np.array([[1.0]], "float32")]
    result = scored(model, x, {"wide": 0.0, "narrow": 0.0}, "gradient")
    np.testing.assert_allclose(result.multipliers["wide"], [[0.5, 0, 0.5, 1]])
    np.testing.assert_allclose(result.multipliers["narrow"], [[2]])


def test_a_pool_at_every_step_shares_too() -> None:
    layer = L.TimeDistributed(L.MaxPooling1D(3))
    model, weights = weighted(layer, (4, 6, 2))
    x, x0 = tied((2, 4, 6, 2), 6), tied((2, 4, 6, 2), 7)
    result = scored(model, x, x0, "rescale")
    spans = list(windows((6,), (3,), (3,), "valid"))
    for sample, step in itertools.product(range(2), range(4)):
        expected = pooled(x[sample, step], x0[sample, step], weights[step], spans, "rescale")
        np.testing.assert_allclose(result.multipliers[sample, step], expected, atol=1e-12)


@needs_keras("3.13")
@pytest.mark.parametrize("rule", ["rescale", "gradient"])
def test_an_adaptive_pool_counts_each_element_once(rule: str) -> None:
    model, weights = weighted(L.AdaptiveMaxPooling2D((3, 2)), (7, 5, 1))
    x, x0 = tied((2, 7, 5, 1), 8), tied((2, 7, 5, 1), 9)
    axes = [
        [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        for n, count in ((7, 3), (5, 2))
    ]
    spans = [((i, j), (axes[0][i], axes[1][j])) for i in range(3) for j in range(2)]
    result = scored(model, x, x0, rule)
    expected = [pooled(*ends, weights, spans, rule) for ends in zip(x, x0, strict=True)]
    np.testing.assert_allclose(result.multipliers, expected, atol=1e-12)
