"""Locally connected layers, which Keras 3 has not: each layout against sums written out.

The layouts are those of Keras 2: implementation 1 keeps a matrix for every window, 2 a number for
every pair of an input and an output, 3 the numbers of the pairs that are connected, in order.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deeplift_conversion import read_config
from deeplift_engine.errors import UnsupportedModelError
from deeplift_engine.layers import LocallyConnected
from deeplift_engine.network import Network
from tests.helpers import off
from tests.layers.test_linear_layers import check_transpose, matrices

FILTERS, CHANNELS = 3, 2
GEOMETRIES = {
    "line": ((8,), (3,), (1,)),
    "line, strides": ((9,), (4,), (2,)),
    "image": ((5, 4), (2, 3), (1, 1)),
    "image, strides": ((5, 6), (3, 2), (1, 2)),
}


class Truth:
    """One layer's numbers, and its output position by position."""

    def __init__(self, name: str, implementation: int, padding: str, first: bool) -> None:
        self.sizes, self.window, self.strides = GEOMETRIES[name]
        self.implementation, self.padding, self.first = implementation, padding, first
        self.counts = tuple(
            len(range(0, size if padding == "same" else size - window + 1, stride))
            for size, window, stride in zip(self.sizes, self.window, self.strides, strict=True)
        )
        generator = np.random.default_rng(len(name) + 10 * implementation)
        self.kernel = generator.normal(size=self.kernel_shape()).astype("float32")
        self.bias = generator.normal(size=(*self.counts, FILTERS)).astype("float32")
        self.x = generator.normal(size=(2, *self.ordered(self.sizes, CHANNELS)))

    def ordered(self, places: tuple[int, ...], channel: int) -> tuple[int, ...]:
        return (channel, *places) if self.first else (*places, channel)

    def kernel_shape(self) -> tuple[int, ...]:
        inputs, outputs = self.ordered(self.sizes, CHANNELS), self.ordered(self.counts, FILTERS)
        if self.implementation == 1:
            return (int(np.prod(self.counts)), int(np.prod(self.window)) * CHANNELS, FILTERS)
        return (*inputs, *outputs) if self.implementation == 2 else (len(list(self.pairs())),)

    def read(self, position: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """The places that one window reads."""
        axes = []
        for place, size, window, stride in zip(
            position, self.sizes, self.window, self.strides, strict=True
        ):
            start = place * stride - (window // 2 if self.padding == "same" else 0)
            axes.append([at for at in range(start, start + window) if 0 <= at < size])
        yield from itertools.product(*axes)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Flat indices (output, input) of all that is connected, in order."""
        inputs, outputs = self.ordered(self.sizes, CHANNELS), self.ordered(self.counts, FILTERS)
        found = [
            (
                int(np.ravel_multi_index(self.ordered(position, out), outputs)),
                int(np.ravel_multi_index(self.ordered(place, channel), inputs)),
            )
            for position in itertools.product(*map(range, self.counts))
            for place in self.read(position)
            for out in range(FILTERS)
            for channel in range(CHANNELS)
        ]
        yield from sorted(found)

    def output(self) -> Any:
        y = np.zeros((len(self.x), *self.ordered(self.counts, FILTERS)))
        if self.implementation == 3:
            flat, result = self.x.reshape(len(self.x), -1), y.reshape(len(y), -1)
            for (ending, starting), number in zip(self.pairs(), self.kernel, strict=True):
                result[:, ending] += flat[:, starting] * number
            return y + self.added()
        for number, position in enumerate(itertools.product(*map(range, self.counts))):
            places = list(self.read(position))
            for out in range(FILTERS):
                here = (slice(None), *self.ordered(position, out))
                if self.implementation == 2:
                    for place in places:
                        for channel in range(CHANNELS):
                            at = self.ordered(place, channel)
                            y[here] += self.x[(slice(None), *at)] * self.kernel[(*at, *here[1:])]
                else:
                    box = [slice(axis[0], axis[-1] + 1) for axis in zip(*places, strict=True)]
                    everywhere: Any = self.ordered(tuple(box), slice(None))  # type: ignore[arg-type]
                    read = self.x[(slice(None), *everywhere)].reshape(len(self.x), -1)
                    y[here] += read @ self.kernel[number, :, out]
        return y + self.added()

    def added(self) -> Any:
        """Keras reshapes the bias to channels first; it does not move them there."""
        return self.bias.reshape(self.ordered(self.counts, FILTERS))

    def network(self, **changed: Any) -> Network:
        options = {
            "name": "local",
            "filters": FILTERS,
            "kernel_size": list(self.window),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": "channels_first" if self.first else "channels_last",
            "activation": "linear",
            "use_bias": True,
            "implementation": self.implementation,
            "batch_input_shape": [None, *self.x.shape[1:]],
        } | changed
        kind = f"LocallyConnected{len(self.sizes)}D"
        config = {"class_name": "Sequential", "config": [{"class_name": kind, "config": options}]}
        weights = {"local": [("local/kernel:0", self.kernel), ("local/bias:0", self.bias)]}
        spec = read_config(config, weights, keras_version="2.15.0")
        return Network(spec, dtype="float64")


CASES = [
    pytest.param(name, implementation, padding, first, id=f"{name}, {implementation}, {words}")
    for name in GEOMETRIES
    for implementation in (1, 2, 3)
    for padding in ("valid", "same")[: 1 if implementation == 1 else 2]
    for first in (False, True)
    for words in [f"{padding}, channels {'first' if first else 'last'}"]
]


@pytest.mark.parametrize(("name", "implementation", "padding", "first"), CASES)
def test_every_layout_is_its_sums(
    name: str, implementation: int, padding: str, first: bool
) -> None:
    truth = Truth(name, implementation, padding, first)
    network = truth.network()
    assert off(network.predict(truth.x), truth.output()) < 1e-12
    (node,) = [node for node in network.nodes.values() if isinstance(node.layer, LocallyConnected)]
    assert isinstance(node.layer, LocallyConnected)
    shapes = [tuple(size or 0 for size in network.nodes[node.inputs[0]].shape)]
    dense = matrices(node, shapes)
    check_transpose(node.layer, shapes, node.shape, dense)
    magnitudes = node.layer.absolute()
    assert off(matrices(node, shapes, magnitudes)[0], np.abs(dense[0])) < 1e-12
    check_transpose(magnitudes, shapes, node.shape, [np.abs(dense[0])])


@pytest.mark.parametrize("rules", ["rescale", "reveal_cancel"])
def test_contributions_sum_up(rules: str) -> None:
    truth = Truth("image", 1, "valid", True)
    network = truth.network(activation="relu")
    audit = network.audit(truth.x, truth.x[::-1].copy(), target=(1, 0, 1), rules=rules)
    assert max(row.error for row in audit.rows) < 1e-10


def test_what_does_not_fit_is_named() -> None:
    truth = Truth("line", 3, "same", False)
    with pytest.raises(UnsupportedModelError, match=r"implementation=4.*not known"):
        truth.network(implementation=4)
    with pytest.raises(UnsupportedModelError, match=r"kernel has shape \(132,\).*Check that the"):
        truth.network(padding="valid")
    with pytest.raises(UnsupportedModelError, match="belongs to one size of input"):
        truth.network(batch_input_shape=[None, None, CHANNELS])
