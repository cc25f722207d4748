"""A metric that randomises layers, to see whether scores depend on what they have learnt."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from deeplift_engine.evaluate.random_networks import DRAWS, ORDERS, randomised
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.options import Among, Seed, validates_options
from deeplift_engine.util.rank_statistics import correlation, ranks


@validates_options
def randomisation(
    subject: Subject,
    *,
    order: Annotated[str, Among(ORDERS)] = "cascading",
    draw: Annotated[str, Among(DRAWS)] = "normal",
    absolute: bool = False,
    seed: Seed = 0,
) -> Measured:
    """Rank correlation of the scores with those of the network with randomised layers.

    Scores that hardly change show the input and not what the network has learnt. The network itself
    does not change.

    Parameters
    ----------
    order
        ``"cascading"``: from the output down, each layer on top of those before it.
        ``"independent"``: each layer by itself.
    draw
        ``"normal"``: kernels, embeddings and biases are drawn from a normal distribution of mean
        zero and of the array's own standard deviation; the factors of normalisations, attention
        and PReLU around their own mean. ``"permuted"``: entries are shuffled. Moving averages
        depend on the data alone and do not change.
    absolute
        Whether to compare magnitudes.
    seed
        Seed of the draws; each layer has draws of its own, by its name.

    Returns
    -------
    Measured
        The curve over layers. The value is its last point for ``"cascading"``, with all layers
        randomised, else its mean.

    Notes
    -----
    Adebayo 2018, arXiv:1810.03292, section 3.
    """
    bench = subject.bench
    size = np.abs if absolute else np.asarray
    before = ranks(size(subject.sums))
    names, curve = [], []
    networks = bench.once(
        ("randomised", order, draw, seed),
        lambda: list(randomised(bench.network, order, draw, seed)),
    )
    for name, network in networks:
        sums = bench.groups.gathered(subject.elsewhere(network))
        names.append(name)
        curve.append(correlation(before, ranks(size(sums))))
    curves = np.stack(curve, axis=-1)
    values = curves[..., -1] if order == "cascading" else curves.mean(axis=-1)
    axis = "layers randomised, from the output" if order == "cascading" else "layer randomised"
    return Measured(subject.as_requested(values), subject.as_requested(curves), names, axis)
