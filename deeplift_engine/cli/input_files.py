"""Arrays from npy, npz and HDF5 files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeplift_engine.errors import InputError
from deeplift_engine.util.typing import Array

SUFFIXES = (".npy", ".npz", ".h5", ".hdf5")
_DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile)


def read_inputs(
    path: Path, keys: Mapping[str, str], names: Sequence[str], layers: Sequence[str] = ()
) -> Array | dict[str, Array]:
    """Read the inputs of a model from one file.

    Parameters
    ----------
    path
        A ``.npy``, ``.npz``, ``.h5`` or ``.hdf5`` file.
    keys
        Name of the array in the file by name of the model's input; the key ``""`` stands for
        the only input.
    names
        The model's inputs, in its order: by their keys where they have such.
    layers
        Names of their Input layers, by which arrays are read that are not named by key.

    Returns
    -------
    array or dict
        The array for a model of one input, otherwise the arrays by the inputs' names.

    Raises
    ------
    InputError
        If the file cannot be read, or it is not clear which array is meant.
    """
    unknown = [name for name in keys if name and name not in names]
    if unknown:
        raise InputError(
            f"--key names the input {unknown[0]!r}, and the model's are: {', '.join(names)}"
        )
    if len(names) == 1:
        if len(keys) > 1:
            keyed = " and ".join(map(repr, keys.values()))
            raise InputError(f"--key names {keyed} for the only input, {names[0]}: leave one out")
        return read_array(path, keys.get("") or keys.get(names[0]))
    if "" in keys:
        raise InputError(
            f"the model has the inputs {', '.join(names)}: give --key INPUT=NAME for each, or "
            "name the arrays in the file as the inputs"
        )
    if path.suffix.lower() == ".npy":
        arrays = ", ".join(f"{name}={name}" for name in names)
        raise InputError(
            f"{path}: a .npy file holds one array, and the model has the inputs "
            f"{', '.join(names)}: save a .npz file that names them, "
            f"np.savez('inputs.npz', {arrays})"
        )
    try:
        return {name: read_array(path, keys.get(name, name)) for name in names}
    except InputError as error:
        if keys or not layers or list(layers) == list(names):
            raise
        try:
            return {layer: read_array(path, layer) for layer in layers}
        except InputError:
            raise error from None


def read_array(path: Path, key: str | None = None) -> Array:
    """Read one array of numbers; ``key`` is optional where the file holds only one.

    Raises
    ------
    InputError
        If there is no such file or array, or the file is damaged or of another kind.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: arrays are read from {', '.join(SUFFIXES)} files")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        if suffix == ".npy":
            array: Any = np.load(path, allow_pickle=False)
        elif suffix == ".npz":
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                array = archive[_choose(path, key, archive.files)]
        else:
            with h5py.File(path, "r") as file:
                array = file[_choose(path, key, _datasets(file))][()]
    except _DAMAGE as error:
        what = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(f"{path} cannot be read as {suffix}: {what}") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise InputError(f"{path}: expected an array of numbers, not {np.asarray(array).dtype}")
    return array


def _choose(path: Path, key: str | None, names: Sequence[str]) -> str:
    listed = ", ".join(names) or "none"
    if key is None:
        if len(names) != 1:
            raise InputError(f"{path} holds {len(names)} arrays ({listed}): choose one with --key")
        return names[0]
    if key not in names:
        raise InputError(f"{path} has no array named {key!r}; it holds: {listed}")
    return key


def _datasets(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(
        lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return names
