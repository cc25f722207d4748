"""A run's results by name and samples, whatever holds them: a store, a file, or memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.jobs.contents import CONTENTS, stored_arrays
from deeplift_engine.jobs.reader import open_store
from deeplift_engine.results.attribution import Attribution, load_with_constants
from deeplift_engine.results.result_parts import check_inputs
from deeplift_engine.util.letters import letter_axis
from deeplift_engine.util.named_inputs import read_by_front_ends, told_by
from deeplift_engine.util.suggestions import suggest
from deeplift_engine.util.typing import Array

STORE = ".zarr"
COMPARED = 32
"""Samples whose inputs are compared with those that a run keeps."""


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """What a run left: arrays of samples by name, and what is known of them.

    Attributes
    ----------
    source
        What messages call it: its path.
    name
        What pages and figures call it.
    settings
        How the scores came about; ``kind`` and more of the inputs, where a front end read them.
    arrays
        By the names of a store, ``"head/scores.input"``; slices give ``(n, ...)``.
    constants
        Arrays that were known before the run, whole: names of samples, features, letters.
    failures
        Gives samples without scores, and the reasons; of a complete run alone.
    """

    source: str
    name: str
    settings: Mapping[str, Any]
    arrays: Mapping[str, Any]
    constants: Mapping[str, Array]
    failures: Callable[[], Mapping[int, str]] = dict

    def __len__(self) -> int:
        """N."""
        return len(next(iter(self.arrays.values())))

    def called(self, name: str) -> ScoredRun:
        """The run under another name."""
        return replace(self, name=name)

    def of_inputs(self, inputs: Any) -> ScoredRun:
        """The run with what its inputs, as a front end read them, tell of themselves.

        Raises
        ------
        InputError
            If they are not those that the run keeps.
        """
        own = getattr(inputs, "inputs", inputs)
        if kept := self.by_input("inputs"):
            parts = read_by_front_ends(own)
            for name, part in parts.items():
                if len(part) != len(self):
                    raise InputError(
                        f"inputs{name and f' {name!r}'} are {len(part)} samples, and {self.name} "
                        f"has {len(self)}: hand in what was scored"
                    )
            some = np.unique(np.linspace(0, len(self) - 1, COMPARED).astype(int)).tolist()
            check_inputs(kept, parts, some)
        told = told_by(own)
        constants = {name: np.asarray(each) for name, each in told.get("constants", {}).items()}
        return replace(
            self,
            settings={**self.settings, **told.get("about", {})},
            constants={**self.constants, **constants},
        )

    @cached_property
    def failed(self) -> Mapping[int, str]:
        """Samples without scores, and the reasons.

        Raises
        ------
        OutputError
            If not all samples are computed.
        """
        return self.failures()

    def require(self) -> None:
        """Refuse to go on where not all samples are computed.

        Raises
        ------
        OutputError
            Naming the shards that are not.
        """
        self.failures()

    @property
    def kind(self) -> str | None:
        """What the inputs are: ``"image"``, ``"table"`` …; None where the run does not say.

        Runs that keep the letters of an alphabet are of the kind ``"sequence"``.
        """
        return self.settings.get("kind") or ("sequence" if "letter" in self.constants else None)

    @property
    def names(self) -> list[str]:
        """Names of the samples; their numbers where they have none."""
        return self.labels("sample") or [str(number) for number in range(len(self))]

    def labels(self, name: str) -> list[str]:
        """A constant of text; empty where there is none."""
        return [str(each) for each in self.constants.get(name, ())]

    def number_of(self, sample: str) -> int:
        """The number of a sample from its name, or from its number in words.

        Raises
        ------
        InputError
            If there is no such sample, or several have the name.
        """
        names = self.names
        if names.count(sample) == 1:
            return names.index(sample)
        if sample in names:
            raise InputError(
                f"{self.source}: {names.count(sample)} samples are called {sample!r}; say one by "
                "its number, from 0."
            )
        if sample.isdigit() and int(sample) < len(self):
            return int(sample)
        few = f"There are {len(self)}, numbered from 0."
        raise InputError(f"{self.source} has no sample {sample!r}. {suggest(sample, names, few)}")

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads; none of a run without heads."""
        labels = {_label(name): name for name in self.settings.get("heads") or ()}
        of_arrays = dict.fromkeys(head for _, head in self._by_content if head)
        return tuple(labels.get(head, head) for head in of_arrays)

    def axes(self, head: str | None = None) -> tuple[str, ...]:
        """The axes of scores between that of the samples and those of one: targets, references."""
        several = self.target(head).startswith("[") or self.target(head) == "all"
        apart = self.settings.get("references_averaged") is False
        return ("target",) * several + ("reference",) * apart

    def target(self, head: str | None = None) -> str:
        """What scores explain, in the words of the settings: units, those of a head."""
        told = self.settings.get("target")
        return str(told.get(head) if isinstance(told, Mapping) and head else told)

    def by_input(self, content: str, head: str | None = None) -> Mapping[str, Any]:
        """The arrays of a content by input or layer, ``""`` for the only one; empty without any.

        They are those of the head, or those that all heads share.
        """
        found = self._by_content
        own = found.get((content, _label(head or "")))
        return found.get((content, ""), {}) if own is None else own

    def array(
        self, name: str, *, input: str | None = None, head: str | None = None, target: int = 0
    ) -> Any:
        """An array of one input, head and target: slices of it are ``(n, *S)``.

        Parameters
        ----------
        name
            ``"scores"``, ``"inputs"``, ``"predictions"``, ``"standard_errors"`` …
        input
            Of which input, or output, where there are several.
        head
            Of which head, where there are several.
        target
            Of which target, from 0, where there are several.

        Raises
        ------
        InputError
            If the run does not keep it, or has several and none is named.
        """
        found = self.by_input(name, head)
        of_heads = any(content == name and own for content, own in self._by_content)
        if head not in (None, *self.heads, *map(_label, self.heads)) or (
            head is None and of_heads and not found
        ):
            raise InputError(
                f"{self.source} has the heads {', '.join(self.heads) or '(none)'}: say which, "
                "head= (--head)."
            )
        if not found:
            raise InputError(
                f"{self.source} keeps no {name}: score with --arrays scores,inputs,predictions and "
                "what else is wanted."
            )
        if input is None and len(found) > 1:
            raise InputError(
                f"{self.source} has {name} of {', '.join(found)}: say which, input= (--input)."
            )
        chosen = next(iter(found)) if input is None else _label(input)
        if chosen not in found:
            raise InputError(f"{self.source} has {name} of {', '.join(found)}, not of {input!r}.")
        if name in ("inputs", "predictions"):
            return found[chosen]
        if "target" in self.axes(head):
            return _OneTarget(found[chosen], target)
        if target != 0:
            raise InputError(f"target={target}: there is one target, number 0.")
        return found[chosen]

    def targets(self, head: str | None = None) -> int:
        """How many targets scores are of.

        Raises
        ------
        InputError
            If there are no scores.
        """
        found = self.by_input("scores", head)
        if not found:
            raise InputError(f"{self.source} keeps no scores.")
        several = "target" in self.axes(head)
        return int(next(iter(found.values())).shape[1]) if several else 1

    @cached_property
    def _by_content(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Arrays by content and head, and by input."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for name, array in self.arrays.items():
            head, content, origin = parts_of(name)
            found.setdefault((content, head), {})[origin] = array
        return found


@dataclass(frozen=True, eq=False)
class _OneTarget:
    """Scores (N, T, *S) of one target, read by samples."""

    array: Any
    target: int

    def __len__(self) -> int:
        """N."""
        return len(self.array)

    def __getitem__(self, rows: Any) -> Array:
        """The scores of some samples (n, *S).

        Raises
        ------
        InputError
            If there is no such target.
        """
        values = np.asarray(self.array[rows])
        if not 0 <= self.target < values.shape[1]:
            raise InputError(
                f"target={self.target}: there are {values.shape[1]} targets, numbered from 0."
            )
        return np.asarray(values[:, self.target])


def parts_of(name: str) -> tuple[str, str, str]:
    """The head, the content and the input that the name of an array in a store tells."""
    first, _, rest = name.partition("/")
    if first in CONTENTS or not rest:
        return "", first, rest
    content, _, origin = rest.partition(".")
    return first, content, origin


def _label(name: str) -> str:
    """The name of a head or an input within that of an array."""
    return name.replace("/", ".")


def open_scored(source: Any, name: str = "") -> ScoredRun:
    """Open what a scoring run left.

    Parameters
    ----------
    source
        A store's folder, ``RUN.zarr``; a file that `Attribution.save` wrote or a store was exported
        to (.h5, .npz); an `Attribution`; or what this function gave.
    name
        What pages and figures call it; by default the file's, or the method.

    Raises
    ------
    InputError
        If it is nothing of these.
    OutputError
        If there is no such file or store, or it is damaged.
    """
    if isinstance(source, ScoredRun):
        return source.called(name or source.name)
    if isinstance(source, Attribution):
        return _of_result(source, name or str(source.settings.get("method", "result")))
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            "scores are read from a store, a .h5 or .npz file of scores, or an Attribution, not "
            f"from {type(source).__name__}"
        )
    path = Path(source)
    if path.suffix.lower() == STORE or path.is_dir():
        return _of_store(path, name or path.stem)
    result, constants = load_with_constants(path)
    known = {label: _as_text(values) for label, values in constants.items()}
    return replace(_of_result(result, name or path.stem), source=str(path), constants=known)


def _of_store(path: Path, name: str) -> ScoredRun:
    stored = open_store(path)
    settings = {**stored.settings, **stored.settings.get("run", {})}
    settings.pop("run", None)
    layout = stored.store.layout
    arrays = {label: stored[label] for label in layout.plan_of}
    constants = {label: stored[label] for label in layout.constants}
    return ScoredRun(str(path), name, settings, arrays, constants, stored.failed)


def _of_result(result: Attribution, name: str) -> ScoredRun:
    arrays = stored_arrays(result, result.inputs, _contents_of(result))
    return ScoredRun(name, name, result.settings, arrays, {})


def _contents_of(result: Attribution) -> list[str]:
    """What a result has of what stores keep, without what follows from it for letters."""
    plain = [
        name
        for name, content in CONTENTS.items()
        if name not in ("hypothetical", "projected")
        and content.of(result, result.inputs) is not None
    ]
    letters = result.multipliers is not None and _has_letters(result)
    return [*plain, "hypothetical"] if letters else plain


def _has_letters(result: Attribution) -> bool:
    named = result.inputs if isinstance(result.inputs, Mapping) else {"": result.inputs}
    return not result.settings.get("layers") and any(
        letter_axis(np.asarray(array)) is not None for array in named.values()
    )


def _as_text(values: Array) -> Array:
    """Text of HDF5, which comes as bytes, as Python's strings."""
    if values.dtype.kind not in "OS":
        return values
    texts = [each.decode() if isinstance(each, bytes) else str(each) for each in values.ravel()]
    return np.array(texts, object).reshape(values.shape)


__all__ = ["ScoredRun", "open_scored", "parts_of"]
