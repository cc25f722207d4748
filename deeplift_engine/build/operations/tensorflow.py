"""TensorFlow's functions as tf.keras saved them, in Keras 3's words.

``TFOpLambda`` keeps a function's name (``"math.reduce_mean"``) and its arguments by TensorFlow's
names, the first one apart; ``SlicingOpLambda`` does so for slices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deeplift_engine.build.operations.call import Operation
from deeplift_engine.build.operations.keras3 import bound
from deeplift_engine.build.place import Place, Refused

MODULES = frozenset({"math", "nn", "linalg", "compat", "v1", "__operators__", "keras", "backend"})
"""Parts of names that tell nothing; a function of any other module keeps its whole name."""

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


def _parts(arguments: Arguments) -> Arguments:
    parts = arguments.pop("parts")
    return {**arguments, "indices_or_sections" if np.ndim(parts) == 0 else "sizes": parts}


def _root(arguments: Arguments) -> Arguments:
    """TensorFlow's epsilon is that of the sum of squares."""
    return {**arguments, "epsilon": math.sqrt(arguments.get("epsilon", 1e-12))}


def _windows(arguments: Arguments) -> Arguments:
    """Sizes for every axis, the samples and the channels among them, as sizes in space."""
    first = str(arguments.get("data_format", "")).startswith("NC")
    for key in ("pool_size", "strides", "dilation_rate"):
        value = arguments.get(key)
        if isinstance(value, tuple) and len(value) > 3:
            arguments[key] = tuple(value[2:] if first else value[1:-1])
    if not isinstance(arguments.get("padding", "VALID"), str):
        raise Refused("padding by numbers")
    return arguments


def _from_first(arguments: Arguments) -> Arguments:
    if arguments.pop("batch_dims", 0):
        raise Refused("gather with batch_dims, at indices of every sample by itself")
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
    for place, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        bits = {name for name, mask in masks.items() if mask >> place & 1}
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
        raise Refused("bias_add with channels first")
    return arguments


# ---------------------------------------------------------------- the table

RENAMED = {
    "abs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atanh": "arctanh",
    "div_no_nan": "divide_no_nan",
    "floor_div": "floor_divide",
    "floordiv": "floor_divide",
    "floormod": "mod",
    "identity": "copy",
    "is_finite": "isfinite",
    "is_inf": "isinf",
    "is_nan": "isnan",
    "pow": "power",
    "rint": "round",
    "swish": "silu",
    "truediv": "divide",
}
"""Functions of x, or of x and y, by another name."""

_POOL = "input:x ksize:pool_size strides padding data_format"
_CONV = "strides padding data_format dilations:dilation_rate"
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
    "reduce_euclidean_norm": _spelled(f"norm {_REDUCE}", ord=2),
    "norm": _spelled("norm tensor:x ord axis keepdims"),
    "l2_normalize": _spelled("normalize x axis epsilon", _root),
    "count_nonzero": _spelled("count_nonzero input:x axis keepdims dtype"),
    "cumsum": _spelled("cumsum x axis exclusive reverse"),
    **dict.fromkeys(("add_n", "accumulate_n"), _spelled("total *inputs:xs")),
    "scalar_mul": _spelled("multiply scalar:x1 x:x2"),
    "bias_add": _spelled("add value:x1 bias:x2 data_format", _per_channel),
    "eq": _spelled("equal self:x1 other:x2"),
    "ne": _spelled("not_equal self:x1 other:x2"),
    "clip_by_value": _spelled("clip t:x clip_value_min:x_min clip_value_max:x_max"),
    "where": _spelled("where condition x:x1 y:x2"),
    "sequence_mask": _spelled("sequence_mask lengths:x maxlen dtype"),
    # shapes
    "concat": _spelled("concatenate *values:xs axis"),
    "stack": _spelled("stack *values:xs axis"),
    "unstack": _spelled("unstack value:x num axis"),
    "split": _spelled("split value:x num_or_size_splits:parts axis num", _parts),
    "reshape": _spelled("reshape tensor:x shape:newshape"),
    "transpose": _spelled("transpose a:x perm:axes"),
    "expand_dims": _spelled("expand_dims input:x axis"),
    "squeeze": _spelled("squeeze input:x axis"),
    "broadcast_to": _spelled("broadcast_to input:x shape"),
    "ensure_shape": _spelled("copy x shape"),
    "batch_flatten": _spelled("batch_flatten x"),
    "tile": _spelled("tile input:x multiples:repeats"),
    "repeat": _spelled("repeat input:x repeats axis"),
    "reverse": _spelled("flip tensor:x axis"),
    "roll": _spelled("roll input:x shift axis"),
    "pad": _spelled("pad tensor:x paddings:pad_width mode constant_values"),
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
    **{f"avg_pool{rank}": _spelled(f"average_pool {_POOL}", _windows) for rank in ("", "1d", "2d")},
    **{f"max_pool{rank}": _spelled(f"max_pool {_POOL}", _windows) for rank in ("", "1d", "2d")},
    "conv1d": _spelled(
        "conv value:x filters:kernel stride:strides padding use_cudnn_on_gpu data_format "
        "dilations:dilation_rate",
        _windows,
    ),
    "conv2d": _spelled(f"conv input:x filters:kernel {_CONV}", _windows),
    "convolution": _spelled(f"conv input:x filters:kernel {_CONV}", _windows),
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


def name_of(function: str) -> str:
    """Keras 3's name of a function: ``"math.reduce_mean"`` is ``"mean"``."""
    return _spelling(function).name


def _spelling(function: str) -> Spelling:
    *modules, last = function.split(".")
    word = last if MODULES.issuperset(modules) else function
    if word in SPELLINGS:
        return SPELLINGS[word]
    return Spelling(RENAMED.get(word, word), {})


def read(place: Place) -> Operation:
    """The operation that a ``TFOpLambda`` or ``SlicingOpLambda`` is."""
    spelling = _spelling(str(place.spec.config.get("function", "")))
    args = place.arguments["args"]
    given = {
        key: value
        for key, value in place.arguments.items()
        if key != "args" and value is not None and value is not False
    }
    parameters = spelling.parameters
    if not parameters:
        two = len(args) > 1 or "y" in given
        parameters = {"x": "x1", "y": "x2"} if two else _only(args)
    theirs = bound(spelling.name, args, tuple(parameters))
    given |= {key.removeprefix("*"): value for key, value in theirs.items()}
    known = {key.removeprefix("*"): ours for key, ours in parameters.items()}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise Refused(f"{spelling.name} with the arguments {unknown}, whose meaning is not known")
    ours = {**spelling.fixed, **{known[key]: value for key, value in given.items()}}
    return Operation(spelling.name, spelling.adapted(ours), place)


def _only(args: tuple[Any, ...]) -> dict[str, str]:
    """The one parameter of a function, whatever it is called."""
    return {"x": "x"} if args else {}
