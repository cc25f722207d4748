"""Sequences of letters as free parameters: one-hot rows by gradient, through their softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from deeplift_engine.errors import InputError
from deeplift_engine.explainers.perturbation.alphabet import Alphabet, alphabet
from deeplift_engine.genomics.constraints import Constraints
from deeplift_engine.genomics.input_layout import layout_of
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.options import Among, Integer, checked
from deeplift_engine.util.typing import Array, Tensor

WAYS = ("gradient", "mutation")
MARGIN = 2.0
"""How much larger the parameter of a letter to begin with is than the others'."""


@dataclass(frozen=True)
class Letters:
    """How sequences are grown.

    Attributes
    ----------
    by
        ``"gradient"``: each letter is the largest of its position's parameters, of which the
        gradient sees the softmax (straight-through, Bengio 2013; Linder 2021). ``"mutation"``: the
        best single change of all, again and again, by incremental forward passes.
    letters
        In the order of the network's channels.
    fixed, gc, forbidden
        Positions that stay as they are, bounds of the share of G and C, and words that must not
        occur: see `deeplift_engine.genomics.Constraints`.
    noise
        Of the letters that the gradient is taken at: 1 draws them by the softmax, 0 takes the
        largest.
    axes
        Of the network's input, such as ``"NCL"``, where its shape does not tell.
    length
        Of sequences, where the network leaves it free.

    Raises
    ------
    InputError
        For what none of these can be.
    """

    by: str = "gradient"
    letters: str = "ACGT"
    fixed: Any = ()
    gc: tuple[float, float] | None = None
    forbidden: Any = ()
    noise: float = 1.0
    axes: str | None = None
    length: int | None = None

    def __post_init__(self) -> None:
        checked("by", self.by, Among(WAYS), InputError)
        if self.length is not None:
            checked("length", self.length, Integer(1), InputError)
        _ = self.constraints

    @property
    def constraints(self) -> Constraints:
        """What sequences must keep."""
        return Constraints(tuple(self.fixed), self.gc, tuple(self.forbidden), self.letters)

    def alphabet(self, info: InputInfo) -> Alphabet:
        """The axes of letters and of positions.

        Raises
        ------
        InputError
            For an input that has none.
        """
        layout = layout_of(info, len(self.letters), self.axes)
        if layout.has_codes:
            raise InputError(f"Input {info.name!r} takes whole numbers; Letters() are one-hot.")
        return alphabet(info, layout.axes.index("C") - 1, None)

    def shape(self, info: InputInfo) -> tuple[int, ...]:
        """The shape of one input, its length as ``length`` says if it is free.

        Raises
        ------
        InputError
            Where it is not known.
        """
        positions = self.alphabet(info).positions
        shape = [
            self.length if axis == positions and size is None else size
            for axis, size in enumerate(info.shape)
        ]
        if None in shape:
            raise InputError(f"Input {info.name!r} has the shape {info.shape}: give length=.")
        return tuple(int(size) for size in shape if size is not None)

    def one_hot(self, info: InputInfo, codes: Array) -> Array:
        """Sequences (M, L) of numbers of letters as inputs (M, *S); -1 is no letter."""
        rows = (codes[..., np.newaxis] == np.arange(len(self.letters))).astype(info.dtype)
        return np.asarray(self.alphabet(info).shaped(rows[np.newaxis])[0])

    def begun(
        self, info: InputInfo, shape: tuple[int, ...], start: Array | None, count: int, seed: int
    ) -> Array:
        """Numbers of letters (M, L) to begin with: of inputs, or drawn, within the constraints."""
        own = self.alphabet(info)
        if start is None:
            generator = np.random.default_rng(seed)
            codes = self.constraints.draw(count, shape[own.positions], generator)
        else:
            codes = own.present(start)
        self.constraints.check(codes)
        return codes

    def grown(
        self, info: InputInfo, shape: tuple[int, ...], start: Array | None, count: int, seed: int
    ) -> GrownLetters:
        """Parameters of ``count`` sequences."""
        return GrownLetters(self, info, self.begun(info, shape, start, count, seed), seed)


class GrownLetters:
    """Parameters of M sequences; see `deeplift_engine.visualize.form.Grown`."""

    def __init__(self, form: Letters, info: InputInfo, codes: Array, seed: int) -> None:
        self.form, self.info, self.codes = form, info, codes
        rows = codes[..., np.newaxis] == np.arange(len(form.letters))
        self.generator = np.random.default_rng(seed)
        noise = self.generator.normal(0, 0.1, rows.shape)
        self.parameters = [tf.Variable((MARGIN * rows + noise).astype(info.dtype))]

    def start(self) -> Array:
        """The sequences to begin with."""
        return self.form.one_hot(self.info, self.codes)

    def points(self) -> Tensor:
        """The largest letters, as far as the constraints hold; the gradient is the softmax's."""
        return self._through(np.asarray(self.parameters[0]))

    def inputs(self, points: Tensor) -> Array:
        """The points themselves."""
        return np.asarray(points)

    def varied(self, points: Tensor, generator: np.random.Generator) -> Tensor:
        """Letters drawn by the softmax."""
        if not self.form.noise:
            return points
        values = np.asarray(self.parameters[0])
        return self._through(values + self.form.noise * generator.gumbel(size=values.shape))

    def penalty(self, points: Tensor) -> Tensor:
        """None."""
        return tf.constant(0, points.dtype)

    def _through(self, values: Array) -> Tensor:
        wanted = values.argmax(axis=-1)
        safe = np.maximum(self.codes, 0)[..., np.newaxis]
        gains = values.max(axis=-1) - np.take_along_axis(values, safe, axis=-1)[..., 0]
        letters = self.form.constraints.toward(self.codes, wanted, gains)
        soft = tf.nn.softmax(self.parameters[0], axis=-1)
        hard = (letters[..., np.newaxis] == np.arange(values.shape[-1])).astype(values.dtype)
        rows = soft + tf.stop_gradient(hard - soft)
        own = self.form.alphabet(self.info)
        assert own.letters is not None
        if own.letters < own.positions:
            rows = tf.transpose(rows, [0, 2, 1])
        return tf.reshape(rows, [len(values), *self.form.one_hot(self.info, letters).shape[1:]])


__all__ = ["GrownLetters", "Letters"]
