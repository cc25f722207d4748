"""Words that stand twice in a sequence tie in pools, in whole numbers exactly: docs/GENOMICS.md."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from tests.genomics.architectures import deepstarr

WORD, LENGTH, PLACES = "AGAT", 40, (6, 25)


def reads_a_word() -> keras.Model:
    """1 where AGAT stands anywhere, in whole numbers."""
    model = keras.Sequential(
        [
            keras.Input((LENGTH, 4)),
            L.Conv1D(1, len(WORD), activation="relu"),
            L.MaxPooling1D(LENGTH - len(WORD) + 1),
            L.Flatten(),
            L.Dense(1),
        ]
    )
    kernel = de.genomics.one_hot([WORD])[0][..., np.newaxis]
    model.set_weights([kernel, np.array([1.0 - len(WORD)]), np.ones((1, 1)), np.zeros(1)])
    return model


def with_words(places: tuple[int, ...]) -> Any:
    letters = ["C"] * LENGTH
    for place in places:
        letters[place : place + len(WORD)] = WORD
    return de.genomics.one_hot(["".join(letters)])


@pytest.mark.parametrize(
    ("places", "max_pooling", "shares"),
    [
        (PLACES[:1], "exact", (1.0, 0.0)),
        (PLACES, "exact", (0.5, 0.5)),
        (PLACES, "gradient", (1.0, 0.0)),
    ],
)
def test_words_that_tie_share(places: Any, max_pooling: str, shares: Any) -> None:
    network = de.convert(reads_a_word())
    explainer = network.explainer("deeplift", max_pooling=max_pooling)
    result = explainer.run(with_words(places).astype("int8"), target=0)
    words = [result.scores[0, place : place + len(WORD)].sum() for place in PLACES]
    np.testing.assert_array_equal(words, shares)
    assert result.scores.sum() == 1


@pytest.mark.slow
def test_whole_numbers_of_any_type_give_the_same_bits() -> None:
    keras.utils.set_random_seed(0)
    network = de.convert(deepstarr())
    x = np.eye(4)[np.random.default_rng(0).integers(4, size=(3, 48))]
    x[:, 10:26] = np.eye(4)[0]  # a run of one letter: its words tie in pools of neighbours
    explainer = network.explainer("deeplift", target="Dense_Dev")
    found = [explainer.run(x.astype(kind)).scores for kind in ("int8", "bool", "float32")]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], found[2])
    first = explainer.run(x[:1].astype("int8")).scores
    np.testing.assert_allclose(first, found[0][:1], rtol=1e-5, atol=1e-7)
