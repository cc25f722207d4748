"""What may be passed as references, what it becomes, and what is refused with which words."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import deeplift_engine.references as R  # noqa: N812
from deeplift_engine.errors import DegenerateReferenceWarning, ReferencesError

N, LENGTH = 5, 12
SHAPE = (LENGTH, 4)
RNG = np.random.default_rng(0)
INPUTS = np.eye(4, dtype=np.float32)[RNG.integers(0, 4, (N, LENGTH))]


def resolve(given, shape=SHAPE, n=N, dtype="float32", sample=None):
    return R.resolve(given, shape, n, dtype, sample)


def make(resolved: R.References, inputs=INPUTS, indices=None):
    """What the explainer does."""
    if resolved.shared:
        return resolved.make(inputs[:0], np.zeros(0, np.int64))
    return resolved.make(inputs, np.arange(len(inputs)) if indices is None else indices)


# ---------------------------------------------------------------- one shared reference


@pytest.mark.parametrize(
    ("given", "expected", "name"),
    [
        (None, 0, "zeros"),
        (R.zeros(), 0, "zeros"),
        (0.25, 0.25, "constant(0.25)"),
        (1, 1, "constant(1)"),
        (np.float64(2), 2, "constant(2)"),
        (R.constant(-3), -3, "constant(-3)"),
        ([0.3, 0.2, 0.2, 0.3], [0.3, 0.2, 0.2, 0.3], "array(4, sha256="),
        (
            R.background([0.3, 0.2, 0.2, 0.3]),
            [0.3, 0.2, 0.2, 0.3],
            "background(0.3, 0.2, 0.2, 0.3)",
        ),
        (INPUTS[0], INPUTS[0], "array(12 x 4, sha256="),
        (INPUTS[:1], INPUTS[0], "shared(1 x 12 x 4, sha256="),
        (np.ones((LENGTH, 1)), 1, "array(12 x 1, sha256="),
        (np.array(0.5), 0.5, "array(1, sha256="),
    ],
)
@pytest.mark.parametrize("shape", [SHAPE, (None, 4)])
def test_one_shared_reference(given, expected, name, shape) -> None:
    resolved = resolve(given, shape)
    assert resolved.shared
    assert resolved.count == 1
    assert resolved.name.startswith(name)
    made = make(resolved)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, np.broadcast_to(expected, (1, *SHAPE)).astype("float32"))


def test_a_shared_set_keeps_its_members() -> None:
    for size in (3, N):
        resolved = resolve(R.shared(RNG.normal(size=(size, *SHAPE))))
        assert (resolved.count, resolved.shared) == (size, True)
        assert make(resolved).shape == (size, *SHAPE)


def test_the_mean_of_a_data_set_is_one_shared_reference() -> None:
    members = RNG.normal(size=(7, *SHAPE))
    resolved = resolve(R.mean(members))
    assert (resolved.count, resolved.shared) == (1, True)
    expected = sum(members[i] for i in range(7)) / 7
    np.testing.assert_allclose(make(resolved)[0], expected, rtol=1e-6, atol=1e-7)  # float32
    for wrong in (members[:, :5], members[0]):
        with pytest.raises(ReferencesError, match="each member has shape"):
            make(resolve(R.mean(wrong)))
    with pytest.raises(ReferencesError, match="at least one member"):
        R.mean(members[:0])
    tokens = resolve(R.mean(np.array([[1, 2], [2, 2]])), (2,), dtype="int32")
    with pytest.raises(ReferencesError, match="not whole numbers"):
        make(tokens, np.zeros((1, 2), np.int32))


def test_names_tell_sets_apart_and_repeat() -> None:
    first, second = np.zeros((2, *SHAPE)), np.ones((2, *SHAPE))
    assert R.shared(first).name == R.shared(first.copy()).name != R.shared(second).name


def test_background_finds_its_axis() -> None:
    for shape, kept in [
        ((4, LENGTH), (4, 1)),
        ((1, 4, LENGTH), (4, 1)),
        ((4, LENGTH, 1), (4, 1, 1)),
    ]:
        column = np.array([0.1, 0.2, 0.3, 0.4])
        made = make(resolve(R.background(column), shape), np.zeros((2, *shape)))
        expected = np.broadcast_to(column.reshape(kept), (1, *shape)).astype("float32")
        np.testing.assert_array_equal(made, expected)
    named = R.background([0.1, 0.2, 0.3, 0.4], channel_axis=0)
    assert make(resolve(named, (4, 4)), np.zeros((1, 4, 4)))[0, 3].tolist() == [np.float32(0.4)] * 4


# ---------------------------------------------------------------- each sample's own


@pytest.mark.parametrize("wrap", [lambda array: array, R.per_sample, np.ndarray.tolist])
def test_one_or_many_references_of_each_samples_own(wrap) -> None:
    one, many = RNG.normal(size=(N, *SHAPE)), RNG.normal(size=(N, 3, *SHAPE))
    for array, count, expected in [(one, 1, one[:, None]), (many, 3, many)]:
        resolved = resolve(wrap(array))
        assert (resolved.count, resolved.shared) == (count, False)
        indices = np.array([4, 0, 2])
        np.testing.assert_array_equal(
            make(resolved, INPUTS[indices], indices), expected[indices].astype("float32")
        )


def test_functions_with_and_without_a_count() -> None:
    def one(inputs):
        return inputs[:, ::-1]

    def many(inputs):
        return np.stack([inputs, inputs[:, ::-1]], axis=1)

    for given, count in [
        (R.function(one, 1), 1),
        (R.function(many, 2), 2),
        (one, 1),
        (many, 2),
        (R.function(many), 2),
    ]:
        resolved = resolve(given, sample=INPUTS[0])
        assert (resolved.count, resolved.shared) == (count, False)
        assert "one" in resolved.name or "many" in resolved.name
        np.testing.assert_array_equal(make(resolved)[:, -1], INPUTS[:, ::-1])


def test_a_function_cannot_change_the_inputs() -> None:
    def careless(inputs):
        inputs[:] = 0
        return inputs

    before = INPUTS.copy()
    make(resolve(R.function(careless, 1)))
    np.testing.assert_array_equal(INPUTS, before)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (R.dinucleotide_shuffle(), "dinucleotide_shuffle(20, seed=0)"),
        (R.dinucleotide_shuffle(3, seed=7), "dinucleotide_shuffle(3, seed=7)"),
        (R.shuffle(3, 7, channel_axis=-1), "shuffle(3, seed=7, channel_axis=-1)"),
    ],
)
def test_shuffles_are_each_samples_own_and_ignore_the_batch(given, name) -> None:
    resolved = resolve(given)
    assert resolved.name == name
    assert not resolved.shared
    made = make(resolved)
    assert made.shape == (N, resolved.count, *SHAPE)
    np.testing.assert_array_equal(
        made.sum(axis=2), INPUTS.sum(axis=1)[:, None].repeat(resolved.count, axis=1)
    )
    indices = np.array([2, 0])
    np.testing.assert_array_equal(make(resolved, INPUTS[indices], indices), made[indices])


def test_references_of_ones_own_are_taken_as_they_are() -> None:
    own = R.References("mine", 2, True, lambda inputs, indices: np.ones((2, *inputs.shape[1:])))
    resolved = resolve(own)
    assert (resolved.name, resolved.count, resolved.shared) == ("mine", 2, True)
    assert make(resolved).dtype == np.float32


def test_inputs_of_whole_numbers_take_whole_references() -> None:
    tokens = np.arange(8).reshape(2, 4)
    assert make(resolve(3.0, (4,), 2, "int32"), tokens).tolist() == [[3, 3, 3, 3]]
    with pytest.raises(ReferencesError, match=r"int32 values.*whole numbers"):
        make(resolve(0.5, (4,), 2, "int32"), tokens)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("extra", [(), (3,)])
def test_a_set_of_another_size_is_not_guessed_at(extra) -> None:
    with pytest.raises(ReferencesError, match=r"7 entries for 5 inputs.*shared.*per_sample"):
        resolve(np.zeros((7, *extra, *SHAPE)))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((LENGTH + 1, 4)), r"\(13, 4\) do not fit inputs of shape \(12, 4\)"),
        (np.zeros(5), r"\(5,\) do not fit"),
        (np.zeros((N, LENGTH, 5)), "do not fit"),
        (np.zeros((1, 2, 3, LENGTH, 4)), "do not fit"),
        (np.full(SHAPE, np.nan), r"\(0, 0\) is nan; references must be finite"),
        (float("nan"), "one finite number"),
        (float("inf"), "one finite number"),
        ("dinucleotide_shuffle", "not str"),
        (True, "not bool"),
        ({"a": 1}, "not dict"),
        ([[1, 2], [3]], "not an array of numbers"),
        (R.per_sample(np.zeros((7, *SHAPE))), "7 samples for 5 inputs"),
        (R.per_sample(np.zeros((N, 9, 9))), r"need references of shape \(N, 12, 4\)"),
        (R.per_sample(np.zeros((N, 0, *SHAPE))), "K = 0"),
        (R.per_sample(np.zeros(3)), "need references of shape"),
        (lambda inputs: inputs, r"references.function\(f, count\)"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(given, says) -> None:
    with pytest.raises(ReferencesError, match=says):
        resolve(given)


def test_a_function_of_the_wrong_shape_is_refused_on_the_first_sample() -> None:
    with pytest.raises(ReferencesError, match=r"returned shape \(1, 4\), not \(1, 12, 4\)"):
        resolve(lambda inputs: inputs.sum(axis=1), sample=INPUTS[0])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (R.shared(np.zeros((3, LENGTH, 5))), "each reference has shape"),
        (R.background([0.2] * 5), "no axes of size 5"),
        (R.function(lambda inputs: inputs, 2), r"gave shape \(5, 1, 12, 4\); expected \(5, 2,"),
        (R.function(lambda inputs: inputs * np.nan, 1), r"\(sample 0\) is nan"),
        (R.function(lambda inputs: inputs.astype(str), 1), "not numbers"),
        (R.References("odd", 2, True, lambda inputs, indices: np.zeros(3)), "gave shape"),
    ],
)
def test_what_does_not_fit_the_inputs_is_refused_when_made(given, says) -> None:
    with pytest.raises(ReferencesError, match=says):
        make(resolve(given))


def test_free_lengths_are_checked_against_the_inputs() -> None:
    with pytest.raises(ReferencesError, match=r"the inputs have shape \(12, 4\)"):
        make(resolve(np.zeros((LENGTH + 1, 4)), (None, 4)))


@pytest.mark.parametrize(
    ("construct", "says"),
    [
        (lambda: R.constant([1, 2]), "one finite number"),
        (lambda: R.background([0.3, 0.3]), "sum to 0.6"),
        (lambda: R.background([1.5, -0.5]), "0 or more"),
        (lambda: R.shared(np.zeros((0, 3))), "at least one"),
        (lambda: R.shared(1.0), "at least one"),
        (lambda: R.shuffle(0), "1 or more, not 0"),
        (lambda: R.dinucleotide_shuffle(2.5), "whole number"),
        (lambda: R.function(len, -1), "not -1"),
        (lambda: R.replaced(1.5), "a token, a whole number, or several: 1.5"),
        (lambda: R.replaced([]), "a whole number, or several"),
        (lambda: R.replaced(1, keep=[0.5]), "keep is a token"),
    ],
)
def test_constructors_check_what_they_are_given(construct, says) -> None:
    with pytest.raises(ReferencesError, match=says):
        construct()


# ---------------------------------------------------------------- tokens


TOKENS = np.array([[101, 7, 8, 102, 0, 0], [101, 7, 102, 9, 102, 0]])


def test_tokens_are_replaced_but_for_those_that_hold_the_form() -> None:
    resolved = resolve(R.replaced(103, keep=(0, 101, 102)), (6,), 2, "int32")
    assert (resolved.name, resolved.count) == ("replaced(103, keep=(0, 101, 102))", 1)
    made = make(resolved, TOKENS)
    expected = [[[101, 103, 103, 102, 0, 0]], [[101, 103, 102, 103, 102, 0]]]
    np.testing.assert_array_equal(made, expected)
    assert made.dtype == np.int32
    np.testing.assert_array_equal(make(resolve(R.replaced(5), (6,), 2), TOKENS), 5)


def test_several_tokens_are_several_references() -> None:
    made = make(resolve(R.replaced([3, 4], keep=[101]), (None,), 2, "int64"), TOKENS)
    assert made.shape == (2, 2, 6)
    np.testing.assert_array_equal(made[:, :, 0], 101)
    np.testing.assert_array_equal(made[0, :, 1], [3, 4])


def test_what_holds_fractions_has_no_tokens() -> None:
    resolved = resolve(R.replaced(1, keep=[0]), (6,), 2)
    np.testing.assert_array_equal(make(resolved, 1.0 * TOKENS), (TOKENS != 0)[:, None])
    with pytest.raises(ReferencesError, match="these hold fractions"):
        make(resolved, TOKENS / 2)


# ---------------------------------------------------------------- references that say nothing


def test_a_repeat_whose_shuffles_are_itself_is_named() -> None:
    codes = np.array([RNG.permutation(80) % 4, RNG.permutation(80) % 4, [0, 1, 3, 2] * 20])
    inputs = np.eye(4, dtype=np.float32)[codes]
    made = make(resolve(R.dinucleotide_shuffle(4)), inputs)
    with pytest.warns(DegenerateReferenceWarning, match=r"100% .* sample 12 "):
        R.warn_if_degenerate(inputs, made, np.array([10, 11, 12]))
    assert R.degenerate_fraction(inputs, made) == 1 / 3


def test_references_that_differ_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        R.warn_if_degenerate(INPUTS, make(resolve(R.shuffle(4))))
        R.warn_if_degenerate(INPUTS, make(resolve(None)))
    assert R.degenerate_fraction(INPUTS, make(resolve(None))) == 0


def test_a_shared_reference_equal_to_an_input_counts() -> None:
    assert R.degenerate_fraction(INPUTS, make(resolve(INPUTS[3]))) == 1 / N
    with pytest.warns(DegenerateReferenceWarning, match="sample 3 "):
        R.warn_if_degenerate(INPUTS, make(resolve(INPUTS[3])))
