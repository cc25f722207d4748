"""The contenders on torch: its forward pass, tangermeme, Captum and SHAP on the same weights.

Each is called as its documentation shows, with the references given as arrays. Where a library
leaves the batch size to the user, the fastest of several is taken; where it has no way of its
own to do what a row asks (several targets in one pass, a shared set), the shortest loop
around it stands in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.contenders import BY_DEFAULT, Prepared, Setting
from benchmarks.torch_networks import build_torch
from benchmarks.work import Array, Row


def _open(setting: Setting) -> Any:
    import torch

    torch.set_num_threads(setting.threads)
    return build_torch(setting.problem.architecture, setting.data.weights).to(setting.device)


def _channels_first(array: Array, setting: Setting) -> Any:
    """(..., L, 4) → a tensor (..., 4, L) on the device."""
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(np.swapaxes(array, -1, -2)))
    return tensor.to(setting.device)


def _positions(result: list[Array]) -> Array:
    """One (N, 4, L) for each target → (targets, N, L)."""
    return np.stack([np.asarray(scores).sum(-2) for scores in result])


def torch_forward(setting: Setting, row: Row | None) -> Prepared:
    """The model under `inference_mode`."""
    import torch

    model = _open(setting)
    sequences = _channels_first(setting.data.sequences, setting)

    def run(batch_size: int) -> Array:
        with torch.inference_mode():
            outputs = [model(part) for part in sequences.split(batch_size)]
            return np.asarray(torch.cat(outputs).cpu().numpy())

    return Prepared(run, np.asarray, (16, 64, 256, len(sequences)))


def tangermeme(setting: Setting, row: Row | None) -> Prepared:
    """`deep_lift_shap`, which takes references of each input's own only."""
    from tangermeme.deep_lift_shap import deep_lift_shap

    assert row is not None
    model = _open(setting)
    inputs = _channels_first(setting.data.inputs, setting)
    references = _channels_first(setting.data.references(row), setting)
    if row.shared:
        references = references[None].expand(len(inputs), *references.shape)
    pairs = len(setting.data.sequences)

    def run(batch_size: int) -> list[Array]:
        return [
            deep_lift_shap(
                model,
                inputs,
                target=target,
                references=references,
                batch_size=batch_size,
                device=setting.device,
            )
            .cpu()
            .numpy()
            for target in range(row.targets)
        ]

    return Prepared(run, _positions, (32, 128, pairs))


def captum(setting: Setting, row: Row | None) -> Prepared:
    """`DeepLift` on paired inputs and references, `DeepLiftShap` on a shared set."""
    from captum.attr import DeepLift, DeepLiftShap

    assert row is not None
    model = _open(setting)
    inputs = _channels_first(setting.data.inputs, setting)
    references = _channels_first(setting.data.references(row), setting)
    count = setting.problem.references
    method = (DeepLiftShap if row.shared else DeepLift)(model)

    def part(start: int, stop: int, target: int) -> Any:
        chunk = inputs[start:stop]
        if row.shared:
            return method.attribute(chunk, baselines=references, target=target)
        scores = method.attribute(
            chunk.repeat_interleave(count, 0),
            baselines=references[start:stop].flatten(0, 1),
            target=target,
        )
        return scores.unflatten(0, (-1, count)).mean(1)

    def run(batch_size: int) -> list[Array]:
        step = max(1, batch_size // count)
        starts = range(0, len(inputs), step)
        return [
            np.concatenate([part(i, i + step, target).detach().cpu().numpy() for i in starts])
            for target in range(row.targets)
        ]

    return Prepared(run, _positions, (32, 128, len(setting.data.sequences)))


def shap(setting: Setting, row: Row | None) -> Prepared:
    """`DeepExplainer`: one for a shared set, one for each input with references of its own."""
    import torch
    from shap import DeepExplainer

    assert row is not None
    model = _open(setting)
    inputs = _channels_first(setting.data.inputs, setting)
    references = _channels_first(setting.data.references(row), setting)
    targets = row.targets

    class Outputs(torch.nn.Module):  # type: ignore[misc]
        """Only the outputs asked for: SHAP explains all that there are."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Any) -> Any:
            return self.model(x)[:, :targets]

    explained = Outputs().eval()

    def one(background: Any, samples: Any) -> Array:
        explainer = DeepExplainer(explained, background)
        return np.asarray(explainer.shap_values(samples, check_additivity=False))

    def run(batch_size: int) -> list[Array]:
        if row.shared:
            values = one(references, inputs)
        else:
            each = zip(references, inputs.split(1), strict=True)
            values = np.concatenate([one(background, sample) for background, sample in each])
        return list(np.moveaxis(values, -1, 0))

    return Prepared(run, _positions, (BY_DEFAULT,))
