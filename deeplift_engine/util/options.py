"""What options may be, and how a value that none can be is refused: said once, for all of them.

The annotation of an option tells of what kind it is (``steps: Count = 50``), and whoever makes a
method or calls a metric reads its options by these kinds before anything else is done.
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
"""The largest count: what is longer fits no memory."""
LONGEST = 80
"""Letters of a refused value that are shown."""


class NotOfKindError(ValueError):
    """A value that is not of a kind; the text says what it should be. Never leaves `checked`."""


@dataclass(frozen=True)
class Kind:
    """Whatever there is; what it is in particular say its subclasses."""

    def read(self, value: Any) -> Any:
        """The value, brought to Python's own type.

        Raises
        ------
        NotOfKindError
            If it is not of this kind.
        """
        return value


@dataclass(frozen=True)
class Truth(Kind):
    """True or False, and nothing that merely counts as one of them."""

    def read(self, value: Any) -> bool:
        """Of Python or numpy."""
        if not isinstance(value, bool | np.bool_):
            raise NotOfKindError("True or False")
        return bool(value)


@dataclass(frozen=True)
class Text(Kind):
    """A name."""

    def read(self, value: Any) -> str:
        """As it is."""
        if not isinstance(value, str):
            raise NotOfKindError("a name")
        return value


@dataclass(frozen=True)
class Named(Kind):
    """Values by name."""

    def read(self, value: Any) -> Mapping[str, Any]:
        """As it is."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise NotOfKindError("a mapping of names to values")
        return value


@dataclass(frozen=True)
class Among(Kind):
    """One of the words that are known."""

    known: Iterable[str]

    def read(self, value: Any) -> str:
        """As it is."""
        known = list(self.known)
        if not isinstance(value, str) or value not in known:
            raise NotOfKindError(f"one of {', '.join(known)}")
        return value


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from ``least`` to ``most``; of any sign, or size, without them."""

    least: int | None = None
    most: int | None = LARGEST

    def read(self, value: Any) -> int:
        """As Python's own."""
        said = "a whole number" if self.least is None else f"a whole number of {self.least} or more"
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise NotOfKindError(said)
        number = int(value)
        if self.least is not None and number < self.least:
            raise NotOfKindError(said)
        if self.most is not None and number > self.most:
            lower = "up" if self.least is None else f"from {self.least}"
            raise NotOfKindError(f"a whole number {lower} to {self.most}")
        return number


@dataclass(frozen=True)
class Number(Kind):
    """A finite number within bounds that count themselves, or (``above``, ``below``) do not."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def read(self, value: Any) -> float:
        """As Python's own."""
        number = nan
        if isinstance(value, Real) and not isinstance(value, bool):
            with contextlib.suppress(OverflowError):
                number = float(value)
        if self._holds(number):
            return number
        said = [
            text
            for bound, text in (
                (self.above, f"above {self.above}"),
                (self.least, f"of {self.least} or more"),
                (self.most, f"at most {self.most}"),
                (self.below, f"below {self.below}"),
            )
            if bound is not None
        ]
        raise NotOfKindError(" ".join(["a finite number", " and ".join(said)]).strip())

    def _holds(self, value: float) -> bool:
        return (
            isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


@dataclass(frozen=True)
class Several(Kind):
    """A list, range or array of one axis, of one or more that are each ``of`` a kind.

    ``count`` of them, where that is said.
    """

    of: Kind
    count: int | None = None

    def read(self, value: Any) -> list[Any]:
        """As a list."""
        given = value.tolist() if isinstance(value, np.ndarray) else value
        several = list(given) if isinstance(given, list | tuple | range) else []
        fits = len(several) == self.count if self.count else bool(several)
        try:
            return [self.of.read(part) for part in (several if fits else [None])]
        except NotOfKindError as error:
            raise NotOfKindError(f"a list of {self.count or 'one or more'}, each {error}") from None


@dataclass(frozen=True)
class Values(Kind):
    """A finite number, or an array of them."""

    def read(self, value: Any) -> Any:
        """As it is."""
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind not in "iuf" or not array.size or not np.isfinite(array).all():
            raise NotOfKindError("a finite number, or an array of them")
        return value


@dataclass(frozen=True)
class OrNone(Kind):
    """None, or what is ``of`` a kind."""

    of: Kind

    def read(self, value: Any) -> Any:
        """As it is, or as the kind has it."""
        try:
            return None if value is None else self.of.read(value)
        except NotOfKindError as error:
            raise NotOfKindError(f"{error}, or None") from None


Count: TypeAlias = Annotated[int, Whole(1)]
TwoOrMore: TypeAlias = Annotated[int, Whole(2)]
SEED = Whole(0, 2**32 - 1)
"""What all generators of random numbers take."""
Seed: TypeAlias = Annotated[int, SEED]
Positive: TypeAlias = Annotated[float, Number(above=0)]
NotNegative: TypeAlias = Annotated[float, Number(least=0)]
Width: TypeAlias = Annotated[float, Number(above=0, most=1_000_000)]
Share: TypeAlias = Annotated[float, Number(above=0, most=1)]
Bounds: TypeAlias = Annotated[Any, OrNone(Values())]

PLAIN: Mapping[Any, Kind] = MappingProxyType(
    {bool: Truth(), str: Text(), int: Whole(), float: Number(), Mapping[str, Any]: Named()}
)
"""Kinds of annotations that say no more than a type."""


UNIONS = (Union, type(int | None))
"""What ``Optional[int]`` and ``int | None`` are made of."""


def kind_of(annotation: Any) -> Kind:
    """What an annotation says of the values of its option."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return next((part for part in parts if isinstance(part, Kind)), Kind())
    if origin in UNIONS and len(parts) == 2 and parts[1] is type(None):
        return OrNone(kind_of(parts[0]))
    return PLAIN.get(annotation, Kind())


def fits(value: Any, kind: Kind) -> bool:
    """Whether a value is of a kind."""
    try:
        kind.read(value)
    except NotOfKindError:
        return False
    return True


def kinds(make: Callable[..., Any]) -> dict[str, Kind]:
    """What the keyword-only arguments of a function or class may be, by name."""
    return {
        parameter.name: kind_of(parameter.annotation)
        for parameter in inspect.signature(make, eval_str=True).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def read(options: Mapping[str, Any], by: Mapping[str, Kind]) -> dict[str, Any]:
    """Options as their kinds have them.

    Raises
    ------
    RuleError
        For the first that is not of its kind.
    """
    return {name: checked(name, value, by.get(name, Kind())) for name, value in options.items()}


def reading(function: Callable[P, R]) -> Callable[P, R]:
    """A function that is called with its options read."""
    by = kinds(function)

    @functools.wraps(function)
    def called(*arguments: P.args, **options: P.kwargs) -> R:
        return function(*arguments, **read(options, by))

    return called


def checked(name: str, value: Any, kind: Kind, error: type[DeepliftEngineError] = RuleError) -> Any:
    """The value of the option called ``name``, as its kind has it.

    Raises
    ------
    RuleError
        If it is not of that kind, or the ``error`` that is named instead.
    """
    try:
        return kind.read(value)
    except NotOfKindError as expected:
        raise error(f"{name} is {expected}, not {shown(value)}.") from None


def shown(value: Any) -> str:
    """A value in an error: an array by its shape, others by so many letters."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
