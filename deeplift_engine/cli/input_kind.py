"""What a kind of inputs gives to the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.cli.declarations import Group

if TYPE_CHECKING:
    from deeplift_engine.jobs.scored_run import ScoredRun
    from deeplift_engine.network import Network


@dataclass(frozen=True)
class Kind:
    """A kind of inputs with a front end of its own.

    Attributes
    ----------
    name
        What ``--kind`` calls it, and the setting ``kind`` of its runs.
    suffixes
        Of files that are of this kind without being told.
    in_folder
        Of files in folders that are of this kind without being told.
    options
        Those of the commands that read inputs, which mean something to this kind alone.
    drawing
        Those of ``draw``.
    read
        The inputs, from the options and the network: what `Explainer.run` and `Job` take, or a
        mapping of such things by the names of the inputs. Those of them that have ``constants``,
        ``dimensions`` and ``about`` are kept with the scores. None where commands read them as
        arrays.
    draw
        Writes pictures of a run to ``--output``, and gives their paths.
    pages
        Suffixes of what ``draw`` writes beside figures; None where it looks at them itself.
    show
        What ``draw`` prints without ``--output``; None where it needs that.
    exports
        Suffixes of files that its scores are written to by `export`, with the names of what they
        are of.
    export
        Writes the scores of a run to ``--output``, and gives the paths.
    several
        Whether ``draw`` takes several runs, and several heads of each.
    """

    name: str
    suffixes: tuple[str, ...]
    options: Group
    drawing: Group
    read: Callable[[argparse.Namespace, Network], Any] | None
    draw: Callable[[argparse.Namespace, ScoredRun], list[Path]]
    pages: tuple[str, ...] | None = ()
    show: Callable[[argparse.Namespace, ScoredRun], str] | None = None
    exports: tuple[str, ...] = ()
    export: Callable[[argparse.Namespace, ScoredRun], list[Path]] | None = None
    several: bool = False
    in_folder: tuple[str, ...] = ()


__all__ = ["Kind"]
