"""The command line ``deeplift-engine``: a thin skin over the library.

Results go to stdout, progress and complaints to stderr. Nothing here imports TensorFlow before
a command needs it, so ``--help`` and a mistyped option answer at once.
"""

from __future__ import annotations

import argparse
import functools
import os
import shlex
import sys
import traceback
from collections.abc import Sequence

from deeplift_engine import errors
from deeplift_engine.cli import console
from deeplift_engine.cli.parser import build_parser
from deeplift_engine.util.onednn import prefer_onednn

DONE = 0
CHECK_FAILED = 1
WRONG_USAGE = 2  # argparse's own
MODEL_REFUSED = 3
DATA_REFUSED = 4
NOT_WRITTEN = 5
FAULT = 70  # of the program itself; sysexits.h has it
INTERRUPTED = 130  # the shell's own: 128 + SIGINT; 143 is 128 + SIGTERM

EXIT_CODES: tuple[tuple[type[errors.DeepliftEngineError], int], ...] = (
    (errors.ConvergenceError, CHECK_FAILED),
    (errors.ModelFileError, MODEL_REFUSED),
    (errors.UnsupportedModelError, MODEL_REFUSED),
    (errors.OutputError, NOT_WRITTEN),
    (errors.DeepliftEngineError, DATA_REFUSED),
)
"""The first class that matches an error decides."""


def parse(arguments: tuple[str, ...]) -> argparse.Namespace:
    """The options of a command; ``again()`` reads them once more, in another process too."""
    options = build_parser().parse_args(arguments)
    options.again = functools.partial(parse, arguments)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments
        Without the program's name; those of the process by default.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = parse(tuple(arguments))
    prefer_onednn()
    options.command_line = shlex.join([console.PROGRAM, *arguments])
    try:
        with console.terminable(), console.plain_warnings(verbose=options.verbose):
            code: int = options.run(options)
            sys.stdout.flush()
            return code
    except errors.DeepliftEngineError as error:
        console.complain("error", str(error))
        return next(code for family, code in EXIT_CODES if isinstance(error, family))
    except KeyboardInterrupt as stop:
        console.complain("error", "interrupted; no half file was left")
        return 128 + stop.args[0] if stop.args else INTERRUPTED
    except BrokenPipeError:  # whoever read stdout has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception:  # the outermost handler: a shell must not take a fault for a failed check
        traceback.print_exc()
        console.complain("error", "a fault of the program itself; please report the lines above")
        return FAULT


__all__ = ["EXIT_CODES", "main"]
