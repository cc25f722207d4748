"""Options of all methods and metrics, given what none of them can be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine import evaluate
from deeplift_engine.cli import value_syntax as values
from deeplift_engine.engine.probe_inputs import random_inputs
from deeplift_engine.errors import DeepliftEngineError, InputError, ReferencesError, RuleError
from deeplift_engine.util import options

L = keras.layers

BAD: Mapping[str, Any] = {
    "text": "nonsense",
    "none": None,
    "empty": [],
    "mapping": {"a": 1},
    "nan": float("nan"),
    "negative": -1,
    "fraction": 1.5,
    "huge": 10**30,
    "array": np.full((2, 3), np.nan),
    "ragged": [1, [2]],
    "object": object(),
}
CHEAP = {
    "steps": 2,
    "most_steps": 4,
    "samples": 4,
    "repeats": 2,
    "cells": 2,
    "groups": "positions",
    "positions": [2, 3],
    "layer": "units",
    "size": (8, 8),
}
"""Instead of defaults, so that runs take no time; and what must be given."""


@cache
def network(image: bool = False) -> de.Network:
    keras.utils.set_random_seed(0)
    shape = (9, 8, 3) if image else (6, 4)
    kernel = L.Conv2D(2, 3, activation="relu") if image else L.Conv1D(3, 3, activation="relu")
    last = [L.Flatten(), L.Dense(3, activation="relu", name="units"), L.Dense(2)]
    return de.convert(keras.Sequential([keras.Input(shape), kernel, *last]))


def samples(image: bool = False) -> Any:
    generator = np.random.default_rng(0)
    if image:
        return generator.normal(size=(2, 9, 8, 3))
    return np.eye(4)[generator.integers(4, size=(2, 6))]


@cache
def patterns() -> Any:
    return de.fit_patterns(network(), np.random.default_rng(1).normal(size=(40, 6, 4)))


def base(name: str) -> dict[str, Any]:
    """Options with which a method may be made."""
    found = {option: CHEAP[option] for option in de.methods()[name].options if option in CHEAP}
    if name == "xrai":
        found["of"] = "gradient"
    if "patterns" in de.methods()[name].options:
        found["patterns"] = patterns()
    if name == "concept_sensitivity":
        found["vector"] = [1.0, 2.0, 3.0]
    return found


METHODS = [(name, option) for name, method in de.methods().items() for option in method.options]
FIRST = {(de.methods()[name].make, option): name for name, option in reversed(METHODS)}
"""Of the methods that are one class with other constants, the one that is run."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "option"), METHODS, ids=lambda part: part)
def test_a_method_takes_an_option_or_says_what_it_may_be(name: str, option: str) -> None:
    method, image = de.methods()[name], name == "xrai"
    layers = "units" if name == "concept_sensitivity" else None
    for value in BAD.values():
        if value is None and method.options[option].default is None:
            continue
        chosen = base(name) | {option: value}
        try:
            made = network(image).explainer(name, layers=layers, fused=False, **chosen)
            if FIRST[method.make, option] != name:
                continue
            found = made.run(samples(image), target=0, progress=False)
        except DeepliftEngineError:
            continue
        assert np.isfinite(found.scores).all(), (option, value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", evaluate.METRICS)
def test_a_metric_takes_an_option_or_says_what_it_may_be(name: str) -> None:
    metric = evaluate.METRICS[name]
    bench = evaluate.Bench(network(), samples(), target=0, groups="positions")
    subject = bench.run("gradient")
    for option, said in metric.options.items():
        for label, value in BAD.items():
            if value is None and said.default is None:
                continue
            try:
                found = metric(subject, **{option: value})
            except DeepliftEngineError:
                continue
            assert label in ("fraction", "huge"), (option, value)
            assert np.isfinite(found.values).all()


def test_a_comparison_reads_the_options_of_metrics_before_it_scores() -> None:
    nothing: Any = None  # data that would be refused later
    for name, wrong in (
        ("sensitivity_n", {"draws": "abc"}),
        ("sensitivity_n", {"seed": -1}),
        ("deletion", {"steps": 2.5}),
        ("log_odds_drop", {"fraction": "abc"}),
        ("max_sensitivity", {"radius": "abc"}),
        ("randomisation", {"seed": "abc"}),
    ):
        with pytest.raises(RuleError, match=f"^{next(iter(wrong))} is a"):
            de.compare(network(), nothing, metrics=[(name, wrong)])


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("name", "chosen", "message"),
    [
        ("integrated_gradients", {"steps": 2.0}, "steps is a whole number of 1 or more, not 2.0."),
        ("integrated_gradients", {"steps": 6000}, "steps is a whole number from 1 to 5000"),
        ("integrated_gradients", {"steps": True}, "not True"),
        ("layer_conductance", {"steps": 0}, "steps is a whole number of 1 or more, not 0."),
        (
            "integrated_gradients",
            {"tolerance": 0.1, "steps": 50, "most_steps": 10},
            "most_steps=10 is below steps=50",
        ),
        ("gradient", {"times_input": "no"}, "times_input is True or False, not 'no'."),
        ("smoothgrad", {"of_options": "steps"}, "of_options is a mapping of names to values"),
        ("smoothgrad", {"of": 3}, "of is a name, not 3."),
        ("smoothgrad", {"seed": -1}, "seed is a whole number of 0 or more, not -1."),
        ("lime", {"seed": None}, "seed is a whole number of 0 or more, not None."),
        ("rise", {"keep": 1}, "keep is a finite number above 0 and below 1, not 1."),
        ("score_cam", {"channels": "a"}, "channels is a whole number of 1 or more, or None"),
        ("xrai", {"size": (3,)}, "size is a list of 2, each a whole number of 1 or more, or None"),
        ("deep_taylor", {"high": 1.0}, "z_box needs low= and high="),
        ("contrastive_lrp", {"high": 1.0}, "z_box needs low= and high="),
        ("lrp_alpha_beta", {"alpha": float("nan")}, "alpha is a finite number, not nan."),
        (
            "concept_sensitivity",
            {"vector": [1, 2, 3], "concept": np.ones((3, 3))},
            "Give vector= alone",
        ),
        ("occlusion", {"way": "pairs"}, "way is one of auto, incremental, whole, not 'pairs'."),
        ("neuron_conductance", {"layer": "units", "unit": [1, 2]}, "unit is one target, not a"),
        ("pattern_net", {"patterns": 3}, "deeplift_engine.fit_patterns(network, x)"),
        (
            "gradient",
            {"part": np.ones((9, 9))},
            "part is one of signed, absolute, squared, not an array of shape (9, 9) and dtype",
        ),
        (
            "gradient",
            {"nowhere": 1},
            "gradient takes no option 'nowhere'. It takes: part, times_input",
        ),
    ],
)
def test_an_error_says_what_was_expected(name: str, chosen: Any, message: str) -> None:
    if "part" in chosen:
        name = "gradient_times_input"
    with pytest.raises(RuleError, match=re.escape(message)):
        network(name == "xrai").explainer(name, **chosen)


def test_what_resembles_no_method_is_not_answered_with_all_of_them() -> None:
    with pytest.raises(RuleError, match=r"There is no method 'qqq'\. deeplift_engine\.methods\(\)"):
        network().explainer("qqq")


@pytest.mark.parametrize("value", [0, 2.0, "a", float("nan"), True, [], 10**30])
def test_a_batch_size_is_a_whole_number(value: Any) -> None:
    made = network().explainer("gradient")
    with pytest.raises(InputError, match="batch_size is a whole number"):
        made.run(samples(), target=0, batch_size=value)


def test_groups_of_another_number_of_samples_are_refused() -> None:
    made = network().explainer("feature_ablation", groups=np.zeros((5, 6, 4), int))
    with pytest.raises(RuleError, match=r"shape \(5, 6, 4\)"):
        made.run(samples(), target=0)


# ---------------------------------------------------------------- numpy's numbers


def test_numbers_of_numpy_are_as_those_of_python() -> None:
    for name, chosen in (
        ("smoothgrad", {"seed": np.int64(3), "noise": np.float32(0.5), "samples": np.int32(4)}),
        ("gradient", {"times_input": np.True_}),
        ("saturation_mutagenesis", {"positions": np.arange(2, 4)}),
    ):
        plain = {key: np.asarray(value).tolist() for key, value in chosen.items()}
        found, expected = (
            network().explainer(name, **given).run(samples(), target=0) for given in (chosen, plain)
        )
        np.testing.assert_array_equal(found.scores, expected.scores)
        assert found.settings["options"] == expected.settings["options"]


def test_a_seed_of_numpy_shuffles_as_that_of_python() -> None:
    made = network().explainer("deeplift")
    found, expected = (
        made.run(samples(), target=0, references=de.references.shuffle(3, seed=seed)).scores
        for seed in (np.int64(3), 3)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, float("nan"), True])
@pytest.mark.parametrize("kind", ["shuffle", "dinucleotide_shuffle", "kmer_shuffle", "gc_matched"])
def test_a_seed_of_references_is_a_whole_number(kind: str, seed: Any) -> None:
    with pytest.raises(ReferencesError, match="seed is a whole number of 0 or more, not "):
        getattr(de.references, kind)(3, seed=seed)
    with pytest.raises(ReferencesError, match="seed is a whole number of 0 or more, not "):
        de.references.drawn(samples(), 2, seed=seed)


def test_random_inputs_take_a_seed_that_numpy_takes() -> None:
    with pytest.raises(InputError, match="seed is a whole number of 0 or more, not -1"):
        random_inputs(network().inputs, "float32", seed=-1)


@pytest.mark.parametrize("text", ["no", "off", "False", "false", "yes", "on", "TRUE"])
def test_words_for_true_and_false_of_the_command_line(text: str) -> None:
    name, made = values.option(f"relu={text}")
    assert name == "relu"
    assert made() is (text.lower() in ("yes", "on", "true"))


# ---------------------------------------------------------------- kinds


@pytest.mark.parametrize("value", range(-4, 5))
def test_a_whole_number_lies_within_its_bounds(value: int) -> None:
    assert options.fits(value, options.Integer(-2, 1)) == (-2 <= value <= 1)
    assert options.fits(value, options.Integer(most=1)) == (value <= 1)
    assert options.fits(value, options.Number(above=-2, below=1)) == (-2 < value < 1)
    assert options.fits(value, options.Number(least=-2, most=1)) == (-2 <= value <= 1)
    assert options.checked("x", np.int8(value), options.OrNone(options.Integer())) == value


def test_annotations_say_the_kind() -> None:
    class Made:
        def __init__(
            self,
            *,
            count: options.Count = 1,
            flag: bool | None = None,
            words: Annotated[str, "of no kind"] = "",
            either: str | int | None = None,
        ) -> None: ...

    found = options.constraints(Made)
    assert found["count"] == options.Integer(1)
    assert found["flag"] == options.OrNone(options.Boolean())
    assert found["words"] == found["either"] == options.Constraint()


def test_every_option_of_a_plain_type_has_a_kind() -> None:
    for name, method in de.methods().items():
        known = options.constraints(method.make)
        for option in method.options.values():
            if isinstance(option.default, bool | int | float) and option.name != "groups":
                loose = options.Constraint()
                assert known[option.name] != loose or option.name in ("window", "stride"), name
