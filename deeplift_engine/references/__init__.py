"""What inputs are compared with: constants, data sets, arrays of one's own, functions, shuffles.

A contribution is always relative to a reference, so this choice decides what the scores mean.
`resolve` turns whatever a user passes for one input into a `References`; the explainer asks
that for arrays, batch by batch, and knows no other form.
"""

from deeplift_engine.references.fixed import (
    background,
    blur,
    constant,
    function,
    per_sample,
    replaced,
    shared,
    zeros,
)
from deeplift_engine.references.random_draws import (
    dinucleotide_shuffle,
    drawn,
    gc_matched,
    kmer_shuffle,
    shuffle,
)
from deeplift_engine.references.reference_set import (
    PendingReferences,
    References,
    degenerate_fraction,
    repeated_fraction,
    warn_if_degenerate,
)
from deeplift_engine.references.resolution import (
    ReferencesLike,
    combined,
    resolve,
)

__all__ = [
    "PendingReferences",
    "References",
    "ReferencesLike",
    "background",
    "blur",
    "combined",
    "constant",
    "degenerate_fraction",
    "dinucleotide_shuffle",
    "drawn",
    "function",
    "gc_matched",
    "kmer_shuffle",
    "per_sample",
    "repeated_fraction",
    "replaced",
    "resolve",
    "shared",
    "shuffle",
    "warn_if_degenerate",
    "zeros",
]
