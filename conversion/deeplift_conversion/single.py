"""One layer by itself, in Keras 3's terms: a component of a custom layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from deeplift_conversion.eras.canonical import canonical
from deeplift_conversion.eras.saved_names import is_harmless
from deeplift_conversion.errors import ModelConfigError
from deeplift_conversion.layers.keras_layer import KerasLayer
from deeplift_conversion.layers.table import known
from deeplift_conversion.spec import Array, LayerSpec
from deeplift_conversion.tree import Layer
from deeplift_conversion.weights.layout import canonical_weights
from deeplift_conversion.weights.roles import slots_of

_ERA = 3


def single_layer(
    class_name: str,
    options: Mapping[str, Any],
    weights: Mapping[str, Any],
    *,
    name: str,
    forgiven: Mapping[str, Any] | None = None,
) -> LayerSpec:
    """Return the specification of a layer that is in no file.

    Parameters
    ----------
    class_name
        Keras 3's name of a class that stands alone (no wrapper, no model), ``"ops.Flip"`` for an
        operation, or any name that Keras does not have, whose options and arrays are kept.
    options
        Keras 3's, without ``name``. Those left out have Keras's defaults; sizes (``units``,
        ``filters``, ``kernel_size`` ...) and ``use_bias`` are taken from the arrays.
    weights
        Arrays in Keras's layout: by role, by numbers ``"0"``, ``"1"`` in Keras's order, or by the
        paths that files have within the layer, ``"query_dense/0"``.
    name
        The layer's name.
    forgiven
        Options that are dropped where the class does not know them, if they are the same here.

    Raises
    ------
    ModelConfigError
        An option or an array that the class does not have, one that is missing, or arrays whose
        shapes do not fit.
    """
    if class_name.startswith("ops."):
        return LayerSpec(name, class_name, {**options, "name": name}, {}, (), class_name[4:])
    arrays = {role: np.asarray(values) for role, values in weights.items()}
    config = dict(options)
    where = f"layer {name!r}"
    keras_layer = known(class_name)
    if keras_layer is not None:
        keys = keras_layer.options or {}
        forgiven = forgiven or {}
        strange = [key for key in config if key not in keys and not _says_nothing(key)]
        for key in [key for key in strange if key in forgiven and forgiven[key] == config[key]]:
            strange.remove(key)
            del config[key]
        if strange:
            raise ModelConfigError(
                f"{where}: {class_name} has no option {', '.join(map(repr, strange))}; it has"
                f" {', '.join(keys) or 'none'}."
            )
        if arrays and all(role.isdigit() for role in arrays):
            arrays = _named(keras_layer, {**keys, **config}, arrays, where)
        elif any("/" in role for role in arrays):
            arrays = _of_sublayers(keras_layer, {**keys, **config}, arrays, where)
        config = _options_of_arrays(keras_layer, arrays, where) | config
    kind, canonical_options = canonical(class_name, {**config, "name": name}, _ERA, where)
    _check_roles(kind, canonical_options, arrays, where)
    layer = Layer(name, kind, class_name, canonical_options, era=_ERA, saved=config)
    roles = canonical_weights(layer, arrays, False, where)
    return LayerSpec(name, kind, canonical_options, roles, (), class_name)


def _says_nothing(key: str) -> bool:
    return is_harmless(key) or key == "dtype"


def _named(
    layer: KerasLayer, options: Mapping[str, Any], arrays: Mapping[str, Array], where: str
) -> dict[str, Array]:
    """Return numbered arrays by role."""
    ordered = [arrays[number] for number in sorted(arrays, key=int)]
    if layer.sizes:
        roles = [_first_role(layer), *(["bias"] if "use_bias" in options else [])][: len(ordered)]
    else:
        _, canonical_options = canonical(layer.name, {**options, "name": ""}, _ERA, where)
        roles = [slot.role for slot in slots_of(layer.name, canonical_options) or ()]
    if len(roles) != len(ordered):
        raise ModelConfigError(
            f"{where}: {layer.name} with these options has the arrays {roles}; given are"
            f" {len(ordered)} without names."
        )
    return dict(zip(roles, ordered, strict=True))


def _of_sublayers(
    layer: KerasLayer, options: Mapping[str, Any], arrays: Mapping[str, Array], where: str
) -> dict[str, Array]:
    """Return arrays by role that have a file's paths, ``"query_dense/0"`` or ``"query/kernel"``.

    TensorFlow 2.12 to 2.15 call the sublayer ``_query_dense``.
    """
    _, canonical_options = canonical(layer.name, {**options, "name": ""}, _ERA, where)
    numbers: Counter[str] = Counter()
    roles: dict[str, str] = {}
    for slot in slots_of(layer.name, canonical_options) or ():
        path = f"{slot.sublayer}/{numbers[slot.sublayer]}"
        numbers[slot.sublayer] += 1
        roles |= dict.fromkeys((path, f"_{path}", *slot.names), slot.role)
    return {roles.get(name, name): array for name, array in arrays.items()}


def _first_role(layer: KerasLayer) -> str:
    return "embeddings" if "output_dim" in (layer.options or {}) else "kernel"


def _options_of_arrays(
    layer: KerasLayer, arrays: Mapping[str, Array], where: str
) -> dict[str, Any]:
    """Return the options that follow from the arrays."""
    options: dict[str, Any] = {}
    if layer.sizes:
        role = _first_role(layer)
        kernel = arrays.get(role)
        if kernel is None or kernel.ndim < 2:
            met = "none" if kernel is None else f"one of shape {kernel.shape}"
            raise ModelConfigError(
                f"{where}: {layer.name} needs the array {role!r} of two axes or more, given is"
                f" {met}; the arrays given are {list(arrays)}."
            )
        options |= layer.sizes(kernel.shape)
    if "use_bias" in (layer.options or {}) and arrays:
        options["use_bias"] = any(role.endswith("bias") for role in arrays)
    return options


def _check_roles(
    class_name: str, options: Mapping[str, Any], arrays: Mapping[str, Array], where: str
) -> None:
    slots = slots_of(class_name, options)
    if slots is None:
        return
    roles = [slot.role for slot in slots]
    if sorted(roles) != sorted(arrays):
        raise ModelConfigError(
            f"{where}: {class_name} with these options has the arrays {roles}; given are"
            f" {list(arrays)}."
        )
