"""CKA and SVCCA as their papers define them, and what they must give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import deeplift_engine as de
from deeplift_engine.errors import InputError
from deeplift_engine.evaluate import layer_similarity
from deeplift_engine.evaluate.similarity import MEASURES, Spectrum

L = keras.layers
SAMPLES = 60


@pytest.fixture(scope="module")
def network() -> de.Network:
    keras.utils.set_random_seed(0)
    layers = [L.Conv1D(3, 3, activation="relu", name="conv"), L.Flatten(name="flat")]
    head = [L.Dense(5, activation="tanh", name="hidden"), L.Dense(2, activation="softmax")]
    return de.convert(keras.Sequential([keras.Input((6, 2)), *layers, *head]), dtype="float64")


def x() -> Any:
    return np.random.default_rng(0).normal(size=(SAMPLES, 6, 2))


def test_layers_are_themselves_whatever_the_measure(network: de.Network, tmp_path: Path) -> None:
    for measure in MEASURES:
        found = layer_similarity(network, x(), measure=measure, share=1.0)
        assert found.rows == found.columns
        assert {"conv", "flat", "hidden"} < set(found.rows)
        np.testing.assert_allclose(np.diag(found.values), 1)
        np.testing.assert_allclose(found.values, found.values.T, atol=1e-12)
        assert found.values.max() < 1 + 1e-9
        conv, flat = (found.rows.index(name) for name in ("conv", "flat"))
        assert found.values[conv, flat] == pytest.approx(1)
    found.save(tmp_path / "layers.csv")
    assert (tmp_path / "layers.csv").read_text().splitlines()[0] == "layer," + ",".join(found.rows)
    assert "hidden" in repr(found)
    other = layer_similarity(network, x(), "hidden", network, ["conv", "hidden"])
    assert (other.rows, other.columns) == (("hidden",), ("conv", "hidden"))
    assert other.figure().axes[0].get_xlabel() == "layer"


def centred(array: Any) -> Any:
    return array - array.mean(0)


def test_the_definitions_of_the_papers(network: de.Network) -> None:
    draw = np.random.default_rng(1)
    one, two = draw.normal(size=(SAMPLES, 4)), draw.normal(size=(SAMPLES, 7))
    two[:, :2] += 2 * one[:, :2]
    a, b = centred(one), centred(two)
    found = {
        name: compute(Spectrum.of(one), Spectrum.of(two), 0.9) for name, compute in MEASURES.items()
    }
    norm = np.linalg.norm
    assert found["cka"] == pytest.approx(norm(a.T @ b) ** 2 / (norm(a.T @ a) * norm(b.T @ b)))
    subspaces = []
    for features in (a, b):
        vectors, sizes, _ = np.linalg.svd(features, full_matrices=False)
        variance = np.cumsum(sizes**2) / np.sum(sizes**2)
        subspaces.append(vectors[:, : 1 + int(np.argmax(variance >= 0.9))])
    correlations = _canonical(*subspaces)
    assert found["svcca"] == pytest.approx(correlations.mean())

    def hsic(k: Any, m: Any) -> float:
        """Song 2012, equation 5, summed as it stands there."""
        n, ones = len(k), np.ones(len(k))
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        total = np.trace(k @ m) + ones @ k @ ones * (ones @ m @ ones) / ((n - 1) * (n - 2))
        return float((total - 2 / (n - 2) * ones @ k @ m @ ones) / (n * (n - 3)))

    k, m = a @ a.T, b @ b.T
    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert found["unbiased_cka"] == pytest.approx(expected)


def _canonical(one: Any, two: Any) -> Any:
    """Canonical correlations, as roots of eigenvalues of the products of covariances."""
    inverse = np.linalg.inv
    product = inverse(one.T @ one) @ one.T @ two @ inverse(two.T @ two) @ two.T @ one
    values = np.sort(np.linalg.eigvals(product).real)[::-1]
    return np.sqrt(values[: min(one.shape[1], two.shape[1])])


def test_rotations_scales_and_independence() -> None:
    draw = np.random.default_rng(2)
    one = draw.normal(size=(400, 5)) * [3, 1, 1, 1, 0.5]
    rotated = 0.1 * one @ np.linalg.qr(draw.normal(size=(5, 5)))[0] + 7
    other = draw.normal(size=(400, 5))
    for name, compute in MEASURES.items():
        assert compute(Spectrum.of(one), Spectrum.of(rotated), 1.0) == pytest.approx(1), name
        assert compute(Spectrum.of(one), Spectrum.of(other), 1.0) < 0.2, name
    noise = [[Spectrum.of(draw.normal(size=(8, 200))) for _ in range(2)] for _ in range(40)]
    plain, unbiased = (
        np.mean([MEASURES[name](*pair, 1.0) for pair in noise]) for name in ("cka", "unbiased_cka")
    )
    assert plain > 0.8  # noise has much in common with noise
    assert abs(unbiased) < 0.1


def test_what_cannot_be_measured_is_told(network: de.Network) -> None:
    with pytest.raises(InputError, match="no measure 'CKAA'"):
        layer_similarity(network, x(), measure="CKAA")
    with pytest.raises(InputError, match="3 samples"):
        layer_similarity(network, x()[:3])
    with pytest.warns(UserWarning, match="canonical correlations come out too large"):
        layer_similarity(network, x()[:10], "conv", measure="svcca")
    same = layer_similarity(network, np.zeros((5, 6, 2)), ["hidden"])
    assert np.isnan(same.values).all()
