"""The coverage of a model: which layers are exact, approximate or refused, and their rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deeplift_engine.errors import RuleError
from deeplift_engine.rules.deeplift.assign import Assigned, Rules, assign
from deeplift_engine.util.tables import aligned

if TYPE_CHECKING:
    from deeplift_conversion import LayerSpec, ModelSpec
    from deeplift_engine.graph.graph import Node
    from deeplift_engine.translate.build_graph import Built

EXACT, APPROXIMATE, REFUSED = "exact", "approximate", "refused"
INCOMPLETE, UNTRIED = "not complete", "not tried"
COLUMNS = ("layer", "class", "shape", "status", "became", "rule", "note")


@dataclass(frozen=True)
class CoverageRow:
    """One layer of the file.

    Attributes
    ----------
    layer, class_name
        As the file has them.
    shape
        Of its output, without batch axis; None where it was not built.
    status
        ``"exact"``: contributions before and after the layer have one sum, up to rounding.
        ``"approximate"``: up to the accuracy of an average along a path. ``"not complete"``: the
        rule that was asked for does not keep the sum (gradients). ``"refused"``: it cannot be
        attributed through. ``"not tried"``: it reads a refused layer.
    became
        The attribution layers that stand for it, in order.
    rules
        The rules by which multipliers cross these.
    note
        Why it was refused, or what there is to know.
    advice
        What to do about a refused layer.
    """

    layer: str
    class_name: str
    shape: tuple[int | None, ...] | None
    status: str
    became: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    note: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Coverage:
    """Every layer of a model in its order; printed, a table.

    ``problem`` is what `deeplift_engine.load` says when it refuses the model, else empty.
    """

    source: str
    rows: tuple[CoverageRow, ...]
    problem: str = ""

    @property
    def supported(self) -> bool:
        """Whether the model can be attributed through."""
        return not self.problem

    def having(self, status: str) -> tuple[CoverageRow, ...]:
        """The rows of that status."""
        return tuple(row for row in self.rows if row.status == status)

    def __repr__(self) -> str:
        """The table, and how many layers are of each status."""
        counts = Counter(row.status for row in self.rows)
        order = (EXACT, APPROXIMATE, INCOMPLETE, REFUSED, UNTRIED)
        statuses = ", ".join(f"{counts[status]} {status}" for status in order if counts[status])
        lines = [
            (
                row.layer,
                row.class_name,
                "?" if row.shape is None else " x ".join(_size(size) for size in row.shape),
                row.status,
                " → ".join(row.became),
                ", ".join(row.rules),
                row.note,
            )
            for row in self.rows
        ]
        count = len(self.rows)
        table = f"{aligned([COLUMNS, *lines])}\n\n{count} layer{'s' * (count != 1)}: {statuses}"
        named = counts[REFUSED] or not self.problem
        return table if named else f"{table}\n\n{self.problem}"


def coverage(
    spec: ModelSpec, built: Built, rules: Rules = "rescale", max_pooling: str = "exact"
) -> Coverage:
    """One row for each layer of a model, also of a model that cannot be built in full.

    Raises
    ------
    RuleError
        For a rule that is not known; or a layer, where the whole model was built.
    """
    nodes: dict[str, list[Node]] = {}
    for node in built.graph.nodes.values():
        nodes.setdefault(node.keras_layer, []).append(node)
    try:
        assigned = assign(built.graph.nodes, rules, max_pooling)
    except RuleError:
        if not built.problems:
            raise
        assigned = {}  # the rules may name a layer that exists and could not be built
    rows = tuple(
        _row(layer, nodes.get(layer.name, []), built, assigned) for layer in spec.layers.values()
    )
    return Coverage(spec.source, rows, built.problem)


def of_unread(source: str, listed: Sequence[tuple[str, str]], problem: str) -> Coverage:
    """The layers that a file lists, (name, class) each, and the error of reading it."""
    rows = []
    for name, class_name in listed:
        refused = f"layer {name!r}" in problem
        status, note = (REFUSED, problem) if refused else (UNTRIED, "the file could not be read")
        rows.append(CoverageRow(name, class_name, None, status, note=note))
    return Coverage(source, tuple(rows), problem)


def _row(
    layer: LayerSpec, nodes: Sequence[Node], built: Built, assigned: Mapping[str, Assigned]
) -> CoverageRow:
    class_name = layer.saved_class_name or layer.class_name
    if layer.name in built.problems:
        _, refused = built.problems[layer.name]
        return CoverageRow(
            layer.name, class_name, None, REFUSED, note=refused.reason, advice=refused.advice
        )
    if not nodes or layer.name in built.waiting:
        note = "behind a refused layer; its class is supported"
        return CoverageRow(layer.name, class_name, None, UNTRIED, note=note)
    rules = [assigned[node.name] for node in nodes if node.name in assigned]
    status = EXACT
    if not all(node.layer.exact for node in nodes):
        status = APPROXIMATE
    if not all(each.rule.complete for each in rules):
        status = INCOMPLETE
    telling = _telling(nodes)
    notes = [_definition(layer, built), *(node.layer.core.note for node in nodes)]
    notes += [each.note for each in rules]
    shape = next((node.shape for node in nodes if node.name == layer.name), nodes[-1].shape)
    return CoverageRow(
        layer.name,
        class_name,
        shape,
        status,
        tuple(dict.fromkeys(node.layer.core.label for node in telling)),
        tuple(
            dict.fromkeys(
                assigned[node.name].rule.name for node in telling if node.name in assigned
            )
        ),
        "; ".join(dict.fromkeys(filter(None, notes))),
    )


def _telling(nodes: Sequence[Node]) -> list[Node]:
    """The nodes to list: those that do nothing only where there is no other."""
    return [node for node in nodes if not node.layer.core.is_identity] or list(nodes)


def _definition(layer: LayerSpec, built: Built) -> str:
    """Note on a layer, or a layer within it, that the user defines."""
    names = [layer.name, *(child.name for child in layer.children)]
    definition = next(
        (built.definitions[name] for name in names if name in built.definitions), None
    )
    return f"by {definition.label}" if definition else ""


def _size(size: int | None) -> str:
    return "any" if size is None else str(size)


@dataclass(frozen=True)
class LayerRow:
    """One line of `describe`.

    ``exact`` says whether contributions before and after the layer have one sum.
    """

    name: str
    class_name: str
    kind: str
    shape: tuple[int | None, ...]
    rule: str
    exact: bool
    note: str


def describe(
    nodes: Mapping[str, Node], rules: Rules = "rescale", max_pooling: str = "exact"
) -> list[LayerRow]:
    """One row per attribution layer: what it is and which rule it gets."""
    assigned = assign(nodes, rules, max_pooling)
    rows = []
    for node in nodes.values():
        own = assigned.get(node.name)
        rows.append(
            LayerRow(
                node.name,
                node.class_name,
                node.layer.kind,
                node.shape,
                own.rule.name if own else "",
                (own.rule.complete if own else True) and node.layer.exact,
                "; ".join(filter(None, (node.layer.core.note, own.note if own else ""))),
            )
        )
    return rows


__all__ = ["Coverage", "CoverageRow", "LayerRow", "coverage", "describe"]
