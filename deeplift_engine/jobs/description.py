"""The description of a run: what decides the contents of its store, and is compared later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_engine.engine.source import Source
from deeplift_engine.jobs.stored_constants import content_of, plain_constant
from deeplift_engine.util.jsonable import plain
from deeplift_engine.util.typing import Array

PROBES = 64
"""Samples, evenly spread, whose contents stand for those of all."""
OF_THE_PROBE = ("references_per_sample", "input_dtypes", "held")
"""Settings of a result that are of its own samples."""
INFORMS = ("model", "fold_models", "python_version", "keras_version", "numpy_version")
"""Settings that decide nothing."""


def described(settings: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A description: ``run``, of settings and ``more`` that decide, and beside it what informs."""
    told = {name: value for name, value in settings.items() if name not in OF_THE_PROBE}
    informs = {name: told.pop(name) for name in list(told) if name in INFORMS}
    return {"run": {**told, **more}, **informs}


def fingerprint(source: Source) -> str:
    """Digest of the shapes of the inputs, and of some samples evenly spread."""
    digest = hashlib.sha256()
    for number in np.unique(np.linspace(0, len(source) - 1, PROBES).astype(int)):
        for array in each_array(source.raw(slice(int(number), int(number) + 1))):
            digest.update(f"{array.shape} {array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def first_difference(
    stored: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[str, Any, Any] | None:
    """The first field in which two descriptions say different things, and what each says."""
    ours = json.loads(json.dumps(now["run"], default=plain))
    for name in (*stored["run"], *ours):
        before, after = stored["run"].get(name), ours.get(name)
        if before != after:
            return name, before, after
    return None


def digests(constants: Mapping[str, Any]) -> dict[str, str]:
    """Digests of constants by their names: another order of regions is another run."""
    return {name: content_of(plain_constant(name, values)) for name, values in constants.items()}


def each_array(raw: Any) -> list[Array]:
    """The arrays of what a source gives."""
    return [np.asarray(each) for each in (raw.values() if isinstance(raw, Mapping) else [raw])]


def shown(value: Any) -> str:
    """A value for a message, at most 200 characters."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


__all__ = ["described", "digests", "each_array", "fingerprint", "first_difference", "shown"]
