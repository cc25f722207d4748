"""Lambdas: the user gives the functions; what the file holds of them is never run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import UnsupportedModelError
from tests.cases.custom_models import randomised, vectors
from tests.helpers import MODELS, ROOT, needs_models, off

FORWARD, SUMS = 1e-6, 1e-5


def between(function: Callable[..., Any], shape: tuple[int | None, ...], **options: Any) -> Any:
    """A model with one Lambda called ``"code"``."""
    source = keras.Input(shape, name="x")
    x = L.Lambda(function, name="code", **options)(L.Dense(4, name="before")(source))
    return randomised(keras.Model(source, x))


def sequences(samples: int, seed: int = 0, length: int = 8) -> Any:
    return np.random.default_rng(seed).normal(size=(samples, length, 4)).astype("float32")


def sums(network: de.Network, x: Any, x0: Any) -> float:
    """The largest error of a layer's sum for a random weighting of all units."""
    shape = network.predict(x).shape[1:]
    weights = de.targets.weights(np.random.default_rng(2).normal(size=shape))
    return max(row.error for row in network.audit(x, x0, target=weights).rows)


# ---------------------------------------------------------------- what functions may be


FUNCTIONS: dict[str, tuple[Callable[..., Any], bool]] = {
    # a function, and whether all that it is made of has a rule, so exact
    "a crop": (lambda x: x[:, 2:-2], True),
    "scaled pixels": (lambda x: x / 127.5 - 1.0, True),
    "reversed": (lambda x: x[:, ::-1, ::-1], True),
    "a product with itself": (lambda x: x * x + x, True),
    "a logarithm": (lambda x: tf.math.log(1 + x * x), True),
    "a normalised vector": (lambda x: x / (1 + tf.reduce_sum(x * x, -1, keepdims=True)), True),
    "a comparison": (lambda x: tf.where(x > 0, x, 0.1 * x), True),
    "a power": (lambda x: x**2, True),
    "a Dawson function": (lambda x: tf.math.special.dawsn(1 + x * x), False),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_computes_what_the_lambda_does(name: str) -> None:
    function, exact = FUNCTIONS[name]
    model = between(function, (8, 4))
    network = de.convert(model, functions={"code": function})
    x, x0 = sequences(3), sequences(3, 1)
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert all(row.exact for row in network.describe()) == exact
    assert sums(network, x, x0) < SUMS


def test_an_attempt_that_fails_leaves_no_layers_behind() -> None:
    network = de.convert(
        between(tf.sin, (8, 4)),
        functions={"code": lambda x: tf.math.special.dawsn(x * 2 + x)[:, 1:]},
    )
    assert list(network.nodes) == ["x", "before", "code"]


def test_free_lengths_stay_free() -> None:
    network = de.convert(between(tf.sin, (None, 4)), functions={"code": lambda x: tf.sin(x[:, 1:])})
    assert network.nodes["code"].shape == (None, 4)
    assert network.predict(sequences(2, length=5)).shape == (2, 4, 4)


def test_float64_all_the_way() -> None:
    def function(x: Any) -> Any:
        return tf.math.log(1 + x * x)

    functions = {"code": de.forward_only(function, nodes=60)}
    network = de.convert(between(function, (8, 4)), functions=functions, dtype="float64")
    assert network.predict(sequences(2)).dtype == np.float64
    assert sums(network, sequences(3), sequences(3, 1)) < 1e-12


@pytest.mark.parametrize(
    "function",
    [lambda a, b: a * tf.sin(b), lambda both: both[0] * tf.sin(both[1])],
    ids=["one tensor each", "one list, as Keras has it"],
)
def test_several_inputs(function: Callable[..., Any]) -> None:
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    joined = L.Lambda(lambda both: both[0] * tf.sin(both[1]), name="code")([left, right])
    model = randomised(keras.Model([left, right], L.Dense(2)(joined)))
    network = de.convert(model, functions={"code": function})
    x, x0 = ([vectors(4, seed=seed) for seed in seeds] for seeds in ((0, 1), (2, 3)))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert sums(network, x, x0) < SUMS


def test_several_outputs() -> None:
    def halves(x: Any) -> Any:
        return tf.sin(x[:, :2]), tf.cos(x[:, 2:])

    source = keras.Input((6,), name="x")
    left, right = L.Lambda(halves, name="code", output_shape=[(2,), (4,)])(source)
    model = randomised(keras.Model(source, L.Dense(1)(L.Concatenate()([left, right]))))
    network = de.convert(model, functions={"code": halves})
    assert off(network.predict(vectors(4)), model.predict(vectors(4), verbose=0)) < FORWARD
    assert sums(network, vectors(4), vectors(4, seed=1)) < SUMS


def test_saved_arguments_are_handed_on() -> None:
    def scaled(x: Any, factor: float, shift: float = 0.0) -> Any:
        return x * factor + shift

    model = between(scaled, (8, 4), arguments={"factor": 3.0})
    network = de.convert(model, functions={"code": scaled})
    assert off(network.predict(sequences(2)), model.predict(sequences(2), verbose=0)) < FORWARD
    with pytest.raises(
        UnsupportedModelError, match=r"saved with the arguments \['factor'\], which"
    ):
        de.convert(model, functions={"code": lambda x: 3 * x})


def test_one_function_for_many_lambdas_by_their_saved_shapes(tmp_path: Path) -> None:
    """A pattern of names, and a parameter called config: 23 Lambdas need one line."""
    source = keras.Input((20, 4), name="x")
    x, names = source, []
    for number, length in enumerate((16, 12, 6)):
        margin = (x.shape[1] - length) // 2
        names.append(f"crop_{number}")
        x = L.Lambda(
            lambda x, margin=margin: x[:, margin:-margin], output_shape=(length, 4), name=names[-1]
        )(x)
    model = keras.Model(source, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "model.h5")

    def crop(x: Any, config: Any) -> Any:
        margin = (x.shape[1] - config["output_shape"][0]) // 2
        return x[:, margin:-margin]

    for key in ("crop_*", "Lambda"):
        network = de.load(tmp_path / "model.h5", functions={key: crop})
        assert off(network.predict(sequences(2, length=20)), sequences(2, length=20)[:, 7:-7]) == 0
        assert all(row.exact for row in network.describe())
    with pytest.raises(
        UnsupportedModelError, match=r"gives shape \(18, 4\) .* file says \(16, 4\)"
    ):
        de.load(tmp_path / "model.h5", functions={"Lambda": lambda x: x[:, 1:-1]})


@pytest.mark.filterwarnings("ignore:Layer 'code' .*does not support masking")
@pytest.mark.parametrize("same", [True, False])
def test_a_mask_ends_at_a_lambda_unless_that_gives_its_input_back(same: bool) -> None:
    function = (lambda x: x) if same else (lambda x: 2 * x)
    source = keras.Input((8, 4), name="x")
    coded = L.Lambda(function, name="code")(L.Masking()(source))
    model = randomised(keras.Model(source, L.LSTM(3, name="memory")(coded)))
    x, x0 = sequences(3), sequences(3, 1)
    x[:, 5:] = x0[:2, 3:] = 0
    for definition in (function,) if same else (function, de.forward_only(function)):
        network = de.convert(model, functions={"code": definition})
        assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
        assert sums(network, x, x0) < SUMS


@pytest.mark.filterwarnings("ignore:Layer .code. .*does not support masking")
def test_a_function_that_takes_the_mask_is_refused_where_there_is_one() -> None:
    source = keras.Input((8, 4), name="x")
    model = keras.Model(source, L.Lambda(tf.sin, name="code")(L.Masking()(source)))

    def masked(x: Any, mask: Any = None) -> Any:
        return tf.sin(x)

    with pytest.raises(
        UnsupportedModelError, match=r"code \(Lambda\): its function takes the mask"
    ):
        de.convert(model, functions={"code": masked})
    assert de.convert(between(tf.sin, (8, 4)), functions={"code": masked})


def test_in_terms_of_existing_layers() -> None:
    model = between(lambda x: tf.nn.relu(x[:, 1:]), (8, 4))
    cropped_relu = lambda layer: layer.apply("ReLU", layer.input[:, 1:])  # noqa: E731
    network = de.convert(model, layers={"code": cropped_relu})
    assert off(network.predict(sequences(2)), model.predict(sequences(2), verbose=0)) < FORWARD
    assert all(row.exact for row in network.describe())


@pytest.mark.parametrize("key", ["steps", "steps/code", "*/code", "Lambda"])
def test_at_every_step_of_a_sequence(key: str) -> None:
    """By the wrapper's name the function gets the whole sequence, else one step."""
    source = keras.Input((8, 4), name="x")
    inner = L.Lambda(lambda x: tf.nn.softplus(x) / (1 + x[:, :1] ** 2), name="code")
    model = randomised(keras.Model(source, L.TimeDistributed(inner, name="steps")(source)))

    def function(x: Any) -> Any:
        assert len(x.shape) == (3 if key == "steps" else 2)
        return tf.nn.softplus(x) / (1 + x[..., :1] ** 2)

    network = de.convert(model, functions={key: function})
    x, x0 = sequences(3), sequences(3, 1)
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert sums(network, x, x0) < SUMS


def test_a_function_of_tokens_is_a_table() -> None:
    """One-hot encoding within the model: each token gets all that its letter contributes."""
    source = keras.Input((8,), name="x", dtype="int32")
    one_hot = lambda x: tf.one_hot(x, 5)  # noqa: E731
    x = L.Lambda(one_hot, name="code", output_shape=(8, 5))(source)
    model = randomised(keras.Model(source, L.Dense(1)(L.Flatten()(L.Dense(3, "tanh")(x)))))
    network = de.convert(model, functions={"code": one_hot})
    x, x0 = (np.random.default_rng(seed).integers(0, 5, (4, 8)) for seed in (0, 1))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    assert all(row.exact for row in network.describe())
    result = network.explainer(fused=False).run(x, references=x0, strict=True)
    expected = network.predict(x) - network.predict(x0)
    assert off(result.scores.sum(1), expected[:, 0]) < SUMS
    assert not result.scores[x == x0].any()


def test_tokens_may_be_moved_and_then_looked_up() -> None:
    """Reversed and cut, by an index or by a function; put in order it is refused."""
    source = keras.Input((8,), name="x", dtype="int32")
    moved = L.Lambda(lambda x: x[:, :0:-1], name="code", output_shape=(7,), dtype="int32")(source)
    x = L.Embedding(5, 3)(moved)
    model = randomised(keras.Model(source, L.Dense(1)(L.Flatten()(x))))
    network = de.convert(model, functions={"code": lambda x: tf.reverse(x, [1])[:, :-1]})
    x, x0 = (np.random.default_rng(seed).integers(0, 5, (4, 8)) for seed in (0, 1))
    assert off(network.predict(x), model.predict(x, verbose=0)) < FORWARD
    result = network.explainer(fused=False).run(x, references=x0, strict=True)
    assert not result.scores[:, 0].any()
    changed = x.copy()
    changed[:, 3] = x0[:, 3]
    alone = network.explainer(fused=False).run(x, references=changed)
    assert off(alone.scores[:, 3], network.predict(x)[:, 0] - network.predict(changed)[:, 0]) < SUMS
    with pytest.raises(UnsupportedModelError, match="not clear which token"):
        de.convert(model, functions={"code": lambda x: tf.sort(x, 1)[:, :-1]})


# ---------------------------------------------------------------- what goes wrong


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "raises": (lambda x: x.no_such_thing, "raised AttributeError: .*no_such_thing"),
    "raises in TensorFlow": (lambda x: tf.matmul(x, tf.ones((3, 3))), "raised ValueError"),
    "nothing": (lambda x: None, "returned NoneType, no tensor"),
    "a number": (lambda x: 5, "returned int, no tensor"),
    "integers": (lambda x: tf.cast(tf.round(x), tf.int32), "returned int32 values"),
    "booleans": (lambda x: x > 0, "returned bool values"),
    "another precision": (lambda x: tf.cast(tf.sin(x), tf.float16), "returned float16 values"),
    "no batch axis": (lambda x: tf.reduce_sum(x), "the batch axis is lost"),
    "one sample": (lambda x: tf.sin(x)[0], "the batch axis is lost"),
    "too many parameters": (lambda x, y: x, "cannot be called with 1 input: missing .*'y'"),
    "no parameters": (lambda: 1, "cannot be called with 1 input: too many"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_function_that_goes_wrong_is_named_with_its_layer(name: str) -> None:
    function, words = WRONG[name]
    with pytest.raises(UnsupportedModelError, match=rf"code \(Lambda\): its function .*{words}"):
        de.convert(between(tf.sin, (8, 4)), functions={"code": function})


def test_the_functions_own_error_is_the_cause() -> None:
    def broken(x: Any) -> Any:
        raise ZeroDivisionError("by me")

    with pytest.raises(UnsupportedModelError, match="raised ZeroDivisionError: by me") as raised:
        de.convert(between(tf.sin, (8, 4)), functions={"code": broken})
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_tokens_beside_other_tensors_are_refused() -> None:
    tokens, numbers = keras.Input((4,), dtype="int32"), keras.Input((4,))

    def join(both: Any) -> Any:
        return tf.math.special.dawsn(tf.cast(both[0], both[1].dtype)) * both[1]

    x = L.Lambda(join, name="code", output_shape=(4,))([tokens, numbers])
    with pytest.raises(UnsupportedModelError, match="tokens together with other tensors"):
        de.convert(keras.Model([tokens, numbers], x), functions={"code": join})


def test_the_advice_is_to_give_the_function() -> None:
    with pytest.raises(UnsupportedModelError, match=r"never run.*functions=\{'code': f\}"):
        de.convert(between(tf.sin, (8, 4)))


# ---------------------------------------------------------------- code in files never runs


@pytest.mark.parametrize("package", ["conversion", "deeplift_engine"])
def test_nothing_here_can_run_code_of_a_file(package: str) -> None:
    """Neither marshal, pickle and their kin, nor eval, exec, compile or Keras's unsafe ways."""
    modules = {"marshal", "pickle", "cPickle", "dill", "cloudpickle", "shelve", "code", "types"}
    calls = {"eval", "exec", "compile", "__import__", "func_load", "enable_unsafe_deserialization"}
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            met: list[str] = []
            if isinstance(node, ast.Import):
                met = [alias.name.split(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                harmless = [alias.name for alias in node.names] == ["MappingProxyType"]
                met = [] if harmless else [str(node.module).split(".")[0]]
            elif isinstance(node, ast.Call):
                name = node.func
                word = name.id if isinstance(name, ast.Name) else getattr(name, "attr", "")
                pattern = ast.unparse(name) == "re.compile"
                met = [word] if word in calls and not pattern else []
            where = path.relative_to(ROOT).as_posix()
            bad = [word for word in met if word in modules | calls]
            assert not bad, f"{where}:{node.lineno} uses {bad}"


def test_bytecode_in_a_file_is_not_run(tmp_path: Path) -> None:
    """A Lambda that would write a file: reading, listing and building leave none."""
    trace = tmp_path / "was_run"
    name = str(trace)
    model = between(lambda x: open(name, "w") and x, (8, 4), output_shape=(8, 4))  # noqa: SIM115
    path = tmp_path / "model.h5"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    trace.unlink(missing_ok=True)
    with h5py.File(path) as file:
        assert "__lambda__" in file.attrs["model_config"]
    with pytest.raises(UnsupportedModelError, match="never run"):
        de.load(path)
    network = de.load(path, functions={"code": lambda x: x})
    network.predict(sequences(2))
    network.explainer(fused=False).run(sequences(2), target=(0, 0))
    assert not trace.exists()


# ---------------------------------------------------------------- a real one


@needs_models
def test_the_lambdas_of_a_real_model() -> None:
    """Two Lambdas for pixels. The second must make a square of 64 for the first Dense to fit."""
    path = MODELS / "carnd-lambda" / "model.h5"
    network = de.load(
        path,
        functions={
            "lambda_1": lambda x: x / 127.5 - 1.0,
            "lambda_2": de.forward_only(lambda x: tf.image.resize(x, (64, 64)), nodes=1),
        },
    )
    x, x0 = np.random.default_rng(0).uniform(0, 255, (2, 2, 160, 320, 3)).astype("float32")
    assert {row.name for row in network.describe() if not row.exact} == {"lambda_2"}
    result = network.explainer(fused=False).run(x, references=x0, strict=True)
    assert result.relative_error.max() < 1e-4
    with pytest.raises(UnsupportedModelError, match=r"dense_1 \(Dense\): cannot take an input"):
        de.load(path, functions={"lambda_?": lambda x: x / 127.5 - 1.0})
