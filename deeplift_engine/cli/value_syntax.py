"""Options that are more than a number or a name: targets, references, rules by layer.

Each function takes the text of one option and returns a function or a value that the library
understands; a text of the wrong form is an `argparse.ArgumentTypeError`, wrong usage.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from deeplift_engine import references as kinds
from deeplift_engine.cli.input_files import SUFFIXES, read_array
from deeplift_engine.engine import targets

WORDS = {"none": None, **dict.fromkeys(("true", "yes", "on"), True)}
WORDS |= dict.fromkeys(("false", "no", "off"), False)
"""What Python would not read, by what it means."""

Made = Callable[[], Any]  # made later: it may need files or the library


def pair(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not {text!r}")
    return name, value


def optional_pair(text: str) -> tuple[str, str]:
    """Split ``[NAME=]VALUE``; the name is empty where there is none."""
    return pair(text) if "=" in text else ("", text)


def names(text: str) -> list[str]:
    """Split ``NAME,NAME,...``."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"expected names with commas between, not {text!r}")
    return found


def option(text: str) -> tuple[str, Made]:
    """Split ``NAME=VALUE``, and read VALUE as Python would: a number, a word, a list, a mapping.

    ``@FILE`` is an array.
    """
    name, value = pair(text)
    if value.startswith("@") and len(value) > 1:
        return name, lambda: _read(value[1:])
    try:
        found = ast.literal_eval(value)
    except (SyntaxError, ValueError):
        found = WORDS.get(value.lower(), value)
    return name, lambda: found


def named(text: str) -> tuple[str, Made]:
    """Split ``NAME:OPTION=VALUE;OPTION=VALUE`` into the name and its options."""
    name, _, rest = text.partition(":")
    if not name:
        raise argparse.ArgumentTypeError(f"expected NAME or NAME:OPTION=VALUE, not {text!r}")
    made = [option(part) for part in rest.split(";") if part]
    keys = [key for key, _ in made]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise argparse.ArgumentTypeError(f"{twice}= is given twice in {text!r}; leave one out")
    return name, lambda: {key: make() for key, make in made}


def groups(text: str) -> Made:
    """Read ``--groups``: a word, a number, or ``@FILE``."""
    return option(f"groups={text}")[1]


def at_least_one(text: str) -> int:
    """Read a whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, not {text!r}")
    return int(text)


def target(text: str) -> Made:
    """Read one ``--target``."""
    if text == "all":
        return lambda: "all"
    if re.fullmatch(r"-?\d+", text):
        return lambda: int(text)
    if re.fullmatch(r"(-?\d+|:)(,(-?\d+|:))+", text):
        parts = text.split(",")
        return lambda: tuple(slice(None) if part == ":" else int(part) for part in parts)
    if found := re.fullmatch(r"(\d+)-(\d+)", text):
        first, second = (int(unit) for unit in found.groups())
        return lambda: targets.difference(first, second)
    if found := re.fullmatch(r"mean:(\d+)", text):
        unit = int(found[1])
        return lambda: targets.mean_normalised(unit)
    if text.startswith("@") and len(text) > 1:
        return lambda: _read(text[1:])
    raise argparse.ArgumentTypeError(
        f"expected 3, 2,5 (an index of two axes), 3-5 (a difference), mean:3, all or @FILE, "
        f"not {text!r}"
    )


def references(text: str) -> Callable[[int], Any]:
    """Read the value of one ``--references``; what comes back is called with the seed."""
    kind, colon, rest = text.partition(":")
    try:
        if text == "zeros":
            return lambda seed: kinds.zeros()
        if kind == "constant" and colon:
            value = float(rest)
            return lambda seed: kinds.constant(value)
        if kind == "background" and colon:
            frequencies = [float(part) for part in rest.split(",")]
            return lambda seed: kinds.background(frequencies)
        if kind == "replaced" and colon:
            by, _, keep = rest.partition(":")
            tokens = [int(token) for token in by.split(",")]
            kept = [int(token) for token in keep.split(",")] if keep else []
            return lambda seed: kinds.replaced(tokens, keep=kept)
        if kind in ("shuffle", "dinucleotide_shuffle", "gc_matched"):
            count = _count(rest) if colon else 20
            return lambda seed: getattr(kinds, kind)(count, seed=seed)
        if kind == "kmer_shuffle" and colon:
            word, several, number = rest.partition(":")
            length, drawn = int(word), _count(number) if several else 20
            return lambda seed: kinds.kmer_shuffle(drawn, k=length, seed=seed)
        if kind == "drawn" and ":" in rest:
            number, _, file = rest.partition(":")
            drawn = _count(number)
            return lambda seed: kinds.drawn(_read(file), drawn, seed=seed)
        if kind == "blur" and colon:
            widths = [float(part) for part in rest.split(",")]
            return lambda seed: kinds.blur(widths)
        if kind in ("shared", "per_sample") and rest:
            return lambda seed: getattr(kinds, kind)(_read(rest))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers after {kind}:, not {rest!r}") from None
    if any(suffix in text.lower() for suffix in SUFFIXES):
        return lambda seed: _read(text)
    raise argparse.ArgumentTypeError(f"no such references: {text!r}; see the list in --help")


def _count(text: str) -> int | Literal["auto"]:
    return "auto" if text == "auto" else at_least_one(text)


def input_references(text: str) -> tuple[str, Callable[[int], Any]]:
    """Split ``[INPUT=]REFERENCES`` and read the second part."""
    name, value = optional_pair(text)
    return name, references(value)


def setting(text: str) -> tuple[str, list[tuple[str, Callable[[int], Any]]]]:
    """Read one ``--references`` of a sweep, of several inputs with semicolons between."""
    return text, [input_references(part) for part in text.split(";")]


def _read(text: str) -> Any:
    """Read ``FILE`` or ``FILE:KEY``."""
    path, colon, key = text.rpartition(":")
    if colon and Path(path).suffix.lower() in SUFFIXES:
        return read_array(Path(path), key)
    return read_array(Path(text))
