"""References that inputs are compared with: constants, data sets, functions, shuffles.

A contribution is always relative to a reference, so this choice decides what the scores mean.
`resolve` turns whatever a user passes for one input into a `References`, from which the explainer
takes arrays, batch by batch. `KINDS` is the table of all kinds.
"""

from collections.abc import Mapping
from types import MappingProxyType

from deeplift_engine.references.fixed import (
    background,
    blur,
    constant,
    function,
    mean,
    per_channel,
    per_sample,
    replaced,
    shared,
    unchanged,
    zeros,
)
from deeplift_engine.references.random_draws import (
    dinucleotide_shuffle,
    drawn,
    gc_matched,
    kmer_shuffle,
    shuffle,
)
from deeplift_engine.references.reference_kind import Form, ReferenceKind
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

_ROWS = (
    ReferenceKind(zeros),
    ReferenceKind(constant, {"value": Form.NUMBER}),
    ReferenceKind(unchanged),
    ReferenceKind(background, {"frequencies": Form.NUMBERS}),
    ReferenceKind(per_channel, {"values": Form.NUMBERS}),
    ReferenceKind(shuffle, {"count": Form.COUNT}),
    ReferenceKind(dinucleotide_shuffle, {"count": Form.COUNT}),
    ReferenceKind(kmer_shuffle, {"k": Form.INTEGER, "count": Form.COUNT}),
    ReferenceKind(gc_matched, {"count": Form.COUNT}),
    ReferenceKind(mean, {"array": Form.FILE}),
    ReferenceKind(drawn, {"count": Form.COUNT, "array": Form.FILE}),
    ReferenceKind(shared, {"array": Form.FILE}),
    ReferenceKind(per_sample, {"array": Form.FILE}),
    ReferenceKind(blur, {"sigma": Form.NUMBERS}),
    ReferenceKind(replaced, {"by": Form.INTEGERS, "keep": Form.INTEGERS}),
    ReferenceKind(function, None),
    ReferenceKind(combined, None),
)

KINDS: Mapping[str, ReferenceKind] = MappingProxyType({kind.name: kind for kind in _ROWS})
"""Kinds of references by name."""

__all__ = [
    "KINDS",
    "PendingReferences",
    "ReferenceKind",
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
    "mean",
    "per_channel",
    "per_sample",
    "repeated_fraction",
    "replaced",
    "resolve",
    "shared",
    "shuffle",
    "unchanged",
    "warn_if_degenerate",
    "zeros",
]
