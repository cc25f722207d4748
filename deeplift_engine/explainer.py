"""Scoring: inputs and references in, batches through the compiled walks, a result out."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deeplift_engine import references as reference_module
from deeplift_engine import targets
from deeplift_engine.attribution import Attribution
from deeplift_engine.comparison import AT_REFERENCE
from deeplift_engine.compiled import Compiled
from deeplift_engine.data import InputInfo, arrays, block_size, by_input, padded
from deeplift_engine.errors import ConvergenceError, ConvergenceWarning, InputError, ReferencesError
from deeplift_engine.plan import Plan
from deeplift_engine.progress import bar
from deeplift_engine.reference_checks import References, warn_if_degenerate

Array = NDArray[Any]
TOLERANCE = {"float32": 1e-3, "float64": 1e-8}
"""Relative error of the sum from which a run warns."""
SMALL = 0.01
"""Of the target's level: a difference smaller than that share is judged against that share."""


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
        batch_size: int = 256,
        average: bool = True,
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
            Pairs of input and reference that are walked together.
        average
            Mean over the references; False keeps them apart, (N, K, ...).
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
            Where what is handed in does not fit the network or each other.
        ConvergenceError
            With ``strict``, naming the worst sample.
        """
        if batch_size < 1 or int(batch_size) != batch_size:
            raise InputError(f"batch_size is a whole number of 1 or more, not {batch_size!r}.")
        data = arrays(x, self.inputs, self.plan.dtype)
        batch = _Batch(self, data, references, target, int(batch_size), average)
        return batch.run(strict, progress)


@dataclass
class _Batch:
    """One run: the inputs, what they are compared with, and what has been found so far."""

    explainer: Explainer
    data: list[Array]
    given: Any
    target: Any
    batch_size: int
    average: bool

    def run(self, strict: bool, progress: bool | None) -> Attribution:
        explainer, plan = self.explainer, self.explainer.plan
        self.samples = len(self.data[0])
        self.references = self._references()
        count = max(reference.count for reference in self.references)
        shared = all(reference.shared for reference in self.references)
        self.columns = min(count, self.batch_size)
        self.rows = block_size(self.samples, max(1, self.batch_size // self.columns))
        compiled = explainer.compiled(self.average)
        chunks = list(range(0, count, self.columns))
        found: dict[str, list[Any]] = {}
        fixed = [self._at_shared(compiled, start, count) for start in chunks] if shared else None
        with bar(self.samples * count, progress) as tick:
            for start in range(0, self.samples, self.rows):
                rows = min(self.rows, self.samples - start)
                block = [padded(array, start, self.rows) for array in self.data]
                at_input = compiled.forward(block)
                seeds = self._seeds(at_input, start)
                own = None if fixed else self._own(block, start, rows, count)
                parts = []
                for position, first in enumerate(chunks):
                    size = min(self.columns, count - first)
                    at_reference = fixed[position] if fixed else self._at_own(compiled, own, first)
                    shares = np.where(np.arange(self.columns) < size, 1.0 / count, 0.0)
                    part = compiled.backward(
                        at_input, at_reference, seeds, 1 if fixed else self.rows, shares
                    )
                    parts.append(self._trimmed(part, rows, size))
                    tick(rows * size)
                self._keep(found, parts)
                for name in plan.graph.outputs:
                    found.setdefault(f"output {name}", []).append(at_input[name].numpy()[:rows])
        return self._result(found, strict)

    def _references(self) -> list[References]:
        given = self.given
        inputs = self.explainer.inputs
        parts = [None] * len(inputs) if given is None else by_input(given, inputs, "references")
        resolved = [
            reference_module.resolve(part, array.shape[1:], self.samples, array.dtype, array[0])
            for part, array in zip(parts, self.data, strict=True)
        ]
        counts = {reference.count for reference in resolved} - {1}
        if len(counts) > 1:
            raise ReferencesError(
                "The inputs have different numbers of references: "
                f"{ {info.name: r.count for info, r in zip(inputs, resolved, strict=True)} }. "
                "Give each the same number, or one."
            )
        return resolved

    def _at_shared(self, compiled: Compiled, start: int, count: int) -> dict[str, Any]:
        blocks = []
        for reference, array in zip(self.references, self.data, strict=True):
            made = reference.make(array[:0], np.zeros(0, np.int64))
            whole = np.broadcast_to(made, (count, *array.shape[1:]))
            blocks.append(padded(whole, start, self.columns))
            if start == 0 and len(self.data) == 1:
                warn_if_degenerate(array, whole)
        return compiled.forward(blocks, AT_REFERENCE)

    def _own(self, block: list[Array], start: int, rows: int, count: int) -> list[Array]:
        indices = np.minimum(np.arange(start, start + self.rows), self.samples - 1)
        made = []
        for reference, array in zip(self.references, block, strict=True):
            if reference.shared:
                one = reference.make(array[:0], np.zeros(0, np.int64))[np.newaxis]
            else:
                one = reference.make(array[:rows], indices[:rows])
                if len(self.data) == 1:
                    warn_if_degenerate(array[:rows], one, indices[:rows])
                one = padded(one, 0, self.rows)
            made.append(np.broadcast_to(one, (self.rows, count, *array.shape[1:])))
        return made

    def _at_own(self, compiled: Compiled, own: Any, first: int) -> dict[str, Any]:
        blocks = []
        for array in own:
            part = array[:, first : first + self.columns]
            missing = self.columns - part.shape[1]
            if missing:
                part = np.concatenate([part, np.repeat(part[:, -1:], missing, axis=1)], axis=1)
            blocks.append(part.reshape(-1, *part.shape[2:]))
        return compiled.forward(blocks, AT_REFERENCE)

    def _seeds(self, at_input: Mapping[str, Any], start: int) -> Array:
        plan = self.explainer.plan
        if start == 0:
            shape = tuple(at_input[plan.target].shape[1:])
            self.seeds = targets.resolve(self.target, shape, self.samples, plan.dtype)
        return self.seeds.block(start, self.rows)

    def _trimmed(self, part: Mapping[str, Any], rows: int, size: int) -> dict[str, list[Array]]:
        """Numpy arrays without the padding, all axes at full size."""
        trimmed = {}
        for kind, value in part.items():
            values = value if isinstance(value, list) else [value]
            kept = not self.average or kind not in ("scores", "multipliers")
            lead = (len(self.seeds.values), self.rows, self.columns)[: 3 if kept else 2]
            trimmed[kind] = [
                np.broadcast_to(one.numpy(), lead + tuple(one.shape[len(lead) :]))[:, :rows]
                for one in values
            ]
            if kept:
                trimmed[kind] = [one[:, :, :size] for one in trimmed[kind]]
        return trimmed

    def _keep(self, found: dict[str, list[Any]], parts: list[dict[str, list[Array]]]) -> None:
        """Join the chunks of references of one block: means add, what is kept is appended."""
        for kind in parts[0]:
            chunks = [part[kind] for part in parts]
            adds = self.average and kind in ("scores", "multipliers")
            joined = [
                sum(several[1:], several[0]) if adds else np.concatenate(several, axis=2)
                for several in zip(*chunks, strict=True)
            ]
            found.setdefault(kind, []).append(joined)

    def _result(self, found: dict[str, list[Any]], strict: bool) -> Attribution:
        explainer, plan = self.explainer, self.explainer.plan
        joined = {
            kind: [np.concatenate(several, axis=1) for several in zip(*blocks, strict=True)]
            for kind, blocks in found.items()
            if not kind.startswith("output ")
        }
        axes = ("target",) * self.seeds.stacked + ("sample",) + ("reference",) * (not self.average)
        first = 0 if not self.seeds.stacked else slice(None)

        def shaped(values: Array) -> Array:
            return np.ascontiguousarray(values[first])

        def averaged(values: Array) -> Array:
            return shaped(values.mean(axis=2) if self.average else values)

        delta = relative = None
        change = joined["sums"][0]
        if plan.complete:
            change = joined["deltas"][0]
            error = joined["sums"][0] - change
            scale = SMALL * np.maximum(joined["levels"][0], joined["sizes"][0])
            scale = np.maximum(np.abs(change), scale)
            size = np.divide(np.abs(error), scale, out=np.zeros_like(error), where=scale > 0)
            delta = averaged(error)
            relative = shaped(size.max(axis=2) if self.average else size)
            _judge(size, error, change, plan.dtype, strict)
        names = plan.cuts
        outputs = {name: np.concatenate(found[f"output {name}"]) for name in plan.graph.outputs}
        return Attribution(
            scores=_one_or_all(names, [shaped(value) for value in joined["scores"]]),
            multipliers=_one_or_all(names, [shaped(value) for value in joined["multipliers"]]),
            convergence_delta=delta,
            target_delta=averaged(change),
            relative_error=relative,
            predictions=_one_or_all(tuple(outputs), list(outputs.values())),
            inputs=_one_or_all(tuple(info.name for info in explainer.inputs), self.data),
            settings=explainer.settings | self._said(),
            axes=axes,
        )

    def _said(self) -> dict[str, Any]:
        names = [reference.name for reference in self.references]
        return {
            "target": self.seeds.name,
            "references": names[0] if len(names) == 1 else names,
            "references_averaged": self.average,
            "samples": self.samples,
        }


def _one_or_all(names: tuple[str, ...], values: list[Array]) -> Any:
    return values[0] if len(values) == 1 else dict(zip(names, values, strict=True))


def _judge(size: Array, error: Array, change: Array, dtype: str, strict: bool) -> None:
    """Warn of, or raise for, the pair that misses the target's difference by most."""
    worst = np.unravel_index(int(np.argmax(size)), size.shape)
    broken = not np.isfinite(error).all()
    if not broken and size[worst] <= TOLERANCE[dtype]:
        return
    if broken:
        worst = tuple(np.argwhere(~np.isfinite(error))[0])
    message = (
        f"Contributions do not sum to the target's difference: worst in sample {worst[1]} "
        f"(target {worst[0]}, reference {worst[2]}), off by {error[worst]:.3g} of "
        f"{change[worst]:.3g} (relative {size[worst]:.2g}, tolerance {TOLERANCE[dtype]:g}). "
        "network.audit(x, references) names the layer; dtype='float64' rules out rounding."
    )
    if strict:
        raise ConvergenceError(message)
    warnings.warn(message, ConvergenceWarning, stacklevel=4)
