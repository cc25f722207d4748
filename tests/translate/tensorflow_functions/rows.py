"""The section of docs/MODELS.md on TensorFlow's functions, made of what becomes of each model.

    python -m tests.translate.tensorflow_functions.rows

prints it, and raises for a model that is neither exact nor refused.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.translate.tensorflow_functions.files import (
    FORMS,
    LONGEST,
    NEAR,
    difference,
    expressions,
    function,
    names,
    outcome,
    unpack,
)

HEAD = """
## Functions of TensorFlow in saved models

What tf.keras saves of a function or an operator that is called on a Keras tensor, as TensorFlow
2.15.1 (Keras 2.15.0) does: TFOpLambda and SlicingOpLambda, or of each of its operations a
TensorFlowOpLayer, which TensorFlow 2.2 and 2.3 wrote in their place. `make.py` of
`tests/translate/tensorflow_functions` saves a model of each, and the tests compare. Exact are, in
{functions} models of the first form and {nodes} of the second:

"""
REFUSED = """
All others are refused by name, and are taken once their forward pass is given, by the name of the
layer, `functions={"tf.math.polygamma": lambda x: ...}`: exact where all that is traced of it has a
rule, else averaged along a path.

| function | form | reason |
| --- | --- | --- |
"""
TITLES = {"functions": "TFOpLambda", "nodes": "TensorFlowOpLayer"}


def rows() -> Iterator[str]:
    """The section, a line at a time."""
    exact: dict[str, set[int]] = {form: set() for form in FORMS}
    refused: dict[str, dict[int, str]] = {form: {} for form in FORMS}
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        for name in names():
            number, _, form = name.partition(".")
            met = outcome(Path(folder), name)
            if met.network is None:
                refused[form][int(number)] = met.reason
                continue
            if not (far := difference(met.network, name)) < NEAR:
                raise ValueError(f"{name} ({expressions()[int(number)]}) is off by {far}")
            exact[form].add(int(number))
    yield HEAD.replace("{functions}", str(len(exact["functions"]))).replace(
        "{nodes}", str(len(exact["nodes"]))
    )
    known = [function(expressions()[number]) for number in sorted(exact["functions"])]
    yield ", ".join(f"`{name}`" for name in dict.fromkeys(known)) + "."
    yield REFUSED
    for form in FORMS:
        for number, reason in refused[form].items():
            yield f"| `{cell(expressions()[number])}` | {TITLES[form]} | {cell(reason)} |"


def cell(text: str) -> str:
    """Text as a cell of the table has it."""
    text = text.replace("|", "\\|")
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} …"


if __name__ == "__main__":
    sys.stdout.writelines(line.rstrip("\n") + "\n" for line in rows())
