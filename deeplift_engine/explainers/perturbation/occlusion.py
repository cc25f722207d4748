"""Windows or groups of the inputs replaced, one at a time: scores are what the target loses."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.samples import Samples
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import DegenerateReferenceWarning, InputError, RuleError
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.perturbation.incremental.incremental_forward import (
    Forwards,
    Incremental,
    Way,
)
from deeplift_engine.explainers.perturbation.incremental.incremental_plan import Patches
from deeplift_engine.explainers.perturbation.masked_values import target_values
from deeplift_engine.explainers.perturbation.masking.group_windows import GroupWindows
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.explainers.perturbation.masking.sliding_windows import Windows, windows
from deeplift_engine.explainers.perturbation.masking.window_changes import changed, changes
from deeplift_engine.explainers.perturbation.perturbation_explainer import (
    Grouped,
    Perturbation,
    group_scores,
    joined,
)
from deeplift_engine.graph.inputs import by_input
from deeplift_engine.references.gaussian_blur import gaussian_blur
from deeplift_engine.references.reference_set import References
from deeplift_engine.util.options import Count, Seed, Width
from deeplift_engine.util.typing import Array

REPLACEMENTS = ("references", "sample", "blur")


class Occlusion(Perturbation):
    """The target's loss where a window is replaced, shared by the elements under it.

    An element's score is the mean, over the windows above it, of the window's loss divided by its
    size (DeepExplain). Where stride and window do not fit an axis, one more window ends at its
    end, so that no element is left out.

    Parameters
    ----------
    window
        Its size: one number, or one for each axis of a sample; at most as long as the axis. Of
        several inputs a list of these, or a mapping by name. DeepExplain's ``window_shape``,
        Captum's ``sliding_window_shapes``.
    stride
        How far windows are apart, likewise. DeepExplain's ``step``, Captum's ``strides``.
    replacement
        ``"references"``: by the references, zeros by default, averaged over them. ``"sample"``:
        by one of them, drawn for each window. ``"blur"``: by the blurred input; no references then.
    sigma
        Of the Gaussian that blurs, in elements, along each axis but the last of several.
    seed
        Of the draws.
    way
        ``"auto"``: only what a window can change is computed again where that looks cheaper;
        ``"incremental"``: it always is; ``"whole"``: whole forward passes.
    """

    def __init__(
        self,
        task: Task,
        *,
        window: Any = 1,
        stride: Any = 1,
        replacement: str = "references",
        sigma: Width = 3.0,
        seed: Seed = 0,
        way: Way = "auto",
    ) -> None:
        super().__init__(task)
        if replacement not in REPLACEMENTS:
            raise RuleError(
                f"replacement is one of {', '.join(REPLACEMENTS)}, not {replacement!r}; what "
                "references to replace by is said as references= of run."
            )
        self.window, self.stride, self.replacement = window, stride, replacement
        self.sigma, self.seed, self.way = sigma, seed, way
        self.forwards = Forwards(self.task, self.values, way)
        self.traits = replace(
            self.traits,
            uses_references=replacement != "blur",
            supports_per_reference=replacement != "sample",
            attributes_of=None if replacement == "blur" else "difference",
        )

    def attribute(self, request: Request) -> MethodResult:
        """The losses under the windows, shared and averaged."""
        request = self._replaced_by(request)
        slides = self._windows(request)
        generator = np.random.default_rng(self.seed)
        choices = [self._choice(request, slide, generator) for slide in slides]
        forwards = [self._incremental(request, *each) for each in enumerate(slides)]
        changed: list[list[Array]] = [[] for _ in slides]
        for samples in self.blocks(request, sum(slide.number for slide in slides)):
            level = np.zeros(()) if all(forwards) else target_values(self.values, samples)
            each = zip(slides, choices, forwards, changed, strict=True)
            for number, (slide, choice, forward, blocks) in enumerate(each):
                blocks.append(changes(self.values, level, samples, number, slide, choice, forward))
        scores = [
            slide.shared(-joined(request, blocks)).astype(self.task.dtype)
            for slide, blocks in zip(slides, changed, strict=True)
        ]
        return MethodResult(scores, per_reference=not request.average)

    def _choice(
        self, request: Request, slide: Windows, generator: np.random.Generator
    ) -> Array | None:
        """The one reference for each window, where they are drawn."""
        if self.replacement != "sample":
            return None
        return generator.integers(request.count, size=slide.number)

    def _incremental(self, request: Request, number: int, slide: Windows) -> Incremental | None:
        """A pass that computes only what a window changes, where that can be and pays."""
        name = self.task.graph.inputs[number]
        if not slide.counts or name not in self.task.graph.ancestors([self.task.target]):
            return None
        count = 1 if self.replacement == "sample" else request.count
        positions = self.task.inputs[number].positions
        moving = tuple(axis for axis in positions if slide.counts[axis] > 1)
        forwards = [
            self.forwards.of(self._patches(name, slide, axes, count))
            for axes in dict.fromkeys([(int(np.argmax(slide.counts)),), moving])
            if axes
        ]
        return min(
            (forward for forward in forwards if forward.plan),
            key=lambda forward: forward.plan.work if forward.plan else 0.0,
            default=None,
        )

    @staticmethod
    def _patches(name: str, slide: Windows, axes: tuple[int, ...], count: int) -> Patches:
        """Windows along some axes, of ``count`` references."""
        lengths = [slide.covers[axis].shape[1] for axis in axes]
        return Patches(
            name,
            axes,
            tuple(slide.width(axis) for axis in axes),
            slide.number * count / math.prod(lengths),
            tuple(max(1, int(np.gcd.reduce(slide.starts(axis)))) for axis in axes),
        )

    def _windows(self, request: Request) -> list[Windows]:
        sizes = _by_input(self.window, request, "window")
        strides = _by_input(self.stride, request, "stride")
        return [
            windows(array.shape[1:], size, stride)
            for array, size, stride in zip(request.data, sizes, strides, strict=True)
        ]

    def _replaced_by(self, request: Request) -> Request:
        if self.replacement != "blur":
            return request
        if any(array.dtype.kind != "f" for array in request.data):
            raise InputError("replacement='blur' is for inputs of numbers, and these are tokens.")
        references = [
            References(f"blur({self.sigma:g})", 1, False, self._blurred(info.positions))
            for info in request.inputs
        ]
        return request.replace(references=references)

    def _blurred(self, positions: Sequence[int]) -> Callable[[Array, Array], Array]:
        axes = [axis + 1 for axis in positions]
        return lambda inputs, indices: gaussian_blur(inputs, self.sigma, axes)[:, np.newaxis]


def _by_input(sizes: Any, request: Request, option: str) -> Sequence[Any]:
    """One size for each input; a number is that of all."""
    if isinstance(sizes, Mapping | Sequence):
        return by_input(sizes, request.inputs, option)
    return [sizes] * len(request.inputs)


class FeatureAblation(Grouped):
    """The target's loss where one group of elements is replaced."""

    @cached_property
    def forwards(self) -> Forwards:
        """Passes that compute only what a group changes."""
        return Forwards(self.task, self.values)

    def mask_count(self, count: int) -> int:
        """One for each group."""
        return count

    def score_groups(self, samples: Samples, groups: Groups) -> MethodResult:
        """The losses."""
        changes_alone = self._changes(samples, groups)
        if changes_alone is not None:
            return group_scores(-changes_alone)

        def masks(draws: slice) -> list[Array]:
            numbers = np.arange(draws.start, draws.stop)
            return groups.masks((numbers[:, np.newaxis] != np.arange(groups.count))[np.newaxis])

        level = target_values(self.values, samples)[..., np.newaxis]
        return group_scores(level - self.masked(samples, groups.count, masks))

    def _changes(self, samples: Samples, groups: Groups) -> Array | None:
        """The target's changes (T, n, k, P) by what a group can change alone; None if not cheaper.

        Groups of each sample's own, or of several inputs, take masks.
        """
        if len(groups.labels) > 1 or self.grouping(samples.request).own:
            return None
        labels = groups.labels[0]
        windows = GroupWindows.of(labels, groups.count, self.task.inputs[0].positions)
        lengths = [labels.shape[axis] for axis in windows.axes]
        if not windows.axes or windows.widths == tuple(lengths):
            return None
        density = groups.count * samples.references[0].shape[1] / math.prod(lengths)
        every = tuple(max(1, int(np.gcd.reduce(starts))) for starts in windows.starts.T)
        name = self.task.graph.inputs[0]
        patches = Patches(name, windows.axes, windows.widths, density, every)
        forward = self.forwards.of(patches)
        if forward.plan is None:
            return None
        return changed(samples, 0, windows.starts, windows.under, forward)


class FeaturePermutation(FeatureAblation):
    """The target's loss where a group of elements is another sample's of the run.

    Scores therefore depend on the set of samples that are scored together, though not on their
    order. They are means over several permutations of the set, none of which leaves a sample
    where it was.

    Parameters
    ----------
    repeats
        How many permutations.
    seed
        Of the permutations.
    """

    traits = replace(
        FeatureAblation.traits,
        uses_references=False,
        supports_per_reference=False,
        attributes_of=None,
        depends_on_batch=True,
    )

    def __init__(
        self,
        task: Task,
        *,
        groups: Any = None,
        divide: bool = True,
        repeats: Count = 10,
        seed: Seed = 0,
    ) -> None:
        super().__init__(task, groups=groups, divide=divide)
        self.repeats, self.seed = repeats, seed

    def attribute(self, request: Request) -> MethodResult:
        """The losses, with the other samples as references."""
        if request.samples < 2:
            raise InputError("feature_permutation needs other samples: hand in several together.")
        generator = np.random.default_rng(self.seed)
        drawn = np.argsort(generator.random((self.repeats, request.samples)), axis=1)
        circle = np.argsort(request.keys, kind="stable")[drawn]
        others = np.empty_like(circle)
        np.put_along_axis(others, circle, np.roll(circle, 1, axis=1), axis=1)

        def permuted(array: Array) -> References:
            return References(
                f"permuted({self.repeats}, seed={self.seed})",
                self.repeats,
                False,
                lambda inputs, indices: array[others[:, indices].T],
            )

        references = [permuted(array) for array in request.data]
        with warnings.catch_warnings():  # of a small set the same samples come again
            warnings.simplefilter("ignore", DegenerateReferenceWarning)
            return super().attribute(request.replace(references=references, average=True))


METHODS = (
    Method(
        "occlusion",
        "perturbation",
        Occlusion,
        "What the target loses where a sliding window is replaced.",
        "Zeiler 2013, arXiv:1311.2901",
        "N + N·K·windows",
    ),
    Method(
        "feature_ablation",
        "perturbation",
        FeatureAblation,
        "What the target loses where one element, or one group of them, is replaced.",
        "Zeiler 2013, arXiv:1311.2901",
        "N + N·K·groups",
        aliases=("ablation",),
    ),
    Method(
        "feature_permutation",
        "perturbation",
        FeaturePermutation,
        "What the target loses where one element, or group, is another sample's.",
        "Breiman 2001, doi:10.1023/A:1010933404324",
        "N + N·repeats·groups",
    ),
)
