"""Attribution layers, one file a family."""

from deeplift_engine.layers.activations import Activation, PReLU, ReLU
from deeplift_engine.layers.base import (
    Composite,
    Elementwise,
    Input,
    Joint,
    Layer,
    Linear,
    Selection,
)
from deeplift_engine.layers.convolution import Convolution, DepthwiseConvolution
from deeplift_engine.layers.dense import Dense, Scale
from deeplift_engine.layers.merging import Dot, Maximum, Minimum, PathFunction, Product
from deeplift_engine.layers.pooling import AveragePool, GlobalMax, MaxPool
from deeplift_engine.layers.softmax import Softmax
from deeplift_engine.layers.structural import (
    Concatenate,
    Crop,
    Difference,
    Identity,
    LinearFunction,
    Mean,
    Pad,
    Repeat,
    Reshape,
    Resize,
    Sum,
    Transpose,
)

__all__ = [
    "Activation",
    "AveragePool",
    "Composite",
    "Concatenate",
    "Convolution",
    "Crop",
    "Dense",
    "DepthwiseConvolution",
    "Difference",
    "Dot",
    "Elementwise",
    "GlobalMax",
    "Identity",
    "Input",
    "Joint",
    "Layer",
    "Linear",
    "LinearFunction",
    "MaxPool",
    "Maximum",
    "Mean",
    "Minimum",
    "PReLU",
    "Pad",
    "PathFunction",
    "Product",
    "ReLU",
    "Repeat",
    "Reshape",
    "Resize",
    "Scale",
    "Selection",
    "Softmax",
    "Sum",
    "Transpose",
]
