"""The network beside the saved model: predictions, activations, explainers, checks."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Never

import numpy as np
import tensorflow as tf

from deeplift_conversion import ModelSpec
from deeplift_engine.engine.audit import Audit, audit
from deeplift_engine.engine.block_sizes import pairs_per_block
from deeplift_engine.engine.blocks import slices
from deeplift_engine.engine.forward import traced
from deeplift_engine.engine.joint_task import joint_task
from deeplift_engine.engine.located_targets import layer_and_units
from deeplift_engine.engine.probe_inputs import random_inputs
from deeplift_engine.engine.process import check_process, watch_forks
from deeplift_engine.engine.request import checked_batch_size
from deeplift_engine.engine.task import Task, attribution_point
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.catalogue import create, find
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.other_words import PREDICT, advice_on_predict, refuse
from deeplift_engine.explainers.reference_report import ReferenceReport, report_references
from deeplift_engine.explainers.sweep import SeveralRules, Sweeper
from deeplift_engine.graph.graph import Graph, Node
from deeplift_engine.graph.inputs import arrays, by_name
from deeplift_engine.graph.interface import interface
from deeplift_engine.results.provenance import model_settings
from deeplift_engine.results.sweep_result import Sweep
from deeplift_engine.rules import Rules
from deeplift_engine.translate.build_graph import build
from deeplift_engine.translate.coverage import Coverage, LayerRow, coverage, describe
from deeplift_engine.translate.user_layers import registered_layers
from deeplift_engine.util.owned import owned_values
from deeplift_engine.util.progress import bar
from deeplift_engine.util.typing import Array
from deeplift_engine.util.warn import warn
from deeplift_engine.verify import ModelInMemory, Verification, verify


class Network:
    """A saved model as a graph of attribution layers; created by `load` and `convert`.

    Attributes
    ----------
    graph
        The layers.
    spec
        The specification that was read from the file.
    inputs
        Name, shape and dtype of each input, and the table that it is looked up in.
    dtype
        ``"float32"`` or ``"float64"``.
    known_heads
        Of a model that one of the field's programs saved: what is explained where nothing is named.
    original
        The model in memory that `convert` was given; copies and pickled networks have none.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        layers: Mapping[str, Any] | None = None,
        functions: Mapping[str, Any] | None = None,
        dtype: str = "float32",
        original: ModelInMemory | None = None,
        registered: Mapping[str, Any] | None = None,
    ) -> None:
        watch_forks()
        self.spec = spec
        self.original = original
        self.dtype = dtype
        self._custom: dict[str, Any] = {
            "layers": layers,
            "functions": functions,
            "registered": dict(registered_layers() if registered is None else registered),
        }
        self.built = build(spec, dtype=dtype, **self._custom)
        self.graph = self.built.graph
        self._interface = interface(self.graph, spec, self.built.logits)
        self.inputs, self.known_heads = self._interface.inputs, self._interface.known_heads
        self._forwards: dict[tuple[str, ...], Any] = {}

    def respecified(self, spec: ModelSpec) -> Network:
        """A network of another specification with the same layers, such as other weights."""
        return Network(spec, dtype=self.dtype, **self._custom)

    def __reduce__(self) -> tuple[Any, ...]:
        """What is pickled and copied: the specification with its arrays, and the options."""
        return functools.partial(Network, self.spec, dtype=self.dtype, **self._custom), ()

    @property
    def nodes(self) -> Mapping[str, Node]:
        """Attribution layers by name, in order."""
        return self.graph.nodes

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the nodes whose activations the model returns."""
        return self.graph.outputs

    @property
    def output_names(self) -> tuple[str, ...]:
        """What results call the outputs: their keys in the model's structure, or the nodes."""
        return tuple(self._interface.outputs)

    def __repr__(self) -> str:
        """Source and size."""
        shapes = ", ".join(f"{info.name} {info.shape}" for info in self.inputs)
        return f"<Network of {self.spec.source}: {shapes} → {', '.join(self.output_names)}>"

    def predict(
        self, x: Any, batch_size: int | None = None, progress: bool | None = None, **others: Never
    ) -> Any:
        """The model's outputs (N, ...) on inputs (N, ...).

        In Keras's structure where outputs have keys; else the only array, or several by name.

        Parameters
        ----------
        x
            Array, or one per input: a mapping by name (its key in the model's structure, or else
            the name of its Input layer), or a list where the model's inputs have no keys.
        batch_size, progress, **others
            As for `Explainer.run`.

        Raises
        ------
        InputError
            If the inputs do not fit, or the batch size is no whole number of 1 or more.
        """
        refuse("predict", others, PREDICT, advice_on_predict)
        return self._interface.packed(self.output_arrays(x, batch_size, progress))

    def output_arrays(
        self, x: Any, batch_size: int | None = None, progress: bool | None = None
    ) -> list[Array]:
        """The same arrays as a list, in the order in which Keras flattens the outputs."""
        found = self._activations(x, self.outputs, batch_size, progress)
        return [found[node] for node in self.outputs]

    def activations(
        self,
        x: Any,
        layers: str | Iterable[str],
        batch_size: int | None = None,
        progress: bool | None = None,
    ) -> dict[str, Array]:
        """Activations (N, ...) of layers by name, also of a single one.

        Raises
        ------
        InputError
            If the inputs do not fit, there is no such layer, or none is named.
        """
        nodes = self._interface.names.of_layers(layers)
        found = self._activations(x, nodes.values(), batch_size, progress)
        return {name: found[node] for name, node in nodes.items()}

    def _activations(
        self, x: Any, nodes: Iterable[str], batch_size: int | None, progress: bool | None
    ) -> dict[str, Array]:
        check_process()
        names = tuple(dict.fromkeys(nodes))
        most = checked_batch_size(batch_size) or pairs_per_block(self.graph, names, self.dtype)
        data = arrays(x, self.inputs, self.dtype)
        forward = self._forward(names)
        blocks: list[list[Array]] = []
        with bar(len(data[0]), progress, " samples") as tick:
            for rows in slices(len(data[0]), most):
                blocks.append(list(map(np.asarray, forward(*(tf.constant(a[rows]) for a in data)))))
                tick(rows.stop - rows.start)
        return dict(zip(names, map(np.concatenate, zip(*blocks, strict=True)), strict=True))

    def explainer(
        self,
        method: str = "deeplift",
        *,
        target: Any = "logits",
        layers: str | Sequence[str] | None = None,
        fused: bool | None = None,
        **options: Any,
    ) -> Explainer:
        """A method compiled for this network.

        Parameters
        ----------
        method
            A name of `deeplift_engine.methods`, such as ``"deeplift"`` or ``"occlusion"``.
        target
            ``"logits"``, what a final softmax or sigmoid reads (or the output where there is
            none; all `known_heads`, where the model has such); ``"output"``; or the name of a
            layer (``"layer:output"`` for one that is called like that), or of a known head.
            Its units may follow, as in ``"logcounts:0"``, or come alone, in any form that
            `Explainer.run` takes, which may name others. A mapping of names of your own to
            targets explains several heads in one run: see `Attribution.heads`.
        layers
            Where to score: names of layers, at their outputs. By default the inputs.
        fused
            Compile elementwise work into single kernels; by default on large networks.
        **options
            Of the method: ``deeplift_engine.methods()[method].options``.

        Returns
        -------
        Explainer
            Whose `Explainer.run` scores.

        Raises
        ------
        RuleError, TargetError
            For names that are not known.
        """
        row, options = find(method), owned_values(options)
        explainer = row.create(self.task(target, layers, fused, row.name), options)
        where = {"target": target, "layers": owned_values(layers), "fused": fused}
        explainer.recreate = functools.partial(self.explainer, row.name, **where, **options)
        return explainer

    def sweep(
        self,
        x: Any,
        references: Mapping[str, Any],
        rules: SeveralRules = "rescale",
        *,
        target: Any = None,
        target_layer: str = "logits",
        layers: str | Sequence[str] | None = None,
        max_pooling: str = "exact",
        batch_size: int | None = None,
        strict: bool = False,
        progress: bool | None = None,
    ) -> Sweep:
        """DeepLIFT scores under many references and rules at once, forward passes shared.

        Parameters
        ----------
        x, target, batch_size, strict, progress
            As for `Explainer.run`.
        references
            By names of your own: ``{"zeros": 0, "shuffles": references.dinucleotide_shuffle()}``,
            each as for `Explainer.run`. Scores are means over each kind, with standard errors.
        rules
            A name or several, or rules by names of your own: each as for the method
            ``"deeplift"``.
        target_layer, layers, max_pooling
            As ``target``, ``layers`` and ``max_pooling`` of `explainer`.

        Returns
        -------
        Sweep
            The attribution of each pair of references and rules, and how far they agree.
        """
        target_layer, target = self.located_target(target, target_layer)
        return self.sweeper(rules, target_layer, layers, max_pooling).run(
            x, references, target=target, batch_size=batch_size, strict=strict, progress=progress
        )

    def sweeper(
        self,
        rules: SeveralRules = "rescale",
        target: Any = "logits",
        layers: str | Sequence[str] | None = None,
        max_pooling: str = "exact",
        fused: bool | None = None,
    ) -> Sweeper:
        """A sweep compiled once, to be run many times; see `sweep` and `explainer`."""
        sweeper = Sweeper(self.task(target, layers, fused, "deeplift"), rules, max_pooling)
        where = (target, owned_values(layers), max_pooling, fused)
        sweeper.recreate = functools.partial(self.sweeper, sweeper.rules, *where)
        return sweeper

    def reference_report(
        self,
        x: Any,
        references: Any,
        *,
        target: Any = None,
        target_layer: str = "logits",
        batch_size: int | None = None,
    ) -> ReferenceReport:
        """References beside the inputs: whether they repeat, and the target on them.

        Parameters
        ----------
        x, references, target, batch_size
            As for `Explainer.run`.
        target_layer
            As ``target`` of `explainer`.
        """
        target_layer, target = self.located_target(target, target_layer)
        return report_references(
            self.task(target_layer), x, references, target=target, batch_size=batch_size
        )

    def task(
        self,
        target: Any = "logits",
        layers: str | Sequence[str] | None = None,
        fused: bool | None = None,
        method: str = "",
    ) -> Task:
        """The task of a method; arguments are those of `explainer`."""
        named = self._interface.names.of_layers
        chosen = self.graph.inputs if layers is None else named(layers).values()
        points = tuple(attribution_point(self.graph, name) for name in dict.fromkeys(chosen))
        layer, units = self.located_target(target)
        if isinstance(layer, Mapping):
            return joint_task(layer, lambda one: self.task(one, layers, fused, method))
        node = self.target_node(layer)
        before = self.graph.ancestors([node])
        unreachable = [point.name for point in points if point.node not in before]
        if unreachable and layers is not None:
            raise InputError(f"The target {node!r} does not depend on {unreachable}.")
        at_inputs = tuple(point.node for point in points) == self.graph.inputs
        custom = {each.key: each.label for each in self.built.definitions.values()}
        settings = model_settings(self.spec, self.dtype, custom) | {
            "method": method,
            "target_layer": node,
            "layers": None if at_inputs else [point.name for point in points],
        }
        return Task(
            self.graph,
            self.inputs,
            node,
            points,
            self.dtype,
            create,
            settings,
            fused,
            outputs=self._interface.outputs,
            units=owned_values(units),
            node_of=self._interface.target_node,
        )

    def setup(self, *arguments: Any, **options: Any) -> Task:
        """The former name of `task`."""
        warn("Network.setup is Network.task now.", DeprecationWarning)
        return self.task(*arguments, **options)

    def target_node(self, target: str = "logits") -> str:
        """Name of the node that ``target`` (``"logits"``, ``"output"``, a layer) stands for."""
        return self._interface.target_node(target)

    def located_target(self, target: Any, layer: Any = "logits") -> tuple[Any, Any]:
        """The layer and the units of a target; ``layer`` where it names none."""
        return layer_and_units(target, layer, self.target_node, self.known_heads)

    def describe(self, rules: Rules = "rescale", max_pooling: str = "exact") -> list[LayerRow]:
        """One row per attribution layer: what it is and which rule it gets."""
        return describe(self.nodes, rules, max_pooling)

    def coverage(self, rules: Rules = "rescale", max_pooling: str = "exact") -> Coverage:
        """One row per layer of the file: what it became, exact or approximate, by which rule.

        Of a file that cannot be built: `deeplift_engine.coverage`.
        """
        return coverage(self.spec, self.built, rules, max_pooling)

    def audit(
        self,
        x: Any,
        references: Any = None,
        *,
        target: Any = None,
        rules: Rules = "rescale",
        target_layer: str = "logits",
        max_pooling: str = "exact",
    ) -> Audit:
        """The sum of contributions behind every layer, so that the first to break it is named.

        One pair of input and reference per sample goes back, eagerly; give a few samples.
        """
        target_layer, target = self.located_target(target, target_layer)
        task = self.task(target_layer, fused=False)
        return audit(task.under(task.assigned(rules, max_pooling)), x, references, target)

    def verify(self, x: Any = None) -> Verification:
        """Compare the forward pass with Keras's own: of the file, or of the model in memory.

        Keras is not given a file that holds code (a Lambda), nor one that was replaced since.
        """
        drawn = random_inputs(self.inputs, self.dtype)
        data = by_name(drawn, self.inputs) if x is None else x
        return verify(self.original or self.spec, self.inputs, self.output_arrays, data)

    def _forward(self, names: tuple[str, ...]) -> Any:
        if names not in self._forwards:
            self._forwards[names] = traced(self.graph, names)
        return self._forwards[names]


__all__ = ["Graph", "LayerRow", "Network"]
