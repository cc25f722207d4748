"""Twelve-lead electrocardiograms of a dipole that turns, healthy or with an inferior infarction.

A heart is one dipole in millivolts along the axes left, foot and front; a lead sees what points
its way. The six limb leads see left and foot alone, and III is II minus I, so that what any two
of them show the other four repeat; the chest leads see left and front. Each beat has waves P, Q,
R, S and T.

An infarction of the inferior wall lifts the dipole towards the foot between S and T: the ST
segment rises in II, III and aVF, sinks in aVR and aVL, and stays in I and in the chest leads. In
half of all recordings, of both kinds, the same wave lies along the front axis, as it does in
healthy young men: it rises in the chest leads, and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 100.0
"""Steps a second (Hz)."""
STEPS = 200
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LIMBS = np.array(
    [(1, 0), (0.5, 0.87), (-0.5, 0.87), (-0.75, -0.435), (0.75, -0.435), (0, 0.87)], float
)
"""What the limb leads see of left and foot."""
CHEST = np.deg2rad([115, 94, 70, 50, 22, 0])
"""Where the chest leads are, from the left to the front."""
WAVES = {
    "P": (-0.17, 0.022, (0.08, 0.12, 0.02)),
    "Q": (-0.035, 0.010, (-0.12, 0.02, 0.15)),
    "R": (0.0, 0.014, (0.90, 0.80, -0.25)),
    "S": (0.038, 0.013, (-0.20, -0.20, -0.50)),
    "T": (0.27, 0.050, (0.25, 0.25, 0.18)),
}
"""Seconds from R, width in seconds, and dipole in mV."""
ST = (0.14, 0.055)
"""Of the segment between S and T."""


@dataclass(frozen=True)
class Recordings:
    """Simulated recordings.

    Attributes
    ----------
    x
        (N, T, 12), mV.
    has_infarction
        (N,) of 0 and 1.
    plant
        What the infarction adds to each, (N, T, 12), mV.
    decoy
        What the harmless wave adds, likewise.
    """

    x: np.ndarray
    has_infarction: np.ndarray
    plant: np.ndarray
    decoy: np.ndarray


def seen() -> np.ndarray:
    """What the leads see of left, foot and front, (3, 12)."""
    limbs = np.column_stack([LIMBS, np.zeros(6)])
    chest = np.column_stack([np.cos(CHEST), np.zeros(6), np.sin(CHEST)])
    return np.concatenate([limbs, chest]).T


def simulate(count: int, seed: int) -> Recordings:
    """Some recordings of two seconds, half of them with an infarction."""
    random = np.random.default_rng(seed)
    time = np.arange(STEPS) / RATE
    has_infarction = random.permutation(np.arange(count) % 2)
    has_decoy = random.permutation(np.arange(count) % 4 < 2)
    interval = random.uniform(0.6, 1.1, size=(count, 1))
    first = random.uniform(-0.3, 0.3, size=(count, 1))
    beats = first + interval * np.arange(5)  # (N, beats)
    since = time - beats[..., np.newaxis]  # (N, beats, T)
    dipole = np.zeros((count, STEPS, 3))
    for centre, width, direction in WAVES.values():
        shape = np.exp(-(((since - centre) / width) ** 2) / 2).sum(axis=1)
        own = np.array(direction) * random.lognormal(0, 0.2, size=(count, 1))
        own = own + 0.15 * np.linalg.norm(direction) * random.normal(size=(count, 3))
        dipole += shape[..., np.newaxis] * own[:, np.newaxis]
    segment = np.exp(-(((since - ST[0]) / ST[1]) ** 4)).sum(axis=1)
    sizes = random.uniform(0.06, 0.2, size=(2, count, 1))
    foot, front = (
        (segment * size * there[:, np.newaxis])[..., np.newaxis] * seen()[axis]
        for size, there, axis in zip(sizes, (has_infarction, has_decoy), (1, 2), strict=True)
    )
    wander = 0.05 * np.sin(
        2 * np.pi * random.uniform(0.2, 0.4, size=(count, 1, 12)) * time[:, np.newaxis]
        + random.uniform(0, 2 * np.pi, size=(count, 1, 12))
    )
    noise = random.normal(scale=0.03, size=(count, STEPS, 12))
    x = dipole @ seen() + foot + front + wander + noise
    return Recordings(
        x.astype(np.float32), has_infarction, foot.astype(np.float32), front.astype(np.float32)
    )
