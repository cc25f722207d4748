"""Concepts, as activations of a layer: how the target changes towards them (TCAV)."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.graph.input_advice import fits
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Bounds, Seed
from deeplift_engine.util.typing import Array


class ConceptSensitivity(Explainer):
    """The gradient at a layer in the direction of a concept, unit by unit.

    The scores' sum over the layer is the directional derivative. ``settings["tcav_scores"]`` is the
    share of the samples, for each target, where it is above 0, and ``settings["accuracy"]`` how
    well the concept's examples are told from the others, where there are any.

    Parameters
    ----------
    concept
        Activations of the layer for examples of the concept, (M, *Y), as
        `Network.activations` gives.
    counterexamples
        Activations for random examples, (R, *Y). The concept's direction is the normal of the
        plane between the two that logistic regression finds.
    vector
        The direction itself (*Y), in place of the examples.
    seed
        Of the parts that the accuracy is measured on.
    """

    traits = Traits(uses_references=False, attributes_of=None)

    def __init__(
        self,
        task: Task,
        *,
        concept: Bounds = None,
        counterexamples: Bounds = None,
        vector: Bounds = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task)
        if len(task.attribution_points) != 1:
            raise InputError(
                "A concept is one of a single layer; give its name as layers=, not "
                f"{[point.name for point in task.attribution_points]}."
            )
        point = task.attribution_points[0]
        shape = task.graph.nodes[point.name].shape
        options = [option is not None for option in (vector, concept, counterexamples)]
        if options not in ([True, False, False], [False, True, True]):
            raise RuleError("Give vector= alone, or both concept= and counterexamples=.")
        self.accuracy: float | None = None
        if vector is None:
            direction, self.accuracy = concept_direction(concept, counterexamples, seed)
        else:
            direction = unit(np.asarray(vector, float))
        if not fits(direction.shape, shape):
            raise InputError(
                f"The concept has shape {direction.shape}, and the layer {point.name!r} {shape}."
            )
        moved = point.name != point.node
        self.direction = np.moveaxis(direction, 0, -1) if moved else direction
        self._backward = self.backward_pass()

    def attribute(self, request: Request) -> MethodResult:
        """Shares (T, N, *Y) of the derivative in the concept's direction."""
        result = self._backward(request.data, request.weights, request.batch_size)
        gradient = result.multipliers[0]
        if gradient.shape[2:] != self.direction.shape:
            raise InputError(
                f"The concept has shape {self.direction.shape}, and the layer is of shape "
                f"{gradient.shape[2:]} for these inputs."
            )
        scores = gradient * self.direction.astype(gradient.dtype)
        derivative = scores.reshape(*scores.shape[:2], -1).sum(axis=2)
        return MethodResult(
            [scores],
            [gradient],
            predictions=result.outputs or None,
            settings={
                "tcav_scores": (derivative > 0).mean(axis=1).tolist(),
                "accuracy": self.accuracy,
            },
        )


def concept_direction(concept: Any, counterexamples: Any, seed: int = 0) -> tuple[Array, float]:
    """The direction from other examples to those of a concept (Kim 2018, section 3.2).

    Parameters
    ----------
    concept, counterexamples
        Activations of a layer, (M, *Y) and (R, *Y).
    seed
        Of the parts of the cross-validation.

    Returns
    -------
    direction : ndarray
        Of length 1, (*Y), the normal of the plane that logistic regression finds.
    accuracy : float
        The share of the examples on their own side, of those left out of three fits.

    Raises
    ------
    InputError
        If the shapes differ, or there are less than three examples of one kind.
    """
    direction, plane, values, labels = _plane(concept, counterexamples)
    selection = optional("sklearn.model_selection", "scikit-learn")
    folds = selection.StratifiedKFold(3, shuffle=True, random_state=seed)
    accuracy = float(selection.cross_val_score(plane, values, labels, cv=folds).mean())
    return direction, accuracy


def separating_direction(concept: Any, counterexamples: Any) -> Array:
    """The direction of `concept_direction` alone, without the fits that measure its accuracy."""
    return _plane(concept, counterexamples)[0]


def _plane(concept: Any, counterexamples: Any) -> tuple[Array, Any, Array, Array]:
    """The normal of the plane between examples and others, the model of it, and its data."""
    examples, others = np.asarray(concept, float), np.asarray(counterexamples, float)
    if examples.shape[1:] != others.shape[1:] or min(len(examples), len(others)) < 3:
        raise InputError(
            "A concept needs three examples or more and as many others, (M, *Y) and (R, *Y) of "
            f"one layer; these have shapes {examples.shape} and {others.shape}."
        )
    values = np.concatenate([array.reshape(len(array), -1) for array in (examples, others)])
    values = (values - values.mean(axis=0)) / (values.std() or 1.0)
    labels = np.repeat([1, 0], [len(examples), len(others)])
    plane = optional("sklearn.linear_model", "scikit-learn").LogisticRegression(max_iter=10_000)
    normal = plane.fit(values, labels).coef_[0].reshape(examples.shape[1:])
    return unit(normal), plane, values, labels


def unit(direction: Array) -> Array:
    """The same direction with length 1.

    Raises
    ------
    InputError
        If it is nothing, or not finite.
    """
    length = np.linalg.norm(direction)
    if not (np.isfinite(length) and length > 0):
        raise InputError("The concept's direction is zero or not finite.")
    return np.asarray(direction / length)


METHODS = (
    Method(
        "concept_sensitivity",
        "gradient",
        ConceptSensitivity,
        "The gradient at a layer in the direction of a concept given by examples.",
        "Kim 2018, arXiv:1711.11279",
        "2·N",
        aliases=("tcav",),
    ),
)
