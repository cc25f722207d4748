"""In-silico experiments against surgery on sequences and whole predictions of Keras."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError, TargetError
from deeplift_engine.genomics.experiments import ablate, design, marginalise, spacing
from tests.helpers import off

L = keras.layers
LENGTH, SAMPLES = 48, 5
TOLERANCE = 2e-5
"""float32 on both sides, as a share of the largest change."""


@functools.cache
def model() -> keras.Model:
    keras.utils.set_random_seed(4)
    x = source = keras.Input((LENGTH, 4), name="sequence")
    x = L.Conv1D(12, 6, activation="relu")(x)
    x = L.MaxPooling1D(3)(x)
    x = L.Conv1D(8, 4, activation="relu")(x)
    x = L.Dense(10, activation="relu")(L.Flatten()(x))
    return keras.Model(source, L.Dense(2, name="tasks")(x))


@functools.cache
def network() -> de.Network:
    return de.convert(model())


def predicted(texts: list[str], unit: int = 0) -> np.ndarray:
    return model().predict(encoded(texts), verbose=0)[:, unit].astype(float)


def encoded(texts: list[str]) -> np.ndarray:
    return np.eye(4, dtype="float32")[[["ACGT".index(letter) for letter in t] for t in texts]]


def texts(seed: int = 0, count: int = SAMPLES) -> list[str]:
    letters = np.random.default_rng(seed).choice(list("ACGT"), size=(count, LENGTH))
    return ["".join(each) for each in letters]


def put(text: str, start: int, word: str) -> str:
    new = "".join(n if w == "N" else w for w, n in zip(word, text[start:], strict=False))
    return text[:start] + new + text[start + len(word) :]


@pytest.mark.parametrize("way", ["incremental", "whole"])
def test_marginalisation_is_the_change_where_motifs_are_put(way: str) -> None:
    words = {"gata": "AGATAAG", "gap": "TGANNTCA", "one": "C"}
    before = predicted(texts())
    result = marginalise(network(), words, encoded(texts()), target=0, way=way, progress=False)
    assert off(result.backgrounds, before) < TOLERANCE
    for number, word in enumerate(words.values()):
        start = (LENGTH - len(word)) // 2
        assert result.positions[number] == start
        after = predicted([put(text, start, word) for text in texts()])
        assert off(result.effects[number], after - before) < TOLERANCE
    at_5 = marginalise(network(), "AGATAAG", encoded(texts()), position=5, target=1)
    changed = predicted([put(text, 5, "AGATAAG") for text in texts()], 1) - predicted(texts(), 1)
    assert off(at_5.effects[0], changed) < TOLERANCE


def test_cooperativity_is_what_two_motifs_do_beyond_each() -> None:
    first, second, distances = "AGATAAG", "TGACTCA", [0, 3, 10]
    result = spacing(network(), first, second, encoded(texts()), distances, target=0)
    start = (LENGTH - 24) // 2
    before = predicted(texts())
    one = [put(text, start, first) for text in texts()]
    assert off(result.first_alone, predicted(one) - before) < TOLERANCE
    for number, distance in enumerate(distances):
        where = start + 7 + distance
        alone = predicted([put(text, where, second) for text in texts()]) - before
        both = predicted([put(text, where, second) for text in one]) - before
        assert off(result.second_alone[number], alone) < TOLERANCE
        assert off(result.both[number], both) < TOLERANCE
        beyond = both - alone - (predicted(one) - before)
        assert off(result.cooperativity[number], beyond) < 10 * TOLERANCE  # of three differences
        row = result.rows()[number]
        assert row["distance"] == distance
        assert row["cooperativity"] == pytest.approx(beyond.mean(), abs=1e-5)
        assert row["cooperativity_se"] == pytest.approx(beyond.std(ddof=1) / 5**0.5, abs=1e-5)


def test_motifs_apart_add_up_where_the_network_is_linear() -> None:
    source = keras.Input((LENGTH, 4))
    linear = de.convert(keras.Model(source, L.Dense(1)(L.Flatten()(source))))
    result = spacing(linear, "ACG", "TTT", encoded(texts()), [0, 4])
    assert np.abs(result.cooperativity).max() < 1e-5
    assert np.abs(result.both).max() > 0.01


def test_ablation_is_the_mean_change_over_shuffles_of_a_span() -> None:
    kind = de.references.shuffle(6, seed=3)
    spans = {"left": (0, 9), "middle": (20, 31)}
    result = ablate(network(), encoded(texts()), spans, references=kind, target=0, progress=False)
    before = predicted(texts())
    assert off(result.intact, before) < TOLERANCE
    for number, (first, end) in enumerate(spans.values()):
        content = encoded(texts())[:, first:end]
        new = kind.make(content, np.arange(SAMPLES))
        assert np.array_equal(new.sum(axis=2), np.repeat(content.sum(axis=1)[:, None], 6, axis=1))
        whole = np.repeat(encoded(texts())[:, None], 6, axis=1)
        whole[:, :, first:end] = new
        after = model().predict(whole.reshape(-1, LENGTH, 4), verbose=0)[:, 0].astype(float)
        change = after.reshape(SAMPLES, 6) - before[:, None]
        assert off(result.effects[number], change.mean(axis=1)) < TOLERANCE
        assert off(result.deviations[number], change.std(axis=1)) < TOLERANCE
    zeros = ablate(network(), encoded(texts()), [(3, 7)], references=0, target=0)
    blank = encoded(texts())
    blank[:, 3:7] = 0
    after = model().predict(blank, verbose=0)[:, 0].astype(float)
    assert off(zeros.effects[0], after - before) < TOLERANCE


def best_change(text: str, sign: int, free: range) -> tuple[str, float]:
    """The best sequence with one other letter, by trying all."""
    others = [put(text, i, letter) for i in free for letter in "ACGT" if letter != text[i]]
    values = sign * predicted(others)
    return others[int(values.argmax())], float(values.max() * sign)


@pytest.mark.parametrize(("maximise", "free"), [(True, range(LENGTH)), (False, range(10, 30))])
def test_design_takes_the_best_single_change_of_all(maximise: bool, free: range) -> None:
    start = texts(7, 2)
    result = design(network(), encoded(start), 3, maximise=maximise, positions=list(free), target=0)
    for sample, text in enumerate(start):
        for step in range(3):
            text, value = best_change(text, 1 if maximise else -1, free)
            assert result.values[step + 1, sample] == pytest.approx(value, abs=1e-4)
        assert np.array_equal(result.sequences[sample], encoded([text])[0])
    sign = 1 if maximise else -1
    assert (sign * np.diff(result.values, axis=0) > 0).all()
    rows = [row for row in result.rows() if row["sample"] == 1]
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    word = start[1]
    for row in rows[1:]:
        assert word[row["position"]] == row["before"]
        word = put(word, row["position"], row["after"])
    assert np.array_equal(encoded([word])[0], result.sequences[1])


def test_design_stops_where_nothing_helps() -> None:
    source = keras.Input((LENGTH, 4))
    dense = L.Dense(1, use_bias=False)
    linear = keras.Model(source, dense(L.Flatten()(source)))
    weights = np.zeros((LENGTH, 4), "float32")
    weights[5, 2], weights[9, 1] = 2, 1
    dense.set_weights([weights.reshape(-1, 1)])
    start = encoded(["A" * LENGTH, put("A" * LENGTH, 5, "G")])
    result = design(de.convert(linear), start, 10)
    assert result.values.tolist() == [[0, 2], [2, 3], [3, 3]]
    assert result.positions.tolist() == [[5, 9], [9, -1]]
    assert result.after.tolist() == [[2, 1], [1, -1]]
    assert [row["after"] for row in result.rows()] == ["", "G", "C", "", "C"]
    assert np.array_equal(result.sequences[0], result.sequences[1])


def test_channels_first_and_other_orders_of_letters() -> None:
    source = keras.Input((4, LENGTH))
    turned = keras.Model(source, model()(L.Permute((2, 1))(source)))
    x = encoded(texts()).swapaxes(1, 2)
    result = marginalise(de.convert(turned), "AGATAAG", x, target=0)
    expected = marginalise(network(), "AGATAAG", encoded(texts()), target=0)
    assert off(result.effects, expected.effects) < TOLERANCE
    swapped = marginalise(network(), "TGTGTTG", encoded(texts()), target=0, letters="TCGA")
    assert (
        off(swapped.effects, marginalise(network(), "AGAGAAG", encoded(texts()), target=0).effects)
        < TOLERANCE
    )


def test_whole_numbers_are_letters_too() -> None:
    source = keras.Input((LENGTH,), dtype="int32")
    rows = L.Embedding(5, 4)
    coded = keras.Model(source, model()(rows(source)))
    rows.set_weights([np.vstack([np.zeros(4), np.eye(4)])])
    x = encoded(texts()).argmax(axis=2) + 1
    how = {"target": 0, "first_code": 1, "progress": False}
    result = marginalise(de.convert(coded), "AGNTAAG", x, **how)
    expected = marginalise(network(), "AGNTAAG", encoded(texts()), target=0)
    assert off(result.effects, expected.effects) < TOLERANCE
    designed = design(de.convert(coded), x, 2, **how)
    other = design(network(), encoded(texts()), 2, target=0)
    assert np.array_equal(designed.sequences - 1, other.sequences.argmax(axis=2))
    assert np.array_equal(designed.one_hot(3), other.sequences[3])
    assert np.array_equal(designed.one_hot(3), other.one_hot(3))


def test_tables_have_all_rows(tmp_path: Path) -> None:
    result = ablate(network(), encoded(texts()), [(0, 4), (9, 20)], target=1)
    result.save(tmp_path / "a.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert len(rows) == 2 * SAMPLES
    assert [row["span"] for row in rows[::SAMPLES]] == ["0-4", "9-20"]
    assert float(rows[3]["effect"]) == result.effects[0, 3]
    assert repr(result).splitlines()[0].split() == list(rows[0])
    with pytest.raises(OutputError, match=r"\.csv"):
        result.save(tmp_path / "a.txt")


X = np.eye(4, dtype="float32")[np.zeros((2, LENGTH), int)]
MISTAKES: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: marginalise(network(), "AXT", X, target=0), InputError, "'AXT' is no motif"),
    (lambda: marginalise(network(), "", X, target=0), InputError, "'' is no motif"),
    (lambda: marginalise(network(), [], X, target=0), InputError, "no motifs"),
    (lambda: marginalise(network(), "AC", X, position=47, target=0), InputError, "47 to 49"),
    (lambda: marginalise(network(), "AC", X, target="all"), TargetError, "one target"),
    (lambda: marginalise(network(), "AC", X, target=0, letters="ACG"), InputError, "letters="),
    (lambda: spacing(network(), "AC", "AC", X, [-1], target=0), InputError, "0 or more"),
    (lambda: spacing(network(), "AC", "AC", X, [45], target=0), InputError, "pair of motifs"),
    (lambda: ablate(network(), X, [], target=0), InputError, "no spans"),
    (lambda: ablate(network(), X, [(5, 5)], target=0), InputError, "5 to 5"),
    (lambda: design(network(), X, 0, target=0), InputError, "steps=0"),
    (lambda: design(network(), X, 1, positions=[48], target=0), InputError, "0 to 47"),
    (lambda: design(network(), X + 0.5, 1, target=0), InputError, "no letters"),
]


@pytest.mark.parametrize(("call", "error", "message"), MISTAKES)
def test_mistakes_are_refused(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
