"""Inputs of a model beside the one that is read from files of its field: ``--beside``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from deeplift_engine.errors import InputError
from deeplift_engine.graph.inputs import key_of

if TYPE_CHECKING:
    from deeplift_engine.network import Network


def with_others(
    options: argparse.Namespace,
    network: Network,
    own: Mapping[str, Any],
    read: Callable[[str], Any],
) -> Any:
    """An input by itself where it is the only one; else a mapping of all, those beside it too.

    Parameters
    ----------
    options
        With ``beside``, pairs (input, file).
    network
        Whose inputs they are.
    own
        What is read of the file, by the names of inputs.
    read
        Reads a file beside it.

    Raises
    ------
    InputError
        If not each of the others has a file.
    """
    if len(network.inputs) == 1 and not options.beside:
        return next(iter(own.values()))
    others = {key_of(other, network.inputs): read(file) for other, file in options.beside}
    names = [info.name for info in network.inputs]
    missing = set(names) - set(own) - set(others)
    if missing or set(own) & set(others) or not set(others) <= set(names):
        readers = " and ".join(own) + (" reads" if len(own) == 1 else " read")
        raise InputError(
            f"the model has the inputs {', '.join(names)}, and {readers} {options.inputs}: say "
            "--beside INPUT=FILE for each of the others"
        )
    return {**own, **others}


__all__ = ["with_others"]
