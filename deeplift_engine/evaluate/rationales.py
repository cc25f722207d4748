"""Metrics of the features with the largest scores: whether they are needed, and are enough.

Both are means over shares of the features. The averages of DeYoung 2020 also count the empty set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np

from deeplift_engine.evaluate.erasing import ordered_curve
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.options import Number, Several, validates_options

Shares = Annotated[Sequence[float], Several(Number(above=0, most=1))]
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Those of DeYoung 2020."""


@validates_options
def comprehensiveness(subject: Subject, *, shares: Shares = SHARES) -> Measured:
    """The drop of the target when the features of the largest scores are erased.

    Parameters
    ----------
    shares
        Shares of all features; at least one feature is taken for each.

    Returns
    -------
    Measured
        The curve over the shares; its mean is the value.

    Notes
    -----
    DeYoung 2020, arXiv:1911.03429, section 4.
    """
    return _drop(subject, shares, "share of features erased", inserted=False)


@validates_options
def sufficiency(subject: Subject, *, shares: Shares = SHARES) -> Measured:
    """The drop of the target when all features except those of the largest scores are erased.

    Parameters
    ----------
    shares
        Shares of all features; at least one feature is taken for each.

    Returns
    -------
    Measured
        The curve over the shares; its mean is the value.

    Notes
    -----
    DeYoung 2020, arXiv:1911.03429, section 4.
    """
    return _drop(subject, shares, "share of features left", inserted=True)


def _drop(subject: Subject, shares: Sequence[float], axis: str, *, inserted: bool) -> Measured:
    bench = subject.bench
    sizes = np.maximum(1, np.round(np.asarray(shares) * bench.groups.count)).astype(int)
    drops = bench.at_inputs[..., np.newaxis] - ordered_curve(subject, sizes, inserted=inserted)
    values, curve = subject.as_requested(drops.mean(axis=-1)), subject.as_requested(drops)
    return Measured(values, curve, list(shares), axis)
