"""The calls of DeepExplain over this engine, for models of Keras 3 and tf_keras.

::

    from deeplift_engine.compat.deepexplain import DeepExplain

    with DeepExplain() as de:
        target = keras.Model(model.inputs, model.layers[-2].output)(model.inputs[0])
        scores = de.explain("deeplift", target, model.inputs[0], x, ys=labels)
        explainer = de.get_explainer("intgrad", target, model.inputs[0], steps=200)
        scores = explainer.run(x, ys=labels, batch_size=128)

What is explained is the sum of the target's units, each times its entry of ``ys``. Sessions and
graphs are taken and not read: nothing has to be built within the context.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.engine.targets import weights
from deeplift_engine.errors import DeepliftEngineError, InputError, RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.graph.inputs import by_name
from deeplift_engine.loading import convert
from deeplift_engine.network import Network
from deeplift_engine.references import shared

Options = dict[str, Any]


class ContextError(DeepliftEngineError, RuntimeError):
    """A call outside of a context, or of a method that is not there; a RuntimeError, as before."""


class OptionError(RuleError, AssertionError):
    """An option that a method does not take; an AssertionError, as before."""


@dataclass(frozen=True)
class _Row:
    """A method here, its options by DeepExplain's names, and whether it has a baseline."""

    method: str
    options: Callable[..., Options] = dict
    compares: bool = False


def _integrated(steps: int = 100) -> Options:
    return {"steps": steps, "rule": "right"}


def _epsilon(epsilon: float = 1e-4) -> Options:
    return {"epsilon": epsilon}


def _windows(window_shape: Any = None, step: Any = None) -> Options:
    return {
        "window": 1 if window_shape is None else window_shape,
        "stride": 1 if step is None else step,
    }


def _sampled(samples: int = 5, sampling_dims: Any = None) -> Options:
    return {"samples": samples, "sampling_dims": sampling_dims, "antithetic": False}


METHODS: Mapping[str, _Row] = {
    "zero": _Row("zero"),
    "saliency": _Row("saliency"),
    "grad*input": _Row("gradient_times_input"),
    "intgrad": _Row("integrated_gradients", _integrated, compares=True),
    "elrp": _Row("lrp_epsilon_ratio", _epsilon),
    "deeplift": _Row("deeplift", compares=True),
    "occlusion": _Row("occlusion", _windows),
    "shapley_sampling": _Row("shapley_sampling", _sampled, compares=True),
}
"""DeepExplain's methods, in its order."""


class DeepExplain:
    """The context that explains; ``graph`` and ``session`` are not read."""

    def __init__(self, graph: Any = None, session: Any = None) -> None:
        self.context_on = False
        self._networks: dict[tuple[int, ...], tuple[Network, Any, Any]] = {}

    def __enter__(self) -> DeepExplain:
        self.context_on = True
        return self

    def __exit__(self, *exception: Any) -> None:
        self.context_on = False

    def get_explainer(self, method: str, T: Any, X: Any, **options: Any) -> ExplainerOfTensor:
        """A method compiled for a target and its inputs.

        Parameters
        ----------
        method
            A name of `METHODS`.
        T
            The target, a symbolic tensor of Keras.
        X
            The input, or a list of inputs, that it is computed from.
        options
            ``baseline`` of intgrad, deeplift and shapley_sampling, one sample of each input, by
            default zeros; ``steps``, ``epsilon``, ``window_shape`` and ``step``, ``samples`` and
            ``sampling_dims``.

        Raises
        ------
        ContextError
            Outside of the context, and for a method that is not there.
        OptionError
            For an option that the method does not take.
        """
        if not self.context_on:
            raise ContextError("Explain can be called only within a DeepExplain context.")
        if method not in METHODS:
            raise ContextError(f"Method must be in {list(METHODS)}")
        row = METHODS[method]
        baseline = options.pop("baseline", None)
        if baseline is not None and not row.compares:
            raise OptionError(f"{method} has no baseline; give one to intgrad or deeplift.")
        network = self._network(T, X)
        try:
            made = network.explainer(row.method, target="output", **row.options(**options))
        except (TypeError, RuleError) as error:
            raise OptionError(f"{method}: {error}") from error
        return ExplainerOfTensor(made, isinstance(X, list | tuple), baseline)

    def explain(
        self,
        method: str,
        T: Any,
        X: Any,
        xs: Any,
        ys: Any = None,
        batch_size: int | None = None,
        **options: Any,
    ) -> Any:
        """Scores of ``xs``: see `get_explainer` and `ExplainerOfTensor.run`."""
        return self.get_explainer(method, T, X, **options).run(xs, ys, batch_size)

    def _network(self, target: Any, inputs: Any) -> Network:
        """The network between two tensors, made once for the context."""
        sources = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        key = (id(target), *map(id, sources))
        if key not in self._networks:
            network = convert(_model(sources, target))
            self._networks[key] = network, target, inputs  # whose ids are not used again
        return self._networks[key][0]


@dataclass(frozen=True)
class ExplainerOfTensor:
    """What `DeepExplain.get_explainer` gives."""

    explainer: Explainer
    is_list: bool
    baseline: Any = None

    def run(self, xs: Any, ys: Any = None, batch_size: int | None = None) -> Any:
        """Scores of samples.

        Parameters
        ----------
        xs
            (N, ...), or a list of them where ``X`` was a list.
        ys
            Weights of the target's units, of its shape (N, ...); by default all count once.
        batch_size
            Samples at once.

        Returns
        -------
        ndarray or list of ndarray
            Of the shapes of ``xs``.

        Raises
        ------
        InputError
            If shapes do not fit.
        """
        listed = [np.asarray(x) for x in (xs if self.is_list else [xs])]
        task = self.explainer.task
        units = task.graph.nodes[task.target].shape
        if ys is None and None in units:
            raise InputError(f"The target's units are {units}: give ys, the weights of each.")
        shape = (len(listed[0]), *(size or 1 for size in units))
        values = np.ones(shape) if ys is None else np.asarray(ys, float)
        if values.shape != shape and None not in units:
            raise InputError(f"ys has shape {values.shape}: expected that of the target, {shape}.")
        options: dict[str, Any] = {}
        if self.baseline is not None:
            samples = self.baseline if self.is_list else [self.baseline]
            references = [shared(np.asarray(sample)[np.newaxis]) for sample in samples]
            options["references"] = by_name(references, task.inputs)
        scores = self.explainer.run(
            listed, target=weights(values), batch_size=batch_size, progress=False, **options
        ).scores
        found = list(scores.values()) if isinstance(scores, Mapping) else [scores]
        return found if self.is_list else found[0]


def _model(sources: list[Any], target: Any) -> Any:
    """The Keras model between symbolic tensors."""
    import keras

    legacy = sys.modules.get("tf_keras")
    is_legacy = legacy is not None and type(target).__module__.startswith("tf_keras")
    try:
        if isinstance(target, list | tuple):
            raise TypeError(f"T is a list of {len(target)}: give one tensor.")
        return (legacy if legacy is not None and is_legacy else keras).Model(sources, target)
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            "T and X are no symbolic tensors of one Keras model: give model.output, or that of a "
            f"layer, and model.input. {error}"
        ) from error


__all__ = ["METHODS", "ContextError", "DeepExplain", "ExplainerOfTensor", "OptionError"]
