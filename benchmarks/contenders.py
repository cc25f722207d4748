"""Who is measured, and what each gives the worker that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.work import Array, Data, Problem

BY_DEFAULT = 0  # for a batch size: the contender's own
DEVICE = "DEEPLIFT_BENCHMARK_DEVICE"
"""The variable that tells a worker its device, `"cpu"` or `"cuda"`, in torch's words."""


@dataclass(frozen=True)
class Setting:
    """What a contender is opened on: ``model`` is the Keras file, for those who read it.

    ``device`` is where torch computes; TensorFlow takes a GPU that it sees.
    """

    problem: Problem
    data: Data
    model: Path
    threads: int
    device: str = "cpu"


@dataclass(frozen=True)
class Prepared:
    """A contender ready to run.

    Attributes
    ----------
    run
        Does all the work once, so many sequences or pairs at a time.
    positions
        What `run` returned → contributions (targets, N, L), averaged over the references and
        summed over the letters. Of a forward pass: the outputs (N·K, outputs).
    batch_sizes
        Those it may choose the fastest from.
    """

    run: Callable[[int], Any]
    positions: Callable[[Any], Array]
    batch_sizes: tuple[int, ...]


@dataclass(frozen=True)
class Contender:
    """Where a contender is found.

    ``function(setting, row)`` in ``module`` returns a `Prepared`; ``packages`` are those whose
    versions the table gives, and ``imports`` what a process holds before it has a model.
    """

    label: str
    module: str
    function: str
    packages: tuple[str, ...]
    imports: tuple[str, ...] = ()


CONTENDERS = {
    "keras_forward": Contender(
        "Keras, compiled", "benchmarks.engine", "keras_forward", ("keras", "tensorflow")
    ),
    "engine_forward": Contender(
        "deeplift_engine, `predict`", "benchmarks.engine", "engine_forward", ()
    ),
    "torch_forward": Contender("torch", "benchmarks.peers", "torch_forward", ("torch",)),
    "engine": Contender("deeplift_engine", "benchmarks.engine", "engine", ()),
    "engine_base": Contender(
        "deeplift_engine on the work of the first row", "benchmarks.engine", "engine", ()
    ),
    "tangermeme": Contender("tangermeme", "benchmarks.peers", "tangermeme", ("tangermeme",)),
    "captum": Contender("Captum", "benchmarks.peers", "captum", ("captum",)),
    "shap": Contender("SHAP", "benchmarks.peers", "shap", ("shap",)),
    "interpretation": Contender(
        "deeplift_engine", "benchmarks.interpreters", "engine", ("tensorflow",)
    ),
    "chrombpnet": Contender(
        "chrombpnet's fork of SHAP",
        "benchmarks.interpreters",
        "chrombpnet",
        ("chrombpnet", "kundajelab-shap", "tensorflow"),
    ),
    "tangermeme_heads": Contender(
        "tangermeme", "benchmarks.interpreters", "tangermeme", ("tangermeme", "torch")
    ),
    "in_float64": Contender(
        "deeplift_engine in float64", "benchmarks.interpreters", "in_float64", ()
    ),
    "outputs_in_float64": Contender(
        "outputs in float64", "benchmarks.interpreters", "outputs_in_float64", ()
    ),
    "method_engine": Contender(
        "deeplift_engine",
        "benchmarks.method_engine",
        "engine",
        ("tensorflow",),
        ("tensorflow", "deeplift_engine"),
    ),
    "method_in_float64": Contender(
        "deeplift_engine in float64", "benchmarks.method_engine", "in_float64", ()
    ),
    "method_tape": Contender(
        "tf.function, GradientTape",
        "benchmarks.tape_methods",
        "tape",
        ("keras", "tensorflow"),
        ("tensorflow", "keras"),
    ),
    "method_captum": Contender(
        "Captum",
        "benchmarks.captum_methods",
        "captum",
        ("captum", "torch"),
        ("torch", "captum.attr"),
    ),
    "method_shap": Contender(
        "SHAP", "benchmarks.torch_packages", "shap", ("shap", "torch"), ("torch", "shap")
    ),
    "method_zennit": Contender(
        "zennit",
        "benchmarks.torch_packages",
        "zennit",
        ("zennit", "torch"),
        ("torch", "zennit.composites"),
    ),
    "method_tangermeme": Contender(
        "tangermeme",
        "benchmarks.torch_packages",
        "tangermeme",
        ("tangermeme", "torch"),
        ("torch", "tangermeme.saturation_mutagenesis"),
    ),
}
PEERS = ("tangermeme", "captum", "shap")
