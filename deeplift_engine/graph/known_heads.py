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
    units
        The form of the target, ``"counts"`` or ``"profile"``; nothing for the only unit.
    """

    output: str
    head: str
    units: str = ""

    def head_of(self, output: str) -> str | None:
        """The head whose output has this name; None where the name is another."""
        match = re.fullmatch(self.output, output)
        return None if match is None else match.expand(self.head)


PROGRAMS: Mapping[str, Sequence[HeadForm]] = MappingProxyType(
    {
        "chrombpnet": (
            HeadForm(r"(?:\w+_)?logcount_predictions", "counts", "counts"),
            HeadForm(r"(?:\w+_)?logits_profile_predictions", "profile", "profile"),
        ),
        "bpnet": (
            HeadForm(r"(.+)/counts", r"\1.counts", "counts"),
            HeadForm(r"(.+)/profile", r"\1.profile", "profile"),
            HeadForm(r"(.+)/class", r"\1.class"),
        ),
        "basepairmodels": (
            HeadForm(r"logcounts?_predictions", "counts", "counts"),
            HeadForm("profile_predictions", "profile", "profile"),
        ),
        "DeepSTARR": (HeadForm("Dense_Dev", "Dev"), HeadForm("Dense_Hk", "Hk")),
    }
)
"""For each program the forms of its heads.

The prefix of chrombpnet's is that of its models without bias. bpnet has outputs for each of its
tasks, and basepairmodels has called its counts both ways; bpnet 2 saves its names.
"""


@dataclass(frozen=True)
class KnownHeads:
    """The heads of a model that one of the field's programs saved.

    Attributes
    ----------
    program
        Its name.
    outputs
        The name of each head's output, by the name of the head.
    targets
        Each head as a target: of counts and profiles in their own form.
    """

    program: str
    outputs: Mapping[str, str]
    targets: Mapping[str, str]

    def __str__(self) -> str:
        """A sentence."""
        each = ", ".join(f"{name} ({output})" for name, output in self.outputs.items())
        return f"heads by the names that {self.program} saves: {each}"


def known_heads(outputs: Mapping[str, str]) -> KnownHeads | None:
    """The heads of a model whose outputs, nodes by name, are all known; None for any other."""
    for program, forms in PROGRAMS.items():
        heads = {
            head: (output, f"{output}:{form.units}" if form.units else output)
            for form in forms
            for output in outputs
            if (head := form.head_of(output)) is not None
        }
        if len(heads) == len(outputs) > 1:
            return KnownHeads(
                program,
                {head: output for head, (output, _) in heads.items()},
                {head: target for head, (_, target) in heads.items()},
            )
    return None


__all__ = ["HeadForm", "KnownHeads", "known_heads"]
