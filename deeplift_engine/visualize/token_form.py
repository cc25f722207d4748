"""Sequences of tokens as free parameters: embeddings, each seen as the row that is nearest to it.

The gradient is that at the rows, and moves the embeddings (Wen 2023, arXiv:2302.03668).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.typing import Array, Tensor


@dataclass(frozen=True)
class Tokens:
    """How sequences of tokens are grown.

    Attributes
    ----------
    allowed
        Numbers of the tokens that may stand; None: all but padding.
    fixed
        Positions that stay as they are.
    words
        What each token is, by its number, for `Maximised.texts`.
    length
        Of sequences, where the network leaves it free.

    Raises
    ------
    InputError
        For what none of these can be.
    """

    allowed: Any = None
    fixed: Any = ()
    words: Sequence[str] | None = None
    length: int | None = None

    def __post_init__(self) -> None:
        if self.length is not None:
            checked("length", self.length, Integer(1), InputError)

    def layer(self, info: InputInfo) -> str:
        """The name of the embedding.

        Raises
        ------
        InputError
            For an input that is looked up in none.
        """
        if info.table is None:
            raise InputError(
                f"Input {info.name!r} is looked up in no embedding; Tokens() are numbers of rows "
                "of one. Give form=Pixels() or form=Letters()."
            )
        return info.table.layer

    def shape(self, info: InputInfo) -> tuple[int, ...]:
        """The shape of one input, its length as ``length`` says if it is free.

        Raises
        ------
        InputError
            Where it is not known.
        """
        self.layer(info)
        shape = [self.length if size is None else size for size in info.shape]
        if None in shape:
            raise InputError(f"Input {info.name!r} has the shape {info.shape}: give length=.")
        return tuple(int(size) for size in shape if size is not None)

    def numbers(self, info: InputInfo) -> Array:
        """Numbers of the tokens that may stand (A,).

        Raises
        ------
        InputError
            Where one has no row, or there are none.
        """
        assert info.table is not None
        rows = info.table.rows
        if self.allowed is None:
            return np.setdiff1d(np.arange(rows), [] if info.padding is None else [info.padding])
        numbers = np.unique(np.asarray(self.allowed))
        if numbers.dtype.kind not in "iu" or not np.isin(numbers, np.arange(rows)).all():
            raise InputError(f"allowed={self.allowed!r}: expected numbers from 0 to {rows - 1}.")
        return numbers

    def word(self, token: int) -> str:
        """What a token is, or its number."""
        return str(token) if self.words is None else self.words[token] or f"[{token}]"

    def grown(
        self,
        info: InputInfo,
        shape: tuple[int, ...],
        start: Array | None,
        count: int,
        seed: int,
        table: Array,
    ) -> GrownTokens:
        """Parameters of ``count`` sequences, from ``start`` (M, *S) or drawn; rows (V, D)."""
        numbers = self.numbers(info)
        if start is None:
            start = np.random.default_rng(seed).choice(numbers, (count, *shape))
        moving = np.ones(shape, bool)
        try:
            moving[..., np.array(self.fixed, int)] = False
        except IndexError as error:
            raise InputError(
                f"fixed={self.fixed!r} is outside of {shape[-1]} positions."
            ) from error
        return GrownTokens(start.astype(int), moving, numbers, table)


class GrownTokens:
    """Parameters of M sequences; see `deeplift_engine.visualize.form.Grown`."""

    def __init__(self, tokens: Array, moving: Array, numbers: Array, table: Array) -> None:
        self.tokens, self.moving, self.numbers, self.table = tokens, moving, numbers, table
        self.scale = float(table.std()) or 1.0
        self.parameters = [tf.Variable(table[tokens] / self.scale)]

    def start(self) -> Array:
        """The tokens to begin with."""
        return self.tokens

    def inputs(self, points: Tensor) -> Array:
        """The tokens (M, *S) whose rows are nearest to embeddings (M, *S, D)."""
        rows, values = self.table[self.numbers], np.asarray(points)
        distances = (rows**2).sum(axis=-1) / 2 - values @ rows.T
        nearest = self.numbers[distances.argmin(axis=-1)]
        return np.where(self.moving, nearest, self.tokens)

    def points(self) -> Tensor:
        """Rows of the table; the gradient is that of the embeddings."""
        free = self.parameters[0] * self.scale
        rows = tf.constant(self.table[self.inputs(free)])
        return free + tf.stop_gradient(rows - free)

    def varied(self, points: Tensor, generator: np.random.Generator) -> Tensor:
        """The same."""
        return points

    def penalty(self, points: Tensor) -> Tensor:
        """None."""
        return tf.constant(0, points.dtype)


__all__ = ["GrownTokens", "Tokens"]
