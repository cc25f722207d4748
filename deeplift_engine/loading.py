"""From a saved file, or a model in memory, to a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeplift_engine.translate.function_sets import resolved_functions
from deeplift_engine.translate.user_layers import LayerFunction, own_classes, registered_layers

if TYPE_CHECKING:
    from deeplift_conversion import ModelSpec
    from deeplift_engine.network import Network
    from deeplift_engine.translate.coverage import Coverage
    from deeplift_engine.translate.cutting import Behind


def load(
    path: str | Path,
    architecture: str | Path | None = None,
    *,
    backend: str | None = None,
    theano_kernels: bool | None = None,
    data_format: str | None = None,
    layers: Mapping[str, LayerFunction] | None = None,
    functions: Mapping[str, LayerFunction] | str | None = None,
    behind: Behind = None,
    dtype: str = "float32",
) -> Network:
    """Read a saved Keras model of any age and build its attribution network.

    Parameters
    ----------
    path
        HDF5 (with any extension) or ``.keras``; a complete model, or weights alone.
    architecture
        JSON or YAML file, where ``path`` holds weights alone.
    backend
        What the model was trained on, where the file does not say: ``"theano"``, ``"tensorflow"``,
        ``"torch"``, ``"jax"``. HDF5 of Keras 2 and 3 says it; ``.keras`` and Keras 1 do not.
        Under Theano kernels are flipped, and borders and windows are others; under PyTorch some
        pooling, padding and resizing is: docs/ERAS.md lists it.
    theano_kernels
        True is ``backend="theano"``.
    data_format
        ``"channels_first"`` or ``"channels_last"`` for UpSampling, ZeroPadding and Cropping of
        Keras 1, where no other layer tells: such files do not have it.
    layers
        Definitions of custom layers and Lambdas: functions of the saved layer, a
        `deeplift_engine.CustomLayer`, in terms of existing layers. By class
        (``"RevCompConv1D"``), by name, or by a pattern of names (``"lambda_*"``). A class that is
        named is not taken for Keras's of that name: options and arrays are as saved.
    functions
        Their forward passes instead, on tensors (n, ...); by the same keys, or by the name of an
        activation (``"gelu"``) that is no layer's. They are
        traced into operations and exact, or where one of these has no rule approximate: multipliers
        are averaged along the path from reference to input, see
        `deeplift_engine.translate.user_layers.forward_only`. ``"chrombpnet"`` and ``"bpnet"``
        are the sets of those that the files of these programs need, exact.
    behind
        The name of a layer, or several, behind which the model begins: what they give is its input,
        of their names. A mapping says the shapes of one sample too, ``{"features": (10, 4)}``,
        where these do not follow from the layers before. Behind TextVectorization, StringLookup,
        IntegerLookup, Hashing and Discretization that read an input the model is cut by itself;
        ``network.spec.fronts`` has these layers, and `deeplift_engine.text` applies those of text.
    dtype
        ``"float32"`` or ``"float64"``, all the way through.

    Returns
    -------
    Network

    Raises
    ------
    ModelFileError
        The file cannot be read, or does not fit the architecture.
    UnsupportedModelError
        Layers or options that cannot be attributed through, all of them in one message.
    InputError
        If there is no layer of a name in ``behind``.
    """
    from deeplift_engine.network import Network

    told = {"backend": backend, "theano_kernels": theano_kernels, "data_format": data_format}
    spec = _read(path, architecture, layers, functions, told, behind)
    own = resolved_functions(functions, spec)
    return Network(spec, layers=layers, functions=own, dtype=dtype)


def coverage(
    path: str | Path,
    architecture: str | Path | None = None,
    *,
    backend: str | None = None,
    theano_kernels: bool | None = None,
    data_format: str | None = None,
    layers: Mapping[str, LayerFunction] | None = None,
    functions: Mapping[str, LayerFunction] | str | None = None,
    behind: Behind = None,
    rules: Any = "rescale",
    max_pooling: str = "exact",
) -> Coverage:
    """Report for every layer of a saved model whether it is exact, approximate or refused, and why.

    Unlike `load` it accepts a model that cannot be attributed through: refused layers are rows, and
    ``problem`` is the message that `load` would raise. So it is where the arrays or options of a
    layer do not fit, as long as the file lists its layers.

    Parameters
    ----------
    path, architecture, backend, theano_kernels, data_format, layers, functions, behind
        As for `load`.
    rules, max_pooling
        As for `Network.explainer`.

    Returns
    -------
    Coverage
        Print it for a table.

    Raises
    ------
    ModelFileError
        The file cannot be read, or lists no layers.
    """
    from deeplift_conversion import ModelFileError
    from deeplift_conversion.files.outline import listed_layers
    from deeplift_engine.translate.build_graph import definitions_of, survey
    from deeplift_engine.translate.coverage import coverage as covered
    from deeplift_engine.translate.coverage import of_unread

    told = {"backend": backend, "theano_kernels": theano_kernels, "data_format": data_format}
    try:
        spec = _read(path, architecture, layers, functions, told, behind)
    except ModelFileError as error:
        if not (listed := listed_layers(path, architecture)):
            raise
        return of_unread(str(path), listed, str(error))
    definitions = definitions_of(
        spec, layers, resolved_functions(functions, spec), registered_layers()
    )
    return covered(spec, survey(spec, definitions), rules, max_pooling)


def convert(
    model: Any,
    *,
    example: Any = None,
    input_shape: Any = None,
    layers: Mapping[str, LayerFunction] | None = None,
    functions: Mapping[str, LayerFunction] | None = None,
    behind: Behind = None,
    dtype: str = "float32",
) -> Network:
    """Build the attribution network of a Keras model in memory, which stays as it is.

    Parameters
    ----------
    model
        A model of Keras 3: Sequential, Functional, or a subclassed one whose ``call`` can be
        traced, that is, calls layers and `keras.ops`. Layers of one's own that are made of others
        are traced too, unless ``layers`` or ``functions`` say what they are. Or a model of
        tf_keras.
    example
        What a subclassed model is called with: an array (n, ...), or a list or mapping of them;
        where ``call`` takes several arguments, all of them in order or by name. Shapes and dtypes
        count, and what was traced must compute of it what the model does.
    input_shape
        Instead of an example, for inputs of float32: a shape without the samples, or a list or
        mapping of shapes. Where both are missing, shapes are those that the model was built with.
    layers, functions, behind, dtype
        As for `load`; with ``behind`` the model is Sequential or Functional.

    Raises
    ------
    UnsupportedModelError
        As for `load`; or if ``call`` cannot be traced.
    InputError
        For an object that is no Keras model, a model without weights, or unknown input shapes.
    """
    from deeplift_conversion import read_config
    from deeplift_engine.live.live_model import check_trace, in_memory, read_live_model
    from deeplift_engine.live.live_vocabularies import with_vocabularies
    from deeplift_engine.network import Network
    from deeplift_engine.translate.cutting import cut

    own = own_classes(layers, functions)
    contents = read_live_model(model, example, input_shape, own)
    spec = read_config(contents.config, contents.weights, keras_version=contents.version, own=own)
    spec = with_vocabularies(cut(spec, behind, own), model)
    original = in_memory(model, contents.trace, spec)
    network = Network(spec, layers=layers, functions=functions, dtype=dtype, original=original)
    if contents.trace is not None and not spec.fronts:
        check_trace(network, model, contents.trace, example)
    return network


def _read(
    path: str | Path,
    architecture: str | Path | None,
    layers: Mapping[str, LayerFunction] | None,
    functions: Mapping[str, LayerFunction] | str | None,
    told: Mapping[str, Any],
    behind: Behind = None,
) -> ModelSpec:
    """The specification in a file; ``told`` are options of `load` for what it does not say."""
    from deeplift_conversion import read_model
    from deeplift_engine.translate.cutting import cut

    by_name = None if isinstance(functions, str) else functions
    own = own_classes(layers, by_name)
    return cut(read_model(path, architecture, **told, own=own), behind, own)
