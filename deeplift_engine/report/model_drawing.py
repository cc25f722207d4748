"""The layers of a model as a drawing: boxes in rows by their depth, and lines between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.util.jsonable import plain

if TYPE_CHECKING:
    from deeplift_engine.network import Network

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 208, 54, 22, 30, 10
LONGEST = 26
"""Characters of a name in its box."""
_MANY_NUMBERS = 20


@dataclass(frozen=True)
class Box:
    """A layer of the drawing.

    Attributes
    ----------
    name, class_name, shape, status, rule
        As `CoverageRow` has them; the shape and the rules in words.
    x, y
        Its upper left corner.
    facts
        What it opens to: names and texts.
    """

    name: str
    class_name: str
    shape: str
    status: str
    rule: str
    x: float
    y: float
    facts: list[tuple[str, str]]

    @property
    def short(self) -> str:
        """The name as far as it fits."""
        return self.name if len(self.name) <= LONGEST else f"{self.name[: LONGEST - 1]}…"


@dataclass(frozen=True)
class Drawing:
    """A model's boxes and lines; a line is a path of SVG."""

    source: str
    width: float
    height: float
    boxes: list[Box]
    lines: list[str]
    counts: dict[str, int]

    @property
    def longest(self) -> int:
        """For a template: how many layers there are."""
        return len(self.boxes)


def draw_model(network: Network, settings: Mapping[str, Any]) -> Drawing:
    """Lay out a network as a report draws it.

    Parameters
    ----------
    network
        The network that was scored.
    settings
        Of the run: the rules of each layer are those that it names.
    """
    pooling = (settings.get("options") or {}).get("max_pooling", "exact")
    coverage = network.coverage(rules_of(settings), pooling)
    parents = _parents(network)
    rows = [row for row in coverage.rows if row.layer in parents]
    places = _places({row.layer: parents[row.layer] for row in rows})
    boxes = [
        Box(
            row.layer,
            row.class_name,
            "?" if row.shape is None else " × ".join(_size(size) for size in row.shape) or "one",
            row.status,
            ", ".join(row.rules),
            *places[row.layer],
            _facts(network, row),
        )
        for row in rows
    ]
    lines = [
        _line(places[parent], places[child])
        for child in places
        for parent in parents[child]
        if parent in places
    ]
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    across = max((x for x, _ in places.values()), default=0) + WIDTH + MARGIN
    down = max((y for _, y in places.values()), default=0) + HEIGHT + MARGIN
    return Drawing(coverage.source, across, down, boxes, lines, counts)


def rules_of(settings: Mapping[str, Any]) -> Any:
    """The rules of a run: a name, or pairs that JSON made lists of."""
    rules = (settings.get("options") or {}).get("rules", "rescale")
    return [tuple(pair) for pair in rules] if isinstance(rules, list) else str(rules)


def _parents(network: Network) -> dict[str, list[str]]:
    """The layers that each layer reads, in the order in which layers are first called."""
    spec = network.spec
    layer_of = {node.name: node.layer for node in spec.nodes}
    parents: dict[str, list[str]] = {}
    for node in spec.nodes:
        own = parents.setdefault(node.layer, [])
        read = [ref.node for ref in node.inputs]
        read += [ref.node for ref in _tensors(node.arguments)]
        own += [layer_of[each] for each in read if layer_of[each] not in (*own, node.layer)]
    return parents


def _tensors(value: Any) -> list[Any]:
    """References to tensors among the arguments of a call."""
    if hasattr(value, "node") and hasattr(value, "index"):
        return [value]
    if isinstance(value, Mapping):
        return [each for inner in value.values() for each in _tensors(inner)]
    if isinstance(value, list | tuple):
        return [each for inner in value for each in _tensors(inner)]
    return []


def _places(parents: Mapping[str, list[str]]) -> dict[str, tuple[float, float]]:
    """Corners of boxes: a row for each depth, within it near the middle of what a box reads."""
    depth: dict[str, int] = {}
    for name, read in parents.items():
        depth[name] = 1 + max((depth[each] for each in read if each in depth), default=-1)
    rows: dict[int, list[str]] = {}
    for name in parents:
        rows.setdefault(depth[name], []).append(name)
    widest = max((len(row) for row in rows.values()), default=1)
    middle = MARGIN + (widest * (WIDTH + GAP_X) - GAP_X) / 2
    places: dict[str, tuple[float, float]] = {}
    for level in sorted(rows):
        wanted = {
            name: np.mean([places[each][0] for each in parents[name] if each in places] or [middle])
            for name in rows[level]
        }
        ordered = sorted(rows[level], key=lambda name: (float(wanted[name]), name))
        first = middle - (len(ordered) * (WIDTH + GAP_X) - GAP_X) / 2
        for number, name in enumerate(ordered):
            places[name] = (first + number * (WIDTH + GAP_X), MARGIN + level * (HEIGHT + GAP_Y))
    return places


def _line(parent: tuple[float, float], child: tuple[float, float]) -> str:
    x0, y0 = parent[0] + WIDTH / 2, parent[1] + HEIGHT
    x1, y1 = child[0] + WIDTH / 2, child[1]
    bend = (y1 - y0) / 2
    return f"M{x0:g} {y0:g}C{x0:g} {y0 + bend:g} {x1:g} {y1 - bend:g} {x1:g} {y1:g}"


def _facts(network: Network, row: Any) -> list[tuple[str, str]]:
    layer = network.spec.layers[row.layer]
    weights = {role: array.shape for role, array in layer.weights.items()}
    facts = [
        ("became", " → ".join(row.became)),
        ("note", row.note),
        ("advice", row.advice),
        (
            "weights",
            ", ".join(
                f"{role} {' × '.join(map(str, shape))}" for role, shape in weights.items()
            ),
        ),
        ("parameters", f"{sum(int(np.prod(s, initial=1)) for s in weights.values()):,}"
         if weights else ""),
        *((name, _in_words(value)) for name, value in layer.config.items()),
    ]  # fmt: skip
    return [(name, text) for name, text in facts if text]


def _in_words(value: Any) -> str:
    if value is None:
        return ""
    text = json.dumps(plain(value, _MANY_NUMBERS), ensure_ascii=False).strip('"')
    return text if len(text) <= 200 else f"{text[:200]}…"


def _size(size: int | None) -> str:
    return "any" if size is None else str(size)


__all__ = ["Drawing", "draw_model", "rules_of"]
