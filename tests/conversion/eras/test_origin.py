"""Who saved a model, what the file does not say of it, and what the caller may."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeplift_conversion import ModelConfigError, read_model
from deeplift_conversion.eras.changes import CHANGES, Period
from deeplift_conversion.eras.origin import KERAS, KERAS_3, TF_KERAS, origin_of, trained_on
from deeplift_conversion.layers.table import LAYERS
from tests.conversion.conversion_files import numbers, sequential, write_model


@pytest.mark.parametrize(
    ("version", "era", "arrays", "line", "numbers"),
    [
        ("1.2.2", 1, (), KERAS, (1, 2, 2)),
        ("2.2.4", 2, (), KERAS, (2, 2, 4)),
        ("2.2.4-tf", 2, (), TF_KERAS, (2, 2, 4)),
        ("2.3.1", 2, (), KERAS, (2, 3, 1)),
        ("2.3.0-tf", 2, ("lstm/kernel:0",), TF_KERAS, (2, 2, 4)),
        ("2.3.0-tf", 2, ("lstm/lstm_cell_1/kernel:0",), TF_KERAS, (2, 3, 0)),
        ("2.4.3", 2, (), TF_KERAS, (2, 4, 3)),
        ("2.15.0", 2, (), TF_KERAS, (2, 15, 0)),
        ("3.3.3", 3, (), KERAS_3, (3, 3, 3)),
        ("3.16.0.dev2026", 3, (), KERAS_3, (3, 16, 0)),
        ("", 2, (), TF_KERAS, (2, 15, 0)),
        ("", 3, (), KERAS_3, (3, 15, 0)),
    ],
)
def test_a_version_is_of_one_line(
    version: str, era: int, arrays: tuple[str, ...], line: str, numbers: tuple[int, ...]
) -> None:
    origin = origin_of(version, era, "", arrays)
    assert (origin.line, origin.version) == (line, numbers)


def test_a_period_begins_with_its_first_version_and_ends_before_its_last() -> None:
    period = Period(KERAS, (2, 2, 3), (2, 3))
    inside = [
        period.holds(origin_of(version, 2)) for version in ("2.2.2", "2.2.3", "2.2.5", "2.3.0")
    ]
    assert inside == [False, True, True, False]
    assert not period.holds(origin_of("2.2.4-tf", 2))


def test_every_change_is_of_layers_that_there_are() -> None:
    known = LAYERS.keys() | {"ops.Add", "ops.Pad", "ops.Resize"}
    assert all(set(change.layers) <= known for change in CHANGES)


@pytest.mark.parametrize(
    ("saved", "backend", "theano", "result"),
    [
        ("", None, None, ""),
        ("theano", None, None, "theano"),
        ("theano", None, False, "tensorflow"),
        ("tensorflow", None, True, "theano"),
        ("", "torch", None, "torch"),
        ("tensorflow", "jax", None, "jax"),
        ("", "theano", True, "theano"),
    ],
)
def test_what_the_caller_says_of_the_backend_goes_before_the_file(
    saved: str, backend: str | None, theano: bool | None, result: str
) -> None:
    assert trained_on(saved, backend, theano) == result


@pytest.mark.parametrize(
    ("backend", "theano"), [("theano", False), ("torch", True), ("nope", None)]
)
def test_what_contradicts_itself_or_is_no_backend_is_refused(
    backend: str, theano: bool | None
) -> None:
    with pytest.raises(ModelConfigError, match="backend="):
        trained_on("", backend, theano)


def unsaid(tmp_path: Path, shape: list[int], *more: tuple[str, dict[str, Any]]) -> Path:
    """A model of Keras 1 that begins with a layer that does not say its order of axes."""
    first = ("Cropping2D", {"name": "c", "cropping": [[1, 0], [0, 1]], "batch_input_shape": shape})
    arrays = {"k": [("k_W", numbers(3, 4, 2, 2)), ("k_b", numbers(3))]} if more else {}
    config = sequential(first, *more, as_list=True)
    return write_model(tmp_path / "m.h5", config, arrays, "1.2.2")


def order(path: Path, **options: Any) -> str:
    return str(read_model(path, **options).layers["c"].config["data_format"])


CONVOLUTION: dict[str, Any] = {
    "name": "k",
    "nb_filter": 3,
    "nb_row": 2,
    "nb_col": 2,
    "dim_ordering": "th",
}


def test_the_layers_around_tell_the_order_of_axes(tmp_path: Path) -> None:
    between = ("Activation", {"name": "a", "activation": "relu"})
    path = unsaid(tmp_path, [None, 4, 4, 4], between, ("Convolution2D", CONVOLUTION))
    assert order(path) == "channels_first"
    assert order(path, data_format="channels_last") == "channels_first"


def test_layers_beyond_one_that_mixes_axes_do_not_tell(tmp_path: Path) -> None:
    between = ("Reshape", {"name": "r", "target_shape": [4, 6, 2]})
    path = unsaid(tmp_path, [None, 4, 4, 4], between, ("Convolution2D", CONVOLUTION))
    with pytest.raises(ModelConfigError, match='data_format="channels_first"'):
        order(path)


def test_an_order_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    path = unsaid(tmp_path, [None, 4, 4, 4])
    with pytest.raises(ModelConfigError, match="layer 'c': Keras 1 saves no dim_ordering"):
        order(path)
    for answer in ("channels_first", "channels_last"):
        assert order(path, data_format=answer) == answer
    with pytest.raises(ModelConfigError, match="'th' is none of channels_first, channels_last"):
        order(path, data_format="th")


@pytest.mark.parametrize(
    ("shape", "result"), [([None, 5, 4, 2], "channels_last"), ([None, 2, 5, 4], "channels_first")]
)
def test_fewer_channels_than_rows_and_columns_tell_with_a_warning(
    shape: list[int], result: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = unsaid(tmp_path, shape)
    with caplog.at_level(logging.WARNING):
        assert order(path) == result
    assert "data_format" in caplog.text


def test_a_full_border_mode_is_theano(tmp_path: Path) -> None:
    options = {**CONVOLUTION, "border_mode": "full", "batch_input_shape": [None, 2, 5, 6]}
    kernel = numbers(3, 2, 2, 2)
    arrays = {"k": [("k_W", kernel), ("k_b", numbers(3))]}
    config = sequential(("Convolution2D", options), as_list=True)
    spec = read_model(write_model(tmp_path / "m.h5", config, arrays, "1.2.2"))
    assert spec.backend == "theano"
    layer = spec.layers["k"]
    assert (layer.config["padding"], layer.config["borders"]) == ("valid", ((1, 1), (1, 1)))
    flipped = kernel.transpose(2, 3, 1, 0)[::-1, ::-1]
    np.testing.assert_array_equal(layer.weights["kernel"], flipped)


def test_margins_by_names_leave_unnamed_sides_alone(tmp_path: Path) -> None:
    def margins(class_name: str, shape: list[int], padding: dict[str, int]) -> Any:
        options = {"name": "p", "padding": padding, "batch_input_shape": [None, *shape]}
        path = write_model(
            tmp_path / "m.h5", sequential((class_name, options), as_list=True), {}, "1.2.2"
        )
        return read_model(path, data_format="channels_last").layers["p"].config["padding"]

    assert margins("ZeroPadding2D", [5, 4, 2], {"right_pad": 2, "top_pad": 1}) == ((1, 0), (0, 2))
    assert margins("ZeroPadding2D", [5, 4, 2], {}) == ((0, 0), (0, 0))
    assert margins("ZeroPadding1D", [5, 2], {"right_pad": 3}) == (0, 3)
    with pytest.raises(ModelConfigError, match="top"):
        margins("ZeroPadding2D", [5, 4, 2], {"top": 1})
