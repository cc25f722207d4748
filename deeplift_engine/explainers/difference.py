"""DeepLIFT: differences from references, sent back by rules."""

from __future__ import annotations

import numpy as np

from deeplift_engine.explainer import Explainer
from deeplift_engine.explainers.base import Found, Runner
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.setup import Setup
from deeplift_engine.request import Request
from deeplift_engine.rules import Rules
from deeplift_engine.scoring import Scoring, Spreading


class Differences(Explainer):
    """An explainer that other methods can ask too."""

    def attribute(self, request: Request) -> Found:
        """What `Explainer.run` finds, as other methods give it."""
        scoring = Scoring(self.plan, self.compiled(request.average), request)
        scoring.walk()
        return self.gathered(scoring)

    def gathered(self, scoring: Scoring) -> Found:
        """What a scoring run found."""
        found = scoring.found
        complete = self.plan.complete
        return Found(
            found["scores"],
            found["multipliers"],
            change=found["deltas"][0],
            sums=found["sums"][0] if complete else None,
            sizes=np.maximum(found["sizes"][0], found["levels"][0]) if complete else None,
            predictions=scoring.outputs,
            apart=not scoring.request.average,
        )


def deeplift(setup: Setup, *, rules: Rules = "rescale", max_pooling: str = "exact") -> Differences:
    """Multipliers of differences from references, layer by layer.

    Parameters
    ----------
    rules
        See `deeplift_engine.rules.assign`: ``"rescale"``, ``"reveal_cancel"``,
        ``"genomics_default"`` and others; by layer as a mapping or a list of pairs. Under
        ``"gradient"`` and its kin multipliers are gradients, and scores gradient times
        difference-from-reference.
    max_pooling
        ``"exact"``, or ``"gradient"`` as in the original implementation (not complete unless
        references are constant).
    """
    said = rules if isinstance(rules, str) else str(rules)
    settings = {**setup.settings, "rules": said, "max_pooling": max_pooling}
    return Differences(setup.plan(setup.assigned(rules, max_pooling)), setup.inputs, settings)


class DeepShap(Runner):
    """DeepLIFT over a background set: means over the references, with their standard errors.

    Parameters
    ----------
    rules
        As of ``deeplift``.
    max_pooling
        As of ``deeplift``.
    """

    def __init__(
        self, setup: Setup, *, rules: Rules = "rescale", max_pooling: str = "exact"
    ) -> None:
        super().__init__(setup)
        self.explainer = deeplift(setup, rules=rules, max_pooling=max_pooling)
        self.settings |= self.explainer.settings

    def attribute(self, request: Request) -> Found:
        """Scores of each reference, or their means."""
        if not request.average:
            return self.explainer.attribute(request)
        scoring = Spreading(self.explainer.plan, self.explainer.compiled(False), request)
        scoring.walk()
        found = self.explainer.gathered(scoring)
        found.standard_errors = scoring.standard_errors
        return found


METHODS = (
    Method(
        "deeplift",
        "difference",
        deeplift,
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
