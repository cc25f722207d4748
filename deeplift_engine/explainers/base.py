"""What all methods share: how they are run, and how what they find is put together.

A method is a `Runner` made once for a `Setup` and run any number of times. It answers one question,
`Runner.attribute`: scores for a `Request`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from deeplift_engine.adaptive import refined, tolerance_of
from deeplift_engine.attribution import Attribution
from deeplift_engine.convergence import ADVICE, TOLERANCE, judge, relative_error
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.setup import Setup
from deeplift_engine.explainers.walk import Values, Walk
from deeplift_engine.forwarding import target_shape
from deeplift_engine.packaging import at_places, by_name, packaged
from deeplift_engine.plan import Cut
from deeplift_engine.reference_checks import References
from deeplift_engine.request import Request, resolved_request
from deeplift_engine.rules import Assigned

Array = NDArray[Any]


@dataclass
class Found:
    """What a method found for a `Request`, T targets, N samples, K references of each.

    Attributes
    ----------
    scores
        By place, (T, N, *S), or (T, N, K, *S) where references are kept apart.
    multipliers, standard_errors
        Likewise, or None.
    change
        The target on the input minus that on the reference, (T, N, K) or (T, N), or None.
    sums
        What must equal ``change``, of its shape; None where nothing must.
    promised
        Whether they must; else what they miss is reported and not judged.
    sizes
        Sum of the contributions' magnitudes, of the shape of ``sums``.
    predictions
        Of the graph's outputs on the inputs, by name; None: not known yet.
    apart
        Whether scores have an axis of references.
    places
        What scores are of, where they have not the form of the places: a place whose node has its
        own name takes them as they are.
    """

    scores: list[Array]
    multipliers: list[Array] | None = None
    standard_errors: list[Array] | None = None
    change: Array | None = None
    sums: Array | None = None
    promised: bool = True
    sizes: Array | None = None
    predictions: dict[str, Array] | None = None
    apart: bool = False
    places: tuple[Cut, ...] | None = None
    settings: dict[str, Any] = field(default_factory=dict)


class Runner:
    """A method made for a `Setup`; subclasses say what `attribute` is.

    A subclass's keyword arguments behind ``setup`` are the method's options. Where it is
    ``entered``, it works on what comes out of the places (a path between two activations, an
    embedding that is perturbed), and ``setup`` is that of the rest of the graph.
    """

    entered: ClassVar[bool] = False
    compares: bool = True
    """Whether references mean anything to the method."""
    averages: ClassVar[bool] = False
    """Whether scores are means over references with their standard errors: only then can
    references be added until those are small."""
    advice: ClassVar[str] = ADVICE

    def __init__(self, setup: Setup) -> None:
        self.origin = setup
        self.setup = setup.rooted() if self.entered and not setup.at_inputs else setup
        self.settings: dict[str, Any] = {}

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
        strict: bool = False,
        progress: bool | None = None,
    ) -> Attribution:
        """Score inputs; arguments and errors are those of `Explainer.run`.

        A method that compares with nothing takes no references.
        """
        if references is not None and not self.compares:
            raise InputError(
                f"{self.origin.settings.get('method', 'This method')} compares with no references; "
                "leave references out."
            )
        given = resolved_request(
            x,
            self.origin.inputs,
            self._target_shape,
            self.origin.dtype,
            target=target,
            references=references,
            batch_size=batch_size,
            average=average,
            strict=strict,
            progress=progress,
            adaptive=self.averages,
        )
        wanted = tolerance_of(given)
        return self._scored(given) if wanted is None else refined(given, wanted, self._scored)

    def _scored(self, request: Request) -> Attribution:
        return self._result(request, self.attribute(self._entered(request)))

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

    def _activations(self, data: Sequence[Array], batch_size: int | None) -> list[Array]:
        """What comes out of the places, (M, ...) each."""
        return self._at_start.joined(data, self.origin.cuts, batch_size)

    # ------------------------------------------------------------ results

    def _result(self, request: Request, found: Found) -> Attribution:
        predictions = found.predictions
        if predictions is None:
            predictions = self._predictions(request)
        stacked = request.seeds.stacked

        def shaped(values: Array | None) -> Array | None:
            return values if values is None or stacked else values[0]

        change, error, relative = found.change, None, None
        if change is not None and found.sums is not None:
            error = found.sums - change
        if change is not None and error is not None and found.promised:
            sizes = np.abs(change) if found.sizes is None else found.sizes
            relative = relative_error(error, change, np.abs(change), sizes)
            at = (..., np.newaxis) if relative.ndim == 2 else ...
            judge(relative[at], error[at], change[at], self.tolerance, request.strict, self.advice)
        if change is not None and change.ndim == 3 and not found.apart:
            change = change.mean(axis=2)
            error = None if error is None else error.mean(axis=2)
            relative = None if relative is None else relative.max(axis=2)

        def named(values: list[Array] | None) -> Any:
            if values is None:
                return None
            places = self.origin.places if found.places is None else found.places
            return at_places(places, values, request, not found.apart)

        return packaged(
            request,
            {**self.origin.settings, **self.settings, **found.settings},
            not found.apart,
            scores=named(found.scores),
            multipliers=named(found.multipliers),
            standard_errors=named(found.standard_errors),
            convergence_delta=shaped(error),
            target_delta=shaped(change),
            relative_error=shaped(relative),
            predictions=by_name(list(predictions), list(predictions.values())),
        )

    def _predictions(self, request: Request) -> dict[str, Array]:
        names = self.origin.graph.outputs
        found = self._at_start.joined(request.data, names, request.batch_size)
        return dict(zip(names, found, strict=True))
