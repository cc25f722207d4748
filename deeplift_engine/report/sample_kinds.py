"""What a sample is to look at: letters, words, a picture, traces or the features of a table.

The kind is found from the constants of a run and the shape of a sample. A kind gives what is drawn
of a sample, whatever the view, and brings scores of a view into the shape in which it draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.genomics.nucleotides import LETTERS
from deeplift_engine.images.pixel_scaling import PREPROCESSINGS
from deeplift_engine.report.cell_sums import cell_means, cell_size, cell_sums
from deeplift_engine.report.packing import Steps
from deeplift_engine.report.views import View
from deeplift_engine.util.letters import letter_axis
from deeplift_engine.util.typing import Array

Sample = dict[str, Any]
PICTURE_EDGE = 256
"""Pixels of the longer edge of a picture; larger ones become means of cells."""
_PROBE = 8


@dataclass(frozen=True)
class Kind:
    """A way of looking at samples.

    Attributes
    ----------
    name
        ``"sequence"``, ``"text"``, ``"image"``, ``"signal"`` or ``"table"``.
    drawn
        Gives contributions ``(n, *D)`` of a view and a slice of samples, as they are drawn.
    content
        Gives what is drawn beneath these: an entry for each sample of a slice.
    more
        Gives other arrays of a view ``(n, ...)`` by name.
    told
        What the page knows of the kind: names of axes, units.
    """

    name: str
    drawn: Callable[[View, slice], Array]
    content: Callable[[View, slice], list[Sample]]
    more: Callable[[View, slice], dict[str, Array]]
    told: Mapping[str, Any]


def kind_of(view: View, name: str | None = None) -> Kind:
    """The kind of a view's samples; ``name`` takes another than the one that is found.

    Raises
    ------
    InputError
        For a name that is no kind's, or a shape that this kind does not draw.
    """
    chosen = name or _found(view)
    if chosen not in KINDS:
        raise InputError(f"kind={chosen!r}: expected one of {', '.join(KINDS)}")
    return KINDS[chosen](view)


def _found(view: View) -> str:
    known, told = view.run.constants, view.run.settings.get("kind")
    shape = view.scores(slice(0, 1)).shape[1:]
    if (told == "image" and len(shape) in (2, 3)) or (told == "signal" and len(shape) in (1, 2)):
        return str(told)
    if _letters_of(view) is not None:
        return "sequence"
    tokens = _of_text(view, "token")
    if tokens is not None and shape[:1] == tokens.shape[1:]:
        return "text"
    if "feature" in known and int(np.prod(shape)) == len(known["feature"]):
        return "table"
    if "channel" in known and len(shape) == 2 and shape[-1] == len(known["channel"]):
        return "signal"
    return {2: "signal", 3: "image"}.get(len(shape), "table")


# ------------------------------------------------------------ sequences


def _letters_of(view: View) -> int | None:
    """The axis of ``(n, *S)`` that has letters, by the inputs, the constants or the shape."""
    shape = view.scores(slice(0, 1)).shape
    if len(shape) < 3:
        return None
    inputs = view.inputs(slice(0, _PROBE))
    if inputs is not None and inputs.ndim == len(shape) and inputs.shape[1:] == shape[1:]:
        axis = letter_axis(np.asarray(inputs, np.float32))
        if axis is not None and shape[axis] in (len(LETTERS), len(LETTERS) + 1):
            return axis % len(shape)
        return None
    letters = view.run.constants.get("letter")
    count = 0 if letters is None else len(letters)
    return next((a for a in range(len(shape) - 1, 0, -1) if shape[a] == count > 1), None)


def _sequence(view: View) -> Kind:
    found = _letters_of(view)
    if found is None:
        raise InputError(
            f"{view.run.name} has no axis of letters: score with --arrays scores,inputs,..., or "
            "say another kind of samples (--kind)"
        )
    axis: int = found
    alphabet = "".join(map(str, view.run.constants.get("letter", list(LETTERS))))
    upper = alphabet[: view.scores(slice(0, 1)).shape[axis]].upper()

    def by_letter(values: Array) -> Array:
        """(n, L, letters), whatever the axes."""
        moved = np.moveaxis(values, axis, -1)
        return moved.reshape(len(moved), -1, moved.shape[-1])

    def one_hot(view: View, rows: slice) -> Array | None:
        inputs = view.inputs(rows)
        return None if inputs is None else by_letter(inputs)

    def drawn(view: View, rows: slice) -> Array:
        values = by_letter(view.scores(rows)).astype(np.float64)
        if all(view.content(name, slice(0, 1)) is None for name in ("scores", "projected")):
            present = one_hot(view, rows)
            values = values * (0 if present is None else present)
        return np.asarray(values.sum(axis=-1))

    def content(view: View, rows: slice) -> list[Sample]:
        present = one_hot(view, rows)
        if present is None:
            projected = view.content("projected", rows)
            present = None if projected is None else by_letter(projected) != 0
        if present is None:
            return [{} for _ in range(len(view.scores(rows)))]
        known = (present != 0).sum(axis=-1) == 1
        codes = np.where(known, present.argmax(axis=-1), len(upper))
        letters = np.array([*upper, "N"])
        return [{"letters": "".join(letters[row])} for row in codes]

    def more(view: View, rows: slice) -> dict[str, Array]:
        hypothetical = view.content("hypothetical", rows)
        arrays = {} if hypothetical is None else {"hypothetical": by_letter(hypothetical)}
        spread, present = view.content("hypothetical_spread", rows), one_hot(view, rows)
        if spread is not None and present is not None:
            arrays["spread"] = (by_letter(spread) * present).sum(axis=-1)
        return arrays

    length = drawn(view, slice(0, 1)).shape[1]
    return Kind("sequence", drawn, content, more, {"alphabet": upper, "length": length})


# ------------------------------------------------------------ text


def _of_text(view: View, name: str) -> Array | None:
    """What is kept of a text: of the input that reads it, where a sample has several."""
    constants = view.run.constants
    return constants.get(f"{name}.{view.origins[0]}", constants.get(name))


def _text(view: View) -> Kind:
    tokens = _of_text(view, "token")
    if tokens is None:
        raise InputError(
            f"{view.run.name} keeps no array 'token': score text by deeplift_engine.text, or say "
            "another kind of samples (--kind)"
        )
    texts, begin, end = (_of_text(view, name) for name in ("text", "begin", "end"))

    def drawn(view: View, rows: slice) -> Array:
        values = view.scores(rows)
        return np.asarray(values.reshape(*values.shape[:2], -1).sum(axis=-1))

    def content(_: View, rows: slice) -> list[Sample]:
        samples = []
        for row in range(*rows.indices(len(tokens))):
            sample: Sample = {"tokens": [str(token) for token in tokens[row]]}
            if texts is not None and begin is not None and end is not None:
                sample["text"] = str(texts[row])
                sample["begin"], sample["end"] = begin[row].tolist(), end[row].tolist()
            samples.append(sample)
        return samples

    return Kind("text", drawn, content, _nothing_more, {})


# ------------------------------------------------------------ images


def _image(view: View) -> Kind:
    shape = view.scores(slice(0, 1)).shape[1:]
    if len(shape) not in (2, 3):
        raise InputError(f"scores of shape {shape} are no pictures: expected (H, W, channels)")
    settings = view.run.settings
    axis = str(settings.get("channel_axis", ""))
    by_shape = len(shape) == 3 and shape[0] in (1, 3, 4) and shape[-1] not in (1, 3, 4)
    first = by_shape if axis == "" else axis == "1"
    prepared = str(settings.get("preprocess", "")) if settings.get("kind") == "image" else ""
    height, width = shape[1:] if first else shape[:2]
    cells = dict.fromkeys((1, 2), cell_size(max(height, width), PICTURE_EDGE))

    def channels_last(values: Array) -> Array:
        if values.ndim == 3:
            return values[..., np.newaxis]
        return np.moveaxis(values, 1, -1) if first else values

    def drawn(view: View, rows: slice) -> Array:
        return cell_sums(channels_last(view.scores(rows)).sum(axis=-1), cells)

    def content(view: View, rows: slice) -> list[Sample]:
        inputs = view.inputs(rows)
        if inputs is None or inputs.shape[1:] != shape:
            return [{} for _ in range(len(view.scores(rows)))]
        pictures = cell_means(_pixels(channels_last(inputs), prepared), cells)
        return [{"picture": _as_picture(each, prepared in PREPROCESSINGS)} for each in pictures]

    return Kind("image", drawn, content, _nothing_more, {"full": list(shape)})


def _pixels(values: Array, prepared: str) -> Array:
    """The pixels (n, H, W, C) of inputs that were prepared so; others as they are."""
    known = prepared in PREPROCESSINGS
    return PREPROCESSINGS[prepared].undo(values) if known else values


def _as_picture(values: Array, are_pixels: bool) -> Array:
    """(h, w, 3) bytes: as they are where they are grey levels, else from least to largest."""
    low, high = float(values.min()), float(values.max())
    if are_pixels or (low >= 0 and 1 < high <= 255):
        scaled = values
    else:
        low = min(low, 0.0) if high <= 1 else low
        high = max(high, 1.0) if low >= 0 and high <= 1 else high
        scaled = (values - low) * (255 / (high - low or 1))
    colours = scaled if scaled.shape[-1] == 3 else np.repeat(scaled[..., :1], 3, axis=-1)
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)


# ------------------------------------------------------------ signals and tables


def _signal(view: View) -> Kind:
    shape = view.scores(slice(0, 1)).shape[1:]
    if not 1 <= len(shape) <= 2:
        raise InputError(f"scores of shape {shape} are no signals: expected (samples, channels)")
    names = view.run.constants.get("channel")
    settings = view.run.settings

    first = str(settings.get("channel_axis", "")) in ("0", "1")

    def by_channel(values: Array) -> Array:
        """(n, channels, T)."""
        if values.ndim == 2:
            return values[:, np.newaxis]
        return values if first else np.swapaxes(values, 1, 2)

    def drawn(view: View, rows: slice) -> Array:
        return by_channel(view.scores(rows))

    def content(view: View, rows: slice) -> list[Sample]:
        inputs = view.inputs(rows)
        count = len(view.scores(rows))
        if inputs is None or inputs.shape[1:] != shape:
            return [{} for _ in range(count)]
        traces = by_channel(inputs)
        return [{f"trace{n}": Steps(channel) for n, channel in enumerate(each)} for each in traces]

    channels = by_channel(view.scores(slice(0, 1))).shape[1]
    labels = [f"channel {n}" for n in range(channels)] if names is None else list(map(str, names))
    units = view.run.constants.get("unit", ())
    if len(set(map(str, units))) > 1 and len(units) == channels:
        labels = [f"{name} ({unit})" for name, unit in zip(labels, units, strict=True)]
    told = {
        "channel": labels,
        "rate": float(settings.get("rate") or 0),
        "unit": settings.get("unit", ""),
    }
    return Kind("signal", drawn, content, _nothing_more, told)


def _table(view: View) -> Kind:
    names = view.run.constants.get("feature")
    groups = view.run.constants.get("group")
    count = int(np.prod(view.scores(slice(0, 1)).shape[1:], initial=1))

    def flat(values: Array) -> Array:
        return values.reshape(len(values), -1)

    def drawn(view: View, rows: slice) -> Array:
        return flat(view.scores(rows))

    def content(view: View, rows: slice) -> list[Sample]:
        inputs = view.inputs(rows)
        if inputs is None or int(np.prod(inputs.shape[1:], initial=1)) != count:
            return [{} for _ in range(len(view.scores(rows)))]
        return [{"values": [float(str(value)) for value in row]} for row in flat(inputs)]

    labels = [str(n) for n in range(count)]
    if names is not None and len(names) == count:
        labels = [str(name) for name in names]
    told: dict[str, Any] = {"feature": labels}
    if groups is not None and len({*groups}) < len(groups) == count:
        told["group"] = [str(group) for group in groups]
    return Kind("table", drawn, content, _nothing_more, told)


def _nothing_more(_: View, __: slice) -> dict[str, Array]:
    return {}


KINDS: Mapping[str, Callable[[View], Kind]] = {
    "sequence": _sequence,
    "text": _text,
    "image": _image,
    "signal": _signal,
    "table": _table,
}

__all__ = ["KINDS", "Kind", "kind_of"]
