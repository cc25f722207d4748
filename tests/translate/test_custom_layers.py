"""Custom layers: made of existing ones and exact, or by their forward pass and approximate."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import (
    ConvergenceError,
    ConvergenceWarning,
    InputError,
    UnsupportedModelError,
)
from deeplift_engine.translate.operations.keras3 import name_of
from deeplift_engine.translate.operations.operation_table import OPERATIONS as EVERY_OPERATION
from deeplift_engine.translate.user_layers import registered_layers
from tests.cases.custom_models import (
    Block,
    Halves,
    Wave,
    block,
    halves,
    letters,
    randomised,
    revcomp,
    reverse_complement_model,
    vectors,
    wave,
)
from tests.helpers import off

FORWARD = 1e-6  # float32, a handful of layers
SUMS = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models with custom layers, as ``.h5`` and as ``.keras``."""
    where = tmp_path_factory.mktemp("custom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for suffix in ("h5", "keras"):
            randomised(reverse_complement_model()).save(where / f"revcomp.{suffix}")
            randomised(stacked(Block(6, name="block"))).save(where / f"block.{suffix}")
            randomised(stacked(Wave(2.0, name="wave"))).save(where / f"wave.{suffix}")
    return where


def stacked(layer: Any) -> keras.Model:
    source = keras.Input((6,), name="x")
    return keras.Model(source, L.Dense(2, name="units")(layer(source)))


def audited(network: de.Network, x: Any, x0: Any) -> float:
    """The largest error of any layer's sum under the rule that keeps parts apart."""
    audit = network.audit(x, x0, target=0, rules="reveal_cancel")
    return max(row.error for row in audit.rows)


# ---------------------------------------------------------------- made of existing layers


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_layer_made_of_a_convolution_is_that_convolution(folder: Path, suffix: str) -> None:
    """Forward as Keras's; scores as those of the same model with plain convolutions."""
    network = de.load(folder / f"revcomp.{suffix}", layers={"RevCompConv1D": revcomp})
    model = randomised(reverse_complement_model())
    x, x0 = letters(4), letters(4, 1)
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert all(row.exact for row in network.describe())
    assert audited(network, x, x0) < SUMS

    plain = reverse_complement_model(custom=False)
    arrays = model.get_weights()
    for position in (0, 2):
        kernel, bias = arrays[position : position + 2]
        arrays[position] = np.concatenate([kernel, kernel[::-1, ::-1, ::-1]], axis=-1)
        arrays[position + 1] = np.concatenate([bias, bias[::-1]])
    plain.set_weights(arrays)
    for rules in ("genomics_default", "reveal_cancel"):
        outputs, expected = (
            net.explainer(rules=rules, fused=False).run(x, target=0, references=x0).scores
            for net in (network, de.convert(plain))
        )
        assert off(outputs, expected) < SUMS


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_chain_of_layers_with_layers_inside(folder: Path, suffix: str) -> None:
    network = de.load(folder / f"block.{suffix}", layers={"Block": block})
    x = vectors(4)
    expected = randomised(stacked(Block(6, name="block"))).predict(x, verbose=0)
    assert off(network.predict(x), expected) < FORWARD
    assert audited(network, x, vectors(4, seed=1)) < SUMS
    assert {node.keras_layer for node in network.nodes.values()} == {"x", "block", "units"}


def test_several_inputs_outputs_and_arguments() -> None:
    source, other = keras.Input((6,), name="x"), keras.Input((6,), name="other")
    left, right = Halves(name="halves")(source, other=other)
    model = randomised(keras.Model([source, other], L.Dense(2)(L.Multiply()([left, right]))))
    network = de.convert(model, layers={"Halves": halves})
    x, x0 = ([vectors(4, seed=seed) for seed in seeds] for seeds in ((0, 1), (2, 3)))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert audited(network, x, x0) < SUMS


def test_arguments_that_nobody_asks_for_are_refused() -> None:
    source, other = keras.Input((6,), name="x"), keras.Input((6,), name="other")
    left, _ = Halves(name="halves")(source, other=other)
    model = keras.Model([source, other], left)
    with pytest.raises(UnsupportedModelError, match=r"halves \(Halves\).*arguments \['other'\]"):
        de.convert(model, layers={"Halves": lambda layer: (layer.inputs[0], layer.inputs[0])})


def custom_network(
    function: Callable[[Any], Any], shape: tuple[int | None, ...] = (5, 4)
) -> de.Network:
    """A network whose one layer is what ``function`` says."""
    source = keras.Input(shape, name="x")
    return de.convert(
        keras.Model(source, L.Identity(name="custom")(source)), layers={"custom": function}
    )


OPERATORS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    # what is said of a layer, and the same in numpy
    "indices": (lambda layer: layer.input[:, 1:-1, ::-1], lambda x: x[:, 1:-1, ::-1]),
    "an element": (lambda layer: layer.input[:, -2], lambda x: x[:, -2]),
    "dots": (lambda layer: layer.input[..., 2], lambda x: x[..., 2]),
    "a new axis": (lambda layer: layer.input[:, :, None], lambda x: x[:, :, None]),
    "numbers": (
        lambda layer: 3 - (2 * layer.input - 1) / 4,
        lambda x: 3 - (2 * x - 1) / 4,
    ),
    "an array": (
        lambda layer: layer.input * np.arange(4) + np.ones((5, 1)),
        lambda x: x * np.arange(4) + 1,
    ),
    "an array in front": (lambda layer: np.arange(4.0) - layer.input, lambda x: np.arange(4) - x),
    "a number of numpy": (lambda layer: np.float64(2) * layer.input, lambda x: 2 * x),
    "symbols": (
        lambda layer: -(layer.input - layer.input[:, ::-1]) * layer.input + layer.input,
        lambda x: -(x - x[:, ::-1]) * x + x,
    ),
    "reverse and concatenate": (
        lambda layer: layer.concatenate(layer.input, layer.reverse(layer.input, 1, -1), axis=1),
        lambda x: np.concatenate([x, x[:, ::-1, ::-1]], 1),
    ),
    "the input itself": (lambda layer: layer.input, lambda x: x),
    "keras layers": (
        lambda layer: layer.apply("Cropping1D", layer.apply("ReLU"), cropping=(1, 2)),
        lambda x: np.maximum(x, 0)[:, 1:-2],
    ),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_symbols_compute_what_numpy_does(name: str) -> None:
    function, expected = OPERATORS[name]
    network = custom_network(function)
    x, x0 = (np.random.default_rng(seed).normal(size=(3, 5, 4)).astype("f4") for seed in (0, 1))
    assert off(network.predict(x), expected(x)) < FORWARD
    assert all(row.exact for row in network.describe())
    shape = network.predict(x).shape[1:]
    weights = de.targets.weights(np.random.default_rng(2).normal(size=shape))
    audit = network.audit(x, x0, target=weights, rules="reveal_cancel")
    assert max(row.error for row in audit.rows) < SUMS, audit


def test_free_lengths_stay_free() -> None:
    network = custom_network(lambda layer: layer.input[:, 1:-1] + 1, (None, 4))
    assert network.nodes["custom"].shape == (None, 4)
    assert network.predict(np.zeros((2, 9, 4))).shape == (2, 7, 4)


def test_a_softmax_at_the_end_of_a_custom_layer_still_has_its_logits() -> None:
    network = custom_network(lambda layer: layer.apply("Softmax"), (4,))
    assert network.target_node("logits") == "x"


def test_every_step_of_a_sequence_gets_a_custom_layer() -> None:
    model = keras.Sequential(
        [keras.Input((5, 6)), L.TimeDistributed(Block(6), name="steps"), L.Flatten(), L.Dense(2)]
    )
    model = randomised(model)
    network = de.convert(model, layers={"Block": block})
    x, x0 = (np.random.default_rng(seed).normal(size=(3, 5, 6)).astype("f4") for seed in (0, 1))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert audited(network, x, x0) < SUMS


MISTAKES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "raises": (lambda layer: layer.weights["kernel"], "raised KeyError: 'kernel'"),
    "returns nothing": (lambda layer: None, "returned something else: .* not NoneType"),
    "returns an array": (lambda layer: np.zeros(3), "returned something else: .* not ndarray"),
    "returns no outputs": (lambda layer: (), "returned nothing"),
    "unknown class": (lambda layer: layer.apply("Conv1d"), "Conv1d in it: no attribution layer"),
    "unknown option": (
        lambda layer: layer.apply("ReLU", slope=1),
        "ReLU has no option 'slope'; it has max_value",
    ),
    "arrays that do not fit": (
        lambda layer: layer.apply("Dense", weights={"kernel": np.zeros((3, 2))}),
        "cannot take an input of shape",
    ),
    "arrays that are missing": (
        lambda layer: layer.apply("BatchNormalization", weights={"gamma": np.ones(4)}),
        "has the arrays .*'moving_mean'.*; given are",
    ),
    "arrays of another shape": (
        lambda layer: layer.apply(
            "Dense", weights={"kernel": np.zeros((4, 2)), "bias": np.zeros(3)}
        ),
        r"bias has shape \(3,\), expected \(2,\)",
    ),
    "no array at all": (lambda layer: layer.apply("Dense", units=3), "needs the array 'kernel'"),
    "a tensor function": (lambda layer: tf.sin(layer.input), "raised ValueError"),
    "a power": (lambda layer: layer.input**2, "raised TypeError: a symbol has no values"),
    "a comparison": (lambda layer: layer.input > 0, "raised TypeError: a symbol has no values"),
    "the batch axis": (lambda layer: layer.input[0], "the batch axis stays whole"),
    "beyond the end": (lambda layer: layer.input[:, 7], "index 7 is beyond axis 1"),
    "too many indices": (lambda layer: layer.input[:, 0, 0, 0], "4 indices for shape"),
    "nothing left": (lambda layer: layer.input[:, 3:2], "leaves nothing"),
    "ranks": (lambda layer: layer.input + layer.input[:, 0], "differ in their axes"),
    "sizes": (lambda layer: layer.input + layer.input[:, :3], "cannot take an input of shape"),
    "an array too large": (lambda layer: layer.input * np.ones((2, 4)), "does not fit into"),
    "no such part": (lambda layer: layer.part("dense"), "no arrays of a layer 'dense'"),
    "an axis": (lambda layer: layer.reverse(layer.input, 0), "axis=0 is no axis behind"),
    "what is no symbol": (lambda layer: layer.apply("ReLU", 3), "expected layer.input or what"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_the_layers_name(name: str) -> None:
    function, words = MISTAKES[name]
    with pytest.raises(UnsupportedModelError, match=rf"custom \(Identity\): .*{words}"):
        custom_network(function)


def test_the_users_own_error_is_the_cause() -> None:
    with pytest.raises(UnsupportedModelError) as raised:
        custom_network(lambda layer: layer.weights["kernel"])
    assert isinstance(raised.value.__cause__, KeyError)


def test_a_symbol_of_another_network_is_refused() -> None:
    symbols: list[Any] = []
    custom_network(lambda layer: symbols.append(layer.input) or layer.input)
    with pytest.raises(UnsupportedModelError, match="a symbol of another network"):
        custom_network(lambda layer: symbols[0])


def test_the_only_input_of_several_is_refused() -> None:
    sources = [keras.Input((6,), name=name) for name in "ab"]
    model = keras.Model(sources, L.Add(name="sum")(sources))
    with pytest.raises(UnsupportedModelError, match=r"sum has 2 inputs: use layer.inputs"):
        de.convert(model, layers={"sum": lambda layer: layer.input})


# ---------------------------------------------------------------- the forward pass alone


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_forward_pass_alone_is_approximate_and_says_so(folder: Path, suffix: str) -> None:
    averaged = de.forward_only(wave, nodes=16)
    network = de.load(folder / f"wave.{suffix}", functions={"Wave": averaged})
    x, x0 = vectors(5), vectors(5, seed=1)
    expected = randomised(stacked(Wave(2.0, name="wave"))).predict(x, verbose=0)
    assert off(network.predict(x), expected) < FORWARD
    rows = {row.name: row for row in network.describe()}
    assert not rows["wave"].exact
    assert rows["wave"].rule == "path"
    result = network.explainer(fused=False).run(x, target=0, references=x0, strict=True)
    assert result.relative_error.max() < SUMS


def test_the_number_of_points_decides_how_well_it_sums(folder: Path) -> None:
    """Sixteen points integrate these waves to rounding, one does not, and a run says so."""
    errors = []
    x, x0 = 2 * vectors(5), 2 * vectors(5, seed=1)
    for nodes in (2, 4, 16):
        network = de.load(
            folder / "wave.h5", layers={"Wave": de.forward_only(wave, nodes=nodes)}, dtype="float64"
        )
        explainer = network.explainer(fused=False)
        with warnings.catch_warnings(record=True) as met:
            warnings.simplefilter("always")
            result = explainer.run(x, target=0, references=x0)
        warned = any(isinstance(entry.message, ConvergenceWarning) for entry in met)
        assert warned == (result.relative_error.max() > 1e-8)
        errors.append(result.relative_error.max())
        if warned:
            with pytest.raises(ConvergenceError):
                explainer.run(x, target=0, references=x0, strict=True)
    assert errors[0] > 10 * errors[1] > 1000 * errors[2]
    assert errors[2] < 1e-8


def test_a_part_of_a_layer_may_be_a_forward_pass() -> None:
    network = custom_network(
        lambda layer: layer.apply("ReLU") * layer.forward_only(tf.sin, nodes=20) + layer.input
    )
    x, x0 = (np.random.default_rng(seed).normal(size=(3, 5, 4)).astype("f4") for seed in (0, 1))
    assert off(network.predict(x), np.maximum(x, 0) * np.sin(x) + x) < FORWARD
    inexact = [row.name for row in network.describe() if not row.exact]
    assert inexact == ["custom/forward_only"]
    assert audited_weights(network, x, x0) < SUMS


def audited_weights(network: de.Network, x: Any, x0: Any) -> float:
    shape = network.predict(x).shape[1:]
    weights = de.targets.weights(np.random.default_rng(2).normal(size=shape))
    return max(row.error for row in network.audit(x, x0, target=weights).rows)


@pytest.mark.parametrize("nodes", [0, 1.5, True, 10**6])
def test_a_number_of_points_that_cannot_be(nodes: Any) -> None:
    with pytest.raises(InputError, match="nodes is a whole number from 1 to"):
        de.forward_only(wave, nodes=nodes)


def test_what_is_no_function() -> None:
    with pytest.raises(InputError, match="takes a function"):
        de.forward_only("sin")  # type: ignore[arg-type]
    for option in ("layers", "functions"):
        for wrong in ("sin", Wave):  # a Keras class is what users reach for first
            with pytest.raises(InputError, match=rf"{option}=.*expected a function"):
                de.convert(stacked(Wave()), **{option: {"Wave": wrong}})
        with pytest.raises(InputError, match=f"{option}= is a mapping by name"):
            de.convert(stacked(Wave()), **{option: [wave]})


def test_a_result_says_whose_functions_it_was_made_with(folder: Path, tmp_path: Path) -> None:
    network = de.load(folder / "wave.h5", functions={"wave": wave})
    result = network.explainer(fused=False).run(vectors(2), target=0)
    result.save(tmp_path / "scores.h5")
    settings = de.Attribution.load(tmp_path / "scores.h5").settings
    assert settings["custom_layers"] == {"wave": "tests.cases.custom_models.wave"}


# ---------------------------------------------------------------- which layer is meant


def test_names_go_before_patterns_and_patterns_before_classes() -> None:
    source = keras.Input((4,), name="x")
    model = keras.Model(source, [Wave(name=name)(source) for name in ("wave_1", "wave_2", "other")])
    network = de.convert(
        model,
        layers={
            "Wave": lambda layer: layer.input * 1,
            "wave_*": lambda layer: layer.input * 2,
            "w*": lambda layer: layer.input * 3,
            "wave_2": lambda layer: layer.input * 4,
        },
    )
    outputs = network.predict(np.ones((1, 4)))
    assert {name: values[0, 0] for name, values in outputs.items()} == {
        "wave_1": 2,
        "wave_2": 4,
        "other": 1,
    }


@pytest.mark.parametrize("key", ["Block", "Tests>Block"])
def test_a_package_in_the_class_name_may_be_left_out(folder: Path, key: str) -> None:
    network = de.load(folder / "block.h5", layers={key: block})
    assert "block" in network.nodes


def test_another_package_is_another_class(folder: Path) -> None:
    with pytest.raises(InputError, match=r"layers= names 'Mine>Block', .*Near it: Tests>Block"):
        de.load(folder / "block.h5", layers={"Mine>Block": block})


def test_a_key_that_fits_nothing_is_an_error(folder: Path) -> None:
    with pytest.raises(InputError, match=r"functions= names 'wawe', .*Near it: wave"):
        de.load(folder / "wave.h5", functions={"wawe": wave})


def test_two_answers_for_one_layer_are_an_error(folder: Path) -> None:
    with pytest.raises(InputError, match=r"both say what 'wave' is"):
        de.load(
            folder / "wave.h5",
            layers={"wave": lambda layer: layer.input},
            functions={"wave": wave},
        )
    network = de.load(
        folder / "wave.h5", layers={"wave": lambda layer: layer.input}, functions={"Wave": wave}
    )
    assert all(row.exact for row in network.describe())  # the name is closer than the class


@pytest.mark.parametrize("suffix", ["h5", "keras"])
def test_a_class_of_ones_own_may_have_the_name_of_keras_s(tmp_path: Path, suffix: str) -> None:
    """Other arrays and options than Keras's class has; without a word on it the file is refused."""

    class Attention(L.Layer):
        def build(self, input_shape: Any) -> None:
            self.query = self.add_weight(shape=(input_shape[-1], 1), name="query")

        def call(self, inputs: Any) -> Any:
            return tf.reduce_sum(tf.nn.softmax(inputs @ self.query, axis=1) * inputs, 1)

    source = keras.Input((5, 4), name="x")
    model = randomised(keras.Model(source, Attention(name="pooled")(source)))
    path = tmp_path / f"m.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)

    def pooled(layer: de.CustomLayer) -> Any:
        (query,) = layer.weights.values()
        scores = layer.apply("Dense", layer.input, weights=[query])
        return layer.apply("Dot", layer.apply("Softmax", scores, axis=1), layer.input, axes=1)

    words = (
        r"no attribution layer for Attention.*--custom FILE"
        if suffix == "keras"
        else r"one of your own, which Keras has too.*layers="
    )
    with pytest.raises(de.DeepliftEngineError, match=words):
        de.load(path)
    network = de.load(path, layers={"Attention": lambda layer: pooled(layer)[:, 0]})
    x, x0 = (np.random.default_rng(seed).normal(size=(3, 5, 4)).astype("f4") for seed in (0, 1))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert audited(network, x, x0) < SUMS
    assert de.coverage(path, layers={"Attention": pooled}).rows[1].class_name == "Attention"


def test_operations_are_parts_too() -> None:
    network = custom_network(
        lambda layer: layer.apply("ops.Roll", layer.apply("ops.Abs"), shift=1, axis=1)
    )
    x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    assert off(network.predict(x), np.roll(np.abs(x), 1, 1)) == 0


OPERATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "logsumexp": (
        lambda layer: layer.apply("logsumexp", axis=-1),
        lambda x: np.log(np.exp(x).sum(-1)),
    ),
    "roll of abs": (
        lambda layer: layer.apply("roll", layer.apply("absolute"), shift=1, axis=1),
        lambda x: np.roll(np.abs(x), 1, 1),
    ),
    "cumsum": (lambda layer: layer.apply("cumsum", axis=1), lambda x: x.cumsum(1)),
    "clip": (
        lambda layer: layer.apply("clip", x_min=-0.5, x_max=0.25),
        lambda x: x.clip(-0.5, 0.25),
    ),
    "several": (
        lambda layer: layer.apply("stack", layer.input, layer.apply("square"), axis=1),
        lambda x: np.stack([x, x * x], 1),
    ),
    "a constant": (lambda layer: layer.apply("multiply", layer.input, x2=2.0), lambda x: 2 * x),
    "from a constant": (lambda layer: layer.apply("subtract", x1=2.0), lambda x: 2 - x),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_go_by_the_names_of_the_page(name: str) -> None:
    made, expected = OPERATIONS[name]
    x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    assert off(custom_network(made).predict(x), expected(x)) < FORWARD


def test_every_operation_of_the_page_has_its_own_name() -> None:
    for name in EVERY_OPERATION:
        assert name.islower()
        assert name_of(f"ops.{name}") == name


def test_a_built_in_class_may_be_said_otherwise() -> None:
    source = keras.Input((4,), name="x")
    model = keras.Model(source, L.ReLU(name="relu")(source))
    network = de.convert(model, layers={"ReLU": lambda layer: layer.apply("ReLU", max_value=1)})
    assert network.predict(np.full((1, 4), 3.0)).max() == 1


# ---------------------------------------------------------------- registered classes


@pytest.fixture
def clean_registry() -> Iterator[None]:
    yield
    for name in list(registered_layers()):
        de.unregister_layer(name)


@pytest.mark.usefixtures("clean_registry")
def test_a_registered_class_is_known_until_it_is_forgotten(folder: Path) -> None:
    with pytest.raises(UnsupportedModelError):
        de.load(folder / "revcomp.h5")
    assert de.register_layer("RevCompConv1D", revcomp) is revcomp
    de.register_layer("RevCompConv1D", revcomp)  # again the same: a module that is reloaded
    network = de.load(folder / "revcomp.h5")
    de.unregister_layer("RevCompConv1D")
    assert network.predict(letters(2)).shape == (2, 2)  # what is built stays as it is
    with pytest.raises(UnsupportedModelError, match="register_layer"):
        de.load(folder / "revcomp.h5")


@pytest.mark.usefixtures("clean_registry")
def test_registering_as_a_decorator_and_by_a_forward_pass(folder: Path) -> None:
    @de.register_layer("Tests>Block")
    def composition(layer: de.CustomLayer) -> Any:
        return block(layer)

    de.register_layer("Wave", de.forward_only(wave, nodes=4))
    assert set(registered_layers()) == {"Tests>Block", "Wave"}
    assert all(row.exact for row in de.load(folder / "block.keras").describe())
    rows = {row.name: row for row in de.load(folder / "wave.h5").describe()}
    assert not rows["wave"].exact


@pytest.mark.usefixtures("clean_registry")
def test_what_is_said_at_the_call_goes_before_what_is_registered(folder: Path) -> None:
    de.register_layer("Wave", wave_as_nothing)
    network = de.load(folder / "wave.h5", functions={"Wave": de.forward_only(wave, nodes=4)})
    assert not all(row.exact for row in network.describe())


def wave_as_nothing(layer: de.CustomLayer) -> Any:
    return layer.input


@pytest.mark.usefixtures("clean_registry")
def test_registering_two_ways_for_one_class_is_an_error() -> None:
    de.register_layer("Wave", wave_as_nothing)
    with pytest.raises(InputError, match=r"registered already, with .*wave_as_nothing"):
        de.register_layer("Wave", revcomp)
    with pytest.raises(InputError, match="'Wawe' is not registered; registered are Wave"):
        de.unregister_layer("Wawe")
    with pytest.raises(InputError, match="expected a function"):
        de.register_layer("Wave", Wave)
    with pytest.raises(InputError, match="takes the name of a class"):
        de.register_layer("", revcomp)


def test_nothing_is_registered_by_itself() -> None:
    assert dict(registered_layers()) == {}
