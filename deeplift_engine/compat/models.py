"""Converted models: layers, and functions that score at them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deeplift_engine.compat.layers import Activation, Layer
from deeplift_engine.compat.scoring import ScoringFunction
from deeplift_engine.compat.util import compile_func, run_function_in_batches
from deeplift_engine.errors import InputError, TargetError
from deeplift_engine.util.warn import warn

if TYPE_CHECKING:
    from deeplift_engine.explainers.explainer import Explainer
    from deeplift_engine.network import Network
    from deeplift_engine.rules.deeplift.assign import Rules

Wanted = Layer | list[Layer]


class TargetLayerError(TargetError, RuntimeError):
    """The target is an activation; a RuntimeError, as in the original."""


class Model:
    """The common base of the two kinds of converted models.

    Attributes
    ----------
    network
        The engine's network, for everything that the original's calls do not offer.
    """

    def __init__(
        self, network: Network, layers: Sequence[Layer], rules: Rules, max_pooling: str
    ) -> None:
        self.network = network
        self._layers = list(layers)
        self._rules, self._max_pooling = rules, max_pooling
        self._explainers: dict[tuple[tuple[str, ...], str], Explainer] = {}

    def get_layers(self) -> list[Layer]:
        """The layers in order, as the original counts them."""
        return self._layers

    def get_name_to_layer(self) -> OrderedDict[str, Layer]:
        """The layers by name."""
        return OrderedDict((layer.name, layer) for layer in self._layers)

    def get_input_layer_names(self) -> list[str]:
        """Names of the input layers, in the order of ``input_data_list``."""
        by_node = {layer.node: layer.name for layer in self._layers}
        return [by_node[info.name] for info in self.network.inputs]

    def _function(self, kind: str, scored: Wanted, target: Layer) -> ScoringFunction:
        self._check_target(target)
        wanted = scored if isinstance(scored, list) else [scored]
        cuts = tuple(layer.node for layer in wanted)
        if (cuts, target.node) not in self._explainers:
            explainer = self.network.explainer(
                rules=self._rules,
                target=target.node,
                max_pooling=self._max_pooling,
                layers=None if cuts == self.network.graph.inputs else cuts,
            )
            if explainer.task.target != target.node:  # "output" and "logits" are words of their own
                raise TargetLayerError(
                    f"The target layer is called {target.node!r}, which in this engine means "
                    f"{explainer.task.target!r}. Rename the layer and save the model again."
                )
            self._explainers[cuts, target.node] = explainer
        return ScoringFunction(
            self._explainers[cuts, target.node],
            kind,
            list(cuts) if isinstance(scored, list) else cuts[0],
            self.get_input_layer_names(),
        )

    def _prediction_function(self, output: Layer) -> Any:
        inputs = [self.get_name_to_layer()[name] for name in self.get_input_layer_names()]
        compiled = compile_func(inputs, output)

        def predict(
            input_data_list: list[Any], batch_size: int, progress_update: int | None = None
        ) -> Any:
            return run_function_in_batches(
                compiled, input_data_list, batch_size=batch_size, progress_update=progress_update
            )

        return predict

    def _check_target(self, target: Layer) -> None:
        """Refuse an activation, as the original does, and name the layer to take instead."""
        if isinstance(target, Activation):
            index = self._layers.index(target)
            source = self._source(target)
            advice = (
                f"the layer before it, {source.name!r} (index {self._layers.index(source)}, or "
                f"{self._layers.index(source) - len(self._layers)} from the end)"
                if source
                else "the layer before it"
            )
            raise TargetLayerError(
                f"The target layer {target.name!r} (index {index}) is an activation, "
                f"{type(target).__name__}: its saturation would hide contributions. Take {advice}. "
                f"To explain the activation itself: model.network.explainer(target={target.node!r})"
            )
        following = [layer for layer in self._layers if self._source(layer) is target]
        if len(following) == 1 and not isinstance(following[0], Activation):
            warn(
                f"The target layer {target.name!r} is followed by {following[0].name!r}, a "
                f"{type(following[0]).__name__}: check that it is the one you mean. For a model "
                "with a linear output it is the last one, target_layer_idx=-1."
            )

    def _source(self, layer: Layer) -> Layer | None:
        """The layer that ``layer`` reads, if it is only one."""
        by_node = {known.node: known for known in self._layers}
        at = layer.node
        while len(self.network.nodes[at].inputs) == 1:
            at = self.network.nodes[at].inputs[0]
            source = by_node.get(at.removesuffix("/channels_last"))
            if source not in (None, layer):
                return source
        return None


class SequentialModel(Model):
    """A converted Sequential model, whose layers go by their index."""

    def get_target_contribs_func(
        self, find_scores_layer_idx: int | list[int], target_layer_idx: int = -2
    ) -> ScoringFunction:
        """A function that returns contributions at one layer or, for a list, at several."""
        return self._by_index("contribs", find_scores_layer_idx, target_layer_idx)

    def get_target_multipliers_func(
        self, find_scores_layer_idx: int | list[int], target_layer_idx: int = -2
    ) -> ScoringFunction:
        """A function that returns multipliers at one layer or, for a list, at several."""
        return self._by_index("multipliers", find_scores_layer_idx, target_layer_idx)

    def get_prediction_function(self, input_layer_idx: int, output_layer_idx: int) -> Any:
        """A function from inputs to the activation of a layer; ``input_layer_idx`` is 0."""
        if not self._layers[input_layer_idx].node == self.network.inputs[0].name:
            raise InputError(f"input_layer_idx={input_layer_idx} is no input; it is 0.")
        return self._prediction_function(self._at(output_layer_idx))

    def _by_index(self, kind: str, scored: int | list[int], target: int) -> ScoringFunction:
        wanted: Wanted = (
            [self._at(index) for index in scored] if isinstance(scored, list) else self._at(scored)
        )
        return self._function(kind, wanted, self._at(target))

    def _at(self, index: int) -> Layer:
        try:
            return self._layers[index]
        except IndexError as error:
            raise InputError(
                f"There is no layer {index}; the model has {len(self._layers)}: "
                + ", ".join(f"{i} {layer.name}" for i, layer in enumerate(self._layers))
            ) from error


class GraphModel(Model):
    """A converted Functional model, whose layers go by name."""

    def get_target_contribs_func(
        self, find_scores_layer_name: str | list[str], pre_activation_target_layer_name: str
    ) -> ScoringFunction:
        """A function that returns contributions at one layer or, for a list, at several."""
        return self._by_name("contribs", find_scores_layer_name, pre_activation_target_layer_name)

    def get_target_multipliers_func(
        self, find_scores_layer_name: str | list[str], pre_activation_target_layer_name: str
    ) -> ScoringFunction:
        """A function that returns multipliers at one layer or, for a list, at several."""
        return self._by_name(
            "multipliers", find_scores_layer_name, pre_activation_target_layer_name
        )

    def get_prediction_function(self, input_layer_names: list[str], output_layer_name: str) -> Any:
        """A function from all inputs to the activation of a layer."""
        if list(input_layer_names) != self.get_input_layer_names():
            raise InputError(
                f"input_layer_names={input_layer_names}: give all inputs in the model's order, "
                f"{self.get_input_layer_names()}."
            )
        return self._prediction_function(self._named(output_layer_name))

    def _by_name(self, kind: str, scored: str | list[str], target: str) -> ScoringFunction:
        wanted: Wanted = (
            [self._named(name) for name in scored]
            if isinstance(scored, list)
            else self._named(scored)
        )
        return self._function(kind, wanted, self._named(target))

    def _named(self, name: str) -> Layer:
        layers: Mapping[str, Layer] = self.get_name_to_layer()
        if name not in layers:
            raise InputError(f"There is no layer {name!r}. The layers: {', '.join(layers)}.")
        return layers[name]
