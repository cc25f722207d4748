"""A method compiled for one network, target and set of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deeplift_engine.adaptive import refined, tolerance_of
from deeplift_engine.attribution import Attribution
from deeplift_engine.compiled import Compiled
from deeplift_engine.data import InputInfo
from deeplift_engine.errors import InputError
from deeplift_engine.plan import Plan
from deeplift_engine.request import Request, resolved_request
from deeplift_engine.scoring import Scoring, Spreading


class Explainer:
    """A method compiled for one network, target and set of layers; made by `Network.explainer`.

    It may be run any number of times, on any number of samples, targets and references, and is
    never traced again.
    """

    def __init__(
        self, plan: Plan, inputs: tuple[InputInfo, ...], settings: Mapping[str, Any]
    ) -> None:
        self.plan = plan
        self.inputs = inputs
        self.settings = dict(settings)
        self._compiled: dict[bool, Compiled] = {}

    def compiled(self, averaged: bool) -> Compiled:
        """The two walks, with or without the mean over references."""
        if averaged not in self._compiled:
            also = (*self.plan.graph.outputs, self.plan.target)
            self._compiled[averaged] = Compiled(self.plan, also, averaged)
        return self._compiled[averaged]

    def run(
        self,
        x: Any,
        *,
        target: Any = None,
        references: Any = None,
        batch_size: int | None = None,
        average: bool = True,
        standard_errors: bool = False,
        strict: bool = False,
        progress: bool | None = None,
    ) -> Attribution:
        """Score inputs against references.

        Parameters
        ----------
        x
            Array (N, ...), or one per input as list or mapping by name.
        target
            What is explained; see `deeplift_engine.targets.resolve`.
        references
            What to compare with; see `deeplift_engine.references.resolve`. None is zeros. One per
            input as list or mapping where the network has several.
        batch_size
            Pairs of input and reference that are walked together; None chooses by the size of
            the network. Results do not depend on it.
        average
            Mean over the references; False keeps them apart, (N, K, ...).
        standard_errors
            Whether to give the standard error of each mean over the references too. References
            of ``"auto"`` always have them.
        strict
            Raise where contributions do not sum to the target's difference, instead of warning.
        progress
            A bar on stderr: None, where it is a terminal; True, always; False, never.

        Returns
        -------
        Attribution
            Scores, multipliers, convergence deltas and predictions.

        Raises
        ------
        InputError, TargetError, ReferencesError
            Where what is handed in does not fit the network or each other; standard errors of
            less than two references.
        ConvergenceError
            With ``strict``, naming the worst sample.
        """
        compiled = self.compiled(average)
        request = resolved_request(
            x,
            self.inputs,
            compiled.target_shape,
            self.plan.dtype,
            target=target,
            references=references,
            batch_size=batch_size,
            average=average,
            strict=strict,
            progress=progress,
            adaptive=True,
        )
        tolerance = tolerance_of(request)
        if tolerance is not None:
            return refined(request, tolerance, self._with_errors)
        if not standard_errors:
            return Scoring(self.plan, compiled, request).run(self.settings)
        if not average or request.count < 2:
            raise InputError(
                "Standard errors are those of means over two references or more: these are "
                + ("kept apart with average=False." if not average else "1 for each sample.")
            )
        return self._with_errors(request)

    def _with_errors(self, request: Request) -> Attribution:
        return Spreading(self.plan, self.compiled(False), request).run(self.settings)
