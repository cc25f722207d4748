"""What users call a node: the name of its layer, or its key among a model's inputs or outputs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from deeplift_engine.errors import InputError
from deeplift_engine.util.options import shown

FEW = 20
"""Names that an error lists."""
LAYER, INPUT, OUTPUT = "layer:", "input:", "output:"
"""In front of a name, where a name alone could be a layer's and a key."""


def displaced(nodes: Collection[str], layers: Mapping[str, str]) -> dict[str, str]:
    """Return other names for nodes whose own name is the key of an input.

    Parameters
    ----------
    nodes
        Names of all nodes, those of inputs as their Input layers are called.
    layers
        Name of the Input layer by key.
    """
    inputs = set(layers.values())
    renamed = {layer: key for key, layer in layers.items()}
    for name in nodes:
        if name in layers and name not in inputs:
            renamed[name] = LAYER + name
    return renamed


@dataclass(frozen=True)
class Names:
    """The names of a network's nodes.

    Attributes
    ----------
    nodes
        All nodes, by their own names: inputs by their keys.
    inputs
        Node of an input by the name of its Input layer.
    outputs
        Node of an output by its key or name.
    """

    nodes: Collection[str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    def node(self, name: str, error: type[Exception], *, target: bool = False) -> str:
        """Return the node called ``name``.

        Parameters
        ----------
        name
            A layer's name, the key of an input or an output; with ``layer:``, ``input:`` or
            ``output:`` in front where it could be two of these.
        error
            The class of what is raised.
        target
            True where an output is meant rather than an input of the same name.
        """
        if not isinstance(name, str):
            own = getattr(name, "name", None)
            advice = f"give {own!r}" if isinstance(own, str) else "give its name"
            raise error(f"A layer is told by its name, not by {shown(name)}: {advice}.")
        met = {LAYER: self._layer(name), INPUT: self._input(name), OUTPUT: self.outputs.get(name)}
        if target and met[OUTPUT] is not None and name in self.inputs.values():
            met[INPUT] = None
            if self.inputs.get(name) == met[LAYER]:
                met[LAYER] = None
        elif not target and (met[LAYER] or met[INPUT]):
            met[OUTPUT] = None
        choices = {kind: node for kind, node in met.items() if node is not None}
        if len(set(choices.values())) > 1:
            ways = " or ".join(f"{kind + name!r} ({node})" for kind, node in choices.items())
            raise error(f"{name!r} is the key of one thing and the name of another: say {ways}.")
        if choices:
            return next(iter(choices.values()))
        for kind, find in ((LAYER, self._layer), (INPUT, self._input), (OUTPUT, self.outputs.get)):
            if name.startswith(kind) and (node := find(name.removeprefix(kind))) is not None:
                return node
        known = list(dict.fromkeys([*self.nodes, *self.inputs, *self.outputs]))
        near = difflib.get_close_matches(name, known, n=3) or list(self.nodes)
        more = f" and {len(near) - FEW} more" if len(near) > FEW else ""
        raise error(f"There is no layer {name!r}. Near it: {', '.join(near[:FEW])}{more}.")

    def of_layers(self, layers: str | Iterable[str]) -> dict[str, str]:
        """Return the nodes of layers, by the names that the user calls them by.

        Raises
        ------
        InputError
            If there is no such layer, or none is named.
        """
        names = layers if isinstance(layers, Iterable) and not isinstance(layers, str) else [layers]
        nodes = {name: self.node(name, InputError) for name in names}
        if not nodes:
            raise InputError("layers=[] names no layer; give the names of one or more.")
        return nodes

    def _layer(self, name: str) -> str | None:
        if name in self.inputs:
            return self.inputs[name]
        if LAYER + name in self.nodes:
            return LAYER + name
        return name if name in self.nodes and name not in self.inputs.values() else None

    def _input(self, name: str) -> str | None:
        return name if name in self.inputs.values() else None


__all__ = ["Names", "displaced"]
