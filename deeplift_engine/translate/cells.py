"""The cells of recurrent layers as small graphs of attribution layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.graph.graph import Graph
from deeplift_engine.layers import (
    Dense,
    Input,
    Layer,
    Linear,
    Product,
    Recurrence,
    Scale,
    Slice,
    Sum,
)
from deeplift_engine.layers.recurrence import MASK, STEP
from deeplift_engine.translate.activations import put_named
from deeplift_engine.translate.layer_context import GraphBuilder, LayerContext
from deeplift_engine.translate.own_activations import of_functions
from deeplift_engine.util.typing import Array

STATES = {"SimpleRNN": ("h",), "LSTM": ("h", "c"), "GRU": ("h",)}


@dataclass
class Cell:
    """A cell under construction: the place of its layers, and its options."""

    context: LayerContext
    options: Mapping[str, Any]
    units: int

    def add(self, layer: Layer, *inputs: str, name: str) -> str:
        """One layer called ``name``."""
        return self.context.add(layer, *inputs, suffix=name)

    def activation(self, option: str, source: str, name: str) -> str:
        """The function of that option."""
        return put_named(self.context, self.options.get(option), source, name)

    def gate(self, number: int, source: str, option: str, name: str) -> str:
        """Part ``number`` of the pre-activations, through a function."""
        part = Slice(number * self.units, (number + 1) * self.units)
        return self.activation(option, self.add(part, source, name=f"{name}/in"), name)

    def product(self, left: str, right: str, name: str) -> str:
        """A product of two."""
        return self.add(Product(2), left, right, name=name)

    def blend(self, new: str, old: str, share: str, rest: str, name: str) -> str:
        """new · share + old · rest."""
        terms = [self.product(new, share, f"{name}/new"), self.product(old, rest, f"{name}/old")]
        return self.add(Sum(), *terms, name=name)

    def complement(self, source: str, name: str) -> str:
        """1 - x."""
        one = np.ones(1, self.context.builder.dtype)
        return self.add(Scale(-one, one), source, name=name)


def recurrence(
    context: LayerContext,
    kind: str,
    options: Mapping[str, Any],
    entry: Linear,
    recurrent: list[Linear],
    units: int,
    step: tuple[int | None, ...],
    *,
    masked: bool,
    started: bool,
) -> Recurrence:
    """The recurrence of a cell of that ``kind``.

    Parameters
    ----------
    entry
        The map of every step before it reaches the cell.
    recurrent
        The maps that the state before goes through; for GRU with ``reset_after=False`` that of
        the first two gates and that of the third.
    step
        Feature shape of the projected input at one step.
    """
    functions = of_functions(context.builder.functions)
    builder = GraphBuilder(context.builder.dtype, functions, context.builder.translate)
    cell = Cell(LayerContext(builder, context.spec, "", []), options, units)
    dtype = context.builder.dtype
    outer = context.outer()
    cell.add(Input((*outer, *step), dtype), name=STEP)
    if masked:
        cell.add(Input((*outer, *[1] * len(step)), dtype), name=MASK)
    names = STATES[kind]
    extra = masked and started
    for name in (*(["output"] if extra else []), *names):
        cell.add(Input((*outer, *step[:-1], units), dtype), name=name)
    after = {"SimpleRNN": _simple, "LSTM": _lstm, "GRU": _gru}[kind](cell, recurrent)
    states, outputs = list(names), after
    if masked:
        unused = cell.complement(MASK, "unused")
        outputs = [
            cell.blend(new, old, MASK, unused, f"{old}/masked")
            for new, old in zip(after, names, strict=True)
        ]
    if extra:  # before the first step that is used the output is 0, not the initial state
        states.insert(0, "output")
        outputs.insert(0, cell.blend(after[0], "output", MASK, unused, "output/masked"))
    inputs = [STEP, *([MASK] if masked else []), *states]
    graph = Graph(builder.nodes, tuple(inputs), tuple(outputs))
    widths = (units,) * len(states)
    return Recurrence(entry, graph, tuple(states), widths, masked, started)


def _simple(cell: Cell, recurrent: list[Linear]) -> list[str]:
    mixed = cell.add(recurrent[0], "h", name="recurrent")
    total = cell.add(Sum(), STEP, mixed, name="gates")
    return [cell.activation("activation", total, "h/next")]


def _lstm(cell: Cell, recurrent: list[Linear]) -> list[str]:
    mixed = cell.add(recurrent[0], "h", name="recurrent")
    gates = cell.add(Sum(), STEP, mixed, name="gates")
    enter = cell.gate(0, gates, "recurrent_activation", "input_gate")
    forget = cell.gate(1, gates, "recurrent_activation", "forget_gate")
    candidate = cell.gate(2, gates, "activation", "candidate")
    leave = cell.gate(3, gates, "recurrent_activation", "output_gate")
    carry = cell.blend("c", candidate, forget, enter, "c/next")
    squashed = cell.activation("activation", carry, "c/squashed")
    return [cell.product(leave, squashed, "h/next"), carry]


def _gru(cell: Cell, recurrent: list[Linear]) -> list[str]:
    units = cell.units
    first = cell.add(Slice(0, 2 * units), STEP, name="step/gates")
    last = cell.add(Slice(2 * units, 3 * units), STEP, name="step/candidate")
    mixed = cell.add(recurrent[0], "h", name="recurrent")
    after = len(recurrent) == 1
    terms = cell.add(Slice(0, 2 * units), mixed, name="recurrent/gates") if after else mixed
    gates = cell.add(Sum(), first, terms, name="gates")
    update = cell.gate(0, gates, "recurrent_activation", "update_gate")
    reset = cell.gate(1, gates, "recurrent_activation", "reset_gate")
    if after:
        own = cell.add(Slice(2 * units, 3 * units), mixed, name="recurrent/candidate")
        recurrent_term = cell.product(reset, own, "reset")
    else:
        recurrent_term = cell.add(
            recurrent[1], cell.product(reset, "h", "reset"), name="reset/recurrent"
        )
    total = cell.add(Sum(), last, recurrent_term, name="candidate/in")
    candidate = cell.activation("activation", total, "candidate")
    rest = cell.complement(update, "update_gate/rest")
    return [cell.blend("h", candidate, update, rest, "h/next")]


def dense_maps(
    kind: str, options: Mapping[str, Any], kernel: Array, bias: Array | None
) -> list[Linear]:
    """The maps of the state before for `recurrence`, from the recurrent kernel and its bias."""
    units = kernel.shape[0]
    if kind == "GRU" and not options.get("reset_after"):
        return [Dense(kernel[:, : 2 * units]), Dense(kernel[:, 2 * units :])]
    return [Dense(kernel, bias)]


__all__ = ["Cell", "dense_maps", "recurrence"]
