"""Standard errors over references, and references added until they are small."""

from __future__ import annotations

import types
import warnings
from typing import Any

import keras
import numpy as np
import pytest
from scipy import stats

import deeplift_engine as de
from deeplift_engine.engine import adaptive
from deeplift_engine.errors import ConvergenceError, ConvergenceWarning, InputError, ReferencesError
from tests.helpers import off

L = keras.layers
R = de.references
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((40, 4)),
            L.Conv1D(6, 5, activation="relu", name="conv"),
            L.MaxPooling1D(4),
            L.Flatten(),
            L.Dense(8, activation="relu"),
            L.Dense(2),
        ]
    )
    return de.convert(model, dtype="float64")


@pytest.fixture(scope="module")
def explainer(network: de.Network) -> Any:
    return network.explainer(rules="genomics_default", fused=False)


def one_hot(samples: int, seed: int = 0) -> np.ndarray:
    return np.eye(4)[np.random.default_rng(seed).integers(0, 4, (samples, 40))]


def run_quietly(explainer: Any, *given: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return explainer.run(*given, **options)


@pytest.mark.parametrize("batch_size", [None, 1, 3, 7])
@pytest.mark.parametrize("target", [0, "all"])
def test_they_are_the_spread_of_scores_kept_apart(
    explainer: Any, batch_size: int | None, target: Any
) -> None:
    x, references = one_hot(5), R.dinucleotide_shuffle(9)
    apart = explainer.run(x, target=target, references=references, average=False)
    axis = apart.axes.index("reference")
    found = explainer.run(
        x, target=target, references=references, standard_errors=True, batch_size=batch_size
    )
    expected = apart.scores.std(axis=axis, ddof=1) / 3
    assert off(found.standard_errors, expected) < ROUNDING
    mean = explainer.run(x, target=target, references=references)
    for kind in ("scores", "multipliers", "target_delta"):
        assert off(getattr(found, kind), getattr(mean, kind)) < ROUNDING
    assert mean.standard_errors is None


def test_they_are_those_of_a_shared_set_too_and_are_saved(explainer: Any, tmp_path: Any) -> None:
    x, references = one_hot(3), R.shared(one_hot(6, 1))
    apart = explainer.run(x, target=0, references=references, average=False)
    found = explainer.run(x, target=0, references=references, standard_errors=True)
    wide = stats.t.ppf(0.95, 5)
    assert off(found.half_widths(0.9), found.standard_errors * wide) < 1e-6  # of the quantile
    assert off(found.standard_errors, apart.scores.std(axis=1, ddof=1) / np.sqrt(6)) < ROUNDING
    found.save(tmp_path / "found.h5")
    loaded = de.Attribution.load(tmp_path / "found.h5")
    np.testing.assert_array_equal(loaded.standard_errors, found.standard_errors)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"references": R.shuffle(4), "average": False}, "kept apart"),
        ({"references": 0}, "1 for each sample"),
    ],
)
def test_they_need_a_mean_over_several(explainer: Any, options: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        explainer.run(one_hot(2), target=0, standard_errors=True, **options)
    mean = explainer.run(one_hot(2), target=0, references=R.shuffle(4))
    with pytest.raises(InputError, match="need standard errors"):
        mean.half_widths()


# ---------------------------------------------------------------- "auto"


@pytest.mark.parametrize("target", [1, [0, 1]])
def test_references_are_added_until_errors_are_small(explainer: Any, target: Any) -> None:
    x, tolerance = one_hot(6), 0.08
    found = explainer.run(
        x, target=target, references=R.dinucleotide_shuffle("auto", tolerance=tolerance, most=5000)
    )
    counts = found.settings["references_per_sample"]
    assert set(counts) <= {10 * 2**power for power in range(10)}
    assert len(set(counts)) > 1
    wide = stats.t.ppf(0.975, np.array(counts) - 1)[:, np.newaxis, np.newaxis]
    assert off(found.half_widths(), found.standard_errors * wide) < 1e-6
    axes = (-2, -1)
    relative = found.standard_errors.max(axes) / np.abs(found.scores).max(axes)
    assert relative.max() <= tolerance
    for sample, count in enumerate(counts):
        fixed = R.dinucleotide_shuffle(count)
        alone = explainer.run(
            x[sample : sample + 1], target=target, references=fixed, standard_errors=True
        )
        at = (..., slice(sample, sample + 1), slice(None), slice(None))
        for kind in ("scores", "multipliers", "standard_errors"):
            assert off(getattr(found, kind)[at], getattr(alone, kind)) < 1e-10
        for kind in ("target_delta", "convergence_delta"):
            there = getattr(found, kind)[..., sample : sample + 1]
            np.testing.assert_allclose(there, getattr(alone, kind), atol=1e-12)
        before = explainer.run(
            x[sample : sample + 1],
            target=target,
            references=R.dinucleotide_shuffle(max(2, count // 2)),
            standard_errors=True,
        )
        if count > 10:  # half of them were not enough
            share = before.standard_errors.max(axes) / np.abs(before.scores).max(axes)
            assert share.max() > tolerance


def test_the_sample_that_misses_its_sum_is_named_as_it_was_given(network: de.Network) -> None:
    x = np.tile(np.eye(4)[0], (4, 40, 1))  # a sequence of one letter is each of its shuffles
    x[2] = one_hot(1)[0]
    explainer = network.explainer("integrated_gradients", rule="left", steps=1)
    references = R.shuffle("auto", tolerance=0.2, most=5000)
    with (
        pytest.warns(de.errors.DegenerateReferenceWarning, match="sample 0 equal the sample"),
        pytest.raises(ConvergenceError, match="worst in sample 2 "),
    ):
        explainer.run(x, target=0, references=references, strict=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = explainer.run(x, target=0, references=references)
    assert [str(each.message).count("worst in") for each in caught].count(1) == 1
    assert found.settings["references_per_sample"][2] > 10
    assert found.relative_error.argmax() == 2


def test_a_last_round_may_be_of_one_reference(explainer: Any) -> None:
    x = one_hot(2)
    references = R.dinucleotide_shuffle("auto", tolerance=1e-9, most=11)
    found = run_quietly(explainer, x, target=0, references=references)
    fixed = R.dinucleotide_shuffle(11)
    alone = explainer.run(x, target=0, references=fixed, standard_errors=True)
    for kind in ("scores", "standard_errors", "target_delta"):
        assert off(getattr(found, kind), getattr(alone, kind)) < 1e-10


def test_neighbours_order_and_batches_change_nothing(explainer: Any) -> None:
    x, references = one_hot(6), R.shuffle("auto", tolerance=0.1, most=300)
    whole = run_quietly(explainer, x, target=0, references=references)
    order = np.array([4, 1, 0])
    part = run_quietly(explainer, x[order], target=0, references=references, batch_size=4)
    assert off(part.scores, whole.scores[order]) < 1e-10
    assert off(part.standard_errors, whole.standard_errors[order]) < 1e-10


def test_a_most_that_is_not_enough_is_said(explainer: Any) -> None:
    references = R.shuffle("auto", tolerance=1e-4, most=24)
    with pytest.warns(ConvergenceWarning, match=r"After 24 references .* of 3 of 3 samples"):
        found = explainer.run(one_hot(3), target=0, references=references)
    assert found.settings["references_per_sample"] == [24, 24, 24]
    exact = explainer.run(one_hot(3), target=0, references=R.shuffle(24), standard_errors=True)
    assert off(found.scores, exact.scores) < 1e-10
    assert off(found.standard_errors, exact.standard_errors) < 1e-10


def test_what_cannot_be_open_is_refused(network: de.Network, explainer: Any) -> None:
    x = one_hot(2)
    with pytest.raises(InputError, match="leave average=True"):
        explainer.run(x, target=0, references=R.shuffle("auto"), average=False)
    drawn = network.explainer("expected_gradients")
    with pytest.raises(ReferencesError, match="this method does not add references"):
        drawn.run(x, target=0, references=R.shuffle("auto"))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("integrated_gradients", {"steps": 8}),
        ("integrated_gradients", {"steps": 8, "layers": "conv"}),
        ("guided_integrated_gradients", {"steps": 8}),
        ("layer_conductance", {"steps": 8, "layers": "conv"}),
    ],
)
def test_methods_along_paths_add_references_too(
    network: de.Network, method: str, options: dict[str, Any]
) -> None:
    x, explainer = one_hot(4), network.explainer(method, **options)
    references = R.shuffle("auto", tolerance=0.12, most=300)
    found = run_quietly(explainer, x, target=1, references=references)
    axes = (-2, -1)
    share = found.standard_errors.max(axes) / np.abs(found.scores).max(axes)
    assert share.max() <= 0.12
    for sample, count in enumerate(found.settings["references_per_sample"]):
        rows = slice(sample, sample + 1)
        alone = run_quietly(explainer, x[rows], target=1, references=R.shuffle(count))
        assert off(found.scores[rows], alone.scores) < 1e-10
        assert off(found.standard_errors[rows], alone.standard_errors) < 1e-10
        np.testing.assert_allclose(found.target_delta[rows], alone.target_delta, atol=1e-12)


def test_of_several_inputs_one_may_be_held_fixed() -> None:
    keras.utils.set_random_seed(1)
    first, second = keras.Input((12, 4), name="first"), keras.Input((3,), name="second")
    joined = L.Concatenate()([L.Flatten()(first), second])
    model = keras.Model([first, second], L.Dense(1)(L.Dense(6, activation="relu")(joined)))
    explainer = de.convert(model, dtype="float64").explainer()
    x = [one_hot(3)[:, :12], np.random.default_rng(0).normal(size=(3, 3))]
    open_ = R.shuffle("auto", tolerance=0.2, most=400)
    found = explainer.run(x, references=[open_, 0.0])
    assert set(found.standard_errors) == {"first", "second"}
    counts = found.settings["references_per_sample"]
    for sample, count in enumerate(counts):
        rows = [part[sample : sample + 1] for part in x]
        alone = explainer.run(rows, references=[R.shuffle(count), 0.0], standard_errors=True)
        for name in ("first", "second"):
            assert off(found.scores[name][sample : sample + 1], alone.scores[name]) < 1e-10
            errors = found.standard_errors[name][sample : sample + 1]
            assert off(errors, alone.standard_errors[name]) < 1e-10
    with pytest.raises(ReferencesError, match=r"another input has references of 'auto'"):
        explainer.run(x, references=[open_, np.zeros((3, 400, 3))])


@pytest.mark.parametrize("kind", [R.dinucleotide_shuffle, R.shuffle, R.gc_matched])
@pytest.mark.parametrize("samples", [1, 3])
def test_one_reference_settles_nothing(explainer: Any, kind: Any, samples: int) -> None:
    references = kind("auto", tolerance=0.5, most=1)
    with pytest.warns(ConvergenceWarning, match=f"of {samples} of {samples} samples .* unknown"):
        explainer.run(one_hot(samples), target=0, references=references)


def test_scores_that_cancel_are_not_settled_and_zeros_are() -> None:
    rounds = adaptive._Rounds(_request(3))
    scores, errors = np.array([[[0.0], [0.0], [np.nan]]]), np.array([[[1.0], [0.0], [0.0]]])
    result = adaptive.MethodResult([scores], standard_errors=[errors])
    rounds.add(result, np.arange(3), slice(0, 4))
    np.testing.assert_array_equal(rounds.relative_errors() <= 0.5, [False, True, False])


def _request(samples: int) -> Any:
    """What `_Rounds` reads of a request."""
    return types.SimpleNamespace(weights=np.ones((1, 1)), samples=samples)
