"""Heads that are known by the names under which the field's programs save their outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class HeadForm:
    r"""The names that a program gives to the outputs of one kind of head.

    Attributes
    ----------
    output
        A regular expression of the name of the output.
    head
        The name of the head, in which ``\1`` is the expression's first group.
    """

    output: str
    head: str

    def head_of(self, output: str) -> str | None:
        """The head whose output has this name; None where the name is another."""
        match = re.fullmatch(self.output, output)
        return None if match is None else match.expand(self.head)


PROGRAMS: Mapping[str, Sequence[HeadForm]] = MappingProxyType(
    {
        "chrombpnet": (
            HeadForm(r"(?:\w+_)?logcount_predictions", "counts"),
            HeadForm(r"(?:\w+_)?logits_profile_predictions", "profile"),
        ),
        "bpnet": (
            HeadForm(r"(.+)/counts", r"\1.counts"),
            HeadForm(r"(.+)/profile", r"\1.profile"),
            HeadForm(r"(.+)/class", r"\1.class"),
        ),
        "basepairmodels": (
            HeadForm(r"logcounts?_predictions", "counts"),
            HeadForm("profile_predictions", "profile"),
        ),
        "DeepSTARR": (HeadForm("Dense_Dev", "Dev"), HeadForm("Dense_Hk", "Hk")),
    }
)
"""For each program the forms of its heads.

The prefix of chrombpnet's is that of its models without bias. bpnet has outputs for each of its
tasks, and basepairmodels has called its counts both ways; bpnet 2 saves its names.
"""


_TARGETS = {"counts": "counts", "log_counts": "counts", "profile": "profile"}
"""The targets of kinds of outputs that have their own form."""


def kind_by_name(name: str, *, has_positions: bool = True) -> str | None:
    """What an output is by its name: ``profile``, ``counts``, ``log_counts``, None if it says none.

    A profile has positions.
    """
    words = name.lower()
    if "profile" in words and has_positions:
        return "profile"
    if "count" in words:
        return "log_counts" if "log" in words else "counts"
    return None


@dataclass(frozen=True)
class KnownHeads:
    """The heads of a model that one of the field's programs saved.

    Attributes
    ----------
    program
        Its name.
    outputs
        The name of each head's output, by the name of the head.
    """

    program: str
    outputs: Mapping[str, str]

    @property
    def targets(self) -> dict[str, str]:
        """Each head as a target: of counts and profiles in their own form."""
        kinds = {name: kind_by_name(output) for name, output in self.outputs.items()}
        forms = {name: f":{_TARGETS[kind]}" if kind else "" for name, kind in kinds.items()}
        return {name: output + forms[name] for name, output in self.outputs.items()}

    def __str__(self) -> str:
        """A sentence."""
        each = ", ".join(f"{name} ({output})" for name, output in self.outputs.items())
        return f"heads by the names that {self.program} saves: {each}"


def known_heads(outputs: Mapping[str, str]) -> KnownHeads | None:
    """The heads of a model whose outputs, nodes by name, are all known; None for any other."""
    for program, forms in PROGRAMS.items():
        heads = {
            head: output
            for form in forms
            for output in outputs
            if (head := form.head_of(output)) is not None
        }
        if len(heads) == len(outputs) > 1:
            return KnownHeads(program, heads)
    return None


__all__ = ["HeadForm", "KnownHeads", "kind_by_name", "known_heads"]
