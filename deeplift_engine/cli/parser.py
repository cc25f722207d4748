"""The parser of the command line, from the table of commands."""

from __future__ import annotations

import argparse
from typing import Any

from deeplift_engine.cli.command_table import COMMANDS
from deeplift_engine.cli.console import PROGRAM
from deeplift_engine.cli.help_texts import epilog
from deeplift_engine.cli.usage import CommandParser, Parser
from deeplift_engine.version import __version__

DESCRIPTION = """\
DeepLIFT contribution scores, and those of other methods, from a saved Keras model of any age
(.h5, .hdf5, .keras, or weights with a JSON or YAML architecture)."""

EXAMPLES = (
    "inspect model.h5",
    "score model.h5 sequences.npy -o scores.h5 --references dinucleotide_shuffle:20",
    "check model.h5",
    "sweep model.h5 sequences.npy --references zeros --references shuffle:20",
    "methods",
    "COMMAND --help      explains a command",
)


def build_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(prog=PROGRAM, **_texts(DESCRIPTION, epilog((), EXAMPLES)))
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=CommandParser)
    for command in COMMANDS:
        own = subparsers.add_parser(
            command.run.__name__,
            help=command.summary,
            **_texts(
                command.description or f"{command.summary[0].upper()}{command.summary[1:]}.",
                epilog(command.topics, command.examples),
            ),
        )
        for entry in command.options:
            entry.add_to(own)
        own.set_defaults(run=command.run)
    return parser


def _texts(description: str, epilog: str) -> dict[str, Any]:
    return {
        "description": description,
        "epilog": epilog,
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }
