"""Inputs that make a target large, by gradient or mutation; the best of all steps is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import tensorflow as tf

from deeplift_engine.engine.request import Request
from deeplift_engine.errors import ConvergenceWarning, InputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.figures.maximised_figure import draw_lines, draw_pictures, draw_sequences
from deeplift_engine.genomics.experiments import design
from deeplift_engine.graph.inputs import InputInfo, by_input
from deeplift_engine.network import Network
from deeplift_engine.util.options import SEED, Instance, Integer, Number, checked
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn
from deeplift_engine.visualize.form import Grown
from deeplift_engine.visualize.letter_form import Letters
from deeplift_engine.visualize.pixel_form import Pixels
from deeplift_engine.visualize.token_form import Tokens

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Form: TypeAlias = Pixels | Letters | Tokens

DECAYS, STABILISER = (0.9, 0.999), 1e-8
"""Of Adam (Kingma 2015, arXiv:1412.6980)."""


@dataclass(frozen=True)
class Maximised:
    """Inputs that make a target large.

    Attributes
    ----------
    inputs
        The best inputs (N, *S), or (T, N, *S) of several targets.
    values
        The target at them (N,) or (T, N): never below ``history[0]``.
    history
        The target at each step (steps + 1, N) or (steps + 1, T, N); the first is the start.
    form
        The form that they were grown in.
    info
        The input of the network that they are of.
    settings
        What was asked for.
    """

    inputs: Array
    values: Array
    history: Array
    form: Form
    info: InputInfo
    settings: dict[str, Any]

    @property
    def texts(self) -> list[str]:
        """Sequences as texts: letters, N where no single one is, or words with blanks between.

        Raises
        ------
        InputError
            For images.
        """
        form, flat = self.form, self.inputs.reshape(-1, *self.inputs.shape[self.values.ndim :])
        if isinstance(form, Tokens):
            return [" ".join(map(form.word, row.ravel())) for row in flat.astype(int)]
        if not isinstance(form, Letters):
            raise InputError("Pixels() have no letters: texts are of Letters() and Tokens().")
        codes = form.alphabet(self.info).present(flat)
        return ["".join((form.letters + "N")[code] for code in row) for row in codes]

    def figure(self, columns: int = 6) -> Figure:
        """A picture: images side by side, letters of sequences or words, and the target by step.

        Raises
        ------
        DeepliftEngineError
            If matplotlib is not installed.
        """
        flat = self.inputs.reshape(-1, *self.inputs.shape[self.values.ndim :])
        values, history = self.values.reshape(-1), self.history.reshape(len(self.history), -1)
        form = self.form
        if isinstance(form, Tokens):
            return draw_lines(self.texts, values, history)
        if isinstance(form, Letters):
            codes = form.alphabet(self.info).present(flat)
            rows = (codes[..., np.newaxis] == np.arange(len(form.letters))).astype(float)
            return draw_sequences(rows, values, history, form.letters)
        images = flat[..., np.newaxis] if flat.ndim == 2 else flat
        if self.info.channels != -1:
            images = np.moveaxis(images, self.info.channels, -1)
        if images.ndim == 3:  # of a signal, positions are rows
            images = images[:, :, np.newaxis]
        low, high = (flat.min(), flat.max()) if form.low is None else (form.low, form.high)
        return draw_pictures((images - low) / np.subtract(high, low), values, history, columns)


def maximize(
    network: Network,
    target: Any = "logits",
    *,
    units: Any = None,
    form: Form | None = None,
    x: Any = None,
    samples: int = 1,
    steps: int = 256,
    learning_rate: float | None = None,
    input: str | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Maximised:
    """Grow inputs that make a target large: any unit, channel, or direction of any layer.

    Parameters
    ----------
    network
        The network.
    target
        As for `Network.explainer`: ``"predictions:3"``, a unit; ``"conv::,:,7"``, a channel, added
        over positions; ``"conv"`` with ``units=de.targets.weights(direction)``.
    units
        Of the target's layer, as ``target`` of `Explainer.run`; several, in a list or ``"all"``,
        have inputs of their own.
    form
        `Pixels`, `Letters` or `Tokens`; None: tokens for an input of an embedding, letters where
        it has an axis of four beside a longer one of positions, else pixels.
    x
        Inputs (N, *S) to begin with, as for `Explainer.run`; None: noise, or random sequences.
        Inputs other than the one that is grown stay as they are here, or zeros.
    samples
        How many to grow for each target, where there is no ``x``.
    steps
        Of the ascent, or letters that mutation may change.
    learning_rate
        Of Adam; by default 0.05 for pixels and 0.3 for the others.
    input
        The name of the input that is grown, of several.
    batch_size
        Inputs that are computed together.
    seed
        Of the noise, the sequences to begin with and the movements.
    progress
        A bar, as for `Explainer.run`.

    Returns
    -------
    Maximised
        The best inputs of all steps, the start among them.

    Raises
    ------
    InputError, TargetError
        Where the arguments do not fit the network or each other.
    """
    checked("steps", steps, Integer(1), InputError)
    checked("samples", samples, Integer(1), InputError)
    if learning_rate is not None:
        checked("learning_rate", learning_rate, Number(above=0), InputError)
    info = _input_of(network, input)
    forms = (Pixels, Letters, Tokens)
    made = Instance(forms, "Pixels(...), Letters(...) or Tokens(...) of visualize")
    form = checked("form", _form_of(info) if form is None else form, made, InputError)
    checked("seed", seed, SEED, InputError)
    if isinstance(target, Mapping):
        raise InputError(f"target={target!r}: inputs are grown for one layer; name it alone.")
    layer = form.layer(info) if isinstance(form, Tokens) else info.name
    explainer = network.explainer("gradient", target=target, layers=[layer])
    number = network.inputs.index(info)
    begun = None if x is None else by_input(x, network.inputs, "x", None)[number]
    shape = form.shape(info) if begun is None else tuple(np.shape(begun)[1:])
    request = explainer.request(
        _whole(network, x, number, shape, samples), target=units, batch_size=batch_size
    )
    start = None if begun is None else request.data[number]
    settings = {
        "target": str(explainer.origin.target),
        "units": request.target,
        "form": repr(form),
        "steps": steps,
        "seed": seed,
    }
    if isinstance(form, Letters) and form.by == "mutation":
        found = _mutated(network, explainer.origin.target, form, info, request, start, steps, seed)
    else:
        every = len(request.weights) * request.samples
        again = None if start is None else np.concatenate([start] * len(request.weights))
        rows = [_rows(network, info, layer, shape)] if isinstance(form, Tokens) else []
        grown: Grown = form.grown(info, shape, again, every, seed, *rows)
        rate = learning_rate or (0.05 if isinstance(form, Pixels) else 0.3)
        with bar(steps, progress, " steps") as tick:
            climb = _Climb(explainer, request, number, grown, seed)
            found = climb.climbed(steps, rate, tick)
    inputs, values, history = found
    leading = (len(request.weights), request.samples)[0 if request.stacked else 1 :]
    return Maximised(
        inputs.reshape(*leading, *inputs.shape[1:]),
        values.reshape(leading),
        history.reshape(len(history), *leading),
        form,
        info,
        settings,
    )


class _Climb:
    """Gradient ascent by Adam from one start; every input by itself."""

    def __init__(
        self, explainer: Explainer, request: Request, number: int, grown: Grown, seed: int
    ) -> None:
        targets, count = len(request.weights), request.samples
        shape = request.weights.shape[2:]
        each = np.broadcast_to(request.weights, (targets, count, *shape))
        self.weights = each.reshape(1, targets * count, *shape)
        self.data = [np.concatenate([array] * targets) for array in request.data]
        self.number, self.grown, self.size = number, grown, request.batch_size
        self.forward, self.backward = explainer.values, explainer.backward_pass()
        self.generator = np.random.default_rng([seed, 1])

    def climbed(
        self, steps: int, rate: float, tick: Callable[[int], object]
    ) -> tuple[Array, Array, Array]:
        """The best inputs (M, *S), the target at them (M,) and at all steps (steps + 1, M)."""
        best = self.grown.start().copy()
        values = self._values(best)
        history, top = [values], values.copy()
        if not any(slope.any() for slope in self._slopes()):
            warn(
                "The target has no gradient at the inputs to begin with, as behind a ReLU that is "
                "off everywhere: name what the ReLU reads, LAYER/pre_activation, or give x=.",
                ConvergenceWarning,
            )
        moments = [(np.zeros(p.shape), np.zeros(p.shape)) for p in self.grown.parameters]
        for step in range(1, steps + 1):
            for variable, slope, pair in zip(
                self.grown.parameters, self._slopes(), moments, strict=True
            ):
                variable.assign_add(_adam(pair, slope, step, rate).astype(slope.dtype))
            points = self.grown.inputs(self.grown.points())
            values = self._values(points)
            better = values > top
            best[better], top[better] = points[better], values[better]
            history.append(values)
            tick(1)
        return best, top, np.array(history)

    def _values(self, points: Array) -> Array:
        return np.asarray(self.forward(self._with(points), self.weights, self.size)[0], float)

    def _with(self, points: Array) -> list[Array]:
        data = list(self.data)
        data[self.number] = points.astype(data[self.number].dtype, copy=False)
        return data

    def _slopes(self) -> list[Array]:
        """Of the target less the penalty, by parameter."""
        grown = self.grown
        with tf.GradientTape() as tape:
            points = grown.points()
            seen = grown.varied(points, self.generator)
            with tape.stop_recording():
                result = self.backward(self._with(grown.inputs(seen)), self.weights, self.size)
            gradient = tf.constant(result.multipliers[0][0], seen.dtype)
            gain = tf.reduce_sum(gradient * seen) - grown.penalty(points)
        return [np.asarray(slope) for slope in tape.gradient(gain, grown.parameters)]


def _adam(moments: tuple[Array, Array], slope: Array, step: int, rate: float) -> Array:
    """The step of parameters along their slopes; moments are updated."""
    for moment, decay, power in zip(moments, DECAYS, (1, 2), strict=True):
        moment *= decay
        moment += (1 - decay) * slope.astype(float) ** power
    first, second = (
        moment / (1 - decay**step) for moment, decay in zip(moments, DECAYS, strict=True)
    )
    return np.asarray(rate * first / (np.sqrt(second) + STABILISER))


def _mutated(
    network: Network,
    target: str,
    form: Letters,
    info: InputInfo,
    request: Request,
    start: Array | None,
    steps: int,
    seed: int,
) -> tuple[Array, Array, Array]:
    """The same by the best single changes, one target after the other."""
    number = network.inputs.index(info)
    begun = form.begun(info, request.data[number].shape[1:], start, request.samples, seed)
    data = list(request.data)
    data[number] = form.one_hot(info, begun).astype(data[number].dtype)
    inputs, histories = [], []
    for weights in request.weights:
        each = np.broadcast_to(weights, (request.samples, *weights.shape[1:]))
        result = design(
            network,
            {one.name: array for one, array in zip(network.inputs, data, strict=True)},
            steps,
            constraints=form.constraints,
            target=target,
            units=each,
            letters=form.letters,
            axes=form.axes,
            input=info.name,
            batch_size=request.batch_size,
            progress=False,
        )
        last = np.repeat(result.values[-1:], steps + 1 - len(result.values), axis=0)
        inputs.append(result.sequences)
        histories.append(np.concatenate([result.values, last]))
    history = np.concatenate(histories, axis=1)
    return np.concatenate(inputs), history[-1], history


def _input_of(network: Network, name: str | None) -> InputInfo:
    """The input that is grown.

    Raises
    ------
    InputError
        Where several could be meant, or none.
    """
    fitting = [info for info in network.inputs if name is None or info.name == name]
    if len(fitting) != 1:
        names = [info.name for info in network.inputs]
        raise InputError(f"input={name!r}: name the input to grow, one of {names}.")
    return fitting[0]


def _form_of(info: InputInfo) -> Form:
    """Tokens for an embedding's, letters where sequences could be one-hot, else pixels."""
    if info.table is not None:
        return Tokens()
    rank = len(info.shape)
    sizes = [size for size in info.shape if size != 1]
    is_letters = rank >= 2 and len(sizes) == 2 and 4 in sizes and sizes != [4, 4]
    return Letters() if is_letters else Pixels()


def _rows(network: Network, info: InputInfo, layer: str, shape: tuple[int, ...]) -> Array:
    """The rows (V, D) that an embedding has for its tokens."""
    assert info.table is not None
    count = -(-info.table.rows // int(np.prod(shape)))
    tokens = np.resize(np.arange(info.table.rows), (count, *shape))
    data = {
        one.name: tokens if one is info else np.zeros((count, *(size or 1 for size in one.shape)))
        for one in network.inputs
    }
    embedded = network.activations(data, layer)[layer]
    return np.asarray(embedded.reshape(tokens.size, -1)[: info.table.rows])


def _whole(
    network: Network, x: Any, number: int, shape: tuple[int, ...], samples: int
) -> dict[str, Any]:
    """All inputs of the network by name; those that nothing is said of are zeros."""
    unknown = [None] * len(network.inputs)
    said = unknown if x is None else by_input(x, network.inputs, "x", None)
    count = next((len(array) for array in said if array is not None), samples)
    whole = {}
    for index, (info, array) in enumerate(zip(network.inputs, said, strict=True)):
        own = shape if index == number else tuple(size or 1 for size in info.shape)
        whole[info.name] = np.zeros((count, *own), info.dtype) if array is None else array
    return whole


__all__ = ["Form", "Maximised", "maximize"]
