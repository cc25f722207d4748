"""What others must know of a method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deeplift_engine.engine.convergence import ADVICE


@dataclass(frozen=True)
class Traits:
    """The behaviour of a method, as far as others must know it.

    Attributes
    ----------
    attributes_of
        The quantity that scores are shares of: the ``"difference"`` from the reference or the
        ``"input"``; ``"unit"`` where they are per unit of the input, None where nothing of these.
    attributes_layer_outputs
        Whether the method works on the outputs of the attribution points as if they were inputs (a
        path between two activations, an embedding that is perturbed).
    holds_masks
        Whether masks that inputs make beside the attribution points stay as a sample makes them,
        where the method works on the outputs of the points.
    uses_references
        Whether references mean anything to the method.
    default_references
        The references of each input where a run does not say; None is the default of
        `deeplift_engine.references.resolve`.
    supports_per_reference
        Whether scores of each of several references can be given.
    has_reference_errors
        Whether scores are means over references whose standard errors are known: only then can
        these be asked for, and references be added until they are small.
    elementwise_scores
        Whether each element of an attribution point has a score; not of maps.
    depends_on_batch
        Whether a sample's scores depend on the other samples of the run.
    accepts_noise
        Whether inputs may be moved a little; not where they must be letters.
    weighs_pairs
        Whether the method itself takes weights of the target's units that differ from reference to
        reference; others are run pair by pair.
    scores_reference_targets
        Whether results hold the target on each reference, so that one that is not finite is met.
    advice
        A sentence for the user where sums miss.
    """

    attributes_of: str | None = "difference"
    attributes_layer_outputs: bool = False
    holds_masks: bool = False
    uses_references: bool = True
    default_references: Any = None
    supports_per_reference: bool = True
    has_reference_errors: bool = False
    elementwise_scores: bool = True
    depends_on_batch: bool = False
    accepts_noise: bool = True
    weighs_pairs: bool = False
    scores_reference_targets: bool = False
    advice: str = ADVICE
