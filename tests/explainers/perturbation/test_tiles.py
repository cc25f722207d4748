"""Values put together of tiles are those of whole forward passes, for all plans of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import deeplift_engine as de
from deeplift_engine.explainers.perturbation.tiles import tiled_values
from deeplift_engine.explainers.perturbation.tiles.mask_patterns import distinct
from deeplift_engine.explainers.perturbation.tiles.tile_plan import TilePlan, tile_plans
from tests.explainers.keras_nets import float64
from tests.explainers.perturbation.test_incremental import architectures, filled, stacked
from tests.helpers import off

L = keras.layers
ROUNDING = 1e-12  # of the largest score, in float64
WIDTHS = (4, 16)


def branches() -> keras.Model:
    x = source = keras.Input((30, 4))
    x = L.Conv1D(4, 5, padding="same", activation="relu")(x)
    y = L.Conv1D(4, 3, padding="same", dilation_rate=2, activation="tanh")(x)
    x = L.Concatenate()([L.Add()([x, y]), L.Multiply()([x, y])])
    x = L.AveragePooling1D(3, 2, padding="same")(x)
    return keras.Model(source, L.Dense(3)(L.GlobalAveragePooling1D()(x)))


def tokens() -> keras.Model:
    source = keras.Input((30,), dtype="int32")
    x = L.Conv1D(5, 5, activation="relu")(L.Embedding(9, 4)(source))
    return keras.Model(source, L.Dense(3)(L.GlobalMaxPooling1D()(x)))


CASES: dict[str, Callable[[], keras.Model]] = {
    "a mean over most positions": lambda: stacked(
        L.Conv1D(5, 5, activation="relu"), L.Conv1D(4, 3), L.ReLU(), L.AveragePooling1D(20)
    ),
    "strides": lambda: stacked(
        L.Conv1D(5, 6, strides=2, padding="same", activation="relu"), L.Conv1D(4, 3, strides=2)
    ),
    "branches": branches,
    "tokens": tokens,
    "images": lambda: stacked(
        L.Conv2D(4, 3, padding="same", activation="relu"),
        L.MaxPooling2D(2, padding="same"),
        L.Conv2D(3, 3, activation="elu"),
        shape=(11, 9, 3),
    ),
    "maxima of images": lambda: stacked(
        L.Conv2D(4, 3, activation="relu"), L.GlobalMaxPooling2D(), shape=(9, 8, 2)
    ),
    "letters as rows": lambda: stacked(
        L.Conv2D(5, (4, 5), activation="relu"), L.AveragePooling2D((1, 3)), shape=(4, 30, 1)
    ),
}


def plans_of(network: Any) -> list[TilePlan]:
    task = network.task("output")
    return tile_plans(task.graph, task.graph.inputs[0], task.target, WIDTHS)


def scores(network: Any, x: Any, plans: Sequence[TilePlan], **options: Any) -> Any:
    """Of permutations of cells, with tiles by one of the plans, or by none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiled_values, "GAIN", 1e-9)
        patch.setattr(tiled_values, "FEWEST", 2)
        patch.setattr(tiled_values, "tile_plans", lambda *_: list(plans))
        explainer = network.explainer("shapley_sampling", target="output", samples=6, **options)
        references = None if x.dtype.kind == "i" else de.references.shared(0.3 * x[:2] + 0.1)
        result = explainer.run(x, target=1, references=references, progress=False)
        assert any(explainer.tiled._chosen.values()) == bool(plans)
    return result.scores


def data_of(model: keras.Model) -> Any:
    random = np.random.default_rng(0)
    source = model.inputs[0]
    if source.dtype == "int32":
        return random.integers(0, 9, (2, *source.shape[1:])).astype("int32")
    return random.standard_normal((3, *source.shape[1:]))


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_whole_passes(name: str) -> None:
    with float64():
        model = filled(CASES[name]())
        network = de.convert(model, dtype="float64")
    x, plans = data_of(model), plans_of(network)
    assert plans
    expected = scores(network, x, [], groups=4)
    for plan in plans[-3:]:
        assert off(scores(network, x, [plan], groups=4), expected) < ROUNDING, plan.boxes


@settings(max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate])
@given(architectures(), st.integers(0, 100), st.integers(2, 7))
def test_any_layers_in_a_row(made: list[Callable[[], Any]], seed: int, groups: int) -> None:
    with float64():
        model = filled(stacked(*(make() for make in made)), seed)
        network = de.convert(model, dtype="float64")
    x, plans = data_of(model), plans_of(network)
    for plan in plans[-1:]:
        expected = scores(network, x, [], groups=groups)
        largest = np.abs(network.predict(x)).max()
        found = scores(network, x, [plan], groups=groups)
        assert np.abs(found - expected).max() < 1e-13 * largest + ROUNDING * np.abs(expected).max()


def test_rows_that_are_equal_are_one() -> None:
    rows = np.random.default_rng(0).random((50, 9)) < 0.2
    for several in (rows, rows * 0.3):
        first, number = distinct(several)
        assert (several[first][number] == several).all()
        assert len(first) == len(np.unique(several, axis=0))
