"""What explains a network of chrombpnet: its own fork of SHAP, tangermeme, and this library.

The fork needs TensorFlow 2.8, so its functions run in an environment of their own, as does what
makes the network: ``python -m benchmarks.interpreters FOLDER`` builds it by chrombpnet's code,
saves it as chrombpnet does, and shuffles the inputs by the function that chrombpnet gives to the
fork. All contenders get these references as an array. ``python -m benchmarks.interpreters FOLDER
ARGUMENT...`` runs chrombpnet's program with these arguments and the references of the folder.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import BY_DEFAULT, Prepared, Setting
from benchmarks.work import Array, Row, load, save

HEADS = {
    "counts": ("counts",),
    "profile": ("profile",),
    "held": ("held",),
    "both": ("counts", "profile"),
}
"""The heads that a row explains: of profiles with weights of the pair, or ``held`` at the input."""
BIASES = 0.05  # standard deviation: chrombpnet starts them at zero
PROFILE_WIDTH = 75


def make(folder: Path) -> None:
    """The network, its weights, and dinucleotide shuffles of the inputs by chrombpnet."""
    from chrombpnet.evaluation.interpret import shap_utils
    from chrombpnet.training.models import bpnet_model

    problem, data = load(folder)
    body = problem.architecture.convolutions
    options = {
        "filters": body[0].filters,
        "n_dil_layers": len(body) - 1,
        "counts_loss_weight": 1,
        "inputlen": problem.architecture.length,
        "outputlen": problem.architecture.outputs,
    }
    model = bpnet_model.getModelGivenModelOptionsAndWeightInits(
        Namespace(seed=0, learning_rate=0.001), options
    )
    random = np.random.default_rng(0)
    weights = [
        array if array.ndim > 1 else random.normal(0, BIASES, array.shape).astype("float32")
        for array in model.get_weights()
    ]
    model.set_weights(weights)
    model.save(folder / "model.h5")
    own = np.stack(
        [shap_utils.shuffle_several_times([x], problem.references)[0] for x in data.inputs]
    )
    save(problem, replace(data, own=own, shared=own[0], weights=weights), folder)


def chrombpnet(setting: Setting, row: Row | None) -> Prepared:
    """The fork as chrombpnet's ``interpret`` calls it, a sequence at a time."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
    tf.compat.v1.disable_eager_execution()
    import shap
    from chrombpnet.evaluation.interpret import input_utils, shap_utils

    assert row is not None
    model = input_utils.load_model_wrapper(Namespace(model_h5=str(setting.model)))
    outputs: Mapping[str, Callable[[], Any]] = {
        "counts": lambda: tf.reduce_sum(model.outputs[1], axis=-1),
        "profile": lambda: shap_utils.get_weightedsum_meannormed_logits(model),
    }
    inputs, own = (array.astype("int8") for array in (setting.data.inputs, setting.data.own))

    def explained(head: str) -> Callable[[], Array]:
        references = cycle(own)
        explainer = shap.explainers.deep.TFDeepExplainer(
            (model.input, outputs[head]()),
            lambda sequence: [next(references)],
            combine_mult_and_diffref=shap_utils.combine_mult_and_diffref,
        )
        return lambda: np.asarray(explainer.shap_values(inputs))

    heads = [explained(head) for head in HEADS[row.name]]
    return Prepared(lambda batch_size: [head() for head in heads], np.stack, (BY_DEFAULT,))


def command(folder: Path, arguments: list[str]) -> None:
    """chrombpnet's program, whole, but that shuffles are the folder's references in their order."""
    from chrombpnet import CHROMBPNET
    from chrombpnet.evaluation.interpret import shap_utils

    references = cycle(load(folder)[1].own.astype("int8"))
    shap_utils.shuffle_several_times = lambda sequence: [next(references)]
    sys.argv = ["chrombpnet", *arguments]
    CHROMBPNET.main()


def tangermeme(setting: Setting, row: Row | None) -> Prepared:
    """`deep_lift_shap` on the same network in torch, head by head."""
    import torch
    from tangermeme.deep_lift_shap import deep_lift_shap

    torch.set_num_threads(setting.threads)
    assert row is not None
    models = [_torch_head(setting, head) for head in HEADS[row.name]]
    inputs, own = (
        torch.from_numpy(np.ascontiguousarray(np.swapaxes(array, -1, -2)))
        for array in (setting.data.inputs, setting.data.own)
    )

    def run(batch_size: int) -> list[Array]:
        return [
            deep_lift_shap(
                model,
                inputs,
                references=own,
                hypothetical=True,
                batch_size=batch_size,
                device="cpu",
            ).numpy()
            for model in models
        ]

    return Prepared(run, lambda result: np.swapaxes(np.stack(result), -1, -2), (8, 20, 64))


def _torch_head(setting: Setting, head: str) -> Any:
    """The network up to one head's target in torch: (n, 4, L) → (n, 1)."""
    import torch
    from torch import nn

    body = setting.problem.architecture.convolutions
    outputs = setting.problem.architecture.outputs
    arrays = iter(torch.from_numpy(array) for array in setting.data.weights)

    class Head(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            channels = [4, *(layer.filters for layer in body)]
            self.body = nn.ModuleList(
                nn.Conv1d(before, layer.filters, layer.width, dilation=layer.dilation)
                for before, layer in zip(channels[:-1], body, strict=True)
            )
            self.activations = nn.ModuleList(nn.ReLU() for _ in body)
            self.profile = nn.Conv1d(channels[-1], 1, PROFILE_WIDTH)
            self.counts = nn.Linear(channels[-1], 1)
            with torch.no_grad():
                for layer in (*self.body, self.profile, self.counts):
                    layer.weight.copy_(next(arrays).permute(*range(layer.weight.ndim)[::-1]))
                    layer.bias.copy_(next(arrays))

        def forward(self, x: Any) -> Any:
            first, *residual = zip(self.body, self.activations, strict=True)
            x = first[1](first[0](x))
            for convolution, activation in residual:
                y = activation(convolution(x))
                x = y + _centre(x, y.shape[-1])
            if head == "counts":
                return self.counts(x.mean(-1))
            logits = _centre(self.profile(x)[:, 0], outputs)
            logits = logits - logits.mean(-1, keepdim=True)
            return (logits.detach().softmax(-1) * logits).sum(-1, keepdim=True)

    return Head().eval()


def _centre(x: Any, length: int) -> Any:
    """The middle of the last axis."""
    start = (x.shape[-1] - length) // 2
    return x[..., start : start + length]


def engine(setting: Setting, row: Row | None, dtype: str = "float32") -> Prepared:
    """All heads in one run, at the default batch size."""
    import deeplift_engine as de

    assert row is not None
    network = _network(setting, dtype)
    targets = {
        "counts": de.targets.counts(),
        "profile": de.targets.profile("pair"),
        "held": de.targets.profile(),
    }
    heads = {head: targets[head] for head in HEADS[row.name]}
    explainer = network.explainer("deeplift", target=heads)
    references = de.references.per_sample(setting.data.own)

    def run(batch_size: int) -> list[Array]:
        result = explainer.run(setting.data.inputs, references=references, progress=False)
        return [result.heads[head].hypothetical for head in heads]

    return Prepared(run, np.stack, (BY_DEFAULT,))


def in_float64(setting: Setting, row: Row | None) -> Prepared:
    """This library in float64: what the others are judged by."""
    return engine(setting, row, "float64")


def outputs_in_float64(setting: Setting, row: Row | None) -> Prepared:
    """The outputs (N, 1 + K, profile and counts) of inputs and references."""
    network = _network(setting, "float64")
    inputs, own = setting.data.inputs[:, None], setting.data.own

    def run(batch_size: int) -> Array:
        both = np.concatenate([inputs, own], 1)
        outputs = network.output_arrays(both.reshape(-1, *both.shape[2:]))
        return np.concatenate(outputs, -1).reshape(*both.shape[:2], -1)

    return Prepared(run, np.asarray, (BY_DEFAULT,))


def _network(setting: Setting, dtype: str) -> Any:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
    import deeplift_engine as de

    return de.load(setting.model, dtype=dtype)


if __name__ == "__main__":
    if sys.argv[2:]:
        command(Path(sys.argv[1]), sys.argv[2:])
    else:
        make(Path(sys.argv[1]))
