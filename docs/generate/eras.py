"""The page docs/ERAS.md: what versions of Keras computed otherwise, and what was tried of each.

    python -m docs.generate.eras docs/ERAS.md

writes it from the reader's table of changes and from the models that the versions saved; a test
fails where it is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deeplift_conversion.eras.changes import CHANGES, Change, Period
from docs.generate.pages import table, write

COMMAND = "python -m docs.generate.eras docs/ERAS.md"
MODELS = Path(__file__).parents[2] / "tests/conversion/eras/saved/index.json"

INTRODUCTION = f"""# Eras of Keras

Written by `{COMMAND}` from the reader's table of changes
(`deeplift_conversion.eras.changes`) and from the models in `tests/conversion/eras`; do not edit it
by hand.

A saved model is computed as the version that saved it did, not as today's Keras would: the file
says its version, and what changed since is one row here. HDF5 of Keras 2 and 3 also says its
backend. What no file says, the caller can:

- `backend="theano"` (or `"torch"`, `"jax"` ...) in `load` and `coverage`, `--backend` on the
  command line: for HDF5 of Keras 1 and for `.keras`, which do not say what a model was trained on.
  `theano_kernels=True` is the same as `backend="theano"`. A border mode `"full"` is Theano's alone,
  and tells it by itself.
- `data_format="channels_first"` or `"channels_last"`, `--data-format`: for UpSampling, ZeroPadding
  and Cropping in 2-D and 3-D of Keras 1, which saves no order of axes for them. The nearest layers
  that say one decide; where none does, an input with fewer channels than rows and columns, with a
  warning in the log; else the model is refused with this question.
- TensorFlow 2.1 and 2.2 both save the version "2.3.0-tf". The names of a recurrent layer's arrays
  tell them apart.
"""
CHANGED = """
## What was computed otherwise

Than by Keras 3 on TensorFlow. Besides these, words, layouts of arrays and defaults changed, which
the reader brings to one form.
"""
TRIED = """
## What was tried

Models of one or two layers, saved by each version, with random weights and inputs: how many, by
layer and aspect. Behind a slash: how many of them gave something else in that version than in the
last one that can make them, on TensorFlow if it can. `tests/conversion/eras/test_eras.py` compares
the forward pass of each.
"""


def page() -> str:
    """The whole page."""
    rows = [(", ".join(change.layers), times(change), change.summary) for change in CHANGES]
    parts = [
        INTRODUCTION,
        CHANGED,
        table(("layers", "where", "what it does"), rows),
        TRIED,
    ]
    index = json.loads(MODELS.read_text(encoding="utf-8"))
    for title, versions in groups(index["versions"]).items():
        if versions:
            parts += [f"\n### {title}\n", matrix(index["models"], versions)]
    return "\n".join(parts) + "\n"


def times(change: Change) -> str:
    """When and on which backends."""
    told = [span(period) for period in change.periods]
    told += [f"backend {backend}" for backend in change.backends if backend]
    return "; ".join(told) or "always"


def span(period: Period) -> str:
    """One period in words."""
    since, until = (".".join(map(str, version)) for version in (period.since, period.until))
    words = [period.line, f"from {since} on" if since else "", f"before {until}" if until else ""]
    return " ".join(word for word in words if word)


def groups(versions: Mapping[str, Any]) -> dict[str, list[str]]:
    """Versions by the table that they stand in, by age."""
    titles: dict[str, list[str]] = {"Keras 1 and 2": [], "tf.keras": [], "Keras 3": []}
    for version, about in versions.items():
        if version.startswith("tf-"):
            titles["tf.keras"].append(version)
        else:
            old = about["keras"][0] in "12"
            titles["Keras 1 and 2" if old else "Keras 3"].append(version)
    return {title: sorted(group, key=age) for title, group in titles.items()}


def age(version: str) -> tuple[Any, ...]:
    """A key that sorts versions, and of one its backends."""
    _, number, *backend = version.split("-")
    return (tuple(map(int, number.split("."))), backend)


def lateness(version: str) -> tuple[Any, ...]:
    """A key that is greatest for the latest Keras, on TensorFlow if it ran there."""
    number, backend = age(version)
    return (version.startswith("keras-3"), backend in ([], ["tensorflow"]), number)


def matrix(models: Mapping[str, Any], versions: Sequence[str]) -> str:
    """Layers and aspects by versions."""
    counts: dict[tuple[str, str], dict[str, list[int]]] = {}
    for model in models.values():
        outcomes = model["outcomes"]
        last = outcomes[max(outcomes, key=lateness)]
        for version in versions:
            if version in outcomes:
                row = counts.setdefault((model["layer"], model["aspect"]), {})
                cell = row.setdefault(version, [0, 0])
                cell[0] += 1
                cell[1] += outcomes[version] != last
    header = [
        "layer",
        "aspect",
        *(name.removeprefix("keras-").removeprefix("tf-") for name in versions),
    ]
    rows = [
        [layer, aspect, *(shown(row.get(version)) for version in versions)]
        for (layer, aspect), row in sorted(counts.items())
    ]
    return table(header, rows)


def shown(cell: Sequence[int] | None) -> str:
    """A number of models, and of those that gave something else."""
    if cell is None:
        return ""
    return f"{cell[0]}/{cell[1]}" if cell[1] else str(cell[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page to the named file."""
    return write(page(), COMMAND, sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    raise SystemExit(main())
