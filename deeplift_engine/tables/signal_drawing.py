"""Traces of scored recordings: from results, or from the files of a run, to a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.figures.trace_figure import draw_traces
from deeplift_engine.results.attribution import Attribution
from deeplift_engine.results.result_parts import check_inputs, of_target
from deeplift_engine.results.score_units import score_unit
from deeplift_engine.tables.signal_input import SignalInput
from deeplift_engine.util.options import Instance, Integer, checked
from deeplift_engine.util.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deeplift_engine.jobs.scored_run import ScoredRun


def draw_signal(
    result: Attribution, signals: SignalInput, sample: int = 0, *, target: int = 0
) -> Figure:
    """Draw a recording, a panel for each channel, coloured by the scores of its steps.

    Parameters
    ----------
    result
        Of a run on ``signals``.
    signals
        What was scored, from `read_signals`.
    sample
        Which recording, from 0.
    target
        Which of several targets, from 0.

    Raises
    ------
    InputError
        If the scores are not those of the recordings, or there is no such sample or target.
    """
    checked("signals", signals, Instance(SignalInput, "what tables.read_signals gives"), InputError)
    row = checked("sample", sample, Integer(0, len(signals) - 1), InputError)
    if isinstance(result.scores, Mapping):
        raise InputError(f"scores are at {', '.join(result.scores)}: draw those of one input.")
    scores = of_target(result, target)[""]
    if scores.shape != signals.shape:
        raise InputError(
            f"scores of shape {scores.shape}, and recordings of {signals.shape}: hand in those "
            "that were scored, and the scores of one target."
        )
    check_inputs(result.inputs, signals, [row])
    axis = signals.channel_axis
    return draw_traces(
        _by_time(signals[row], axis),
        _by_time(scores[row], axis),
        channels=signals.channels,
        rate=signals.rate,
        value_unit=signals.units,
        unit=score_unit(result.settings, result.target_delta is not None),
        title=signals.names[row],
    )


def draw_run(
    run: ScoredRun,
    sample: int,
    *,
    input: str | None = None,
    head: str | None = None,
    target: int = 0,
) -> Figure:
    """Draw a recording that a run keeps, coloured by its scores.

    Parameters
    ----------
    run
        Of recordings.
    sample
        Which, from 0.
    input, head, target
        See `ScoredRun.array`.

    Raises
    ------
    InputError
        If the run keeps no inputs.
    """
    rows = slice(sample, sample + 1)
    told = str(run.settings.get("channel_axis", "-1"))
    axis = None if told == "none" else int(told)
    signal, scores = (
        _by_time(np.asarray(run.array(name, input=input, head=of, target=target)[rows])[0], axis)
        for name, of in (("inputs", None), ("scores", head))
    )
    channels = run.labels("channel") or [f"channel {i}" for i in range(signal.shape[1])]
    return draw_traces(
        signal,
        scores,
        channels=channels,
        rate=float(run.settings.get("rate", 1.0)),
        value_unit=run.labels("unit") or str(run.settings.get("unit", "")),
        unit=score_unit(run.settings, bool(run.by_input("target_delta", head))),
        title=run.names[sample],
    )


def _by_time(array: Any, channel_axis: int | None) -> Array:
    """One recording (T, C)."""
    values = np.asarray(array)
    if channel_axis is None:
        return values[:, np.newaxis]
    return values if channel_axis == -1 else values.T


__all__ = ["draw_run", "draw_signal"]
