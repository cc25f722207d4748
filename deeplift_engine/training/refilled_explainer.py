"""An explainer of a model that changes: its compiled functions stay, their numbers are refilled.

Where each number of the compiled functions comes from is learned once: the explainer is traced a
second time on a graph whose weights are codes, 1, 2, 3 … times a tiny power of two, so that each
number that arrives tells which weight it is. Kernels are flipped, padded and cut on the way, or
come by their sizes; what is computed of weights in any other way is noticed, and such a method is
made anew for each run.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import DeepliftEngineError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.graph.graph import Graph
from deeplift_engine.loading import convert
from deeplift_engine.network import Network
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.tensors.constants import refillable
from deeplift_engine.training.layer_arrays import arrays_of, filled, flat
from deeplift_engine.util.typing import Array

LOGGER = logging.getLogger("deeplift_engine")
MOST_CODES = 1 << 24
"""Whole numbers that float32 tells apart."""
UNIT = 2.0**-60
"""Of the codes: activations under such weights neither overflow nor lose a digit of a code."""
TOLERANCE = 1e-4
"""How far scores of refilled functions may be from those of new ones, as a share of the largest."""
PERTURBED = 0.1
"""By how large a share weights differ in the trial of refilled functions."""


@dataclass(frozen=True, eq=False)
class Refill:
    """How a variable of a compiled function is made of the weights.

    Attributes
    ----------
    variable
        What is assigned to.
    source
        The weight of each number, its place in the line of all plus 1; 0 for a zero.
    sign
        1 or -1; 0 for sizes.
    """

    variable: Any
    source: Array
    sign: int

    def __call__(self, numbers: Array) -> None:
        """Assign; ``numbers`` (1 + n,) are 0 and the weights."""
        chosen = numbers[self.source]
        values = np.abs(chosen) if self.sign == 0 else self.sign * chosen
        self.variable.assign(values.astype(self.variable.dtype.as_numpy_dtype))


class RefilledExplainer:
    """A method on a Keras model in memory that trains; nothing is traced after the first run.

    Parameters
    ----------
    model
        Of Keras, built. It is read again at each run, and stays as it is.
    method, target, options
        As for `Network.explainer`.

    Attributes
    ----------
    refills
        Whether compiled functions are kept; None before the first run. False where the method
        makes numbers of weights that cannot be followed: then it is made anew for each run.

    Raises
    ------
    UnsupportedModelError, RuleError, TargetError
        By `run`, as of `convert` and `Network.explainer`.
    """

    def __init__(
        self, model: Any, method: str = "deeplift", *, target: Any = "logits", **options: Any
    ) -> None:
        self._model, self._method = model, method
        self._options = {"target": target, **options}
        self.refills: bool | None = None
        self._refill: list[Refill] = []
        self._shapes: list[tuple[int, ...]] = []
        self._explainer: Explainer | None = None

    def run(self, x: Any, **arguments: Any) -> Attribution:
        """Score under the model's present weights; arguments are those of `Explainer.run`."""
        if self._explainer is None:
            return self._first_run(x, arguments)
        network = convert(self._model)
        shapes = [array.shape for array in arrays_of(network.graph)]
        if self.refills and shapes == self._shapes:
            self._put(network.graph)
            return self._explainer.run(x, **arguments)
        return self._made(network).run(x, **arguments)

    def _made(self, network: Network) -> Explainer:
        return network.explainer(self._method, **self._options)

    def _first_run(self, x: Any, arguments: dict[str, Any]) -> Attribution:
        """Score, and learn how to refill; a trial on other weights says whether that is right."""
        network = convert(self._model)
        few = _first(x)
        with refillable() as variables:
            explainer = self._made(network)
            result = explainer.run(x, **arguments)
        self._explainer = explainer
        self._shapes = [array.shape for array in arrays_of(network.graph)]
        numbers = flat(network.graph)
        codes = self._codes(network, few, arguments)
        refill = _learned(variables, codes, numbers) if len(numbers) < MOST_CODES else None
        self._refill = refill or []
        self.refills = refill is not None and self._is_right(explainer, network, few, arguments)
        if not self.refills:
            LOGGER.info(
                "%s makes numbers of weights that cannot be followed: it is compiled anew for "
                "each run while %s trains",
                self._method,
                getattr(self._model, "name", "the model"),
            )
        return result

    def _codes(self, network: Network, x: Any, arguments: dict[str, Any]) -> list[Array]:
        """The variables' values where weights are codes."""
        codes = UNIT * np.arange(1, len(flat(network.graph)) + 1)
        twin = _with_graph(network, filled(network.graph, codes))
        with refillable() as variables, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._made(twin).run(x, **{**arguments, "progress": False, "strict": False})
            except DeepliftEngineError:  # of values that mean nothing: all is traced by now
                LOGGER.debug("the coded run had no scores", exc_info=True)
        return [np.asarray(variable.numpy(), np.float64) / UNIT for variable in variables]

    def _is_right(
        self, explainer: Explainer, network: Network, x: Any, arguments: dict[str, Any]
    ) -> bool:
        """Whether refilled functions give what new ones do, under weights that differ."""
        numbers = flat(network.graph)
        random = np.random.default_rng(0)
        noise = PERTURBED * random.uniform(-1, 1, (2, len(numbers)))
        other = numbers * (1 + noise[0]) + noise[1] * np.abs(numbers).mean()
        twin = _with_graph(network, filled(network.graph, other))
        self._put(twin.graph)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours, new = (
                each.run(x, **{**arguments, "progress": False, "strict": False})
                for each in (explainer, self._made(twin))
            )
        self._put(network.graph)
        return all(
            np.abs(a - b).max(initial=0) <= TOLERANCE * (np.abs(b).max(initial=0) or 1.0)
            for a, b in zip(_all_arrays(ours), _all_arrays(new), strict=True)
        )

    def _put(self, graph: Graph) -> None:
        numbers = np.append(0.0, flat(graph))
        for refill in self._refill:
            refill(numbers)


def _learned(
    variables: Sequence[Any], codes: Sequence[Array], numbers: Array
) -> list[Refill] | None:
    """How each variable is made of the weights; None where one is made otherwise."""
    if len(variables) != len(codes):
        return None
    known = np.append(0.0, numbers)
    refills = []
    for variable, code in zip(variables, codes, strict=True):
        values = np.asarray(variable.numpy(), np.float64)
        if np.array_equal(values, code * UNIT):  # no weight has a part in it
            continue
        source = np.abs(code)
        if values.shape != code.shape or source.max() > len(numbers) or (source % 1).any():
            return None
        chosen = known[source.astype(np.int64)]
        sign = -1 if code.min() < 0 else 1
        if not np.array_equal(values, sign * chosen):
            sign = 0
            if not np.array_equal(values, np.abs(chosen)):
                return None
        refills.append(Refill(variable, source.astype(np.int32), sign))
    return refills


def _with_graph(network: Network, graph: Graph) -> Network:
    """The network with a graph of the same layers."""
    twin = copy.copy(network)
    twin.graph = graph
    return twin


def _first(x: Any) -> Any:
    """One sample."""
    if isinstance(x, dict):
        return {name: _first(each) for name, each in x.items()}
    if isinstance(x, list | tuple):
        return [_first(each) for each in x]
    return np.asarray(x[:1])


def _all_arrays(result: Attribution) -> list[Array]:
    """Scores and predictions."""
    each = (result.scores, result.predictions)
    return [
        np.asarray(array)
        for values in each
        for array in (values.values() if isinstance(values, dict) else [values])
    ]


__all__ = ["RefilledExplainer"]
