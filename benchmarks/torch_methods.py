"""What packages on torch share: the opened model, its inputs, and arrays with channels last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from benchmarks.contenders import Prepared, Setting
from benchmarks.method_rows import MethodRow, labels
from benchmarks.torch_networks import build_torch
from benchmarks.work import Array


class Opened:
    """A model on torch with what a row explains: tensors are (n, channels, *positions).

    Attributes
    ----------
    model
        Up to its logits.
    inputs, shared
        The row's inputs, and the references that all share.
    layer
        The module where the row scores, or None.
    groups
        Numbers of the elements' groups (1, channels, *positions), or None.
    """

    def __init__(self, setting: Setting, row: MethodRow) -> None:
        import torch

        torch.set_num_threads(setting.threads)
        architecture = setting.problem.architecture
        self.row, self.options = row, row.options
        self.model = build_torch(architecture, setting.data.weights)
        self.inputs = channels_first(row.data(setting.data))
        self.shared = channels_first(setting.data.shared)
        self.layer = None if row.layer is None else self._behind(int(row.layer.rpartition("_")[2]))
        self.groups: Any = None
        if "groups" in row.options:
            self.groups = channels_first(labels(row, architecture.shape)[np.newaxis])

    def _behind(self, number: int) -> Any:
        """The ReLU behind a convolution."""
        modules = list(self.model)
        kernels = [i for i, module in enumerate(modules) if "Conv" in type(module).__name__]
        return modules[kernels[number] + 1]

    def first_output(self) -> Any:
        """The model with its first output alone, (n, 1), for packages that explain all."""
        import torch

        class First(torch.nn.Module):  # type: ignore[misc]
            def forward(self, x: Any) -> Any:
                return x[:, :1]

        return torch.nn.Sequential(*self.model, First()).eval()

    def predict(self, masks: Array, x: Any, batch_size: int) -> Array:
        """The target (n,) of one input (1, ...) whose groups masks (n, groups) keep, else zero."""
        import torch

        kept = torch.from_numpy(np.asarray(masks, np.float32)).split(batch_size)
        with torch.inference_mode():
            parts = [self.model(part[:, self.groups[0]] * x)[:, 0] for part in kept]
            return np.asarray(torch.cat(parts).numpy())


def channels_first(array: Array) -> Any:
    """(n, *positions, channels) → a tensor (n, channels, *positions)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))


def channels_last(values: Any) -> Array:
    """A tensor (n, channels, *positions) → (n, *positions, channels), of one channel without it."""
    array = np.ascontiguousarray(np.moveaxis(values.numpy(), 1, -1))
    return array[..., 0] if array.shape[-1] == 1 else array


Method: TypeAlias = Callable[[Opened, Any, int], Any]
"""Of what is opened, inputs (n, channels, *positions) and a batch size → scores alike."""


def prepared(
    methods: Mapping[str, Method],
    setting: Setting,
    row: MethodRow,
    share: Callable[[MethodRow], int] = lambda row: 1,
    batch_sizes: tuple[int, ...] = (32, 128, 512),
) -> Prepared:
    """The row's method on so many inputs at a time that they are a batch.

    ``share`` is how many rows of a batch an input takes.
    """
    import torch

    method, opened = methods[row.method], Opened(setting, row)

    def run(batch_size: int) -> Any:
        parts = opened.inputs.split(max(1, batch_size // share(row)))
        return torch.cat([torch.as_tensor(method(opened, x, batch_size)).detach() for x in parts])

    return Prepared(run, channels_last, batch_sizes)
