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

`all` runs every metric of Quantus by one call, and says of each that gives nothing why::

    found = quantus.all(model, x, y, method="integrated_gradients", masks=masks)
    print(found)
    found["FaithfulnessCorrelation"].values
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.evaluate.quantus_inputs import Layout, engine_model, functional, masks_of
from deeplift_engine.evaluate.quantus_suite import (
    CATEGORIES,
    Call,
    QuantusResults,
    Suite,
    settings_of,
)
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.optional import optional
from deeplift_engine.util.options import Integer, checked
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


def all(
    model: Any,
    x: Any,
    targets: Any,
    *,
    masks: Any = None,
    method: str = "deeplift",
    target_layer: str = "logits",
    references: Any = None,
    categories: Iterable[str] = CATEGORIES,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    baseline: float = 0.0,
    draws: int = 10,
    batch_size: int = 64,
    seed: int = 0,
    layers: Mapping[str, Any] | None = None,
    functions: Mapping[str, Any] | None = None,
    **options: Any,
) -> QuantusResults:
    """Every metric of Quantus on the scores of one method.

    Predictions are those of the engine's network at the target's layer, so that curves are of what
    is scored. Scores are added over channels, tables are signals of one channel; scores are
    normalised sample by sample, and what is erased becomes ``baseline``.

    Parameters
    ----------
    model
        A Keras model, or a `Network`, with which metrics that change the model's weights, or read
        its layers, do not run.
    x
        Inputs (N, ...) in the model's layout.
    targets
        A unit of the target's layer for each sample (N,), or one for all.
    masks
        True where the scores should be, (N, *positions); without, localisation is left out.
    method, target_layer, references, layers, functions, options
        As for `explain_func`.
    categories
        Of Quantus, in small letters.
    settings
        Of single metrics, by the names of their classes, such as
        ``{"MaxSensitivity": {"nr_samples": 50}}``.
    baseline
        What replaces the elements that are erased.
    draws
        Random points of metrics that have such.
    batch_size
        Samples that Quantus takes together.
    seed
        Of numpy's global generator, set for each metric; afterwards it is what it was.

    Returns
    -------
    QuantusResults
        Each metric's values, or the reason why there are none.

    Raises
    ------
    InputError, TargetError, RuleError, UnsupportedModelError
        Where what is handed in does not fit the model.
    DeepliftEngineError
        If Quantus is not installed.
    """
    quantus = optional("quantus", "quantus", "quantus")
    draws = checked("draws", draws, Integer(1), InputError)
    chosen = tuple(categories)
    if unknown := sorted(set(chosen) - set(CATEGORIES)):
        raise InputError(f"categories {unknown}: Quantus has {', '.join(CATEGORIES)}.")
    network = _network(model, layers, functions)
    node = network.target_node(target_layer)
    if len(network.nodes[node].shape) != 1:
        raise InputError(
            f"Quantus has models of one row of units; {node!r} has shape "
            f"{network.nodes[node].shape}: name another target_layer."
        )
    shared: dict[str, Any] = {"target_layer": target_layer, "references": references, **options}
    explain = ExplainFunc(network, method=method, **shared)
    layout = Layout.of(np.asarray(x, network.dtype), network.inputs[0])
    units = _units(targets, len(layout.samples))
    if units is None:
        raise TargetError("targets: name a unit for each sample, or one for all.")

    def scored(model: Any, inputs: Any, targets: Any, **others: Any) -> Array:
        return layout.first(explain(None, layout.own(inputs), targets), added=True)

    def forward(inputs: Array) -> Array:
        return np.asarray(network.activations(layout.own(inputs), node, progress=False)[node])

    def again(model: Any, inputs: Any, targets: Any, **others: Any) -> Array:
        how = {"method": method, "layers": layers, "functions": functions, **shared}
        return layout.added(explain_func(model, inputs, targets, **how))

    first = layout.first(layout.samples)
    scores = scored(None, first, units)
    changing: Call | str = "scores copies of the Keras model: give that in place of a network"
    if model is not network:
        changing = Call(
            functional(model.get_model() if hasattr(model, "get_model") else model),
            layout.samples,
            scores[:, 0] if layout.is_table else scores,
            not layout.moved,
            again,
        )
    suite = Suite(
        quantus,
        Call(engine_model(forward), first, scores, True, scored),
        changing,
        units,
        None if masks is None else masks_of(masks, first),
        settings_of(first.shape[1:], network.nodes[node].shape[0] or 1, baseline, draws),
        settings or {},
        batch_size,
        seed,
    )
    return suite.run(chosen)


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
    return len(met) == len(shape) + 1 and not any(
        size not in (None, result) for size, result in zip(shape, met[1:], strict=True)
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
