"""Blur integrated gradients: the path leads from the blurred input to the input."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.blocks import blocks
from deeplift_engine.engine.convergence import Sums
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.target_weights import of_samples, repeated
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.gradients.integrated_gradients import CLOSE
from deeplift_engine.explainers.gradients.paths import (
    along,
    per_path,
    points_per_path,
    without_tokens,
)
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.util.options import Count, Integer, Several, Width
from deeplift_engine.util.typing import Array


class BlurIntegratedGradients(Explainer):
    """The gradient integrated along a path of ever less blurred inputs.

    The input at its most blurred takes the role of the reference, so there are no others. Outside
    of the input there are zeros.

    Parameters
    ----------
    sigma
        Width of the widest blur, in elements (standard deviation of the Gaussian).
    steps
        How many steps the path has. Widths grow with the square of the step, as fine structure
        goes first.
    axes
        The axes of one sample, without batch axis, that are blurred; None: all but the channels',
        or the only one.
    """

    traits = Traits(
        attributes_layer_outputs=True,
        holds_masks=True,
        uses_references=False,
        attributes_of=None,
        advice="More steps= make the sum more exact.",
    )

    def __init__(
        self,
        task: Task,
        *,
        sigma: Width = 50.0,
        steps: Count = 100,
        axes: Annotated[Sequence[int], Several(Integer())] | None = None,
    ) -> None:
        super().__init__(task)
        without_tokens(self.task)
        self.steps = steps
        self.widths = tuple(sigma * np.linspace(1, 0, self.steps + 1) ** 2)
        self.axes = None if axes is None else tuple(axes)
        self._backward = self.backward_pass()

    @property
    def tolerance(self) -> float:
        """As of integrated gradients with so many steps."""
        return CLOSE

    def attribute(self, request: Request) -> MethodResult:
        """Scores, and the sums that they should have."""
        weights, count = request.weights, self.steps + 1
        integrals: list[list[Array]] = []
        ends: list[Array] = []
        most = points_per_path(request, self.task.pairs, count)
        for block in blocks(request, 1, most, " paths"):
            path = [
                np.repeat(array[block.rows, np.newaxis], count, axis=1)
                if info.held
                else self._blurred(array[block.rows], info.positions)
                for info, array in zip(request.inputs, request.data, strict=True)
            ]
            result = self._backward(
                [array.reshape(-1, *array.shape[2:]) for array in path],
                repeated(of_samples(weights, block.rows), count),
                request.batch_size,
            )
            integrals.append(
                [
                    along(per_path(values, count), points)
                    for values, points in zip(result.multipliers, path, strict=True)
                ]
            )
            ends.append(per_path(result.values, count)[..., [-1, 0]])
        scores = [np.concatenate(arrays, axis=1) for arrays in zip(*integrals, strict=True)]
        return MethodResult(
            scores, sums=Sums.of(scores, *np.moveaxis(np.concatenate(ends, 1), 2, 0))
        )

    def _blurred(self, data: Array, positions: tuple[int, ...]) -> Array:
        """Samples (n, s, *S) blurred by each of the widths."""
        rank = data.ndim - 1
        axes = positions if self.axes is None else self.axes
        if any(not -rank <= axis < rank for axis in axes):
            raise RuleError(f"axes={axes}: a sample has axes 0 to {rank - 1}.")
        path = data[:, np.newaxis]
        for axis in sorted({axis % rank for axis in axes}):
            path = blurred(path, axis + 2, self.widths)
        shape = (len(data), len(self.widths), *data.shape[1:])
        points = np.array(np.broadcast_to(path, shape), data.dtype)
        points[:, -1] = data
        return points


def blurred(path: Array, axis: int, widths: tuple[float, ...]) -> Array:
    """Samples (n, s or 1, *S) blurred along an axis, each of the s by its own width."""
    length = path.shape[axis]
    shape = [1, len(widths), *[1] * (path.ndim - 2)]
    shape[axis] = -1
    spectrum = np.fft.rfft(path, 2 * length, axis)
    spectrum = spectrum * gaussians(length, widths).reshape(shape).astype(spectrum.dtype)
    inside = (slice(None),) * axis + (slice(length),)
    return np.asarray(np.fft.irfft(spectrum, 2 * length, axis)[inside])


@functools.lru_cache(maxsize=8)
def gaussians(length: int, widths: tuple[float, ...]) -> Array:
    """Spectra (s, length + 1) of Gaussians, for data padded to twice their length."""
    distances = np.minimum(np.arange(2 * length), 2 * length - np.arange(2 * length))
    kernels = np.zeros((len(widths), 2 * length))
    kernels[:, 0] = 1
    for row, width in zip(kernels, widths, strict=True):
        if width > 0:
            tail = np.arange(1, int(np.ceil(9 * width)) + 2)
            total = 1 + 2 * np.exp(-0.5 * (tail / width) ** 2).sum()
            row[:] = np.exp(-0.5 * (distances / width) ** 2) / total
    return np.fft.rfft(kernels, axis=1)


METHODS = (
    Method(
        "blur_integrated_gradients",
        "gradient",
        BlurIntegratedGradients,
        "The gradient integrated along a path of ever less blurred inputs.",
        "Xu 2020, arXiv:2004.03383",
        "2·N·(steps + 1)",
        complete=True,
        aliases=("blur_ig",),
    ),
)
