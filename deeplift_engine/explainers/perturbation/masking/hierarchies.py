"""Trees of groups: which of them enter and leave together, for Owen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.perturbation.masking.groups import Groups
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.util.options import shown
from deeplift_engine.util.typing import Array

MOST_CHILDREN = 10
"""Parts of one node at most: all their coalitions are evaluated."""

ADVICE = "Give nested lists of the groups' numbers, such as [[0, 1], [2, [3, 4]]], or a linkage."


@dataclass(frozen=True)
class Hierarchy:
    """A tree whose leaves are P groups.

    Attributes
    ----------
    order
        The groups in the order of the tree (P,), in which those of each node are neighbours.
    spans
        Of each node, where its groups begin and end in that order; the root is node 0.
    children
        Of each node the numbers of its parts, none of a leaf.
    """

    order: Array
    spans: tuple[tuple[int, int], ...]
    children: tuple[tuple[int, ...], ...]

    @property
    def masks(self) -> int:
        """How many coalitions give the exact values, beside all and none of the groups."""
        contexts, total = {0: 1}, 0
        for node, parts in enumerate(self.children):
            total += contexts[node] * self.openings(node)
            contexts |= {part: contexts[node] << (len(parts) - 1) for part in parts}
        return total

    def openings(self, node: int) -> int:
        """How many coalitions of a node's parts are neither empty nor full."""
        count = len(self.children[node])
        return (1 << count) - 2 if count else 0


def hierarchy(value: Any, groups: Groups, inputs: Sequence[InputInfo]) -> Hierarchy:
    """What a user says as ``hierarchy``.

    Parameters
    ----------
    value
        None: see `halves`; lists within lists of the groups' numbers, each number once; an array
        (P - 1, 2 or more) as `scipy.cluster.hierarchy.linkage` gives, whose row i joins the
        nodes of its first two columns to node P + i.
    groups
        The groups.
    inputs
        The inputs that they are of.

    Raises
    ------
    RuleError
        For anything else, and a node of more than `MOST_CHILDREN` parts.
    """
    if value is None:
        return tree(halves(groups, inputs), groups.count)
    nested = _from_linkage(value, groups.count) if isinstance(value, np.ndarray) else value
    return tree(nested, groups.count)


def tree(nested: Any, count: int) -> Hierarchy:
    """The tree of lists within lists, which hold each number below ``count`` once."""
    order: list[int] = []
    spans: list[tuple[int, int]] = []
    children: list[tuple[int, ...]] = []

    def enter(part: Any) -> int:
        while isinstance(part, list | tuple) and len(part) == 1:
            part = part[0]
        number, start = len(spans), len(order)
        spans.append((start, start))
        children.append(())
        if isinstance(part, list | tuple):
            if not 0 < len(part) <= MOST_CHILDREN:
                raise RuleError(
                    f"A node of the hierarchy has {len(part)} parts, and all coalitions of them "
                    f"are evaluated; expected 1 to {MOST_CHILDREN}: nest them deeper."
                )
            children[number] = tuple(enter(each) for each in part)
        elif isinstance(part, int | np.integer) and not isinstance(part, bool):
            order.append(int(part))
        else:
            raise RuleError(f"The hierarchy holds {shown(part)}, which is no number. {ADVICE}")
        spans[number] = (start, len(order))
        return number

    try:
        enter(nested)
    except RecursionError:
        raise RuleError("The hierarchy is nested too deep to be walked.") from None
    if sorted(order) != list(range(count)):
        raise RuleError(
            f"The hierarchy has the groups {shown(sorted(order))}; expected each of 0 to "
            f"{count - 1} once. {ADVICE}"
        )
    return Hierarchy(np.array(order), tuple(spans), tuple(children))


def _from_linkage(rows: Array, count: int) -> Any:
    """The nested lists of a linkage."""
    if rows.ndim != 2 or rows.shape[0] != count - 1 or rows.shape[1] < 2:
        raise RuleError(
            f"A linkage of shape {rows.shape} is no hierarchy of {count} groups; expected "
            f"{count - 1} rows whose first two columns are the nodes that they join. {ADVICE}"
        )
    nodes: dict[int, Any] = dict(enumerate(range(count)))
    for number, row in enumerate(rows):
        try:
            nodes[count + number] = [nodes.pop(int(each)) for each in row[:2]]
        except KeyError as error:
            raise RuleError(
                f"Row {number} of the linkage joins node {error}, which earlier rows have joined "
                f"or not made. {ADVICE}"
            ) from error
    return nodes[2 * count - 2]


def halves(groups: Groups, inputs: Sequence[InputInfo]) -> Any:
    """Nested lists of the groups, halved again and again.

    Of several inputs these part first; then the longest axis of positions is cut in the middle,
    as for a sequence's positions or the rectangles of an image; channels part last. Groups of
    several elements are where these are on average.
    """
    levels = _coordinates(groups, inputs)

    def halved(members: Array) -> Any:
        if len(members) == 1:
            return int(members[0])
        lower = _lower(members, [level[members] for level in levels])
        return [halved(members[lower]), halved(members[~lower])]

    return halved(np.arange(groups.count))


def _lower(members: Array, levels: Sequence[Array]) -> Array:
    """Which members (M,) are in the lower half of the longest axis of the first level with any."""
    for coordinates in levels:
        extent = np.ptp(coordinates, axis=0) if coordinates.shape[1] else np.zeros(1)
        if extent.max() > 0:
            values = coordinates[:, extent.argmax()]
            distinct = np.unique(values)
            return np.asarray(values < distinct[len(distinct) // 2])
    return np.arange(len(members)) < len(members) // 2


def _coordinates(groups: Groups, inputs: Sequence[InputInfo]) -> list[Array]:
    """Of each group (P, axes) its input, its mean position, and its mean channel."""
    most = max((label.ndim for label in groups.labels), default=0)
    source = np.full((groups.count, 1), -1.0)
    positions, channels = np.zeros((groups.count, most)), np.zeros((groups.count, most))
    for number, (label, info) in reversed(list(enumerate(zip(groups.labels, inputs, strict=True)))):
        members, sizes = np.unique(label[label >= 0], return_counts=True)
        source[members] = number
        indices: Array = np.indices(label.shape)
        for axis, index in enumerate(indices):
            total: Array = np.bincount(label[label >= 0], index[label >= 0], groups.count)
            mean = np.round(total[members] / sizes, 9)
            (positions if axis in info.positions else channels)[members, axis] = mean
    return [source, positions, channels]
