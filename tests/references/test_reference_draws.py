"""References drawn for each input: of its GC content, from data, blurred, of several kinds."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import chisquare

import deeplift_engine.references as R  # noqa: N812
from deeplift_engine.errors import ReferencesError

LENGTH = 30
RNG = np.random.default_rng(0)
LETTERS = np.concatenate([np.eye(4), np.zeros((1, 4))]).astype(np.float32)
CODES = RNG.integers(0, 4, (6, LENGTH))
INPUTS = LETTERS[CODES]


def make(given, inputs=INPUTS, indices=None):
    resolved = R.resolve(given, inputs.shape[1:], len(inputs), inputs.dtype, inputs[0])
    if resolved.shared:
        return resolved.make(inputs[:0], np.zeros(0, np.int64))
    return resolved.make(inputs, np.arange(len(inputs)) if indices is None else indices)


def gc(sequences) -> np.ndarray:
    return sequences[..., 1:3].sum(axis=(-1, -2))


POOL = LETTERS[RNG.integers(0, 4, (40, LENGTH))]
KINDS = [
    R.shuffle(6, 3),
    R.dinucleotide_shuffle(6, 3),
    R.kmer_shuffle(6, 3, k=3),
    R.gc_matched(6, 3),
    R.gc_matched(6, 3, background=POOL),
    R.drawn(POOL, 6, 3),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name[:30])
def test_draws_depend_on_the_sample_the_seed_and_their_number_alone(kind) -> None:
    whole = make(kind)
    assert whole.shape == (6, 6, LENGTH, 4)
    order = np.array([4, 0, 5])
    np.testing.assert_array_equal(make(kind, INPUTS[order]), whole[order])
    np.testing.assert_array_equal(make(kind, INPUTS.repeat(2, axis=0)), whole.repeat(2, axis=0))
    parts = [kind.subset(0, 2), kind.subset(2, 6).subset(0, 3), kind.subset(2, 6).subset(3, 4)]
    joined = np.concatenate([make(part) for part in parts], axis=1)
    np.testing.assert_array_equal(joined, whole)


@pytest.mark.parametrize(
    "kind",
    [
        lambda seed: R.kmer_shuffle(6, seed, k=3),
        lambda seed: R.gc_matched(6, seed),
        lambda seed: R.drawn(POOL, 6, seed),
        lambda seed: R.gc_matched(6, seed, background=POOL, within=1.0),
    ],
)
def test_seeds_differ(kind) -> None:
    assert (make(kind(0)) != make(kind(1))).any()
    assert kind(0).name != kind(1).name


# ---------------------------------------------------------------- GC content


def test_gc_content_is_kept_exactly_and_n_stays() -> None:
    codes = CODES.copy()
    codes[2, 5:9] = 4
    inputs = LETTERS[codes]
    inputs[3, 7] = 0.25
    made = make(R.gc_matched(8), inputs)
    no_letter = inputs.max(axis=-1) < 1
    for before, after, kept in zip(inputs, made, no_letter, strict=True):
        np.testing.assert_array_equal(gc(after[:, ~kept]), gc(before[~kept]))
        np.testing.assert_array_equal(after[:, kept], before[kept][None].repeat(8, axis=0))
        assert (after[:, ~kept].sum(axis=-1) == 1).all()
        assert (after != before).any(axis=(1, 2)).all()


def test_random_sequences_are_uniform_over_all_of_that_gc_content() -> None:
    inputs = LETTERS[[[1, 0, 4, 3, 0]]]  # one of C and G among four letters
    found = [tuple(row) for row in make(R.gc_matched(6400), inputs)[0][:, [0, 1, 3, 4]].argmax(-1)]
    possible = [
        word
        for word in product(range(4), repeat=4)
        if sum(letter in (1, 2) for letter in word) == 1
    ]
    assert len(possible) == 64
    assert set(found) <= set(possible)
    assert chisquare([found.count(word) for word in possible]).pvalue > 0.0005


def test_channels_first_sequences_have_their_gc_content_too() -> None:
    expected = make(R.gc_matched(3))
    turned = make(R.gc_matched(3), INPUTS.swapaxes(1, 2))
    np.testing.assert_array_equal(turned.swapaxes(2, 3), expected)


def test_members_of_a_background_are_the_nearest_in_gc_content() -> None:
    background = np.concatenate([POOL, INPUTS[:1]])
    made = make(R.gc_matched(5, background=background, within=0.0), INPUTS)
    for number, (before, after) in enumerate(zip(INPUTS, made, strict=True)):
        others = background[(background != before).any(axis=(1, 2))]
        assert len(others) == len(POOL) + (number != 0)
        nearest = np.sort(np.abs(gc(others) - gc(before)))[:5]
        np.testing.assert_array_equal(np.sort(np.abs(gc(after) - gc(before))), nearest)
        assert len(np.unique(after.reshape(5, -1), axis=0)) == 5
    many = LETTERS[np.random.default_rng(3).integers(0, 4, (500, LENGTH))]
    wide = make(R.gc_matched(5, background=many, within=0.1), INPUTS)
    assert (np.abs(gc(wide) - gc(INPUTS)[:, None]) <= 0.1 * LENGTH).all()
    assert (wide != made).any()


# ---------------------------------------------------------------- data


def test_each_input_gets_members_of_its_own_without_itself() -> None:
    pool = np.concatenate([POOL[:3], INPUTS])
    made = make(R.drawn(pool, 8), INPUTS)
    for before, after in zip(INPUTS, made, strict=True):
        assert len(np.unique(after.reshape(8, -1), axis=0)) == 8
        assert (after != before).any(axis=(1, 2)).all()
    assert (made[0] != made[1]).any()


def test_an_open_number_of_members_leaves_the_input_out() -> None:
    for kind in (R.drawn(INPUTS, "auto"), R.gc_matched("auto", background=INPUTS)):
        made = make(kind)
        assert made.shape[:2] == (6, 5)
        assert (made != INPUTS[:, None]).any(axis=(2, 3)).all()


def test_members_are_drawn_uniformly_whatever_they_hold() -> None:
    pool = np.arange(4.0)[:, None]
    inputs = RNG.normal(size=(2400, 1))
    order = make(R.drawn(pool, 4), inputs)[..., 0].astype(int)
    found = [tuple(row) for row in order]
    assert chisquare([found.count(p) for p in permutations(range(4))]).pvalue > 0.0005


# ---------------------------------------------------------------- blur


@pytest.mark.parametrize(
    ("shape", "axes", "spread"),
    [
        ((20, 4), None, (1, 0)),
        ((9, 11, 3), None, (1, 1, 0)),
        ((9, 11), (0, 1), (1, 1)),
        ((5, 12, 7), (-1,), (0, 0, 1)),
        ((15,), None, (1,)),
    ],
)
def test_blur_is_scipys(shape, axes, spread) -> None:
    inputs = RNG.normal(size=(2, *shape))
    made = make(R.blur([0.7, 3.0], axes=axes), inputs)
    for number, sigma in enumerate((0.7, 3.0)):
        for sample, blurred in zip(inputs, made[:, number], strict=True):
            expected = gaussian_filter(sample, [sigma * part for part in spread], mode="reflect")
            np.testing.assert_allclose(blurred, expected, atol=1e-12)


def test_a_blur_wider_than_the_input_is_its_mean() -> None:
    blurred = make(R.blur(200.0))
    mean = INPUTS.mean(axis=1, keepdims=True)[:, None]
    np.testing.assert_allclose(blurred, np.broadcast_to(mean, blurred.shape), atol=1e-5)


# ---------------------------------------------------------------- several kinds


def test_kinds_are_joined_in_order() -> None:
    own = RNG.normal(size=(6, 2, LENGTH, 4)).astype("float32")
    resolved = R.resolve(
        R.combined(0, own, R.shuffle(3), np.ones((LENGTH, 4)), lambda x: -x),
        (LENGTH, 4),
        6,
        "float32",
        INPUTS[0],
    )
    assert (resolved.count, resolved.shared) == (8, False)
    assert resolved.name.startswith("combined(constant(0), per_sample(")
    made = resolved.make(INPUTS, np.arange(6))
    np.testing.assert_array_equal(made[:, 0], 0)
    np.testing.assert_array_equal(made[:, 1:3], own)
    np.testing.assert_array_equal(made[:, 3:6], make(R.shuffle(3)))
    np.testing.assert_array_equal(made[:, 6], 1)
    np.testing.assert_array_equal(made[:, 7], -INPUTS)


def test_shared_kinds_stay_shared() -> None:
    made = make(R.combined(R.zeros(), R.background([0.3, 0.2, 0.2, 0.3]), R.shared(POOL[:2])))
    assert made.shape == (4, LENGTH, 4)
    np.testing.assert_array_equal(made[2:], POOL[:2])


@pytest.mark.parametrize(
    ("construct", "says"),
    [
        (lambda: R.combined(), "at least one kind"),
        (
            lambda: make(R.combined(0, R.shuffle("auto"))),
            "a number of references instead of 'auto'",
        ),
        (lambda: R.shuffle("auto", tolerance=0), "tolerance is a number above 0"),
        (lambda: R.shuffle("auto", most=0), "1 or more"),
        (lambda: R.shuffle("many"), "whole number of 1 or more, not 'many'"),
        (lambda: R.kmer_shuffle(k=1), "from 2 to 8"),
        (lambda: R.drawn(np.zeros((0, 3))), "at least one member"),
        (lambda: make(R.drawn(POOL, 41)), "41 of 40 members"),
        (lambda: make(R.drawn(INPUTS, 6)), "6 of 6 members were asked for.*has 5 others"),
        (lambda: make(R.drawn(-0.0 * POOL[:1], 1), 0 * INPUTS), "has 0 others"),
        (lambda: make(R.gc_matched(6, background=INPUTS)), "has 5 others"),
        (lambda: make(R.drawn(POOL[:, :5], 2)), "each member has shape"),
        (lambda: make(R.gc_matched(2), np.zeros((1, 3, 5))), "no axes of size 4"),
        (lambda: R.blur(0), "above 0"),
        (lambda: R.blur([]), "a finite number"),
        (lambda: make(R.blur(1, axes=(2,))), "axes 0 to 1"),
        (lambda: make(R.blur(1), np.zeros((2, 5), int)), "tokens"),
    ],
)
def test_what_makes_no_sense_is_refused(construct, says) -> None:
    with pytest.raises(ReferencesError, match=says):
        construct()


def test_the_old_name_of_a_subset_warns() -> None:
    kind = R.shuffle(3)
    with pytest.warns(DeprecationWarning, match=r"References\.subset"):
        assert kind.part is kind.subset
