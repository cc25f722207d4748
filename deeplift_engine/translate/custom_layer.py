"""Layers that a user defines: by existing layers, or by their forward pass alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deeplift_conversion import ModelConfigError, single_layer
from deeplift_engine.errors import InputError
from deeplift_engine.layers import Identity, Reverse
from deeplift_engine.translate.forward_functions import put_function, put_output
from deeplift_engine.translate.layer_context import LayerContext, NodeName, Refusal
from deeplift_engine.translate.symbol import Symbol, symbols
from deeplift_engine.translate.user_calls import arrays, call_of, called, options, shapes
from deeplift_engine.translate.user_definitions import UserDefinition
from deeplift_engine.translate.user_layers import forward_only
from deeplift_engine.util.typing import Array

ADVICE = "It returns what layer.apply(...) and operators on layer.input give, or a tuple of that."


@dataclass(frozen=True)
class CustomLayer:
    """A saved layer, the argument of the user's function that defines it.

    Attributes
    ----------
    name, class_name
        As the file has them.
    config
        The saved options.
    weights
        The saved arrays: by role where the file names them (``"kernel"``), by number where it does
        not (``.keras`` files: ``"0"``, ``"1"``); in the order in which the layer made them, so that
        ``kernel, bias = layer.weights.values()`` reads either. Those of layers inside it have a
        path in front, see `part`.
    inputs
        The layer's input tensors, a `Symbol` each.

    Notes
    -----
    Masks go where Keras 3 lets them go. `apply` and `concatenate` give their outputs the mask that
    Keras's layer does. Operators, indices, `reverse` and `forward_only` end it, as operations on
    tensors do. A file does not say whether a layer of one's own supports masking. If it does, its
    definition passes the mask on, ``layer.masked(2 * layer.input, layer.input.mask)``, or makes
    another, ``layer.masked(x[:, 1:], x.mask[:, 1:])``; without either the layers behind it use
    every step. A layer that returns its input as it is keeps the mask.

    Examples
    --------
    ::

        def revcomp(layer):
            kernel, bias = layer.weights.values()
            both = {
                "kernel": np.concatenate([kernel, kernel[::-1, ::-1, ::-1]], axis=-1),
                "bias": np.concatenate([bias, bias[::-1]]),
            }
            options = {**layer.config, "filters": 2 * layer.config["filters"]}
            return layer.apply("Conv1D", layer.input, weights=both, **options)

        network = de.load("model.h5", layers={"RevCompConv1D": revcomp})
    """

    context: LayerContext = field(repr=False)
    name: str
    class_name: str
    config: Mapping[str, Any]
    weights: Mapping[str, Array]
    inputs: tuple[Symbol, ...]
    _names: set[str] = field(default_factory=set, repr=False)

    @property
    def input(self) -> Symbol:
        """The only input.

        Raises
        ------
        InputError
            If the layer has several.
        """
        if len(self.inputs) != 1:
            raise InputError(f"{self.name} has {len(self.inputs)} inputs: use layer.inputs.")
        return self.inputs[0]

    def part(self, name: str) -> dict[str, Array]:
        """The arrays of a layer inside this one, as `apply` takes them.

        ``name`` is what stands before the ``/`` in `weights`: the inner layer's name in HDF5
        files (``"dense_1"``), the attribute that holds it in ``.keras`` files (``"first"``).

        Raises
        ------
        InputError
            If there is no such layer.
        """
        start = name + "/"
        inner = {
            role.removeprefix(start): array
            for role, array in self.weights.items()
            if role.startswith(start)
        }
        if not inner:
            raise InputError(f"no arrays of a layer {name!r}; there are {list(self.weights)}.")
        return inner

    def argument(self, name: str, default: Any = None) -> Any:
        """The argument ``name`` of the layer's call, a `Symbol` for a tensor.

        A call with arguments that are never read is refused.
        """
        return symbols(self.context, self.context.argument(name, default))

    def apply(
        self,
        class_name: str,
        /,
        *inputs: Symbol,
        weights: Mapping[str, Any] | Sequence[Any] = (),
        arguments: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> Any:
        """Apply one of the known layers to ``inputs``.

        Parameters
        ----------
        class_name
            Keras's name of it: ``"Conv1D"``, ``"LayerNormalization"``, ``"Add"``; an operation's
            as docs/LAYERS.md has it, ``"roll"``, or as it is saved, ``"ops.Roll"``.
        inputs
            The `Symbol` of each input, by default those of the layer.
        weights
            Its arrays in Keras's layout, by role or in Keras's order.
        arguments
            Of its call, such as ``{"initial_state": [h]}``.
        config
            Its options. Sizes (``units``, ``filters``, ``kernel_size`` ...) and ``use_bias`` may be
            left out, as the arrays tell them; options of the custom layer itself that the class
            does not know may be handed on with the others.

        Returns
        -------
        Symbol
            Its output; a tuple where it has several.

        Raises
        ------
        InputError
            An option, array or input that the class cannot have.
        """
        names = self._nodes(inputs or self.inputs)
        label = self._label(class_name)
        if class_name.islower() and class_name.isidentifier():  # an operation: no layer is so
            class_name = f"ops.{class_name}"
        if not isinstance(weights, Mapping):
            weights = {str(number): array for number, array in enumerate(weights)}
        try:
            spec = single_layer(
                class_name,
                config,
                weights,
                name=f"{self.context.spec.name}/{label}",
                forgiven=self.config,
            )
        except ModelConfigError as error:
            raise InputError(str(error)) from error
        call_arguments = {key: self._named(value) for key, value in (arguments or {}).items()}
        child = self.context.child(spec, f"{self.context.name}/{label}", names, **call_arguments)
        try:
            outputs = self.context.builder.translate(child)
        except Refusal as refused:
            raise Refusal(f"{class_name} in it: {refused.reason}", ADVICE) from refused
        return self._symbols(outputs)

    def concatenate(self, *inputs: Symbol, axis: int = -1) -> Symbol:
        """Inputs one behind the other; ``axis`` counts with the batch axis, as in Keras.

        The output has the mask that Keras's layer Concatenate gives it.
        """
        self._nodes(inputs)
        self._axis(inputs[0], axis)
        output: Symbol = self.apply("Concatenate", *inputs, axis=axis)
        return output

    def masked(self, x: Symbol, mask: Symbol | None) -> Symbol:
        """``x`` with ``mask``, for the layers behind it that read masks; None takes it away.

        Parameters
        ----------
        x
            Of shape (n, ..., features).
        mask
            Steps that are used are not 0: the mask of another tensor (``x.mask``), what indices
            and arithmetic make of one, or any tensor of shape (n, ...), each of its axes one of
            ``x``. The values of ``x`` stay as they are.

        Raises
        ------
        InputError
            If the mask has a shape that ``x`` does not begin with.
        """
        (name,) = self._nodes([x])
        output = self.context.add(Identity(), name, suffix="/masked")
        if mask is not None:
            (node,) = self._nodes([mask])
            axes = len(mask.shape)
            if axes > len(x.shape) or any(
                None not in pair and pair[0] != pair[1]
                for pair in zip(mask.shape, x.shape, strict=False)
            ):
                raise InputError(
                    f"a mask of shape {mask.shape} does not fit {x.shape}: it needs the sizes of "
                    "its first axes."
                )
            masks = self.context.builder.masks
            masks[output] = node if node in masks.values() else self.context.as_mask(node)
        return Symbol(self.context, output)

    def reverse(self, x: Symbol, *axes: int) -> Symbol:
        """The other way round along ``axes``, counted with the batch axis."""
        (name,) = self._nodes([x])
        for axis in axes:
            name = self.context.add(Reverse(self._axis(x, axis)), name, suffix="/reverse")
        return Symbol(self.context, name)

    def forward_only(
        self, function: Callable[..., Any], *inputs: Symbol, nodes: int | None = None
    ) -> Any:
        """A part of the layer by its forward pass alone: see `forward_only`.

        ``function`` takes one tensor (n, ...) for each input, and returns one or several.
        """
        definition = forward_only(function, nodes)
        names = self._nodes(inputs or self.inputs)
        outputs = put_function(
            self.context, definition.function, definition.nodes, names, suffix="/forward_only"
        )
        return (
            tuple(Symbol(self.context, name) for name in outputs)
            if outputs[1:]
            else Symbol(self.context, outputs[0])
        )

    def _symbols(self, nodes: Sequence[str]) -> Any:
        outputs = tuple(Symbol(self.context, node) for node in nodes)
        return outputs[0] if len(outputs) == 1 else outputs

    def _axis(self, x: Symbol, axis: int) -> int:
        rank = len(x.shape)
        along = axis + rank if axis < 0 else axis
        if not 1 <= along < rank:
            raise InputError(f"axis={axis} is no axis behind the batch of shape {x.shape}.")
        return along

    def _label(self, class_name: str) -> str:
        base = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name)).lower()
        label, number = base, 1
        while label in self._names:
            label, number = f"{base}_{number}", number + 1
        self._names.add(label)
        return label

    def _nodes(self, inputs: Sequence[Any]) -> list[str]:
        return [node_of(self.context, value) for value in inputs]

    def _named(self, value: Any) -> Any:
        if isinstance(value, Symbol):
            return NodeName(node_of(self.context, value))
        if isinstance(value, list | tuple):
            return tuple(self._named(entry) for entry in value)
        return value


def node_of(context: LayerContext, value: Any) -> str:
    """The node that a symbol of this layer stands for.

    Raises
    ------
    InputError
        For anything else.
    """
    if not isinstance(value, Symbol):
        raise InputError(
            f"expected layer.input or what layer.apply(...) gives, not {type(value).__name__}."
        )
    if value.context.builder is not context.builder or value.node not in context.builder.nodes:
        raise InputError("met a symbol of another network; each layer has inputs of its own.")
    return value.node


def put_user_layer(context: LayerContext) -> tuple[str, ...]:
    """Put a layer by its user's definition."""
    definition: UserDefinition = context.builder.functions[context.spec.name]
    if not definition.tensors:
        return _put_composed(context, definition)
    call = call_of(context, definition.function)
    what = f"its function {definition.label}"
    outputs = put_function(context, call, definition.nodes, call.sources, what=what)
    _check_saved_shape(context, outputs)
    return outputs


def _put_composed(context: LayerContext, definition: UserDefinition) -> tuple[str, ...]:
    """Put a layer that its user composes of existing layers."""
    layer = CustomLayer(
        context,
        context.spec.name,
        context.spec.saved_class_name or context.spec.class_name,
        options(context),
        arrays(context),
        tuple(Symbol(context, name) for name in context.inputs),
    )
    what = f"its function {definition.label}"
    value = called(context, what, definition.function, [layer])
    return _ends(context, value, what)


def _ends(context: LayerContext, value: Any, what: str) -> tuple[str, ...]:
    """The outputs of a composed layer, under its own name."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    try:
        nodes = [node_of(context, entry) for entry in values]
    except InputError as error:
        raise Refusal(f"{what} returned something else: {error}".rstrip("."), ADVICE) from error
    if not nodes:
        raise Refusal(f"{what} returned nothing", ADVICE)
    outputs = tuple(
        put_output(context, node, f"/output_{number}" if number else "")
        for number, node in enumerate(nodes)
    )
    _check_saved_shape(context, outputs)
    return outputs


def _check_saved_shape(context: LayerContext, outputs: Sequence[str]) -> None:
    """Compare with the saved output shape of a Lambda."""
    saved = context.spec.config.get("output_shape")
    if context.spec.class_name != "Lambda" or not isinstance(saved, tuple) or len(outputs) != 1:
        return
    if not saved or not all(size is None or isinstance(size, int) for size in saved):
        return
    shape = context.shape(outputs[0])
    fits = len(shape) == len(saved) and all(
        None in (size, wanted) or size == wanted for size, wanted in zip(shape, saved, strict=True)
    )
    if not fits:
        raise Refusal(
            f"its function gives shape {shape} for inputs of shape {shapes(context)}, and the file "
            f"says {saved} (without batch axis)",
        )


__all__ = ["CustomLayer", "put_user_layer"]
