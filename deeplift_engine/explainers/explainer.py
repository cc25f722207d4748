"""The base of all methods: how they run, and how their results are put together.

A method is an `Explainer` created once for a `Task` and run any number of times. It answers one
question, `Explainer.attribute`: scores for a `Request`.
"""

from __future__ import annotations

import functools
import logging
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from deeplift_engine.engine.adaptive import refined, tolerance_of
from deeplift_engine.engine.assemble import MethodResult, attribution
from deeplift_engine.engine.backward import BackwardPass
from deeplift_engine.engine.block_sizes import pairs_of_data
from deeplift_engine.engine.convergence import TOLERANCE
from deeplift_engine.engine.finite import FiniteResults
from deeplift_engine.engine.forward import ForwardPass, target_shape
from deeplift_engine.engine.pair_by_pair import pair_by_pair
from deeplift_engine.engine.process import telling_of_faster_kernels
from deeplift_engine.engine.request import Request, resolved_request
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.former_names import FORMER_NAMES
from deeplift_engine.explainers.other_words import RUN, advice_on, refuse
from deeplift_engine.explainers.streaming import Stream
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.graph.inputs import by_name
from deeplift_engine.references.reference_set import References
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.rules import Assigned
from deeplift_engine.util.recreation import recreation
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn

logger = logging.getLogger(__name__)


class Explainer:
    """A method compiled for one network, target and set of layers; made by `Network.explainer`.

    It may be run any number of times, on any number of samples, targets and references, and is
    never traced again.

    A subclass defines `attribute` and its ``traits``, and its keyword arguments behind ``task``
    are the method's options.

    Attributes
    ----------
    traits
        The method's behaviour.
    origin
        The task as the user set it.
    task
        The task that the method works on: the rest of the graph, where it works on the outputs of
        the attribution points.
    recreate
        The call of `Network.explainer` that compiles the same again: what is pickled and copied.
    """

    traits: Traits = Traits()
    recreate: Callable[[], Explainer] | None = None

    def __init__(self, task: Task) -> None:
        self.origin = task
        inside = self.traits.attributes_layer_outputs and not task.at_inputs
        holds_masks = self.traits.holds_masks
        self.task = task.starting_at_points(holds_masks=holds_masks) if inside else task

    def __repr__(self) -> str:
        """The method, its options, and what it explains where."""
        options = self.origin.settings.get("options", {})
        listed = "".join(f", {name}={value!r}" for name, value in options.items())
        points = ", ".join(point.name for point in self.origin.attribution_points)
        return f"<{self.name} of {self.origin.target} at {points}{listed}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """See `recreate`."""
        return recreation(self.recreate, self)

    if not TYPE_CHECKING:  # types know the present names alone

        def __getattr__(self, name: str) -> Any:
            """Attributes under their former names."""
            if name not in FORMER_NAMES:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            warn(f"Explainer.{name} is Explainer.{FORMER_NAMES[name]} now.", DeprecationWarning)
            return operator.attrgetter(FORMER_NAMES[name])(self)

    @property
    def name(self) -> str:
        """The method's name for users."""
        return str(self.origin.settings.get("method") or "This method")

    @property
    def tolerance(self) -> float:
        """Relative error of a sum from which a run warns."""
        return TOLERANCE[self.task.dtype]

    def attribute(self, request: Request) -> MethodResult:
        """Scores for a request whose data are those of ``self.task.inputs``."""
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
        **others: Never,
    ) -> Attribution:
        """Score inputs against references.

        Parameters
        ----------
        x
            Array (N, ...), or one per input as list or mapping by name.
        target
            The units that are explained; see `deeplift_engine.targets.resolve`. A text, such as
            ``"3-5"``, may have the name of the explainer's layer in front: ``"logcounts:3-5"``.
            Of an explainer of several heads, a mapping of some of their names to such units.
            None is what the explainer was made for, or the only unit.
        references
            Inputs to compare with; see `deeplift_engine.references.resolve`. None is zeros; for
            tokens of which a mask leaves one out, padding, it is
            ``references.replaced(1, keep=(0,))``: every other token is replaced by the first that
            is no padding. The result's settings say which. One per input as list or mapping where
            the network has several; a single one, as a number, is for all of them, and an input
            that the mapping leaves out is held fixed and contributes nothing. Methods that compare
            with nothing take none.
        batch_size
            Pairs of input and reference that are computed together; None chooses by the size of
            the network. Results do not depend on it.
        average
            Mean over the references; False gives scores of each, (N, K, ...), of all methods
            but those that draw from them or otherwise take them together.
        standard_errors
            Whether to give the standard error of each mean over the references too, of methods
            that know it. Methods that always do, and references of ``"auto"``, need no asking.
        strict
            Raise where contributions do not sum to the target's difference, instead of warning.
        progress
            A bar on stderr: None, where it is a terminal; True, always; False, never.
        **others
            Refused, with the name that the argument has here.

        Returns
        -------
        Attribution
            Scores, and where the method has them multipliers, convergence deltas, standard
            errors, predictions.

        Raises
        ------
        InputError, TargetError, ReferencesError
            Where the arguments do not fit the network or each other; standard errors of
            less than two references.
        ConvergenceError
            With ``strict``, naming the worst sample.
        """
        options = self.origin.settings.get("options", {})
        refuse("run", others, RUN, lambda name: advice_on(name, options))
        return self.answer(
            self.request(
                x,
                target=target,
                references=references,
                batch_size=batch_size,
                average=average,
                standard_errors=standard_errors,
                strict=strict,
                progress=progress,
            )
        )

    def stream(
        self, x: Any, *, rows: int | None = None, **arguments: Any
    ) -> Iterator[tuple[slice, Attribution]]:
        """Score part by part what need not fit into memory; `run` is all parts put together.

        The next part is read while one is scored.

        Parameters
        ----------
        x
            As for `run`, where each array may be anything with a length whose slices are arrays:
            a memory map, an HDF5 data set, a zarr array, an object of your own.
        rows
            Samples of a part; None chooses by the size of a sample and of the network.
        **arguments
            Of `run`. Arrays of references, and targets, for each sample are those of all samples.
            Beside these, ``memory`` are bytes that the process is to stay within.

        Yields
        ------
        tuple
            The slice of the samples, and their `Attribution`.

        Raises
        ------
        InputError
            For a method whose scores depend on which samples are scored together, and as for
            `run`.
        """
        return iter(Stream(self, x, rows=rows, **arguments))

    def request(
        self,
        x: Any,
        *,
        target: Any = None,
        references: Any = None,
        average: bool = True,
        memory: int | None = None,
        **arguments: Any,
    ) -> Request:
        """The arguments of `run`, checked and resolved; ``memory`` are a block's bytes in all."""
        traits, origin = self.traits, self.origin
        if references is not None and not traits.uses_references:
            raise InputError(f"{self.name} compares with no references; leave references out.")
        if not average and not traits.supports_per_reference:
            raise InputError(
                f"{self.name} takes all references together, so that their scores cannot be kept "
                "apart: leave average=True, or run it once for each reference."
            )

        def size(data: Sequence[Array]) -> int | None:
            shapes = [array.shape[1:] for array in data]
            return pairs_of_data(origin.graph, [origin.target], origin.dtype, shapes, memory)

        default = traits.default_references if traits.uses_references else None
        if references is None and default is not None:
            references = by_name([default] * len(origin.inputs), origin.inputs)
        request = resolved_request(
            x,
            origin.inputs,
            lambda data: target_shape(origin, data, lambda: self._forward),
            origin.dtype,
            target=origin.units_of(target),
            references=references,
            average=average,
            errors=traits.has_reference_errors,
            level=lambda data: self.target_activations(
                data, arguments.get("batch_size") or size(data)
            ),
            pairs=traits.uses_references and (traits.weighs_pairs or traits.supports_per_reference),
            **arguments,
        )
        if request.batch_size is None:
            request = request.replace(batch_size=size(request.data))
        for info, reference in zip(request.inputs, request.references, strict=True):
            if references is None and traits.uses_references and info.padding is not None:
                logger.info(
                    "%s: a mask leaves out token %d, so the default references are %s",
                    *(info.name, info.padding, reference.name),
                )
        return request

    def answer(self, request: Request) -> Attribution:
        """The result of a request that `request` made; errors are those of `run`."""
        tolerance, traits = tolerance_of(request), self.traits
        held = [info.name for info in self.task.inputs if info.held]
        # what a reference's own mask leaves never enters where the sample's is held
        compares = traits.uses_references and not held
        finite = FiniteResults(self.origin, request, lambda: self._forward, compares)
        # a mask may leave no tokens at all, 0/0; not all methods meet the target there
        if compares and self.origin.token_inputs and not traits.scores_reference_targets:
            finite.check_references()
        by_pair = request.reference_weights is not None and not traits.weighs_pairs
        score = self._pair_by_pair if by_pair else self._together
        with finite, telling_of_faster_kernels():
            if tolerance is not None:
                result = refined(request, tolerance, score)
            elif by_pair:
                result = self._pair_by_pair(request)
            else:  # as `_together`, which would be one frame more
                result = self.attribute(self.at_points(request))
        result = self._at_origin(result)
        finite.check(result)
        if result.predictions is None:
            names = self.origin.graph.outputs
            arrays = self._forward.in_blocks(request.data, names, request.batch_size)
            result = replace(result, predictions=dict(zip(names, arrays, strict=True)))
        settings: dict[str, Any] = {"scores_per": traits.attributes_of}
        if held:
            settings["held"] = held
        if not traits.uses_references:
            settings |= dict.fromkeys(
                ("references", "references_per_sample", "references_averaged")
            )
        return attribution(request, result, self.origin, self.tolerance, traits.advice, **settings)

    def _together(self, request: Request) -> MethodResult:
        """The method's result, of all references of a sample together."""
        return self.attribute(self.at_points(request))

    def _pair_by_pair(self, request: Request) -> MethodResult:
        """The method's result where the target's weights depend on references."""
        size = request.batch_size
        level = functools.partial(self.target_activations, batch_size=size)
        return pair_by_pair(request, level, self._together)

    # ------------------------------------------------------------ passes

    def target_activations(self, data: Sequence[Array], batch_size: int | None) -> Array:
        """Activations (n, *shape) of the target's layer on arrays (n, ...) of the inputs."""
        return self._forward.in_blocks(data, [self.origin.target], batch_size)[0]

    @functools.cached_property
    def _forward(self) -> ForwardPass:
        """Through the graph of `origin`: to the target, the outputs, and the points."""
        origin, inside = self.origin, self.task.graph.inputs if self.task is not self.origin else ()
        return ForwardPass(origin, (*origin.graph.outputs, *origin.attribution_nodes, *inside))

    @functools.cached_property
    def values(self) -> ForwardPass:
        """Through the graph of `task`: the target's values."""
        return ForwardPass(self.task)

    def backward_pass(
        self, rules: Mapping[str, Assigned] | None = None, *, relevance: bool = False
    ) -> BackwardPass:
        """A backward pass under rules, by default the gradient, which gives the outputs too."""
        rules = self.task.assigned() if rules is None else rules
        outputs = self.task.graph.outputs if self.task is self.origin else ()
        return BackwardPass(self.task.under(rules, relevance=relevance), outputs)

    # ------------------------------------------------------------ layers as inputs

    def at_points(self, request: Request) -> Request:
        """The request with what the method works on: inputs, or outputs of the points."""
        if self.task is self.origin:
            return request
        name, count = request.references[0].name, request.count
        points = len(self.origin.attribution_points)
        references = [
            References(name, count, request.shared, make)
            for make in self._references_at_points(request, points)
        ]
        held = References(name, count, False, lambda x, _: np.repeat(x[:, np.newaxis], count, 1))
        data = self._forward.in_blocks(request.data, self.task.graph.inputs, request.batch_size)
        return replace(
            request,
            inputs=self.task.inputs,
            data=data,
            references=[*references, *[held] * (len(data) - points)],
            content=request.content or request.data,
        )

    def _at_origin(self, result: MethodResult) -> MethodResult:
        """The result without what is held, which has no share."""
        if not any(info.held for info in self.task.inputs):
            return result
        count = len(self.origin.attribution_points)
        lists = ("scores", "multipliers", "standard_errors", "points")
        met = {name: getattr(result, name) for name in lists}
        return replace(result, **{name: each and each[:count] for name, each in met.items()})

    def _references_at_points(self, request: Request, count: int) -> list[Callable[..., Array]]:
        """As `References.make`, for each of the points."""

        @functools.lru_cache(maxsize=1)  # the points ask for the same samples one after another
        def activations(indices: tuple[int, ...]) -> list[Array]:
            if request.shared:
                return self._at_points(request.shared_references(), request.batch_size)
            own = request.references_of(np.array(indices))
            flat = [array.reshape(-1, *array.shape[2:]) for array in own]
            shape = (len(indices), request.count)
            arrays = self._at_points(flat, request.batch_size)
            return [array.reshape(*shape, *array.shape[1:]) for array in arrays]

        def make(number: int) -> Callable[..., Array]:
            return lambda inputs, indices: activations(tuple(indices.tolist()))[number]

        return [make(number) for number in range(count)]

    def scored(self, request: Request) -> list[Array]:
        """The values that are scored (N, *S): inputs, tokens as 1, or outputs of the points."""
        if not self.task.at_inputs:
            return self._at_points(request.data, request.batch_size)
        tokens = self.task.token_inputs
        return [
            np.ones(array.shape, self.task.dtype) if name in tokens else array
            for name, array in zip(self.task.graph.inputs, request.data, strict=True)
        ]

    def _at_points(self, data: Sequence[Array], batch_size: int | None) -> list[Array]:
        """Outputs of the points, (M, ...) each."""
        return self._forward.in_blocks(data, self.origin.attribution_nodes, batch_size)
