"""Attribution layers, one file a family."""

from deeplift_engine.layers.activations import Activation, PReLU, ReLU
from deeplift_engine.layers.axis import AxisMatrix
from deeplift_engine.layers.convolution import Convolution
from deeplift_engine.layers.dense import Dense, Scale
from deeplift_engine.layers.depthwise import DepthwiseConvolution
from deeplift_engine.layers.families import Composite, Elementwise, Joint, Linear, Lookup, Selection
from deeplift_engine.layers.layer import Input, Layer
from deeplift_engine.layers.local import LocallyConnected
from deeplift_engine.layers.merging import Dot, Maximum, Minimum, PathFunction, Product
from deeplift_engine.layers.pooling import AveragePool, GlobalMax, MaxPool, WindowMax
from deeplift_engine.layers.recurrence import Recurrence
from deeplift_engine.layers.resizing import Interpolation
from deeplift_engine.layers.softmax import Softmax
from deeplift_engine.layers.structural import (
    Concatenate,
    Crop,
    Difference,
    Element,
    Identity,
    LinearFunction,
    Mean,
    Pad,
    Repeat,
    Reshape,
    Reverse,
    Slice,
    Sum,
    Transpose,
)
from deeplift_engine.layers.tokens import Embedding, TokenFunction, UsedSteps
from deeplift_engine.layers.transposed import TransposedConvolution

__all__ = [
    "Activation",
    "AveragePool",
    "AxisMatrix",
    "Composite",
    "Concatenate",
    "Convolution",
    "Crop",
    "Dense",
    "DepthwiseConvolution",
    "Difference",
    "Dot",
    "Element",
    "Elementwise",
    "Embedding",
    "GlobalMax",
    "Identity",
    "Input",
    "Interpolation",
    "Joint",
    "Layer",
    "Linear",
    "LinearFunction",
    "LocallyConnected",
    "Lookup",
    "MaxPool",
    "Maximum",
    "Mean",
    "Minimum",
    "PReLU",
    "Pad",
    "PathFunction",
    "Product",
    "ReLU",
    "Recurrence",
    "Repeat",
    "Reshape",
    "Reverse",
    "Scale",
    "Selection",
    "Slice",
    "Softmax",
    "Sum",
    "TokenFunction",
    "Transpose",
    "TransposedConvolution",
    "UsedSteps",
    "WindowMax",
]
