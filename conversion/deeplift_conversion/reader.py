"""Reads a saved model: from a file, with or without an architecture, or from memory."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from deeplift_conversion.eras.axis_order import with_axis_orders
from deeplift_conversion.eras.generations import era_of, mentions_full_border
from deeplift_conversion.eras.origin import Origin, origin_of, trained_on
from deeplift_conversion.eras.user_classes import marked
from deeplift_conversion.errors import DeepliftEngineError, ModelConfigError, ModelFileError
from deeplift_conversion.files.architecture import Architecture, parse_json, read_architecture
from deeplift_conversion.files.hdf5 import (
    array,
    attribute,
    child,
    names,
    opened,
    split_text,
    subgroup,
)
from deeplift_conversion.files.keras_members import (
    Content,
    is_folder,
    joined_shards,
    of_folder,
    unpacked,
)
from deeplift_conversion.files.source import check_path, container, read_bytes
from deeplift_conversion.files.untrusted import Budget, plain, text
from deeplift_conversion.graphs.flatten import flatten
from deeplift_conversion.graphs.parse import parse_model
from deeplift_conversion.spec import ModelSpec
from deeplift_conversion.tree import Graph
from deeplift_conversion.weights.assign import Assigned, Named, assign_lists
from deeplift_conversion.weights.checkpoint import assign_checkpoint, is_checkpoint
from deeplift_conversion.weights.vocabularies import with_vocabularies


def read_model(
    path: str | Path,
    architecture: Architecture | None = None,
    *,
    backend: str | None = None,
    theano_kernels: bool | None = None,
    data_format: str | None = None,
    own: Collection[str] = (),
) -> ModelSpec:
    """Read a model saved by Keras of any age into plain data.

    Parameters
    ----------
    path
        A model (HDF5, ``.keras``, or the folder that ``save(zipped=False)`` writes) or weights
        (HDF5, or the ``.weights.json`` of several files); the content decides, not the name.
    architecture
        For weights alone: a JSON or YAML file, JSON text, or a configuration as a mapping.
        Where the model file has a configuration too, this one is taken.
    backend
        The backend that the model was trained on: ``"tensorflow"``, ``"theano"``, ``"torch"``,
        ``"jax"`` ... None goes by the file, where it says: HDF5 of Keras 2 and 3 does, that of
        Keras 1 and ``.keras`` do not. Theano's kernels are true convolutions and are flipped to be
        correlations; its borders and windows, and some of PyTorch's operations, are others than
        TensorFlow's: see `deeplift_conversion.eras.changes`.
    theano_kernels
        True is ``backend="theano"``; False takes a file that says Theano for one of TensorFlow.
    data_format
        ``"channels_first"`` or ``"channels_last"`` for layers of Keras 1 whose axes neither the
        file nor the layers around tell: UpSampling, ZeroPadding and Cropping.
    own
        Classes that are not Keras's, though it has some of these names; their options and
        arrays are kept as saved.

    Returns
    -------
    ModelSpec
        Layers, calls and arrays in one form; the arrays are read-only.

    Raises
    ------
    ModelFileError
        If the file cannot be read: it is missing, damaged, or no model.
    ModelConfigError
        If configuration and weights can be read but do not fit together.
    """
    check_path(path)
    try:
        return _read(path, architecture, _Options(backend, theano_kernels, data_format), own)
    except DeepliftEngineError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        RecursionError,
        RuntimeError,
        OSError,
        MemoryError,
        EOFError,
        NotImplementedError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise ModelFileError(
            f"{path}: damaged, or not a model that Keras saved ({type(error).__name__}: {error})."
            " Fetch or save it again."
        ) from error


def read_config(
    config: Mapping[str, Any],
    weights: Mapping[str, Named],
    *,
    name: str = "",
    keras_version: str = "",
    backend: str = "",
    source: str = "<memory>",
    theano_kernels: bool | None = None,
    data_format: str | None = None,
    own: Collection[str] = (),
) -> ModelSpec:
    """Read a model that is in memory, for example a live Keras model.

    Parameters
    ----------
    config
        ``json.loads(model.to_json())``, or what ``model.get_config()`` gives.
    weights
        (weight name, array) pairs in Keras's order, by layer name. Those of a nested model
        either all under the nested model's name (in the order of its ``weights`` or of HDF5
        files) or under the path of each layer in it, ``"encoder/conv1d"``.
    name, keras_version, backend, source
        For the result; the version decides the era where it is given.
    theano_kernels, data_format, own
        See `read_model`.

    Returns
    -------
    ModelSpec
        As from `read_model`; its hash is of the configuration and the arrays.
    """
    document = plain(config, source)
    lists = {
        layer: [(str(key), np.array(values)) for key, values in named]
        for layer, named in weights.items()
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True, default=_digested).encode())
    for layer in sorted(lists):
        for key, values in lists[layer]:
            digest.update(f"{layer}/{key} {values.shape} {values.dtype}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    version = keras_version or str(document.get("keras_version") or "")
    options = _Options(backend or None, theano_kernels, data_format)
    header = _Header(document, version, str(document.get("backend") or ""), options)
    header = header.marked(own)
    model, graph = parse_model(header.document, header.era, source)
    raw = assign_lists(graph, lists, source)
    spec = header.spec(model, graph, raw, _all_names(lists), source)
    return replace(spec, name=name or spec.name, sha256=digest.hexdigest())


def _digested(values: Any) -> str:
    """Stand for an array in what a hash is made of."""
    array = np.ascontiguousarray(values)
    return f"{array.shape} {array.dtype} {hashlib.sha256(array.tobytes()).hexdigest()}"


@dataclass(frozen=True)
class _Options:
    """What the caller says and the file may not."""

    backend: str | None
    theano_kernels: bool | None
    data_format: str | None


@dataclass(frozen=True)
class _Header:
    """A configuration with the Keras version and backend that the file records."""

    document: dict[str, Any]
    keras_version: str
    backend: str
    options: _Options

    @property
    def era(self) -> int:
        return era_of(self.document, self.keras_version)

    def origin(self, arrays: Iterable[str]) -> Origin:
        """Who saved the model; a border mode "full" is Theano's."""
        saved = self.backend or ("theano" if mentions_full_border(self.document) else "")
        backend = trained_on(saved, self.options.backend, self.options.theano_kernels)
        return origin_of(self.keras_version, self.era, backend, arrays)

    def spec(
        self, name: str, graph: Graph, raw: Assigned, arrays: Iterable[str], source: str
    ) -> ModelSpec:
        """The model, without its hash; ``arrays`` are the names of all arrays as saved."""
        origin = self.origin(arrays)
        spec = with_axis_orders(flatten(name, graph, raw, origin, source), self.options.data_format)
        return replace(
            spec,
            keras_version=self.keras_version,
            era=origin.era,
            backend=origin.backend,
            source=source,
        )

    def marked(self, own: Collection[str]) -> _Header:
        """Return the same with a mark on what is not Keras's."""
        document = marked(self.document, own, self.keras_version, self.era)
        return replace(self, document=document)


def _read(
    path: str | Path, architecture: Architecture | None, options: _Options, own: Collection[str]
) -> ModelSpec:
    source = str(path)
    content: Content | None = None
    if is_folder(path):
        content, data = of_folder(path)
    else:
        data = read_bytes(path)
    digest = hashlib.sha256(data)
    file_sha256 = digest.hexdigest()
    document = None
    if architecture is not None:
        document, extra, _ = read_architecture(architecture)
        digest.update(extra)
    kind, budget = container(data, path) if content is None else "", Budget(len(data))
    version = ""
    vocabularies: Mapping[str, bytes] = {}
    if kind == "zip":
        content = unpacked(data, budget, source)
    elif kind == "shards":
        data = joined_shards(data, path)
        digest.update(data)
        budget = Budget(len(data))
    if content is not None:
        saved, version, data, vocabularies = content
        document = document or saved
    with opened(data, source) as file:
        config = split_text(file, "model_config")
        if document is None:
            if config is None:
                raise ModelFileError(_no_config(file, source))
            document = parse_json(config, source)
        root = subgroup(file, "model_weights") or file
        version = version or _text(file, "keras_version") or _text(root, "keras_version")
        version = version or str(document.get("keras_version") or "")
        backend = _text(file, "backend") or _text(root, "backend")
        header = _Header(document, version, backend or str(document.get("backend") or ""), options)
        header = header.marked(own)
        name, graph = parse_model(header.document, header.era, source)
        graph = with_vocabularies(graph, vocabularies, root, budget, source)
        lists = _lists(graph, root, budget, source)
        raw = (
            assign_checkpoint(graph, root, budget, source)
            if lists is None
            else assign_lists(graph, lists, source)
        )
    spec = header.spec(name, graph, raw, _all_names(lists or {}), source)
    return replace(spec, sha256=digest.hexdigest(), file_sha256=file_sha256)


def _all_names(lists: Mapping[str, Named]) -> list[str]:
    return [name for named in lists.values() for name, _ in named]


def _lists(graph: Graph, root: h5py.Group, budget: Budget, source: str) -> dict[str, Named] | None:
    """Read all arrays by layer, in any layout but that of ``.keras``, for which it is None."""
    layers = names(root, "layer_names")
    if layers is not None:
        lists = {layer: _layer_arrays(root, layer, budget, source) for layer in layers}
        top = subgroup(root, "top_level_model_weights")
        if (
            top is not None
            and "top_level_model_weights" not in lists
            and names(top, "weight_names")
        ):
            lists["top_level_model_weights"] = _layer_arrays(
                root, "top_level_model_weights", budget, source
            )
        return lists
    if "layer_0" in root:
        return _numbered(graph, root, budget, source)
    return None if is_checkpoint(root) else {}


def _layer_arrays(root: h5py.Group, layer: str, budget: Budget, source: str) -> Named:
    group = subgroup(root, layer)
    if group is None:
        raise ModelFileError(
            f"{source}: layer {layer!r} is listed in 'layer_names', but its group is missing."
            " The file is damaged: fetch or save it again."
        )
    arrays = []
    for name in names(group, "weight_names") or []:
        item = child(group, name)
        if not isinstance(item, h5py.Dataset):
            raise ModelConfigError(
                f"{source}: layer {layer!r}: weight {name!r} is listed in 'weight_names', but its"
                " array is missing. The file is damaged: fetch or save it again."
            )
        arrays.append((name, array(item, budget)))
    return arrays


def _numbered(graph: Graph, root: h5py.Group, budget: Budget, source: str) -> dict[str, Named]:
    """Read Keras 0's layout: ``layer_0/param_0``, in the order of the architecture."""
    lists: dict[str, Named] = {}
    layers = [layer for layer in graph.layers if layer.class_name != "InputLayer"]
    count = int(attribute(root, "nb_layers") or sum(key.startswith("layer_") for key in root))
    if count != len(layers):
        raise ModelConfigError(
            f"{source}: weights of {count} layers are saved, but the architecture has"
            f" {len(layers)}. They do not belong together."
        )
    for number, layer in enumerate(layers):
        group = subgroup(root, f"layer_{number}")
        params = sorted(
            (key for key in group or () if key.startswith("param_")),
            key=lambda key: int(key.rpartition("_")[2]),
        )
        items = [(key, child(group, key)) for key in params] if group is not None else []
        lists[layer.name] = [
            (key, array(item, budget)) for key, item in items if isinstance(item, h5py.Dataset)
        ]
    return lists


def _text(item: h5py.Group, key: str) -> str:
    value = attribute(item, key)
    return "" if value is None else text(value)


def _no_config(file: h5py.File, source: str) -> str:
    weights = names(file, "layer_names") is not None or "layer_0" in file or is_checkpoint(file)
    if weights:
        return (
            f"{source}: weights alone, without the model's configuration. Give the architecture"
            " too: architecture='model.json' (what model.to_json() or to_yaml() wrote)."
        )
    return (
        f"{source}: HDF5, but not a model saved by Keras: no 'model_config', no weights. It holds"
        f" {sorted(file)[:6]}."
    )
