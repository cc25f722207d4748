"""What is computed of both alleles of variants: effects on outputs, and contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deeplift_engine.genomics.variants.allele_contributions import AlleleContributions
from deeplift_engine.genomics.variants.variant import Sequences, Variant
from deeplift_engine.genomics.variants.variant_scoring import VariantScorer
from deeplift_engine.network import Network
from deeplift_engine.util.typing import Array


@dataclass(frozen=True)
class AlleleScores:
    """Of n variants that are scored.

    Attributes
    ----------
    variants
        The variants.
    effects
        Columns (n,) by name.
    one_hot
        The windows (2n, L, C): those with REF of all, then those with ALT; None where they are not
        known.
    hypothetical
        Their hypothetical contributions by head, of the same shape.
    """

    variants: Sequence[Variant] = ()
    effects: Mapping[str, Array] = field(default_factory=dict)
    one_hot: Array | None = None
    hypothetical: Mapping[str, Array] = field(default_factory=dict)


class AlleleScorer:
    """Effects of variants and, with a target, contributions of both alleles.

    Parameters
    ----------
    networks, genome, **scoring
        As for `VariantScorer`.
    target, references, options
        Of contributions, as for `AlleleContributions`; there are none without a target.
    """

    def __init__(
        self,
        networks: Network | Sequence[Network],
        genome: Sequences,
        *,
        target: Any = None,
        references: Any = None,
        options: Mapping[str, Any] | None = None,
        **scoring: Any,
    ) -> None:
        self.effects = VariantScorer(networks, genome, **scoring)
        self.contributions = None
        if target is not None:
            self.contributions = AlleleContributions(
                self.effects.networks,
                self.effects.inputs,
                target=target,
                references=references,
                both_strands=self.effects.both_strands,
                batch_size=self.effects.batch_size,
                **dict(options or {}),
            )

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads of contributions, ``""`` of one without; none without a target."""
        return self.contributions.heads if self.contributions is not None else ()

    @property
    def window(self) -> tuple[int, int]:
        """L and C of the windows."""
        return self.effects.length, len(self.effects.inputs.letters)

    @property
    def description(self) -> dict[str, Any]:
        """What is computed, in words and plain values."""
        if self.contributions is None:
            return self.effects.description
        window = self.effects.inputs.encoded(["A" * self.effects.length])
        return {
            **self.effects.description,
            "contributions": self.contributions.description(window),
        }

    def score(self, variants: Sequence[Variant]) -> AlleleScores:
        """What is computed of those of some variants that have no reason to be skipped."""
        scored = [variant for variant in variants if variant.reason is None]
        if not scored:
            return AlleleScores()
        one_hot = self.effects.one_hot(scored)
        effects = self.effects.effects(scored, one_hot)
        if self.contributions is None:
            return AlleleScores(scored, effects, one_hot)
        return AlleleScores(scored, effects, one_hot, self.contributions.hypothetical(one_hot))


__all__ = ["AlleleScorer", "AlleleScores"]
