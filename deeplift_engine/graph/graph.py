"""The network as a graph of attribution layers, and its two walks.

Neither walk knows any layer: forward calls each node in order; backward takes what arrived
at a node, asks the node's rule and adds what it sends to the nodes it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from deeplift_engine.layers import Input, Layer
from deeplift_engine.rules.rule import Ends, Multiplier, Rule, total
from deeplift_engine.util.typing import Tensor


@dataclass(frozen=True)
class Node:
    """One attribution layer in its place.

    Attributes
    ----------
    name
        Unique. Where one Keras layer becomes several nodes, the last one has the layer's
        name and the others a suffix, such as ``"dense_1/pre_activation"``.
    layer
        The attribution layer.
    inputs
        Names of the nodes it reads.
    shape
        Shape of its output without batch axis, None where free.
    dtype
        Of its output: the network's, or that of tokens (integers, booleans).
    class_name, keras_layer
        Of the Keras layer it stands for.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    shape: tuple[int | None, ...]
    dtype: str
    class_name: str
    keras_layer: str

    @property
    def tokens(self) -> bool:
        """Whether its output are integers or booleans, whose differences mean nothing."""
        return not self.dtype.startswith("float")


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order, and the names of those where data enter and leave."""

    nodes: Mapping[str, Node]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def poles(self) -> list[Node]:
        """The nodes whose value or slope may be infinite or no number."""
        return [node for node in self.nodes.values() if node.layer.core.singular]

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """The nodes called ``names`` and everything they depend on."""
        reached = set(names)
        for node in reversed(list(self.nodes.values())):
            if node.name in reached:
                reached.update(node.inputs)
        return reached

    def descendants(self, names: Iterable[str]) -> set[str]:
        """The nodes called ``names`` and everything that depends on them."""
        reached = set(names)
        for node in self.nodes.values():
            if not reached.isdisjoint(node.inputs):
                reached.add(node.name)
        return reached

    def on_paths(self, sources: Iterable[str], targets: Iterable[str]) -> set[str]:
        """The nodes on any way from ``sources`` to ``targets``, both included."""
        return self.ancestors(targets) & self.descendants(sources)

    def masks_beside(self, names: Iterable[str]) -> tuple[list[str], list[str]]:
        """What nodes behind those called ``names`` read beside them: masks, and all else.

        A mask is what inputs reach through conditions on them alone.
        """
        behind = self.descendants(names)
        open_ways = set(self.inputs) - behind
        read: set[str] = set()
        for node in self.nodes.values():
            if node.name in behind:
                read.update(node.inputs)
            elif not node.layer.core.is_condition and not open_ways.isdisjoint(node.inputs):
                open_ways.add(node.name)
        beside = sorted(read - behind)
        return (
            [name for name in beside if name not in open_ways],
            [name for name in beside if name in open_ways],
        )

    def readers(self) -> dict[str, list[Node]]:
        """The nodes that read each node, once each, in order."""
        readers: dict[str, list[Node]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in dict.fromkeys(node.inputs):
                readers[name].append(node)
        return readers

    def starting_at(self, names: Iterable[str], targets: Iterable[str]) -> Graph:
        """The graph from the nodes called ``names``, its new inputs, to its outputs ``targets``.

        Inputs that the targets need beside ``names`` stay inputs.
        """
        roots, ends = tuple(names), tuple(targets)
        nodes = dict(self.nodes)
        for name in roots:
            node = nodes[name]
            nodes[name] = replace(node, layer=Input(node.shape, node.dtype), inputs=())
        needed = Graph(nodes, (), ends).ancestors(ends).union(roots)
        reached = {name: node for name, node in nodes.items() if name in needed}
        rest = tuple(name for name in self.inputs if name in reached and name not in roots)
        return Graph(reached, (*roots, *rest), ends)

    def forward(self, values: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """Activations (n, ...) of the nodes called ``names`` from ``values`` (n, ...) of some."""
        names = list(names)
        known = dict(values)
        needed = self._missing(known, names)
        for node in self.nodes.values():
            if node.name in needed:
                known[node.name] = node.layer.forward(*(known[name] for name in node.inputs))
        return {name: known[name] for name in names}

    def _missing(self, known: Mapping[str, Tensor], names: Iterable[str]) -> set[str]:
        """The nodes to compute for the nodes called ``names``."""
        needed = set(names) - set(known)
        for node in reversed(list(self.nodes.values())):
            if node.name in needed:
                needed.update(name for name in node.inputs if name not in known)
        return needed

    def backward(
        self,
        start: Mapping[str, Multiplier],
        keep: Iterable[str],
        rules: Mapping[str, Rule],
        ends: Callable[[Node], Ends],
        observe: Callable[[Node, Mapping[str, Multiplier], list[Multiplier]], None] | None = None,
    ) -> dict[str, Multiplier]:
        """Multipliers at the nodes called ``keep``, from those of the target's at ``start``."""
        arrived = {name: [multiplier] for name, multiplier in start.items()}
        names = set(keep)
        reach = self.descendants(names)
        for node in reversed(list(self.nodes.values())):
            if node.name not in arrived or reach.isdisjoint(node.inputs):
                continue
            multiplier = total(arrived[node.name])
            sent = rules[node.name].cross(node.layer, ends(node), multiplier)
            if observe is not None:
                now = {name: total(several) for name, several in arrived.items()}
                observe(node, now, [total([each]) for each in sent])
            arrived[node.name] = [multiplier]
            if node.name not in names:
                del arrived[node.name]
            for name, each in zip(node.inputs, sent, strict=True):
                if name in reach:
                    arrived.setdefault(name, []).append(each)
        return {name: total(arrived[name]) for name in names if name in arrived}
