"""What a command of the command line is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from deeplift_engine.cli.declarations import Group, Option


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes
    ----------
    run
        The function that runs it; its name is the command's.
    summary
        Its line in the list of commands.
    options
        Its options, single ones and groups.
    examples, topics
        What its help shows below the options; a topic is a key of `help_texts.TOPICS`.
    description
        The first paragraph of its own help; the summary by default.
    """

    run: Callable[[argparse.Namespace], int]
    summary: str
    options: tuple[Option | Group, ...]
    examples: tuple[str, ...]
    topics: tuple[str, ...] = ()
    description: str = ""


__all__ = ["Command"]
