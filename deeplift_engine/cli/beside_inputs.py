"""Inputs of a model beside the one that is read from files of its field: ``--beside``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of

if TYPE_CHECKING:
    from deeplift_engine.network import Network


def with_others(
    options: argparse.Namespace,
    network: Network,
    name: Callable[[], str],
    own: Any,
    read: Callable[[str], Any],
) -> Any:
    """An input by itself where it is the only one; else a mapping of it and those beside it.

    Parameters
    ----------
    options
        With ``beside``, pairs (input, file).
    network
        Whose inputs they are.
    name
        Tells the name of the input, of several.
    own
        What it reads.
    read
        Reads a file beside it.

    Raises
    ------
    InputError
        If not each of the others has a file.
    """
    if len(network.inputs) == 1 and not options.beside:
        return own
    label = name()
    others = {key_of(other, network.inputs): read(file) for other, file in options.beside}
    names = [info.name for info in network.inputs]
    missing = [other for other in names if other not in (label, *others)]
    if missing or label in others or not set(others) <= set(names):
        raise InputError(
            f"the model has the inputs {', '.join(names)}, and {label} reads {options.inputs}: say "
            "--beside INPUT=FILE for each of the others"
        )
    return {label: own, **others}


__all__ = ["with_others"]
