"""What all methods share: how they are run, and how what they find is put together.

A method is an `Explainer` made once for a `Setup` and run any number of times. It answers one
question, `Explainer.attribute`: scores for a `Request`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from deeplift_engine.engine.adaptive import refined, tolerance_of
from deeplift_engine.engine.assemble import Found, attribution
from deeplift_engine.engine.backward import Values, Walk
from deeplift_engine.engine.convergence import ADVICE, TOLERANCE
from deeplift_engine.engine.forward import target_shape
from deeplift_engine.engine.request import Request, resolved_request
from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import by_name
from deeplift_engine.references.reference_set import References
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.rules import Assigned
from deeplift_engine.util.typing import Array


class Explainer:
    """A method compiled for one network, target and set of layers; made by `Network.explainer`.

    It may be run any number of times, on any number of samples, targets and references, and is
    never traced again.

    A subclass says what `attribute` is, and its keyword arguments behind ``setup`` are the
    method's options. Where it is ``entered``, it works on what comes out of the places (a path
    between two activations, an embedding that is perturbed), and ``setup`` is that of the rest of
    the graph.
    """

    entered: ClassVar[bool] = False
    compares: bool = True
    """Whether references mean anything to the method."""
    default_references: Any = None
    """What each input is compared with where a run does not say; None is zeros."""
    keeps_apart: bool = True
    """Whether the scores of several references can be kept apart."""
    per: str | None = "difference"
    """What scores are shares of: of the ``"difference"`` from the reference or of the
    ``"input"``; ``"unit"`` where they are per unit of the input, None where nothing of these."""
    of_elements: bool = True
    """Whether each element of what is explained has a score; not of maps."""
    of_the_set: bool = False
    """Whether a sample's scores depend on the other samples of the run."""
    moves: bool = True
    """Whether inputs may be moved a little; not where they must be letters."""
    averages: ClassVar[bool] = False
    """Whether scores are means over references whose standard errors are known: only then can
    these be asked for, and references be added until they are small."""
    advice: ClassVar[str] = ADVICE

    def __init__(self, setup: Setup) -> None:
        self.origin = setup
        self.setup = setup.starting_at() if self.entered and not setup.at_inputs else setup

    def __repr__(self) -> str:
        """The method, its options, and what it explains where."""
        said = self.origin.settings
        options = "".join(f", {name}={value!r}" for name, value in said.get("options", {}).items())
        places = ", ".join(place.name for place in self.origin.places)
        return f"<{self.name} of {self.origin.target} at {places}{options}>"

    @property
    def name(self) -> str:
        """What users call the method."""
        return str(self.origin.settings.get("method") or "This method")

    @property
    def tolerance(self) -> float:
        """Relative error of a sum from which a run warns."""
        return TOLERANCE[self.setup.dtype]

    def attribute(self, request: Request) -> Found:
        """Scores for a request, whose data are those of ``self.setup.inputs``."""
        raise NotImplementedError

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
            input as list or mapping where the network has several. Methods that compare with
            nothing take none.
        batch_size
            Pairs of input and reference that are walked together; None chooses by the size of
            the network. Results do not depend on it.
        average
            Mean over the references; False keeps them apart, (N, K, ...), of all methods but
            those that draw from them or otherwise take them together.
        standard_errors
            Whether to give the standard error of each mean over the references too, of methods
            that know it. Methods that always do, and references of ``"auto"``, need no asking.
        strict
            Raise where contributions do not sum to the target's difference, instead of warning.
        progress
            A bar on stderr: None, where it is a terminal; True, always; False, never.

        Returns
        -------
        Attribution
            Scores, and what the method knows beside: multipliers, convergence deltas, standard
            errors, predictions.

        Raises
        ------
        InputError, TargetError, ReferencesError
            Where what is handed in does not fit the network or each other; standard errors of
            less than two references.
        ConvergenceError
            With ``strict``, naming the worst sample.
        """
        request = self.request(
            x,
            target=target,
            references=references,
            batch_size=batch_size,
            average=average,
            standard_errors=standard_errors,
            strict=strict,
            progress=progress,
        )
        return self.answer(request)

    def request(
        self, x: Any, *, references: Any = None, average: bool = True, **arguments: Any
    ) -> Request:
        """The arguments of `run`, checked and resolved."""
        if references is not None and not self.compares:
            raise InputError(f"{self.name} compares with no references; leave references out.")
        if not average and not self.keeps_apart:
            raise InputError(
                f"{self.name} takes all references together, so that their scores cannot be kept "
                "apart: leave average=True, or run it once for each reference."
            )
        if references is None and self.default_references is not None and self.compares:
            inputs = self.origin.inputs
            references = by_name([self.default_references] * len(inputs), inputs)
        return resolved_request(
            x,
            self.origin.inputs,
            self._target_shape,
            self.origin.dtype,
            references=references,
            average=average,
            averages=self.averages,
            **arguments,
        )

    def entered_request(self, x: Any, **arguments: Any) -> Request:
        """The arguments of `run` as a request at the places, where the method works on these."""
        return self._entered(self.request(x, **arguments))

    def answer(self, request: Request) -> Attribution:
        """The result of a request that `request` made; errors are those of `run`."""
        wanted = tolerance_of(request)
        found = self._found(request) if wanted is None else refined(request, wanted, self._found)
        if found.predictions is None:
            found = replace(found, predictions=self._predictions(request))
        settings = {**self.origin.settings, "scores_per": self.per}
        if not self.compares:
            settings |= dict.fromkeys(
                ("references", "references_per_sample", "references_averaged")
            )
        return attribution(
            request,
            found,
            self.origin.places,
            settings,
            self.tolerance,
            self.advice,
            outputs=self.origin.outputs,
        )

    def _found(self, request: Request) -> Found:
        return self.attribute(self._entered(request))

    def _target_shape(self, data: Sequence[Array]) -> tuple[int, ...]:
        origin = self.origin
        return target_shape(
            origin.graph, origin.target, data, lambda points: self._at_start.target(points)
        )

    @functools.cached_property
    def _at_start(self) -> Values:
        """Of the whole graph: the target, what comes out of it, and out of the places."""
        return Values(self.origin, (*self.origin.graph.outputs, *self.origin.cuts))

    @functools.cached_property
    def values(self) -> Values:
        """The target's values, of what the method works on."""
        return Values(self.setup)

    def walk(self, rules: Mapping[str, Assigned] | None = None, *, relevance: bool = False) -> Walk:
        """A compiled walk under rules, by default the gradient; the outputs come with it."""
        rules = self.setup.assigned() if rules is None else rules
        also = self.setup.graph.outputs if self.setup is self.origin else ()
        return Walk(self.setup.plan(rules, relevance=relevance), also)

    # ------------------------------------------------------------ layers as inputs

    def _entered(self, request: Request) -> Request:
        """The request at the places, where the method works on what comes out of them."""
        if self.setup is self.origin:
            return request
        data = self._activations(request.data, request.batch_size)
        return replace(
            request,
            inputs=self.setup.inputs,
            data=data,
            references=[
                References(request.references[0].name, request.count, request.shared, make)
                for make in self._moved(request, len(data))
            ],
            content=request.content or request.data,
        )

    def _moved(self, request: Request, places: int) -> list[Callable[..., Array]]:
        """What makes the references at each place."""

        @functools.lru_cache(maxsize=1)  # the places ask for the same samples one after another
        def found(indices: tuple[int, ...]) -> list[Array]:
            if request.shared:
                return self._activations(request.of_all(), request.batch_size)
            made = [array.reshape(-1, *array.shape[2:]) for array in request.of(np.array(indices))]
            shape = (len(indices), request.count)
            activations = self._activations(made, request.batch_size)
            return [array.reshape(*shape, *array.shape[1:]) for array in activations]

        def make(place: int) -> Callable[..., Array]:
            return lambda inputs, indices: found(tuple(indices.tolist()))[place]

        return [make(place) for place in range(places)]

    def points(self, request: Request) -> list[Array]:
        """What scores are of (N, *S): inputs, tokens as 1, or what comes out of the places."""
        if not self.setup.at_inputs:
            return self._activations(request.data, request.batch_size)
        tokens = self.setup.token_inputs
        return [
            np.ones(array.shape, self.setup.dtype) if name in tokens else array
            for name, array in zip(self.setup.graph.inputs, request.data, strict=True)
        ]

    def _activations(self, data: Sequence[Array], batch_size: int | None) -> list[Array]:
        """What comes out of the places, (M, ...) each."""
        return self._at_start.joined(data, self.origin.cuts, batch_size)

    def _predictions(self, request: Request) -> dict[str, Array]:
        names = self.origin.graph.outputs
        found = self._at_start.joined(request.data, names, request.batch_size)
        return dict(zip(names, found, strict=True))
