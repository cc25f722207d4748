"""Writes docs/MODELS.md: saved models of every age, and which of them Keras itself loads.

    python -m tests.conversion.legacy.page

The models of ``saved/`` are tried; of the real models ``about.json`` beside them tells.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

import deeplift_engine as de
from deeplift_engine.translate.addons.table import ADDONS
from tests.conversion.legacy.files import SAVED, files, numbers
from tests.helpers import MODELS, ROOT, off
from tests.translate.tensorflow_functions.rows import rows as function_rows

PAGE = Path("docs/MODELS.md")
ADDON_MODELS = ROOT / "tests/translate/addons/saved"
LONGEST = 90
HEAD = """# Saved models of every age

Written by `python -m tests.conversion.legacy.page`; do not edit. Every model here converts, its
forward pass is compared with that of the TensorFlow that saved it, and its contributions sum
(`tests/conversion/legacy`, `tests/conformance/test_real_models.py`); those with Lambdas or layers
of their own once their functions are given. The last column is what Keras {version} by itself
makes of the file.
"""
REAL = """
## Real models

Trained and saved by others; not part of this repository.

| model | saved by Keras | Keras {version} |
| --- | --- | --- |
"""
WHOSE = """
## Whose class is it?

A file names classes and functions, and a name can be anybody's. A class is taken for Keras's only
if its name, its package, its module and every option are those of some version of Keras (0.3 to
3.15), and an activation only if the Keras that wrote the file had it: `gelu` of a file of Keras
2.2.4 is not. All others are the user's, and are refused by name until they are defined:
`layers={"Dense": f}` or `functions={"gelu": f}`, which go before Keras's meaning in any case. A
class of one's own that holds `"layers"` is no model.

Some files cannot tell, and are read as Keras's without a definition: a class with the name, the
options and the arrays of Keras's in HDF5, which saves no module (keras-hub's norm of Gemma, which
scales by 1 + gamma); a function with the name of one that the saving Keras had (tensorflow-addons'
`gelu`, qkeras's `hard_sigmoid`). Define these. A model in memory tells more: its functions are not
taken by name. Keras 3.0 to 3.14 save no `output_padding` of transposed convolutions: a file has
the output sizes that Keras gives it when it loads it, without the padding.
"""
LEGACY = """
## Saved by TensorFlow 2.15

In `tests/conversion/legacy/saved`, made by `make.py` beside it: one model for a family of layers,
each with many options. *No* in the last column is often for one layer among them.

| file | layers | Keras {version} |
| --- | --- | --- |
"""


PACKAGES = """
## Layers of packages beside Keras

A layer of these packages is taken for what it is where its class and its options are the package's:
each computes what the package computed (`tests/translate/addons`, whose `make.py`
and `make_hub.py` saved a model of every class). A definition of one's own, `layers=` or
`functions=`, goes first. The activations of tensorflow-addons are known by their registered names:
hardshrink, lisht, mish, rrelu, snake, softshrink, sparsemax and tanhshrink.

| package | classes |
| --- | --- |
"""
OTHERS = """
Of the same packages these were tried, and are refused by their names:

| file | class |
| --- | --- |
"""


def package_rows() -> Iterator[str]:
    """One line for each package, and for each file of theirs that is refused."""
    yield PACKAGES
    packages = dict.fromkeys(row.package for row in ADDONS)
    for package in packages:
        names = [row.class_name for row in ADDONS if row.package == package]
        yield f"| {package} | {', '.join(names)} |"
    yield OTHERS
    for models in sorted(ADDON_MODELS.glob("*.tar.xz"), reverse=True):
        with tempfile.TemporaryDirectory() as folder, tarfile.open(models) as archive:
            archive.extractall(folder, filter="data")
            paths = sorted(Path(folder).glob("refused*"), reverse=True)
            for path in reversed({path.stem: path for path in paths}.values()):
                refused = de.coverage(path).having("refused")
                yield f"| {path.name} | {', '.join(row.class_name for row in refused)} |"


def main() -> None:
    """Write the page."""
    version = keras.__version__
    rows = [HEAD, REAL, *real_rows(), LEGACY, *saved_rows()]
    rows += [*package_rows(), *function_rows(), WHOSE]
    text = "".join(row if row.endswith("\n") else f"{row}\n" for row in rows)
    (ROOT / PAGE).write_text(text.replace("{version}", version))


def real_rows() -> Iterator[str]:
    """One line for each model of the shared folder."""
    for path in sorted(MODELS.glob("*/about.json")):
        about = json.loads(path.read_text())
        loads = about["keras_3_15_loads"]
        answer = "yes" if loads["ok"] else f"no: {first_line(loads['error'] or '')}"
        called = loads.get("max_abs_diff_of_y_or_call_error")
        if isinstance(called, str):
            answer = f"loads, but {first_line(called)}"
        if loads["ok"] is None:
            answer = "not tried: Python bytecode"
        era = about["keras"] if about["keras"] != "None" else "before 1.0"
        yield f"| {path.parent.name} | {era} | {answer} |"


def saved_rows() -> Iterator[str]:
    """One line for each model of this folder."""
    for name, path in files().items():
        yield f"| {name} | {', '.join(layers(path))} | {verdict(name)} |"


def layers(path: Path) -> list[str]:
    """Names of the classes and operations in a file, without those that are everywhere."""
    from deeplift_conversion import read_model

    result = set()
    for layer in read_model(path).layers.values():
        operation = layer.config.get("function") if "OpLambda" in layer.saved_class_name else None
        result.add(f"tf.{operation}" if operation else layer.saved_class_name)
    return sorted(result - {"InputLayer", "Flatten", "Concatenate", "Dense"})


def verdict(name: str) -> str:
    """What Keras makes of a file, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _verdict(name)


def _verdict(name: str) -> str:
    try:
        model = keras.saving.load_model(SAVED / name, compile=False)
    except Exception as error:
        return f"no: {first_line(str(error))}"
    expected = numbers(name)
    values = [expected[f"x{number}"] for number in range(len(model.inputs))]
    try:
        result = model(values if len(values) > 1 else values[0], training=False)
    except Exception as error:
        return f"loads, but cannot be called: {first_line(str(error))}"
    values: list[Any] = list(result) if isinstance(result, list | tuple) else [result]
    pairs = [(np.asarray(v), expected[f"y{number}"]) for number, v in enumerate(values)]
    if all(a.shape == b.shape and off(a, b) < 1e-4 for a, b in pairs):
        return "yes"
    return "loads, but computes something else"


def first_line(reason: str) -> str:
    """The first line of an error, fit for a table."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    first = lines[0] if lines else "no reason given"
    first = first.replace("|", "/").replace(str(SAVED) + "/", "").replace("`", "'")
    return first if len(first) <= LONGEST else first[:LONGEST].rstrip() + " …"


if __name__ == "__main__":
    main()
