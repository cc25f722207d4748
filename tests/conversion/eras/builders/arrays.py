"""The order of a file's arrays: what is frozen, shared, nested or wrapped (Keras 2 and 3)."""

from tests.conversion.eras.builders.parts import Case, numbers


def cases(k):
    for frozen in ("forward", "backward", "both", "neither"):
        for kind in ("LSTM", "GRU", "SimpleRNN"):
            name = "bidirectional %s %s frozen" % (kind, frozen)
            yield Case(
                name,
                "Bidirectional",
                "order of arrays",
                lambda f=frozen, c=kind: bidirectional(k, c, f),
                numbers(name, 3, 5, 3),
            )
    for frozen in ("first", "last", "all"):
        for build in (nested, sequential, chain_of_cells, normalised_steps, twice_nested):
            name = "%s %s frozen" % (build.__name__.replace("_", " "), frozen)
            yield Case(
                name,
                LAYERS[build.__name__],
                "order of arrays",
                lambda b=build, f=frozen: b(k, f),
                numbers(name, 3, 5, 3),
            )
    for build in (
        shared,
        shared_model,
        nested_bidirectional,
        steps_of_model,
        same_names,
        bidirectional_cells,
    ):
        name = build.__name__.replace("_", " ")
        yield Case(
            name,
            LAYERS[build.__name__],
            "order of arrays",
            lambda b=build: b(k),
            numbers(name, 3, 5, 3),
        )


LAYERS = {
    "nested": "Model",
    "sequential": "Sequential",
    "chain_of_cells": "RNN",
    "normalised_steps": "TimeDistributed",
    "twice_nested": "Model",
    "shared": "Dense",
    "shared_model": "Model",
    "nested_bidirectional": "Model",
    "steps_of_model": "TimeDistributed",
    "same_names": "Model",
    "bidirectional_cells": "Bidirectional",
}


def freeze(layers, which):
    if which in ("first", "forward"):
        layers[0].trainable = False
    elif which in ("last", "backward"):
        layers[-1].trainable = False
    elif which in ("all", "both"):
        for layer in layers:
            layer.trainable = False


def bidirectional(k, kind, which):
    layer = k.Bidirectional(getattr(k, kind)(2, return_sequences=True))
    source = k.input(5, 3)
    tensor = layer(source)
    backward = layer.backward_layer
    freeze([layer.forward_layer, backward], which)
    return k.model(source, tensor)


def inner(k, which):
    source = k.input(5, 3)
    layers = [k.Dense(3), k.BatchNormalization(), k.Dense(3)]
    tensor = source
    for layer in layers:
        tensor = layer(tensor)
    freeze(layers, which)
    return k.model(source, tensor)


def nested(k, which):
    source = k.input(5, 3)
    return k.model(source, k.Dense(2)(inner(k, which)(source)))


def twice_nested(k, which):
    first, source = k.input(5, 3), k.input(5, 3)
    middle = k.model(first, k.Dense(3)(inner(k, which)(first)))
    return k.model(source, k.BatchNormalization()(middle(source)))


def sequential(k, which):
    layers = [k.Dense(3), k.BatchNormalization(), k.Dense(3)]
    model = k.Sequential([k.Conv1D(3, 2, input_shape=(5, 3)), *layers])
    freeze(layers, which)
    source = k.input(5, 3)
    return k.model(source, model(source))


def chain_of_cells(k, which):
    cells = [k.LSTMCell(2), k.GRUCell(2)]
    source = k.input(5, 3)
    tensor = k.RNN(cells)(source)
    freeze(cells, which)
    return k.model(source, tensor)


def normalised_steps(k, which):
    layers = [k.TimeDistributed(k.BatchNormalization()), k.TimeDistributed(k.Dense(2))]
    source = k.input(5, 3)
    tensor = layers[1](layers[0](source))
    freeze([layer.layer for layer in layers], which)
    return k.model(source, tensor)


def shared(k):
    source, layer = k.input(5, 3), k.Dense(3)
    return k.model(source, k.BatchNormalization()(layer(layer(source))))


def shared_model(k):
    source, model = k.input(5, 3), inner(k, "first")
    return k.model(source, model(k.Dense(3)(model(source))))


def nested_bidirectional(k):
    first, source = k.input(5, 3), k.input(5, 3)
    layer = k.Bidirectional(k.GRU(2, return_sequences=True))
    middle = k.model(first, layer(first))
    layer.forward_layer.trainable = False
    return k.model(source, k.Dense(2)(middle(source)))


def steps_of_model(k):
    first, source = k.input(3), k.input(5, 3)
    layer = k.Dense(3)
    model = k.model(first, k.Dense(2)(k.BatchNormalization()(layer(first))))
    layer.trainable = False
    return k.model(source, k.TimeDistributed(model)(source))


def same_names(k):
    source = tensor = k.input(5, 3)
    for name in ("left", "right"):
        first = k.input(5, 3)
        model = k.Model(first, k.Dense(3, name="same")(first), name=name)
        tensor = model(tensor)
    return k.model(source, tensor)


def bidirectional_cells(k):
    source = k.input(5, 3)
    return k.model(source, k.Bidirectional(k.RNN([k.LSTMCell(2), k.GRUCell(2)]))(source))
