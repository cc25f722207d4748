"""The one table of operations: name in Keras 3's words → how it becomes attribution layers."""

from __future__ import annotations

from collections.abc import Callable

from conversion import LayerSpec
from deeplift_engine.build.operations import comparisons, keras3
from deeplift_engine.build.operations.call import Operation
from deeplift_engine.build.place import Place, Refused

Translator = Callable[[Operation], str | tuple[str, ...]]

OPERATIONS: dict[str, Translator] = {
    **comparisons.OPERATIONS,
}


def is_operation(spec: LayerSpec) -> bool:
    """Whether a layer is an operation, of whatever era."""
    return spec.class_name.startswith(("ops.", "TFOpLambda", "SlicingOpLambda"))


def check(spec: LayerSpec) -> None:
    """Raise `Refused` for an operation that is not in the table."""
    name = _name(spec)
    if name not in OPERATIONS:
        raise Refused(
            f"no attribution layer for the operation {name}",
            f"Give its forward pass yourself: functions={{{spec.name!r}: f}}.",
        )


def operation(place: Place) -> str | tuple[str, ...]:
    """Put an operation."""
    place.used.update(place.arguments)
    return OPERATIONS[_name(place.spec)](keras3.read(place))


def _name(spec: LayerSpec) -> str:
    return keras3.name_of(spec.class_name)
