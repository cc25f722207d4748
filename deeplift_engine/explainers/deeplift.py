"""DeepLIFT: differences from references, sent back by rules."""

from __future__ import annotations

import functools
from dataclasses import replace

from deeplift_engine.engine.assemble import MethodResult
from deeplift_engine.engine.compiled import CompiledPasses, mean_scores, scores_of_pairs
from deeplift_engine.engine.cuts import Cut, cheapest, cuts, joined
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.scoring import PairResults, score_pairs
from deeplift_engine.engine.task import Task
from deeplift_engine.engine.through_cut import ThroughCut
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.traits import Traits
from deeplift_engine.rules import Rules


class DeepLift(Explainer):
    """Multipliers of differences from references, layer by layer.

    Parameters
    ----------
    rules
        See `deeplift_engine.rules.deeplift.assign`: ``"rescale"``, ``"reveal_cancel"``,
        ``"genomics_default"`` and others; by layer as a mapping or a list of pairs. Under
        ``"gradient"`` and its kin multipliers are gradients, and scores gradient times
        difference-from-reference.
    max_pooling
        ``"exact"``, where winners that tie have equal shares, or ``"gradient"`` as in the original
        implementation: all to the first winner (not complete unless references are constant).
    """

    traits = Traits(has_reference_errors=True, weighs_pairs=True, scores_reference_targets=True)

    def __init__(self, task: Task, *, rules: Rules = "rescale", max_pooling: str = "exact") -> None:
        super().__init__(task.under(task.assigned(rules, max_pooling)))
        self._nodes = (*self.task.graph.outputs, self.task.target)
        self._passes: dict[tuple[bool, Cut | None], CompiledPasses | ThroughCut] = {}

    def attribute(self, request: Request) -> MethodResult:
        """Scores of each reference, or their means, with standard errors where a run wants them."""
        errors = request.standard_errors and request.count > 1
        averaged = request.average and not errors
        passes, results = self._compiled(request, averaged), PairResults(request, averaged)
        predictions = score_pairs([request], passes.forward, [(passes, [results])])
        return replace(results.result(complete=self.task.complete), predictions=predictions)

    def _compiled(self, request: Request, averaged: bool) -> CompiledPasses | ThroughCut:
        """The passes by which a request's targets cost least; each is compiled once."""
        targets, cut = len(request.weights), None
        if targets > 1:
            by_pair = request.reference_weights is not None
            cut = cheapest(
                self._cuts, targets, request.count, averaged=averaged, by_pair=by_pair
            )
        if (averaged, cut) not in self._passes:
            self._passes[averaged, cut] = (
                CompiledPasses(self.task, self._nodes, mean_scores if averaged else scores_of_pairs)
                if cut is None
                else ThroughCut(self._joined, cut, self._nodes, averaged=averaged)
            )
        return self._passes[averaged, cut]

    @functools.cached_property
    def _joined(self) -> Task:
        return joined(self.task, self._nodes)

    @functools.cached_property
    def _cuts(self) -> list[Cut]:
        return cuts(self._joined)


class DeepShap(DeepLift):
    """DeepLIFT over a background set: means over the references, with their standard errors."""

    def attribute(self, request: Request) -> MethodResult:
        """Scores of each reference, or their means."""
        return super().attribute(request.replace(standard_errors=True))


METHODS = (
    Method(
        "deeplift",
        "difference",
        DeepLift,
        "Differences from references, sent back by rules: Rescale, RevealCancel and mixtures.",
        "Shrikumar 2017, arXiv:1704.02685",
        "N + K + N·K; references of their own: N + 2·N·K",
        complete=True,
    ),
    Method(
        "deepshap",
        "difference",
        DeepShap,
        "DeepLIFT averaged over a background set of references, with standard errors.",
        "Lundberg 2017, arXiv:1705.07874",
        "N + K + N·K; references of their own: N + 2·N·K",
        complete=True,
        aliases=("deep_shap",),
    ),
)
