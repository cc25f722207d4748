"""Options with a grammar of their own: targets, references, rules by layer.

Each function takes the text of one option and returns a value for the library, or a function that
makes it later. A text of the wrong form raises `argparse.ArgumentTypeError`: wrong usage.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from deeplift_engine.engine.located_targets import HEADS, units_in
from deeplift_engine.errors import InputError
from deeplift_engine.jobs.shards import Share
from deeplift_engine.jobs.shards import share as read_share
from deeplift_engine.references import KINDS
from deeplift_engine.references.reference_kind import Form, ReferenceKind
from deeplift_engine.tables.table_columns import SUFFIXES as TABLES
from deeplift_engine.util.array_files import SUFFIXES, read_array
from deeplift_engine.util.options import SEED, fits
from deeplift_engine.util.suggestions import suggest

WORDS = {"none": None, **dict.fromkeys(("true", "yes", "on"), True)}
WORDS |= dict.fromkeys(("false", "no", "off"), False)
"""Words that are no literals of Python, and their values."""

Value = Callable[[], Any]
"""Returns the value: it may need files or the library, which are read after all options."""
Read = Callable[[str], Any]
"""Reads the array that ``FILE`` or ``FILE:KEY`` names."""


def pair(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not {text!r}")
    return name, value


def optional_pair(text: str) -> tuple[str, str]:
    """Split ``[NAME=]VALUE``; the name is empty where there is none."""
    return pair(text) if "=" in text else ("", text)


def share(text: str) -> Share:
    """The share of a run, ``I/N`` or ``slurm``."""
    try:
        return read_share(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("--shard ")) from None


def size(text: str) -> int:
    """Bytes, such as ``4G``, ``500M`` or ``64K``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    count = float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " ") if match else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected a size such as 4G or 500M, not {text!r}")
    return int(count)


def height_and_width(text: str) -> tuple[int, int]:
    """Split ``HEIGHTxWIDTH``."""
    match = re.fullmatch(r"([1-9]\d*)[xX]([1-9]\d*)", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH, as 224x224, not {text!r}")
    return int(match[1]), int(match[2])


def layer_and_shape(text: str) -> tuple[str, tuple[int | None, ...] | None]:
    """Split ``LAYER[=SIZE,...]``; a size is a whole number, or any."""
    name, equals, sizes = text.partition("=")
    if not equals:
        return name, None
    known = [size.strip() for size in sizes.split(",") if size.strip()]
    if not all(size == "any" or size.isdigit() for size in known):
        raise argparse.ArgumentTypeError(f"expected LAYER=SIZE,SIZE ..., not {text!r}")
    return name, tuple(None if size == "any" else int(size) for size in known)


def names(text: str) -> list[str]:
    """Split ``NAME,NAME,...``."""
    split = [name.strip() for name in text.split(",")]
    if not all(split):
        raise argparse.ArgumentTypeError(f"expected names with commas between, not {text!r}")
    return split


def named_list(text: str) -> tuple[str, list[str]]:
    """Split ``[NAME=]NAME,NAME,...``."""
    name, listed = optional_pair(text)
    return name, names(listed)


def option(text: str) -> tuple[str, Value]:
    """Split ``NAME=VALUE``, and read VALUE as Python would: a number, a word, a list, a mapping.

    ``@FILE`` is an array.
    """
    name, value = pair(text)
    if value.startswith("@") and len(value) > 1:
        return name, lambda: read_file(value[1:])
    try:
        literal = ast.literal_eval(value)
    except (SyntaxError, ValueError):
        literal = WORDS.get(value.lower(), value)
    return name, lambda: literal


def name_with_options(text: str) -> tuple[str, Value]:
    """Split ``NAME:OPTION=VALUE;OPTION=VALUE`` into the name and its options."""
    name, _, rest = text.partition(":")
    if not name:
        raise argparse.ArgumentTypeError(f"expected NAME or NAME:OPTION=VALUE, not {text!r}")
    pairs = [option(pair) for pair in rest.split(";") if pair]
    options = dict(pairs)
    if len(options) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise argparse.ArgumentTypeError(f"{twice}= occurs twice in {text!r}; leave one out")
    return name, lambda: {key: value() for key, value in options.items()}


def groups(text: str) -> Value:
    """Read ``--groups``: a word, a number, or ``@FILE``."""
    return option(f"groups={text}")[1]


def at_least_one(text: str) -> int:
    """Read a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, not {text!r}")
    return int(text)


def whole_range(text: str) -> range:
    """Read ``FIRST-LAST``, both included, or one number."""
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    numbers = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
    if not numbers:
        raise argparse.ArgumentTypeError(f"expected FIRST-LAST, such as 0-20, not {text!r}")
    return numbers


def span(text: str) -> tuple[str, tuple[int, int]]:
    """Split ``[NAME=]FIRST-END``; the name is what stands there where there is none."""
    name, range_text = optional_pair(text)
    match = re.fullmatch(r"(\d+)-(\d+)", range_text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected [NAME=]FIRST-END, such as 10-20, not {text!r}")
    return name or range_text, (int(match[1]), int(match[2]))


def seed(text: str) -> int:
    """Read a seed."""
    if not text.isdecimal() or not fits(int(text), SEED):
        raise argparse.ArgumentTypeError(f"expected a whole number of 0 or more, not {text!r}")
    return int(text)


def target(text: str) -> tuple[str, Value]:
    """Read one ``--target``, ``[HEAD=]TARGET``; the head's name is empty where there is none.

    TARGET is ``@FILE``, units, or a text that names a layer of the model.
    """
    name, value = ("", text) if text.startswith("@") else optional_pair(text)
    if value.startswith("@") and len(value) > 1:
        return name, lambda: read_file(value[1:])
    units = None if value in HEADS else units_in(value)
    return name, lambda: value if units is None else units


def references(text: str) -> Callable[..., Any]:
    """Read ``NAME:ARGUMENT``, a row of `deeplift_engine.references.KINDS`, or a file of them.

    The function that is returned makes the references from a seed, and from what reads files, by
    default `read_file`. A table by itself is one set that all samples share.
    """
    name, colon, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is not None and kind.arguments is not None:
        return _kind_of_references(kind, rest if colon else None, text)
    if is_table(text):
        return lambda seed, read=read_file: KINDS["shared"].create(read(text))
    if any(suffix in text.lower() for suffix in SUFFIXES):
        return lambda seed, read=read_file: read(text)
    known = [other for other, kind in KINDS.items() if kind.arguments is not None]
    advice = suggest(name, known, "See the list in --help.")
    raise argparse.ArgumentTypeError(f"there is no kind of references {name!r}. {advice}")


def _kind_of_references(kind: ReferenceKind, rest: str | None, text: str) -> Callable[..., Any]:
    forms = kind.arguments or {}
    texts = [] if rest is None else rest.split(":", max(len(forms) - 1, 0))
    if not kind.required <= len(texts) <= len(forms):
        raise argparse.ArgumentTypeError(f"expected {kind.syntax}, not {text!r}")
    values: dict[str, Callable[[Read], Any]] = {}
    for (argument, form), value in zip(forms.items(), texts, strict=False):
        try:
            values[argument] = READERS[form](value)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{kind.syntax}: expected {form.value} for {argument}, not {value!r}"
            ) from None
    seeded = "seed" in kind.parameters

    def create(seed: int, read: Read = read_file) -> Any:
        settings = {argument: value(read) for argument, value in values.items()}
        return kind.create(**settings, **({"seed": seed} if seeded else {}))

    return create


def _constant(parse: Callable[[str], Any]) -> Callable[[str], Callable[[Read], Any]]:
    """A reader whose values need no file."""

    def reader(text: str) -> Callable[[Read], Any]:
        value = parse(text)
        return lambda read: value

    return reader


def _count(text: str) -> int | Literal["auto"]:
    return "auto" if text == "auto" else at_least_one(text)


READERS: Mapping[Form, Callable[[str], Callable[[Read], Any]]] = MappingProxyType(
    {
        Form.NUMBER: _constant(float),
        Form.NUMBERS: _constant(lambda text: [float(number) for number in text.split(",")]),
        Form.INTEGER: _constant(int),
        Form.INTEGERS: _constant(lambda text: [int(number) for number in text.split(",")]),
        Form.COUNT: _constant(_count),
        Form.FILE: lambda text: lambda read: read(text),
    }
)
"""Readers of the arguments of kinds of references."""


def input_references(text: str) -> tuple[str, Callable[..., Any]]:
    """Split ``[INPUT=]REFERENCES`` and read the second part."""
    name, value = optional_pair(text)
    return name, references(value)


def setting(text: str) -> tuple[str, list[tuple[str, Callable[..., Any]]]]:
    """Read one ``--references`` of a sweep, of several inputs with semicolons between."""
    return text, [input_references(one) for one in text.split(";")]


def is_table(text: str) -> bool:
    """Whether it is the name of a table, whose columns are found by name."""
    return Path(text).suffix.lower() in TABLES


def read_file(text: str) -> Any:
    """Read the array of ``FILE`` or ``FILE:KEY``."""
    path, colon, key = text.rpartition(":")
    if colon and Path(path).suffix.lower() in SUFFIXES:
        return read_array(Path(path), key)
    return read_array(Path(text))
