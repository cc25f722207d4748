"""Errors and warnings of the engine; all errors derive from `DeepliftEngineError`."""

from __future__ import annotations

from deeplift_conversion.errors import (
    LONGEST,
    DeepliftEngineError,
    ModelConfigError,
    ModelFileError,
)


class UnsupportedModelError(DeepliftEngineError):
    """The model has layers or options without an exact rule; the message lists all of them."""


class InputError(DeepliftEngineError):
    """Data handed in do not fit the model (wrong shape, name, type, or not finite), or the call."""


class InapplicableError(InputError):
    """A metric does not apply to these scores, or to what this network reads."""


class TargetError(DeepliftEngineError):
    """The target names no layer or unit of this model."""


class ReferencesError(DeepliftEngineError):
    """References do not fit the inputs they are meant for."""


class NotFiniteError(InputError):
    """The target, or a contribution, is NaN or infinite on some samples or references."""


class RuleError(DeepliftEngineError):
    """No such rule, method or metric, or an option that it does not take or that cannot be so."""


class OutputError(DeepliftEngineError):
    """A result could not be written or read back."""


class LeasedError(OutputError):
    """Another living process works on it, or has taken it over."""


class ConvergenceError(DeepliftEngineError):
    """Contributions do not sum to the target's difference (raised with ``strict=True``)."""


class ConvergenceWarning(UserWarning):
    """Contributions do not sum to the target's difference."""


class SlowKernelsWarning(UserWarning):
    """TensorFlow computes with slower kernels than it could on this processor."""


class InapplicableWarning(UserWarning):
    """A method or a metric was left out of a comparison, as it does not apply."""


class DegenerateReferenceWarning(UserWarning):
    """References that equal their input, or each other."""


__all__ = [
    "LONGEST",
    "ConvergenceError",
    "ConvergenceWarning",
    "DeepliftEngineError",
    "DegenerateReferenceWarning",
    "InapplicableError",
    "InapplicableWarning",
    "InputError",
    "LeasedError",
    "ModelConfigError",
    "ModelFileError",
    "NotFiniteError",
    "OutputError",
    "ReferencesError",
    "RuleError",
    "SlowKernelsWarning",
    "TargetError",
    "UnsupportedModelError",
]
