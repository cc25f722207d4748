"""Whether scores depend on what a network has learnt: its layers are randomised."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from deeplift_engine.evaluate.random_networks import DRAWS, ORDERS, randomised
from deeplift_engine.evaluate.subject import Subject
from deeplift_engine.results.measured import Measured
from deeplift_engine.util.options import Among, Seed, reading
from deeplift_engine.util.rank_statistics import correlation, ranks


@reading
def randomisation(
    subject: Subject,
    *,
    order: Annotated[str, Among(ORDERS)] = "cascading",
    draw: Annotated[str, Among(DRAWS)] = "normal",
    absolute: bool = False,
    seed: Seed = 0,
) -> Measured:
    """Rank correlation of the scores with those of the network with randomised layers.

    A method whose scores hardly change shows the input and not what the network has learnt. The
    network itself stays as it is.

    Parameters
    ----------
    order
        ``"cascading"``: from the output down, each layer on top of those before it.
        ``"independent"``: each layer by itself.
    draw
        ``"normal"``: kernels, embeddings and biases are drawn from a normal distribution of mean
        zero and of the array's own standard deviation, and what normalisations, attention and
        PReLU learn around its own mean. ``"permuted"``: their entries are shuffled. Moving
        averages, which are the data's, stay.
    absolute
        Whether to compare magnitudes.
    seed
        Of the draws; each layer has its own by its name.

    Returns
    -------
    Measured
        The curve over layers. Its value is the last one's for ``"cascading"``, where all are
        randomised, else the mean.

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
    found = np.stack(curve, axis=-1)
    values = found[..., -1] if order == "cascading" else found.mean(axis=-1)
    axis = "layers randomised, from the output" if order == "cascading" else "layer randomised"
    return Measured(subject.unstacked(values), subject.unstacked(found), names, axis)
