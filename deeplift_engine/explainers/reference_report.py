"""References beside the inputs: whether they repeat, and the network's predictions on them.

References should be what the network takes for nothing in particular: predictions on them tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request, resolved_request
from deeplift_engine.engine.target_weights import of_samples
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import DegenerateReferenceWarning
from deeplift_engine.references.reference_set import fingerprints, repeats
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class ReferenceReport:
    """The result of `deeplift_engine.network.Network.reference_report`.

    T targets, N samples, K references of each.

    Attributes
    ----------
    name
        The references in words; of each input where there are several.
    equal
        Whether a reference equals its input, (N, K).
    repeated
        Whether a reference equals one before it, (N, K).
    on_inputs
        The target on the inputs, (T, N).
    on_references
        The target on the references, (T, N, K).
    """

    name: str | list[str]
    equal: Array
    repeated: Array
    on_inputs: Array
    on_references: Array

    @property
    def equal_fraction(self) -> float:
        """Share of the references that equal their input."""
        return float(self.equal.mean())

    @property
    def repeated_fraction(self) -> float:
        """Share of the references that equal another one of the same sample, which is before."""
        return float(self.repeated.mean())

    @property
    def mean(self) -> Array:
        """The target on the references of each sample, in the mean, (T, N)."""
        return np.asarray(self.on_references.mean(axis=2))

    @property
    def spread(self) -> Array:
        """Its standard deviation, (T, N)."""
        return np.asarray(self.on_references.std(axis=2))

    def __repr__(self) -> str:
        """Some lines of text."""
        targets, samples, count = self.on_references.shape
        lines = [
            f"{self.name}: {count} of each of {samples} samples",
            f"equal to their input: {self.equal_fraction:.1%}",
            f"equal to another of the same sample: {self.repeated_fraction:.1%}",
        ]
        for number in range(targets):
            which = f", target {number}" if targets > 1 else ""
            inputs, mean = self.on_inputs[number], self.mean[number]
            lines += [
                f"target on inputs{which}: {inputs.mean():.4g}, "
                f"from {inputs.min():.4g} to {inputs.max():.4g}",
                f"target on references{which}: {mean.mean():.4g}, of samples from "
                f"{mean.min():.4g} to {mean.max():.4g}; spread within a sample "
                f"{self.spread[number].mean():.4g}",
            ]
        return "\n".join(lines)


def report_references(
    task: Task,
    x: Any,
    references: Any,
    *,
    target: Any = None,
    batch_size: int | None = None,
    progress: bool | None = None,
) -> ReferenceReport:
    """See `deeplift_engine.network.Network.reference_report`."""
    values = ForwardPass(task)
    request = resolved_request(
        x,
        task.inputs,
        values.target_shape,
        task.dtype,
        target=task.units_of(target),
        references=references,
        batch_size=batch_size,
        progress=progress,
        level=lambda data: values.in_blocks(data, [task.target], batch_size)[0],
    )
    weights = request.weights.reshape(*request.weights.shape[:2], -1)
    shape = (len(weights), request.samples, request.count)
    equal, repeated, on_references = np.zeros(shape[1:], bool), np.zeros(shape[1:], bool), []
    for rows, arrays in _blocks(request, values.most):
        keys = fingerprints(arrays)
        equal[rows] = fingerprints([array[rows][:, np.newaxis] for array in request.data]) == keys
        repeated[rows] = repeats(keys)
        level = _levels(values, request, arrays)
        targets = np.einsum("tnu,nku->tnk", of_samples(weights, rows), level)
        many = (shape[0], equal[rows].shape[0], shape[2])
        on_references.append(np.broadcast_to(targets, many))
    inputs = _levels(values, request, [array[:, np.newaxis] for array in request.data])
    on_inputs = np.einsum("tnu,nku->tn", weights, inputs)
    return ReferenceReport(
        request.references_name,
        equal,
        repeated,
        on_inputs,
        np.concatenate(on_references, axis=1),
    )


def _blocks(request: Request, pairs: int) -> Iterator[tuple[slice, list[Array]]]:
    """Samples, and their references (n, K, ...) of each input; (1, K, ...) where shared."""
    with warnings.catch_warnings():  # the report says the same
        warnings.simplefilter("ignore", DegenerateReferenceWarning)
        if request.shared:
            yield (
                slice(0, request.samples),
                [array[np.newaxis] for array in request.shared_references()],
            )
            return
        size = max(1, (request.batch_size or pairs) // request.count)
        for rows in slices(request.samples, size):
            yield rows, request.block_references(rows.start, rows.stop - rows.start)


def _levels(values: ForwardPass, request: Request, arrays: list[Array]) -> Array:
    """The target's layer on samples (n, K, ...) of each input, (n, K, units)."""
    points = [array.reshape(-1, *array.shape[2:]) for array in arrays]
    (level,) = values.in_blocks(points, [values.task.target], request.batch_size)
    return level.reshape(*arrays[0].shape[:2], -1)
