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

    def ancestors(self, names: Iterable[str]) -> set[str]:
        """The nodes called ``names`` and everything they depend on."""
        found: set[str] = set(names)
        for node in reversed(list(self.nodes.values())):
            if node.name in found:
                found.update(node.inputs)
        return found

    def descendants(self, names: Iterable[str]) -> set[str]:
        """The nodes called ``names`` and everything that depends on them."""
        found: set[str] = set(names)
        for node in self.nodes.values():
            if not found.isdisjoint(node.inputs):
                found.add(node.name)
        return found

    def on_paths(self, sources: Iterable[str], targets: Iterable[str]) -> set[str]:
        """The nodes on any way from ``sources`` to ``targets``, both included."""
        return self.ancestors(targets) & self.descendants(sources)

    def readers(self) -> dict[str, list[Node]]:
        """The nodes that read each node, once each, in order."""
        found: dict[str, list[Node]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in dict.fromkeys(node.inputs):
                found[name].append(node)
        return found

    def starting_at(self, names: Iterable[str], targets: Iterable[str]) -> Graph:
        """The part behind the nodes called ``names``, which become its inputs.

        ``targets``, all that is wanted of it, are its outputs. Inputs that they need beside
        ``names`` stay inputs.
        """
        roots, ends = tuple(names), tuple(targets)
        nodes = dict(self.nodes)
        for name in roots:
            node = nodes[name]
            nodes[name] = replace(node, layer=Input(node.shape, node.dtype), inputs=())
        needed = Graph(nodes, (), ends).ancestors(ends).union(roots)
        kept = {name: node for name, node in nodes.items() if name in needed}
        rest = tuple(name for name in self.inputs if name in kept and name not in roots)
        return Graph(kept, (*roots, *rest), ends)

    def forward(self, values: Mapping[str, Tensor], wanted: Iterable[str]) -> dict[str, Tensor]:
        """Activations (n, ...) of the ``wanted`` nodes from ``values`` (n, ...) of some."""
        wanted = list(wanted)
        known = dict(values)
        needed = self._missing(known, wanted)
        for node in self.nodes.values():
            if node.name in needed:
                known[node.name] = node.layer.forward(*(known[name] for name in node.inputs))
        return {name: known[name] for name in wanted}

    def _missing(self, known: Mapping[str, Tensor], wanted: Iterable[str]) -> set[str]:
        """The nodes to compute for the ``wanted`` ones."""
        needed = set(wanted) - set(known)
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
        """Multipliers at the ``keep`` nodes of what ``start`` says of the target."""
        arrived = {name: [multiplier] for name, multiplier in start.items()}
        kept = set(keep)
        reach = self.descendants(kept)
        for node in reversed(list(self.nodes.values())):
            if node.name not in arrived or reach.isdisjoint(node.inputs):
                continue
            whole = total(arrived[node.name])
            sent = rules[node.name].cross(node.layer, ends(node), whole)
            if observe is not None:
                now = {name: total(parts) for name, parts in arrived.items()}
                observe(node, now, [total([part]) for part in sent])
            arrived[node.name] = [whole]
            if node.name not in kept:
                del arrived[node.name]
            for name, multiplier in zip(node.inputs, sent, strict=True):
                if name in reach:
                    arrived.setdefault(name, []).append(multiplier)
        return {name: total(arrived[name]) for name in kept if name in arrived}
