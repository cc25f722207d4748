"""Classes and functions that are a user's own, though Keras has one of the same name.

A class is Keras's only if its name, its package, its module and every option fit a version of
Keras; an activation only if the Keras that wrote the file had one of this name. All others are
marked before the configuration is parsed, so that nobody takes them for Keras's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from deeplift_conversion.eras.activations import BUILT_IN
from deeplift_conversion.eras.saved_names import canonical_name, foreign_options
from deeplift_conversion.layers.table import LAYERS

MARK = "own>"
"""In front of the name of a class or an activation: what follows is not Keras's."""
REASON = "not_keras_because"
"""Key of a marked class's configuration: the reason, for messages."""
_KERAS = ("keras", "tf_keras", "tensorflow")
_PACKAGES = frozenset(["keras", "Keras", "tf.keras", "tf_keras", "keras.layers"])
_WITHOUT_POLICY = {"Discretization", "HashedCrossing"} | {
    layer.name for layer in LAYERS.values() if not layer.has_policy
}
"""Layers of Keras 3 that are saved with the name of their dtype alone."""
_ACTIVATIONS = ("activation", "recurrent_activation", "inner_activation")

_LATER: dict[tuple[int, ...], str] = {
    (1, 0): "softsign",
    (1, 1): "elu",
    (2, 0, 6): "selu",
    (2, 2, 3): "exponential",
    (2, 4): "swish gelu",
    (2, 5): "leaky_relu log_softmax relu6 silu",
    (2, 13): "mish",
    (3, 0): "hard_silu hard_swish",
    (3, 7): """celu glu hard_shrink hard_tanh log_sigmoid soft_shrink sparse_plus sparsemax
        squareplus tanh_shrink threshold""",
    (3, 9): "sparse_sigmoid",
}
"""Activations by the version of Keras that first had them; those not named here, always."""
_FIRST = {name: version for version, names in _LATER.items() for name in names.split()}
_NEWEST = {0: (0, 99), 1: (1, 99), 2: (2, 99)}


def marked(document: Any, own: Collection[str], version: str, era: int) -> Any:
    """Return a configuration with a mark on classes and activations that are not Keras's.

    Parameters
    ----------
    document
        A model's configuration, or a part of one.
    own
        Classes that the user defines. Wrappers among them stay what they are.
    version
        The Keras that wrote the file, or ``""``.
    era
        See `deeplift_conversion.eras.generations`.
    """
    if isinstance(document, list):
        return [marked(entry, own, version, era) for entry in document]
    if not isinstance(document, dict):
        return document
    entries = {key: marked(entry, own, version, era) for key, entry in document.items()}
    class_name, config = entries.get("class_name"), entries.get("config")
    if not isinstance(class_name, str) or not isinstance(config, dict):
        return entries
    if is_operation(entries, config, era):
        return entries
    if (reason := _foreign(class_name, entries, config, own)) is not None:
        return {**entries, "class_name": MARK + class_name, REASON: reason}
    activations = {
        key: MARK + name
        for key in _ACTIVATIONS
        if (name := _function_name(config.get(key))) is not None
        and not _has_activation(name, version, era)
    }
    return {**entries, "config": {**config, **activations}} if activations else entries


def _foreign(
    class_name: str, saved: dict[str, Any], config: dict[str, Any], own: Collection[str]
) -> str | None:
    """Return why a class that has the name of one of Keras's is not Keras's, None if it is."""
    package, _, bare = class_name.rpartition(">")
    name = canonical_name(bare)
    if name is None or name == "InputLayer":
        return None
    if bare in own and not (bare == name and LAYERS[name].inner in ("layer", "cell")):
        return "it is defined by layers= or functions="
    strange = foreign_options(name, frozenset(config))
    if strange:
        options = ", ".join(map(repr, strange))
        return f"it is another class: Keras's {name} has no option {options} in any version"
    if saved.get("registered_name") and not is_of_keras(saved):
        return f"it is registered as {saved['registered_name']!r}"
    if package and package not in _PACKAGES:
        return f"it is registered under {package!r}"
    return None


def _function_name(value: Any) -> str | None:
    """Return the name of a saved function, None for anything else."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    return value if isinstance(value, str) else None


def _has_activation(name: str, version: str, era: int) -> bool:
    """Tell whether a version of Keras had an activation, or True where Keras never had any."""
    if name not in BUILT_IN or name not in _FIRST:
        return True  # always there, or refused by its name later
    numbers = tuple(int(number) for number in re.findall(r"\d+", version.split("-")[0]))
    if not numbers:
        return era >= 3 or _FIRST[name] <= _NEWEST[era]
    first = (2, 3) if name == "swish" and version.endswith("-tf") else _FIRST[name]
    return numbers >= first


def is_of_keras(saved: dict[str, Any]) -> bool:
    """Tell whether a Keras 3 file says that a class comes from one of Keras's modules."""
    return str(saved.get("module") or "").split(".")[0] in _KERAS


def is_operation(saved: dict[str, Any], config: dict[str, Any], era: int) -> bool:
    """Tell an operation of Keras 3, some of which have the names of layers.

    In HDF5, which notes no module, it is known by having no dtype policy; some have an option of
    that name, of what they give.
    """
    module = str(saved.get("module") or "")
    if module:
        return is_of_keras(saved) and "ops" in module.split(".")
    layer = "trainable" in config or isinstance(config.get("dtype"), dict)
    named = saved.get("class_name") not in _WITHOUT_POLICY
    return era == 3 and "inbound_nodes" in saved and not layer and named


def unmarked(class_name: str) -> str:
    """Return a class's name as the file has it."""
    return class_name.removeprefix(MARK)


__all__ = ["MARK", "REASON", "is_of_keras", "is_operation", "marked", "unmarked"]
