"""The result of a run: contributions, what they are checked against, and where they came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import numpy as np

from deeplift_engine.errors import InputError, OutputError
from deeplift_engine.results.head_results import of_head, settings_of_head, target_in_words
from deeplift_engine.results.provenance import provenance
from deeplift_engine.util import storage
from deeplift_engine.util.letters import has_letters, letter_axis
from deeplift_engine.util.student_t import two_sided
from deeplift_engine.util.typing import Array

Arrays = Array | Mapping[str, Array]  # one array, or several by name


@dataclass(frozen=True)
class Attribution:
    """Contributions of a batch, with all that is needed to check and to repeat them.

    Shapes are written with T targets, N samples, K references of one sample, and S the shape of
    one sample at the attribution point. The T axis exists when a run has several targets, the K
    axis when it does not average over the references.

    Attributes
    ----------
    scores
        Contributions, ``([T,] N, [K,] *S)``; by name when there are several attribution points.
    multipliers
        Contribution per unit of difference from the reference, shaped like ``scores``; None for
        a method without them.
    convergence_delta
        Sum of the contributions minus `target_delta`, ``([T,] N[, K])``, in the target's units;
        None for a method whose contributions need not sum to anything.
    target_delta
        The target on the input minus the target on the reference, ``([T,] N[, K])``; None for a
        method that compares with none.
    relative_error
        ``|convergence_delta|`` on the target's own scale, of the same shape, or None.
    predictions
        The network's outputs on the inputs, ``(N, ...)``; by name when there are several.
    inputs
        The inputs, ``(N, ...)``; by name when there are several.
    settings
        How the scores came about: method, rules, target, references, versions, hash of the model.
        Only what JSON can hold.
    standard_errors
        Of a method that averages over references, draws or noise: the standard error of each
        score, shaped like ``scores``; else None. `half_widths` are those of intervals.
    axes
        The leading axes of ``scores``: ``("sample",)``, with ``"target"`` before it and
        ``"reference"`` after it where those axes are there.
    spread, hypothetical_spread
        Of the mean over several models: standard deviations over them of ``scores`` and of
        `hypothetical`, each shaped like it; else None.
    """

    scores: Arrays
    multipliers: Arrays | None
    convergence_delta: Array | None
    target_delta: Array | None
    relative_error: Array | None
    predictions: Arrays
    inputs: Arrays
    settings: dict[str, Any] = field(default_factory=dict)
    axes: tuple[str, ...] = ("sample",)
    standard_errors: Arrays | None = None
    spread: Arrays | None = None
    hypothetical_spread: Arrays | None = None

    def __post_init__(self) -> None:
        if self.target_delta is not None and np.ndim(self.target_delta) != len(self.axes):
            raise InputError(
                f"target_delta has shape {np.shape(self.target_delta)}, but the leading axes are "
                f"{self.axes}: expected one axis for each"
            )

    def __repr__(self) -> str:
        """The scores in words, without the arrays."""
        setting = self.settings.get
        phrases = [f"scores {_shapes(self.scores)}"]
        if "target" in self.settings:
            phrases.append(f"target {target_in_words(self.settings)}")
        if setting("references") is not None:
            phrases.append(f"references {setting('references')}")
        if self.relative_error is not None:
            phrases.append(f"relative error up to {np.max(self.relative_error, initial=0):.1e}")
        return f"<Attribution by {setting('method', 'a method')}: {', '.join(phrases)}>"

    @property
    def heads(self) -> dict[str, Attribution]:
        """The result of each head by name, as of a run of its own; empty without heads.

        ``scores`` and all else of this result have the targets of all heads, in order, along their
        first axis. Sums are compared where those of every head must hold.
        """
        return {
            name: replace(
                self,
                **{key: of_head(getattr(self, key), **head) for key in _PER_TARGET},
                settings=settings_of_head(self.settings, name),
                axes=self.axes if head["stacked"] else self.axes[1:],
            )
            for name, head in self.settings.get("heads", {}).items()
        }

    @property
    def hypothetical(self) -> Arrays:
        """`hypothetical_contributions` of the inputs that have letters, along their axis."""
        return self.hypothetical_contributions()

    def hypothetical_contributions(self, axis: int | Mapping[str, int] | None = None) -> Arrays:
        """Contributions that each possible letter would have at each position.

        The letter c instead of the present one would have the difference
        ``onehot(c) - reference`` and so contribute ``m_c - sum_c' m_c' r_c'`` under the same
        multipliers. The scores are ``m (x - r)``, so the sum is known without the reference:
        ``m r = m x - scores``, also after averaging over references.

        Parameters
        ----------
        axis
            The axis of the letters in one array of ``inputs``, such as 1 for channels first. None
            is the last axis along which the inputs are letters: rows of two entries or more that
            are one-hot, sum to 1 or are zeros. Where inputs are no letters, as the leads of an
            electrocardiogram, an axis computes the same for them. Of several inputs, those with
            letters are meant, along one axis, or those in a mapping of names to axes.

        Returns
        -------
        array or dict
            Shaped like ``scores``; by name where there are several inputs. The present letter has
            the position's total contribution.

        Raises
        ------
        InputError
            If there are no multipliers, the scores are not those of the inputs, no input has
            letters, or the axis has only one entry, so that there is nothing to choose from.
        """
        if self.multipliers is None:
            raise InputError(
                "hypothetical contributions need multipliers, and this method has none: "
                "use the method 'deeplift'"
            )
        if not isinstance(self.scores, Mapping):
            return self._hypothetical(None, self._letter_axes(axis, [None])[None])
        axes = self._letter_axes(axis, list(self.scores))
        return {name: self._hypothetical(name, each) for name, each in axes.items()}

    def half_widths(self, level: float = 0.95) -> Arrays:
        """Half widths of intervals of the scores, by Student's t.

        Standard errors of few references are themselves uncertain: an interval of 95 % is 12.7 of
        them wide to each side with 2 references, 2.3 with 10, 2.0 with 60.

        Parameters
        ----------
        level
            Probability of the interval, between 0 and 1.

        Returns
        -------
        array or dict
            Shaped like ``scores``.

        Raises
        ------
        InputError
            If there are no standard errors, or the level is not between 0 and 1.
        """
        if self.standard_errors is None or not 0 < level < 1:
            raise InputError(
                "half widths of intervals need standard errors, run(..., standard_errors=True), "
                f"and a level between 0 and 1, not {level!r}"
            )
        draws = self.settings.get("options", {}).get("samples")
        draws = self.settings["references_per_sample"] if draws is None else draws
        wide = [two_sided(level, count - 1) if count > 1 else np.nan for count in np.ravel(draws)]

        def widened(errors: Array) -> Array:
            lead = len(self.axes)  # samples are the last of these axes
            quantiles = np.reshape(wide, (-1, *[1] * (errors.ndim - lead)))
            return np.asarray(errors * quantiles, dtype=errors.dtype)

        if isinstance(self.standard_errors, Mapping):
            return {name: widened(errors) for name, errors in self.standard_errors.items()}
        return widened(self.standard_errors)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        hypothetical: bool | Arrays = False,
        command_line: str | None = None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        """Write everything to one file, with its settings, or leave no file.

        Inputs that came as whole numbers are stored in the dtype in which they came, and arrays
        that shrink are compressed. `load` reads all back as it was.

        Parameters
        ----------
        path
            ``.h5`` or ``.hdf5`` (each field a data set, the settings as attributes) or ``.npz``.
        overwrite
            Whether an existing file may be replaced.
        hypothetical
            Whether to add the hypothetical contributions, for programs that read them; or these
            themselves, where they are `hypothetical_contributions` along an axis of your own. They
            are left out by default, because `hypothetical` of the loaded result has them.
        command_line
            The command of this run, to be saved with the settings.
        constants
            More arrays, by names that are not those of the result: coordinates, names of samples.

        Raises
        ------
        OutputError
            For another suffix, an existing file, and any error of the disk.
        """
        arrays: dict[str, Array] = {}
        for name in _ARRAY_FIELDS:
            _flatten(name, getattr(self, name), arrays)
        for name, dtype in self.settings.get("input_dtypes", {}).items():
            key = _key("inputs", name) if isinstance(self.inputs, Mapping) else "inputs"
            arrays[key] = arrays[key].astype(dtype)
        if hypothetical is not False:
            chosen = self.hypothetical if hypothetical is True else hypothetical
            _flatten("hypothetical", chosen, arrays)
        arrays |= {name: np.asarray(values) for name, values in (constants or {}).items()}
        stored = {
            **provenance(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **({"command_line": command_line} if command_line else {}),
            **self.settings,
            "axes": list(self.axes),
        }
        storage.write(path, arrays, stored, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Attribution:
        """Read back a file that `save` wrote; ``settings`` then tell its time and versions.

        Raises
        ------
        OutputError
            If the file is not there, is damaged, or holds something else.
        """
        return load_with_constants(path)[0]

    def _letter_axes(self, axis: Any, names: list[Any]) -> dict[Any, int]:
        """Give the axes of the inputs that have letters, of these, by their names."""
        inputs = {name: self._inputs_at(name) for name in names}
        if isinstance(axis, Mapping):
            unknown = set(axis) - set(inputs)
            if unknown or not axis:
                raise InputError(
                    f"hypothetical contributions: axis= has the names {list(axis)}; scores are at "
                    + (", ".join(map(repr, names)) if names != [None] else "the only input")
                )
            return dict(axis)
        if axis is not None and len(names) == 1:
            return {names[0]: axis}
        if axis is None:
            axes = {name: letter_axis(array) for name, array in inputs.items()}
            chosen = {name: found for name, found in axes.items() if found is not None}
        else:
            chosen = {name: axis for name, array in inputs.items() if has_letters(array, axis)}
        if not chosen:
            along = "any axis" if axis is None else f"axis {axis}"
            shapes = " and ".join(str(array.shape) for array in inputs.values())
            raise InputError(
                f"inputs of shape {shapes} have no letters along {along}: expected rows of two "
                "entries or more that are one-hot, sum to 1 or are zeros. To have the same of "
                "other inputs, name the axis to choose along: hypothetical_contributions(axis=-1)"
                + (", of several inputs as {name: axis}" if len(names) > 1 else "")
            )
        return chosen

    def _hypothetical(self, name: str | None, axis: int) -> Array:
        scores = _by_name(self.scores, name)
        multipliers = _by_name(self.multipliers, name)
        inputs = self._inputs_at(name)
        axis = axis - inputs.ndim if axis >= 0 else axis  # leading axes are about to be added
        if not -inputs.ndim < axis < 0 or inputs.shape[axis] < 2:
            raise InputError(
                f"inputs of shape {inputs.shape} have no letters along axis {axis}: expected an "
                "axis after the samples' with two entries or more, such as one-hot letters"
            )
        if "reference" in self.axes:
            inputs = inputs[:, np.newaxis]
        of_references = np.sum(multipliers * inputs - scores, axis=axis, keepdims=True)
        return np.asarray(multipliers - of_references, dtype=scores.dtype)

    def _inputs_at(self, name: str | None) -> Array:
        """Give the inputs that the scores called ``name`` belong to."""
        inputs: Any = None if self.settings.get("layers") else self.inputs
        if isinstance(self.inputs, Mapping):
            inputs = self.inputs.get(name or "")
        shape = _by_name(self.scores, name).shape[len(self.axes) :]
        if inputs is None or shape != np.shape(inputs)[1:]:
            raise InputError(
                "hypothetical contributions are those of letters at an input, but the scores are "
                f"at {name or self.settings.get('layers') or 'a layer inside'}: run without layers"
            )
        return np.asarray(inputs)


def load_with_constants(path: str | os.PathLike[str]) -> tuple[Attribution, dict[str, Array]]:
    """A file that `Attribution.save` wrote, and the constants that it keeps beside the result.

    Raises
    ------
    OutputError
        If the file is not there, is damaged, or holds something else.
    """
    arrays, settings = storage.read(path)
    values = {name: _gather(name, arrays) for name in _ARRAY_FIELDS}
    missing = [name for name in _ARRAY_FIELDS if values[name] is None and name not in _OPTIONAL]
    if missing or "axes" not in settings:
        raise OutputError(
            f"{path} does not hold {', '.join(missing) or 'its axes'}: "
            "expected a file that Attribution.save wrote, or an export of a run that keeps "
            "scores, inputs and predictions (--arrays scores,inputs,predictions)"
        )
    axes = tuple(settings.pop("axes"))
    inputs = values["inputs"]
    for name in settings.get("input_dtypes", {}):
        if isinstance(inputs, Mapping):
            inputs = {**inputs, name: inputs[name].astype(settings["dtype"])}
        elif inputs is not None:
            inputs = inputs.astype(settings["dtype"])
    values["inputs"] = inputs
    known = (*_ARRAY_FIELDS, "hypothetical")
    constants = {name: each for name, each in arrays.items() if name.split("/")[0] not in known}
    return Attribution(**values, settings=settings, axes=axes), constants  # type: ignore[arg-type]


_ARRAY_FIELDS = tuple(f.name for f in fields(Attribution) if f.name not in ("settings", "axes"))
_PER_TARGET = tuple(name for name in _ARRAY_FIELDS if name not in ("predictions", "inputs"))
_OPTIONAL = (
    "multipliers",
    "convergence_delta",
    "relative_error",
    "target_delta",
    "standard_errors",
    "spread",
    "hypothetical_spread",
)


def _shapes(values: Arrays) -> str:
    if isinstance(values, Mapping):
        return " and ".join(f"{array.shape} of {name}" for name, array in values.items())
    return str(values.shape)


def _by_name(arrays: Arrays | None, name: str | None) -> Array:
    if name is None or not isinstance(arrays, Mapping):
        return np.asarray(arrays)
    return np.asarray(arrays[name])


def _flatten(name: str, value: Arrays | None, arrays: dict[str, Array]) -> None:
    if isinstance(value, Mapping):
        for key, array in value.items():  # a layer's name may itself have slashes
            arrays[_key(name, key)] = np.asarray(array)
    elif value is not None:
        arrays[name] = np.asarray(value)


def _key(name: str, key: str) -> str:
    return f"{name}/{quote(key, safe=' :')}"


def _gather(name: str, arrays: Mapping[str, Array]) -> Arrays | None:
    if name in arrays:
        return arrays[name]
    start = f"{name}/"
    return {
        unquote(key.removeprefix(start)): array
        for key, array in arrays.items()
        if key.startswith(start)
    } or None
