"""Scores under many references and many rules at once, over shared forward passes.

References that all samples share go through together, and so do those of each sample's own. In
each of the two, inputs are sent forward once and references once, whatever the number of rules:
rules differ in the backward pass alone. Those that come to the same on a network are sent back
once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from deeplift_engine.engine.activation_pairs import AT_INPUT, AT_REFERENCE
from deeplift_engine.engine.assemble import attribution
from deeplift_engine.engine.compiled import CompiledPasses, scores_of_pairs
from deeplift_engine.engine.convergence import TOLERANCE
from deeplift_engine.engine.finite import FiniteResults
from deeplift_engine.engine.forward import ForwardPass
from deeplift_engine.engine.request import Request, resolved_request
from deeplift_engine.engine.scoring import PairResults, score_pairs
from deeplift_engine.engine.task import Task
from deeplift_engine.errors import InputError, RuleError
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.sweep_result import Sweep
from deeplift_engine.rules import Rules
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.recreation import recreation
from deeplift_engine.util.typing import Array

SeveralRules = str | Sequence[str] | Mapping[str, Rules]


class Sweeper:
    """A sweep compiled for one network, target, set of layers and rules; see `Network.sweep`.

    It may be run any number of times, and is never traced again.

    Attributes
    ----------
    recreate
        The call of `Network.sweeper` that compiles the same again: what is pickled and copied.
    """

    recreate: Callable[[], Sweeper] | None = None

    def __init__(self, task: Task, rules: SeveralRules, max_pooling: str = "exact") -> None:
        self.task, self.rules = task, _named(rules)
        assigned = [task.assigned(each, max_pooling) for each in self.rules.values()]
        nodes = (*task.graph.outputs, task.target)
        tasks = [task.under(each) for each in assigned]
        crossed = [{name: each.rules[name].rule for name in each.crossed} for each in tasks]
        alike = [crossed.index(each) for each in crossed]
        distinct = sorted(set(alike))
        self.passes = [
            CompiledPasses(tasks[number], nodes, scores_of_pairs, beside=assigned)
            for number in distinct
        ]
        self._passes_of = dict(zip(self.rules, map(distinct.index, alike), strict=True))
        first, *others = self.passes
        self.forward = (
            first.forward_pass(AT_INPUT, others),
            first.forward_pass(AT_REFERENCE, others),
        )
        self._options = {
            name: plain({"rules": each, "max_pooling": max_pooling})
            for name, each in self.rules.items()
        }

    def __reduce__(self) -> tuple[Any, ...]:
        """See `recreate`."""
        return recreation(self.recreate, self)

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
                self.task.inputs,
                self.forward[0].target_shape,
                self.task.dtype,
                target=self.task.units_of(target),
                references=each,
                batch_size=batch_size,
                strict=strict,
                progress=progress,
                level=partial(self._level, batch_size),
                pairs=True,
            )
            for name, each in references.items()
        }
        results: dict[tuple[str, str], Attribution] = {}
        for shared in (True, False):
            together = {name: each for name, each in requests.items() if each.shared is shared}
            if together:
                results |= self._scored(together)
        ordered = {(name, rule): results[name, rule] for name in requests for rule in self.rules}
        return Sweep(tuple(requests), tuple(self.rules), ordered)

    def _level(self, batch_size: int | None, data: Sequence[Array]) -> Array:
        """Activations of the target's layer."""
        return self.forward[0].in_blocks(data, [self.task.target], batch_size)[0]

    def _scored(self, requests: Mapping[str, Request]) -> dict[tuple[str, str], Attribution]:
        """One forward pass, and a backward pass for each of the rules, over these references."""
        collected = [[PairResults(each) for each in requests.values()] for _ in self.passes]
        passes = list(zip(self.passes, collected, strict=True))
        predictions = score_pairs(list(requests.values()), self.forward, passes)
        attributions: dict[tuple[str, str], Attribution] = {}
        for rule, number in self._passes_of.items():
            complete = self.passes[number].task.complete
            for name, results in zip(requests, collected[number], strict=True):
                result = replace(results.result(complete=complete), predictions=predictions)
                forward = partial(ForwardPass, self.task)
                FiniteResults(self.task, results.request, forward).check(result)
                attributions[name, rule] = attribution(
                    results.request,
                    deepcopy(result),
                    self.task,
                    TOLERANCE[self.task.dtype],
                    options=self._options[rule],
                )
        return attributions


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
