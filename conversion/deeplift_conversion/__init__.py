"""Reads saved Keras models of every age into plain data, with numpy and h5py alone."""

from deeplift_conversion.errors import DeepliftEngineError, ModelConfigError, ModelFileError
from deeplift_conversion.reader import read_config, read_model
from deeplift_conversion.single import single_layer
from deeplift_conversion.spec import LayerSpec, ModelSpec, NodeSpec, TensorRef

__all__ = [
    "DeepliftEngineError",
    "LayerSpec",
    "ModelConfigError",
    "ModelFileError",
    "ModelSpec",
    "NodeSpec",
    "TensorRef",
    "read_config",
    "read_model",
    "single_layer",
]
