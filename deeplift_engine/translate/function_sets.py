"""Functions of Lambdas that the field's programs save, by the name of the program.

A file holds a Lambda as bytecode of one version of Python, which is never run; what these compute
is known from the programs' sources. They are traced into operations, so that they are exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from deeplift_conversion import ModelSpec
from deeplift_engine.errors import InputError
from deeplift_engine.translate.user_definitions import all_layers
from deeplift_engine.translate.user_layers import LayerFunction
from deeplift_engine.util.suggestions import suggest


def log_of_sum(counts: Any) -> Any:
    """The logarithm of a sum of counts (n, 1), of their logarithms (n, k)."""
    import tensorflow as tf

    return tf.math.reduce_logsumexp(counts, axis=-1, keepdims=True)


def named(output: Any) -> Any:
    """The tensor itself: the Lambda gives it a name."""
    import tensorflow as tf

    return tf.identity(output)


FUNCTION_SETS: Mapping[str, Mapping[str, LayerFunction]] = MappingProxyType(
    {
        "chrombpnet": MappingProxyType({"logcount_predictions": log_of_sum}),
        "bpnet": MappingProxyType(
            {
                r".+/(counts|profile|class)": named,
                r"\w+_logsumexp_counts_bias_\d+": log_of_sum,
            }
        ),
    }
)
"""For each program the functions of its Lambdas, by regular expressions of their layers' names.

``chrombpnet``: ``training/models/chrombpnet_with_bias_model.py`` of kundajelab/chrombpnet.
``bpnet``: ``heads.py`` of the first bpnet and ``model/arch.py`` of bpnet 2, in kundajelab/bpnet.
"""


def resolved_functions(
    functions: Mapping[str, LayerFunction] | str | None, spec: ModelSpec
) -> Mapping[str, LayerFunction] | None:
    """The functions of a user, or for the name of a set those of the Lambdas that a model has.

    Raises
    ------
    InputError
        If there is no such set.
    """
    if not isinstance(functions, str):
        return functions
    patterns = function_set(functions)
    lambdas = [layer.name for layer in all_layers(spec) if layer.class_name == "Lambda"]
    return {
        name: function
        for name in lambdas
        for pattern, function in patterns.items()
        if re.fullmatch(pattern, name)
    }


def function_set(name: str) -> Mapping[str, LayerFunction]:
    """The set of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in FUNCTION_SETS:
        advice = suggest(name, list(FUNCTION_SETS), "Give your own as a mapping by name.")
        raise InputError(f"functions={name!r}: there is no set of functions of that name. {advice}")
    return FUNCTION_SETS[name]


__all__ = ["FUNCTION_SETS", "function_set", "resolved_functions"]
