"""Constraints on options, and one error for every value that violates one.

The annotation of an option names its constraint (``steps: Count = 50``). Methods and metrics read
their options by these constraints before any other work.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from numbers import Integral, Real
from types import MappingProxyType
from typing import Annotated, Any, ParamSpec, TypeAlias, TypeVar, Union, get_args, get_origin

import numpy as np

from deeplift_engine.errors import DeepliftEngineError, RuleError

P = ParamSpec("P")
R = TypeVar("R")

LARGEST = 2**31 - 1
"""The largest count; more elements fit no memory."""
LONGEST = 80
"""Characters of a refused value that an error shows."""


class ConstraintError(ValueError):
    """A value violates a constraint; the text says what was expected. Never leaves `checked`."""


@dataclass(frozen=True)
class Constraint:
    """Accepts any value; subclasses restrict it."""

    def read(self, value: Any) -> Any:
        """The value, converted to Python's own type.

        Raises
        ------
        ConstraintError
            If the value is not acceptable.
        """
        return value


@dataclass(frozen=True)
class Boolean(Constraint):
    """True or False, of Python or numpy; no number stands for either."""

    def read(self, value: Any) -> bool:
        """The value in Python's own type."""
        if not isinstance(value, bool | np.bool_):
            raise ConstraintError("True or False")
        return bool(value)


@dataclass(frozen=True)
class Text(Constraint):
    """A string."""

    def read(self, value: Any) -> str:
        """The value itself."""
        if not isinstance(value, str):
            raise ConstraintError("a name")
        return value


@dataclass(frozen=True)
class NamedValues(Constraint):
    """A mapping of names to values."""

    def read(self, value: Any) -> Mapping[str, Any]:
        """The value itself."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise ConstraintError("a mapping of names to values")
        return value


@dataclass(frozen=True)
class Among(Constraint):
    """One of the known words."""

    known: Iterable[str]

    def read(self, value: Any) -> str:
        """The value itself."""
        known = list(self.known)
        if not isinstance(value, str) or value not in known:
            raise ConstraintError(f"one of {', '.join(known)}")
        return value


@dataclass(frozen=True)
class Integer(Constraint):
    """A whole number from ``least`` to ``most``; None leaves that side open."""

    least: int | None = None
    most: int | None = LARGEST

    def read(self, value: Any) -> int:
        """The value in Python's own type."""
        expected = (
            "a whole number" if self.least is None else f"a whole number of {self.least} or more"
        )
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise ConstraintError(expected)
        number = int(value)
        if self.least is not None and number < self.least:
            raise ConstraintError(expected)
        if self.most is not None and number > self.most:
            lower = "up" if self.least is None else f"from {self.least}"
            raise ConstraintError(f"a whole number {lower} to {self.most}")
        return number


@dataclass(frozen=True)
class Number(Constraint):
    """A finite number within bounds; ``least`` and ``most`` are inclusive."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def read(self, value: Any) -> float:
        """The value in Python's own type."""
        number = nan
        if isinstance(value, Real) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):
                number = float(value)
        if self._holds(number):
            return number
        bounds = [
            text
            for bound, text in (
                (self.above, f"above {self.above}"),
                (self.least, f"of {self.least} or more"),
                (self.most, f"at most {self.most}"),
                (self.below, f"below {self.below}"),
            )
            if bound is not None
        ]
        raise ConstraintError(" ".join(["a finite number", " and ".join(bounds)]).strip())

    def _holds(self, value: float) -> bool:
        return (
            isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


@dataclass(frozen=True)
class Several(Constraint):
    """A list, tuple, range or array of one axis whose entries each satisfy ``entry``.

    It has ``count`` entries, or one or more where that is None.
    """

    entry: Constraint
    count: int | None = None

    def read(self, value: Any) -> list[Any]:
        """The entries as a list."""
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        entries = list(plain) if isinstance(plain, list | tuple | range) else []
        fits = len(entries) == self.count if self.count else bool(entries)
        try:
            return [self.entry.read(entry) for entry in (entries if fits else [None])]
        except ConstraintError as error:
            raise ConstraintError(
                f"a list of {self.count or 'one or more'}, each {error}"
            ) from None


@dataclass(frozen=True)
class Values(Constraint):
    """A finite number, or an array of finite numbers."""

    def read(self, value: Any) -> Any:
        """The value itself."""
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "iuf" or not array.size or not np.isfinite(array).all():
            raise ConstraintError("a finite number, or an array of them")
        return value


@dataclass(frozen=True)
class Instance(Constraint):
    """An object of a class, or of one of several; ``words`` say where such come from."""

    kinds: type | tuple[type, ...]
    words: str

    def read(self, value: Any) -> Any:
        """The value itself."""
        if not isinstance(value, self.kinds):
            raise ConstraintError(self.words)
        return value


@dataclass(frozen=True)
class OrNone(Constraint):
    """None, or a value that satisfies ``other``."""

    other: Constraint

    def read(self, value: Any) -> Any:
        """None, or the value as the other constraint reads it."""
        try:
            return None if value is None else self.other.read(value)
        except ConstraintError as error:
            raise ConstraintError(f"{error}, or None") from None


Count: TypeAlias = Annotated[int, Integer(1)]
TwoOrMore: TypeAlias = Annotated[int, Integer(2)]
SEED = Integer(0, 2**32 - 1)
"""The range that every generator of random numbers accepts."""
Seed: TypeAlias = Annotated[int, SEED]
Positive: TypeAlias = Annotated[float, Number(above=0)]
NotNegative: TypeAlias = Annotated[float, Number(least=0)]
Width: TypeAlias = Annotated[float, Number(above=0, most=1_000_000)]
Share: TypeAlias = Annotated[float, Number(above=0, most=1)]
Bounds: TypeAlias = Annotated[Any, OrNone(Values())]

PLAIN: Mapping[Any, Constraint] = MappingProxyType(
    {
        bool: Boolean(),
        str: Text(),
        int: Integer(),
        float: Number(),
        Mapping[str, Any]: NamedValues(),
    }
)
"""Constraints of annotations that are plain types."""

UNIONS = (Union, type(int | None))
"""The origins of ``Optional[int]`` and of ``int | None``."""


def constraint_of(annotation: Any) -> Constraint:
    """The constraint that an annotation puts on the values of its option."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return next((each for each in arguments if isinstance(each, Constraint)), Constraint())
    if origin in UNIONS and len(arguments) == 2 and arguments[1] is type(None):
        return OrNone(constraint_of(arguments[0]))
    return PLAIN.get(annotation, Constraint())


def fits(value: Any, constraint: Constraint) -> bool:
    """Whether a value satisfies a constraint."""
    try:
        constraint.read(value)
    except ConstraintError:
        return False
    return True


def constraints(create: Callable[..., Any]) -> dict[str, Constraint]:
    """The constraints of the keyword-only arguments of a function or class, by name."""
    return {
        parameter.name: constraint_of(parameter.annotation)
        for parameter in inspect.signature(create, eval_str=True).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def read(options: Mapping[str, Any], by: Mapping[str, Constraint]) -> dict[str, Any]:
    """Options, each read by its constraint.

    Raises
    ------
    RuleError
        For the first that violates its constraint.
    """
    return {
        name: checked(name, value, by.get(name, Constraint())) for name, value in options.items()
    }


def validates_options(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that its options are read by their constraints first."""
    by = constraints(function)

    @functools.wraps(function)
    def called(*arguments: P.args, **options: P.kwargs) -> R:
        return function(*arguments, **read(options, by))

    return called


def checked(
    name: str, value: Any, constraint: Constraint, error: type[DeepliftEngineError] = RuleError
) -> Any:
    """The value of the option called ``name``, read by its constraint.

    Raises
    ------
    RuleError
        If the value violates it; another class of ``error`` can be named instead.
    """
    try:
        return constraint.read(value)
    except ConstraintError as expected:
        raise error(f"{name} is {expected}, not {shown(value)}.") from None


def shown(value: Any) -> str:
    """A value for an error message: an array by its shape, others by their first characters."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
