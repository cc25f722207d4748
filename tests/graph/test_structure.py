"""A network takes inputs and gives outputs by the keys of the model's structure, as Keras does."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_conversion import ModelConfigError
from deeplift_engine.cli import main
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.graph.structure import labels, packed, unpacked

L = keras.layers
WAYS = (".keras", ".h5", "memory")


@pytest.fixture(autouse=True)
def keys_may_differ_from_names() -> Iterator[None]:
    """Keras warns of keys that are not names of tensors, which is what these tests are about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def network(model: keras.Model, way: str, folder: Path) -> de.Network:
    if way == "memory":
        return de.convert(model)
    path = folder / f"m{way}"
    model.save(path)
    return de.load(path)


def column(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, "float32")[:, np.newaxis]


def inputs(*names: str) -> list[Any]:
    return [L.Input((1,), name=name) for name in names]


def rotated() -> keras.Model:
    """Three inputs, each under the name of the next."""
    a, b, c = inputs("a", "b", "c")
    return keras.Model(
        {"b": a, "c": b, "a": c}, L.Subtract()([L.Subtract()([a, b]), L.Rescaling(9.0)(c)])
    )


def two_heads() -> keras.Model:
    """Outputs under the names of each other's layers."""
    (x,) = inputs("x")
    first, second = L.Rescaling(2.0, name="first")(x), L.Rescaling(3.0, name="second")(x)
    return keras.Model(x, {"second": first, "first": second})


def nested() -> keras.Model:
    a, b, c = inputs("a", "b", "c")
    outputs = {"u": [L.Subtract(name="o")([a, b])], "v": {"w": L.Add(name="s")([a, c])}}
    return keras.Model({"p": [a, b], "q": {"r": c}}, outputs)


def listed() -> keras.Model:
    a, b, c = inputs("a", "b", "c")
    return keras.Model(
        [{"y": a, "x": b}, c], [L.Subtract(name="o")([a, b]), {"k": L.Add(name="s")([a, c])}]
    )


X = {
    "rotated": {"a": column(1, 2), "b": column(3, 5), "c": column(7, 11)},
    "two_heads": column(1, 2),
    "nested": {"p": [column(1, 2), column(3, 5)], "q": {"r": column(7, 11)}},
    "listed": [{"x": column(1, 2), "y": column(3, 5)}, column(7, 11)],
}
MODELS: dict[str, Callable[[], keras.Model]] = {
    each.__name__: each for each in (rotated, two_heads, nested, listed)
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_predictions_are_those_of_keras_in_its_structure(
    name: str, way: str, tmp_path: Path
) -> None:
    model, x = MODELS[name](), X[name]
    expected = model.predict(x, verbose=0)
    found = network(model, way, tmp_path).predict(x)
    keras.tree.assert_same_structure(found, expected)
    keras.tree.map_structure(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize("way", WAYS)
def test_scores_and_references_go_by_key(way: str, tmp_path: Path) -> None:
    net = network(rotated(), way, tmp_path)
    references = {"a": 1.0, "b": 2.0, "c": 3.0}
    result = net.explainer("deeplift").run(X["rotated"], target=0, references=references)
    # b is the first minuend, c the subtrahend, and a counts nine times
    assert list(result.scores) == ["a", "b", "c"]
    np.testing.assert_allclose(result.scores["b"], [[1], [3]])
    np.testing.assert_allclose(result.scores["c"], [[-4], [-8]])
    np.testing.assert_allclose(result.scores["a"], [[0], [-9]])
    np.testing.assert_array_equal(result.inputs["a"], X["rotated"]["a"])
    path = tmp_path / "scores.npz"
    result.save(path)
    np.testing.assert_array_equal(de.Attribution.load(path).scores["b"], result.scores["b"])


def test_paths_name_what_is_nested(tmp_path: Path) -> None:
    net = network(nested(), ".keras", tmp_path)
    assert [info.name for info in net.inputs] == ["p/0", "p/1", "q/r"]
    result = net.explainer("gradient_times_input", target="v/w").run(X["nested"], target=0)
    np.testing.assert_array_equal(result.scores["q/r"], column(7, 11))
    assert list(result.predictions) == ["u/0", "v/w"]
    path = tmp_path / "scores.h5"
    result.save(path)
    np.testing.assert_array_equal(de.Attribution.load(path).scores["q/r"], column(7, 11))
    by_path = dict(zip(("p/0", "p/1", "q/r"), (column(1), column(2), column(3)), strict=True))
    by_layer = dict(zip("abc", by_path.values(), strict=True))
    for x in (by_path, by_layer):
        np.testing.assert_array_equal(net.predict(x)["v"]["w"], column(4))


@pytest.mark.parametrize("name", ["rotated", "nested", "listed"])
@pytest.mark.parametrize("container", [list, tuple])
def test_lists_for_inputs_with_keys_are_refused(name: str, container: Any) -> None:
    net = de.convert(MODELS[name]())
    values = container([column(1, 2)] * 3)
    for call in (
        lambda: net.predict(values),
        lambda: net.explainer().run(values, target=0),
        lambda: net.explainer(target=net.outputs[0]).run(X[name], target=0, references=values),
    ):
        with pytest.raises((InputError, TargetError), match=r"keys|several outputs"):
            call()


def test_names_of_input_layers_come_second() -> None:
    a, b = inputs("a", "b")
    net = de.convert(keras.Model({"x1": a, "x2": b}, L.Subtract()([a, b])))
    for keys in (("x1", "x2"), ("a", "b")):
        x = dict(zip(keys, (column(5), column(2)), strict=True))
        np.testing.assert_array_equal(net.predict(x), column(3))
    assert net.explainer("gradient", layers=["b"]).run(x, target=0).scores == column(-1)
    with pytest.raises(InputError, match="missing"):
        net.predict({"x1": column(5), "b": column(2)})


def test_names_that_are_keys_of_other_inputs_are_refused() -> None:
    a, b = inputs("a", "b")
    net = de.convert(keras.Model({"x": a, "a": b}, L.Subtract()([a, b])))
    np.testing.assert_array_equal(net.predict({"x": column(5), "a": column(2)}), column(3))
    with pytest.raises(InputError, match="'a' is a key of the model"):
        net.predict({"a": column(5), "b": column(2)})
    with pytest.raises(InputError, match=r"'layer:a' .* or 'input:a'"):
        net.explainer("gradient", layers=["a"])
    x = {"x": column(5), "a": column(2)}
    for name, slope in (("layer:a", 1), ("input:a", -1)):
        assert net.explainer("gradient", layers=[name]).run(x, target=0).scores == column(slope)


def test_a_key_that_is_the_name_of_an_inner_layer() -> None:
    (x,) = inputs("x")
    hidden = L.Rescaling(2.0, name="dense")(x)
    net = de.convert(keras.Model({"dense": x}, L.Rescaling(3.0, name="o")(hidden)))
    np.testing.assert_array_equal(net.predict({"dense": column(1)}), column(6))
    found = net.activations({"dense": column(1)}, ["layer:dense", "input:dense"])
    np.testing.assert_array_equal(found["layer:dense"], column(2))
    np.testing.assert_array_equal(found["input:dense"], column(1))
    with pytest.raises(InputError, match="say 'layer:dense'"):
        net.activations({"dense": column(1)}, ["dense"])


def test_targets_go_by_the_keys_of_outputs() -> None:
    net = de.convert(two_heads())
    assert net.output_names == ("first", "second")
    assert net.outputs == ("second", "first")
    with pytest.raises(TargetError, match=r"'layer:first' .* or 'output:first'"):
        net.explainer(target="first")
    for name, factor in (("layer:first", 2), ("output:first", 3), ("output:second", 2)):
        result = net.explainer("gradient", target=name).run(column(1, 2), target=0)
        np.testing.assert_array_equal(result.scores, column(factor, factor))
        np.testing.assert_array_equal(result.predictions["first"], column(3, 6))
    with pytest.raises(TargetError, match="name one as target=: first, second"):
        net.explainer()


def test_an_output_may_have_the_key_of_an_input() -> None:
    (x,) = inputs("image")
    outputs = {"image": L.Rescaling(2.0, name="o")(x), "code": L.Rescaling(3.0, name="p")(x)}
    net = de.convert(keras.Model({"image": x}, outputs))
    np.testing.assert_array_equal(net.predict({"image": column(1)})["image"], column(2))
    result = net.explainer("gradient", target="image").run({"image": column(1)}, target=0)
    assert result.scores == column(2)
    np.testing.assert_array_equal(result.predictions["image"], column(2))


@pytest.mark.parametrize("way", WAYS)
def test_repeated_outputs_keep_each_of_their_keys(way: str, tmp_path: Path) -> None:
    (x,) = inputs("x")
    y = L.Rescaling(2.0, name="o")(x)
    net = network(keras.Model(x, {"z": y, "y": y}), way, tmp_path)
    assert {key: value.item() for key, value in net.predict(column(1)).items()} == {"y": 2, "z": 2}
    result = net.explainer("gradient").run(column(1), target=0)
    assert result.scores == column(2)
    assert set(result.predictions) == {"y", "z"}
    net = network(keras.Model(x, [y, y]), way, tmp_path)
    assert {key: value.item() for key, value in net.predict(column(1)).items()} == {
        "o": 2,
        "o_1": 2,
    }


def test_an_input_under_two_keys_is_refused(tmp_path: Path) -> None:
    a, b = inputs("a", "b")
    model = keras.Model({"x": a, "y": a, "z": b}, L.Subtract()([a, b]))
    with pytest.raises(ModelConfigError, match="'a' is in the model's inputs more than once"):
        network(model, ".keras", tmp_path)


class Called(keras.Model):
    """A model whose ``call`` takes and returns mappings."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = L.Dense(1, use_bias=False, kernel_initializer="ones")

    def call(self, x: Any) -> Any:
        return {"late": x["early"] - self.scale(x["late"]), "early": x["late"]}


def test_models_written_in_python_have_the_keys_of_their_call() -> None:
    x = {"late": column(1, 2), "early": column(3, 5)}
    model = Called()
    expected = {key: np.asarray(value) for key, value in model(x).items()}
    net = de.convert(model, example=x)
    assert [info.name for info in net.inputs] == ["early", "late"]
    for key, values in net.predict(x).items():
        np.testing.assert_array_equal(values, expected[key])
    result = net.explainer("gradient_times_input", target="output:late").run(x, target=0)
    np.testing.assert_array_equal(result.scores["late"], -x["late"])


class Weighed(keras.Model):
    """A model whose ``call`` takes arguments in another order than that of their names."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = L.Dense(1, use_bias=False, kernel_initializer="ones")

    def call(self, plus: Any, minus: Any) -> Any:
        return self.scale(plus) - minus


@pytest.mark.parametrize(
    "example", [(column(1), column(1)), {"minus": column(1), "plus": column(1)}]
)
def test_arguments_of_a_call_are_in_its_order_and_by_their_names(example: Any) -> None:
    model = Weighed()
    model(column(0), column(0))
    net = de.convert(model, example=example)
    assert [info.name for info in net.inputs] == ["plus", "minus"]
    for x in ([column(5), column(2)], {"minus": column(2), "plus": column(5)}):
        np.testing.assert_array_equal(net.predict(x), column(3))


def test_a_model_with_keys_inside_another() -> None:
    a, b = inputs("a", "b")
    inner = keras.Model({"b": a, "a": b}, {"z": L.Subtract()([a, b]), "y": L.Add()([a, b])})
    left, right = inputs("left", "right")
    outer: Any = inner({"a": left, "b": right})
    model = keras.Model([left, right], L.Subtract()([outer["z"], L.Rescaling(10.0)(outer["y"])]))
    expected = model.predict([column(5), column(2)], verbose=0)
    np.testing.assert_array_equal(de.convert(model).predict([column(5), column(2)]), expected)


def test_everything_that_runs_a_network_gives_it_keys(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    rotated().save(path)
    net = de.load(path)
    assert net.verify().ok
    assert net.verify(X["rotated"]).ok
    found = net.sweep(X["rotated"], {"zeros": None, "own": {"a": 1, "b": 2, "c": 3}}, target=0)
    np.testing.assert_allclose(found["own", "rescale"].scores["c"], [[-4], [-8]])
    bench = de.evaluate.Bench(net, X["rotated"], target=0)
    assert set(bench.run("occlusion").attribution.scores) == {"a", "b", "c"}


@pytest.mark.parametrize("names", ["keys", "layers"])
def test_the_command_line_reads_arrays_by_key_or_by_layer(names: str, tmp_path: Path) -> None:
    a, b = inputs("a", "b")
    keras.Model({"x1": a, "x2": b}, L.Subtract()([a, b])).save(tmp_path / "m.keras")
    first, second = ("x1", "x2") if names == "keys" else ("a", "b")
    np.savez(tmp_path / "x.npz", **{second: column(2), first: column(5), "other": column(0)})
    out = tmp_path / "s.npz"
    references = [f"{second}=constant:1", f"{first}=zeros"]
    command = ["score", str(tmp_path / "m.keras"), str(tmp_path / "x.npz"), "-q", "--target", "0"]
    command += [word for text in references for word in ("--references", text)]
    code = main([*command, "-o", str(out)])
    assert code == 0
    scores = de.Attribution.load(out).scores
    assert (scores["x1"], scores["x2"]) == (column(5), column(-1))


def test_structures_are_unpacked_as_they_were_packed() -> None:
    paths = (("p", 0), ("p", 1), ("q", "r"))
    structure = packed(paths, [1, 2, 3])
    assert structure == {"p": [1, 2], "q": {"r": 3}}
    assert unpacked(structure, paths) == [1, 2, 3]
    assert unpacked({"p": [1], "q": {"r": 3}}, paths) is None
    assert unpacked([1, 2, 3], paths) is None
    assert labels(((0,), (1,), ("k",)), ("d", "d", "e")) == ("d", "d_1", "k")
