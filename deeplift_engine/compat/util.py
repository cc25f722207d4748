"""The original's ``deeplift.util``: helpers for models and scoring functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from deeplift_engine.compat.enumeration import enum
from deeplift_engine.compat.hypothetical import get_hypothetical_contribs_func_onehot
from deeplift_engine.compat.layers import Layer
from deeplift_engine.compat.shuffled import get_shuffle_seq_ref_function
from deeplift_engine.errors import InputError
from deeplift_engine.util.options import Integer, checked
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array


def compile_func(
    inputs: Layer | Sequence[Layer], outputs: Layer | Sequence[Layer]
) -> Callable[[Any], Any]:
    """A function from input arrays to activations of layers.

    Parameters
    ----------
    inputs
        What ``get_activation_vars()`` of every input layer of the model gives.
    outputs
        The same of the layer, or of several, whose activations are wanted.

    Returns
    -------
    callable
        Takes one array (N, ...) per input, as a list; gives an array, or a list of arrays.

    Raises
    ------
    InputError
        If ``inputs`` are not the inputs of the model.
    """
    sources = [inputs] if isinstance(inputs, Layer) else list(inputs)
    wanted = [outputs] if isinstance(outputs, Layer) else list(outputs)
    network = wanted[0].network
    names = [layer.node for layer in sources]
    if sorted(names) != sorted(info.name for info in network.inputs):
        raise InputError(
            f"compile_func starts from {names}; it must be the model's inputs, "
            f"{[info.name for info in network.inputs]}."
        )

    def activations(arrays: Any) -> Any:
        listed = [arrays] if isinstance(arrays, np.ndarray) else list(arrays)
        if len(listed) > len(names) == 1:
            listed = [np.asarray(arrays)]
        activation_of = network.activations(
            dict(zip(names, listed, strict=True)),
            [layer.node for layer in wanted],
            batch_size=len(listed[0]),
            progress=False,
        )
        values = [
            activation_of[layer.node][... if layer.units is None else layer.units]
            for layer in wanted
        ]
        return values[0] if isinstance(outputs, Layer) else values

    return activations


def run_function_in_batches(
    func: Callable[[Any], Any],
    input_data_list: list[Any],
    learning_phase: Any = None,
    batch_size: int = 10,
    progress_update: int | None = 1000,
    multimodal_output: bool = False,
) -> Any:
    """Call a function on slices of its inputs and join the results.

    Parameters
    ----------
    func
        Takes a list with one array per input, gives an array, or a list of arrays if
        ``multimodal_output``.
    input_data_list
        One array (N, ...) per input.
    learning_phase
        Appended to the list where it is not None.
    batch_size
        Samples in a slice.
    progress_update
        None for no progress bar; any number for one where stderr is a terminal.
    multimodal_output
        See ``func``.

    Returns
    -------
    ndarray or list of ndarray
    """
    checked("batch_size", batch_size, Integer(1), InputError)
    extra = [] if learning_phase is None else [learning_phase]
    samples, blocks = len(input_data_list[0]), []
    with bar(samples, False if progress_update is None else None, " samples") as tick:
        for start in range(0, samples, batch_size):
            rows = slice(start, min(start + batch_size, samples))
            blocks.append(func([array[rows] for array in input_data_list] + extra))
            tick(rows.stop - start)
    if multimodal_output:
        return [np.concatenate(several) for several in zip(*blocks, strict=True)]
    return np.concatenate([np.asarray(block) for block in blocks])


def get_integrated_gradients_function(
    gradient_computation_function: Callable[..., Any], num_intervals: int
) -> Callable[..., Any]:
    """Integrated gradients from a function that returns gradients.

    Parameters
    ----------
    gradient_computation_function
        What ``get_target_multipliers_func`` of a model with ``NonlinearMxtsMode.Gradient``
        gives, or any function with the same parameters.
    num_intervals
        Into how many the straight path from reference to input is cut; gradients are taken at
        their midpoints.

    Returns
    -------
    callable
        ``f(task_idx, input_data_list, input_references_list, batch_size, progress_update=None)``
        gives the mean gradient times the difference, ``(N, ...)``; a list where the model has
        several inputs, all of which the gradients must then be for.
    """

    def integrated_gradients(
        task_idx: Any,
        input_data_list: list[Any],
        input_references_list: list[Any],
        batch_size: int | None = None,
        progress_update: int | None = None,
    ) -> Any:
        inputs = [np.asarray(array) for array in input_data_list]
        starts = [
            np.broadcast_to(np.asarray(reference), array.shape)
            for reference, array in zip(input_references_list, inputs, strict=True)
        ]
        deltas = [array - start for array, start in zip(inputs, starts, strict=True)]
        total: list[Any] = [0.0] * len(inputs)
        for interval in range(num_intervals):
            share = (interval + 0.5) / num_intervals
            gradients = gradient_computation_function(
                task_idx=task_idx,
                input_data_list=[
                    start + share * delta for start, delta in zip(starts, deltas, strict=True)
                ],
                input_references_list=input_references_list,
                batch_size=batch_size,
                progress_update=progress_update,
            )
            listed = _one_per_input(gradients, inputs)
            total = [s + g for s, g in zip(total, listed, strict=True)]
        scores = [s / num_intervals * delta for s, delta in zip(total, deltas, strict=True)]
        return scores if len(inputs) > 1 else scores[0]

    return integrated_gradients


def _one_per_input(gradients: Any, inputs: list[Array]) -> list[Array]:
    if len(inputs) > 1:
        return [np.asarray(gradient) for gradient in gradients]
    gradient = np.asarray(gradients)
    is_listed = isinstance(gradients, list) and len(gradients) == 1
    return [gradient[0] if is_listed and gradient.ndim > inputs[0].ndim else gradient]


def in_place_shuffle(arr: Any, rng: Any = None) -> Any:
    """Put the elements of a list, or the rows of an array, in random order, and return it."""
    order = (rng or np.random.default_rng()).permutation(len(arr))
    arr[:] = [copy(arr[index]) for index in order]  # rows of an array are views of it
    return arr


def randomly_shuffle_seq(seq: str, rng: Any = None) -> str:
    """The letters of a text in random order."""
    return "".join(in_place_shuffle(list(seq), rng))


def mean_normalise_weights_for_sequence_convolution(
    weights: Any, bias: Any, axis_of_normalisation: int, dim_ordering: str
) -> tuple[Array, Array]:
    """Kernel and bias that give the same on one-hot sequences, and sum to 0 over the letters.

    What the mean over the letters gives at every position of the kernel goes into the bias. Where
    a convolution pads with zeros, outputs at the ends change.

    Parameters
    ----------
    weights
        The kernel.
    bias
        One number for each of its channels.
    axis_of_normalisation
        The axis of the letters.
    dim_ordering
        ``"th"`` where the first axis is that of the output's channels, ``"tf"`` where the last is.

    Raises
    ------
    InputError
        For another ordering.
    """
    if dim_ordering not in ("th", "tf"):
        raise InputError(f"dim_ordering={dim_ordering!r}: it is 'th' or 'tf'.")
    kernel = np.asarray(weights)
    means = kernel.mean(axis=axis_of_normalisation, keepdims=True)
    channels = 0 if dim_ordering == "th" else kernel.ndim - 1
    others = tuple(axis for axis in range(kernel.ndim) if axis != channels)
    return kernel - means, np.asarray(bias) + means.sum(axis=others)


def mean_normalise_rnn_weights(weights: Any, bias: Any) -> tuple[Array, Array]:
    """The same of the kernel (4, units) of a recurrent layer that reads letters."""
    return mean_normalise_weights_for_sequence_convolution(weights, bias, 0, "tf")


def get_mean_normalised_softmax_weights(weights: Any, biases: Any) -> tuple[Array, Array]:
    """Kernel (inputs, classes) and bias before a softmax, which gives the same of both."""
    kernel, offsets = np.asarray(weights), np.asarray(biases)
    return kernel - kernel.mean(axis=1, keepdims=True), offsets - offsets.mean()


__all__ = [
    "compile_func",
    "enum",
    "get_hypothetical_contribs_func_onehot",
    "get_integrated_gradients_function",
    "get_mean_normalised_softmax_weights",
    "get_shuffle_seq_ref_function",
    "in_place_shuffle",
    "mean_normalise_rnn_weights",
    "mean_normalise_weights_for_sequence_convolution",
    "randomly_shuffle_seq",
    "run_function_in_batches",
]
