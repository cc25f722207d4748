"""What a generated model of the tests is, and the parts that most are made of.

A layer by itself is put between ``Dense(tanh)``, so that positive and negative parts reach it
apart, and ``relu``, ``Flatten`` and ``Dense``, so that multipliers reach it that differ from
element to element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import layers as L  # noqa: N812

VECTOR, SEQUENCE, IMAGE = (7,), (12, 4), (8, 7, 4)
ROWS = (5, 6)
UNITS = 2


@dataclass(frozen=True)
class Case:
    """How to build a model.

    ``twin``, where given, builds a model with the same weights that Keras can run on a CPU and
    ``to_twin`` takes an input there; ``largest`` is the largest scale of inputs at which float32
    can hold the activations; ``target`` is the node that is explained. Integer inputs are below
    ``tokens``, and where the case is ``masked`` some of the last steps of an input are zeros.
    ``since`` is the first version of Keras that has the layers; under an older one the case is
    skipped. ``by_xla`` says that Keras is to be compiled by XLA: op by op it computes the layer
    with oneDNN alone, which TensorFlow leaves off on some processors.
    """

    build: Callable[[], keras.Model]
    twin: Callable[[], keras.Model] | None = None
    largest: float = 1e3
    target: str = "logits"
    smooth: bool = True
    tokens: int = 5
    masked: bool = False
    since: str = "3.13"
    by_xla: bool = False


def body(x: Any) -> Any:
    """What follows a layer: a ReLU, and two units."""
    x = L.Activation("relu", name="after")(x)
    return L.Dense(UNITS, name="units")(L.Flatten(name="flat")(x) if x.ndim > 2 else x)


def around(
    make: Callable[[], Any], shape: tuple[int, ...], *, before: bool = True
) -> Callable[[], keras.Model]:
    """The layer that ``make`` makes, between others."""

    def build() -> keras.Model:
        x = source = keras.Input(shape, name="x")
        if before:
            x = L.Dense(shape[-1], activation="tanh", name="before")(x)
        return keras.Model(source, body(make()(x)))

    return build


def single(make: Callable[[], Any], *shapes: tuple[int, ...], **options: Any) -> dict[str, Case]:
    """One case for every shape, by the shape's rank."""
    return {f"rank {len(shape)}": Case(around(make, shape), **options) for shape in shapes}


def both_formats(make: Callable[[str], Any], shape: tuple[int, ...]) -> dict[str, Case]:
    """A layer with its channels last, and first: Keras cannot run the latter on a CPU."""
    rank = len(shape)
    first = (rank, *range(1, rank))
    last = (*range(2, rank + 1), 1)

    def build(channels_first: bool) -> keras.Model:
        x = source = keras.Input(shape, name="x")
        x = L.Permute(first)(L.Dense(shape[-1], activation="tanh")(x))
        if channels_first:
            x = make("channels_first")(x)
        else:
            x = make("channels_last")(L.Permute(last)(x))
            if x.ndim > 2:
                x = L.Permute((x.ndim - 1, *range(1, x.ndim - 1)))(x)
        return keras.Model(source, body(x))

    return {
        "channels last": Case(around(lambda: make("channels_last"), shape)),
        "channels first": Case(lambda: build(True), twin=lambda: build(False)),
    }


def merged(make: Callable[[], Any], *branches: Callable[[Any], Any]) -> Case:
    """A merging layer of several branches of one input (6,) or of their own shapes."""

    def build() -> keras.Model:
        source = keras.Input((6,), name="x")
        return keras.Model(source, body(make()([branch(source) for branch in branches])))

    return Case(build)


def since(version: str, cases: dict[str, Case]) -> dict[str, Case]:
    """Cases that Keras computes from a version on: see `Case.since`."""
    return {name: replace(case, since=version) for name, case in cases.items()}


def dense(units: int, activation: str = "tanh") -> Callable[[Any], Any]:
    return lambda x: L.Dense(units, activation=activation)(x)


def table(rows: int, columns: int, activation: str = "tanh") -> Callable[[Any], Any]:
    return lambda x: L.Reshape((rows, columns))(L.Dense(rows * columns, activation=activation)(x))


def named(prefix: str, cases: dict[str, Case]) -> dict[str, Case]:
    return {f"{prefix}, {name}": case for name, case in cases.items()}
