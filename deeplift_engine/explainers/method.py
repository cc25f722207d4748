"""What a method is in the table: a name, how it is made, and what is said of it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deeplift_engine.engine.setup import Setup
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.options import kinds, read

LARGE = 100
"""Elements of an array that is an option from which a result tells of it by its shape."""


@dataclass(frozen=True)
class Option:
    """A keyword argument of a method: its default, and what it is."""

    name: str
    default: Any
    text: str

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Method:
    """One row of the table of methods.

    Attributes
    ----------
    name
        What users say.
    family
        ``"gradient"``, ``"difference"``, ``"relevance"``, ``"perturbation"`` or ``"map"``.
    make
        An `Explainer` class, or a function that gives one, of a `Setup` and the options, which are
        its keyword-only arguments and are explained under Parameters in its docstring.
    summary
        One sentence.
    source
        Where it was published.
    passes
        What it costs, in forward passes of one sample: a formula over N samples, K references of
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
        """Keyword arguments that users may give, by name."""
        found = options_of(self.make)
        return {name: option for name, option in found.items() if name not in self.fixed}

    def made(self, setup: Setup, options: Mapping[str, Any]) -> Explainer:
        """The method made for ``setup``.

        Raises
        ------
        RuleError
            For an option that it does not take or that cannot be so, or one that must be given
            and is not.
        """
        options = self.check(options)
        defaults = {name: option.default for name, option in self.options.items()}
        said = plain({**self.fixed, **defaults, **options}, LARGE)
        setup = replace(setup, settings={**setup.settings, "options": said})
        return self.make(setup, **self.fixed, **options)

    def check(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Compare options with what the method takes; they come back as it takes them.

        Raises
        ------
        RuleError
            For an option that it does not take or that cannot be so, or one that must be given
            and is not.
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
    for made in reversed(getattr(make, "__mro__", (make,))):
        explained |= _explained(inspect.getdoc(made) or "")
    return {
        parameter.name: Option(parameter.name, parameter.default, explained.get(parameter.name, ""))
        for parameter in inspect.signature(make).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _explained(text: str) -> dict[str, str]:
    """What the Parameters of a docstring in numpy's style say, by name."""
    found: dict[str, str] = {}
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
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found
