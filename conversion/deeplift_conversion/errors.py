"""The project's one base error, and what can go wrong with a saved model."""

from __future__ import annotations

LONGEST = 2000
"""Characters of a message."""


class DeepliftEngineError(Exception):
    """Base of every error this project raises on purpose.

    The message names what was met, what was expected and what to do, in no more than `LONGEST`
    characters.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(shortened(str(message)))


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text with what is too much taken out of its middle."""
    if len(text) <= longest:
        return text
    left_out = f" … ({len(text) - longest:,} characters left out) … "
    end = (longest - len(left_out)) // 3
    return text[: longest - len(left_out) - end] + left_out + text[-end:]


class ModelFileError(DeepliftEngineError):
    """A saved model cannot be read: it is missing, damaged, or not what it claims to be."""


class ModelConfigError(ModelFileError):
    """A model's configuration or weights are readable but do not fit together."""
