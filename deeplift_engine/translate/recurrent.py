"""Recurrent layers: the projection of the whole sequence, and the cell stepped along it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeplift_conversion import LayerSpec
from deeplift_engine.layers import (
    Concatenate,
    Convolution,
    Dense,
    Element,
    Identity,
    Layer,
    Product,
    Recurrence,
    Reverse,
    Scale,
    Slice,
    Sum,
    Transpose,
)
from deeplift_engine.layers.attention import Chosen
from deeplift_engine.layers.distributed import DistributedLinear
from deeplift_engine.translate.cells import dense_maps, recurrence
from deeplift_engine.translate.kernels import numbers
from deeplift_engine.translate.layer_context import LayerContext, NodeName, Refusal
from deeplift_engine.translate.tokens import expanded

logger = logging.getLogger("deeplift_engine")
STEPS = 1  # the feature axis of the steps


@dataclass(frozen=True)
class Outputs:
    """What one cell gives: the node of all its outputs, and those of its last states."""

    sequence: str
    states: list[str]


def recurrent(context: LayerContext) -> tuple[str, ...]:
    """SimpleRNN, LSTM, GRU."""
    return _layer(context, [context.spec])


def stacked(context: LayerContext) -> tuple[str, ...]:
    """RNN over one cell or several, each a recurrence of its own."""
    cells = [
        inner
        for cell in context.spec.children
        for inner in (cell.children if cell.class_name == "StackedRNNCells" else [cell])
    ]
    return _layer(context, cells)


def _layer(context: LayerContext, cells: Sequence[LayerSpec]) -> tuple[str, ...]:
    """One cell after the other along the sequence, and what the options ask for of it."""
    if context.option("stateful"):
        logger.warning(
            "%s is stateful: it is explained from initial states of zeros.", context.name
        )
    source, mask = context.inputs[0], context.mask()
    mask_read = _read(context, mask)
    initial = _initial(context, cells)
    if context.option("go_backwards"):
        source = context.add(Reverse(STEPS), source, suffix="/reversed")
        mask_read = mask_read and context.add(Reverse(STEPS), mask_read, suffix="/mask_reversed")
    runs: list[Outputs] = []
    order = list(reversed(cells)) if context.option("states") == "last_cell_first" else cells
    starts = _starts(order, initial)
    for number, cell in enumerate(cells):
        suffix = f"/cell_{number}" if len(cells) > 1 else ""
        kind = cell.class_name.removesuffix("Cell")
        started = starts[order.index(cell)]
        sequence = runs[-1].sequence if runs else source
        runs.append(_stepped(context, cell, kind, sequence, mask_read, started, suffix))
    states = [name for cell in order for name in runs[cells.index(cell)].states]
    sequence = runs[-1].sequence
    first_cell = context.option("masked_output") == "first_cell" and not context.option("unroll")
    if first_cell and mask_read and len(runs) > 1:
        used = expanded(context, mask_read, len(context.shape(sequence)) - 1)
        sequence = context.add(Chosen(), used, sequence, runs[0].sequence, suffix="/or_first_cell")
    return _outputs(context, sequence, states, mask, mask_read)


def _starts(cells: Sequence[LayerSpec], initial: Sequence[str]) -> list[list[str]]:
    """The initial states of each cell, from those of all; none where there are none."""
    remaining = list(initial)
    return [
        [remaining.pop(0) for _ in range(2 if cell.class_name.startswith("LSTM") else 1)]
        if initial
        else []
        for cell in cells
    ]


def _read(context: LayerContext, mask: str | None) -> str | None:
    """The mask that the cell reads of the sequence's own.

    Keras 3 hands a mask that nobody names to layers of one tensor alone, and so not to one that
    is called with initial states; its output has it all the same.
    """
    implicit = context.argument("mask") is None
    if context.builder.era == 3 and implicit and context.argument("initial_state") is not None:
        return None
    return mask


def _initial(context: LayerContext, cells: Sequence[LayerSpec]) -> list[str]:
    initial_states = context.argument("initial_state")
    if initial_states is None:
        return []
    names = [
        str(name)
        for name in (initial_states if isinstance(initial_states, tuple) else (initial_states,))
    ]
    wanted = sum(2 if cell.class_name.startswith(("LSTM", "ConvLSTM")) else 1 for cell in cells)
    if len(names) != wanted:
        raise Refusal(f"has {len(names)} initial states, expected {wanted}")
    return names


def _stepped(
    context: LayerContext,
    cell: LayerSpec,
    kind: str,
    source: str,
    mask: str | None,
    started: list[str],
    suffix: str,
) -> Outputs:
    """A cell's outputs (n, steps, units) and last states."""
    if kind not in ("SimpleRNN", "LSTM", "GRU"):
        raise Refusal(
            f"its cell {cell.saved_class_name or cell.class_name} is none of Keras's own",
            f"Give the layer's forward pass yourself: functions={{{context.spec.name!r}: f}}.",
        )
    inner = context.child(cell, context.name, [source])
    kernel, recurrent_kernel = inner.weight("kernel"), inner.weight("recurrent_kernel")
    bias, recurrent_bias = inner.optional("bias"), None
    if bias is not None and bias.ndim == 2:
        bias, recurrent_bias = bias[0], bias[1]
    maps = dense_maps(kind, cell.config, recurrent_kernel, recurrent_bias)
    step = (*context.shape(source)[1:-1], kernel.shape[-1])
    entry = Dense(kernel, bias)
    units = recurrent_kernel.shape[0]
    layer = recurrence(
        context,
        kind,
        cell.config,
        entry,
        maps,
        units,
        step,
        masked=bool(mask),
        started=bool(started),
    )
    return _run(context, layer, source, mask, started, suffix)


def _run(
    context: LayerContext,
    layer: Recurrence,
    source: str,
    mask: str | None,
    started: list[str],
    suffix: str,
) -> Outputs:
    """A recurrence put behind its sequence, and the states that it packs taken apart."""
    inputs, units = [source], layer.widths[0]
    if mask:
        inputs.append(expanded(context, mask, len(context.shape(source)) - 1))
    if started and mask:
        nothing = np.zeros(1, context.builder.dtype)
        inputs.append(context.add(Scale(nothing), started[0], suffix=f"{suffix}/no_output"))
    packed = context.add(layer, *inputs, *started, suffix=f"{suffix}/states")
    unpacked = [packed]
    if len(layer.states) > 1:
        unpacked = [
            context.add(
                Slice(number * units, (number + 1) * units), packed, suffix=f"{suffix}/{name}"
            )
            for number, name in enumerate(layer.states)
        ]
    states = unpacked[1:] if started and mask else unpacked
    last = [
        context.add(Element(STEPS, -1), state, suffix=f"{suffix}/last_{name}")
        for state, name in zip(states, layer.states[len(unpacked) - len(states) :], strict=True)
    ]
    return Outputs(unpacked[0], last)


def _outputs(
    context: LayerContext, sequence: str, states: list[str], mask: str | None, mask_read: str | None
) -> tuple[str, ...]:
    """The outputs that ``return_sequences`` and ``return_state`` ask for."""
    if mask_read and context.option("zero_output_for_mask"):
        if mask and context.option("return_sequences") and context.option("mask_in_order"):
            mask_read = mask
        used = expanded(context, mask_read, len(context.shape(sequence)) - 1)
        sequence = context.add(Product(2), sequence, used, suffix="/zeroed")
    if context.option("return_sequences"):
        output = context.add(Identity(), sequence)
        if mask:
            context.builder.masks[output] = mask
    else:
        output = context.add(Element(STEPS, -1), sequence)
    return (output, *states) if context.option("return_state") else (output,)


MERGES = {"sum": Sum(), "ave": Sum(0.5), "mul": Product(2)}


def bidirectional(context: LayerContext) -> tuple[str, ...]:
    """Bidirectional: a layer forwards, one backwards, merged step by step."""
    forward, backward = context.spec.children
    initial_states = context.argument("initial_state")
    half = len(initial_states) // 2 if initial_states else 0
    starts = (initial_states[:half], initial_states[half:]) if initial_states else (None, None)
    mask = context.mask()
    mask_read = _read(context, mask)
    mask_name = None if mask_read is None else NodeName(mask_read)
    runs = [
        context.builder.translate(
            context.child(
                child, f"{context.name}/{way}", context.inputs, initial_state=start, mask=mask_name
            )
        )
        for child, way, start in zip(
            (forward, backward), ("forward", "backward"), starts, strict=True
        )
    ]
    ahead, back = runs[0][0], runs[1][0]
    sequences = bool(forward.config.get("return_sequences"))
    if sequences:
        back = context.add(Reverse(STEPS), back, suffix="/backward_in_order")
    states = [*runs[0][1:], *runs[1][1:]]
    mode = context.option("merge_mode", "concat")
    if mode is None:
        outputs = [
            context.add(Identity(), ahead),
            context.add(Identity(), back, suffix="/backward_output"),
        ]
    else:
        layer: Layer = Concatenate(len(context.shape(ahead))) if mode == "concat" else MERGES[mode]
        outputs = [context.add(layer, ahead, back)]
    if sequences and mask:
        context.builder.masks.update(dict.fromkeys(outputs, mask))
    return (*outputs, *states)


def convolutional(context: LayerContext) -> tuple[str, ...]:
    """ConvLSTM1D, ConvLSTM2D, ConvLSTM3D."""
    spec = context.spec
    kernel, recurrent_kernel = context.weight("kernel"), context.weight("recurrent_kernel")
    rank = kernel.ndim - 2
    if context.depth:
        raise Refusal("a ConvLSTM within TimeDistributed has no attribution layer")
    source, mask = context.inputs[0], context.mask()
    first = context.option("data_format") == "channels_first"
    if first:
        order = (1, *range(3, rank + 3), 2)
        source = context.add(Transpose(order), source, suffix="/channels_last_input")
    mask_read = _read(context, mask)
    if context.option("go_backwards"):
        source = context.add(Reverse(STEPS), source, suffix="/reversed")
        mask_read = mask_read and context.add(Reverse(STEPS), mask_read, suffix="/mask_reversed")
    ones = (1,) * rank
    project = Convolution(
        kernel,
        context.optional("bias"),
        strides=numbers(context.option("strides", 1), rank),
        dilation=numbers(context.option("dilation_rate", 1), rank),
        padding=str(context.option("padding", "valid")),
    )
    recur = Convolution(recurrent_kernel, strides=ones, dilation=ones, padding="same")
    step = context.shape_after(DistributedLinear(project), source)[1:]
    initial = _initial(context, [spec])
    if first:
        initial = [context.channels_last(name) for name in initial]
    layer = recurrence(
        context,
        "LSTM",
        spec.config,
        project,
        [recur],
        recurrent_kernel.shape[-2],
        step,
        masked=bool(mask_read),
        started=bool(initial),
    )
    outputs = _run(context, layer, source, mask_read, initial, "")
    sequence, states = outputs.sequence, outputs.states
    if first:
        back = (1, rank + 2, *range(2, rank + 2))
        sequence = context.add(Transpose(back), sequence, suffix="/channels_first_output")
        states = [context.channels_first(name, suffix="/state_channels_first") for name in states]
    return _outputs(context, sequence, states, mask, mask_read)
