"""A saved model as plain, frozen data: the reader's output, the builder's input.

Nested models are dissolved, and Keras 1, 2 and 3 have one form here. Code that reads a
`ModelSpec` therefore knows no era, no container and no order of weights in a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Path: TypeAlias = tuple[str | int, ...]
"""Keys of mappings and positions in lists that lead to one tensor of a structure."""


@dataclass(frozen=True)
class TensorRef:
    """Output number ``index`` of the node called ``node``."""

    node: str
    index: int = 0


@dataclass(frozen=True)
class LayerSpec:
    """One layer: class and options in Keras 3's terms, arrays by role.

    Attributes
    ----------
    name
        Path of the layer, unique in the model: ``"conv1d_1"``, in a nested model
        ``"encoder/conv1d_1"``.
    class_name
        Keras 3's name of the class (``"Conv1D"``, never ``"Convolution1D"``); a name that
        Keras 3 does not have is kept as saved (``"LocallyConnected1D"``, ``"RevCompConv1D"``).
    config
        Options under Keras 3's names; where an era's default differs from Keras 3's,
        the era's value is filled in.
    weights
        Arrays by role (``"kernel"``, ``"bias"``, ``"gamma"``, ``"moving_variance"`` ...) in
        Keras 3's layout: convolution kernels (spatial..., in, out), as correlations.
    children
        The wrapped layers of a wrapper (TimeDistributed; Bidirectional: forward, backward;
        RNN: its cells).
    saved_class_name
        The class as the file spells it, with its package where the file tells that.
    foreign
        Why the class is not Keras's though it has a name of Keras's, or the module that it is of;
        ``""`` where it is Keras's or neither is known.
    """

    name: str
    class_name: str
    config: Mapping[str, Any]
    weights: Mapping[str, Array] = field(default_factory=dict)
    children: tuple[LayerSpec, ...] = ()
    saved_class_name: str = ""
    foreign: str = ""


@dataclass(frozen=True)
class NodeSpec:
    """One call of a layer.

    Attributes
    ----------
    name
        Unique: the layer's name for its first call, ``"name:1"``, ``"name:2"`` for later ones.
        Inside a nested model that is called twice: ``"encoder/conv"``, ``"encoder:1/conv"``.
    layer
        Key into `ModelSpec.layers`.
    inputs
        Positional tensors, in the order of the call.
    arguments
        The other arguments of the call; a `TensorRef` (also inside lists) where a tensor
        was passed by keyword.
    """

    name: str
    layer: str
    inputs: tuple[TensorRef, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSpec:
    """One model.

    Attributes
    ----------
    name
        The model's name, or ``"model"``.
    layers
        Every layer by name.
    nodes
        Every call, each after the nodes it reads. Model inputs are nodes of class
        ``"InputLayer"`` whose config has ``"batch_shape"`` (a tuple, batch first, None where
        free) and ``"dtype"``; nested models' own inputs are dissolved.
    inputs
        Names of the input nodes, in the model's order.
    outputs
        Output tensors, in the model's order.
    keras_version
        As the file says, or ``""``.
    backend
        As the file says, or ``""``.
    source
        The file's path, or ``"<memory>"``.
    sha256
        Hash of the bytes that were read: the model file followed by the architecture file
        where there is one; of configuration and arrays for a model from memory.
    file_sha256
        Hash of the model file alone; ``""`` for a model from memory.
    era
        Major version of the Keras that wrote the configuration, 0 to 3 (tf.keras is 2). Some
        layers treat masks differently.
    input_paths, output_paths
        Where each input and output is in the structure that the model takes and returns:
        ``("dna",)`` in a mapping, ``(0,)`` in a list, ``()`` for the only one. Mappings are in the
        order of their keys, as Keras flattens them. No paths at all stand for flat lists.
    fronts
        The layer that is applied to the data beforehand, by the name of the input that takes what
        it gives; of a model that is cut behind such layers.
    """

    name: str
    layers: Mapping[str, LayerSpec]
    nodes: tuple[NodeSpec, ...]
    inputs: tuple[str, ...]
    outputs: tuple[TensorRef, ...]
    keras_version: str = ""
    backend: str = ""
    source: str = "<memory>"
    sha256: str = ""
    era: int = 3
    input_paths: tuple[Path, ...] = ()
    output_paths: tuple[Path, ...] = ()
    file_sha256: str = ""
    fronts: Mapping[str, LayerSpec] = field(default_factory=dict)
