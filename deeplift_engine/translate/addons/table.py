"""The one table of packages' layers, and whether a saved layer is one of them."""

from __future__ import annotations

from collections.abc import Mapping

from deeplift_conversion import LayerSpec, ModelSpec
from deeplift_conversion.eras.saved_names import EVERY
from deeplift_conversion.eras.user_classes import REASON, unmarked
from deeplift_engine.translate.addons import (
    convolutional,
    keras_hub,
    sequence_attention,
    tensorflow_addons,
)
from deeplift_engine.translate.addons.addon import Addon
from deeplift_engine.translate.user_definitions import UserDefinition, all_layers

ADDONS: tuple[Addon, ...] = (
    *sequence_attention.ADDONS,
    *convolutional.ADDONS,
    *tensorflow_addons.ADDONS,
    *keras_hub.ADDONS,
)
"""Every class, in the order of the page."""

_EVERY = EVERY | {REASON}
"""Options of every layer, which tell no class from another."""


def addon_of(layer: LayerSpec) -> Addon | None:
    """The row of a layer that is of one of the packages.

    Its name alone says nothing: it must be saved with exactly the options of the version that was
    run, and with the package where the package registers the class.
    """
    name = unmarked(layer.saved_class_name or layer.class_name)
    options = layer.config.keys() - _EVERY
    for row in ADDONS:
        registered = ">" in row.class_name
        same = name == row.class_name if registered else name.rpartition(">")[2] == row.class_name
        if same and options == row.options - _EVERY:
            return row
    return None


def with_addons(
    spec: ModelSpec, definitions: Mapping[str, UserDefinition]
) -> dict[str, UserDefinition]:
    """The user's definitions, and those of the packages' layers that have none."""
    added: dict[str, UserDefinition] = {}
    for layer in all_layers(spec):
        if (row := addon_of(layer)) is not None:
            added[layer.name] = UserDefinition(
                row.definition, False, None, row.class_name, f"the table of {row.package}"
            )
    return {**added, **definitions}


__all__ = ["ADDONS", "addon_of", "with_addons"]
