"""What methods are judged on: samples, references, a target, and the network's values there."""

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
from deeplift_engine.explainers.perturbation.masked_values import Masks, Perturbed
from deeplift_engine.explainers.perturbation.masking.groups import Groups, grouping
from deeplift_engine.graph.inputs import by_name
from deeplift_engine.references.reference_set import References
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

SHARES = ("difference", "input", "unit")


class Bench:
    """What methods are judged on.

    N samples with K references each, T targets, P groups of elements. Everything is computed by the
    network's forward pass alone, in blocks; nothing depends on how large they are.

    Parameters
    ----------
    network
        From `load` or `convert`.
    x, target, references, batch_size, progress
        As for `Explainer.run`. Where something is erased, references take its place.
    target_layer, layers
        As ``target`` and ``layers`` of `Network.explainer`. At layers, which together must be all
        that the target depends on, everything is as if what comes out of them were the inputs: the
        methods score it, and metrics erase or move it.
    groups
        What is erased together, as of perturbation methods (see ``grouping`` of
        `deeplift_engine.explainers.perturbation.masking.groups`). The same groups for all samples.

    Raises
    ------
    InputError, TargetError, ReferencesError, RuleError
        Where what is handed in does not fit the network or each other.
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

        entered = Perturbation(network.setup(target_layer, layers))
        self.network, self.target, self.target_layer = network, target, target_layer
        self.setup, self.values = entered.setup, entered.values
        self.request = entered.entered_request(
            x, target=target, references=references, batch_size=batch_size, progress=progress
        )
        self.grouped = groups
        self.groups = self._groups()
        self._kept: dict[Any, Any] = {}

    def _groups(self) -> Groups:
        found = grouping(self.grouped, self.setup.inputs, self.request.data)
        if found.own:
            raise RuleError(
                f"groups={self.grouped!r} would be each sample's own. Give groups that all samples "
                "share: None, 'positions', a number of cells, or an array of one sample's shape."
            )
        return found.of(self.request.data, 0)

    # ------------------------------------------------------------ the network's values

    @property
    def seeds(self) -> Array:
        """Weights over the target's units, (T, N or 1, *shape)."""
        return self.request.seeds.values

    def at(self, data: Sequence[Array], origins: Array | None = None) -> Array:
        """The target (T, M) at points (M, ...), of the samples ``origins`` (M,)."""
        seeds = self.seeds if origins is None else of_samples(self.seeds, origins)
        return self.values(data, seeds, self.request.batch_size)

    @cached_property
    def at_inputs(self) -> Array:
        """The target on the inputs, (T, N)."""
        return self.at(self.request.data)

    @cached_property
    def at_references(self) -> Array:
        """The target on the references, mean over them, (T, N)."""
        nothing = [np.zeros((1, 1, *array.shape[1:]), bool) for array in self.request.data]
        return self._masked(1, lambda rows: lambda block: nothing, self.seeds)[..., 0]

    def erased(
        self, choose: Callable[[slice, slice], Array], draws: int, seeds: Array | None = None
    ) -> Array:
        """The target where groups are replaced by those of the references.

        Parameters
        ----------
        choose
            Function of a slice of the samples and one of the draws that says which groups are
            erased, (n or 1, d, P) of bool.
        draws
            D, the number of choices for each sample.
        seeds
            Weights over the target's units, by default those of all targets.

        Returns
        -------
        array
            Mean over the references, (T, N, D).
        """
        groups = self.groups

        def masks(rows: slice) -> Masks:
            return lambda block: groups.masks(~choose(rows, block))

        return self._masked(draws, masks, self.seeds if seeds is None else seeds)

    def _masked(self, draws: int, masks: Callable[[slice], Masks], seeds: Array) -> Array:
        """The target (T, N, D) under masks of the samples in a slice."""
        asked = replace(self.request.seeds, values=seeds)
        perturbed = Perturbed(self.request.replace(seeds=asked), self.values, self.values.most)
        parts = [
            samples.masked(draws, masks(rows))[:, :, 0] for rows, samples in perturbed.blocks(draws)
        ]
        return np.concatenate(parts, axis=1)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` makes, kept under ``key`` for the next method that is judged."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

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
        """What runs a method when it is called; arguments and errors are those of `run`."""
        start = time.perf_counter()
        runner = self.explainer(self.network, method, options)
        making = time.perf_counter() - start

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
                seconds=making + seconds,
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

        if self.setup.graph is self.network.graph:
            return network.explainer(method, target=self.target_layer, **options)
        if network is not self.network:
            raise InapplicableError(
                f"The scores are those of what comes out of {list(self.setup.cuts)}, which is not "
                "the same in another network: judge the scores of the inputs."
            )
        settings = {**self.setup.settings, "method": method}
        return create(method, replace(self.setup, settings=settings), options)

    def again(
        self, runner: Any, data: Sequence[Array] | None = None, origins: Array | None = None
    ) -> list[Array]:
        """Scores (T, M, *S) by a method at points (M, ...) near the samples ``origins`` (M,).

        By default the samples themselves. References and targets are those of the origins, and
        sums are not checked.
        """
        chosen = np.arange(self.request.samples) if origins is None else origins
        seeds = of_samples(self.seeds, chosen)
        asked = runner.request(
            self._by_input(self.request.data if data is None else data),
            target=[targets.weights(seed[0] if len(seed) == 1 else seed) for seed in seeds],
            references=self._references(runner, chosen),
            batch_size=self.request.batch_size,
            progress=False,
        )
        # what is drawn at random is drawn for the samples: near them the draws are the same
        asked = asked.replace(content=[array[chosen] for array in self.request.data])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = runner.answer(asked)
        parts = found.scores.values() if isinstance(found.scores, Mapping) else [found.scores]
        return [
            _of_elements(part, array.shape[1:], 2)
            for part, array in zip(parts, self.request.data, strict=True)
        ]

    def _references(self, runner: Any, origins: Array | None = None) -> Any:
        """What to compare with, or None for a method that compares with nothing."""
        if not runner.compares:
            return None
        if origins is None:
            return self._by_input(self.request.references)
        return self._by_input(
            [
                reference if reference.shared else _of(reference, array, origins)
                for reference, array in zip(self.request.references, self.request.data, strict=True)
            ]
        )

    def _by_input(self, parts: Sequence[Any]) -> Any:
        return by_name(parts, self.setup.inputs)

    def _arrays(self, given: Any) -> list[Array]:
        """Arrays (T, N, *S) of each input."""
        names = [info.name for info in self.setup.inputs]
        if isinstance(given, Mapping):
            if set(given) != set(names):
                raise InputError(
                    f"Scores are judged at the inputs {names}, and these are at {list(given)}."
                )
            given = [given[name] for name in names]
        parts = list(given) if isinstance(given, list | tuple) else [given]
        leading = (len(self.seeds),) * self.request.seeds.stacked + (self.request.samples,)
        expected = [(*leading, *array.shape[1:]) for array in self.request.data]
        found = [
            _of_elements(np.asarray(part), array.shape[1:], len(leading))
            for part, array in zip(parts, self.request.data, strict=False)
        ]
        if len(parts) != len(expected) or [part.shape for part in found] != expected:
            raise InputError(
                f"Scores of shape {', '.join(str(part.shape) for part in found)}: expected "
                f"{', '.join(map(str, expected))}, those of the inputs, averaged over references."
            )
        return found if self.request.seeds.stacked else [part[np.newaxis] for part in found]


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
