"""The page docs/LAYERS.md: every class and operation, whether it is exact, and by which rule.

    python -m docs.generate.layers docs/LAYERS.md

writes it from the tables that networks are built by; a test fails where it is out of date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deeplift_conversion.eras.saved_names import old_names
from deeplift_engine.translate.build_graph import TRANSLATORS
from deeplift_engine.translate.operations.operation_table import OPERATIONS
from deeplift_engine.translate.package_layers import ROWS as PACKAGE_ROWS
from deeplift_engine.translate.package_layers import described
from deeplift_engine.translate.refused import QUANTIZED, REFUSED, REFUSED_OLD, reason_and_advice
from docs.generate.pages import table, write

COMMAND = "python -m docs.generate.layers docs/LAYERS.md"
SAY = "Say so: "
BASES = ("InputSpec", "Layer", "Wrapper")
"""Names in keras.layers that no saved model has: what layers are derived from."""
DISSOLVED = ("Pipeline", "Sequential", "Model")
"""Models and classes that are read as the layers in them."""

ALIASES = (
    ("AvgPool", "AveragePooling", ("",), 3),
    ("MaxPool", "MaxPooling", ("",), 3),
    ("GlobalAvgPool", "GlobalAveragePooling", ("",), 3),
    ("GlobalMaxPool", "GlobalMaxPooling", ("",), 3),
    ("Convolution", "Conv", ("", "Transpose"), 3),
    ("SeparableConvolution", "SeparableConv", ("",), 2),
)
"""Other names, the names, what may stand behind the rank, and the ranks there are."""

LINEAR, CHORD = "the transposed map", "the slope of the chord (the rule that is chosen)"
STEPS = "each step of the formula by its own rule: "
GRADIENT = "the gradient at the midpoint of input and reference, each factor's Shapley value"

RULES: dict[str, dict[str, str]] = {
    "Inputs and tokens": {
        "table.put_input": "data come in",
        "tokens.embedding": "a token gets all that its row contributes, over its features",
        "einsum.reversible_embedding": "as Embedding; called in reverse the transposed table",
        "encoding.category_encoding": "a token gets all that its row contributes",
        "tokens.masking": "zeros and mask; features share what their mask contributes",
    },
    "Kernels": {
        "kernels.dense": LINEAR,
        "kernels.convolution": LINEAR,
        "transposed.transposed_convolution": LINEAR,
        "depthwise.depthwise": LINEAR,
        "depthwise.separable": LINEAR,
        "local.locally_connected": LINEAR,
        "einsum.einsum_dense": LINEAR,
    },
    "Activations": {
        "activations.activation": CHORD + "; softmax and other functions of several as below",
        "activations.activation_layer": CHORD,
        "activations.prelu": CHORD,
        "attention.softmax": "exp(x - log Σ exp x), each step by its own chord",
    },
    "Pooling": {
        "pooling.pool": "maximum: the winner takes the difference; average: " + LINEAR,
        "pooling.global_pool": "maximum: the winner takes the difference; average: " + LINEAR,
        "pooling.adaptive_pool": "maximum: the winner takes the difference; average: " + LINEAR,
    },
    "Normalisation": {
        "normalizing.batch_normalization": LINEAR + ", its statistics are saved",
        "normalizing.normalization": LINEAR + ", its statistics are saved",
        "normalizing.rescaling": LINEAR,
        "normalizing.layer_normalization": STEPS + "mean, square, root, quotient",
        "normalizing.rms_normalization": STEPS + "square, mean, root, quotient",
        "normalizing.group_normalization": STEPS + "mean, square, root, quotient",
        "normalizing.unit_normalization": STEPS + "square, sum, root, quotient",
    },
    "Shape and images": {
        "reshaping.flatten": LINEAR,
        "reshaping.reshape": LINEAR,
        "reshaping.permute": LINEAR,
        "reshaping.repeat_vector": LINEAR,
        "reshaping.padding": LINEAR,
        "reshaping.cropping": LINEAR,
        "resizing.upsampling": LINEAR,
        "resizing.resizing": LINEAR,
        "resizing.center_crop": LINEAR,
        "resizing.random_crop": LINEAR,
        "spectrogram.stft_spectrogram": STEPS + "transform, squares, root or logarithm",
    },
    "Merging": {
        "merging.merge": LINEAR + "; Multiply: " + GRADIENT + "; Maximum, Minimum: the winner",
        "merging.concatenate": LINEAR,
        "merging.dot": GRADIENT,
        "keras1.merge": STEPS + "products, root, quotient",
    },
    "Attention": {
        "attention.attention": STEPS + "scores, softmax, weighted sum",
        "heads.multi_head_attention": STEPS + "projections, scores, softmax, weighted sum",
        "heads.group_query_attention": STEPS + "projections, scores, softmax, weighted sum",
    },
    "Recurrent layers": {
        "recurrent.recurrent": "the cell's own gates and products, stepped backwards in time",
        "recurrent.convolutional": "the cell's own gates and products, stepped backwards in time",
        "recurrent.stacked": "the cells' own gates and products, stepped backwards in time",
        "recurrent.bidirectional": "as the two layers, and their merging",
    },
    "Wrappers and models": {
        "wrappers.time_distributed": "as the layer inside",
        "wrappers.wrapped": "as the layer inside",
        "wrappers.inner_model": "as the layers inside",
    },
    "Nothing at inference": {"reshaping.identity": "as they come"},
}
"""Heading → translator → how multipliers cross what it makes."""

INTRODUCTION = f"""# Layers

Written by `{COMMAND}` from the tables that networks are
built by; do not edit it by hand.

- **Exact**: contributions before and after the layer have one sum, up to rounding, under the rules
  `rescale`, `reveal_cancel` and `genomics_default`; tests check it.
- **Approximate**: up to the accuracy of an average along the path from reference to input.
- **Refused**: with a reason, before anything is computed, in one error that lists all of them.

`network.coverage()`, and `de.coverage(path)` for a file that may be refused, say for each layer of
a model what became of it; `deeplift-engine inspect model.h5` prints the same. Options that a row
does not speak of are covered; one that cannot be is refused by name."""

CUSTOM = (
    (
        '`layers={"Name": made}` or `register_layer("Name", made)`, '
        "where `made(layer)` says of which layers it is made",
        "exact",
        "those of the layers",
    ),
    (
        '`functions={"name": f}`, where all that TensorFlow traces of `f(x)` is in the table above',
        "exact",
        "those of the operations",
    ),
    (
        '`functions={"name": f}` with any other function of tensors: the note says why',
        "approximate",
        "the gradient averaged over 16 Gauss-Legendre points of the path",
    ),
    (
        "`de.forward_only(f)`, or `layer.forward_only(f)` for a step of a layer",
        "as `functions`",
        "the same",
    ),
    (
        "`de.forward_only(f, nodes=32)`, likewise",
        "approximate",
        "the gradient averaged over as many points",
    ),
    ("nothing, of a Lambda or of a class that no table has", "refused", ""),
)
KEYS = """A function of tensors is called once on symbolic tensors of TensorFlow, be it written with
`tf.`, with `keras.ops` or with operators. Each traced operation has its rule, and all together are
compared with the function on random numbers; a logarithm of a sum of exponentials is one operation
whatever shift keeps it small, and a product with an inverse is a quotient. Gradients of
`stop_gradient` are those of its input. What depends on chance, on a state or on several samples,
loops, and operations without a rule leave the function one step.

Keys are names of layers, patterns of names (`"lambda_*"`) or classes, with or without
their package; Python code in a file is never run.
[examples/reverse_complement](../examples/reverse_complement/README.md) shows each way."""

PACKAGES = """Layers of keras-tcn, keras-self-attention, vit-keras, tensorflow-addons and others are
known, see [MODELS.md](MODELS.md). These are refused until they are defined, since a class's name
can be anybody's:"""
ACTIVATIONS = """An activation of one's own is given by its name, `functions={"lisht": f}`, for all
layers that use it, recurrent ones too. Those of tensorflow-addons need none."""


def page() -> str:
    """The whole page."""
    classes: dict[str, list[str]] = {}
    for name, translator in TRANSLATORS.items():
        classes.setdefault(key_of(translator), []).append(name)
    parts = [INTRODUCTION, "## Layers of Keras, exact"]
    for heading, rules in RULES.items():
        rows = [
            (", ".join(classes[key]), _covered(key, classes[key]), rule)
            for key, rule in rules.items()
            if key in classes
        ]
        parts.append(f"### {heading}\n\n" + table(("layer", "what is covered", "rule"), rows))
    parts.append(
        f"{', '.join(DISSOLVED)}: nested and shared ones too, are read as the layers in them. "
        f"{', '.join(BASES)} are what layers are derived from, and in no model."
    )
    parts.append("## Operations, exact\n\n" + table(("what", "names"), list(_operations())))
    parts.append("## Lambdas and layers of one's own")
    parts.append(table(("what is said", "status", "rule"), CUSTOM) + f"\n\n{KEYS}")
    parts.append("## Refused\n\n" + table(("layer", "reason", "instead"), _refused()))
    columns = ("layer", "package", "what it is", "what to do")
    parts.append(f"## Layers of other packages\n\n{PACKAGES}\n\n" + table(columns, _packages()))
    parts.append(ACTIVATIONS)
    parts.append(
        "## Other names\n\nLayers of older Keras, and other names of the same class, are read as "
        "Keras 3's:\n\n" + table(("saved as", "read as"), _others())
    )
    return "\n\n".join(parts) + "\n"


def key_of(translator: Callable[..., Any]) -> str:
    """Module and name of a translator: ``"kernels.dense"``."""
    return f"{translator.__module__.rpartition('.')[2]}.{translator.__name__}"


def _translator(key: str) -> Callable[..., Any]:
    return next(made for made in TRANSLATORS.values() if key_of(made) == key)


def _covered(key: str, names: Sequence[str]) -> str:
    """What a translator's first line says, without the names of its classes."""
    text = _first_line(_translator(key)).rstrip(".")
    words = {*TRANSLATORS, *(re.sub(r"[123]D", "", name) for name in names), "and"}
    while (first := re.match(r"(\w+)[,;:]?(?: |$)", text)) and first[1] in words:
        text = text[first.end() :]
    return text if text[1:2] == " " else text[:1].upper() + text[1:]


def _first_line(thing: Any) -> str:
    text = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(text.split()).replace("``", "`")


def _operations() -> Iterator[tuple[str, str]]:
    """What the first line of each module of operations says, and their names."""
    families: dict[str, list[str]] = {}
    for name, translator in OPERATIONS.items():
        made = getattr(translator, "func", translator)
        families.setdefault(made.__module__, []).append(name)
    for module, names in families.items():
        yield _first_line(sys.modules[module]).rstrip("."), ", ".join(sorted(names))


def _refused() -> list[tuple[str, str, str]]:
    rows = [
        (name, *reason_and_advice(name, "name"))
        for name in (*sorted(REFUSED), *sorted(REFUSED_OLD))
    ]
    return [*rows, ("any that is quantised", QUANTIZED[0].format(mode="int8 ..."), QUANTIZED[1])]


def _packages() -> list[tuple[str, str, str, str]]:
    return [
        (
            ", ".join(row.names) + f" (with `{row.option}`)" * bool(row.option),
            row.package,
            row.reason,
            f"`{advice[len(SAY) : -1]}`" if advice.startswith(SAY) else advice,
        )
        for row in PACKAGE_ROWS
        for advice in [described(row, row.names[0])[1]]
    ]


def _others() -> list[tuple[str, str]]:
    """Names that older Keras saved, and other names that Keras 3 has for its classes."""
    aliases = {
        f"{short}{rank}D{end}": f"{whole}{rank}D{end}"
        for short, whole, ends, ranks in ALIASES
        for end in ends
        for rank in range(1, ranks + 1)
    }
    return sorted((aliases | old_names()).items())


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file that is named."""
    return write(page(), COMMAND, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))


__all__ = ["RULES", "key_of", "main", "page"]
