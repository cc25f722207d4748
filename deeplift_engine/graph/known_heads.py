"""Heads that are known by the names under which the field's programs save their outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PROGRAMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "chrombpnet": MappingProxyType(
            {
                "counts": r"(\w+_)?logcount_predictions",
                "profile": r"(\w+_)?logits_profile_predictions",
            }
        ),
        "basepairmodels": MappingProxyType(
            {"counts": "logcounts_predictions", "profile": "profile_predictions"}
        ),
        "DeepSTARR": MappingProxyType({"Dev": "Dense_Dev", "Hk": "Dense_Hk"}),
    }
)
"""For each program its heads, and the names of their outputs as regular expressions.

The prefix of chrombpnet's is that of its models without bias.
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
    for program, patterns in PROGRAMS.items():
        met = {
            head: [name for name in outputs if re.fullmatch(pattern, name)]
            for head, pattern in patterns.items()
        }
        if len(outputs) == len(patterns) and all(len(names) == 1 for names in met.values()):
            return KnownHeads(program, {head: names[0] for head, names in met.items()})
    return None


__all__ = ["KnownHeads", "kind_by_name", "known_heads"]
