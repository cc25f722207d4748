"""Models in memory: graphs, subclassed models, layers made of others; the model stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L  # noqa: N812

import deeplift_engine as de
from deeplift_engine.errors import InputError, UnsupportedModelError
from tests.helpers import off

STEPS, FEATURES, TOKENS = 6, 4, 9


class Perceptron(keras.Model):
    """The commonest form: layers made in ``__init__``, called one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.flat = L.Flatten()
        self.hidden = L.Dense(5, activation="relu")
        self.drop = L.Dropout(0.5)
        self.out = L.Dense(2)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.out(self.drop(self.hidden(self.flat(inputs)), training=training))


class Block(keras.layers.Layer):
    """Attention and a residual, with operations, and an array of its own."""

    def __init__(self, heads: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # no get_config: a file could not hold ``heads``
        self.attention = L.MultiHeadAttention(heads, 2)
        self.norm = L.LayerNormalization()
        self.inner = L.Dense(FEATURES, activation="gelu")

    def build(self, shape: Any) -> None:
        self.shift = self.add_weight(shape=(shape[-1],), name="shift")
        self.attention.build(shape, shape)
        self.norm.build(shape)
        self.inner.build(shape)

    def call(self, x: Any, scale: float = 1.0) -> Any:
        x = x + self.attention(x, x) * scale
        return self.norm(self.inner(x) + x + self.shift)


class Encoder(keras.Model):
    """A model in a model, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Block()
        self.pool = L.GlobalAveragePooling1D()

    def call(self, x: Any) -> Any:
        return self.pool(self.block(x, scale=0.5))


class Twins(keras.Model):
    """Two inputs by name, two outputs, shared parts, Keras's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.head = keras.Sequential([L.Dense(3, activation="tanh"), L.Dense(2)])

    def call(self, inputs: Any) -> Any:
        a, b = self.encoder(inputs["left"]), self.encoder(inputs["right"])
        distance = keras.ops.sum(keras.ops.square(a - b), axis=-1, keepdims=True)
        return {"distance": distance, "head": self.head(keras.ops.concatenate([a, b], axis=-1))}


class Words(keras.Model):
    """Tokens; the last step and the mean of a masked sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.words = L.Embedding(TOKENS, FEATURES, mask_zero=True)
        self.run = L.Bidirectional(L.LSTM(3, return_sequences=True))
        self.mean = L.GlobalAveragePooling1D()
        self.out = L.Dense(2)

    def call(self, tokens: Any) -> Any:
        sequence = self.run(self.words(tokens))
        return self.out(keras.ops.concatenate([sequence[:, -1], self.mean(sequence)], axis=-1))


class Compiled(Perceptron):
    """With a ``call`` that is a TensorFlow function."""

    @tf.function
    def call(self, inputs: Any) -> Any:
        return self.out(self.hidden(self.flat(inputs)))


class TwoArguments(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = L.Dense(3), L.Dense(3)

    def call(self, a: Any, b: Any) -> Any:
        return keras.ops.tanh(self.left(a)) * self.right(b)


class Mine(keras.Model):
    """A Functional model of a class of its own, which no configuration tells."""

    def __init__(self, width: int) -> None:
        x = keras.Input((STEPS, FEATURES))
        y = Block()(L.Dense(FEATURES)(x))
        super().__init__(x, L.Dense(width)(L.Flatten()(y)))


def normal(*shape: int) -> Any:
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def tokens() -> Any:
    return np.random.default_rng(1).integers(0, TOKENS, (4, STEPS)).astype("int32")


SEQUENCES = normal(4, STEPS, FEATURES)
MODELS: dict[str, tuple[Callable[[], Any], Any]] = {
    "perceptron": (Perceptron, SEQUENCES),
    "twins": (Twins, {"right": normal(4, STEPS, FEATURES)[::-1], "left": SEQUENCES}),
    "words": (Words, tokens()),
    "functional of its own class": (lambda: Mine(2), SEQUENCES),
    "block in a functional": (
        lambda: keras.Sequential([keras.Input((STEPS, FEATURES)), Block(), Encoder(), L.Dense(2)]),
        SEQUENCES,
    ),
}


def randomised(model: Any, example: Any) -> Any:
    """The model with weights that are all of them random."""
    model(example)
    generator = np.random.default_rng(2)
    model.set_weights([generator.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def state(model: Any) -> list[Any]:
    """Weights, and what calls leave on the layers."""
    values = [np.array(weight) for weight in model.weights]
    for layer in model._flatten_layers():
        values += [len(layer._inbound_nodes), len(layer._outbound_nodes), len(layer.losses)]
    return values


def gradients(model: Any, example: Any) -> list[Any]:
    with tf.GradientTape() as tape:
        outputs = model(example)
        total = tf.add_n([tf.reduce_sum(value) for value in keras.tree.flatten(outputs)])
    return [
        np.asarray(tf.convert_to_tensor(g)) for g in tape.gradient(total, model.trainable_weights)
    ]


def outputs(result: Any) -> list[Any]:
    return list(result.values()) if isinstance(result, dict) else [result]


@pytest.mark.parametrize("name", MODELS)
def test_python_is_traced_and_the_model_stays_as_it_was(name: str) -> None:
    make, example = MODELS[name]
    model = randomised(make(), example)
    before, slopes = state(model), gradients(model, example)
    network = de.convert(model, example=example)
    for ours, theirs in zip(state(model), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(gradients(model, example), slopes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    expected = keras.tree.flatten(model(example))
    for ours, theirs in zip(outputs(network.predict(example)), expected, strict=True):
        assert off(ours, theirs) < 1e-5
    target = "logits" if len(network.outputs) == 1 else network.outputs[-1]
    references = keras.tree.map_structure(lambda array: array[::-1], example)
    audit = network.audit(example, references, target=0, target_layer=target)
    assert audit.ok, str(audit)


@pytest.mark.parametrize("source", ["built", "input_shape", "example"])
def test_shapes_come_from_the_build_the_user_or_an_example(source: str) -> None:
    model = randomised(Perceptron(), SEQUENCES)
    options: dict[str, Any] = {
        "built": {},
        "input_shape": {"input_shape": (STEPS, FEATURES)},
        "example": {"example": SEQUENCES[:1]},
    }[source]
    network = de.convert(model, **options)
    assert network.inputs[0].shape == (STEPS, FEATURES)
    assert off(network.predict(SEQUENCES), model(SEQUENCES)) < 1e-5


def test_several_arguments_come_in_order_or_by_name() -> None:
    model = TwoArguments()
    a, b = normal(3, 5), normal(3, 4)
    expected = model(a, b)
    for example in ((a, b), {"b": b, "a": a}):
        network = de.convert(model, example=example)
        assert off(network.predict([a, b]), expected) < 1e-5
    assert de.convert(model, input_shape=[(5,), (4,)]).inputs[1].shape == (4,)
    with pytest.raises(InputError, match=r"called with \(a, b\)"):
        de.convert(model)


def test_a_function_of_tensorflow_is_traced_as_the_python_it_was() -> None:
    model = randomised(Compiled(), SEQUENCES)
    few = SEQUENCES[:2]  # Keras keeps the first weights in the trace of the call that makes them
    assert off(de.convert(model).predict(few), model(few)) < 1e-5


def test_layers_keep_their_paths() -> None:
    network = de.convert(randomised(Twins(), MODELS["twins"][1]), example=MODELS["twins"][1])
    shared = [name for name in network.spec.layers if "multi_head_attention" in name]
    assert len(shared) == 1, "called twice, kept once"
    assert shared[0].count("/") == 2, "encoder/block/multi_head_attention"


class Offset(keras.layers.Layer):
    """TensorFlow's own functions: shapes can be told, layers cannot."""

    def call(self, x: Any) -> Any:
        return tf.nn.relu(x) + 1.0


def test_what_cannot_be_traced_stays_one_layer() -> None:
    model = keras.Sequential([keras.Input((3,)), L.Dense(4), Offset(name="offset"), L.Dense(1)])
    with pytest.raises(UnsupportedModelError, match=r"offset \(Offset\)"):
        de.convert(model)
    x = normal(5, 3)
    network = de.convert(model, functions={"offset": lambda x: tf.nn.relu(x) + 1.0})
    assert off(network.predict(x), model(x)) < 1e-5


def test_a_layer_that_the_user_says_is_not_traced() -> None:
    model = keras.Sequential([keras.Input((STEPS, FEATURES)), Block(name="block"), L.Dense(1)])
    network = de.convert(model, layers={"Block": lambda layer: layer.input})
    assert [name for name in network.spec.layers if name.startswith("block")] == ["block"]


class Raw(keras.Model):
    def call(self, x: Any) -> Any:
        return tf.nn.relu(x)


class Random(keras.Model):
    """Its symbolic outcome is not its own."""

    def __init__(self) -> None:
        super().__init__()
        self.out = L.Dense(2)

    def call(self, x: Any) -> Any:
        return self.out(x) if isinstance(x, keras.KerasTensor) else 2 * self.out(x)


def test_python_that_no_layer_says_is_an_error() -> None:
    model = Raw()
    model(normal(2, 3))
    model.built = True
    with pytest.raises(UnsupportedModelError, match="cannot be traced into layers"):
        de.convert(model, example=normal(2, 3))


def test_what_was_traced_is_compared_with_the_model() -> None:
    model = Random()
    model(normal(2, 3))
    with pytest.raises(UnsupportedModelError, match="computes something else"):
        de.convert(model, example=normal(2, 3))


def test_a_model_without_weights_is_an_error() -> None:
    with pytest.raises(InputError, match="no weights yet"):
        de.convert(Perceptron(), example=SEQUENCES)
    with pytest.raises(InputError, match="no weights yet"):
        de.convert(keras.Sequential([L.Dense(2)]))


@pytest.mark.parametrize("thing", ["model.h5", lambda x: x, L.Dense(1)])
def test_what_is_no_model_is_an_error(thing: Any) -> None:
    with pytest.raises(InputError, match="takes a model of Keras"):
        de.convert(thing)


# tf_keras


@pytest.fixture
def legacy() -> Any:
    return pytest.importorskip("tf_keras", reason="tf_keras is not installed")


def test_models_of_tf_keras_convert(legacy: Any) -> None:
    x = legacy.Input((STEPS, FEATURES))
    y = legacy.layers.Bidirectional(legacy.layers.GRU(3, reset_after=False))(x)
    y = legacy.layers.Dense(4, activation="hard_sigmoid")(tf.nn.relu(y) + 1.0)
    functional = legacy.Model(x, legacy.layers.Dense(2)(y))
    sequential = legacy.Sequential([legacy.layers.LSTM(3, input_shape=(STEPS, FEATURES))])
    for model in (functional, sequential):
        before = [np.array(weight) for weight in model.weights]
        network = de.convert(model)
        assert off(network.predict(SEQUENCES), model(SEQUENCES)) < 1e-5
        for weight, value in zip(model.weights, before, strict=True):
            np.testing.assert_array_equal(weight.numpy(), value)


def test_a_subclassed_model_of_tf_keras_converts(legacy: Any) -> None:
    class Old(legacy.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = legacy.layers.Dense(4), legacy.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.out(tf.nn.relu(self.hidden(x))[:, 0] * 2.0)

    model = Old()
    expected = model(SEQUENCES)
    network = de.convert(model, example=SEQUENCES)
    assert off(network.predict(SEQUENCES), expected) < 1e-5
    with pytest.raises(InputError, match="example"):
        de.convert(model)


def test_training_a_model_changes_no_network_of_it() -> None:
    """Weights are copies, also where an explainer is compiled afterwards."""
    source = keras.Input((6,))
    model = keras.Model(source, L.Dense(3, activation="tanh")(L.Dense(5)(source)))
    network = de.convert(model)
    x = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")
    explainer = network.explainer("gradient")
    before = network.predict(x), explainer.run(x, target=0).scores
    for weight in model.trainable_variables:
        weight.value.assign_add(np.full(weight.shape, 0.5))
    later = network.explainer("gradient").run(x, target=0).scores
    after = network.predict(x), explainer.run(x, target=0).scores
    for ours, theirs in zip((*after, later), (*before, before[1]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert off(de.convert(model).predict(x), before[0]) > 0.01
