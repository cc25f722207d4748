"""The windows of both alleles of a variant, and which of their positions hold the same base."""

from __future__ import annotations

import numpy as np

from deeplift_engine.genomics.variants.variant import Sequences, Variant, span
from deeplift_engine.util.typing import Array


def windows(variant: Variant, genome: Sequences, length: int) -> tuple[str, str]:
    """The windows with REF and with ALT, upper case.

    The first letter of both alleles is at ``length // 2``. What is left of it is the same in both;
    behind each allele the genome goes on from the end of REF until the window is full. So of an
    insertion the last letters of REF's window are missing in ALT's, and a deletion's ends with
    letters of the genome that REF's does not reach.
    """
    first, end = span(variant.start, variant.ref, variant.alt, length)
    letters = genome.fetch(variant.record.chrom, first, end).upper()
    before = length // 2
    alternative = letters[:before] + variant.alt + letters[before + len(variant.ref) :]
    return letters[:length], alternative[:length]


def aligned(length: int, start: int, ref: int, alt: int) -> tuple[Array, Array]:
    """Positions of REF's window and of ALT's that belong together.

    Those are all left of the variant, the alleles letter by letter as far as both go, and what is
    behind them in both windows.

    Parameters
    ----------
    length
        Of both windows.
    start
        Position of the first letter of the alleles.
    ref, alt
        Lengths of the alleles.

    Returns
    -------
    two arrays
        (P,) positions in the one and in the other; all where the alleles are of one length.
    """
    shared = np.arange(min(length, start + min(ref, alt)))
    behind = np.arange(max(0, length - start - max(ref, alt)))
    return (
        np.concatenate([shared, start + ref + behind]),
        np.concatenate([shared, start + alt + behind]),
    )


__all__ = ["aligned", "windows"]
