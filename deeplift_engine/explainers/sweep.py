"""Scores under many references and many rules at once, over shared forward passes.

References that all samples share are walked together, and so are those of each sample's own. In
each of the two, inputs are forwarded once and references once, whatever the number of rules: rules
differ in the walk back alone. Those that come to the same on a network are walked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from deeplift_engine.engine.assemble import attribution
from deeplift_engine.engine.compiled import Compiled, Forward, forward_of
from deeplift_engine.engine.convergence import TOLERANCE
from deeplift_engine.engine.request import Request, resolved_request
from deeplift_engine.engine.scoring import Place, Scoring, Spreading
from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.sweep_result import Sweep
from deeplift_engine.rules import Rules
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array

SeveralRules = str | Sequence[str] | Mapping[str, Rules]


@dataclass(frozen=True)
class Joined(Request):
    """Requests of the same inputs as one: the references of all, in order."""

    parts: tuple[Request, ...] = ()

    @property
    def count(self) -> int:
        """K of all."""
        return sum(part.count for part in self.parts)

    @property
    def shared(self) -> bool:
        """Whether all samples have the same references."""
        return all(part.shared for part in self.parts)

    def of_all(self) -> list[Array]:
        """The references (K, ...) of each input, where they are shared."""
        return _concatenated([part.of_all() for part in self.parts], 0)

    def own(self, row: int, rows: int) -> list[Array]:
        """References (rows, K, ...) of samples from ``row``, the last repeated past the end."""
        return _concatenated([part.own(row, rows) for part in self.parts], 1)


@dataclass
class Parted(Scoring):
    """A run over joined requests, whose results go to a run of each."""

    parts: list[Spreading] = field(default_factory=list)

    def write(self, part: Mapping[str, Any], start: Place, size: Place) -> None:
        """Hand each of the parts what is of its references."""
        first = 0
        for scoring in self.parts:
            begin = max(start[2], first)
            end = min(start[2] + size[2], first + scoring.count)
            if begin < end:
                columns = slice(begin - start[2], end - start[2])
                cut = {kind: _cut(value, size, columns) for kind, value in part.items()}
                place, kept = (*start[:2], begin - first), (*size[:2], end - begin)
                scoring.write(cut, place, kept)
            first += scoring.count


class Sweeper:
    """A sweep compiled for one network, target, set of layers and rules; see `Network.sweep`.

    It may be run any number of times, and is never traced again.
    """

    def __init__(self, setup: Setup, rules: SeveralRules, max_pooling: str = "exact") -> None:
        self.setup, self.rules = setup, _named(rules)
        assigned = [setup.assigned(each, max_pooling) for each in self.rules.values()]
        also = (*setup.graph.outputs, setup.target)
        plans = [setup.plan(each) for each in assigned]
        crossed = [{name: plan.rules[name].rule for name in plan.crossed} for plan in plans]
        alike = [crossed.index(each) for each in crossed]
        apart = sorted(set(alike))
        self.walks = [
            Compiled(plans[number], also, averaged=False, beside=assigned) for number in apart
        ]
        self._walk = dict(zip(self.rules, map(apart.index, alike), strict=True))
        self.forward: Forward = forward_of(self.walks)
        self._settings = {
            name: {
                **setup.settings,
                "options": plain({"rules": each, "max_pooling": max_pooling}),
            }
            for name, each in self.rules.items()
        }

    def run(
        self,
        x: Any,
        references: Mapping[str, Any],
        *,
        target: Any = None,
        batch_size: int | None = None,
        strict: bool = False,
        progress: bool | None = None,
    ) -> Sweep:
        """Score inputs against each kind of references, under each of the rules.

        Parameters and errors are those of `Network.sweep`.
        """
        if not isinstance(references, Mapping) or not references:
            raise InputError(
                "A sweep takes references by names of your own, at least one: "
                "references={'zeros': 0, 'shuffles': de.references.dinucleotide_shuffle(20)}."
            )
        requests = {
            name: resolved_request(
                x,
                self.setup.inputs,
                self.walks[0].target_shape,
                self.setup.dtype,
                target=target,
                references=given,
                batch_size=batch_size,
                strict=strict,
                progress=progress,
            )
            for name, given in references.items()
        }
        found: dict[tuple[str, str], Attribution] = {}
        for shared in (True, False):
            together = {name: each for name, each in requests.items() if each.shared is shared}
            if together:
                found |= self._walked(together)
        ordered = {(name, rule): found[name, rule] for name in requests for rule in self.rules}
        return Sweep(tuple(requests), tuple(self.rules), ordered)

    def _walked(self, requests: Mapping[str, Request]) -> dict[tuple[str, str], Attribution]:
        """One walk there, and one back for each of the rules, over all of these references."""
        parts = tuple(requests.values())
        shared = {each.name: getattr(parts[0], each.name) for each in fields(Request)}
        joined = Joined(**shared, parts=parts)
        runs = [self._run(walk, joined) for walk in self.walks]
        with bar(joined.samples * joined.count * len(runs), joined.progress) as tick:
            for block in runs[0].blocks():
                for run, walk in zip(runs, self.walks, strict=True):
                    run.take(walk, block)
                    tick(block.pairs)
        for run in runs:
            for part in run.parts:
                part.outputs = runs[0].outputs
        gathered = [[part.gathered() for part in run.parts] for run in runs]
        found: dict[tuple[str, str], Attribution] = {}
        taken: set[int] = set()
        for rule, number in self._walk.items():
            for name, part, its in zip(requests, runs[number].parts, gathered[number], strict=True):
                found[name, rule] = attribution(
                    part.request,
                    deepcopy(its) if number in taken else its,
                    self.setup.places,
                    self._settings[rule],
                    TOLERANCE[self.setup.dtype],
                    outputs=self.setup.outputs,
                )
            taken.add(number)
        return found

    def _run(self, walk: Compiled, joined: Joined) -> Parted:
        parts = [Spreading(walk.plan, walk, part, self.forward) for part in joined.parts]
        return Parted(walk.plan, walk, joined, self.forward, parts=parts)


def _named(rules: SeveralRules) -> dict[str, Rules]:
    """Rules by name."""
    if isinstance(rules, str):
        rules = [rules]
    named: dict[str, Rules] = (
        dict(rules) if isinstance(rules, Mapping) else {str(each): each for each in rules}
    )
    if not named or any(not isinstance(each, str) for each in named):
        raise RuleError(
            "A sweep takes names of rules, or rules by names of your own; at least one."
        )
    return named


def _concatenated(parts: Iterable[list[Array]], axis: int) -> list[Array]:
    """Arrays of each input, one behind the other."""
    return [np.concatenate(arrays, axis=axis) for arrays in zip(*parts, strict=True)]


def _cut(value: Any, size: Place, columns: slice) -> Any:
    """These columns of a tensor (t, b, k, ...), or of each in a list; axes of 1 stand for all."""
    if isinstance(value, list):
        return [_cut(each, size, columns) for each in value]
    array = np.asarray(value)
    whole = np.broadcast_to(array, (*array.shape[:2], size[2], *array.shape[3:]))
    return whole[:, :, columns]
