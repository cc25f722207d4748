"""Advice on a name that does not exist: the names that resemble it."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: object, known: Iterable[str], otherwise: str) -> str:
    """A sentence with up to three known names that resemble ``name``; ``otherwise`` without any."""
    import difflib  # only errors need it: `import deeplift_engine` does without

    near = difflib.get_close_matches(str(name), list(known), n=3)
    return f"Near it: {', '.join(near)}." if near else otherwise
