"""Layers of other packages that `addons` does not have: what each is, and how to say so.

The name of a class can be anybody's, so none of these layers is taken for granted: a row says what
the package's class does, and the definition that states it.
"""

from __future__ import annotations

from dataclasses import dataclass

from deeplift_conversion import LayerSpec


@dataclass(frozen=True)
class PackageLayer:
    """A row: a class of a package.

    Attributes
    ----------
    names
        Of the class, and of others that are alike.
    package
        The package.
    reason
        What the class is at inference.
    advice
        What to do; ``{kind}`` is the class's name.
    option
        A saved option without which the class is another.
    """

    names: tuple[str, ...]
    package: str
    reason: str
    advice: str
    option: str = ""


_NOTHING = "does nothing at inference"
_SAME = "Say so: functions={{{kind!r}: lambda x: x}}."
_TFMOT = "tensorflow_model_optimization"
_APPLIED = (
    "Say so: layers={{{kind!r}: lambda layer: layer.apply("
    "{like!r}, weights=layer.weights, **{options})}}."
)


def _like(name: str, options: str = "layer.config") -> str:
    return _APPLIED.replace("{like!r}", repr(name)).replace("{options}", options)


ROWS: tuple[PackageLayer, ...] = (
    PackageLayer(
        ("ClusterWeights",),
        _TFMOT,
        "wraps a layer whose weights it clusters while training",
        "Save what tfmot.clustering.keras.strip_clustering(model) returns.",
    ),
    PackageLayer(
        ("QuantizeAnnotate", "QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2"),
        _TFMOT,
        "wraps a layer whose numbers it rounds to few bits, so that its output jumps",
        "Save the model from before quantize_annotate_model and quantize_apply.",
    ),
    PackageLayer(("DropPath",), "keras_cv", _NOTHING, _SAME),
    PackageLayer(
        ("StochasticDepth",),
        "keras_cv",
        "adds a share of its second input to the first at inference",
        "Say so: functions={{{kind!r}: lambda x, y, config: x + (1 - config['rate']) * y}}.",
        "rate",
    ),
    PackageLayer(("StochasticDepth",), "keras.applications.convnext", _NOTHING, _SAME),
    PackageLayer(
        ("MaskedLMHead",),
        "keras_hub",
        "predicts hidden tokens at positions that are an input",
        "Save the model up to the layer in front of it, whose features it reads.",
    ),
    PackageLayer(
        (
            "MaskedLMMaskGenerator",
            "MultiSegmentPacker",
            "RandomDeletion",
            "RandomSwap",
            "StartEndPacker",
        ),
        "keras_hub",
        "makes tokens of texts in front of a model",
        "Save the model without it, and give it the tokens.",
    ),
    PackageLayer(
        ("ConvDNA", "ConvRNA", "ConvAA", "ConvCodon", "ConvRNAStructure"),
        "concise",
        "equals Keras's Conv1D",
        _like("Conv1D"),
    ),
)
"""Of several rows for a name the first that applies is taken."""


def reason_and_advice(layer: LayerSpec) -> tuple[str, str] | None:
    """Why a package's layer is refused, and what to do; None for classes without a row."""
    kind = (layer.saved_class_name or layer.class_name).rpartition(">")[2]
    for row in ROWS:
        if kind in row.names and (not row.option or row.option in layer.config):
            return described(row, kind)
    return None


def described(row: PackageLayer, kind: str) -> tuple[str, str]:
    """The reason and the advice of a row for a class."""
    return f"{row.reason}, if it is that of {row.package}", row.advice.format(kind=kind)
