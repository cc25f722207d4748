"""What a store holds: its arrays, how they are cut into shards, and the job they belong to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from deeplift_engine.errors import OutputError

SAMPLE = "sample"
"""The name of the first axis of every array."""

DTYPES = ("float32", "float16", "float64", "int8", "uint8", "int64", "bool", "str")
# a file's name in a folder of zarr: no path, nothing hidden, nothing that zarr reserves
_NAME = re.compile(r"(?!\.|__|zarr\.json$)[^/\\\x00-\x1f]{1,200}")


@dataclass(frozen=True)
class ArrayPlan:
    """An array of a store, of shape ``(samples, *shape)``.

    Attributes
    ----------
    name
        May hold one slash: ``"counts/scores"`` is the array ``scores`` in the group ``counts``.
    shape
        The shape of one sample; ``()`` for one value a sample.
    dtype
        One of `DTYPES`.
    dimensions
        The names of the axes behind ``"sample"``, as ``("position", "letter")``.

    Raises
    ------
    OutputError
        For a name, shape, dtype or dimensions that a store cannot have.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    dimensions: tuple[str, ...]

    def __post_init__(self) -> None:
        check_name(self.name)
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        object.__setattr__(self, "dimensions", tuple(self.dimensions))
        if self.dtype not in DTYPES:
            raise OutputError(
                f"array {self.name!r} has dtype {self.dtype!r}: expected {', '.join(DTYPES)}"
            )
        if any(size < 1 for size in self.shape):
            raise OutputError(f"array {self.name!r} has shape {self.shape}: expected sizes above 0")
        distinct = {SAMPLE, *self.dimensions}
        if len(self.dimensions) != len(self.shape) or len(distinct) != len(self.shape) + 1:
            raise OutputError(
                f"array {self.name!r} of shape {self.shape} has dimensions {self.dimensions}: "
                f"expected a name for each axis, all different and none of them {SAMPLE!r}"
            )


@dataclass(frozen=True)
class Constant:
    """What a store says of an array that was known before the run."""

    shape: tuple[int, ...]
    dtype: str
    dimensions: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class Layout:
    """All that stores of one job have in common: equal layouts have equal marks.

    Attributes
    ----------
    samples
        Length of the first axis of each planned array.
    shard
        Samples that one writer computes and one file of an array holds.
    chunk
        Samples that are compressed together; divides ``shard``.
    plans
        The arrays that the run fills.
    settings
        The description of the job, as JSON holds it.
    constants
        The arrays that were known before the run.
    """

    samples: int
    shard: int
    chunk: int
    plans: tuple[ArrayPlan, ...]
    settings: Mapping[str, Any]
    constants: Mapping[str, Constant]

    def __post_init__(self) -> None:
        for name in ("samples", "shard", "chunk"):
            size = getattr(self, name)
            if isinstance(size, bool) or not isinstance(size, int) or size < 1:
                raise OutputError(f"a store has {name}={size!r}: expected a whole number above 0")
        if self.shard % self.chunk:
            raise OutputError(
                f"shards of {self.shard} samples are no multiple of chunks of {self.chunk}: "
                "choose a chunk that divides the shard"
            )
        if not self.plans:
            raise OutputError("a store needs an array: none is planned")
        check_names([*(plan.name for plan in self.plans), *self.constants])
        self._check_dimensions()

    def _check_dimensions(self) -> None:
        """Refuse one name for axes of several lengths, which xarray does not open."""
        lengths = {SAMPLE: self.samples}
        for name, dimensions, shape in self._axes():
            for dimension, size in zip(dimensions, shape, strict=True):
                if lengths.setdefault(dimension, size) != size:
                    raise OutputError(
                        f"array {name!r} has {size} entries along {dimension!r}, another has "
                        f"{lengths[dimension]}: name axes of different lengths differently"
                    )

    def _axes(self) -> Iterator[tuple[str, tuple[str, ...], tuple[int, ...]]]:
        for plan in self.plans:
            yield plan.name, plan.dimensions, plan.shape
        for name, constant in self.constants.items():
            yield name, constant.dimensions, constant.shape

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.samples // self.shard)

    def rows(self, number: int) -> slice:
        """The samples of a shard.

        Raises
        ------
        OutputError
            If there is no such shard.
        """
        if not 0 <= number < self.shards:
            raise OutputError(
                f"there is no shard {number}: {self.samples} samples in shards of {self.shard} "
                f"have the shards 0 to {self.shards - 1}"
            )
        return slice(number * self.shard, min((number + 1) * self.shard, self.samples))

    @cached_property
    def plan_of(self) -> Mapping[str, ArrayPlan]:
        """The plans by their names."""
        return {plan.name: plan for plan in self.plans}

    def to_json(self) -> dict[str, Any]:
        """The layout as JSON holds it."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Layout:
        """The layout that `to_json` wrote; KeyError or TypeError for anything else."""
        return cls(
            samples=values["samples"],
            shard=values["shard"],
            chunk=values["chunk"],
            plans=tuple(ArrayPlan(**_tuples(plan)) for plan in values["plans"]),
            settings=values["settings"],
            constants={
                name: Constant(**_tuples(constant))
                for name, constant in values["constants"].items()
            },
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the layout: what a mark belongs to."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def difference(self, other: Layout) -> str | None:
        """The first field in which two layouts differ, with both values; None for equal ones."""
        return _difference(self.to_json(), other.to_json(), "")


def check_names(names: Iterable[str]) -> None:
    """Refuse names of arrays that a store cannot hold together."""
    seen: set[str] = set()
    for name in names:
        check_name(name)
        if name in seen:
            raise OutputError(f"array {name!r} is there twice: give each array its own name")
        seen.add(name)
    for name in seen:
        group, slash, _ = name.partition("/")
        if slash and group in seen:
            raise OutputError(
                f"{group!r} is an array, and the group of {name!r}: give them different names"
            )


def check_name(name: str) -> None:
    """Refuse a name that no array of a store can have."""
    steps = name.split("/")
    if len(steps) > 2 or not all(_NAME.fullmatch(step) for step in steps):
        raise OutputError(
            f"an array cannot be called {name!r}: expected a name, or group/name, that does not "
            "begin with a dot or two underscores"
        )


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an array's description, with tuples for JSON's lists."""
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }


def _difference(mine: Any, theirs: Any, path: str) -> str | None:
    if json.dumps(mine, sort_keys=True) == json.dumps(theirs, sort_keys=True):
        return None
    if isinstance(mine, dict) and isinstance(theirs, dict):
        pairs = [(key, mine.get(key), theirs.get(key)) for key in sorted({*mine, *theirs})]
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        pairs = [(str(at), *both) for at, both in enumerate(zip(mine, theirs, strict=True))]
    else:
        return f"{path}: {_short(mine)} against {_short(theirs)}"
    inner = (_difference(a, b, f"{path}.{key}".lstrip(".")) for key, a, b in pairs)
    return next((line for line in inner if line is not None), f"{path}: null against nothing")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 80 else f"{text[:76]} ..."


__all__ = ["DTYPES", "SAMPLE", "ArrayPlan", "Constant", "Layout"]
