"""A method in the catalogue: its name, what creates it, and its description."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.options import kinds, read

LARGE = 100
"""From so many elements on, a result records an array among the options by its shape."""


@dataclass(frozen=True)
class Option:
    """A keyword argument of a method: its default and its description."""

    name: str
    default: Any
    text: str

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Method:
    """One row of the catalogue of methods.

    Attributes
    ----------
    name
        Its name for users.
    family
        ``"gradient"``, ``"difference"``, ``"relevance"``, ``"perturbation"`` or ``"map"``.
    make
        An `Explainer` class, or a function that returns an explainer, of a `Task` and the options,
        which are its keyword-only arguments and are explained under Parameters in its docstring.
    summary
        One sentence.
    source
        Where it was published.
    passes
        Its cost, in forward passes of one sample: a formula over N samples, K references of
        each, and options.
    complete
        Whether scores sum to the target's difference from the reference (or, for relevance, to
        the target).
    aliases
        Other names, as of the original packages.
    fixed
        Options that the name stands for, which users cannot give.
    """

    name: str
    family: str
    make: Callable[..., Explainer]
    summary: str
    source: str
    passes: str
    complete: bool = False
    aliases: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Option]:
        """Keyword arguments of users, by name."""
        every = options_of(self.make)
        return {name: option for name, option in every.items() if name not in self.fixed}

    def create(self, task: Task, options: Mapping[str, Any]) -> Explainer:
        """The method for ``task``.

        Raises
        ------
        RuleError
            For an unknown option, a wrong value, or an option without default that is missing.
        """
        options = self.validate(options)
        defaults = {name: option.default for name, option in self.options.items()}
        recorded = plain({**self.fixed, **defaults, **options}, LARGE)
        task = replace(task, settings={**task.settings, "options": recorded})
        return self.make(task, **self.fixed, **options)

    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Compare options with those of the method; they come back in the form that it takes.

        Raises
        ------
        RuleError
            For an unknown option, a wrong value, or an option without default that is missing.
        """
        known = self.options
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3)
                raise RuleError(
                    f"{self.name} takes no option {name!r}. "
                    + (f"Near it: {', '.join(near)}." if near else "")
                    + ("" if near else f"It takes: {', '.join(known) or 'none'}.")
                )
        missing = [
            name for name, option in known.items() if option.required and name not in options
        ]
        if missing:
            raise RuleError(f"{self.name} needs {', '.join(f'{name}=' for name in missing)}.")
        return read(options, kinds(self.make))


def options_of(make: Callable[..., Any]) -> dict[str, Option]:
    """The keyword-only arguments of a function or class, as its docstrings explain them."""
    explained: dict[str, str] = {}
    for each in reversed(getattr(make, "__mro__", (make,))):
        explained |= _explained(inspect.getdoc(each) or "")
    return {
        parameter.name: Option(parameter.name, parameter.default, explained.get(parameter.name, ""))
        for parameter in inspect.signature(make).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _explained(text: str) -> dict[str, str]:
    """Descriptions under Parameters in a docstring of numpy's style, by name."""
    texts: dict[str, str] = {}
    names: list[str] = []
    lines = text.splitlines()
    inside = False
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if following.startswith("---"):
            inside, names = line.strip() == "Parameters", []
        elif inside and line and not line.startswith((" ", "---")):
            names = [name.strip() for name in line.partition(":")[0].split(",")]
        elif inside and names and line.strip():
            for name in names:
                texts[name] = f"{texts.get(name, '')} {line.strip()}".strip()
    return texts
