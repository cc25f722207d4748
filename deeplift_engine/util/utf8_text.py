"""Text of files, which is UTF-8."""

from __future__ import annotations

from pathlib import Path

from deeplift_engine.errors import InputError


def decoded(content: bytes, path: Path) -> str:
    """The text of a file's content, with its ends of lines.

    Raises
    ------
    InputError
        If it is not UTF-8, or has the zero bytes that UTF-16 has between its letters; naming the
        line.
    """
    try:
        text = content.decode()
        end = content.find(b"\0")
    except UnicodeDecodeError as error:
        text, end = "", error.start
    if end >= 0:
        line = content.count(b"\n", 0, end) + 1
        raise InputError(
            f"{path}, line {line} is not UTF-8 text, at byte {end} of the file; save it as UTF-8."
        )
    return text


__all__ = ["decoded"]
