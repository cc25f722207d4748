"""PatternNet and PatternAttribution: back through the directions of the signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, ClassVar

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.relevance.fit_patterns import Patterns
from deeplift_engine.explainers.relevance.propagation import conserved, prepared
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.graph.graph import Node
from deeplift_engine.layers import Linear
from deeplift_engine.rules.deeplift.assign import Assigned
from deeplift_engine.rules.rule import Ends, Multiplier, collapsed, full, merged, unmerged
from deeplift_engine.util.options import shown
from deeplift_engine.util.typing import Array, Tensor

CLOSE = 0.01
"""How far w·a may be from 1, in float32 and with the patterns of a file."""


class ByPatterns(Explainer):
    """The gradient's backward pass from the target's value, with other kernels on the way.

    Dense layers and convolutions have the patterns that were fitted, what else mixes elements
    keeps its own weights.

    Parameters
    ----------
    patterns
        Of `deeplift_engine.fit_patterns`, or the file that `Patterns.save` wrote.
    times_weights
        Whether patterns are multiplied with the weights.
    """

    traits = Traits(uses_references=False, attributes_of=None)

    def __init__(self, task: Task, *, patterns: Any, times_weights: bool = False) -> None:
        if not isinstance(patterns, Patterns | str | PathLike):
            raise RuleError(
                "patterns is what deeplift_engine.fit_patterns(network, x) gives, or the file that "
                f"it was saved as, not {shown(patterns)}."
            )
        if not isinstance(patterns, Patterns):
            patterns = Patterns.load(str(patterns))
        super().__init__(prepared(task, patterns.batch_norm))
        if times_weights:
            self.traits = replace(self.traits, attributes_of="input")
        rules = self.task.assigned()
        crossed = self.task.graph.on_paths(self.task.attribution_nodes, [self.task.target])
        for name, node in self.task.graph.nodes.items():
            if node.layer.learns_pattern and name in crossed:
                layer: Any = node.layer
                pattern = _checked(node, patterns)
                kernel = pattern * layer.kernel if times_weights else pattern
                rules[name] = Assigned(Replaced(replace(layer, kernel=kernel)))
        self._backward = self.backward_pass(rules, relevance=True)

    def attribute(self, request: Request) -> MethodResult:
        """The target's value as it arrives (T, N, *S)."""
        result = self._backward(request.data, request.weights, request.batch_size)
        return conserved(result, result.values, promised=False)


@dataclass(frozen=True, eq=False)
class Replaced:
    """The transposed map of another layer than the one that is crossed."""

    layer: Linear
    name: str = "pattern"
    complete: bool = False
    additive: ClassVar[bool] = True

    def cross(self, layer: Linear, ends: Ends, arrived: Multiplier) -> list[Multiplier]:
        """Through the other layer."""
        mean = full(arrived.mean, ends)
        sent = self.layer.transpose(merged(mean), ends.shapes())
        return [Multiplier(tensor) for tensor in unmerged(sent, mean)]

    def spread(self, layer: Linear, ends: Ends) -> Tensor:
        """Never read: no rule here has two multipliers."""
        return collapsed(ends)


def _checked(node: Node, patterns: Patterns) -> Array:
    """The pattern of a node.

    Raises
    ------
    RuleError
        If there is none, or it is that of another kernel.
    """
    kernel: Array = getattr(node.layer, "kernel")  # noqa: B009 - of every layer that has patterns
    pattern = patterns.of_kernels.get(node.name)
    if pattern is None or pattern.shape != kernel.shape:
        met = "none" if pattern is None else f"one of shape {pattern.shape}"
        raise RuleError(
            f"{node.name} has a kernel of shape {kernel.shape}; patterns has {met} for it. Fit "
            "them on this network: deeplift_engine.fit_patterns(network, x)."
        )
    size = (np.asarray(kernel, float) * pattern).sum(axis=tuple(range(kernel.ndim - 1)))
    if np.any((np.abs(size - 1) > CLOSE) & (size != 0)):
        raise RuleError(
            f"The patterns of {node.name} are those of another kernel: w·a is "
            f"{size[np.argmax(np.abs(size - 1))]:.3g} and not 1. Where layers= or the target is in "
            "front of a batch norm, fit them with batch_norm='rule'."
        )
    return pattern


METHODS = (
    Method(
        "pattern_net",
        "relevance",
        ByPatterns,
        "The signal that the target found: its value, sent back along fitted patterns.",
        "Kindermans 2018, arXiv:1705.05598",
        "2·N",
        fixed={"times_weights": False},
    ),
    Method(
        "pattern_attribution",
        "relevance",
        ByPatterns,
        "The target's value, sent back along fitted patterns times weights.",
        "Kindermans 2018, arXiv:1705.05598",
        "2·N",
        fixed={"times_weights": True},
    ),
)
