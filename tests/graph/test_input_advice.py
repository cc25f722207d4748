"""Data that do not fit an input are refused with what makes them fit; a column is one."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import deeplift_engine as de
from deeplift_engine.errors import InputError

L = keras.layers
CODES = np.random.default_rng(0).integers(0, 4, (5, 12))
LETTERS = np.eye(4)[CODES]


def reading(*shapes: tuple[int | None, ...], **options: Any) -> Any:
    """A network of inputs of these shapes, called a, b ..."""
    inputs = [L.Input(shape, name="ab"[n], **options) for n, shape in enumerate(shapes)]
    dense = [
        L.Dense(1)(L.Flatten()(x) if None not in x.shape[1:] else L.GlobalMaxPooling1D()(x))
        for x in inputs
    ]
    model = keras.Model(inputs, L.Add()(dense) if len(dense) > 1 else dense[0])
    return de.convert(model), model


class Table:
    """As a DataFrame: columns, and an array of all."""

    def __init__(self, **columns: Any) -> None:
        self.columns = list(columns)
        self._values = np.array(list(columns.values())).T

    def to_numpy(self) -> Any:
        """All columns side by side."""
        return self._values

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self._values


NOT_NUMBERS = {
    "strings": (["ACGTACGTACGT", "AAAACCCCGGGG"], (12, 4), r"text.*'ACGTACGTACGT'.*np\.eye\(4\)"),
    "letters": (np.array([list("ACGTACGTACGT")]), (12, 4), r"'ACGT'\.index"),
    "bytes": (np.array([b"ACGT"]), (4, 4), r"'ACGT'\.index"),
    "proteins": (["MKVL"], (4, 20), "as 20 numbers for each letter"),
    "a word": (["fast"], (3,), "holds text, 'fast'"),
    "a table with text": (Table(u=["1", "x"], v=["2", "y"]), (2,), "holds text, '1'"),
    "a file": ("x.npy", (3,), r"name of a file.*np\.load"),
    "nothing": (None, (3,), "is None; give an array"),
    "ragged": (tf.ragged.constant([[[1.0]], [[2.0], [3.0]]]), (None, 1), r"x\.to_tensor\(\)"),
    "a ragged list": ([[[1.0]], [[2.0], [3.0]]], (None, 1), "different shapes.*Pad them"),
    "sparse": (tf.sparse.from_dense(np.eye(3)), (3,), r"tf\.sparse\.to_dense"),
    "batches": (tf.data.Dataset.from_tensors(np.eye(3)), (3,), r"np\.concatenate\(list\(x\)\)"),
    "a generator": ((row for row in np.eye(3)), (3,), "is a generator"),
    "objects": (np.array([[object()] * 3]), (3,), "of objects, not numbers"),
}


@pytest.mark.parametrize("case", NOT_NUMBERS)
def test_what_holds_no_numbers_is_refused_with_the_way(case: str) -> None:
    x, shape, message = NOT_NUMBERS[case]
    net, _ = reading(shape)
    with pytest.raises(InputError, match=f"Input 'a' .*{message}"):
        net.predict(x)


WRONG_SHAPES = {
    "codes": (CODES, (12, 4), "np.eye(4)[x.astype(int)]"),
    "codes as floats": (CODES.astype(float), (12, 4), "np.eye(4)[x.astype(int)]"),
    "one sample": (LETTERS[0], (12, 4), "x[np.newaxis]"),
    "one sample of steps": (np.ones((7, 1)), (None, 1), "x[np.newaxis]"),
    "channels first": (np.moveaxis(LETTERS, -1, 1), (12, 4), "np.moveaxis(x, 1, -1)"),
    "channels last": (LETTERS, (4, 12), "np.moveaxis(x, 1, -1)"),
    "image, channels first": (np.ones((2, 3, 6, 8)), (6, 8, 3), "np.moveaxis(x, 1, -1)"),
    "image for channels first": (np.ones((2, 6, 8, 3)), (3, 6, 8), "np.moveaxis(x, -1, 1)"),
    "height and width": (np.ones((2, 8, 6, 3)), (6, 8, 3), "np.transpose(x, (0, 2, 1, 3))"),
    "an axis of size 1": (LETTERS[:, np.newaxis], (12, 4), "np.squeeze(x, (1,))"),
    "a last axis of size 1": (np.ones((2, 5, 1)), (5,), "np.squeeze(x, (2,))"),
    "another length": (LETTERS[:, :-1], (12, 4), "expected (samples, 12, 4)."),
    "a table": (Table(u=[1.0, 2.0], v=[3.0, 4.0]), (3,), "(samples, 3). Its columns are u, v."),
    "a number": (3.0, (3,), "expected (samples, 3)."),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_what_has_another_shape_is_refused_with_the_way(case: str) -> None:
    x, shape, message = WRONG_SHAPES[case]
    net, _ = reading(shape)
    way = message.startswith(("x[", "np."))
    with pytest.raises(InputError, match=re.escape(message) + "$" * (not way)):
        net.predict(x)
    if way:
        fixed = eval(message, {"x": np.asarray(x), "np": np})
        assert net.predict(fixed).shape == (len(fixed), 1)


@pytest.mark.parametrize(
    ("shape", "x"),
    [
        ((1,), np.arange(3.0)),
        ((6, 1), np.ones((2, 6))),
        ((4, 5, 1), np.ones((3, 4, 5))),
        ((None, 1), np.ones((2, 7))),
    ],
)
def test_a_last_axis_of_size_1_is_added_as_keras_does(shape: Any, x: Any) -> None:
    net, model = reading(shape)
    np.testing.assert_allclose(net.predict(x), model.predict(x, verbose=0), atol=1e-6)
    sizes = [size or x.shape[1] for size in shape]
    assert net.explainer("gradient").run(x).scores.shape == (len(x), *sizes)


def test_columns_of_a_table_go_by_their_names() -> None:
    net, model = reading((1,), (1,))
    table = Table(a=[1.0, 2.0], b=[3.0, 4.0])
    with pytest.raises(InputError, match=re.escape("{'a': x['a'].to_numpy(), 'b': x[")):
        net.predict(table)
    x = dict(zip("ab", table.to_numpy().T, strict=True))
    np.testing.assert_allclose(net.predict(x), model.predict(x, verbose=0), atol=1e-6)


def test_tokens_with_a_fraction_are_named() -> None:
    tokens = L.Input((5,), name="a")
    net = de.convert(
        keras.Model(tokens, L.Dense(1)(L.Flatten()(L.Embedding(7, 2, name="e")(tokens))))
    )
    with pytest.raises(InputError, match=r"one at \(0, 1\) is 2\.5.*looked up in 'e'"):
        net.predict([[1, 2.5, 3, 0, 0]])
    net, _ = reading((3,), dtype="int32")
    with pytest.raises(InputError, match=r"one at \(1, 2\) is 0\.5\.$"):
        net.predict([[1, 2, 3], [0, 0, 0.5]])
