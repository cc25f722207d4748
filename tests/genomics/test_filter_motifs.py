"""Motifs of filters, from the sequences that make them fire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.genomics.motif_matches import read_meme

L = keras.layers
GATA = np.eye(4)[[2, 0, 3, 0]]


@pytest.fixture(scope="module")
def network() -> de.Network:
    """A filter that counts the letters of GATA, one that wants none of them, one that is off."""
    source = keras.Input((20, 4))
    conv = L.Conv1D(3, 4, padding="same", activation="relu", name="motifs")
    x = L.MaxPooling1D(2, name="pool")(conv(source))
    x = L.Conv1D(2, 3, activation="relu", name="upper")(x)
    model = keras.Model(source, L.Dense(1, name="dense")(L.Flatten()(x)))
    kernel = np.stack([GATA, 1 - GATA, np.zeros((4, 4))], axis=-1)
    conv.set_weights([kernel, np.array([-3.0, -3.0, -1.0])])
    return de.convert(model)


def sequences(count: int = 300) -> Any:
    x = np.eye(4)[np.random.default_rng(0).integers(4, size=(count, 20))]
    x[::3, 5:9] = GATA
    return x


def test_sites_are_counted_where_a_filter_fires(network: de.Network, tmp_path: Path) -> None:
    x = sequences()
    motifs = de.genomics.filter_motifs(network, x)
    assert [motif.name for motif in motifs] == ["motifs.filter_0", "motifs.filter_1"]
    gata = motifs[0]
    windows = np.lib.stride_tricks.sliding_window_view(x, 4, axis=1).transpose(0, 1, 3, 2)
    expected = np.argwhere((windows == GATA).all(axis=(2, 3)))
    np.testing.assert_array_equal(
        sorted(zip(gata.row, gata.start, strict=True)), sorted(map(tuple, expected))
    )
    assert set(gata.sequences) == {"GATA"}
    np.testing.assert_array_equal(gata.probabilities, GATA)
    np.testing.assert_array_equal(gata.weights, 2 * GATA)
    np.testing.assert_array_equal(gata.contribution, 1)
    whole, half = (
        de.genomics.filter_motifs(network, x, threshold=threshold)[1] for threshold in (0.99, 0.0)
    )
    assert len(half) >= len(whole)
    assert not (whole.probabilities * GATA).any()
    few = de.genomics.filter_motifs(network, x, most=7)
    assert [len(motif) for motif in few] == [7, 7]
    de.genomics.write_meme(motifs, tmp_path / "filters.meme")
    read = read_meme(tmp_path / "filters.meme")
    np.testing.assert_allclose(read["motifs.filter_0"], GATA)
    with pytest.raises(OutputError):
        de.genomics.write_meme(motifs, tmp_path / "filters.meme")


def test_layers_farther_up_have_sites_of_their_field(network: de.Network) -> None:
    for motif in de.genomics.filter_motifs(network, sequences(), "upper"):
        assert motif.letters.shape[1:] == (9, 4)
        assert (motif.end - motif.start == 9).all()


def test_a_mistake_is_named(network: de.Network) -> None:
    x = sequences(3)
    for arguments, options, message in (
        ((x.transpose(0, 2, 1),), {}, "expected one-hot sequences"),
        ((x, "dense"), {}, "expected positions and channels"),
        ((x,), {"threshold": 1}, "threshold is a finite number"),
    ):
        with pytest.raises(InputError, match=message):
            de.genomics.filter_motifs(network, *arguments, **options)
