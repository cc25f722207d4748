"""TensorFlow's functions and their parameters in Keras 3's words: the table.

A spelling is ``"sum input_tensor:x axis"``: Keras 3's name, then TensorFlow's parameters in their
order, each with Keras 3's name for it where that is another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.translate.layer_context import Refusal

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Spelling:
    """A function of TensorFlow: Keras 3's ``name``, and its parameters in Keras 3's words.

    ``parameters`` are in TensorFlow's order, the list marked by ``*``; ``fixed`` are arguments
    that go without saying, and ``adapted`` turns values that differ.
    """

    name: str
    parameters: dict[str, str]
    fixed: Arguments = field(default_factory=dict)
    adapted: Callable[[Arguments], Arguments] = lambda arguments: arguments


def _spelled(
    text: str, adapted: Callable[[Arguments], Arguments] | None = None, **fixed: Any
) -> Spelling:
    """``"sum input_tensor:x axis"``: the name, and TensorFlow's parameter : Keras 3's."""
    name, *words = text.split()
    parameters = {word.partition(":")[0]: word.rpartition(":")[2] for word in words}
    if adapted is None:
        return Spelling(name, parameters, fixed)
    return Spelling(name, parameters, fixed, adapted)


# ---------------------------------------------------------------- values that differ


def _sections(arguments: Arguments) -> Arguments:
    sections = arguments.pop("parts")
    return {**arguments, "indices_or_sections" if np.ndim(sections) == 0 else "sizes": sections}


def _root(arguments: Arguments) -> Arguments:
    """TensorFlow's epsilon is that of the sum of squares."""
    return {**arguments, "epsilon": math.sqrt(arguments.get("epsilon", 1e-12))}


def _windows(arguments: Arguments) -> Arguments:
    """Borders by a name alone."""
    padding = arguments.get("padding", "VALID")
    if not isinstance(padding, str) or padding == "EXPLICIT":
        raise Refusal("padding by numbers")
    return arguments


def _from_first(arguments: Arguments) -> Arguments:
    if arguments.pop("batch_dims", 0):
        raise Refusal("gather with batch_dims, at indices of every sample by itself")
    return {"axis": 0, **arguments}


def _masked(arguments: Arguments) -> Arguments:
    """Begin, end and masks as a key."""
    begin, end = (tuple(arguments.pop(name)) for name in ("begin", "end"))
    steps = arguments.pop("strides", None) or (1,) * len(begin)
    masks = {
        name: int(arguments.pop(f"{name}_mask", 0))
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    key: list[Any] = []
    for context, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        bits = {name for name, mask in masks.items() if mask >> context & 1}
        if "ellipsis" in bits:
            key.append(Ellipsis)
        elif "new_axis" in bits:
            key.append(None)
        elif "shrink_axis" in bits:
            key.append(start)
        else:
            key.append(
                slice(None if "begin" in bits else start, None if "end" in bits else stop, step)
            )
    return {**arguments, "key": tuple(key)}


def _key(arguments: Arguments) -> Arguments:
    """Slices, which come as mappings."""

    def read(entry: Any) -> Any:
        if not isinstance(entry, dict):
            return entry
        if entry.get("class_name") == "__ellipsis__":
            return Ellipsis
        return slice(*(entry.get(name) for name in ("start", "stop", "step")))

    key = arguments["key"]
    return {**arguments, "key": tuple(map(read, key)) if isinstance(key, tuple) else read(key)}


def _per_channel(arguments: Arguments) -> Arguments:
    if str(arguments.pop("data_format", "")).startswith("NC"):
        raise Refusal("bias_add with channels first")
    return arguments


# ---------------------------------------------------------------- the table

RENAMED = {
    "abs": "absolute",
    "add_v2": "add",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atanh": "arctanh",
    "div": "divide",
    "div_no_nan": "divide_no_nan",
    "floor_div": "floor_divide",
    "floor_mod": "mod",
    "floordiv": "floor_divide",
    "floormod": "mod",
    "identity": "copy",
    "is_finite": "isfinite",
    "is_inf": "isinf",
    "is_nan": "isnan",
    "mul": "multiply",
    "mul_no_nan": "multiply",
    "multiply_no_nan": "multiply",
    "neg": "negative",
    "pow": "power",
    "real_div": "divide",
    "rint": "round",
    "sub": "subtract",
    "swish": "silu",
    "truediv": "divide",
}
"""Functions of x, or of x and y, by another name."""

_POOL = "input:x ksize:pool_size strides padding data_format"
_CONV = "strides padding data_format dilations:dilation_rate"
_RANKS = ("", "1d", "2d", "3d")
_REDUCE = "input_tensor:x axis keepdims"

SPELLINGS: dict[str, Spelling] = {
    **{
        name: _spelled(f"{ours} {_REDUCE}")
        for name, ours in {
            "reduce_all": "all",
            "reduce_any": "any",
            "reduce_logsumexp": "logsumexp",
            "reduce_max": "max",
            "reduce_mean": "mean",
            "reduce_min": "min",
            "reduce_prod": "prod",
            "reduce_std": "std",
            "reduce_sum": "sum",
            "reduce_variance": "var",
        }.items()
    },
    "reduce_euclidean_norm": _spelled(f"norm {_REDUCE}"),
    "norm": _spelled("norm tensor:x ord axis keepdims"),
    "l2_normalize": _spelled("normalize x axis epsilon", _root),
    "count_nonzero": _spelled("count_nonzero input:x axis keepdims dtype"),
    "cumprod": _spelled("cumprod x axis exclusive reverse"),
    "cumsum": _spelled("cumsum x axis exclusive reverse"),
    **dict.fromkeys(("add_n", "accumulate_n"), _spelled("total *inputs:xs")),
    "scalar_mul": _spelled("multiply scalar:x1 x:x2"),
    "bias_add": _spelled("add value:x1 bias:x2 data_format", _per_channel),
    "batch_normalization": _spelled(
        "batch_norm x mean variance offset scale variance_epsilon:epsilon"
    ),
    "eq": _spelled("equal self:x1 other:x2"),
    "ne": _spelled("not_equal self:x1 other:x2"),
    "clip_by_value": _spelled("clip t:x clip_value_min:x_min clip_value_max:x_max"),
    "where": _spelled("where condition x:x1 y:x2"),
    "sequence_mask": _spelled("sequence_mask lengths:x maxlen dtype"),
    # shapes
    "concat": _spelled("concatenate *values:xs axis"),
    "stack": _spelled("stack *values:xs axis"),
    "unstack": _spelled("unstack value:x num axis"),
    "split": _spelled("split value:x num_or_size_splits:parts axis num", _sections),
    "reshape": _spelled("reshape tensor:x shape:newshape"),
    "transpose": _spelled("transpose a:x perm:axes"),
    "expand_dims": _spelled("expand_dims input:x axis"),
    "squeeze": _spelled("squeeze input:x axis"),
    "broadcast_to": _spelled("broadcast_to input:x shape"),
    "ensure_shape": _spelled("copy x shape"),
    "check_numerics": _spelled("copy tensor:x message"),
    "identity_n": _spelled("identity_n *input:xs"),
    "batch_flatten": _spelled("batch_flatten x"),
    "tile": _spelled("tile input:x multiples:repeats"),
    "repeat": _spelled("repeat input:x repeats axis"),
    "reverse": _spelled("flip tensor:x axis"),
    "roll": _spelled("roll input:x shift axis"),
    "pad": _spelled("pad tensor:x paddings:pad_width mode constant_values"),
    "image.resize": _spelled(
        "resize images:x size method:interpolation preserve_aspect_ratio antialias"
    ),
    "image.rgb_to_grayscale": _spelled("rgb_to_grayscale images:x"),
    "image.flip_left_right": _spelled("flip image:x", axis=-2),
    "image.flip_up_down": _spelled("flip image:x", axis=-3),
    "shape": _spelled("shape input:x out_type:dtype"),
    # elements
    "getitem": _spelled("get_item x slice_spec:key", _key),
    "slice": _spelled("slice input_:x begin:start_indices size:shape"),
    "strided_slice": _spelled(
        "get_item input_:x begin end strides begin_mask end_mask ellipsis_mask new_axis_mask "
        "shrink_axis_mask",
        _masked,
    ),
    "gather": _spelled("take params:x indices validate_indices axis batch_dims", _from_first),
    "embedding_lookup": _spelled("take params:x ids:indices partition_strategy", axis=0),
    "diag_part": _spelled("diagonal input:x", axis1=-2, axis2=-1),
    "band_part": _spelled("band_part input:x num_lower num_upper"),
    # tokens
    "cast": _spelled("cast x dtype"),
    "saturate_cast": _spelled("cast value:x dtype"),
    "convert_to_tensor": _spelled("cast value:x dtype dtype_hint"),
    "one_hot": _spelled("one_hot indices:x depth:num_classes on_value off_value axis dtype"),
    # kernels
    "matmul": _spelled(
        "matmul a:x1 b:x2 transpose_a transpose_b adjoint_a:transpose_a adjoint_b:transpose_b"
    ),
    "tensordot": _spelled("tensordot a:x1 b:x2 axes"),
    "einsum": _spelled("einsum equation:subscripts *inputs:operands"),
    **{f"avg_pool{rank}": _spelled(f"average_pool {_POOL}", _windows) for rank in _RANKS},
    **{f"max_pool{rank}": _spelled(f"max_pool {_POOL}", _windows) for rank in _RANKS},
    "conv1d": _spelled(
        "conv value:x filters:kernel stride:strides padding use_cudnn_on_gpu data_format "
        "dilations:dilation_rate",
        _windows,
    ),
    "conv2d": _spelled(
        f"conv input:x filters:kernel {_CONV} filter:kernel use_cudnn_on_gpu", _windows
    ),
    "conv3d": _spelled(f"conv input:x filters:kernel {_CONV}", _windows),
    "depthwise_conv2d": _spelled(f"depthwise_conv input:x filter:kernel {_CONV}", _windows),
    "convolution": _spelled(
        f"conv input:x filters:kernel {_CONV} filter:kernel dilation_rate", _windows
    ),
    "depth_to_space": _spelled("depth_to_space input:x block_size data_format"),
    "space_to_depth": _spelled("space_to_depth input:x block_size data_format"),
    # activations
    "crelu": _spelled("crelu features:x axis"),
    "gelu": _spelled("gelu features:x approximate", approximate=False),
    "leaky_relu": _spelled("leaky_relu features:x alpha:negative_slope"),
    "log_softmax": _spelled("log_softmax logits:x axis"),
    "softmax": _spelled("softmax logits:x axis"),
}
"""What a function's arguments are called; others take x, or x and y."""


# ---------------------------------------------------------------- definitions of a graph's nodes


def _axis_last(arguments: Arguments) -> Arguments:
    *sections, axis = arguments["xs"]
    return {"xs": tuple(sections), "axis": int(axis)}


def _patches(arguments: Arguments) -> Arguments:
    """Sizes for every axis as those of height and width."""
    names = ("size", "strides", "dilation_rate")
    return {**arguments, **{name: tuple(arguments[name][1:-1]) for name in names}}


def _centres(arguments: Arguments) -> Arguments:
    """Pixels have their centres at halves, as in tf.image.resize."""
    corners = arguments.pop("align_corners", False)
    if corners or not arguments.pop("half_pixel_centers", False):
        raise Refusal("resize with the pixels of TensorFlow 1, whose centres are whole numbers")
    return arguments


_CORNERS = "align_corners half_pixel_centers"
_MASKS = "begin_mask end_mask ellipsis_mask new_axis_mask shrink_axis_mask"
_WINDOWS = "strides padding data_format"

GRAPH: dict[str, Spelling] = {
    **{
        kind: _spelled(f"{kind.lower()} x axis keep_dims:keepdims")
        for kind in ("All", "Any", "Max", "Mean", "Min", "Prod", "Sum")
    },
    "AddN": _spelled("total *inputs:xs"),
    "AvgPool": _spelled(f"average_pool x ksize:pool_size {_WINDOWS}", _windows),
    "AvgPool3D": _spelled(f"average_pool x ksize:pool_size {_WINDOWS}", _windows),
    "BatchMatMul": _spelled("matmul x1 x2 adj_x:transpose_a adj_y:transpose_b"),
    "BatchMatMulV2": _spelled("matmul x1 x2 adj_x:transpose_a adj_y:transpose_b"),
    "BatchMatMulV3": _spelled("matmul x1 x2 adj_x:transpose_a adj_y:transpose_b"),
    "BiasAdd": _spelled("add x1 x2 data_format", _per_channel),
    "BroadcastTo": _spelled("broadcast_to x shape"),
    "Cast": _spelled("cast x DstT:dtype"),
    "CheckNumerics": _spelled("copy x"),
    "ClipByValue": _spelled("clip x x_min x_max"),
    "ConcatV2": _spelled("concatenate *values:xs", _axis_last),
    "Conv2D": _spelled(f"conv x kernel {_WINDOWS} dilations:dilation_rate", _windows),
    "Conv3D": _spelled(f"conv x kernel {_WINDOWS} dilations:dilation_rate", _windows),
    "Cumprod": _spelled("cumprod x axis exclusive reverse"),
    "Cumsum": _spelled("cumsum x axis exclusive reverse"),
    "DepthwiseConv2dNative": _spelled(
        f"depthwise_conv x kernel {_WINDOWS} dilations:dilation_rate", _windows
    ),
    "DepthToSpace": _spelled("depth_to_space x block_size data_format"),
    "Einsum": _spelled("einsum *inputs:operands equation:subscripts"),
    "EnsureShape": _spelled("copy x"),
    "EuclideanNorm": _spelled("norm x axis keep_dims:keepdims"),
    "ExpandDims": _spelled("expand_dims x axis"),
    "ExtractImagePatches": _spelled(
        "extract_patches x ksizes:size strides rates:dilation_rate padding", _patches
    ),
    "GatherV2": _spelled("take x indices axis batch_dims", _from_first),
    "LeakyRelu": _spelled("leaky_relu x alpha:negative_slope"),
    "IdentityN": _spelled("identity_n *inputs:xs"),
    "Inv": _spelled("reciprocal x"),
    "MatMul": _spelled("matmul x1 x2 transpose_a transpose_b"),
    "MatrixBandPart": _spelled("band_part x num_lower num_upper"),
    "MatrixDiagPartV3": _spelled("diagonal x offset padding_value", axis1=-2, axis2=-1),
    "MaxPool": _spelled(f"max_pool x ksize:pool_size {_WINDOWS}", _windows),
    "MaxPool3D": _spelled(f"max_pool x ksize:pool_size {_WINDOWS}", _windows),
    "MirrorPad": _spelled("pad x pad_width mode"),
    "OneHot": _spelled("one_hot x num_classes on_value off_value axis"),
    "Pack": _spelled("stack *values:xs axis"),
    "Pad": _spelled("pad x pad_width"),
    "PadV2": _spelled("pad x pad_width constant_values"),
    "Reshape": _spelled("reshape x newshape"),
    "ResizeBilinear": _spelled(f"resize x size {_CORNERS}", _centres, interpolation="bilinear"),
    "ResizeNearestNeighbor": _spelled(
        f"resize x size {_CORNERS}", _centres, interpolation="nearest"
    ),
    "ReverseV2": _spelled("flip x axis"),
    "Roll": _spelled("roll x shift axis"),
    "Select": _spelled("where condition x1 x2"),
    "SelectV2": _spelled("where condition x1 x2"),
    "Shape": _spelled("shape x out_type:dtype"),
    "Slice": _spelled("slice x start_indices shape"),
    "SpaceToDepth": _spelled("space_to_depth x block_size data_format"),
    "Split": _spelled("split axis x num_split:indices_or_sections"),
    "SplitV": _spelled("split x sizes axis"),
    "Squeeze": _spelled("squeeze x squeeze_dims:axis"),
    "StridedSlice": _spelled(f"get_item x begin end strides {_MASKS}", _masked),
    "Tile": _spelled("tile x repeats"),
    "Transpose": _spelled("transpose x axes"),
    "Unpack": _spelled("unstack x num axis"),
}
"""The inputs and attributes of a graph's node; others take x, or x and y."""
