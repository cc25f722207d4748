"""Metrics that show the network the input through the map of its scores.

Scores are brought to 0 to 1 within each sample, and are the shares of the features that stay; the
rest is that of the references. Which features have one share is what ``groups`` of the bench says:
``"positions"`` for maps of images.
"""

from __future__ import annotations

import numpy as np

from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.typing import Array


def average_drop(subject: Subject) -> Measured:
    """What of the target is lost through the map, as a share of it; 0 where it rises.

    NaN where the target is 0 or less: it is made for probabilities, ``target_layer="output"``.

    Notes
    -----
    Chattopadhyay 2018, arXiv:1710.11063.
    """
    before = subject.bench.at_inputs
    return _measured(subject, np.maximum(before - subject.at_maps, 0), before)


def average_gain(subject: Subject) -> Measured:
    """What the target rises through the map, as a share of what it could; 0 where it falls.

    NaN where the target is 1 or more: it is made for probabilities, ``target_layer="output"``.

    Notes
    -----
    Zhang 2024, arXiv:2301.07002.
    """
    before = subject.bench.at_inputs
    return _measured(subject, np.maximum(subject.at_maps - before, 0), 1 - before)


def average_increase(subject: Subject) -> Measured:
    """Whether the target is larger through the map: 1, else 0.

    Notes
    -----
    Chattopadhyay 2018, arXiv:1710.11063.
    """
    return Measured(subject.as_requested((subject.at_maps > subject.bench.at_inputs).astype(float)))


def _measured(subject: Subject, change: Array, by: Array) -> Measured:
    change, unknown = change.astype(float), np.full(change.shape, np.nan)
    return Measured(subject.as_requested(np.divide(change, by, out=unknown, where=by > 0)))
