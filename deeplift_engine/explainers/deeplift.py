"""DeepLIFT: differences from references, sent back by rules."""

from __future__ import annotations

from deeplift_engine.engine.assemble import Found
from deeplift_engine.engine.compiled import Compiled
from deeplift_engine.engine.request import Request
from deeplift_engine.engine.scoring import Scoring, Spreading
from deeplift_engine.engine.setup import Setup
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.method import Method
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
        ``"exact"``, or ``"gradient"`` as in the original implementation (not complete unless
        references are constant).
    """

    averages = True

    def __init__(
        self, setup: Setup, *, rules: Rules = "rescale", max_pooling: str = "exact"
    ) -> None:
        super().__init__(setup)
        self.plan = setup.plan(setup.assigned(rules, max_pooling))
        self._compiled: dict[bool, Compiled] = {}

    def compiled(self, averaged: bool) -> Compiled:
        """The two walks, with or without the mean over references."""
        if averaged not in self._compiled:
            also = (*self.plan.graph.outputs, self.plan.target)
            self._compiled[averaged] = Compiled(self.plan, also, averaged)
        return self._compiled[averaged]

    def attribute(self, request: Request) -> Found:
        """Scores of each reference, or their means; with standard errors where they are asked."""
        spread = request.average and request.standard_errors and request.count > 1
        compiled = self.compiled(request.average and not spread)
        return (Spreading if spread else Scoring)(self.plan, compiled, request).run()


class DeepShap(DeepLift):
    """DeepLIFT over a background set: means over the references, with their standard errors."""

    def attribute(self, request: Request) -> Found:
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
