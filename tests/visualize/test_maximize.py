"""Inputs that are grown: never below the start, planted motifs and filters come back."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.cli import main
from deeplift_engine.errors import ConvergenceWarning, InputError
from deeplift_engine.genomics.constraints import Constraints
from deeplift_engine.visualize import Letters, Pixels, maximize
from deeplift_engine.visualize.pixel_form import GrownPixels, sampled

L = keras.layers
LENGTH, MOTIF = 30, "TGACTCA"


@functools.cache
def images() -> keras.Model:
    keras.utils.set_random_seed(0)
    x = source = keras.Input((12, 10, 3), name="pixels")
    x = L.Conv2D(4, 3, activation="tanh", name="conv")(x)
    return keras.Model(source, L.Dense(2)(L.Flatten()(x)))


@functools.cache
def motifs() -> keras.Model:
    """The logit counts the letters of the best match of a motif, and takes G and C off a little."""
    source = keras.Input((LENGTH, 4), name="letters")
    scan = L.Conv1D(1, len(MOTIF), use_bias=False, name="scan")
    rest = L.Conv1D(1, 1, use_bias=False, name="rest")
    best = L.GlobalMaxPooling1D()(scan(source))
    model = keras.Model(source, L.Add()([best, L.GlobalAveragePooling1D()(rest(source))]))
    scan.set_weights([np.eye(4)[["ACGT".index(letter) for letter in MOTIF]][..., np.newaxis]])
    rest.set_weights([np.array([[[0.0], [-0.5], [-0.5], [0.0]]])])
    return model


@functools.cache
def network(letters: bool = False) -> de.Network:
    return de.convert(motifs() if letters else images())


@pytest.mark.parametrize(
    "form",
    [
        Pixels(jitter=1),
        pytest.param(
            Pixels(fourier=False, colours=False, low=None, high=None, jitter=0, scale=0, rotate=0),
            marks=pytest.mark.slow,
        ),
        Pixels(low=-1, high=[1, 2, 3], total_variation=5.0, norm=2.0, power=2.0),
    ],
)
def test_images_rise_and_never_end_below_their_start(form: Pixels) -> None:
    found = maximize(network(), units=[0, 1], form=form, samples=2, steps=6, seed=1)
    assert found.inputs.shape == (2, 2, 12, 10, 3)
    assert found.history.shape == (7, 2, 2)
    assert (found.values >= found.history.max(axis=0) - 1e-6).all()
    assert (found.values > found.history[0]).all()
    predicted = images().predict(found.inputs.reshape(-1, 12, 10, 3), verbose=0)
    expected = predicted.reshape(2, 2, 2)[[0, 1], :, [0, 1]]
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-5)
    if form.low is not None:
        assert (found.inputs >= form.low).all()
        assert (found.inputs <= form.high).all()


def test_a_linear_channel_grows_to_its_bounds() -> None:
    """Of a linear target the best image in bounds is known: the sign of each weight."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4, 3)), L.Flatten(), L.Dense(1)])
    weights = model.get_weights()[0].reshape(4, 3)
    form = Pixels(fourier=False, colours=False, jitter=0, scale=0, rotate=0, low=-1, high=1)
    found = maximize(de.convert(model), form=form, steps=60, learning_rate=1.0)
    assert found.values[0] > 0.99 * np.abs(weights).sum()
    np.testing.assert_array_equal(np.sign(found.inputs[0]), np.sign(weights))


def test_a_start_is_kept_where_nothing_is_better() -> None:
    """The sign of the weights is the best there is; ascent begins at it, and ends at it."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4, 3)), L.Flatten(), L.Dense(1)])
    x = np.sign(model.get_weights()[0].reshape(1, 4, 3))
    found = maximize(de.convert(model), x=x, form=Pixels(low=-1, high=1), steps=5)
    np.testing.assert_array_equal(found.inputs, x)
    assert found.values[0] == found.history[0, 0] >= found.history.max()


def test_parameters_of_an_image_stand_for_it_in_every_layout() -> None:
    image = np.random.default_rng(0).uniform(0.1, 0.9, (2, 6, 5, 3))
    for shape in ((None, 6, 5, 3), (None, 6, 3), (None, 7)):
        source = keras.Input(shape[1:])
        info = de.convert(keras.Model(source, L.Dense(1)(L.Flatten()(source)))).inputs[0]
        size = tuple(shape[1:])
        x = np.resize(image, (2, *size)).astype("float32")
        for form in (Pixels(), Pixels(fourier=False, colours=False), Pixels(low=None, high=None)):
            grown = GrownPixels(form, info, size, x, 2, 0)
            np.testing.assert_allclose(np.asarray(grown.points()), x, atol=2e-5)


def test_looks_at_an_image_are_bilinear() -> None:
    image = np.random.default_rng(0).normal(size=(1, 5, 6, 2))
    same = sampled(tf.constant(image), np.eye(2)[np.newaxis], np.zeros((1, 2)))
    np.testing.assert_allclose(same, image, atol=1e-12)
    half = sampled(tf.constant(image), np.eye(2)[np.newaxis], np.array([[0.5, 0.0]]))
    expected = (image[:, :-1] + image[:, 1:]) / 2
    np.testing.assert_allclose(half[:, :-1], expected, atol=1e-12)
    turned = sampled(
        tf.constant(image[:, :, :5]), np.array([[[0.0, -1], [1, 0]]]), np.zeros((1, 2))
    )
    np.testing.assert_allclose(turned, np.rot90(image[:, :, :5], 1, (2, 1)), atol=1e-12)


@pytest.mark.parametrize("by", ["gradient", pytest.param("mutation", marks=pytest.mark.slow)])
def test_a_planted_motif_comes_back(by: str) -> None:
    form = Letters(by=by)
    found = maximize(network(letters=True), form=form, samples=2, steps=40, seed=2)
    assert all(MOTIF in text for text in found.texts)
    predicted = motifs().predict(found.inputs, verbose=0)[:, 0]
    np.testing.assert_allclose(found.values, predicted, atol=1e-5)
    assert (found.values >= found.history[0]).all()


@pytest.mark.parametrize("by", [pytest.param("gradient", marks=pytest.mark.slow), "mutation"])
def test_constraints_hold_at_the_end(by: str) -> None:
    """The best word is forbidden, the network wants no G and C, and five positions are fixed."""
    form = Letters(by=by, fixed=range(5), gc=(0.4, 0.6), forbidden=[MOTIF, "AAA"])
    found = maximize(network(letters=True), form=form, samples=3, steps=15, seed=3)
    begun = form.constraints.draw(3, LENGTH, np.random.default_rng(3))
    for text, codes in zip(found.texts, begun, strict=True):
        assert MOTIF not in text
        assert "AAA" not in text
        assert 12 <= sum(letter in "GC" for letter in text) <= 18
        assert text[:5] == "".join("ACGT"[code] for code in codes[:5])
    assert (found.values > found.history[0]).all()


def test_single_changes_that_are_allowed_are_those_that_keep_all_constraints() -> None:
    rules = Constraints([1], (0.3, 0.5), ["ACA", "GG"])
    codes = rules.draw(4, 10, np.random.default_rng(0))
    allowed = rules.allowed(codes)
    for (sample, position, letter), found in np.ndenumerate(allowed):
        changed = codes[sample].copy()
        changed[position] = letter
        text = "".join("ACGT"[code] for code in changed)
        share = sum(each in "GC" for each in text) / 10
        keeps = position != 1 and 0.3 <= share <= 0.5 and "ACA" not in text and "GG" not in text
        assert found == keeps


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"form": Letters(), "steps": 1}, "holds no sequences"),
        ({"steps": 0}, "whole number of 1 or more"),
        ({"input": "other"}, "name the input to grow"),
        ({"target": {"a": "logits:0"}}, "name it alone"),
        (
            {"form": "pixels"},
            r"form is Pixels\(...\), Letters\(...\) or Tokens\(...\)",
        ),
        ({"form": Pixels(low=[0, 0], high=1)}, r"bounds of shape \(2,\): expected numbers, or one"),
        ({"seed": -1}, "seed is a whole number of 0 or more"),
    ],
)
def test_what_cannot_be_grown_is_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        maximize(network(), **{"units": 0, **arguments})


def test_forms_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="the smaller first"):
        Pixels(low=1, high=0)
    for low, high in (("a", "b"), ([0, 0], [1, 1, 1]), (np.nan, 1)):
        with pytest.raises(InputError, match="expected two numbers, the smaller first"):
            Pixels(low=low, high=high)
    with pytest.raises(InputError, match="two shares"):
        Letters(gc=(40, 60))
    with pytest.raises(InputError, match="forbidden word 'AXA'"):
        Letters(forbidden=["AXA"])
    x = np.eye(4)[np.full((1, LENGTH), 3)]
    with pytest.raises(InputError, match="forbidden word TTT at position 0"):
        maximize(network(letters=True), x=x, form=Letters(forbidden=["TTT"]), steps=1)


def test_a_target_without_gradient_is_said() -> None:
    model = keras.Sequential([keras.Input((4, 3)), L.Dense(2, activation="relu"), L.Flatten()])
    model.set_weights([np.zeros((3, 2)), -np.ones(2)])
    with pytest.warns(ConvergenceWarning, match="no gradient at the inputs"):
        maximize(de.convert(model), units=0, form=Pixels(), steps=1)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((0, 2), marks=pytest.mark.slow),
        pytest.param((0, 1), marks=pytest.mark.thorough),
    ],
)
def test_the_code_of_the_page_runs(
    parts: tuple[int, ...], tmp_path: Path, monkeypatch: Any
) -> None:
    root = Path(__file__).parents[2]
    code = re.findall(r"```python\n(.*?)```", (root / "docs/VISUALIZE.md").read_text(), re.DOTALL)
    (tmp_path / "examples").symlink_to(root / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec("\n".join(code[part] for part in parts), names)
    assert (tmp_path / "grown.png").stat().st_size > 1000
    assert names["designed"].inputs.shape[0] == 3


def test_the_command_writes_inputs_and_a_figure(tmp_path: Path, capsys: Any) -> None:
    motifs().save(tmp_path / "model.keras")
    names = ("designed.npy", "designed.png")
    outputs = [part for name in names for part in ("-o", str(tmp_path / name))]
    command = ["maximize", str(tmp_path / "model.keras"), "--form", "mutation", "--samples", "2"]
    assert main([*command, "--steps", "20", "--gc", "30-60", "-q", *outputs]) == 0
    assert np.load(tmp_path / names[0]).shape == (2, LENGTH, 4)
    assert (tmp_path / names[1]).stat().st_size > 1000
    assert MOTIF in capsys.readouterr().out
    found = maximize(network(), units=0, samples=2, steps=2)
    found.figure().savefig(tmp_path / "images.png")
