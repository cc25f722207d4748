"""Contributions of both alleles of variants, against the same references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.genomics.variants.allele_inputs import AlleleInputs
from deeplift_engine.network import Network
from deeplift_engine.references import dinucleotide_shuffle, per_sample, resolution
from deeplift_engine.references.reference_set import References
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.util.typing import Array


class AlleleContributions:
    """Hypothetical contributions of windows with REF and with ALT, by head.

    Both alleles of a variant are compared with the references of its REF window, so that the sums
    of their contributions differ by what the variant changes in the target. They are means over
    the networks, and over both strands where the scorer's predictions are.

    Parameters
    ----------
    networks
        The networks.
    inputs
        How they take sequences.
    target
        What is explained, as for `Network.explainer`; a mapping explains several heads.
    references
        Of the sequence, as for `Explainer.run`; by default 20 dinucleotide shuffles.
    both_strands
        Whether to average over both strands.
    batch_size
        Pairs that are computed together.
    **options
        Of DeepLIFT, such as ``rules``.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        inputs: AlleleInputs,
        *,
        target: Any,
        references: Any = None,
        both_strands: bool = True,
        batch_size: int | None = None,
        **options: Any,
    ) -> None:
        self.inputs, self.both_strands, self.batch_size = inputs, both_strands, batch_size
        self.target = target
        self.references = dinucleotide_shuffle(20) if references is None else references
        self.explainers: list[Explainer] = [
            network.explainer("deeplift", target=target, **options) for network in networks
        ]
        self.heads: tuple[str, ...] = tuple(target) if isinstance(target, Mapping) else ("",)
        self.dtypes = [network.dtype for network in networks]

    def description(self, ref: Array) -> dict[str, Any]:
        """What is computed, in words and plain values, from windows with REF (n, L, C)."""
        settings = self.explainers[0].origin.settings
        return {
            **{name: settings[name] for name in ("target_layer", "options") if name in settings},
            "units": repr(self.target),
            "references": self._resolved(self.inputs.arranged(ref)).name,
        }

    def hypothetical(self, one_hot: Array) -> dict[str, Array]:
        """Hypothetical contributions (2n, L, C) by head of windows: REF of all, then ALT."""
        drawn = self._references(one_hot[: len(one_hot) // 2])
        strands = [(one_hot, drawn, False)]
        if self.both_strands:
            mirrored = self.inputs.mirrored
            strands.append((mirrored(one_hot), mirrored(drawn), True))
        results = [
            {
                head: self.inputs.mirrored(values) if back else values
                for head, values in self._of_strand(explainer, windows, references).items()
            }
            for explainer in self.explainers
            for windows, references, back in strands
        ]
        return {head: np.mean([each[head] for each in results], axis=0) for head in self.heads}

    def _references(self, ref: Array) -> Array:
        """References (n, K, L, C) of windows with REF."""
        arranged = self.inputs.arranged(ref).astype(self.dtypes[0])
        resolved = self._resolved(arranged)
        if resolved.tolerance is not None:
            raise InputError(
                'references of "auto" have a number for each window, and both alleles need the '
                "same: say how many"
            )
        shared = resolved.shared
        made = resolved.make(arranged[:0] if shared else arranged, np.arange(len(ref)))
        rows = self.inputs.rows(made.reshape(-1, *arranged.shape[1:]))
        rows = rows.reshape(*made.shape[: made.ndim - arranged.ndim + 1], *rows.shape[1:])
        return np.broadcast_to(rows, (len(ref), *rows.shape)) if shared else rows

    def _resolved(self, arranged: Array) -> References:
        """The references of windows with REF, with the axes of the input."""
        return resolution.resolve(
            self.references, arranged.shape[1:], len(arranged), self.dtypes[0], arranged[0]
        )

    def _of_strand(
        self, explainer: Explainer, windows: Array, references: Array
    ) -> dict[str, Array]:
        both = self.inputs.arranged(np.concatenate([references, references]))
        result = explainer.run(
            self.inputs.batch(windows),
            references={self.inputs.name: per_sample(both)},
            batch_size=self.batch_size,
            progress=False,
        )
        return {head: self._rows(one) for head, one in (result.heads or {"": result}).items()}

    def _rows(self, result: Attribution) -> Array:
        """Hypothetical contributions (2n, L, C) of one head."""
        if result.axes != ("sample",):
            raise InputError(
                "contributions of variants are of one target a head: name the others as heads, "
                "target={'one': 'LAYER:0', 'other': 'LAYER:1'}"
            )
        axis = self.inputs.letter_axis
        single = len(self.inputs.inputs) == 1
        values = result.hypothetical_contributions(axis if single else {self.inputs.name: axis})
        array = values[self.inputs.name] if isinstance(values, Mapping) else values
        return self.inputs.rows(array)


__all__ = ["AlleleContributions"]
