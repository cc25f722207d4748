"""Shuffles: exact counts, uniformity over everything valid, independence of batch and order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from deeplift_engine.errors import ReferencesError
from deeplift_engine.references.shuffles import (
    dinucleotide_shuffle_sequence,
    shuffle_dinucleotides,
    shuffle_positions,
    shuffle_text,
    shuffle_words,
)

LETTERS = np.concatenate([np.eye(4), np.zeros((1, 4))]).astype(np.float32)


def one_hot(*texts: str) -> np.ndarray:
    return np.stack([LETTERS[["ACGTN".index(letter) for letter in text]] for text in texts])


def text(array: np.ndarray) -> str:
    """Read one (L, 4) one-hot sequence."""
    return "".join("ACGTN"[4 if not row.any() else int(row.argmax())] for row in array)


def words(letters: str, k: int) -> Counter[str]:
    return Counter(letters[start : start + k] for start in range(len(letters) - k + 1))


def pairs(letters: str) -> Counter[str]:
    return words(letters, 2)


def all_valid_shuffles(letters: str, k: int = 2) -> list[str]:
    """Every sequence with the beginning and the words of this one, by trying all walks."""

    def walk(left: Counter[str], done: str) -> set[str]:
        if not left:
            return {done}
        found = set()
        for word in list(left):
            if word[:-1] == done[1 - k :]:
                found |= walk(left - Counter([word]), done + word[-1])
        return found

    return sorted(walk(words(letters, k), letters[: k - 1]))


@pytest.mark.parametrize(
    ("sequence", "valid"),
    [
        ("TGCCGCGACCAG", 90),
        ("ACGTACGGATCA", 60),
        ("AANNCNGANCTA", 36),
        ("GATTACAGATTA", 36),
        ("ACGTTGCATGCA", 16),
        ("abracadabra", 12),
        ("ACACGTGTCAAC", 9),
        ("AACAAAC", 4),
    ],
)
def test_dinucleotide_shuffles_are_uniform_over_all_valid_ones(sequence: str, valid: int) -> None:
    shuffles = all_valid_shuffles(sequence)
    assert len(shuffles) == valid
    drawn = Counter(dinucleotide_shuffle_sequence(sequence, 200 * valid, seed=0))
    assert set(drawn) == set(shuffles)
    # eight fixed tests: one below 0.0005 by chance has a probability of 0.4 %
    assert chisquare([drawn[shuffle] for shuffle in shuffles]).pvalue > 0.0005


@pytest.mark.parametrize(
    ("sequence", "k", "valid"),
    [
        ("ACACGACTACACGTACAC", 3, 120),
        ("AACAAGAACAATAACAAGAA", 3, 60),
        ("ANNANNCNNANNGNNA", 3, 12),
        ("ACGTACGAACGTTACGCACG", 4, 24),
        ("abcabcdabcabcdeabcab", 4, 12),
    ],
)
def test_shuffles_of_longer_words_are_uniform_too(sequence: str, k: int, valid: int) -> None:
    shuffles = all_valid_shuffles(sequence, k)
    assert len(shuffles) == valid
    drawn = Counter(shuffle_text(sequence, 200 * valid, seed=1, k=k))
    assert set(drawn) == set(shuffles)
    # five fixed tests: one below 0.0005 by chance has a probability of 0.25 %
    assert chisquare([drawn[shuffle] for shuffle in shuffles]).pvalue > 0.0005


@pytest.mark.parametrize("ends", ["CCCCCCCCCCCCCCCCCCCCCCCCCCCCCC", "NNNNNNNNNNNNNNNNNN"])
def test_long_runs_at_the_end_change_no_probability(ends: str) -> None:
    sequence = "ATAGATAGTA"
    shuffles = all_valid_shuffles(sequence + ends[:1])
    drawn = Counter(dinucleotide_shuffle_sequence(sequence + ends, 300 * len(shuffles), seed=2))
    assert set(drawn) == {shuffle + ends[1:] for shuffle in shuffles}
    assert chisquare(list(drawn.values())).pvalue > 0.0005


@settings(max_examples=60, deadline=None)
@given(sequence=st.text("ACGTN", max_size=60), k=st.integers(2, 8), seed=st.integers(0, 99))
def test_words_of_every_length_up_to_k_are_kept(sequence: str, k: int, seed: int) -> None:
    for shuffle in shuffle_text(sequence, 2, seed, k):
        for length in range(1, k + 1):
            assert words(shuffle, length) == words(sequence, length)


@pytest.mark.parametrize("k", [3, 5, 7])
def test_words_of_long_sequences_are_kept_and_most_positions_moved(k: int) -> None:
    generator = np.random.default_rng(7)
    texts = ["".join(generator.choice(list("ACGT"), 3000)) for _ in range(2)]
    shuffled = shuffle_words(one_hot(*texts), 2, k=k)
    for before, after in zip(texts, shuffled, strict=True):
        for row in map(text, after):
            assert words(row, k) == words(before, k)
            changed = np.mean([a != b for a, b in zip(row, before, strict=True)])
            assert changed > (0.5 if k < 6 else 0.1)


@pytest.mark.parametrize("k", [1, 9, 2.5, "3"])
def test_a_word_to_keep_has_two_to_eight_letters(k) -> None:
    with pytest.raises(ReferencesError, match=r"whole number from 2 to 8.*shuffle"):
        shuffle_text("ACGTACGT", k=k)


def test_rare_last_exits_are_drawn_as_often_as_they_should() -> None:
    # A leaves for T once in 9 times; the only valid tree has this exit last or C's, G's before it
    sequence = "ACAGACAGACAGACAGATCGT"
    shuffles = Counter(dinucleotide_shuffle_sequence(sequence, 40_000, seed=3))
    where = np.array([shuffle.index("AT") for shuffle in shuffles.elements()])
    exact = Counter(shuffle.index("AT") for shuffle in all_valid_shuffles(sequence))
    total = exact.total()
    places = sorted(exact)
    expected = [40_000 * exact[place] / total for place in places]
    assert chisquare([(where == place).sum() for place in places], expected).pvalue > 0.0005


@settings(max_examples=60, deadline=None)
@given(
    sequences=st.lists(st.text("ACGTN", min_size=1, max_size=40), min_size=1, max_size=1),
    count=st.integers(1, 5),
    seed=st.integers(0, 2**70),
)
def test_pair_counts_and_ends_are_kept_exactly(sequences: list[str], count: int, seed: int) -> None:
    inputs = one_hot(*sequences)
    shuffled = shuffle_dinucleotides(inputs, count, seed, channel_axis=-1)
    assert shuffled.shape == (1, count, *inputs.shape[1:])
    assert shuffled.dtype == inputs.dtype
    for row in shuffled[0]:
        assert pairs(text(row)) == pairs(sequences[0])
        assert text(row)[0] == sequences[0][0]
        assert text(row)[-1] == sequences[0][-1]


@settings(max_examples=30, deadline=None)
@given(sequence=st.text(min_size=1, max_size=60), seed=st.integers(0, 10))
def test_any_text_can_be_shuffled(sequence: str, seed: int) -> None:
    for shuffle in dinucleotide_shuffle_sequence(sequence, 3, seed):
        assert pairs(shuffle) == pairs(sequence)


def test_long_sequences_keep_their_pairs() -> None:
    codes = np.random.default_rng(0).choice(4, (3, 5000), p=[0.7, 0.1, 0.1, 0.1])
    shuffled = shuffle_dinucleotides(LETTERS[codes], 4).argmax(axis=-1)
    for before, after in zip(codes, shuffled, strict=True):
        for row in after:
            kept = np.bincount(row[:-1] * 4 + row[1:], minlength=16)
            np.testing.assert_array_equal(
                kept, np.bincount(before[:-1] * 4 + before[1:], minlength=16)
            )
            assert (row != before).mean() > 0.2


def shuffle_trinucleotides(inputs, count, seed=0, **options):
    return shuffle_words(inputs, count, seed, 3, **options)


@pytest.mark.parametrize(
    "shuffle", [shuffle_dinucleotides, shuffle_trinucleotides, shuffle_positions]
)
def test_batch_order_and_number_of_replicates_change_nothing(shuffle) -> None:
    rng = np.random.default_rng(1)
    inputs = LETTERS[rng.integers(0, 4, (7, 60))]
    inputs[3, 20:25] = 0.25  # a letter that only one sequence has
    inputs[5, 10] = [0.5, 0.5, 0, 0]
    together = shuffle(inputs, 6, seed=4)
    alone = np.concatenate([shuffle(inputs[i : i + 1], 6, seed=4) for i in range(7)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[::-1], shuffle(inputs[::-1], 6, seed=4))
    np.testing.assert_array_equal(together[:, :2], shuffle(inputs, 2, seed=4))


@pytest.mark.parametrize("shuffle", [shuffle_words, shuffle_positions])
def test_shuffles_can_be_made_in_parts(shuffle) -> None:
    inputs = LETTERS[np.random.default_rng(5).integers(0, 4, (3, 40))]
    parts = [shuffle(inputs, 2, seed=1), shuffle(inputs, 3, seed=1, first=2)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), shuffle(inputs, 5, seed=1))


def test_neighbours_with_other_letters_change_nothing() -> None:
    sequences = ["CGTTCGTGCTGTTCG", "AANNAACNAANACNA", "GTGTTTGGTGTTGTG"]
    for k in (2, 3):
        alone = np.concatenate([shuffle_words(one_hot(one), 4, k=k) for one in sequences])
        np.testing.assert_array_equal(shuffle_words(one_hot(*sequences), 4, k=k), alone)


@pytest.mark.parametrize("shuffle", [shuffle_dinucleotides, shuffle_positions])
def test_seeds_and_replicates_differ_and_repeat(shuffle) -> None:
    inputs = LETTERS[np.random.default_rng(2).integers(0, 4, (2, 50))]
    first = shuffle(inputs, 4, seed=0)
    np.testing.assert_array_equal(first, shuffle(inputs, 4, seed=0))
    assert len(np.unique(first.reshape(8, -1), axis=0)) == 8
    assert (first != shuffle(inputs, 4, seed=1)).any()


def test_text_and_one_hot_give_the_same_shuffles_in_any_type() -> None:
    sequence = "ACGTNNACGATTACAGATTACAACCNGGTTA"
    expected = dinucleotide_shuffle_sequence(sequence, 3, seed=8)
    for dtype in (np.float32, np.float64, np.int8, np.bool_):
        shuffled = shuffle_dinucleotides(one_hot(sequence).astype(dtype), 3, seed=8)
        assert shuffled.dtype == dtype
        assert [text(row) for row in shuffled[0]] == expected


def test_runs_of_n_keep_their_number_and_stay_at_the_ends() -> None:
    for shuffle in dinucleotide_shuffle_sequence("NNNACGTACGATTGCANNNNNCATTANN", 50):
        assert shuffle[0] == shuffle[-1] == "N"
        assert len(shuffle.replace("N", " ").split()) == 2
    padded = dinucleotide_shuffle_sequence("ACGTACGATTGCAATCGNNNN", 50)
    assert all(shuffle.endswith("GNNNN") and shuffle.count("N") == 4 for shuffle in padded)


@pytest.mark.parametrize("sequence", ["ACTGACTGACTG", "AAAAAAA", "ACGT", "AC", "A"])
def test_a_sequence_with_one_valid_shuffle_comes_back(sequence: str) -> None:
    assert dinucleotide_shuffle_sequence(sequence, 3) == [sequence] * 3


def test_an_empty_text_and_an_empty_batch_come_back() -> None:
    assert dinucleotide_shuffle_sequence("", 2) == ["", ""]
    assert shuffle_dinucleotides(np.zeros((0, 10, 4), np.float32), 3).shape == (0, 3, 10, 4)


@pytest.mark.parametrize(
    ("shape", "turned"),
    [
        ((4, 30), (0, 2, 1)),
        ((1, 30, 4), None),
        ((30, 1, 4), None),
        ((1, 4, 30), (0, 2, 1)),
        ((4, 30, 1), (0, 2, 1)),
        ((4, 1, 30), (0, 2, 1)),
    ],
)
@pytest.mark.parametrize("shuffle", [shuffle_dinucleotides, shuffle_positions])
def test_layouts_give_the_shuffles_of_the_plain_one(shuffle, shape, turned) -> None:
    plain = LETTERS[np.random.default_rng(3).integers(0, 5, (2, 30))]
    inputs = (plain if turned is None else plain.transpose(turned)).reshape(2, *shape)
    expected = shuffle(plain, 3, seed=5)
    got = shuffle(inputs, 3, seed=5)
    if turned is not None:
        expected = expected.transpose(0, 1, 3, 2)
    np.testing.assert_array_equal(got, expected.reshape(2, 3, *shape))
    axis = shape.index(4)
    np.testing.assert_array_equal(got, shuffle(inputs, 3, seed=5, channel_axis=axis))
    np.testing.assert_array_equal(got, shuffle(inputs, 3, seed=5, channel_axis=axis - len(shape)))


def test_other_alphabets_are_shuffled_when_the_axis_is_named() -> None:
    codes = np.random.default_rng(4).integers(0, 20, (2, 80))
    shuffled = shuffle_dinucleotides(np.eye(20)[codes], 2, channel_axis=-1).argmax(axis=-1)
    for before, after in zip(codes, shuffled[:, 0], strict=True):
        assert Counter(pairwise(before)) == Counter(pairwise(after))


def test_shuffled_positions_keep_their_columns_whole() -> None:
    inputs = np.random.default_rng(5).normal(size=(3, 25, 4)).astype(np.float32)
    for before, after in zip(inputs, shuffle_positions(inputs, 2)[:, 1], strict=True):
        assert (before != after).any()
        np.testing.assert_array_equal(before[np.lexsort(before.T)], after[np.lexsort(after.T)])


@pytest.mark.parametrize(
    ("shape", "axis", "says"),
    [
        ((10, 5), None, "no axes of size 4"),
        ((4, 4), None, "2 axes of size 4"),
        ((10, 4), 2, "axes 0 to 1"),
        ((10, 3, 4), None, "one axis of positions"),
        ((4,), None, "one axis of positions"),
    ],
)
def test_layouts_that_are_no_sequence_are_named(shape, axis, says) -> None:
    with pytest.raises(ReferencesError, match=says):
        shuffle_dinucleotides(np.zeros((2, *shape)), 2, channel_axis=axis)


def test_numbers_that_are_no_letters_are_refused() -> None:
    with pytest.raises(ReferencesError, match="not one-hot"):
        shuffle_dinucleotides(np.random.default_rng(6).normal(size=(2, 200, 4)), 2)
    with pytest.raises(ReferencesError, match="at most 256"):
        dinucleotide_shuffle_sequence("".join(map(chr, range(300))))
