"""Errors and warnings of the engine; all errors derive from `DeepliftEngineError`."""

from __future__ import annotations

from conversion.errors import DeepliftEngineError, ModelConfigError, ModelFileError


class UnsupportedModelError(DeepliftEngineError):
    """The model has layers or options without an exact rule; the message lists all of them."""


class InputError(DeepliftEngineError):
    """Data handed in do not fit the model: wrong shape, name, type, or not finite."""


class TargetError(DeepliftEngineError):
    """The target names no layer or unit of this model."""


class ReferencesError(DeepliftEngineError):
    """References do not fit the inputs they are meant for."""


class RuleError(DeepliftEngineError):
    """No such rule or method, or an option it does not take."""


class OutputError(DeepliftEngineError):
    """A result could not be written or read back."""


class ConvergenceError(DeepliftEngineError):
    """Contributions do not sum to the target's difference (raised with ``strict=True``)."""


class ConvergenceWarning(UserWarning):
    """Contributions do not sum to the target's difference."""


class DegenerateReferenceWarning(UserWarning):
    """References that equal their input, or each other."""


__all__ = [
    "ConvergenceError",
    "ConvergenceWarning",
    "DeepliftEngineError",
    "DegenerateReferenceWarning",
    "InputError",
    "ModelConfigError",
    "ModelFileError",
    "OutputError",
    "ReferencesError",
    "RuleError",
    "TargetError",
    "UnsupportedModelError",
]
