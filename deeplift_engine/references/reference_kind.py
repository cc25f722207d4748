"""The rows of the table of kinds of references, `deeplift_engine.references.KINDS`.

The command line reads ``--references NAME:ARGUMENT`` by these rows, its help lists them, and
docs/REFERENCES.md is generated from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

from deeplift_engine.util.signatures import Option, arguments_of, summary_of


class Form(Enum):
    """How the command line writes an argument."""

    NUMBER = "a number"
    NUMBERS = "numbers with commas between"
    INTEGER = "a whole number"
    INTEGERS = "whole numbers with commas between"
    COUNT = "a whole number of 1 or more, or auto"
    FILE = "a file of one array"


@dataclass(frozen=True)
class ReferenceKind:
    """One row of the table of kinds of references.

    Attributes
    ----------
    create
        The function that users call. Its name is the kind's, its docstring explains the kind.
    arguments
        Its arguments on the command line, in this order with colons between; None where only
        Python can pass them. One with a default can be left out, and so can all after it.
    """

    create: Callable[..., Any]
    arguments: Mapping[str, Form] | None = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that users pass."""
        return self.create.__name__

    @property
    def summary(self) -> str:
        """One sentence."""
        return summary_of(self.create)

    @cached_property
    def parameters(self) -> dict[str, Option]:
        """The arguments of `create`, in Python, by name."""
        return arguments_of(self.create)

    @property
    def required(self) -> int:
        """How many arguments the command line must have: all up to the last without a default."""
        parameters, names = self.parameters, list(self.arguments or ())
        return max((i for i, name in enumerate(names, 1) if parameters[name].required), default=0)

    @property
    def syntax(self) -> str:
        """The form on the command line, as ``kmer_shuffle[:K[:COUNT]]``; empty without one."""
        if self.arguments is None:
            return ""
        words = [
            ":FILE" if form is Form.FILE else f":{name.upper()}"
            for name, form in self.arguments.items()
        ]
        optional = words[self.required :]
        fixed = "".join([self.name, *words[: self.required]])
        return fixed + "".join(f"[{word}" for word in optional) + "]" * len(optional)


__all__ = ["Form", "ReferenceKind"]
