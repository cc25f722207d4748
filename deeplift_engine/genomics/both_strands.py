"""Scores of a sequence and of its reverse complement, averaged."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeplift_engine.engine.request import Request
from deeplift_engine.errors import InputError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.folds import Folds, folds
from deeplift_engine.genomics.input_layout import layout_of
from deeplift_engine.genomics.nucleotides import LETTERS, Alphabet
from deeplift_engine.graph.inputs import InputInfo
from deeplift_engine.references.reference_set import References
from deeplift_engine.results.attribution import Arrays, Attribution
from deeplift_engine.results.averaged import mean_of
from deeplift_engine.util.typing import Array

BESIDE = ("same", "positions", "tracks")


@dataclass(frozen=True)
class Mirror:
    """The other strand's view of one input; it is its own inverse.

    Attributes
    ----------
    reversed_axes
        Axes of one sample, from the end, along which the order is reversed.
    letter_axis
        That of the letters, from the end; None of an input without letters.
    complements
        For each letter's number that of its complement.
    """

    reversed_axes: tuple[int, ...] = ()
    letter_axis: int | None = None
    complements: tuple[int, ...] = ()

    def __call__(self, array: Array) -> Array:
        """Arrays (..., *S) of the reverse complements."""
        mirrored = np.flip(array, self.reversed_axes) if self.reversed_axes else array
        if self.letter_axis is None:
            return mirrored
        return np.take(mirrored, self.complements, axis=self.letter_axis)


class BothStrands(Explainer):
    """The mean of the scores of each sequence and of its reverse complement; see `both_strands`.

    Attributes
    ----------
    inner
        The explainer of one strand.
    mirrors
        Of each input.
    """

    def __init__(self, inner: Explainer, mirrors: tuple[Mirror, ...]) -> None:
        settings = {**inner.origin.settings, "reverse_complement": "averaged"}
        super().__init__(replace(inner.origin, settings=settings))
        self.inner, self.mirrors = inner, mirrors
        self.task, self.traits = inner.task, inner.traits

    def request(self, x: Any, **arguments: Any) -> Request:
        """The arguments of `run`, checked and resolved."""
        return self.inner.request(x, **arguments)

    def target_activations(self, data: Any, batch_size: int | None) -> Array:
        """Activations (n, *shape) of the target's layer on arrays (n, ...) of the inputs."""
        return self.inner.target_activations(data, batch_size)

    def answer(self, request: Request) -> Attribution:
        """The mean; ``predictions`` are those of the sequences as they are."""
        first = self.inner.answer(request)
        second = self.inner.answer(self._mirrored(request))
        turned: dict[str, Any] = {
            name: self._turned(getattr(second, name))
            for name in ("scores", "multipliers", "standard_errors")
        }
        result = mean_of([first, replace(second, **turned)])
        result.settings["reverse_complement"] = "averaged"
        return result

    def _mirrored(self, request: Request) -> Request:
        """The run of the other strand: its inputs, references and target."""
        mirrored = request.replace(
            data=[
                np.ascontiguousarray(mirror(array))
                for mirror, array in zip(self.mirrors, request.data, strict=True)
            ],
            references=[
                _mirrored(reference, mirror)
                for reference, mirror in zip(request.references, self.mirrors, strict=True)
            ],
            content=request.content or request.data,
        )
        return mirrored.reweighted(mirrored=True)

    def _turned(self, values: Arrays | None) -> Arrays | None:
        """Values of the other strand at the places of this one."""
        if values is None or not isinstance(values, Mapping):
            return None if values is None else self.mirrors[0](values)
        mirrors = dict(zip([info.name for info in self.origin.inputs], self.mirrors, strict=True))
        return {name: mirrors[name](array) for name, array in values.items()}


def both_strands(
    explainer: Explainer, letters: str = LETTERS, beside: Mapping[str, str] | None = None
) -> Explainer:
    """Average the scores of each sequence with those of its reverse complement.

    The reverse complement is compared with the reverse complements of the same references, and its
    scores are turned back before they are averaged. Of a profile the weights are made on each
    strand by itself. Other units of a layer with positions and tracks are, on the other strand,
    those of the mirrored position and, of two tracks, of the other track; units of a layer with one
    axis are the same. ``predictions`` stay those of the sequences as they are.

    Parameters
    ----------
    explainer
        At the inputs. Folds are averaged over strands one by one.
    letters
        The order of the letters along their axis, from which the complements follow.
    beside
        What the other strand is for inputs that are no sequences, by their names: ``"same"``;
        ``"positions"``, reversed along the first axis; ``"tracks"``, that and the last axis too,
        as for control tracks of two strands, or of an input with one axis that alone.

    Returns
    -------
    Explainer
        To be run, streamed, and put into jobs, as any.

    Raises
    ------
    InputError
        For letters without complements, no input or several axes with letters, other inputs whose
        other strand is not said, scores at layers, and methods that give maps or score samples
        together.
    """
    if isinstance(explainer, Folds):
        return folds([both_strands(fold, letters, beside) for fold in explainer.folds])
    traits = explainer.traits
    if isinstance(explainer, BothStrands):
        raise InputError("This explainer averages over both strands already.")
    if not explainer.origin.at_inputs or not traits.elementwise_scores or traits.depends_on_batch:
        raise InputError(
            f"{explainer!r}: scores are averaged over both strands where they are those of each "
            "letter of the inputs, and of each sample by itself."
        )
    made = BothStrands(explainer, _mirrors(explainer.origin.inputs, letters, beside or {}))
    made.recreate = functools.partial(both_strands, explainer, letters, beside)
    return made


def _mirrors(
    inputs: tuple[InputInfo, ...], letters: str, beside: Mapping[str, str]
) -> tuple[Mirror, ...]:
    names = [info.name for info in inputs]
    for name, how in beside.items():
        if name not in names or how not in BESIDE:
            raise InputError(
                f"beside={{{name!r}: {how!r}}}: the inputs are {', '.join(names)}, and the other "
                f"strand of one is {', '.join(BESIDE)}."
            )
    complements = Alphabet(letters).complements
    mirrors = {
        info.name: _beside(info, beside[info.name])
        if info.name in beside
        else _of_letters(info, complements)
        for info in inputs
    }
    unknown = [name for name, mirror in mirrors.items() if mirror is None]
    if unknown:
        shapes = {info.name: info.shape for info in inputs}
        raise InputError(
            f"Input {unknown[0]!r} of shape {shapes[unknown[0]]} has not one axis of four letters "
            "and one of positions: say what it is on the other strand, "
            f"beside={{{unknown[0]!r}: 'same'}}, or 'positions' or 'tracks'."
        )
    if all(mirror.letter_axis is None for mirror in mirrors.values() if mirror):
        raise InputError("No input has letters, so that there is no reverse complement.")
    return tuple(mirror for mirror in mirrors.values() if mirror)


def _beside(info: InputInfo, how: str) -> Mirror:
    rank = len(info.shape)
    if how == "same":
        return Mirror()
    return Mirror(tuple(dict.fromkeys((-rank, -1) if how == "tracks" else (-rank,))))


def _of_letters(info: InputInfo, complements: tuple[int, ...]) -> Mirror | None:
    """The mirror of an input of one-hot letters; None of any other."""
    with suppress(InputError):
        layout = layout_of(info, len(complements))
        if not layout.has_codes:
            axes = {name: layout.axes.index(name) - len(layout.axes) for name in "LC"}
            return Mirror((axes["L"],), axes["C"], complements)
    return None


def _mirrored(reference: References, mirror: Mirror) -> References:
    """References of the reverse complements: those of the sequences, mirrored."""

    def make(inputs: Array, indices: Array) -> Array:
        made = reference.make(np.ascontiguousarray(mirror(inputs)), indices)
        return np.ascontiguousarray(mirror(made))

    def subset(*some: int) -> References:
        assert reference.subset is not None
        return _mirrored(reference.subset(*some), mirror)

    return replace(
        reference, make=make, subset=None if reference.subset is None else subset, origin=None
    )


__all__ = ["BothStrands", "Mirror", "both_strands"]
