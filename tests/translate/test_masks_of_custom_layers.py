"""Masks in layers that users define: passed, ended and made as Keras's own operations do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812
from keras import ops

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from tests.cases.custom_models import randomised
from tests.helpers import off

FORWARD = 1e-6  # float32, three layers
SUMS = 1e-5
IDS = np.array([[1, 2, 3, 0, 0, 0], [4, 1, 0, 2, 0, 0], [3, 3, 2, 1, 4, 0]])
IDS0 = np.array([[2, 2, 2, 2, 0, 0]] * 3)


class Own(L.Layer):
    """A layer whose call and mask are functions given to it."""

    def __init__(self, function: Any, mask: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.function, self.made = function, mask
        self.supports_masking = mask is not None

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return self.made(inputs, previous_mask) if self.made is not None else None


def network_of(
    own: L.Layer, definition: Callable[[Any], Any], *, unmasked: bool = False, both: bool = False
) -> tuple[keras.Model, de.Network]:
    """A mean over steps behind a user's layer behind one or two embeddings of the same tokens."""
    ids = keras.Input((6,), dtype="int32", name="ids")
    x: Any = L.Embedding(5, 4, mask_zero=not unmasked, name="rows")(ids)
    if both:
        x = [x, L.Embedding(5, 4, name="others")(ids)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = L.GlobalAveragePooling1D(name="mean")(own(x))
        model = randomised(keras.Model(ids, L.Dense(2, name="units")(y)))
        return model, de.convert(model, layers={own.name: definition})


def compared(model: keras.Model, network: de.Network) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = model.predict(IDS, verbose=0)
    assert off(network.predict(IDS), expected) < FORWARD
    result = network.explainer().run(IDS, references=IDS0, target=0)
    difference = network.predict(IDS)[:, 0] - network.predict(IDS0)[:, 0]
    assert off(result.scores.reshape(3, -1).sum(1), difference) < SUMS


def same(_: Any, mask: Any) -> Any:
    return mask


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 2 * x,
        lambda x: x + x,
        lambda x: -x[..., :2],
        lambda x: x[:, 1:],
        lambda x: 1 - x / 2,
    ],
)
def test_operators_and_indices_end_a_mask(function: Callable[[Any], Any]) -> None:
    compared(*network_of(Own(function, name="own"), lambda layer: function(layer.input)))


@pytest.mark.parametrize(
    ("function", "mask", "definition"),
    [
        (lambda x: 2 * x, same, lambda n: n.masked(2 * n.input, n.input.mask)),
        (
            lambda x: x[:, 1:],
            lambda x, mask: mask[:, 1:],
            lambda n: n.masked(n.input[:, 1:], n.input.mask[:, 1:]),
        ),
        (
            lambda x: x[:, ::-1],
            lambda x, mask: mask[:, ::-1],
            lambda n: n.masked(n.reverse(n.input, 1), n.reverse(n.input.mask, 1)),
        ),
        (lambda x: x, same, lambda n: n.input),
    ],
)
def test_a_layer_that_supports_masks_passes_them_on(
    function: Any, mask: Any, definition: Any
) -> None:
    compared(*network_of(Own(function, mask, name="own"), definition))


@pytest.mark.parametrize("axis", [1, -1, 2, -2])
@pytest.mark.parametrize("both", [True, False])
def test_concatenate_has_the_mask_of_keras_layer(axis: int, both: bool) -> None:
    """Beside an input without a mask, and twice the same."""
    definition = (
        (lambda layer: layer.concatenate(*layer.inputs, axis=axis))
        if both
        else (lambda layer: layer.concatenate(layer.input, layer.input, axis=axis))
    )
    joined = L.Concatenate(axis=axis)

    def pair(x: Any) -> list[Any]:
        return list(x) if isinstance(x, list | tuple) else [x, x]

    own = Own(
        lambda x: ops.concatenate(pair(x), axis),
        lambda x, mask: joined.compute_mask(pair(x), pair(mask)),
        name="own",
    )
    compared(*network_of(own, definition, both=both))


def test_a_mask_is_made_of_a_tensor() -> None:
    own = Own(lambda x: x + 1.0, lambda x, _: ops.relu(x[:, :, 0] + 0.3) != 0, name="own")

    def definition(layer: Any) -> Any:
        above = layer.apply("ReLU", layer.input[:, :, 0] + 0.3)
        return layer.masked(layer.input + 1.0, above)

    model, network = network_of(own, definition, unmasked=True)
    x = network.activations(IDS, ["rows"])["rows"]
    assert 0 < (x[:, :, 0] > -0.3).sum() < x[:, :, 0].size
    compared(model, network)


def test_a_mask_is_taken_away_from_a_layer_that_keeps_it() -> None:
    own = Own(lambda x: ops.relu(x), name="own")
    compared(*network_of(own, lambda n: n.masked(n.apply("ReLU", n.input), None)))
    compared(*network_of(Own(ops.relu, same, name="own"), lambda n: n.apply("ReLU", n.input)))


def test_an_own_class_of_a_keras_name_does_as_its_definition_says() -> None:
    own = type("UnitNormalization", (Own,), {})(lambda x: 3 * x, name="own")
    compared(*network_of(own, lambda layer: 3 * layer.input))


def test_a_mask_of_another_shape_is_refused() -> None:
    own = Own(lambda x: 2 * x, same, name="own")
    with pytest.raises(UnsupportedModelError, match=r"mask of shape \(None, 5\) does not fit"):
        network_of(own, lambda n: n.masked(n.input, n.input.mask[:, 1:]))
