"""Parsers that tell a wrong usage in two lines, with what is near it, and let arguments mix."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from deeplift_engine.util.suggestions import suggest

WRONG_USAGE = 2


class Parser(argparse.ArgumentParser):
    """A parser whose errors are short: the message, and one line of usage that names ``--help``."""

    _usage_line = ""

    def error(self, message: str) -> NoReturn:
        """Write the message to stderr and end with code 2."""
        usage = self._usage_line or self.usage_line()
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message}\nusage: {usage}\n")

    def usage_line(self) -> str:
        """What has to be there, and where the rest is explained."""
        needed = [
            *map(_argument, self._get_positional_actions()),
            *(_flag(action) for action in self._get_optional_actions() if action.required),
        ]
        usage = " ".join([self.prog, *needed, "[options]"])
        return f"{usage}; {self.prog} --help explains all"

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is no choice of its argument, with the choices near it."""
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            advice = suggest(value, known, f"Choose from {', '.join(known)}.")
            raise argparse.ArgumentError(action, f"there is no {value!r}. {advice}")


class CommandParser(Parser):
    """The parser of one command: options may stand between its positional arguments."""

    _mixing = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse options first and then what stands between them.

        An unknown option is refused before anything is missed: its value would be taken for an
        argument, and what it was meant to say be called missing.
        """
        if self._mixing:  # older Pythons mix by calling this method twice
            return super().parse_known_args(args, namespace)
        self._usage_line = self.usage_line()  # older Pythons hide arguments while they mix
        self._refuse_unknown(args or ())
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False

    def _refuse_unknown(self, args: Iterable[str]) -> None:
        known = self._option_string_actions
        for text in args:
            name = text.partition("=")[0]
            if text == "--":
                return
            if name.startswith("--") and " " not in name and name not in known:
                long = [flag for flag in known if flag.startswith("--")]
                self.error(f"there is no option {name}. {suggest(name, long, '')}".rstrip())


def _argument(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    return {"?": f"[{name}]", "+": f"{name}..."}.get(str(action.nargs), name)


def _flag(action: argparse.Action) -> str:
    return f"{action.option_strings[0]} {action.metavar or ''}".rstrip()


__all__ = ["CommandParser", "Parser"]
