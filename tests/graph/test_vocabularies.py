"""Tokens that no table has a row for are refused before anything runs, with where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.engine.probe_inputs import random_inputs
from deeplift_engine.errors import InputError, ReferencesError

ROWS, STEPS = 9, 5


def embedded(x: Any, rows: int = ROWS, name: str = "words") -> Any:
    return L.GlobalAveragePooling1D()(L.Embedding(rows, 3, name=name)(x))


def network(build: Callable[[Any], Any] = embedded, dtype: str = "int32") -> de.Network:
    source = keras.Input((STEPS,), name="tokens", dtype=dtype)
    return de.convert(keras.Model(source, L.Dense(1)(build(source))))


def tokens(samples: int = 3) -> Any:
    return np.random.default_rng(0).integers(0, ROWS, (samples, STEPS))


def spoiled(token: int, sample: int = 2, position: int = 3) -> Any:
    x = tokens()
    x[sample, position] = token
    return x


@pytest.mark.parametrize("token", [-1, ROWS, 10**6])
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_a_token_beyond_the_table_is_named(token: int, dtype: str) -> None:
    """Also where the file declares an embedding's input float32, as tf.keras does."""
    net = network(dtype=dtype)
    words = (
        rf"'tokens', sample 2: the token at \(3,\) is {token}, .*'words' has {ROWS} rows, .*to 8"
    )
    explainer = net.explainer(fused=False)
    for run in (net.predict, explainer.run, net.audit):
        with pytest.raises(InputError, match=words):
            run(spoiled(token))
    assert net.predict(tokens()).shape == (3, 1)


def test_references_beyond_the_table_are_named_too() -> None:
    net = network()
    explainer = net.explainer(fused=False)
    with pytest.raises(ReferencesError, match=r"constant\(9\): a token is 9, but .* 0 to 8"):
        explainer.run(tokens(), references=ROWS)
    own = de.references.per_sample(spoiled(-5))
    with pytest.raises(ReferencesError, match="a token for sample 2 is -5"):
        explainer.run(tokens(), references=own)
    with pytest.raises(ReferencesError, match="a token for sample 0 is 77"):
        net.audit(tokens(), de.references.replaced(77))
    scored = explainer.run(tokens(), references=de.references.replaced(1, keep=(0,)))
    assert scored.scores.shape == (3, STEPS)


MOVED: dict[str, Callable[[Any], Any]] = {
    "repeated": lambda x: embedded(L.Flatten()(L.RepeatVector(2)(x))),
    "reshaped": lambda x: embedded(L.Reshape((STEPS,))(L.Reshape((STEPS, 1))(x))),
    "the smaller of two tables": lambda x: L.Concatenate()(
        [embedded(x, 20, "large"), embedded(x, ROWS, "words")]
    ),
}


@pytest.mark.parametrize("name", MOVED)
def test_tokens_are_followed_to_their_table(name: str) -> None:
    net = network(MOVED[name])
    (info,) = net.inputs
    assert info.table is not None
    assert (info.table.layer, info.table.rows) == ("words", ROWS)
    with pytest.raises(InputError, match="sample 2"):
        net.predict(spoiled(ROWS))


def test_an_input_that_is_not_looked_up_takes_any_number() -> None:
    source = keras.Input((STEPS,), name="numbers", dtype="float32")
    net = de.convert(keras.Model(source, L.Dense(1)(source)))
    assert net.inputs[0].table is None
    assert np.isfinite(net.predict(spoiled(10**6))).all()


def test_random_inputs_are_tokens_of_the_whole_table() -> None:
    tried = network()
    (drawn,) = random_inputs(tried.inputs, tried.dtype, samples=50)
    assert set(np.unique(drawn)) == set(range(ROWS))
