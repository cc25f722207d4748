"""The form of an input that is grown: free parameters, and the points that they stand for."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from deeplift_engine.util.typing import Array, Tensor


class Grown(Protocol):
    """Parameters of M inputs (M, *S), and how inputs are made of them."""

    parameters: list[Any]

    def points(self) -> Tensor:
        """What the parameters stand for, differentiable: inputs (M, *S), or embeddings."""
        ...

    def inputs(self, points: Tensor) -> Array:
        """The network's inputs (M, *S) at points: these, or tokens of embeddings."""
        ...

    def varied(self, points: Tensor, generator: np.random.Generator) -> Tensor:
        """The same inputs seen a little otherwise, differentiable."""
        ...

    def penalty(self, points: Tensor) -> Tensor:
        """A number that is taken off the target."""
        ...

    def start(self) -> Array:
        """The inputs (M, *S) to begin with."""
        ...
