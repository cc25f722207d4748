"""A row of the table of methods: its name, the explainer that runs it, and its description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from deeplift_engine.engine.task import Task
from deeplift_engine.errors import RuleError
from deeplift_engine.explainers.explainer import Explainer
from deeplift_engine.explainers.other_words import advice_on
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.options import constraints, read
from deeplift_engine.util.owned import owned_values
from deeplift_engine.util.signatures import Option, check_names, options_of

LARGE = 100
"""Arrays with more elements are recorded in results by shape and type alone."""


@dataclass(frozen=True)
class Method:
    """One row of the catalogue of methods.

    Attributes
    ----------
    name
        The name that users pass.
    family
        ``"gradient"``, ``"difference"``, ``"relevance"``, ``"perturbation"`` or ``"map"``.
    make
        An `Explainer` class, or a function that returns one. Its first argument is a `Task`; its
        keyword-only arguments are the options, which its docstring explains under Parameters.
    summary
        One sentence.
    source
        The publication.
    passes
        Its cost in forward passes of one sample: a formula over N samples, K references of each,
        and options.
    complete
        Whether scores sum to the target's difference from the reference; for relevance, to the
        target.
    aliases
        Other names, those of the original packages.
    fixed
        Options that the name implies; users cannot set them.
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
        """The options that users may set, by name."""
        options = options_of(self.make)
        return {name: option for name, option in options.items() if name not in self.fixed}

    def create(self, task: Task, options: Mapping[str, Any]) -> Explainer:
        """The explainer of this method for ``task``.

        Raises
        ------
        RuleError
            For an option that the method does not take, a value that it does not accept, or a
            required option that is missing.
        """
        options = owned_values(self.validate(options))
        defaults = {name: option.default for name, option in self.options.items()}
        recorded = plain({**self.fixed, **defaults, **options}, LARGE)
        task = replace(task, settings={**task.settings, "options": recorded})
        return self.make(task, **self.fixed, **options)

    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Validate options, and return them converted to the types that the method takes.

        Raises
        ------
        RuleError
            For an option that the method does not take, a value that it does not accept, or a
            required option that is missing.
        """
        known = self.options
        for name in options:
            if name not in known and (advice := advice_on(name, known)):
                raise RuleError(f"{self.name} takes no option {name!r}. {advice}")
        check_names(self.name, options, known)
        missing = [
            name for name, option in known.items() if option.required and name not in options
        ]
        if missing:
            raise RuleError(f"{self.name} needs {', '.join(f'{name}=' for name in missing)}.")
        return read(options, constraints(self.make))
