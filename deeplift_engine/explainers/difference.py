"""DeepLIFT: differences from references, sent back by rules."""

from __future__ import annotations

from deeplift_engine.explainer import Explainer
from deeplift_engine.explainers.method import Method
from deeplift_engine.explainers.setup import Setup
from deeplift_engine.rules import Rules


def deeplift(setup: Setup, *, rules: Rules = "rescale", max_pooling: str = "exact") -> Explainer:
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
    return Explainer(setup.plan(setup.assigned(rules, max_pooling)), setup.inputs, settings)


METHODS = (
    Method(
        "deeplift",
        "difference",
        deeplift,
        "Differences from references, sent back by rules: Rescale, RevealCancel and mixtures.",
        "Shrikumar 2017, arXiv:1704.02685",
        "N + 2·N·K",
        complete=True,
    ),
)
