"""The inputs of a model from one file of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deeplift_engine.errors import InputError
from deeplift_engine.util.array_files import read_array


def read_inputs(
    path: Path,
    keys: Mapping[str, str],
    names: Sequence[str],
    layers: Sequence[str] = (),
    read: Callable[[Path, str | None], Any] = read_array,
) -> Any:
    """Read the inputs of a model from one file.

    Parameters
    ----------
    path
        A ``.npy``, ``.npz``, ``.h5`` or ``.hdf5`` file or ``.zarr`` folder.
    keys
        Name of the array in the file by name of the model's input; the key ``""`` stands for
        the only input.
    names
        The model's inputs, in its order: by their keys where they have such.
    layers
        Names of their Input layers, by which arrays are read that are not named by key.
    read
        Reads an array of a file, or opens it: `read_array`, `open_array`.

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
        return read(path, keys.get("") or keys.get(names[0]))
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
        return {name: read(path, keys.get(name, name)) for name in names}
    except InputError as error:
        if keys or not layers or list(layers) == list(names):
            raise
        try:
            return {layer: read(path, layer) for layer in layers}
        except InputError:
            raise error from None
