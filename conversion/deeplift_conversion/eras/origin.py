"""Which Keras saved a model, and on which backend it was trained."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from deeplift_conversion.errors import ModelConfigError

Version = tuple[int, ...]

BACKENDS = ("tensorflow", "theano", "cntk", "mxnet", "jax", "torch", "numpy", "openvino")
KERAS, TF_KERAS, KERAS_3 = "Keras", "tf.keras", "Keras 3"
"""The lines of versions: Keras up to 2.3 on several backends, that of TensorFlow, and Keras 3."""

_LATEST = {0: (0, 3, 3), 1: (1, 2, 2), 2: (2, 15, 0), 3: (3, 15, 0)}
_OF_TENSORFLOW_2_1, _OF_TENSORFLOW_2_2 = (2, 2, 4), (2, 3, 0)
_FIRST_OF_TENSORFLOW_ALONE = (2, 4)


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Attributes
    ----------
    era
        0 to 3, see `deeplift_conversion.eras.generations`.
    line
        ``"Keras"``, ``"tf.keras"`` or ``"Keras 3"``.
    version
        Keras's version as numbers; the last one of the era where the file has none.
    backend
        The backend that the model was trained on, or ``""``.
    """

    era: int = 3
    line: str = KERAS_3
    version: Version = _LATEST[3]
    backend: str = ""


def origin_of(version: str, era: int, backend: str = "", arrays: Iterable[str] = ()) -> Origin:
    """Return the origin that a file's attributes tell.

    Parameters
    ----------
    version
        ``keras_version`` as saved: ``"2.2.4"`` is Keras, ``"2.2.4-tf"`` tf.keras; from 2.4 on
        both are tf.keras.
    era
        See `deeplift_conversion.eras.generations.era_of`.
    backend
        As saved or as the caller says.
    arrays
        Names of the file's arrays. TensorFlow 2.1 and 2.2 both save "2.3.0-tf"; from 2.2 on the
        arrays of recurrent layers are called by their cells.
    """
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    release: Version = tuple(int(part or 0) for part in numbers.groups()) if numbers else ()
    if not release or release[0] != era:
        release = _LATEST[era]
    if era == 3:
        line = KERAS_3
    else:
        alone = release >= _FIRST_OF_TENSORFLOW_ALONE or version.endswith("-tf")
        line = TF_KERAS if alone else KERAS
        if release == _OF_TENSORFLOW_2_2 and alone and not any("_cell" in name for name in arrays):
            release = _OF_TENSORFLOW_2_1
    return Origin(era, line, release, backend)


def trained_on(saved: str, backend: str | None, theano_kernels: bool | None) -> str:
    """Return the backend that a model was trained on.

    Parameters
    ----------
    saved
        As the file says, or ``""``.
    backend, theano_kernels
        What the caller says, see `deeplift_conversion.reader.read_model`.

    Raises
    ------
    ModelConfigError
        For a name that is no backend of Keras, and for options that contradict each other.
    """
    if backend is not None and backend not in BACKENDS:
        raise ModelConfigError(f"backend={backend!r} is none of {', '.join(BACKENDS)}.")
    if theano_kernels is not None and backend is not None:
        if theano_kernels != (backend == "theano"):
            raise ModelConfigError(
                f"backend={backend!r} and theano_kernels={theano_kernels} contradict each other."
                " Give backend alone."
            )
        return backend
    if theano_kernels is not None:
        return "theano" if theano_kernels else saved if saved != "theano" else "tensorflow"
    return backend or saved


__all__ = ["BACKENDS", "KERAS", "KERAS_3", "TF_KERAS", "Origin", "origin_of", "trained_on"]
