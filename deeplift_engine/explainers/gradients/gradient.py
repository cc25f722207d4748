"""Gradients at the inputs themselves: saliency, times input, guided backprop, DeconvNet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.util.options import Among, Integer, checked
from deeplift_engine.util.typing import Array

PARTS: Mapping[str, Callable[[Array], Array]] = {
    "signed": np.asarray,
    "absolute": np.abs,
    "squared": np.square,
}


class Gradient(Explainer):
    """The result of one backward pass at the input, under a gradient-style rule.

    Tokens have no gradient: theirs is that of what was looked up for them, times it and summed,
    with their input taken as 1.

    Parameters
    ----------
    rules
        ``"gradient"``, ``"guided_backprop"``, ``"deconvnet"`` or ``"pass_through"``.
    part
        ``"signed"``, ``"absolute"`` or ``"squared"``.
    times_input
        Whether to multiply with the input.
    off_simplex
        The axis of the letters of one-hot inputs, of one sample without batch axis, -1 for the
        last: the mean over it is taken off the gradient, the part that leads off the simplex
        that such inputs live on (Majdandzic 2023).
    """

    traits = Traits(uses_references=False, attributes_of="unit")

    def __init__(
        self,
        task: Task,
        *,
        rules: str = "gradient",
        part: Annotated[str, Among(PARTS)] = "signed",
        times_input: bool = False,
        off_simplex: int | None = None,
    ) -> None:
        super().__init__(task)
        if times_input:
            self.traits = replace(self.traits, attributes_of="input")
        self._transform, self.times_input, self.off_simplex = PARTS[part], times_input, off_simplex
        for node in task.attribution_nodes if off_simplex is not None else ():
            rank = len(task.graph.nodes[node].shape)
            checked("off_simplex", off_simplex, Integer(-rank, rank - 1))
        self._backward = self.backward_pass(task.assigned(rules))

    def attribute(self, request: Request) -> MethodResult:
        """Gradients (T, N, *S), changed as the options say."""
        result = self._backward(request.data, request.weights, request.batch_size)
        gradients = [on_simplex(values, self.off_simplex) for values in result.multipliers]
        scores = [self._transform(values) for values in gradients]
        if self.times_input:
            data = self.scored(request)
            scores = [
                self._transform(values * x) for values, x in zip(gradients, data, strict=True)
            ]
        return MethodResult(scores, gradients, predictions=result.outputs or None)


class Zero(Explainer):
    """No contribution anywhere, to compare others with."""

    traits = Traits(uses_references=False, supports_per_reference=False)

    def attribute(self, request: Request) -> MethodResult:
        """Zeros (T, N, *S)."""
        shapes = [(len(request.weights), *x.shape) for x in self.scored(request)]
        return MethodResult([np.zeros(shape, self.task.dtype) for shape in shapes])


def on_simplex(gradients: Array, axis: int | None) -> Array:
    """Gradients (T, M, *S) without their mean over ``axis`` of S."""
    if axis is None:
        return gradients
    letters = axis if axis < 0 else axis + 2
    return np.asarray(gradients - gradients.mean(axis=letters, keepdims=True))


METHODS = (
    Method(
        "gradient",
        "gradient",
        Gradient,
        "The gradient at the input.",
        "Simonyan 2013, arXiv:1312.6034",
        "2·N",
        fixed={"rules": "gradient"},
    ),
    Method(
        "saliency",
        "gradient",
        Gradient,
        "The size of the gradient at the input.",
        "Simonyan 2013, arXiv:1312.6034",
        "2·N",
        fixed={"rules": "gradient", "part": "absolute"},
    ),
    Method(
        "gradient_times_input",
        "gradient",
        Gradient,
        "The gradient at the input, or at layers, times what is there.",
        "Shrikumar 2016, arXiv:1605.01713",
        "2·N",
        aliases=(
            "grad*input",
            "gradient*input",
            "input_x_gradient",
            "layer_activation_times_gradient",
        ),
        fixed={"rules": "gradient", "times_input": True},
    ),
    Method(
        "guided_backprop",
        "gradient",
        Gradient,
        "The gradient with what is negative dropped at every nonlinearity.",
        "Springenberg 2014, arXiv:1412.6806",
        "2·N",
        fixed={"rules": "guided_backprop"},
    ),
    Method(
        "deconvnet",
        "gradient",
        Gradient,
        "Every nonlinearity applied to what comes back, instead of its derivative.",
        "Zeiler 2013, arXiv:1311.2901",
        "2·N",
        fixed={"rules": "deconvnet"},
    ),
    Method(
        "zero",
        "gradient",
        Zero,
        "No contribution anywhere, to compare others with.",
        "Ancona 2018, arXiv:1711.06104 (DeepExplain)",
        "N",
    ),
)
