"""By how much results depend on the processor: its instructions, threads, and oneDNN.

    python -m benchmarks.processors

scores the same inputs in a process for each setting, and prints a Markdown table of the largest
differences from the first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.architectures import DILATED, build_keras, make_weights
from benchmarks.process import CHECKOUT

NARROW = {"ONEDNN_MAX_CPU_ISA": "AVX2", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"}
SETTINGS: dict[str, dict[str, str]] = {
    "1 thread": {"TF_NUM_INTRAOP_THREADS": "1"},
    "2 threads": {"TF_NUM_INTRAOP_THREADS": "2"},
    "8 threads": {"TF_NUM_INTRAOP_THREADS": "8"},
    "no AVX-512": NARROW,
    "no oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
}
"""Environments; oneDNN is on in the others, as on any processor with AVX-512."""
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "deeplift, rescale": ("deeplift", {}),
    "deeplift, genomics default": ("deeplift", {"rules": "genomics_default"}),
    "lrp_epsilon": ("lrp_epsilon", {}),
}
DTYPES = ("float32", "float64")
EXAMPLE = CHECKOUT / "examples" / "genomics"
LENGTH, SAMPLES, REFERENCES = 80, 4, 4
"""Sequences of the dilated network are shorter than in the benchmarks."""


def results(path: Path) -> None:
    """Write scores and predictions of all networks by all methods to an npz file."""
    import deeplift_engine as de

    sequences = np.load(EXAMPLE / "sequences.npz")["sequences"][:SAMPLES]
    bases = sequences.view("S1").reshape(SAMPLES, -1, 1)
    letters = (bases == np.array([b"A", b"C", b"G", b"T"])).astype("float32")
    arrays: dict[str, Any] = {}
    for dtype in DTYPES:
        networks = {"the example": (de.load(EXAMPLE / "model.h5", dtype=dtype), letters)}
        short = DILATED.shortened(LENGTH)
        model = build_keras(short, make_weights(short, 0))
        networks[short.title] = de.convert(model, dtype=dtype), letters[:, :LENGTH]
        for title, (network, x) in networks.items():
            arrays[f"{dtype}|predict|{title}"] = network.predict(x)
            for label, (method, options) in METHODS.items():
                explainer = network.explainer(method, **options)
                references: dict[str, Any] = {}
                if explainer.traits.uses_references:
                    references["references"] = de.references.shuffle(REFERENCES)
                scores = explainer.run(x, target=0, progress=False, **references).scores
                arrays[f"{dtype}|{label}|{title}"] = scores
    np.savez(path, **arrays)


def measured(environment: Mapping[str, str], path: Path) -> dict[str, Any]:
    """The arrays of `results` in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "benchmarks.processors", str(path)],
        env={**os.environ, **environment},
        cwd=CHECKOUT,
        check=True,
    )
    with np.load(path) as file:
        return dict(file)


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, float]:
    """Of each dtype and method: the largest difference as a share of the largest value."""
    largest: dict[str, float] = {}
    for name, array in expected.items():
        key = name.rsplit("|", 1)[0]
        share = float(np.max(np.abs(found[name] - array)) / np.max(np.abs(array)))
        largest[key] = max(largest.get(key, 0.0), share)
    return largest


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """A Markdown table: a line for each setting and dtype, a column for each method."""
    heads = ["predict", *METHODS]
    lines = [
        f"| setting | numbers | {' | '.join(heads)} |",
        f"| {' | '.join(['---'] * (len(heads) + 2))} |",
    ]
    for setting, row in rows.items():
        for dtype in DTYPES:
            shares = [row[f"{dtype}|{head}"] for head in heads]
            cells = [f"{share:.0e}" if share else "0" for share in shares]
            lines.append(f"| {setting} | {dtype} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the table; with a path, write the results of this process there."""
    if arguments:
        results(Path(arguments[0]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        arrays = {
            setting: measured(environment, Path(folder) / f"{number}.npz")
            for number, (setting, environment) in enumerate(SETTINGS.items())
        }
    base, *others = arrays
    print(table({each: differences(arrays[each], arrays[base]) for each in others}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
