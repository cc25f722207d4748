"""Names that other packages, or other calls, have for methods, arguments and layers."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, ReferencesError, RuleError
from deeplift_engine.explainers import other_words
from deeplift_engine.explainers.catalogue import OTHER_PACKAGES, TABLE

L = keras.layers
X = np.eye(4)[np.random.default_rng(0).integers(0, 4, (3, 6))]


@cache
def model() -> Any:
    keras.utils.set_random_seed(0)
    hidden = L.Conv1D(2, 3, activation="relu", name="conv")
    return keras.Sequential([L.Input((6, 4)), hidden, L.Flatten(), L.Dense(1)])


@cache
def net() -> de.Network:
    return de.convert(model())


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("DeepLIFT", "deeplift"),
        ("deep_lift", "deeplift"),
        ("ig", "integrated_gradients"),
        ("IntegratedGradients", "integrated_gradients"),
        ("Grad-CAM", "grad_cam"),
        ("GradientShap", "expected_gradients"),
        ("lrp.epsilon", "lrp_epsilon"),
        ("ISM", "saturation_mutagenesis"),
        ("InputXGradient", "gradient_times_input"),
        ("KernelExplainer", "kernel_shap"),
        ("deep_lift_shap", "deepshap"),
    ],
)
def test_methods_of_other_packages_are_told_by_their_name_here(name: str, here: str) -> None:
    with pytest.raises(RuleError, match=f"no method '{name}': it is called '{here}' here"):
        net().explainer(name)


def test_rules_are_no_methods_and_other_names_lead_to_methods() -> None:
    with pytest.raises(RuleError, match="method 'deeplift' with rules='genomics_default'"):
        net().explainer("genomics_default")
    assert set(OTHER_PACKAGES.values()) <= set(TABLE)


@pytest.mark.parametrize(
    ("method", "option", "way"),
    [
        ("deeplift", "baseline", r"references= of run\(\)"),
        ("integrated_gradients", "baselines", r"run\(x, references=\.\.\.\)"),
        ("deeplift", "references", r"references= of run\(\)"),
        ("integrated_gradients", "n_steps", "option steps= of the method"),
        ("smoothgrad", "nt_samples", "option samples= of the method"),
        ("occlusion", "sliding_window_shapes", "option window= of the method"),
        ("gradient", "batch_size", r"batch_size= of run\(\)"),
        ("gradient", "nothing", "It takes: part"),
    ],
)
def test_options_that_belong_elsewhere(method: str, option: str, way: str) -> None:
    with pytest.raises(RuleError, match=f"{method} takes no option '{option}'.*{way}"):
        net().explainer(method, **{option: 1})


@pytest.mark.parametrize(
    ("argument", "way"),
    [
        ("baseline", r"run\(x, references=\.\.\.\)"),
        ("background", "references="),
        ("steps", r"option steps= of the method"),
        ("n_steps", r"option steps= of the method"),
        ("layers", r"layers= of explainer\(\)"),
        ("class_idx", r"run\(x, target=\.\.\.\)"),
        ("batchsize", "Near it: batch_size"),
    ],
)
def test_arguments_of_a_run_that_belong_elsewhere(argument: str, way: str) -> None:
    explainer: Any = net().explainer("integrated_gradients")
    with pytest.raises(InputError, match=f"takes no argument '{argument}'.*{way}"):
        explainer.run(X, **{argument: 1})


@pytest.mark.parametrize(
    ("argument", "way"),
    [
        ("layers", r"network\.activations\(x, layers=\.\.\.\) gives"),
        ("layer", r"network\.activations\(x, layers=\.\.\.\) gives"),
        ("verbose", r"It is progress= here"),
        ("target", r"explainer\.run\(x, target=\.\.\.\)"),
        ("batchsize", "Near it: batch_size"),
        ("nothing", "It takes: x, batch_size, progress"),
    ],
)
def test_arguments_of_predict_that_belong_elsewhere(argument: str, way: str) -> None:
    network: Any = net()
    with pytest.raises(InputError, match=rf"predict\(\) takes no argument '{argument}'\. .*{way}"):
        network.predict(X, **{argument: 1})


def test_the_words_of_a_run_are_those_of_its_signature() -> None:
    names = list(inspect.signature(de.Explainer.run).parameters)
    assert names == ["self", *other_words.RUN, "others"]
    names = list(inspect.signature(de.Network.predict).parameters)
    assert names == ["self", *other_words.PREDICT, "others"]


@pytest.mark.parametrize(
    "references",
    [
        de.references.shuffle,
        de.references.zeros,
        de.references.constant,
        de.references.combined(de.references.gc_matched, 0),
    ],
)
def test_references_that_were_not_called(references: Any) -> None:
    with pytest.raises(ReferencesError, match=r"was not called: give references\.\w+\(\.\.\.\)"):
        net().explainer().run(X, references=references)


def test_references_as_text() -> None:
    with pytest.raises(ReferencesError, match=r"as references\.shuffle\(20\), not str 'shuffle'"):
        net().explainer().run(X, references="shuffle")


@pytest.mark.parametrize("layers", [0, [0], None, model, [None]])
def test_layers_that_are_no_names(layers: Any) -> None:
    value = [layers().layers[0]] if callable(layers) else layers
    with pytest.raises(InputError, match=r"told by its name, not by .*give ('conv'|its name)"):
        net().activations(X, value)
    if value is not None:
        with pytest.raises(InputError, match="told by its name"):
            net().explainer(layers=value)


def test_a_single_layer_needs_no_list() -> None:
    found = net().activations(X, "conv")
    np.testing.assert_array_equal(found["conv"], net().activations(X, ["conv"])["conv"])
