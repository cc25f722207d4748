"""The engine as the ``explain_func`` of Quantus, which need not be installed.

Quantus calls ``explain_func(model=, inputs=, targets=, **explain_func_kwargs)`` and wants scores of
the inputs' shape. Its batches may have channels first, whatever the model's layout, and in some
metrics they are of one sample with a single target::

    metric(model=model, x_batch=x, y_batch=y, explain_func=quantus.explain_func,
           explain_func_kwargs={"method": "deeplift", "rules": "reveal_cancel"})

Of Keras models Quantus 0.6 hands in what they take, channels last, but compares scores with inputs
that have channels first. Where there are several channels, say ``"sum_channels": True``; metrics
that perturb by the order of scores, such as its FaithfulnessCorrelation, need scores made before,
with channels first: ``a_batch=``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.network import Network

OTHERS = ("device", "softmax", "channel_first")
"""Further arguments that Quantus or its users may pass."""


class ExplainFunc:
    """An ``explain_func`` that compiles once, for models whose weights do not change.

    Parameters
    ----------
    network
        From `load` or `convert`. The model that Quantus hands in is then not looked at, so that it
        may be of a library that this one knows nothing of.
    method, target_layer, references, absolute, sum_channels, options
        As for `explain_func`.
    """

    def __init__(
        self,
        network: Network,
        *,
        method: str = "deeplift",
        target_layer: str = "logits",
        references: Any = None,
        absolute: bool = False,
        sum_channels: bool = False,
        **options: Any,
    ) -> None:
        if len(network.inputs) > 1:
            raise InputError(
                f"Quantus has models of one input; this one has "
                f"{[info.name for info in network.inputs]}."
            )
        self.network, self.references = network, references
        self.absolute, self.sum_channels = absolute, sum_channels
        self._runner = network.explainer(method, target=target_layer, **options)

    def __call__(self, model: Any, inputs: Any, targets: Any, **others: Any) -> Array:
        """Scores of ``inputs``; arguments and errors are those of `explain_func`."""
        _known(others)
        samples = np.asarray(inputs)
        info = self.network.inputs[0]
        moved = _has_channels_first(samples, info, others.get("channel_first"))
        compared = self._runner.traits.uses_references
        result = self._runner.run(
            np.moveaxis(samples, 1, -1) if moved else samples,
            target=_units(targets, len(samples)),
            references=self.references if compared else None,
            progress=False,
        )
        scores = np.asarray(result.scores)
        if self.sum_channels and scores.ndim == samples.ndim:
            scores = scores.sum(axis=-1)
        scores = np.abs(scores) if self.absolute else scores
        return np.moveaxis(scores, -1, 1) if moved and scores.ndim == samples.ndim else scores


def explain_func(
    model: Any,
    inputs: Any,
    targets: Any,
    *,
    method: str = "deeplift",
    target_layer: str = "logits",
    references: Any = None,
    absolute: bool = False,
    sum_channels: bool = False,
    layers: Mapping[str, Any] | None = None,
    functions: Mapping[str, Any] | None = None,
    device: Any = None,
    softmax: Any = None,
    channel_first: bool | None = None,
    **options: Any,
) -> Array:
    """Scores of inputs, in the form that Quantus expects.

    The model is converted, and the method compiled, at each call, so that weights that Quantus
    changes in place are those that are explained. Where they do not change, `ExplainFunc` saves
    that time.

    Parameters
    ----------
    model
        A Keras model, what Quantus wraps one in, or a `Network`.
    inputs
        (N, ...), in the layout of the model or with its channels first.
    targets
        A unit for each sample (N,), or one for all.
    method, options
        A name of `deeplift_engine.methods` and its options.
    target_layer
        As ``target`` of `Network.explainer`.
    references
        As for `Explainer.run`, in the model's layout.
    absolute
        Whether to give magnitudes.
    sum_channels
        Whether to add the scores of an input's last axis, and give none for it.
    layers, functions
        As for `convert`.
    device, softmax
        Of Quantus, and without meaning here.
    channel_first
        Whether ``inputs`` have channels first; None finds it by their shape.

    Returns
    -------
    array
        Scores of the shape of ``inputs``, or without their channels.

    Raises
    ------
    InputError, TargetError, RuleError, UnsupportedModelError
        Where what is handed in does not fit the model.
    """
    explain = ExplainFunc(
        _network(model, layers, functions),
        method=method,
        target_layer=target_layer,
        references=references,
        absolute=absolute,
        sum_channels=sum_channels,
        **options,
    )
    return explain(model, inputs, targets, channel_first=channel_first)


def _known(others: Mapping[str, Any]) -> None:
    unknown = sorted(set(others) - set(OTHERS))
    if unknown:
        raise InputError(
            f"explain_func was called with {unknown}: a method's options are given to ExplainFunc, "
            "when it is made."
        )


def _network(model: Any, layers: Any, functions: Any) -> Network:
    from deeplift_engine.loading import convert
    from deeplift_engine.network import Network

    if isinstance(model, Network):
        return model
    inner = model.get_model() if hasattr(model, "get_model") else model
    return convert(inner, layers=layers, functions=functions)


def _has_channels_first(samples: Array, info: InputInfo, channels_first: bool | None) -> bool:
    """Whether inputs have their channels first where the model has them last."""
    fits = _fits(samples.shape, info.shape)
    moved = samples.ndim > 2 and _fits(
        (len(samples), *samples.shape[2:], samples.shape[1]), info.shape
    )
    if channels_first is not True and fits:
        return False
    if channels_first is not False and moved:
        return True
    wanted = ", ".join("any" if size is None else str(size) for size in info.shape)
    raise InputError(
        f"Inputs of shape {samples.shape} are neither (samples, {wanted}) nor that with channels "
        f"first{'' if channels_first is None else f', as channel_first={channels_first} says'}."
    )


def _fits(met: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    return len(met) == len(shape) + 1 and all(
        size is None or size == result for size, result in zip(shape, met[1:], strict=True)
    )


def _units(targets: Any, samples: int) -> Any:
    """One unit for each sample, or any target of the engine where Quantus passes none."""
    if targets is None:
        return None
    units = np.asarray(targets)
    if units.dtype.kind == "f" and np.array_equal(units, units.round()):
        units = units.astype(int)
    if units.dtype.kind not in "iu" or units.size not in (1, samples):
        raise TargetError(
            f"targets are one unit for each of {samples} samples, or one for all: whole numbers, "
            f"not {units.dtype} of shape {units.shape}."
        )
    return np.broadcast_to(units.reshape(-1), (samples,))
