"""The original's helpers: shuffles, shuffled references, integrated gradients, logos."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.compat import util
from deeplift_engine.compat.conversion import kerasapi_conversion as kc
from deeplift_engine.compat.dinuc_shuffle import dinuc_shuffle
from deeplift_engine.compat.layers import NonlinearMxtsMode
from deeplift_engine.errors import InputError
from tests.helpers import off

TEXTS = ["".join(np.random.default_rng(i).choice(list("ACGT"), 24)) for i in range(5)]
SAME = 2e-6
"""float32 rounding: the same walk in batches of other sizes."""


def one_hot(texts: list[str]) -> Any:
    return np.array([[[float(letter == one) for one in "ACGT"] for letter in t] for t in texts])


X = one_hot(TEXTS)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((24, 4)),
            keras.layers.Conv1D(6, 5, activation="relu"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3, activation="sigmoid"),
        ]
    )
    model.set_weights([w + 0.05 for w in model.get_weights()])
    place = str(tmp_path_factory.mktemp("references") / "model.h5")
    model.save(place)
    return place


@pytest.fixture(scope="module")
def contribs(path: str) -> Any:
    model = kc.convert_model_from_saved_files(path, nonlinear_mxts_mode=NonlinearMxtsMode.Rescale)
    return model.get_target_contribs_func(0)


@pytest.fixture(scope="module")
def multipliers(path: str) -> Any:
    model = kc.convert_model_from_saved_files(path, nonlinear_mxts_mode=NonlinearMxtsMode.Rescale)
    return model.get_target_multipliers_func(0)


# one shuffle


def pairs(text: str) -> Counter[str]:
    return Counter(a + b for a, b in pairwise(text))


def test_texts_keep_their_pairs() -> None:
    shuffled = dinuc_shuffle(TEXTS[0], num_shufs=20, rng=np.random.RandomState(0))
    assert isinstance(shuffled, list)
    assert len(set(shuffled)) > 10
    assert all(pairs(one) == pairs(TEXTS[0]) for one in shuffled)
    assert isinstance(dinuc_shuffle(TEXTS[0]), str)


@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_arrays_keep_shape_and_dtype(dtype: Any) -> None:
    one = X[0].astype(dtype)
    one[5] = 0  # N
    for count, shape in ((None, (24, 4)), (3, (3, 24, 4))):
        shuffled = dinuc_shuffle(one, count)
        assert isinstance(shuffled, np.ndarray)
        assert (shuffled.shape, shuffled.dtype) == (shape, dtype)
        assert (shuffled.sum(axis=-2) == one.sum(axis=0)).all()


def test_a_seed_repeats_and_a_random_state_goes_on() -> None:
    for make in (np.random.RandomState, np.random.default_rng):
        assert dinuc_shuffle(TEXTS[0], 5, make(7)) == dinuc_shuffle(TEXTS[0], 5, make(7))
        rng = make(7)
        assert dinuc_shuffle(TEXTS[0], 5, rng) != dinuc_shuffle(TEXTS[0], 5, rng)


def test_other_things_are_not_shuffled() -> None:
    with pytest.raises(InputError, match="text or a one-hot array"):
        dinuc_shuffle(X)
    assert sorted(util.randomly_shuffle_seq("AACGT", np.random.RandomState(0))) == list("AACGT")


# shuffled references


def test_arrays_and_texts_are_given_the_same_references(path: str, contribs: Any) -> None:
    expected = (
        de.load(path)
        .explainer(max_pooling="gradient")
        .run(X, target=1, references=de.references.dinucleotide_shuffle(4, seed=9))
    )
    for encode, sequences in ((None, X), (one_hot, TEXTS)):
        function = util.get_shuffle_seq_ref_function(contribs, dinuc_shuffle, encode)
        for batch_size in (3, 200):
            found = function(1, sequences, 4, batch_size, seed=9)
            assert off(found, expected.scores) < SAME


def test_tasks_in_a_list_give_a_list(contribs: Any) -> None:
    function = util.get_shuffle_seq_ref_function(contribs, dinuc_shuffle)
    several = function([2, 0], X, 4, 50)
    assert isinstance(several, list)
    assert off(several[1], function(0, X, 4, 50)) < SAME


def test_a_users_own_shuffle_is_called_as_the_original_calls_it(contribs: Any) -> None:
    def reorder(sequence: Any, rng: Any) -> Any:
        return sequence[rng.permutation(len(sequence))]

    found = util.get_shuffle_seq_ref_function(contribs, reorder)(0, X, 3, 50, seed=4)
    rng = np.random.RandomState(4)
    references = np.array([[reorder(one, rng) for _ in range(3)] for one in X])
    singly = [contribs(0, [X], 50, None, [references[:, k]]) for k in range(3)]
    assert off(found, np.mean(singly, axis=0)) < SAME
    flat = references.reshape(-1, 24, 4)
    function = util.get_shuffle_seq_ref_function(contribs, reorder)
    assert off(function(0, X, 3, 50, pregen_refs=flat), found) < SAME
    with pytest.raises(InputError, match="there must be 15"):
        function(0, X, 3, 50, pregen_refs=flat[:-1])


def test_any_function_can_compute_the_scores(contribs: Any) -> None:
    def wrapped(**arguments: Any) -> Any:
        return list(contribs(**arguments))

    ours, theirs = (
        util.get_shuffle_seq_ref_function(function, dinuc_shuffle)([0, 2], X, 3, 50)
        for function in (contribs, wrapped)
    )
    assert off(ours, theirs) < SAME


def test_hypothetical_contributions_over_shuffled_references(multipliers: Any) -> None:
    def wrapped(**arguments: Any) -> Any:
        return multipliers(**arguments)

    ours, theirs = (
        util.get_shuffle_seq_ref_function(
            util.get_hypothetical_contribs_func_onehot(function), dinuc_shuffle
        )(0, X, 3, 50)
        for function in (multipliers, wrapped)
    )
    assert off(ours, theirs) < SAME


def test_the_letter_that_is_there_has_the_positions_contribution(
    contribs: Any, multipliers: Any
) -> None:
    reference = [np.array([[[0.3, 0.2, 0.2, 0.3]]])]
    hypothetical = util.get_hypothetical_contribs_func_onehot(multipliers)(0, [X], reference, 50)
    scores = contribs(0, [X], 50, None, reference)
    assert off((hypothetical * X).sum(axis=2), scores.sum(axis=2)) < 1e-5
    with pytest.raises(InputError, match="one-hot"):
        util.get_hypothetical_contribs_func_onehot(multipliers)(0, [X[0]], reference, 50)


# integrated gradients


def test_integrated_gradients_take_midpoints(path: str) -> None:
    gradient = kc.convert_model_from_saved_files(
        path, nonlinear_mxts_mode=NonlinearMxtsMode.Gradient
    ).get_target_multipliers_func(0)
    start = np.array([0.3, 0.2, 0.2, 0.3])
    found = util.get_integrated_gradients_function(gradient, 4)(2, [X], [start[None, None]], 50)
    explainer = de.load(path).explainer(rules="gradient")
    total = sum(
        np.asarray(explainer.run(start + share * (X - start), target=2).multipliers)
        for share in (0.125, 0.375, 0.625, 0.875)
    )
    assert off(found, total / 4 * (X - start)) < SAME

    def listed(**arguments: Any) -> Any:
        return list(gradient(**arguments))

    assert off(util.get_integrated_gradients_function(listed, 4)(2, [X], [start], 50), found) < SAME


# batches and pictures


def test_functions_of_several_outputs_run_in_batches() -> None:
    def both(arrays: Any) -> Any:
        return [arrays[0] + 1, arrays[0].sum(axis=1)]

    first, second = util.run_function_in_batches(both, [X[:, 0]], None, 2, None, True)
    assert off(first, X[:, 0] + 1) == 0
    assert second.shape == (5,)


def test_logos_are_drawn(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    from deeplift_engine.compat.visualization import viz_sequence

    figure, axes = pyplot.subplots(2)
    for ax, scores in zip(axes, (X[0], X[0].T[:, None, :]), strict=True):
        viz_sequence.plot_weights_given_ax(ax, scores, highlight={"red": [(2, 5)]}, colors={0: "k"})
        assert ax.get_xlim() == (-1.5, 24.5)
    figure.savefig(tmp_path / "logo.png")
    with pytest.raises(InputError, match=r"\(L, 4\)"):
        viz_sequence.plot_weights_given_ax(axes[0], X)
    viz_sequence.plot_weights(X[0], subticks_frequency=10)
    pyplot.close("all")
