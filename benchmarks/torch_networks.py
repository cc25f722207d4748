"""The networks of `benchmarks.architectures` in torch, with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.architectures import Architecture, Mixing, Weights
from benchmarks.work import Array


def build_torch(architecture: Architecture, weights: Weights) -> Any:
    """A network up to its logits: (n, channels, *positions) → (n, outputs).

    It is a `torch.nn.Sequential`, in which each convolution is followed by its ReLU.
    """
    from torch import nn

    axes, remaining = architecture.axes, iter(weights)

    def of_axes(kind: str) -> Any:
        return getattr(nn, f"{kind}{axes}d")

    modules: list[Any] = []
    channels = architecture.channels
    for layer in architecture.convolutions:
        convolution = of_axes("Conv")(
            channels,
            layer.filters,
            layer.width,
            dilation=layer.dilation,
            padding=architecture.padding,
        )
        modules += [_filled(convolution, remaining, (axes + 1, axes, *range(axes))), nn.ReLU()]
        if layer.pool > 1:
            modules.append(of_axes("MaxPool")(layer.pool))
        channels = layer.filters
    if architecture.mixing is not None:
        modules.append(_mixed(architecture.mixing, channels, remaining))
        channels = architecture.mixing.outputs(channels)
    elif architecture.pool is None:
        modules += [of_axes("AdaptiveAvgPool")(1), nn.Flatten()]
    else:
        modules += [of_axes("AvgPool")(architecture.pool), nn.Flatten()]
    for units in architecture.hidden:
        modules += [_filled(nn.Linear(channels, units), remaining, (1, 0)), nn.ReLU()]
        channels = units
    modules.append(_filled(nn.Linear(channels, architecture.outputs), remaining, (1, 0)))
    return nn.Sequential(*modules).eval()


def _filled(module: Any, remaining: Iterator[Array], axes: tuple[int, ...]) -> Any:
    """A layer with the next kernel, its axes in this order, and the next bias."""
    _put(module.weight, next(remaining).transpose(axes))
    _put(module.bias, next(remaining))
    return module


def _put(parameter: Any, values: Array) -> None:
    import torch

    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _mixed(mixing: Mixing, channels: int, remaining: Iterator[Array]) -> Any:
    """The LSTM's last output, or attention, added to what it reads, averaged over positions.

    Raises
    ------
    ValueError
        For a kind that has no copy here.
    """
    import torch
    from torch import nn

    class Last(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(channels, mixing.units, batch_first=True)
            kernel, recurrent, bias = (next(remaining) for _ in range(3))
            _put(self.lstm.weight_ih_l0, kernel.T)
            _put(self.lstm.weight_hh_l0, recurrent.T)
            _put(self.lstm.bias_ih_l0, bias)
            _put(self.lstm.bias_hh_l0, np.zeros_like(bias))

        def forward(self, x: Any) -> Any:
            return self.lstm(x.transpose(1, 2))[0][:, -1]

    class Attention(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            inner = mixing.heads * mixing.units
            self.projections = nn.ModuleList(self.projection(inner) for _ in range(3))
            self.output = nn.Linear(inner, channels)
            _put(self.output.weight, next(remaining).reshape(inner, channels).T)
            _put(self.output.bias, next(remaining))

        def projection(self, inner: int) -> Any:
            linear = nn.Linear(channels, inner)
            _put(linear.weight, next(remaining).reshape(channels, inner).T)
            _put(linear.bias, next(remaining).reshape(inner))
            return linear

        def forward(self, x: Any) -> Any:
            x = x.transpose(1, 2)
            heads = (
                each(x).unflatten(-1, (mixing.heads, mixing.units)).transpose(1, 2)
                for each in self.projections
            )
            y = nn.functional.scaled_dot_product_attention(*heads)
            return torch.add(x, self.output(y.transpose(1, 2).flatten(2))).mean(1)

    kinds = {"LSTM": Last, "attention": Attention}
    if mixing.kind not in kinds:
        raise ValueError(f"{mixing.kind} has no copy in torch, {', '.join(kinds)} have.")
    return kinds[mixing.kind]()
