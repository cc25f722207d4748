"""Attributes of explainers that have other names now."""

from __future__ import annotations

FORMER_NAMES = {
    "compares": "traits.uses_references",
    "default_references": "traits.default_references",
    "keeps_apart": "traits.supports_per_reference",
    "per": "traits.attributes_of",
    "of_elements": "traits.elementwise_scores",
    "of_the_set": "traits.depends_on_batch",
    "moves": "traits.accepts_noise",
    "entered": "traits.attributes_layer_outputs",
    "averages": "traits.has_reference_errors",
    "advice": "traits.advice",
    "setup": "task",
}
"""Attributes of an explainer under the names that they had, for one release."""

__all__ = ["FORMER_NAMES"]
