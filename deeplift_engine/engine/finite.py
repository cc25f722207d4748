"""Refusals of targets and contributions that are not finite numbers, with the pair at fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import NotFiniteError
from deeplift_engine.util.typing import Array

ADVICE = (
    "A model whose mask leaves nothing averages over nothing, 0/0; for tokens keep those that hold "
    "the form of an input, padding among them: references.replaced(by=..., keep=(...))."
)


def finite_values(values: Array, where: Callable[[int], str]) -> Array:
    """Values (T, n, ...) of the target at n points, all finite.

    Parameters
    ----------
    values
        Of the target.
    where
        A clause on the point of a number, for the error.

    Raises
    ------
    NotFiniteError
        If one is not, with the clause on the first such point.
    """
    if np.isfinite(values).all():
        return values
    _, point, *_ = np.argwhere(~np.isfinite(values))[0]
    raise NotFiniteError(f"The target is not finite {where(int(point))}")


def at_a_point(_: int) -> str:
    """The clause on a point that is no sample."""
    return "at a point where its gradient is taken."


@dataclass(frozen=True)
class FiniteResults:
    """Refuses results that are not finite, inside a ``with``, and says what is at fault.

    Attributes
    ----------
    task, request
        Of the whole graph.
    forward
        Gives a pass to the target.
    compares
        Whether references mean anything to the method.
    """

    task: Task
    request: Request
    forward: Callable[[], ForwardPass]
    compares: bool = True

    def __enter__(self) -> FiniteResults:
        """Nothing is computed before a result is at fault."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Name the sample or the reference at fault where the method cannot."""
        if kind is not None and issubclass(kind, NotFiniteError):
            self._refuse_target()

    def check(self, result: MethodResult) -> None:
        """Refuse a result whose scores or targets are not finite.

        Raises
        ------
        NotFiniteError
            Naming the target or the contribution.
        """
        ends = [result.sums.change] if result.sums is not None else []
        if not all(np.isfinite(array).all() for array in [*result.scores, *ends]):
            self._refuse_target()
            _refuse_contributions(self.task, self.request, result)

    def check_references(self) -> None:
        """Refuse references on which the target is not finite, naming the first."""
        request, forward = self.request, self.forward()
        count, most = request.count, request.batch_size or forward.most
        samples = 1 if request.shared and request.weights.shape[1] == 1 else request.samples
        for rows in slices(samples, max(1, most // count)):
            arrays = request.references_of(np.arange(rows.start, rows.stop))
            points = [array.reshape(-1, *array.shape[2:]) for array in arrays]
            weights = repeated(of_samples(request.weights, rows), count)
            values = forward(points, weights, request.batch_size)
            if not np.isfinite(values).all():
                target, number = np.argwhere(~np.isfinite(values))[0]
                sample, reference = divmod(int(number), count)
                one = [array[number : number + 1] for array in points]
                raise NotFiniteError(
                    f"The target {self._named(one)} is {values[target, number]} on reference "
                    f"{reference} of sample {request.number(rows.start + sample)} (target "
                    f"{target}; references {request.references_name}), and nothing finite can be "
                    f"compared with it. {ADVICE}"
                )

    def _named(self, points: Sequence[Array]) -> str:
        """The layer that is not finite at one of the points, or the first head that is not."""
        (units,) = self.forward().in_blocks(points, [self.task.target], self.request.batch_size)
        heads = self.request.heads.items()
        names = (name for name, head in heads if not np.isfinite(units[:, head.units]).all())
        return next((f"of head {name!r}" for name in names), repr(self.task.target))

    def _refuse_target(self) -> None:
        """Name the first sample or reference on which the target is not finite, if any is."""
        request = self.request
        at_samples = self.forward()(request.data, request.weights, request.batch_size)
        if not np.isfinite(at_samples).all():
            target, sample = np.argwhere(~np.isfinite(at_samples))[0]
            one = [array[sample : sample + 1] for array in request.data]
            raise NotFiniteError(
                f"The target {self._named(one)} is {at_samples[target, sample]} on sample "
                f"{request.number(int(sample))} itself (target {target}), so that no scores can be "
                "finite: leave the sample out, or explain another layer."
            )
        if self.compares:
            self.check_references()


def _refuse_contributions(task: Task, request: Request, result: MethodResult) -> NoReturn:
    names = [point.name for point in result.points or task.attribution_points]
    for number, scores in enumerate(result.scores):
        if not np.isfinite(scores).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(scores))[0])
            target, sample = index[:2]
            raise NotFiniteError(
                f"Contributions are not finite though the target is: {scores[index]} in sample "
                f"{request.number(sample)} (target {target}) at {names[number]!r}. A layer in "
                "between is not finite or has no slope there; network.audit(x, references) names "
                "it."
            )
    raise NotFiniteError("The target's differences are not finite; give other references.")
