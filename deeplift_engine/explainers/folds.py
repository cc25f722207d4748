"""Several models of one kind, such as the folds of a cross-validation, as one explainer."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from deeplift_engine.engine.request import Request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.averaged import mean_of


class Folds(Explainer):
    """The mean of the scores of several models, and its spread over them; made by `folds`.

    Inputs, references and random draws are the same for all. Models are run one behind the other,
    and what is held of them are a mean and a spread, however many there are.

    Attributes
    ----------
    folds
        An explainer of each model.
    """

    def __init__(self, explainers: Sequence[Explainer]) -> None:
        self.folds = tuple(explainers)
        _check(self.folds)
        first = self.folds[0]
        super().__init__(first.origin)
        self.task, self.traits = first.task, first.traits
        self.recreate = functools.partial(folds, self.folds)

    def request(self, x: Any, **arguments: Any) -> Request:
        """The arguments of `run`, checked and resolved."""
        return self.folds[0].request(x, **arguments)

    def answer(self, request: Request) -> Attribution:
        """The mean of the models' results, with ``spread`` and ``hypothetical_spread``."""
        result = mean_of(self._answers(request), spread=True)
        for name, setting in (("folds", "model_sha256"), ("fold_models", "model")):
            result.settings[name] = [fold.origin.settings[setting] for fold in self.folds]
        return result

    def _answers(self, request: Request) -> Iterator[Attribution]:
        """The result of each model; a target's weights are those of its own activations."""
        yield self.folds[0].answer(request)
        for fold in self.folds[1:]:
            size = request.batch_size
            level = functools.partial(fold.target_activations, batch_size=size)
            yield fold.answer(request.replace(level=level).reweighted())


def folds(explainers: Sequence[Explainer]) -> Folds:
    """Several models as one explainer: means of signed scores, and their spread over the models.

    Parameters
    ----------
    explainers
        Of the same method, options and target, of models with the same inputs; two or more.

    Returns
    -------
    Folds
        With `Explainer.run`, `Explainer.stream` and all else of an explainer. Of its results
        ``scores``, ``multipliers``, deltas and ``predictions`` are means over the models, and
        ``spread`` and ``hypothetical_spread`` are standard deviations over them (n - 1 in the
        denominator) of scores and of hypothetical contributions.

    Raises
    ------
    InputError
        For less than two, and for explainers that differ in more than their models' weights, naming
        the first and what is different.
    """
    return Folds(explainers)


FEWEST = 2


def _check(folds: Sequence[Explainer]) -> None:
    if len(folds) < FEWEST:
        raise InputError(f"folds takes two models or more, not {len(folds)}.")
    first = _identity(folds[0])
    for number, fold in enumerate(folds[1:], 1):
        for what, value in _identity(fold).items():
            if value != first[what]:
                raise InputError(
                    f"Fold {number} ({fold.origin.settings['model']}) has {what} {value}, and the "
                    f"first ({folds[0].origin.settings['model']}) {first[what]}: expected models "
                    "that differ in their weights alone."
                )
    seen: dict[str, int] = {}
    for number, fold in enumerate(folds):
        digest = fold.origin.settings["model_sha256"]
        if not digest:  # of a model in memory
            continue
        if digest in seen:
            raise InputError(
                f"Folds {seen[digest]} and {number} are the same model, "
                f"{fold.origin.settings['model']}: leave one out."
            )
        seen[digest] = number


def _identity(explainer: Explainer) -> dict[str, Any]:
    """What folds have in common, in words."""
    task: Task = explainer.origin
    settings = task.settings
    return {
        "the precision": task.dtype,
        "the inputs": ", ".join(f"{info.name} {info.shape} {info.dtype}" for info in task.inputs),
        "the method": (settings["method"], settings.get("options")),
        "the heads": list(task.heads),
        "targets of shape": [task.graph.nodes[name].shape for name in task.explained],
        "the units": repr([head.units for head in task.heads.values()] or task.units),
        "scores at": [point.name for point in task.attribution_points],
        "the view": settings.get("reverse_complement"),
    }


__all__ = ["Folds", "folds"]
