"""The project's one base error, and what can go wrong with a saved model."""

from __future__ import annotations


class DeepliftEngineError(Exception):
    """Base of every error this project raises on purpose.

    The message names what was met, what was expected and what to do.
    """


class ModelFileError(DeepliftEngineError):
    """A saved model cannot be read: it is missing, damaged, or not what it claims to be."""


class ModelConfigError(ModelFileError):
    """A model's configuration or weights are readable but do not fit together."""
