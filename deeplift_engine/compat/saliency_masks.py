"""A network as the calls of PAIR's saliency take it, and what all masks share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from deeplift_engine.explainers.explainer import Explainer
    from deeplift_engine.network import Network


@dataclass(frozen=True, eq=False)
class ModelFunction:
    """A network as the masks take it, in place of the original's ``call_model_function``.

    Attributes
    ----------
    network
        Of one input.
    target
        The layer that is explained.
    conv_layer
        The layer of Grad-CAM's maps; None takes that of the method.
    """

    network: Network
    target: str = "logits"
    conv_layer: str | None = None
    _explainers: dict[str, Explainer] = field(default_factory=dict, repr=False)

    def scores(
        self, x: Any, args: Any, method: str, options: Mapping[str, Any], **run: Any
    ) -> Array:
        """Scores of one sample, by a method with its options."""
        key = f"{method} {dict(options)}"
        if key not in self._explainers:
            layers = self.conv_layer if method == "grad_cam" else None
            self._explainers[key] = self.network.explainer(
                method, target=self.target, layers=layers, **options
            )
        image = np.asarray(x)[np.newaxis]
        run |= {"target": _unit(args), "progress": False}
        scores: Array = np.asarray(self._explainers[key].run(image, **run).scores)
        return np.asarray(scores[0])


def model_function(
    network: Network, target: str = "logits", conv_layer: str | None = None
) -> ModelFunction:
    """A network as the masks take it; see `ModelFunction`."""
    return ModelFunction(network, target, conv_layer)


class CoreSaliency:
    """A method of masks."""

    def GetMask(self, *arguments: Any, **options: Any) -> Array:
        """The mask of one sample: its value, the model, the unit, and options."""
        raise NotImplementedError

    def GetSmoothedMask(
        self,
        x_value: Any,
        call_model_function: Any,
        call_model_args: Any = None,
        stdev_spread: float = 0.15,
        nsamples: int = 25,
        magnitude: bool = True,
        **options: Any,
    ) -> Array:
        """The mean over noisy copies, the same each time; of squares with ``magnitude``."""
        x = np.asarray(x_value, float)
        draw, spread = np.random.default_rng(0), stdev_spread * np.ptp(x)
        masks = [
            self.GetMask(
                x + draw.normal(0, spread, x.shape), call_model_function, call_model_args, **options
            )
            for _ in range(nsamples)
        ]
        return np.asarray(np.mean(np.square(masks) if magnitude else masks, axis=0))


class MethodMask(CoreSaliency):
    """The scores of a method here, of the shape of the sample."""

    method: ClassVar[str]

    def GetMask(
        self, x_value: Any, call_model_function: Any, call_model_args: Any = None, **options: Any
    ) -> Array:
        """The mask of one sample, by the original's options.

        Raises
        ------
        InputError
            If ``call_model_function`` is none of `model_function`.
        """
        own, run = self.options(np.asarray(x_value), **options)
        model = checked_model(call_model_function)
        return model.scores(x_value, call_model_args, self.method, own, **run)

    def options(self, *arguments: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Options of the method here, and of its run, for a sample and the original's options."""
        return options, {}


def checked_model(function: Any) -> ModelFunction:
    """The function, if it is one of `model_function`."""
    if not isinstance(function, ModelFunction):
        raise InputError(
            f"call_model_function is {type(function).__name__}: give model_function(network), "
            "where network = deeplift_engine.load(...) or convert(model)."
        )
    return function


def _unit(args: Any) -> Any:
    """The unit that ``call_model_args`` name."""
    values = list(args.values()) if isinstance(args, Mapping) else [args]
    if len(values) > 1:
        raise InputError(f"call_model_args={args!r}: give the unit alone, as {{'class_idx': 5}}.")
    return values[0] if values else None


__all__ = ["CoreSaliency", "MethodMask", "ModelFunction", "checked_model", "model_function"]
