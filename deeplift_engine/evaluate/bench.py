"""The samples, references and target that methods are judged on, and the network's values."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.engine import targets
from deeplift_engine.engine.target_weights import of_samples
from deeplift_engine.errors import ConvergenceWarning, InapplicableError, InputError, RuleError
from deeplift_engine.evaluate.subject import Subject, label_of
from deeplift_engine.explainers.perturbation.masked_values import (
    Masks,
    masked_values,
    sample_blocks,
)
from deeplift_engine.explainers.perturbation.masking.groups import Groups, grouping
from deeplift_engine.graph.inputs import by_name
from deeplift_engine.references.reference_set import References
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

SHARES = ("difference", "input", "unit")


class Bench:
    """The samples, references and target that methods are judged on.

    N samples with K references each, T targets, P groups of elements. Everything is computed by the
    network's forward pass alone, in blocks; nothing depends on how large they are.

    Parameters
    ----------
    network
        From `load` or `convert`.
    x, target, references, batch_size, progress
        As for `Explainer.run`. Where something is erased, references take its place.
    target_layer, layers
        As ``target`` and ``layers`` of `Network.explainer`. Of layers, which together must be all
        that the target depends on, the outputs take the role of the inputs: methods score them, and
        metrics erase or move them.
    groups
        The elements that are erased together, as of perturbation methods (see ``grouping`` of
        `deeplift_engine.explainers.perturbation.masking.groups`). The same groups for all samples.

    Raises
    ------
    InputError, TargetError, ReferencesError, RuleError
        Where the arguments do not fit the network or each other.
    """

    def __init__(
        self,
        network: Network,
        x: Any,
        *,
        target: Any = None,
        references: Any = None,
        target_layer: str = "logits",
        layers: str | Sequence[str] | None = None,
        groups: Any = None,
        batch_size: int | None = None,
        progress: bool | None = None,
    ) -> None:
        from deeplift_engine.explainers.perturbation.perturbation_explainer import Perturbation

        target_layer, target = network.located_target(target, target_layer)
        method = Perturbation(network.task(target_layer, layers))
        method.traits = replace(method.traits, supports_per_reference=False)  # one target for all
        self.network, self.target, self.target_layer = network, target, target_layer
        self.task, self.values = method.task, method.values
        self.request = method.at_points(
            method.request(
                x, target=target, references=references, batch_size=batch_size, progress=progress
            )
        )
        self.groups = self._groups(groups)
        self._cache: dict[Any, Any] = {}

    def _groups(self, groups: Any) -> Groups:
        how = grouping(groups, self.task.inputs, self.request.data)
        if how.own:
            raise RuleError(
                f"groups={groups!r} would be each sample's own. Give groups that all samples "
                "share: None, 'positions', a number of cells, or an array of one sample's shape."
            )
        return how.of(self.request.data, 0)

    # ------------------------------------------------------------ the network's values

    @property
    def weights(self) -> Array:
        """Weights over the target's units, (T, N or 1, *shape)."""
        return self.request.weights

    def at(self, data: Sequence[Array], origins: Array | None = None) -> Array:
        """The target (T, M) at points (M, ...), of the samples ``origins`` (M,)."""
        weights = self.weights if origins is None else of_samples(self.weights, origins)
        return self.values(data, weights, self.request.batch_size)

    @cached_property
    def at_inputs(self) -> Array:
        """The target on the inputs, (T, N)."""
        return self.at(self.request.data)

    @cached_property
    def at_references(self) -> Array:
        """The target on the references, mean over them, (T, N)."""
        nothing = [np.zeros((1, 1, *array.shape[1:]), bool) for array in self.request.data]
        return self._masked(1, lambda rows: lambda block: nothing, self.weights)[..., 0]

    def erased(
        self, choose: Callable[[slice, slice], Array], draws: int, weights: Array | None = None
    ) -> Array:
        """The target where groups are replaced by those of the references.

        Parameters
        ----------
        choose
            Function of a slice of the samples and one of the draws that says which groups are
            erased, (n or 1, d, P) of bool.
        draws
            D, the number of choices for each sample.
        weights
            Weights over the target's units, by default those of all targets.

        Returns
        -------
        array
            Mean over the references, (T, N, D).
        """
        return self.kept(lambda rows, block: ~choose(rows, block), draws, weights)

    def kept(
        self, shares: Callable[[slice, slice], Array], draws: int, weights: Array | None = None
    ) -> Array:
        """The target where of groups a share stays, and the rest is that of the references.

        ``shares`` gives it for a slice of the samples and one of the draws, (n or 1, d, P): of
        bool, or numbers from 0 to 1. The others are as for `erased`.
        """
        groups = self.groups

        def masks(rows: slice) -> Masks:
            return lambda block: groups.masks(shares(rows, block))

        return self._masked(draws, masks, self.weights if weights is None else weights)

    def _masked(self, draws: int, masks: Callable[[slice], Masks], weights: Array) -> Array:
        """The target (T, N, D) under masks of the samples in a slice."""
        request = self.request.replace(weights=weights)
        blocks = [
            masked_values(self.values, samples, draws, masks(samples.block.rows))[:, :, 0]
            for samples in sample_blocks(request, self.values.most, draws)
        ]
        return np.concatenate(blocks, axis=1)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """The result of ``make``, stored under ``key`` for the next method that is judged."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    # ------------------------------------------------------------ methods

    def run(self, method: str, *, label: str = "", **options: Any) -> Subject:
        """Score the samples by a method, which is then judged.

        Parameters
        ----------
        method
            A name of `deeplift_engine.methods`.
        label
            What to call it; by default its name and options.
        **options
            Of the method.

        Raises
        ------
        RuleError
            For names that are not known.
        """
        return self.prepare(method, label=label, **options)()

    def prepare(self, method: str, *, label: str = "", **options: Any) -> Callable[[], Subject]:
        """A function that runs a method; arguments and errors are those of `run`."""
        start = time.perf_counter()
        runner = self.explainer(self.network, method, options)
        compiling = time.perf_counter() - start

        def run() -> Subject:
            start = time.perf_counter()
            attribution = runner.run(
                self._by_input(self.request.data),
                target=self.target,
                references=self._references(runner),
                batch_size=self.request.batch_size,
                progress=self.request.progress,
            )
            seconds = time.perf_counter() - start
            return replace(
                self.take(attribution, label=label or label_of(method, options)),
                method=method,
                options=options,
                runner=runner,
                seconds=compiling + seconds,
            )

        return run

    def take(
        self, scores: Any, *, label: str = "scores", per: str | None = "difference"
    ) -> Subject:
        """Scores from elsewhere, to be judged.

        Parameters
        ----------
        scores
            An `Attribution`, or arrays ([T,] N, *S): one, or one per input as a list or mapping.
            A map over the positions of an input, without its channels, is shared evenly by them.
        label
            What to call them.
        per
            What they are shares of, the ``"difference"`` from the references or the ``"input"``;
            ``"unit"`` where they are per unit of the input, None where nothing of these. An
            `Attribution` says it itself.

        Raises
        ------
        InputError
            If ``per`` is something else, or they are not those of the bench's samples and targets.
        """
        if per not in (*SHARES, None):
            raise InputError(f"per is one of {', '.join(SHARES)}, or None, not {per!r}.")
        if isinstance(scores, Attribution):
            multipliers = scores.multipliers
            return Subject(
                self,
                label,
                self._arrays(scores.scores),
                None if multipliers is None else self._arrays(multipliers),
                scores,
                per=scores.settings.get("scores_per", per),
            )
        return Subject(self, label, self._arrays(scores), per=per)

    def explainer(self, network: Network, method: str, options: Mapping[str, Any]) -> Any:
        """A method compiled for a network of the same inputs and layers."""
        from deeplift_engine.explainers.catalogue import create

        if self.task.graph is self.network.graph:
            return network.explainer(method, target=self.target_layer, **options)
        if network is not self.network:
            raise InapplicableError(
                f"The scores are those of what comes out of {list(self.task.attribution_nodes)}, "
                "which is not the same in another network: judge the scores of the inputs."
            )
        settings = {**self.task.settings, "method": method}
        return create(method, replace(self.task, settings=settings), options)

    def again(
        self, runner: Any, data: Sequence[Array] | None = None, origins: Array | None = None
    ) -> list[Array]:
        """Scores (T, M, *S) by a method at points (M, ...) near the samples ``origins`` (M,).

        By default the samples themselves. References and targets are those of the origins, and
        sums are not checked.
        """
        chosen = np.arange(self.request.samples) if origins is None else origins
        weights = of_samples(self.weights, chosen)
        request = runner.request(
            self._by_input(self.request.data if data is None else data),
            target=[targets.weights(each[0] if len(each) == 1 else each) for each in weights],
            references=self._references(runner, chosen),
            batch_size=self.request.batch_size,
            progress=False,
        )
        # random draws are those of the samples: near them they are the same
        request = request.replace(content=[array[chosen] for array in self.request.data])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            scores = runner.answer(request).scores
        arrays = scores.values() if isinstance(scores, Mapping) else [scores]
        return [
            _of_elements(values, array.shape[1:], 2)
            for values, array in zip(arrays, self.request.data, strict=True)
        ]

    def _references(self, runner: Any, origins: Array | None = None) -> Any:
        """The references, or None for a method that compares with nothing."""
        if not runner.traits.uses_references:
            return None
        if origins is None:
            return self._by_input(self.request.references)
        return self._by_input(
            [
                reference if reference.shared else _of(reference, array, origins)
                for reference, array in zip(self.request.references, self.request.data, strict=True)
            ]
        )

    def _by_input(self, each: Sequence[Any]) -> Any:
        return by_name(each, self.task.inputs)

    def _arrays(self, scores: Any) -> list[Array]:
        """Arrays (T, N, *S) of each input."""
        names = [info.name for info in self.task.inputs]
        if isinstance(scores, Mapping):
            if set(scores) != set(names):
                raise InputError(
                    f"Scores are judged at the inputs {names}, and these are at {list(scores)}."
                )
            scores = [scores[name] for name in names]
        each = list(scores) if isinstance(scores, list | tuple) else [scores]
        leading = (len(self.weights),) * self.request.stacked + (self.request.samples,)
        expected = [(*leading, *array.shape[1:]) for array in self.request.data]
        arrays = [
            _of_elements(np.asarray(values), array.shape[1:], len(leading))
            for values, array in zip(each, self.request.data, strict=False)
        ]
        if len(each) != len(expected) or [array.shape for array in arrays] != expected:
            raise InputError(
                f"Scores of shape {', '.join(str(array.shape) for array in arrays)}: expected "
                f"{', '.join(map(str, expected))}, those of the inputs, averaged over references."
            )
        stacked = self.request.stacked
        return arrays if stacked else [array[np.newaxis] for array in arrays]


def _of(reference: References, array: Array, origins: Array) -> References:
    """The references of the samples that points come from."""

    def make(inputs: Array, indices: Array) -> Array:
        return reference.make(array[origins[indices]], origins[indices])

    return replace(reference, make=make)


def _of_elements(values: Array, shape: tuple[int, ...], leading: int) -> Array:
    """Values of a sample's elements; those of a map without channels, last or first, are shared."""
    inner = values.shape[leading:]
    if len(shape) < 2 or inner == shape:
        return values
    for axis, rest in ((-1, shape[:-1]), (leading, shape[1:])):
        if inner == rest:
            size = shape[-1] if axis == -1 else shape[0]
            return np.repeat(np.expand_dims(values, axis) / size, size, axis=axis)
    return values
