"""Class activation maps beside numpy's, from TensorFlow's gradient of the Keras model."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage, special

import deeplift_engine as de
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.maps.feature_maps import resized
from deeplift_engine.explainers.maps.score_cam import from_0_to_1
from tests.helpers import off

L = keras.layers
EXACT = 1e-12  # float64, sums in another order
METHODS = ("grad_cam", "grad_cam_plus_plus", "layer_cam", "guided_grad_cam", "score_cam")
MAPS = tuple(name for name in METHODS if name != "guided_grad_cam")
LAYER = {"sequence": "act", "image": "last", "volume": "last"}


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")  # of inputs
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy(before)


def sequence() -> list[Any]:
    """A normalisation and an activation of their own behind the last convolution."""
    return [
        keras.Input((21, 4)),
        L.Conv1D(6, 4, activation="relu"),
        L.MaxPooling1D(2),
        L.Conv1D(5, 3, use_bias=False, name="last"),
        L.BatchNormalization(name="norm", beta_initializer="ones"),
        L.ReLU(name="act"),
        L.GlobalAveragePooling1D(),
        L.Dense(3),
    ]


def image() -> list[Any]:
    return [
        keras.Input((12, 10, 3)),
        L.Conv2D(4, 3, activation="relu", name="first"),
        L.MaxPooling2D(2, name="pool"),
        L.Conv2D(5, 2, activation="relu", name="last"),
        L.Flatten(),
        L.Dense(6, activation="tanh"),
        L.Dense(3),
    ]


def volume() -> list[Any]:
    return [
        keras.Input((6, 7, 5, 2)),
        L.Conv3D(3, 3, activation="relu", name="last"),
        L.Flatten(),
        L.Dense(3),
    ]


@functools.cache
def model(name: str) -> Any:
    keras.utils.set_random_seed(4)
    return keras.Sequential({"sequence": sequence, "image": image, "volume": volume}[name]())


@functools.cache
def network(name: str) -> Any:
    return de.convert(model(name), dtype="float64")


@functools.cache
def explainer(name: str, method: str, **options: Any) -> Any:
    return network(name).explainer(method, fused=False, **options)


def inputs(name: str, samples: int = 3) -> Any:
    shape = model(name).input_shape[1:]
    return np.random.default_rng(1).normal(size=(samples, *shape))


def taped(name: str, x: Any, unit: Any) -> tuple[Any, Any]:
    """Activations of the layer, and the gradient there, by TensorFlow."""
    whole = model(name)
    both = keras.Model(whole.inputs[0], [whole.get_layer(LAYER[name]).output, *whole.outputs])
    with tf.GradientTape() as tape:
        activations, outputs = both(x, training=False)
        value = tf.reduce_sum(outputs[:, unit])
    return activations.numpy(), tape.gradient(value, activations).numpy()


def map_by_loops(method: str, activations: Any, gradients: Any) -> Any:
    """The map of one sample, channel by channel, as the paper has it."""
    total = np.zeros(activations.shape[:-1])
    for a, g in zip(np.moveaxis(activations, -1, 0), np.moveaxis(gradients, -1, 0), strict=True):
        if method == "grad_cam":
            total += g.mean() * a
        elif method == "layer_cam":
            total += np.maximum(g, 0) * a
        else:  # derivatives of exp(S) at S = 0.3; their common factor is exp(0.3)
            first, second, third = (np.exp(0.3) * g**power for power in (1, 2, 3))
            below = 2 * second + a.sum() * third
            alpha = np.where(second > 0, second / np.where(second > 0, below, 1), 0)
            total += (alpha * np.maximum(first, 0)).sum() / np.exp(0.3) * a
    return np.maximum(total, 0)


def enlarged(maps: Any, sizes: Any, order: int = 1) -> Any:
    """Maps (n, ...) interpolated by scipy: pixels are areas, the edge goes on."""
    grid = np.meshgrid(
        *(
            (np.arange(new) + 0.5) * old / new - 0.5
            for old, new in zip(maps.shape[1:], sizes, strict=True)
        ),
        indexing="ij",
    )
    return np.stack(
        [ndimage.map_coordinates(one, grid, order=order, mode="nearest") for one in maps]
    )


@pytest.mark.parametrize("method", ["grad_cam", "grad_cam_plus_plus", "layer_cam"])
@pytest.mark.parametrize("name", LAYER)
def test_maps_are_those_of_tensorflows_gradient(name: str, method: str) -> None:
    x = inputs(name)
    expected = np.stack(
        [
            [map_by_loops(method, *pair) for pair in zip(*taped(name, x, unit), strict=True)]
            for unit in (0, 2)
        ]
    )
    small = explainer(name, method, resize=None).run(x, target=[0, 2])
    assert small.axes == ("target", "sample")
    assert off(small.scores, expected) < EXACT
    whole = explainer(name, method).run(x, target=2)
    assert off(whole.scores, enlarged(expected[1], x.shape[1:-1])) < EXACT
    assert off(whole.predictions, model(name)(x).numpy()) < EXACT
    assert whole.settings["layers"] == [LAYER[name]]


def test_without_relu_a_map_has_its_negative_part() -> None:
    x = inputs("image")
    activations, gradients = taped("image", x, 1)
    expected = (gradients.mean((1, 2), keepdims=True) * activations).sum(-1)
    found = explainer("image", "grad_cam", relu=False, resize=None).run(x, target=1)
    assert expected.min() < 0
    assert off(found.scores, expected) < EXACT


@pytest.mark.parametrize("name", LAYER)
def test_guided_grad_cam_is_the_product(name: str) -> None:
    x = inputs(name)
    guided = network(name).explainer("guided_backprop", fused=False).run(x, target=1).scores
    maps = explainer(name, "grad_cam").run(x, target=1).scores
    found = explainer(name, "guided_grad_cam").run(x, target=1)
    assert off(found.scores, guided * maps[..., np.newaxis]) < EXACT


# ---------------------------------------------------------------- Score-CAM


def score_cam_by_loops(name: str, x: Any, x0: Any, unit: int, softmax: bool, count: int) -> Any:
    """Maps (n, *positions) for references (n, k, ...), one mask at a time."""
    whole = model(name)
    predicted = lambda point: whole(point[np.newaxis]).numpy()[0, unit]  # noqa: E731
    activations = taped(name, x, unit)[0]
    maps = []
    for sample, references, layer in zip(x, x0, activations, strict=True):
        channels = np.moveaxis(layer, -1, 0)
        channels = sorted(channels, key=lambda channel: -channel.std())[:count]
        rises = []
        for channel in channels:
            mask = enlarged(channel[np.newaxis], x.shape[1:-1])[0]
            span = mask.max() - mask.min()
            mask = (mask - mask.min()) / span if span else np.zeros_like(mask)
            shown = [r + mask[..., np.newaxis] * (sample - r) for r in references]
            values = [predicted(s) for s in shown], [predicted(r) for r in references]
            rises.append(np.mean(values[0]) - np.mean(values[1]))
        weights = special.softmax(rises) if softmax else rises
        maps.append(np.maximum(sum(w * c for w, c in zip(weights, channels, strict=True)), 0))
    return np.stack(maps)


@pytest.mark.parametrize("name", LAYER)
@pytest.mark.parametrize("softmax", [True, False])
def test_score_cam_is_that_of_single_masks(name: str, softmax: bool) -> None:
    x = inputs(name, 2)
    zeros = np.zeros((2, 1, *x.shape[1:]))
    expected = score_cam_by_loops(name, x, zeros, 1, softmax, 99)
    found = explainer(name, "score_cam", softmax=softmax, resize=None).run(x, target=1)
    assert off(found.scores, expected) < EXACT
    whole = explainer(name, "score_cam", softmax=softmax).run(x, target=[0, 1])
    assert off(whole.scores[1], enlarged(expected, x.shape[1:-1])) < EXACT


def test_score_cam_hides_behind_references_and_takes_the_channels_that_vary_most() -> None:
    x = inputs("image", 2)
    own = np.random.default_rng(2).normal(size=(2, 3, *x.shape[1:]))
    made = explainer("image", "score_cam", softmax=False, channels=2, resize=None)
    expected = score_cam_by_loops("image", x, own, 0, False, 2)
    found = made.run(x, target=0, references=de.references.per_sample(own))
    assert off(found.scores, expected) < EXACT
    shared = np.broadcast_to(own[0], own.shape)
    expected = score_cam_by_loops("image", x, shared, 0, False, 2)
    assert (
        off(made.run(x, target=0, references=de.references.shared(own[0])).scores, expected) < EXACT
    )


# ---------------------------------------------------------------- what must change nothing


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["sequence", "image"])
def test_batch_size_changes_nothing(name: str, method: str) -> None:
    x, made = inputs(name, 5), explainer(name, method)
    whole = made.run(x, target="all").scores
    for size in (1, 2, 7):
        assert off(made.run(x, target="all", batch_size=size).scores, whole) < EXACT
    alone = np.concatenate([made.run(one[np.newaxis], target=1).scores for one in x])
    assert off(alone, whole[1]) < EXACT


@pytest.mark.parametrize("method", METHODS)
def test_targets_of_several_units_and_of_each_sample(method: str) -> None:
    x, made = inputs("image"), explainer("image", method)
    units = np.array([2, 0, 1])
    each = made.run(x, target="all").scores
    assert off(made.run(x, target=units).scores, each[units, np.arange(3)]) < EXACT
    weights = np.array([0.5, -1.0, 2.0])
    several = made.run(x, target=[0, weights, de.targets.difference(2, 1)])
    assert off(several.scores[0], each[0]) < EXACT
    for number, target in ((1, weights), (2, np.array([0.0, -1.0, 1.0]))):
        alone = made.run(x, target=de.targets.weights(target)).scores
        assert off(several.scores[number], alone) < EXACT
        if method == "grad_cam":
            activations, _ = taped("image", x, 0)
            gradients = sum(w * taped("image", x, unit)[1] for unit, w in enumerate(target))
            maps = [
                map_by_loops(method, *pair) for pair in zip(activations, gradients, strict=True)
            ]
            assert off(alone, enlarged(np.stack(maps), x.shape[1:-1])) < EXACT


@pytest.mark.parametrize("interpolation", ["linear", "nearest"])
@pytest.mark.parametrize(("old", "new"), [((5, 4), (13, 12)), ((6, 7), (3, 7))])
def test_images_are_resized_as_by_tensorflow(
    interpolation: str, old: tuple[int, int], new: tuple[int, int]
) -> None:
    maps = np.random.default_rng(0).normal(size=(2, 3, *old)).astype("float32")
    flat = tf.image.resize(
        maps.reshape(6, *old, 1), new, "bilinear" if interpolation == "linear" else "nearest"
    )
    expected = flat.numpy().reshape(2, 3, *new)
    found = resized(maps, new, 2, interpolation)
    assert found.dtype == np.float32
    assert off(found, expected) < 1e-6


def test_a_channel_without_differences_is_a_mask_that_hides_everything() -> None:
    """At another size too, where rounding must not be taken for a difference."""
    masks = np.full((1, 2, 3, 4), 0.1)
    masks[0, 1] += np.arange(4)
    found = from_0_to_1(resized(masks, (11, 13), 2))
    assert not found[0, 0].any()
    assert found[0, 1].min() == 0
    assert found[0, 1].max() == 1


# ---------------------------------------------------------------- layers and sizes


def test_layers_by_name_and_sizes_by_hand() -> None:
    x = inputs("image")
    found = explainer("image", "grad_cam", layers=("pool", "last"), resize=(9, 8)).run(x, target=0)
    assert set(found.scores) == {"pool", "last"}
    assert found.settings["layers"] == ["pool", "last"]
    small = explainer("image", "grad_cam", layers="last", resize=None).run(x, target=0).scores
    assert off(found.scores["last"], enlarged(small, (9, 8))) < EXACT
    nearest = explainer("image", "grad_cam", interpolation="nearest").run(x, target=0).scores
    assert off(nearest, enlarged(small, x.shape[1:-1], order=0)) < EXACT
    both = explainer("image", "guided_grad_cam", layers=("pool", "last")).run(x, target=0)
    for layer, scores in both.scores.items():
        alone = explainer("image", "guided_grad_cam", layers=layer).run(x, target=0).scores
        assert off(scores, alone) < EXACT


def test_the_last_convolution_in_front_of_the_target_is_taken() -> None:
    x = inputs("image")
    found = network("image").explainer("grad_cam", target="pool", resize=None)
    result = found.run(x, target=(0, slice(None), 1))
    assert result.settings["layers"] == ["first"]
    assert result.scores.shape == (3, 10, 8)


@pytest.mark.parametrize(
    ("behind", "taken"),
    [
        ([L.Dropout(0.5, name="drop")], "last"),
        ([L.Dropout(0.5, name="drop"), L.ReLU(name="act"), L.SpatialDropout2D(0.5)], "act"),
        ([L.MaxPooling2D(2), L.ReLU(name="act")], "last"),
        ([L.DepthwiseConv2D(2, name="wide"), L.BatchNormalization(name="norm")], "norm"),
    ],
)
def test_what_belongs_to_a_convolution(behind: list[Any], taken: str) -> None:
    source = keras.Input((9, 8, 2))
    x = L.Conv2D(3, 3, name="last")(source)
    for layer in behind:
        x = layer(x)
    net = de.convert(keras.Model(source, L.Dense(1)(L.Flatten()(x))))
    found = net.explainer("grad_cam", resize=None).run(np.ones((1, 9, 8, 2)))
    assert found.settings["layers"] == [taken]


def channels_first(first: bool, rank: int) -> Any:
    """One model in both layouts: convolutions, normalisation, two ways that are added."""
    data_format = "channels_first" if first else "channels_last"
    conv = functools.partial(
        (L.Conv1D, L.Conv2D)[rank - 1], padding="same", data_format=data_format
    )
    sizes = (9, 8)[:rank]
    x = source = keras.Input((3, *sizes) if first else (*sizes, 3))
    x = conv(4, 3, activation="relu", name="before")(x)
    y = conv(4, 3, name="side")(x)
    x = L.Add(name="joined")([x, y])
    x = conv(5, 2, name="last")(x)
    x = L.BatchNormalization(axis=1 if first else -1, name="norm")(x)
    x = L.Dropout(0.5)(L.Activation("relu", name="after")(x))
    pool = (L.GlobalAveragePooling1D, L.GlobalAveragePooling2D)[rank - 1]
    return keras.Model(source, L.Dense(2)(pool(data_format=data_format)(x)))


@functools.cache
def both_layouts(rank: int) -> tuple[de.Network, de.Network, Any]:
    """That model's networks, channels last and first, and inputs of the former."""
    keras.utils.set_random_seed(5)
    last, first = channels_first(False, rank), channels_first(True, rank)
    generator = np.random.default_rng(6)  # mostly positive: no map of these is zeros
    drawn = [generator.uniform(-0.2, 1, w.shape) for w in last.get_weights()]
    last.set_weights([w if w.ndim > 1 else np.abs(w) for w in drawn])
    first.set_weights(last.get_weights())
    x = generator.uniform(-0.2, 1, size=(2, *last.input_shape[1:]))
    return de.convert(last, dtype="float64"), de.convert(first, dtype="float64"), x


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_channels_first_models_have_the_same_maps(method: str, rank: int) -> None:
    last, first, x = both_layouts(rank)
    moved = np.moveaxis(x, -1, 1)
    for layers in (None, "joined", "side"):
        maps = [
            network.explainer(method, layers=layers).run(data, target=1)
            for network, data in ((last, x), (first, moved))
        ]
        expected, found = (one.scores for one in maps)
        assert maps[0].settings["layers"] == maps[1].settings["layers"] == [layers or "after"]
        if method == "guided_grad_cam":
            found = np.moveaxis(found, 1, -1)
        assert np.abs(expected).max() > 0
        assert off(found, expected) < EXACT


def test_the_input_whose_positions_they_are_is_found() -> None:
    row, picture = keras.Input((4,), name="row"), keras.Input((8, 6, 2), name="picture")
    x = L.Conv2D(3, 3, activation="relu", name="conv")(picture)
    model = keras.Model([row, picture], L.Dense(2)(L.Concatenate()([row, L.Flatten()(x)])))
    generator = np.random.default_rng(0)
    data = [generator.normal(size=(2, 4)), generator.normal(size=(2, 8, 6, 2))]
    net = de.convert(model, dtype="float64")
    for method in METHODS:
        found = net.explainer(method).run(data, target=0).scores
        assert found.shape == ((2, 8, 6, 2) if method == "guided_grad_cam" else (2, 8, 6))
        alone = net.explainer(method).run([part[1:] for part in data], target=0).scores
        assert off(found[1:], alone) < EXACT


def test_two_images_in_front_of_a_layer_have_no_common_size() -> None:
    first, second = keras.Input((8, 6, 2), name="one"), keras.Input((8, 6, 2), name="two")
    x = L.Conv2D(3, 3, activation="relu", name="conv")(L.Concatenate()([first, second]))
    net = de.convert(keras.Model([first, second], L.Dense(2)(L.Flatten()(x))), dtype="float64")
    with pytest.raises(InputError, match=r"'conv' has 2 axes of positions.* resize=None"):
        net.explainer("grad_cam")
    data = [np.ones((1, 8, 6, 2))] * 2
    assert net.explainer("grad_cam", resize=None).run(data, target=0).scores.shape == (1, 6, 4)


def test_maps_over_tokens() -> None:
    source = keras.Input((9,), dtype="int32")
    x = L.Conv1D(4, 3, activation="relu", name="conv")(L.Embedding(7, 5)(source))
    net = de.convert(keras.Model(source, L.Dense(1)(L.GlobalMaxPooling1D()(x))), dtype="float64")
    tokens = np.arange(18).reshape(2, 9) % 7
    small = net.explainer("layer_cam", resize=None).run(tokens).scores
    assert off(net.explainer("layer_cam").run(tokens).scores, enlarged(small, (9,))) < EXACT
    for method in ("score_cam", "guided_grad_cam"):
        with pytest.raises(InputError, match=r"'conv' reads.* tokens.* take the method grad_cam"):
            net.explainer(method)


# ---------------------------------------------------------------- what is refused


def test_a_model_without_convolutions_needs_a_layer() -> None:
    net = de.convert(
        keras.Sequential(
            [
                keras.Input((6, 2)),
                L.LSTM(4, return_sequences=True, name="steps"),
                L.GlobalMaxPooling1D(),
                L.Dense(1, name="end"),
            ]
        )
    )
    with pytest.raises(InputError, match=r"no convolution in front of 'end'.* as layers="):
        net.explainer("grad_cam")
    x = np.ones((1, 6, 2))
    assert net.explainer("grad_cam", layers="steps").run(x).scores.shape == (1, 6)


@pytest.mark.parametrize("method", METHODS)
def test_layers_without_positions_are_refused(method: str) -> None:
    flat = next(name for name in network("image").nodes if name.startswith("flatten"))
    with pytest.raises(InputError, match=r"positions and channels, but 'flat.*' gives float64"):
        network("image").explainer(method, layers=flat)


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("grad_cam", {"resize": (4,)}, r"2 sizes of 1 or more for 'last', not \(4,\)"),
        ("grad_cam", {"resize": 4}, "not 4"),
        ("grad_cam", {"resize": (4, 0)}, r"not \(4, 0\)"),
        ("grad_cam", {"resize": "output"}, "not 'output'"),
        ("layer_cam", {"interpolation": "cubic"}, "one of linear, nearest, not 'cubic'"),
        ("score_cam", {"channels": 0}, "1 or more, or None, not 0"),
        ("grad_cam", {"softmax": True}, "grad_cam takes no option 'softmax'"),
        ("grad_cam", {"weights": "layer_cam"}, "grad_cam takes no option 'weights'"),
    ],
)
def test_options_that_make_no_sense(method: str, options: Any, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        network("image").explainer(method, **options)


def test_gradient_maps_take_no_references() -> None:
    with pytest.raises(InputError, match="grad_cam compares with no references"):
        explainer("image", "grad_cam").run(inputs("image"), target=0, references=0.0)


def test_feature_explanations_are_the_means_of_what_is_rare() -> None:
    """Fuad 2020: a position counts where it is K deviations above its channel's mean."""
    x = inputs("image")
    activations, _ = taped("image", x, 0)
    found = explainer("image", "fem", resize=None).run(x, target=[0, 2]).scores
    one = explainer("image", "fem", resize=None, factor=1.0).run(x, target=0).scores
    for factor, scores in ((2.0, found[0]), (1.0, one)):
        for values, own in zip(activations, scores, strict=True):
            total = np.zeros(values.shape[:2])
            for channel in np.moveaxis(values, -1, 0):
                total += channel.mean() * (channel >= channel.mean() + factor * channel.std())
            assert off(own, total) < EXACT
    assert off(found[1], found[0]) == 0
    assert explainer("image", "fem").run(x, target=0).scores.shape == (3, 12, 10)
