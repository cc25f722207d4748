"""Names in messages: those that resemble one that does not exist, the first of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

FEW = 3


def suggest(name: object, known: Iterable[str], otherwise: str) -> str:
    """A sentence with up to three known names that resemble ``name``; ``otherwise`` without any."""
    import difflib  # only errors need it: `import deeplift_engine` does without

    near = difflib.get_close_matches(str(name), list(known), n=3)
    return f"Near it: {', '.join(near)}." if near else otherwise


def first_of(names: Sequence[str]) -> str:
    """The first names of many, and how many more there are."""
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + f" and {more} more" * (more > 0)
